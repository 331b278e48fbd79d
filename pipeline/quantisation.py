"""8-bit ONNX models that give the same answer on every processor.

Where x86 has AVX2 but no VNNI, onnxruntime multiplies unsigned activations by signed weights with `vpmaddubsw`: two
neighbouring products are added in 16 bits, and the sum saturates at 32,767 although it may reach 64,770. Unsigned
weights (zero point 128) take kernels whose sums are 32 bits wide on x86-64 and ARM alike. They hold the same 256 steps;
on AVX2 they take a fifth more time than signed ones. Weights of 7 bits would be safe too, at half the resolution.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.optional import require

MATRIX_PRODUCTS = ("MatMul", "Gemm")
LAYERS = ("Conv", *MATRIX_PRODUCTS, "Add", "Relu")
LEAST_KEPT = 1024  # values of a matrix that is worth it
MIDDLE = 128
SYMMETRIC = {"WeightSymmetric": True}  # zero point 128 in every channel


def quantise_dynamic(source: Path, target: Path) -> None:
    """Write `source` with the weights of its matrix products in 8 bits per column; activations are quantised as they
    come. Raises ModelError where the package for it is missing."""
    quantisation = _onnxruntime_quantisation()
    with artifacts.replacing(target) as temporary:
        quantisation.quantize_dynamic(
            source, temporary, weight_type=quantisation.QuantType.QUInt8, per_channel=True,
            op_types_to_quantize=list(MATRIX_PRODUCTS), extra_options=SYMMETRIC,
        )  # fmt: skip


def quantise_static(source: Path, target: Path, inputs: Iterable[dict[str, NDArray[np.float32]]]) -> None:
    """Write `source` with weights in 8 bits per channel and activations over the ranges that `inputs` reach.
    Raises ModelError where the package for it is missing."""
    quantisation = _onnxruntime_quantisation()
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as temporary, artifacts.replacing(target) as whole:
        prepared = f"{temporary}/prepared.onnx"
        quant_pre_process(str(source), prepared)
        quantisation.quantize_static(
            prepared, str(whole), _Inputs(inputs), quant_format=quantisation.QuantFormat.QDQ, per_channel=True,
            activation_type=quantisation.QuantType.QUInt8, weight_type=quantisation.QuantType.QUInt8,
            calibrate_method=quantisation.CalibrationMethod.MinMax, op_types_to_quantize=list(LAYERS),
            extra_options=SYMMETRIC,
        )  # fmt: skip


def keep_in_8_bits(model: Path) -> None:
    """Rewrite the matrices of an ONNX file in 8 bits with a scale for each row or column. They are floats again once
    the model is loaded: the file has a quarter of its size, and what is multiplied are floats. Raises ModelError
    as `quantise_dynamic` does."""
    _onnxruntime_quantisation()
    import onnx
    from onnx import helper, numpy_helper

    whole = onnx.load(model)
    nodes = []
    added = [numpy_helper.from_array(np.array(MIDDLE, dtype=np.float32), "middle_step")]
    for tensor in whole.graph.initializer:
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.dtype != np.float32 or values.ndim < 2 or values.size < LEAST_KEPT:
            continue
        steps, scale = in_8_bits(values)
        tensor.CopyFrom(numpy_helper.from_array(steps, f"{name}.steps"))
        added.append(numpy_helper.from_array(scale, f"{name}.scale"))
        nodes += [
            helper.make_node("Cast", [f"{name}.steps"], [f"{name}.cast"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Sub", [f"{name}.cast", "middle_step"], [f"{name}.signed"]),
            helper.make_node("Mul", [f"{name}.signed", f"{name}.scale"], [name]),
        ]
    nodes.extend(whole.graph.node)
    del whole.graph.node[:]
    whole.graph.node.extend(nodes)
    whole.graph.initializer.extend(added)
    with artifacts.replacing(model) as temporary:
        onnx.save(whole, temporary)


def in_8_bits(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Steps of 1 to 255 around MIDDLE, and what one is worth, along the first or the last axis, whichever loses less:
    (steps - MIDDLE) * scale is `values` to within half a step."""

    def along(axis: int) -> tuple[float, NDArray[np.uint8], NDArray[np.float32]]:
        others = tuple(number for number in range(values.ndim) if number != axis)
        largest = np.abs(values).max(axis=others, keepdims=True)
        scale = np.where(largest > 0, largest / (MIDDLE - 1), 1.0).astype(np.float32)
        steps = np.round(values / scale)
        return float(((steps * scale - values) ** 2).sum()), (steps + MIDDLE).astype(np.uint8), scale

    _, steps, scale = min((along(axis) for axis in (0, values.ndim - 1)), key=lambda tried: tried[0])
    return steps, scale


def signed_weights(model: Path) -> list[str]:
    """Names of the weights of an ONNX file that are signed 8-bit integers, and so may saturate on some processors.
    Raises ModelError as `quantise_dynamic` does."""
    _onnxruntime_quantisation()
    import onnx

    return sorted(
        tensor.name
        for tensor in onnx.load(model).graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) > 1
    )


def make_unsigned(model: Path) -> bool:
    """Rewrite the signed weights of a dynamically quantised ONNX file as unsigned ones of the same values; False where
    there are none. Raises ModelError as `quantise_dynamic` does, and for signed weights in other operators."""
    signed = set(signed_weights(model))
    if not signed:
        return False
    import onnx
    from onnx import numpy_helper

    whole = onnx.load(model)
    tensors = {tensor.name: tensor for tensor in whole.graph.initializer}
    products = [node for node in whole.graph.node if node.op_type == "MatMulInteger" and node.input[1] in signed]
    if signed - {node.input[1] for node in products}:
        raise ModelError(N_("{model} was quantised statically. Export it again from its checkpoint."), model=str(model))
    for name in {name for node in products for name in (node.input[1], node.input[3])}:
        shifted = numpy_helper.to_array(tensors[name]).astype(np.int16) + 128
        tensors[name].CopyFrom(numpy_helper.from_array(shifted.astype(np.uint8), name))
    with artifacts.replacing(model) as temporary:
        onnx.save(whole, temporary)
    return True


def _onnxruntime_quantisation() -> Any:
    require(N_("Writing an 8-bit model"), ("onnx",), ModelError)
    from onnxruntime import quantization

    return quantization


class _Inputs:
    """The inputs to calibrate with, in the form that onnxruntime asks for them."""

    def __init__(self, inputs: Iterable[dict[str, NDArray[np.float32]]]) -> None:
        self._left = iter(inputs)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._left, None)
