"""An ONNX model as a processor with AVX2 and without VNNI computes it, in numpy, so that any machine can test for it.

There onnxruntime multiplies unsigned activations by signed weights two neighbours at a time, and the sum of the two
products saturates in 16 bits (`vpmaddubsw`). Products of unsigned weights are summed in 32 bits. Convolutions are laid
out as matrix products with the kernel's elements as columns, channel by channel, as MLAS does. On such
a processor (AMD Zen 3, onnxruntime 1.31) the emulation of a matrix product agreed with it to the last bit.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_conv import Conv as FloatConv
from onnx.reference.ops.op_gemm import Gemm_7 as FloatGemm

LOWEST, HIGHEST = -32_768, 32_767


class Quantised(np.ndarray):
    """Float values that stand for 8-bit integers: `(integers - zero_point) * scale`."""

    integers: np.ndarray
    zero_point: np.ndarray
    scale: np.ndarray


def product(activations: np.ndarray, weights: np.ndarray, zero_a: Any = 0, zero_w: Any = 0) -> np.ndarray:
    """[M, K] uint8 by [K, N] 8-bit integers, each less its zero point, in 32 bits. Pairs of products along K saturate
    in 16 bits where the weights are signed, as they do in hardware before zero points are accounted for."""
    a, w = activations.astype(np.int64), weights.astype(np.int64)
    if weights.dtype == np.int8:
        if a.shape[1] % 2:
            a, w = np.pad(a, ((0, 0), (0, 1))), np.pad(w, ((0, 1), (0, 0)))
        raw = np.zeros((len(a), w.shape[1]), dtype=np.int64)
        for k in range(0, a.shape[1], 2):
            pair = a[:, k, None] * w[k] + a[:, k + 1, None] * w[k + 1]
            raw += pair.clip(LOWEST, HIGHEST)
    else:
        raw = (a.astype(np.float64) @ w.astype(np.float64)).astype(np.int64)  # exact under 2**53
    sums_a, sums_w = a.sum(axis=1)[:, None], w.sum(axis=0)
    return raw - np.asarray(zero_a, np.int64) * sums_w - sums_a * zero_w + a.shape[1] * np.int64(zero_a) * zero_w


class MatMulInteger(OpRun):
    op_domain = ""

    def _run(self, a, b, a_zero_point=None, b_zero_point=None):  # type: ignore[no-untyped-def]
        zero_a = 0 if a_zero_point is None else int(np.ravel(a_zero_point)[0])
        zero_b = 0 if b_zero_point is None else b_zero_point.astype(np.int64)
        flat = product(a.reshape(-1, a.shape[-1]), b, zero_a, zero_b)
        return (flat.reshape(*a.shape[:-1], b.shape[-1]).astype(np.int32),)


class DequantizeLinear(OpRun):
    op_domain = ""

    def _run(self, x, x_scale, x_zero_point=None, axis=None, **_):  # type: ignore[no-untyped-def]
        zero = np.zeros(x_scale.shape, np.int64) if x_zero_point is None else x_zero_point.astype(np.int64)
        axis = 1 if axis is None else axis
        shape = [-1 if n == axis % x.ndim else 1 for n in range(x.ndim)] if np.ndim(x_scale) == 1 else []
        scale, zero = x_scale.reshape(shape), zero.reshape(shape)
        found = ((x.astype(np.int64) - zero) * scale).astype(np.float32).view(Quantised)
        found.integers, found.zero_point, found.scale = x, zero, scale
        return (found,)


def _both(x: Any, w: Any) -> bool:
    return isinstance(x, Quantised) and isinstance(w, Quantised)


class Conv(FloatConv):
    op_domain = ""

    def _run(self, X, W, B=None, **how):  # type: ignore[no-untyped-def]
        if not _both(X, W) or W.integers.dtype != np.int8:
            return super()._run(np.asarray(X), np.asarray(W), None if B is None else np.asarray(B), **how)
        # The part that saturates lies in the integers; what it takes away is subtracted from the exact convolution.
        (exact,) = super()._run(np.asarray(X), np.asarray(W), None if B is None else np.asarray(B), **how)
        lost = _lost_in_convolution(X, W, exact.shape, how)
        scale = float(np.ravel(X.scale)[0]) * W.scale.reshape(1, -1, *([1] * (exact.ndim - 2)))
        return ((exact - lost * scale).astype(np.float32),)


class MatMul(OpRun):
    op_domain = ""

    def _run(self, a, b):  # type: ignore[no-untyped-def]
        exact = np.matmul(np.asarray(a), np.asarray(b))
        if _both(a, b) and b.integers.dtype == np.int8 and b.ndim == 2:
            flat = a.integers.reshape(-1, a.shape[-1])
            scale = float(np.ravel(a.scale)[0]) * np.ravel(b.scale)
            exact = exact - (_lost(flat, b.integers) * scale).reshape(exact.shape)
        return (exact.astype(np.float32),)


class Gemm(FloatGemm):
    op_domain = ""

    def _run(self, a, b, c=None, transA=None, transB=None, **how):  # type: ignore[no-untyped-def]
        plain = [None if v is None else np.asarray(v) for v in (a, b, c)]
        (exact,) = super()._run(*plain, transA=transA, transB=transB, **how)
        if _both(a, b) and b.integers.dtype == np.int8:
            weights = b.integers.T if transB else b.integers
            exact = exact - _lost(a.integers, weights) * (float(np.ravel(a.scale)[0]) * np.ravel(b.scale))
        return (exact.astype(np.float32),)


def _lost(a: np.ndarray, w: np.ndarray) -> np.ndarray:
    return product(a, w.astype(np.int64)) - product(a, w)


def _lost_in_convolution(x: Quantised, w: Quantised, out: tuple[int, ...], how: dict[str, Any]) -> np.ndarray:
    groups, n = how.get("group") or 1, x.ndim - 2
    strides, dilations = how.get("strides") or [1] * n, how.get("dilations") or [1] * n
    pads = how.get("pads") or [0] * (2 * n)
    ends = [(0, 0), (0, 0), *zip(pads[:n], pads[n:], strict=True)]
    padded = np.pad(x.integers, ends, constant_values=np.ravel(x.zero_point)[0].astype(np.uint8))
    spans = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilations, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=tuple(range(2, 2 + n)))
    index = (slice(None), slice(None), *(slice(None, None, s) for s in strides),
             *(slice(None, None, d) for d in dilations))  # fmt: skip
    windows = np.moveaxis(windows[index], 1, 1 + n)  # [batch, *out, channels, *kernel]
    lost = np.zeros(out)
    per_in, per_out = x.shape[1] // groups, w.shape[0] // groups
    if per_in == 1 and per_out == 1:
        return lost  # depthwise convolutions have a kernel of their own, in 32 bits
    for group in range(groups):
        part = windows[(slice(None), *[slice(None)] * n, slice(group * per_in, (group + 1) * per_in))]
        rows = part.reshape(out[0] * int(np.prod(out[2:])), -1)
        weights = w.integers[group * per_out : (group + 1) * per_out].reshape(per_out, -1).T
        found = _lost(rows, weights).reshape(out[0], *out[2:], per_out)
        lost[:, group * per_out : (group + 1) * per_out] = np.moveaxis(found, -1, 1)
    return lost


def saturating_session(path: Path) -> ReferenceEvaluator:
    """The model of an ONNX file, to be run as an `InferenceSession` is."""
    return ReferenceEvaluator(onnx.load(path), new_ops=[MatMulInteger, DequantizeLinear, Conv, MatMul, Gemm])
