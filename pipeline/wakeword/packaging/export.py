"""A trained detector for other runtimes: ONNX, TorchScript and INT8, each held against the model on real windows.

INT8 is static quantisation (see `pipeline.quantisation`), with activations over the ranges that real windows reach.
Weights that were trained with quantisation-aware steps go through the same export.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message
from pipeline.optional import require
from pipeline.quantisation import quantise_static
from pipeline.wakeword.file_names import EXPORT_REPORT, INT8, ONNX, TORCHSCRIPT
from pipeline.wakeword.runtime.detector import Classifier, Scores
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model

WINDOWS = "windows.npy"
OPSET = 17
CLOSE = 1e-3  # logits, of float exports
REPEATS = 200
Windows = NDArray[np.float32]


@dataclass(frozen=True)
class Exported:
    """One format: the largest and the mean difference of its logits from the model's over `n` real windows, the share
    of them on the same side of the threshold, and milliseconds a window on one core (median, 95th percentile)."""

    format: str
    file: str
    size_kb: float
    n: int
    largest_difference: float
    mean_difference: float
    same_side: float
    median_ms: float
    p95_ms: float


def export(folder: Path, target: Path) -> list[Exported]:
    """From a model folder to `target`. Raises ModelError for a folder without a detector, for a float export whose
    logits are not the model's, and without the package onnx, where TorchScript alone is written."""
    import torch

    model, info = load_model(folder)
    windows = read_windows(folder)
    target.mkdir(parents=True, exist_ok=True)
    example = torch.from_numpy(windows[:2])
    traced = _traced(model, example, target)
    user = Message(
        N_("{file} is written; {onnx} and {int8} are not: writing them"),
        file=str(target / TORCHSCRIPT), onnx=ONNX, int8=INT8,
    )  # fmt: skip
    require(user, ("onnx",), ModelError)
    with artifacts.replacing(target / ONNX) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (example,), str(temporary), input_names=["features"], output_names=["logit"], dynamo=False,
            dynamic_axes={"features": {0: "n"}, "logit": {0: "n"}}, opset_version=OPSET,
        )  # fmt: skip
    quantise_static(target / ONNX, target / INT8, ({"features": window[None]} for window in windows))
    with torch.inference_mode():
        truth = model(torch.from_numpy(windows)).numpy()
    classifiers: list[tuple[str, str, Classifier]] = [
        ("PyTorch", "", _torch_classifier(model)),
        ("ONNX", ONNX, onnx_classifier(target / ONNX)),
        ("TorchScript", TORCHSCRIPT, _torch_classifier(traced)),
        ("INT8", INT8, onnx_classifier(target / INT8)),
    ]
    reports = [
        _held_against(*classifier, truth, windows, _thresholds(info), target, folder) for classifier in classifiers
    ]
    for report in reports:
        if report.format != "INT8" and report.largest_difference > CLOSE:
            raise ModelError(
                N_(
                    "The {kind} export answers otherwise than the model: logits differ by up to {difference:.4f} on "
                    "{n} windows, at most {most} is accepted."
                ),
                kind=report.format,
                difference=report.largest_difference,
                n=report.n,
                most=CLOSE,
            )
    artifacts.write_json(target / EXPORT_REPORT, reports)
    return reports


def _traced(model: Any, example: Any, target: Path) -> Any:
    """The model as TorchScript, written to `target` as well."""
    import torch

    with artifacts.replacing(target / TORCHSCRIPT) as temporary, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced: Any = torch.jit.trace(model, example, check_trace=False)  # type: ignore[no-untyped-call]
        traced.save(str(temporary))
    return traced


def onnx_classifier(file: Path) -> Classifier:
    """An ONNX file as a function from windows to logits, on one core. Raises ModelError for what is none."""
    from pipeline.wakeword.runtime.runner import opened

    try:  # onnxruntime raises types of its own for damaged and missing files
        session = opened(file)
    except Exception as error:
        raise ModelError(
            N_("{file} is no ONNX model that can be run ({reason}). Export it again."),
            file=str(file),
            reason=said_by(error),
        ) from error
    name = session.get_inputs()[0].name

    def classifier(windows: Windows) -> Scores:
        if not len(windows):
            return np.zeros(0, dtype=np.float32)
        return np.asarray(session.run(None, {name: np.ascontiguousarray(windows, dtype=np.float32)})[0])

    return classifier


def save_windows(folder: Path, windows: Sequence[Windows]) -> None:
    """Real windows kept with the model, to calibrate and check exports on."""
    with artifacts.replacing(folder / WINDOWS) as temporary, temporary.open("wb") as file:
        np.save(file, np.concatenate(windows).astype(np.float16), allow_pickle=False)


def read_windows(folder: Path) -> Windows:
    """[n, frames, bins]. Raises ModelError where the model has none with it."""
    try:
        return np.asarray(np.load(folder / WINDOWS, allow_pickle=False), dtype=np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(
            N_("{file}, real windows to check an export on, cannot be read ({reason})."),
            file=str(folder / WINDOWS),
            reason=said_by(error),
        ) from error


def _thresholds(info: DetectorInfo) -> Any:
    """Of all words, [n_words]; of one, a number."""
    return np.array([word.threshold for word in info.words]) if info.words else info.threshold


def _torch_classifier(model: Callable[[Any], Any]) -> Classifier:
    import torch

    def classifier(windows: Windows) -> Scores:
        with torch.inference_mode():
            return np.asarray(model(torch.from_numpy(np.ascontiguousarray(windows))).numpy())

    return classifier


def _held_against(
    name: str,
    file: str,
    classifier: Classifier,
    truth: Scores,
    windows: Windows,
    threshold: Any,
    target: Path,
    folder: Path,
) -> Exported:
    difference = np.abs(classifier(windows) - truth)
    same = (classifier(windows) >= threshold) == (truth >= threshold)
    median_ms, p95_ms = latency_ms(classifier, windows)
    path = target / file if file else folder / "model.safetensors"
    return Exported(
        name, path.name, path.stat().st_size / 1024, len(windows), float(difference.max()), float(difference.mean()),
        float(same.mean()), median_ms, p95_ms,
    )  # fmt: skip


def latency_ms(classifier: Classifier, windows: Windows) -> tuple[float, float]:
    """Median and 95th percentile for a single window, on one core, after a warm-up."""
    from pipeline.wakeword.evaluation.evaluate import one_thread

    spent = []
    with one_thread():
        for number in range(REPEATS + 20):
            window = windows[number % len(windows)][None]
            begun = time.perf_counter()
            classifier(window)
            spent.append((time.perf_counter() - begun) * 1000.0)
    median, p95 = np.percentile(spent[20:], [50, 95])
    return float(median), float(p95)
