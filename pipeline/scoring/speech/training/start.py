"""Go on from a finished model's listener: its weights, read back from its ONNX graph.

The graph names all parameters but the matrices, which the exporter transposes into constants and quantisation rewrites
in 8 bits. A matrix is known by the bias that is added to its product, and the keys' projection, the only one without a
bias, by the layer norm whose output it multiplies.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.scoring.speech.training.network import Listener

PREFIX = "listener."
NORM, KEYS = "self_attn_layer_norm.weight", "self_attn.k_proj.weight"
BETWEEN = ("Cast", "Mul")  # from an 8-bit product to where its bias is added
MOST_BETWEEN = 4


def start_from(listener: Listener, folder: Path) -> None:
    """Give `listener` the weights of the model in `folder`, up to what 8 bits lose. Raises ModelError where the model
    cannot be read or has another encoder."""
    weights = read_weights(folder / LISTENER_FILE)
    expected = {name: tuple(value.shape) for name, value in listener.state_dict().items()}
    if {name: tuple(value.shape) for name, value in weights.items()} != expected:
        raise ModelError(
            N_("{folder} has another encoder than this run, or not one of Whisper's: it cannot start there."),
            folder=str(folder),
        )
    listener.load_state_dict(weights)


def read_weights(file: Path) -> dict[str, Tensor]:
    """The parameters of an exported Whisper listener by their names in `Listener`. Raises ModelError."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(file).graph
    except Exception as error:  # protobuf's errors have no common class
        raise ModelError(N_("{path} cannot be read: {reason}."), path=str(file), reason=said_by(error)) from error
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    named = {name.removeprefix(PREFIX): values for name, values in constants.items() if name.startswith(PREFIX)}
    for node in graph.node:
        if node.op_type in ("MatMul", "MatMulInteger") and _is_constant(node.input[1], constants):
            name = _name_of(node, graph.node)
            if name is not None:
                named[name.removeprefix(PREFIX)] = _matrix(node, constants).T
    return {name: torch.from_numpy(np.array(values, dtype=np.float32)) for name, values in named.items()}


def _is_constant(name: str, constants: dict[str, NDArray[Any]]) -> bool:
    return name in constants and constants[name].ndim == 2


def _matrix(node: Any, constants: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """As it multiplies from the right, [inputs, outputs]."""
    values = constants[node.input[1]]
    if node.op_type == "MatMul":
        return np.asarray(values, dtype=np.float32)
    zero = constants[node.input[3]].astype(np.float32)
    scale = constants[f"{node.input[1].removesuffix('_quantized')}_scale"]
    return np.asarray((values.astype(np.float32) - zero) * scale, dtype=np.float32)


def _name_of(node: Any, nodes: Any) -> str | None:
    """The parameter whose transpose `node` multiplies by."""
    value = node.output[0]
    for _ in range(MOST_BETWEEN):
        readers = [other for other in nodes if value in other.input]
        biases = [name for other in readers if other.op_type == "Add" for name in other.input if _is_bias(name)]
        if biases:
            return f"{biases[0].removesuffix('bias')}weight"
        onwards = [other for other in readers if other.op_type in BETWEEN]
        if not onwards:
            break
        value = onwards[0].output[0]
    return _keys_of(node.input[0], nodes)


def _is_bias(name: str) -> bool:
    return name.startswith(PREFIX) and name.endswith(".bias")


def _keys_of(value: str, nodes: Any) -> str | None:
    makers = {output: other for other in nodes for output in other.output}
    maker = makers.get(value)
    if maker is not None and maker.op_type == "DynamicQuantizeLinear":
        maker = makers.get(maker.input[0])
    norm = next((name for name in maker.input if name.endswith(NORM)), None) if maker is not None else None
    return None if norm is None else norm.removesuffix(NORM) + KEYS
