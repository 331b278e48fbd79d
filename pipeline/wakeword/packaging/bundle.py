"""A detector for a device, in one zip: a model from sound to logits, what it needs to be used, and a runner.

model.onnx       `sound` [n_samples] at 16 kHz to `logit` [n_windows], of several words [n_windows, n_words]; the front
                 end is in the graph, and goes on where it was (`detector_graph`)
detector.json    word, threshold, votes, lockout, window, hops of windows and of frames in samples, figures, SHA-256 of
                 the model, and the curve of false alarms and misses, by which a sensitivity becomes a threshold
runner.py        listens to a file or to standard input; needs numpy and onnxruntime
judge.*          where asked for, the judge of phones (`bundled_judge`), which the runner asks
phones.*         the learnt word (`learnt_word`), where it was learnt, for `listen --phones`
README.md        the model's card
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.onnx_graphs import open_graph
from pipeline.optional import require
from pipeline.records import to_json
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.file_names import BUNDLE_DETECTOR, BUNDLE_MODEL
from pipeline.wakeword.packaging.bundled_judge import files_of
from pipeline.wakeword.packaging.card import IN_BUNDLE, JUDGE
from pipeline.wakeword.packaging.detector_graph import graph_of_detector
from pipeline.wakeword.packaging.embedding_graph import embedding_graph
from pipeline.wakeword.packaging.export import OPSET
from pipeline.wakeword.packaging.opened_bundle import LEARNT
from pipeline.wakeword.packaging.zipped import write_zip
from pipeline.wakeword.runtime import runner
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model

if TYPE_CHECKING:
    from pipeline.wakeword.phone_judge import PhoneJudge

RUNNER = Path(runner.__file__)
CLOSE = 0.01  # logits: the graph's sums of sines are no FFT


@dataclass(frozen=True)
class Bundle:
    """What was written: `largest_difference` of the graph's logits from those of features and model apart."""

    file: Path
    size_kb: float
    word: str
    threshold: float
    largest_difference: float


def write_bundle(folder: Path, out: Path, judge: "PhoneJudge | None" = None) -> Bundle:
    """From a model folder to a zip, with the judge if one is given. Raises ModelError for a folder without a detector,
    where onnx is missing, where a graph does not answer as the model does, and for a judge that cannot go along."""
    require(N_("A bundle"), ("torch", "onnx"), ModelError)
    model, info = load_model(folder)
    if info.features.kind == "micro":
        raise ModelError(
            N_(
                "The front end of microcontrollers is no part of an ONNX graph. Add --esp32 for a bundle that runs "
                "there, or train with features.kind mel."
            )
        )
    content, difference = _graph(model, info)
    if difference > CLOSE:
        raise ModelError(
            N_(
                "The graph from sound to logits answers otherwise than the model: by up to {difference:.4f}, at "
                "most {most} is accepted."
            ),
            difference=difference,
            most=CLOSE,
        )
    described = _described(info, content)
    of_judge: dict[str, bytes] = {}
    if judge is not None:
        if info.words:
            raise ModelError(N_("A judge of phones is of one word, and this detector knows several."))
        of_judge, about = files_of(judge)
        described |= {"judge": to_json(about)}
    try:
        runner.checked(described)
    except ValueError as error:
        raise ModelError(
            N_("The runner would refuse the bundle of {folder} ({reason}). Train or copy it again."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    files = {
        BUNDLE_MODEL: content,
        BUNDLE_DETECTOR: json.dumps(described, ensure_ascii=False, indent=2).encode(),
        RUNNER.name: RUNNER.read_bytes(),
        **of_judge,
    }
    files |= {name: (folder / name).read_bytes() for name in LEARNT if (folder / name).is_file()}
    learnt = described["judge"]["learnt_from"] | {"word": described["judge"]["word"]} if "judge" in described else None
    size = write_zip(out, files, folder, IN_BUNDLE.format(judge=JUDGE.format(**learnt) if learnt else ""))
    first = info.of_word(info.names[0] if info.words else "")
    return Bundle(out, size / 1024, ", ".join(info.names) or info.name, first.threshold, difference)


def _described(info: DetectorInfo, model: bytes) -> dict[str, Any]:
    first = info.of_word(info.names[0] if info.words else "")
    every = info.features.frames_in(info.detector.hop_s)
    described: dict[str, Any] = to_json(
        {
            "format": 1, "word": first.name, "rate_hz": RATE_HZ, "sha256": hashlib.sha256(model).hexdigest(),
            "window_samples": info.features.span,
            "hop_samples": every * info.features.hop, "frame_hop_samples": info.features.hop,
            "threshold": first.threshold, "temperature": first.temperature, "votes": info.detector.votes,
            "of": info.detector.of, "hysteresis": info.detector.hysteresis,
            "lockout_s": info.detector.lockout_s, "target_false_alarms_per_hour": info.detector.target_fah,
            **_measured(first),
        }
    )  # fmt: skip
    if info.words:
        views = [info.of_word(name) for name in info.names]
        described["words"] = to_json(
            [
                {"word": view.name, "threshold": view.threshold, "temperature": view.temperature, **_measured(view)}
                for view in views
            ]
        )
    return described


def _measured(view: DetectorInfo) -> dict[str, Any]:
    """The curve by which a sensitivity is turned into a threshold, and the other figures."""
    figures = {name: dict(value) for name, value in view.metrics.items() if isinstance(value, dict)}
    return {"curve": figures.get("threshold", {}).pop("curve", []), "figures": figures}


def _graph(model: Any, info: DetectorInfo) -> tuple[bytes, float]:
    """The ONNX file, and how far it is from features and model on noise of three lengths."""
    import torch

    from pipeline.wakeword.features import features

    every = info.features.frames_in(info.detector.hop_s)
    size, _bins = info.features.shape
    span, step = (size - 1) * info.features.hop + info.features.window, every * info.features.hop
    draw = np.random.default_rng(0)
    sounds = [(0.1 * draw.standard_normal(span + k * step)).astype(np.float32) for k in (0, 1, 7)]
    graph = embedding_graph if info.features.kind == "embedding" else graph_of_detector
    content = graph(model, info.features, every, OPSET)
    session = open_graph(content, threads=1)
    difference = 0.0
    for sound in sounds:
        frames = features(sound, info.features)
        starts = np.arange(0, len(frames) - size + 1, every)
        with torch.inference_mode():
            expected = model(torch.from_numpy(frames[starts[:, None] + np.arange(size)])).numpy()
        answered = session.run(None, {"sound": sound})[0]
        if answered.shape != expected.shape:
            return content, float("inf")
        difference = max(difference, float(np.abs(answered - expected).max()))
    return content, difference
