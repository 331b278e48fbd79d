"""TensorFlow Lite files of 8 bits, operator by operator, with the schema that the package tflite-micro brings.

A tensor of quantised values q stands for scale * (q - zero). State that outlives a step is a resource variable, which
`CALL_ONCE` sets in a second subgraph before the first step.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

IDENTIFIER = b"TFL3"
BYTES, BIAS, INDEX, UNSIGNED = "INT8", "INT32", "INT32", "UINT8"
INIT = 1  # the second subgraph


@dataclass(frozen=True)
class Grid:
    """The scale and the zero point of a tensor of 8 bits."""

    scale: float
    zero: int

    @classmethod
    def over(cls, low: float, high: float) -> "Grid":
        """256 steps from `low` to `high`, 0 among them."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max((high - low) / 255.0, 1e-8)
        return cls(scale, int(np.clip(round(-128.0 - low / scale), -128, 127)))

    def quantised(self, values: NDArray[Any]) -> NDArray[np.int8]:
        return np.clip(np.round(values / self.scale) + self.zero, -128, 127).astype(np.int8)

    def real(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray((values.astype(np.float32) - self.zero) * self.scale, dtype=np.float32)


@dataclass(frozen=True)
class Value:
    """A tensor of the main subgraph."""

    index: int
    shape: tuple[int, ...]
    grid: Grid


@dataclass
class TfliteGraph:
    """Operators in the order in which they are added; `finished` is the file."""

    _schema: Any = field(default_factory=lambda: _schema())
    _codes: list[str] = field(default_factory=list)
    _buffers: list[Any] = field(default_factory=list)
    _states: list[tuple[str, tuple[int, ...], Grid]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._buffers.append(self._schema.BufferT())  # the first one is empty by convention
        self._main, self._init = self._subgraph("main"), self._subgraph("init")
        self._operator(self._main, "CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=INIT)

    def input(self, shape: tuple[int, ...], grid: Grid) -> Value:
        value = self._value("input", shape, grid)
        self._main.inputs = [value.index]
        return value

    def reshaped(self, value: Value, shape: tuple[int, ...]) -> Value:
        out = self._value("reshaped", shape, value.grid)
        target = self._constant(self._main, np.array(shape, dtype=np.int32), INDEX)
        self._operator(
            self._main, "RESHAPE", [value.index, target], [out.index], "ReshapeOptions", newShape=list(shape)
        )
        return out

    def remembered(self, value: Value, length: int) -> Value:
        """`value` [1, n, 1, channels] after what came before it: the last `length` of all along the second axis."""
        _, n_new, _, n = value.shape
        kept = (1, length - n_new, 1, n)
        name = f"state{len(self._states)}"
        self._states.append((name, kept, value.grid))
        handle = self._handle(self._main, name)
        before, whole = self._value(name, kept, value.grid), self._value("whole", (1, length, 1, n), value.grid)
        after = self._value("kept", kept, value.grid)
        self._operator(self._main, "READ_VARIABLE", [handle], [before.index], "ReadVariableOptions")
        self._operator(
            self._main, "CONCATENATION", [before.index, value.index], [whole.index], "ConcatenationOptions", axis=1
        )
        edges = (np.array(edge, dtype=np.int32) for edge in ((0, n_new, 0, 0), (1, length, 1, n), (1, 1, 1, 1)))
        places = [self._constant(self._main, edge, INDEX) for edge in edges]
        self._operator(self._main, "STRIDED_SLICE", [whole.index, *places], [after.index], "StridedSliceOptions")
        self._operator(self._main, "ASSIGN_VARIABLE", [handle, after.index], [], "AssignVariableOptions")
        return whole

    def convolved(self, value: Value, weights: NDArray[Any], bias: NDArray[Any], grid: Grid, relu: bool) -> Value:
        """Over the whole second axis, to one place: weights [n_out, length, n_in]."""
        n_out, length, n_in = weights.shape
        inputs = self._weighted(value, weights.reshape(n_out, length, 1, n_in), bias, axis=0)
        out = self._value("convolved", (1, 1, 1, n_out), grid)
        self._operator(
            self._main, "CONV_2D", inputs, [out.index], "Conv2DOptions", padding=self._schema.Padding.VALID, strideW=1,
            strideH=1, fusedActivationFunction=self._activation(relu),
        )  # fmt: skip
        return out

    def convolved_each(self, value: Value, weights: NDArray[Any], grid: Grid) -> Value:
        """Each channel on its own over the whole second axis: weights [channels, length]."""
        n, length = weights.shape
        inputs = self._weighted(value, weights.T.reshape(1, length, 1, n), np.zeros(n), axis=3)
        out = self._value("each", (1, 1, 1, n), grid)
        self._operator(
            self._main, "DEPTHWISE_CONV_2D", inputs, [out.index], "DepthwiseConv2DOptions",
            padding=self._schema.Padding.VALID, strideW=1, strideH=1, depthMultiplier=1,
        )  # fmt: skip
        return out

    def connected(self, value: Value, weights: NDArray[Any], bias: NDArray[Any], grid: Grid) -> Value:
        """value [1, n_in], weights [n_out, n_in], with one scale for all."""
        inputs = self._weighted(value, weights, bias, axis=None)
        out = self._value("connected", (1, len(weights)), grid)
        self._operator(self._main, "FULLY_CONNECTED", inputs, [out.index], "FullyConnectedOptions")
        return out

    def probability(self, logit: Value) -> None:
        """The output: the logistic function of `logit`, in 256 unsigned steps."""
        inner = self._value("probability", logit.shape, Grid(1.0 / 256.0, -128))
        self._operator(self._main, "LOGISTIC", [logit.index], [inner.index])
        out = self._tensor(self._main, "output", logit.shape, UNSIGNED, scales=[1.0 / 256.0], zeros=[0])
        self._operator(self._main, "QUANTIZE", [inner.index], [out], "QuantizeOptions")
        self._main.outputs = [out]

    def finished(self, description: str) -> bytes:
        import flatbuffers

        schema = self._schema
        for name, shape, grid in self._states:
            handle = self._handle(self._init, name)
            start = np.full(shape, grid.zero, dtype=np.int8)
            value = self._constant(self._init, start, BYTES, scales=[grid.scale], zeros=[grid.zero])
            self._operator(self._init, "ASSIGN_VARIABLE", [handle, value], [], "AssignVariableOptions")
        codes = []
        for name in self._codes:
            code = getattr(schema.BuiltinOperator, name)
            made = schema.OperatorCodeT()
            made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), 1
            codes.append(made)
        model = schema.ModelT()
        model.version, model.description = 3, description
        model.operatorCodes, model.subgraphs, model.buffers = codes, [self._main, self._init], self._buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
        return bytes(builder.Output())

    def _subgraph(self, name: str) -> Any:
        made = self._schema.SubGraphT()
        made.name, made.tensors, made.operators, made.inputs, made.outputs = name, [], [], [], []
        return made

    def _value(self, name: str, shape: tuple[int, ...], grid: Grid) -> Value:
        index = self._tensor(self._main, name, shape, BYTES, scales=[grid.scale], zeros=[grid.zero])
        return Value(index, shape, grid)

    def _handle(self, subgraph: Any, name: str) -> int:
        index = self._tensor(subgraph, f"{name}_handle", (), "RESOURCE")
        self._operator(subgraph, "VAR_HANDLE", [], [index], "VarHandleOptions", container="", sharedName=name)
        return index

    def _weighted(self, value: Value, weights: NDArray[Any], bias: NDArray[Any], axis: int | None) -> list[int]:
        """Input, weights and bias of an operator; the weights with a scale for each place along `axis`, or one."""
        others = tuple(i for i in range(weights.ndim) if i != axis) if axis is not None else None
        scales = np.maximum(np.atleast_1d(np.abs(weights).max(axis=others)) / 127.0, 1e-8)
        shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
        values = np.clip(np.round(weights / scales.reshape(shape)), -127, 127).astype(np.int8)
        zeros = [0] * len(scales)
        kernel = self._constant(self._main, values, BYTES, scales=scales.tolist(), zeros=zeros, axis=axis or 0)
        steps = scales * value.grid.scale
        offsets = self._constant(
            self._main, np.round(bias / steps).astype(np.int32), BIAS, scales=steps.tolist(), zeros=zeros
        )
        return [value.index, kernel, offsets]

    def _constant(self, subgraph: Any, values: NDArray[Any], kind: str, **grid: Any) -> int:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), dtype=np.uint8)
        self._buffers.append(buffer)
        return self._tensor(subgraph, "constant", values.shape, kind, buffer=len(self._buffers) - 1, **grid)

    def _tensor(
        self,
        subgraph: Any,
        name: str,
        shape: tuple[int, ...],
        kind: str,
        *,
        buffer: int = 0,
        scales: list[float] | None = None,
        zeros: list[int] | None = None,
        axis: int = 0,
    ) -> int:
        made = self._schema.TensorT()
        made.name, made.shape, made.buffer = f"{name}_{len(subgraph.tensors)}", list(shape), buffer
        made.type = getattr(self._schema.TensorType, kind)
        if scales is not None:
            made.quantization = self._schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = scales, zeros
            made.quantization.quantizedDimension = axis
        subgraph.tensors.append(made)
        return len(subgraph.tensors) - 1

    def _operator(
        self, subgraph: Any, name: str, inputs: list[int], outputs: list[int], options: str = "", **settings: Any
    ) -> None:
        if name not in self._codes:
            self._codes.append(name)
        made = self._schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = self._codes.index(name), inputs, outputs
        if options:
            made.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self._schema, f"{options}T")()
            for key, value in settings.items():
                setattr(made.builtinOptions, key, value)
        subgraph.operators.append(made)

    def _activation(self, relu: bool) -> Any:
        kinds = self._schema.ActivationFunctionType
        return kinds.RELU if relu else kinds.NONE


def _schema() -> Any:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

    return schema_py_generated
