"""A detector of random weights that goes off now and then in `sound`, for tests of bundles."""

from pathlib import Path

import numpy as np
import torch

from pipeline.wakeword.config import DetectorConfig, ModelConfig
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.models import make_model
from pipeline.wakeword.runtime.detector import AFTER_S, StreamingDetector
from pipeline.wakeword.runtime.inference import classifier_of
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model, save_model

RATE_HZ = 16_000
CURVE = [{"threshold": 4.0 - n, "fah": 0.1 * 10.0**n, "miss_rate": 0.1} for n in range(3)]
BASIS = {"source": "stream", "hours": 10.0, "n_words": 9, "false_alarms": 1, "fah": 0.1, "fah_interval": [0.0, 0.6]}


def save_random_detector(folder: Path, kind: str = "mel") -> Path:
    torch.manual_seed(0)
    config = ModelConfig()
    if kind in ("adaptive", "dual"):
        features = FeatureConfig(kind=kind, window_s=1.03, clip_s=1.6)
    else:
        features = FeatureConfig(kind=kind, clip_s=0.6)
    network = make_model(config, features, Cmvn.none(features.n_bins)).eval()
    info = DetectorInfo(
        "merhaba", features, config, DetectorConfig(lockout_s=0.5, hysteresis=0.0), 0.0, 1.5, 1,
        {"threshold": {**BASIS, "curve": CURVE}},
    )  # fmt: skip
    scores = [r.score for r in StreamingDetector(classifier_of(network), features, info.detector, 0.0).feed(sound())]
    save_model(folder, network, DetectorInfo(**{**vars(info), "threshold": float(np.quantile(scores, 0.6))}))
    (folder / "README.md").write_text("# merhaba\n\n## Use\nWindows.\n\n## Not for\nHarm.\n", encoding="utf-8")
    return folder


def sound() -> np.ndarray:
    draw = np.random.default_rng(1)
    loudness = np.repeat(draw.uniform(0.001, 0.3, 40), RATE_HZ // 5)
    return (loudness * draw.standard_normal(len(loudness))).clip(-1, 1).astype(np.float32)


def expected(folder: Path, samples: np.ndarray) -> list[tuple[float, float]]:
    """Of a recording, which ends in silence: when each detection is, and its score (0 to 1)."""
    network, info = load_model(folder)
    detector = StreamingDetector(classifier_of(network), info.features, info.detector, info.threshold)
    samples = np.pad(samples, (0, round(AFTER_S * RATE_HZ)))
    results = [result for start in range(0, len(samples), 7_000) for result in detector.feed(samples[start:][:7_000])]
    chance = 1.0 / (1.0 + np.exp(-np.array([result.vote for result in results if result.detected]) / info.temperature))
    return list(zip([result.end_s for result in results if result.detected], chance, strict=True))
