"""A streaming detector for a microcontroller: TensorFlow Lite of 8 bits, ESPHome's manifest, a C array.

    model.tflite    [1, 3, 40] features of 8 bits to a probability [1, 1], every 30 ms; .5 is the detector's threshold
    manifest.json   ESPHome's (micro_wake_word, version 2)
    model.h, model.cc    the same model as an array
    detector.json   figures: of the conversion, size, working memory, time

Held against PyTorch step by step on a stream.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.jobs.requirements import ESP32
from pipeline.optional import require
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.evaluation.stream_metrics import StreamFrames, StreamScores, frames_of_stream, operate
from pipeline.wakeword.features import MICRO, RATE_HZ, Cmvn
from pipeline.wakeword.file_names import ESP32_MODEL
from pipeline.wakeword.models.streaming import FIRST_KERNEL, STEP
from pipeline.wakeword.packaging.card import FOR_ESP32
from pipeline.wakeword.packaging.export import read_windows
from pipeline.wakeword.packaging.tflite_graph import Grid, TfliteGraph
from pipeline.wakeword.packaging.zipped import write_zip
from pipeline.wakeword.runtime.detector import detections, voted
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model

if TYPE_CHECKING:
    from pipeline.wakeword.evaluation.stream_synthesis import StreamPlan
    from pipeline.wakeword.models.streaming import StreamingConv

MANIFEST, HEADER, SOURCE, ABOUT = "manifest.json", "model.h", "model.cc", "detector.json"
# ESPHome turns a feature f into the byte f * 25.6 * 256 / 666 - 128.
INPUT = Grid(666.0 / (25.6 * 256.0), -128)
CUTOFF = 0.5
# Logits above the threshold for a factor e of the odds, at least: a probability of 8 bits ends at odds of 255, and a
# stricter cut-off than the detector's must still tell words from what is like them.
LEAST_TEMPERATURE = 2.0
SAME_S = 0.1  # two detections are one
SMALLEST_ARENA, LARGEST_ARENA = 1024, 1 << 20
ARENA_STEP = 256
STANDARD_ERROR = 2
MACS_PER_S = 60e6  # of an ESP32-S3 with ESP-NN at 240 MHz; an estimate
MOST_DIFFERENT = 0.02  # of the steps, on the other side of the threshold


@dataclass(frozen=True)
class StreamComparison:
    """On one stream: words missed and false alarms of PyTorch and of the 8-bit model at the threshold, and the
    detections that both have within a tenth of a second."""

    hours: float
    n_words: int
    misses: int
    misses_8_bit: int
    false_alarms: int
    false_alarms_8_bit: int
    detections: int
    detections_8_bit: int
    detections_of_both: int


@dataclass(frozen=True)
class Esp32Bundle:
    """What was written. `same_side` is the share of `n_steps` in which the 8-bit model and PyTorch answer alike,
    `largest_difference` of their probabilities; `arena_kb` is measured with the interpreter of this machine, whose
    pointers are wider; `step_ms` estimates one step of 30 ms on an ESP32-S3."""

    file: Path
    word: str
    model_kb: float
    arena_kb: float
    n_steps: int
    same_side: float
    mean_difference: float
    largest_difference: float
    macs_per_step: int
    step_ms: float
    cutoff: float
    stream: StreamComparison | None


def write_esp32_bundle(
    folder: Path, out: Path, plan: "StreamPlan | None" = None, progress: Progress | None = None
) -> Esp32Bundle:
    """From a model folder to a zip; compared on a long stream, where there is a `plan` for one, else on the windows
    that are kept with the model. Raises ModelError for a detector that is no streaming one on the front end of
    microcontrollers, where packages are missing, and where the 8-bit model answers otherwise than PyTorch."""
    require(N_("A bundle for an ESP32"), ESP32, ModelError)
    model, info = load_model(folder)
    if info.words:
        raise ModelError(N_("A microcontroller takes a model for each word. Train one detector per word."))
    if info.model.name != "stream" or info.features.kind != "micro":
        raise ModelError(
            N_(
                "An ESP32 runs a streaming model on its own front end, this detector is {name} on {kind} features. "
                "Train one with `pronlab wakeword train --preset esp32`."
            ),
            name=info.model.name,
            kind=info.features.kind,
        )
    streaming: Any = model
    windows = read_windows(folder)
    content, macs = convert(streaming, info, windows)
    sound = None if plan is None else frames_of_stream(plan, info.features, progress)
    frames = windows.reshape(-1, windows.shape[2]) if sound is None else sound.frames
    answers = np.array(list(steps_of(content, frames)), dtype=np.float32)
    expected = reference(streaming, info, frames)
    first = len(answers) - len(expected)
    differences = np.abs(answers[first:] - expected)
    same_side = float(((answers[first:] >= CUTOFF) == (expected >= CUTOFF)).mean())
    if 1.0 - same_side > MOST_DIFFERENT:
        raise ModelError(
            N_(
                "The 8-bit model answers otherwise than PyTorch in {share:.1%} of {n} steps; at most {most:.0%} is "
                "accepted. Train with more quantisation-aware steps (train.qat_steps)."
            ),
            share=1.0 - same_side,
            n=len(expected),
            most=MOST_DIFFERENT,
        )
    arena = arena_bytes(content)
    made = Esp32Bundle(
        out, info.name, len(content) / 1024, arena / 1024, len(expected), same_side, float(differences.mean()),
        float(differences.max()), macs, macs / MACS_PER_S * 1000.0, CUTOFF,
        None if sound is None else _on_stream(sound, answers[first:], expected, info),
    )  # fmt: skip
    files = {
        ESP32_MODEL: content, MANIFEST: _json(_manifest(info, arena)), ABOUT: _json(_about(made, info, content)),
        **_c_array(content, info.name),
    }  # fmt: skip
    write_zip(out, files, folder, FOR_ESP32)
    return made


def convert(model: "StreamingConv", info: DetectorInfo, windows: NDArray[np.float32]) -> tuple[bytes, int]:
    """The TensorFlow Lite file, and its multiplications in one step. Batch normalisation, the normalisation of the
    features and the threshold are folded into the weights; the ranges of activations are those that `windows` reach."""
    layers = _folded(model, info)
    grids = _ranges(layers, windows[:, -model.n_frames :])
    graph, macs = TfliteGraph(), 0
    frames = graph.input((1, STEP, MICRO["n_mels"]), INPUT)  # type: ignore[arg-type]
    value = graph.reshaped(frames, (1, STEP, 1, frames.shape[2]))
    for (kind, weights, bias), grid in zip(layers, grids, strict=True):
        macs += weights.size
        if kind == "full":
            if weights.shape[1] > 1:
                value = graph.remembered(value, weights.shape[1])
            value = graph.convolved(value, weights, bias, grid, relu=True)
        elif kind == "each":
            value = graph.convolved_each(graph.remembered(value, weights.shape[1]), weights, grid)
        else:
            value = graph.connected(graph.reshaped(value, (1, weights.shape[1])), weights, bias, grid)
    graph.probability(value)
    return graph.finished(f"{info.name}, trained with Pronlab"), macs


def steps_of(content: bytes, frames: NDArray[np.float32]) -> Iterator[float]:
    """What the interpreter for microcontrollers answers: a probability for each three frames, from its start."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(content, arena_size=LARGEST_ARENA)
    for start in range(0, len(frames) - STEP + 1, STEP):
        interpreter.set_input(INPUT.quantised(frames[None, start : start + STEP]), 0)
        interpreter.invoke()
        yield float(interpreter.get_output(0)[0, 0]) / 256.0


def _temperature(info: DetectorInfo) -> float:
    return max(info.temperature, LEAST_TEMPERATURE)


def reference(model: "StreamingConv", info: DetectorInfo, frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same of PyTorch, from the first step on that sees a whole window."""
    import torch

    first = -(-model.n_frames // STEP) * STEP
    ends = np.arange(first, len(frames) // STEP * STEP + 1, STEP)
    starts = ends - model.n_frames
    parts = []
    with torch.inference_mode():
        for i in range(0, len(starts), 512):
            some = torch.from_numpy(frames[starts[i : i + 512, None] + np.arange(model.n_frames)])
            parts.append(model(some).numpy())
    logits = np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
    return np.asarray(1.0 / (1.0 + np.exp(-(logits - info.threshold) / _temperature(info))), dtype=np.float32)


def arena_bytes(content: bytes) -> int:
    """The smallest working memory in which the interpreter for microcontrollers runs a step."""
    from tflite_micro.python.tflite_micro import runtime

    def runs(size: int) -> bool:
        try:
            runtime.Interpreter.from_bytes(content, arena_size=size).invoke()
        except RuntimeError:
            return False
        return True

    low, high = SMALLEST_ARENA // ARENA_STEP, LARGEST_ARENA // ARENA_STEP
    with _silent():
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if runs(middle * ARENA_STEP) else (middle + 1, high)
    return low * ARENA_STEP


@contextmanager
def _silent() -> Iterator[None]:
    """The interpreter writes about each memory that is too small, past Python."""
    kept, nowhere = os.dup(STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)
        os.close(nowhere)


def stream_of_steps(sound: StreamFrames, scores: NDArray[np.float32], info: DetectorInfo) -> StreamScores:
    """The last probabilities [n] of a stream with the time that each step ends at."""
    last_frames = STEP * (len(sound.frames) // STEP - len(scores) + 1 + np.arange(len(scores))) - 1
    ends_s = (last_frames * info.features.hop + info.features.window) / RATE_HZ
    return StreamScores(scores, ends_s, sound.keywords, sound.background, sound.hours, 0.0)


def step_detector(info: DetectorInfo) -> DetectorConfig:
    """Hysteresis is in logits; a probability has none that means the same everywhere."""
    return replace(info.detector, hop_s=STEP * MICRO["hop_s"], hysteresis=0.0)


def _on_stream(
    sound: StreamFrames, answers: NDArray[np.float32], expected: NDArray[np.float32], info: DetectorInfo
) -> StreamComparison:
    detector = step_detector(info)
    points, times = [], []
    for scores in (expected, answers):
        stream = stream_of_steps(sound, scores, info)
        points.append(operate(stream, detector, CUTOFF)[0])
        times.append(stream.ends_s[detections(voted(scores, detector), CUTOFF, detector)])
    both = sum(bool(np.any(np.abs(times[1] - at_s) <= SAME_S)) for at_s in times[0])
    return StreamComparison(
        sound.hours, len(sound.keywords), points[0].misses, points[1].misses, points[0].false_alarms,
        points[1].false_alarms, len(times[0]), len(times[1]), both,
    )  # fmt: skip


Layer = tuple[str, NDArray[np.float64], NDArray[np.float64]]
"""full (weights [n_out, length, n_in]), each ([channels, length]) or head ([1, n_in]), and a bias."""


def _folded(model: "StreamingConv", info: DetectorInfo) -> list[Layer]:
    weight, bias = _with_norm(model.first[0], model.first[1])
    cmvn = Cmvn(model.mean.numpy(), model.std.numpy())
    # Over normalised frames w (x - mean) / std + b: no frame is padding, so the shift is the same everywhere.
    bias = bias - (weight * (cmvn.mean / cmvn.std)).sum(axis=(1, 2))
    layers: list[Layer] = [("full", weight / cmvn.std, bias)]
    for block in model.blocks:
        over_time: Any = block.over_time
        across: Any = block.across
        layers += [
            ("each", over_time.weight.detach().numpy()[:, 0].astype(np.float64), np.zeros(len(over_time.weight))),
            ("full", *_with_norm(across[0], across[1])),
        ]
    last = model.over_time.weight.detach().numpy()[:, 0].astype(np.float64)
    head = model.head.weight.detach().numpy().astype(np.float64) / _temperature(info)
    shift = (model.head.bias.detach().numpy().astype(np.float64) - info.threshold) / _temperature(info)
    return [*layers, ("each", last, np.zeros(len(last))), ("head", head, shift)]


def _with_norm(convolution: Any, norm: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [n_out, length, n_in] and bias of a convolution and the batch normalisation after it."""
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().double()
    weight = convolution.weight.detach().double() * scale[:, None, None]
    return weight.permute(0, 2, 1).numpy(), (norm.bias.detach().double() - norm.running_mean.double() * scale).numpy()


def _ranges(layers: list[Layer], windows: NDArray[np.float32]) -> list[Grid]:
    """Of each layer's answers, over windows of one receptive field."""
    import torch
    from torch.nn.functional import conv1d

    values = torch.from_numpy(INPUT.real(INPUT.quantised(windows))).double().transpose(1, 2)
    grids = []
    for number, (kind, weights, bias) in enumerate(layers):
        weight, offset = torch.from_numpy(weights), torch.from_numpy(bias)
        if kind == "full":
            values = conv1d(values, weight.permute(0, 2, 1), offset, stride=STEP if number == 0 else 1).clamp(min=0.0)
        elif kind == "each":
            values = conv1d(values, weight[:, None], groups=len(weight))
        else:
            values = values[:, :, 0] @ weight.T + offset
        grids.append(Grid.over(float(values.min()), float(values.max())))
    return grids


def _manifest(info: DetectorInfo, arena: int) -> dict[str, Any]:
    return {
        "type": "micro", "wake_word": info.name, "author": "", "website": "", "model": ESP32_MODEL,
        "trained_languages": [],
        "version": 2,
        "micro": {
            "probability_cutoff": CUTOFF, "feature_step_size": round(MICRO["hop_s"] * 1000), "sliding_window_size": 1,
            "tensor_arena_size": arena, "minimum_esphome_version": "2024.7.0",
        },
    }  # fmt: skip


def _about(made: Esp32Bundle, info: DetectorInfo, content: bytes) -> dict[str, Any]:
    figures = {key: value for key, value in to_json(made).items() if key not in ("file", "word")}
    return {
        "format": 1, "word": info.name, "sha256": hashlib.sha256(content).hexdigest(), "front_end": "micro",
        "frames_per_step": STEP, "first_frames": FIRST_KERNEL, "cutoff": CUTOFF, "threshold_logit": info.threshold,
        "temperature": _temperature(info), "input": to_json(INPUT), "conversion": figures, "figures": info.metrics,
    }  # fmt: skip


def _c_array(content: bytes, word: str) -> dict[str, bytes]:
    plain = re.sub("[^a-z0-9]+", "_", word.lower()).strip("_") or "wake_word"
    name = f"word_{plain}_model" if plain[0].isdigit() else f"{plain}_model"  # C takes no digit first
    lines = [
        "  " + " ".join(f"0x{byte:02x}," for byte in content[start : start + 16])
        for start in range(0, len(content), 16)
    ]
    header = (
        f"#pragma once\n\n#include <cstddef>\n#include <cstdint>\n\n"
        f"extern const uint8_t {name}[];\nextern const size_t {name}_size;\n"
    )
    source = (
        f'#include "{HEADER}"\n\nalignas(16) const uint8_t {name}[] = {{\n' + "\n".join(lines) + "\n};\n"
        f"const size_t {name}_size = sizeof({name});\n"
    )
    return {HEADER: header.encode(), SOURCE: source.encode()}


def _json(value: Any) -> bytes:
    return json.dumps(to_json(value), ensure_ascii=False, indent=2).encode()
