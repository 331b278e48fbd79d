"""Quantisation-aware steps: forward with weights and activations on an 8-bit grid, gradients straight through.

Weights are symmetric per output channel, which batch normalisation can be folded into without moving the grid; inputs
of convolutions and linear layers are affine per tensor, over the range of the batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

QUANTISED = (nn.Conv1d, nn.Conv2d, nn.Linear)
LOWEST_RANGE = 1e-6


@contextmanager
def quantised(model: nn.Module) -> Iterator[None]:
    """Within, `model` computes as its INT8 export will; gradients fall on the float weights, which are back after."""
    layers = [module for module in model.modules() if isinstance(module, QUANTISED)]
    kept = [layer.weight.data for layer in layers]
    handles = [layer.register_forward_pre_hook(_on_grid) for layer in layers]
    for layer, weight in zip(layers, kept, strict=True):
        layer.weight.data = weights_on_grid(weight)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for layer, weight in zip(layers, kept, strict=True):
            layer.weight.data = weight


def weights_on_grid(weight: Tensor) -> Tensor:
    flat = weight.reshape(weight.shape[0], -1)
    scale = (flat.abs().amax(dim=1) / 127.0).clamp(min=LOWEST_RANGE)
    return torch.fake_quantize_per_channel_affine(
        weight.float(), scale.float(), torch.zeros_like(scale, dtype=torch.int32), 0, -127, 127
    ).to(weight.dtype)


def _on_grid(_module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    values = given[0].float()
    low, high = values.detach().amin().clamp(max=0.0), values.detach().amax().clamp(min=0.0)
    scale = ((high - low) / 255.0).clamp(min=LOWEST_RANGE)
    zero = (-low / scale).round().clamp(0, 255).int()
    return (torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, 255).to(given[0].dtype), *given[1:])
