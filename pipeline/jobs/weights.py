"""What two trainers keep beside a model's weights: their running mean, and the optimiser's moments to go on from."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # of Adam


def copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def follow(average: dict[str, Tensor], model: nn.Module, keep: float, step: int) -> None:
    """Move the mean weights towards the present ones: `keep` of them stays, less in the first steps, whose weights are
    worth nothing."""
    keep = min(keep, (1 + step) / (10 + step))
    with torch.no_grad():
        present = model.state_dict()
        names = [name for name, value in average.items() if value.is_floating_point()]
        torch._foreach_lerp_([average[n] for n in names], [present[n] for n in names], 1.0 - keep)


def moments_of(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """As `<moment>.<number of the parameter>`."""
    states = optimiser.state_dict()["state"]
    return {f"{key}.{index}": state[key] for index, state in states.items() for key in MOMENTS}


def restore_moments(optimiser: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    packed = optimiser.state_dict()
    for name, value in moments.items():
        key, index = name.rsplit(".", 1)
        packed["state"].setdefault(int(index), {})[key] = value
    optimiser.load_state_dict(packed)
