"""Wake words: an epoch with features kept and made anew, a detector on one core, a window in each runtime."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.presets import build, merged
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.wakeword.config import WakewordConfig, load_preset
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.export import export, latency_ms, onnx_classifier, read_windows
from pipeline.wakeword.packaging.opened_bundle import open_bundle
from pipeline.wakeword.run import train_wakeword
from pipeline.wakeword.runtime.detector import StreamingDetector
from pipeline.wakeword.runtime.inference import classifier_of
from pipeline.wakeword.runtime.model_files import load_model
from pipeline.wakeword.training.material import make_trainer
from tests.bench import BenchResult
from tests.wakeword import in_browser
from tests.wakeword_sounds import write_clips

STEPS = 6
LIVE_BATCH = 64
SECONDS = 60


def run() -> list[BenchResult]:
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        return _measured(Path(folder))


def _measured(root: Path) -> list[BenchResult]:
    words, other, noise = write_clips(root / "clips", 24, 24)
    settings = Settings(root / "data", root / "models")
    given = {"name": "bench", "data.positive": [str(words)], "data.negative": [str(other)], "data.noise": [str(noise)]}
    short = {"train.steps": 20, "train.batch": LIVE_BATCH, "mining.rounds": 0, "augment.variants": 4}
    config = build(WakewordConfig, merged(load_preset("default"), given, short))
    live = build(WakewordConfig, merged(load_preset("default"), given, short, {"data.precompute": False}))
    kept_s, live_s = _step_s(settings, config), _step_s(settings, live)
    directory = RunDirectory.create(settings.runs_root, kind="wakeword", name="bench", config=config)
    train_wakeword(settings, config, directory)
    exports = root / "exports"
    export(directory.path / "model", exports)
    model, info = load_model(directory.path / "model")
    windows = read_windows(directory.path / "model")
    judges = {
        "torch": classifier_of(model), "ONNX": onnx_classifier(exports / "model.onnx"),
        "INT8": onnx_classifier(exports / "model.int8.onnx"),
    }  # fmt: skip
    results = [
        BenchResult("step with features made anew", live_s * 1000, "ms"),
        BenchResult(
            f"step of {LIVE_BATCH} windows, features kept", kept_s * 1000, "ms", ">= 2", "made anew", live_s / kept_s
        ),
    ]
    sound = (0.1 * np.random.default_rng(0).standard_normal(SECONDS * RATE_HZ)).astype(np.float32)
    for name, judge in judges.items():
        detector = StreamingDetector(judge, info.features, info.detector, info.threshold)
        bar = "< 0.05" if name == "torch" else "< 0.01"  # PyTorch runs on no device
        factor = _real_time_factor(detector.feed, sound, RATE_HZ // 10)
        results.append(BenchResult(f"detector by {name}, real-time factor", factor, "s/s", bar))
    write_bundle(directory.path / "model", root / "bundle.zip")
    for n, name, bar in ((RATE_HZ // 2, "half a second", "< 0.01"), (RATE_HZ // 10, "a tenth of a second", "< 0.02")):
        with open_bundle(root / "bundle.zip") as bundled:
            factor = _real_time_factor(bundled.feed, sound, n)
        results.append(BenchResult(f"bundle by runner.py, {name} at a time, real-time factor", factor, "s/s", bar))
    if shutil.which("node"):
        name = "bundle in the browser's runtime, a tenth of a second at a time, real-time factor"
        cpu_s = in_browser.listen(root / "bundle.zip", sound, root / "page")["cpuS"]
        results.append(BenchResult(name, cpu_s / SECONDS, "s/s", "< 0.1"))
    times = {name: latency_ms(judge, windows) for name, judge in judges.items()}
    for name, (median, p95) in times.items():
        ratio = None if name == "torch" else times["torch"][0] / median
        beside = "" if name == "torch" else "torch"
        results.append(BenchResult(f"a window by {name}, median", median, "ms", "", beside, ratio))
        results.append(BenchResult(f"a window by {name}, 95th percentile", p95, "ms"))
    return results


def _real_time_factor(feed: Callable[[NDArray[np.float32]], Any], sound: NDArray[np.float32], n: int) -> float:
    """Of one core's time, to hear `n` samples at a time."""
    begun = time.process_time()
    for start in range(0, len(sound), n):
        feed(sound[start : start + n])
    return (time.process_time() - begun) * RATE_HZ / len(sound)


def _step_s(settings: Settings, config: WakewordConfig) -> float:
    """Of a training step, after two to warm up."""
    directory = RunDirectory.create(settings.jobs_root, kind="bench", name="step", config=config)
    with directory.start() as writer:
        trainer = make_trainer(settings, config, writer).trainer
        for step in range(2):
            trainer.step(trainer.stages[0], step)
        begun = time.perf_counter()
        for step in range(STEPS):
            trainer.step(trainer.stages[0], step)
        return (time.perf_counter() - begun) / STEPS
