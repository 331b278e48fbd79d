"""Graphs that begin with sound: power spectra as convolutions, as an FFT is no part of ONNX that every runtime has; and
one graph of several."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def waves_of(window: NDArray[np.float64], size: int) -> "Tensor":
    """Cosines and sines of an FFT of `size` under a window, float32 [2 * (size // 2 + 1), 1, len(window)]."""
    import torch

    angle = 2.0 * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(len(window))) / size
    return torch.tensor((np.concatenate([np.cos(angle), np.sin(angle)]) * window)[:, None], dtype=torch.float32)


def power_of(sound: "Tensor", waves: "Tensor", hop: int) -> "Tensor":
    """Of samples [1, 1, n] the power [size // 2 + 1, n_frames] of a frame every `hop` samples."""
    import torch

    spectrum = torch.nn.functional.conv1d(sound, waves, stride=hop)[0]
    half = len(waves) // 2
    return spectrum[:half] ** 2 + spectrum[half:] ** 2


def graph_of(module: Any, inputs: Mapping[str, NDArray[np.float32]], outputs: Mapping[str, int], opset: int) -> bytes:
    """An ONNX file. Of each input the first axis may have any length, of each output the one that is named with it."""
    import torch

    axes = {**dict.fromkeys(inputs, 0), **outputs}
    with TemporaryDirectory() as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(temporary) / "graph.onnx"
        torch.onnx.export(
            module, tuple(map(torch.from_numpy, inputs.values())), str(file), input_names=list(inputs),
            output_names=list(outputs), dynamo=False, opset_version=opset,
            dynamic_axes={name: {axis: f"n_{name}"} for name, axis in axes.items()},
        )  # fmt: skip
        return file.read_bytes()


def joined(one: Any, other: Any, prefix: str) -> Any:
    """Two ONNX models, of which the other, all its names behind the prefix, reads first what the one answers first.
    Raises onnx's own types where it cannot."""
    import onnx

    behind = onnx.compose.add_prefix(other, prefix)
    one.ir_version = behind.ir_version = max(one.ir_version, behind.ir_version)
    return onnx.compose.merge_models(one, behind, io_map=[(one.graph.output[0].name, behind.graph.input[0].name)])


def rename(model: Any, name: str, wanted: str) -> None:
    """An input or output of the whole graph, wherever it is read or written."""
    for value in (*model.graph.input, *model.graph.output):
        if value.name == name:
            value.name = wanted
    for node in model.graph.node:
        for names in (node.input, node.output):
            for index, one in enumerate(names):
                if one == name:
                    names[index] = wanted
