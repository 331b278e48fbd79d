"""How a detector does on a long stream: misses at a number of false alarms an hour, and how fast it is.

A detection counts if it falls in [start, end + .5 s] of a keyword, which is found at most once; every other one is a
false alarm. The threshold is swept over the scores that the background reached.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, Message
from pipeline.metrics.detection import equal_error_rate, poisson_interval, roc, share_interval
from pipeline.parallel import Progress
from pipeline.records import Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.evaluation.stream_synthesis import BLOCK_S, BackgroundClip, Keyword, StreamPlan
from pipeline.wakeword.features import RATE_HZ, FeatureConfig, FrameStream
from pipeline.wakeword.runtime.detector import Classifier, Scores, detections, voted

GRACE_S: Seconds = 0.5
TARGETS_FAH = (0.1, 0.5, 1.0)
BATCH = 512
CURVE_FAH = 20.0  # the sweep goes no further


@dataclass(frozen=True)
class StreamScores:
    """The scores of all windows of a stream: `scores[i]` is of the window that ends at `ends_s[i]`."""

    scores: Scores
    ends_s: NDArray[np.float64]
    keywords: tuple[Keyword, ...]
    background: tuple[BackgroundClip, ...]
    hours: float
    seconds_spent: Seconds


@dataclass(frozen=True)
class OperatingPoint:
    """One threshold: false alarms and misses, with 95 % intervals (exact Poisson and binomial)."""

    threshold: float
    false_alarms: int
    fah: float
    fah_interval: tuple[float, float]
    misses: int
    miss_rate: float
    miss_interval: tuple[float, float]


@dataclass(frozen=True)
class StreamResult:
    """`at_fah` holds, for each target, the operating point with the fewest misses that keeps within it; `curve` those
    of all thresholds swept. `latency_s` are the 50th, 95th and 99th percentile of the time from the end of the word to
    the detection, at the target asked for; `missed` the clips missed there and `alarms` when it went off falsely."""

    n_keywords: int
    hours: float
    speech_hours: float
    eer: float
    at_fah: dict[str, OperatingPoint]
    curve: tuple[OperatingPoint, ...]
    latency_s: tuple[float, float, float] | None
    real_time_factor: float
    missed: tuple[str, ...]
    alarms: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class StreamFrames:
    """The features of a whole stream, [frames, bins], and what is in it."""

    frames: NDArray[np.float32]
    keywords: tuple[Keyword, ...]
    background: tuple[BackgroundClip, ...]
    hours: float


def frames_of_stream(plan: StreamPlan, config: FeatureConfig, progress: Progress | None = None) -> StreamFrames:
    """For a model that takes frames step by step; an hour is 60 MB."""
    stream = FrameStream(config)
    parts: list[NDArray[np.float32]] = []
    keywords: list[Keyword] = []
    background: list[BackgroundClip] = []
    total, n_blocks = 0, round(plan.hours * 3600 / BLOCK_S)
    for number, block in enumerate(plan.blocks(), start=1):
        parts.append(stream.feed(block.samples))
        keywords += block.keywords
        background += block.background
        total += len(block.samples)
        if progress is not None:
            progress(min(number, n_blocks), max(1, n_blocks), Message(N_("listening")))
    return StreamFrames(np.concatenate(parts), tuple(keywords), tuple(background), total / RATE_HZ / 3600.0)


def score_stream(
    plan: StreamPlan, classifier: Classifier, config: FeatureConfig, hop_s: Seconds, progress: Progress | None = None
) -> StreamScores:
    """Every window of the stream; time is taken of features and model together, not of making the stream."""
    every = config.frames_in(hop_s)
    size = config.shape[0]
    rest = np.zeros((0, config.n_bins), dtype=np.float32)
    scores: list[Scores] = []
    keywords: list[Keyword] = []
    background: list[BackgroundClip] = []
    dropped = total = 0
    stream = FrameStream(config)
    ends: list[NDArray[np.float64]] = []
    spent = 0.0
    for number, block in enumerate(plan.blocks()):
        keywords += block.keywords
        background += block.background
        begun = time.perf_counter()
        frames = np.concatenate([rest, stream.feed(block.samples)])
        starts = np.arange(0, len(frames) - size + 1, every)
        block_scores = [
            classifier(frames[starts[i : i + BATCH, None] + np.arange(size)]) for i in range(0, len(starts), BATCH)
        ]
        spent += time.perf_counter() - begun
        scores += block_scores
        ends.append(((dropped + starts + size - 1) * config.hop + config.window) / RATE_HZ)
        gone = int(starts[-1]) + every
        rest, dropped = frames[gone:], dropped + gone
        total += len(block.samples)
        if progress is not None:
            progress(
                min(number + 1, round(plan.hours * 3600 / BLOCK_S)),
                round(plan.hours * 3600 / BLOCK_S),
                Message(N_("listening")),
            )
    return StreamScores(
        np.concatenate(scores),
        np.concatenate(ends),
        tuple(keywords),
        tuple(background),
        total / RATE_HZ / 3600.0,
        spent,
    )


def operate(
    stream_scores: StreamScores, config: DetectorConfig, threshold: float
) -> tuple[OperatingPoint, list[float | None], list[float]]:
    """The operating point at one threshold; for each keyword when it was found (None: missed), and the times of false
    alarms."""
    return _operate(stream_scores, voted(stream_scores.scores, config), config, threshold)


def measure(
    stream_scores: StreamScores,
    config: DetectorConfig,
    targets_fah: Sequence[float] = TARGETS_FAH,
    speech_hours: float = 0.0,
    at_fah: float | None = None,
) -> StreamResult:
    """Sweep the threshold. Latency, misses and alarms are those at `at_fah` false alarms per hour, one of the targets
    (default: the middle one). Raises ValueError for a stream without keywords or windows."""
    votes = voted(stream_scores.scores, config)
    curve = _sweep(stream_scores, votes, config)
    at = {str(float(target)): _best(curve, target) for target in targets_fah}
    asked = at[str(float(targets_fah[len(targets_fah) // 2] if at_fah is None else at_fah))]
    _, when, alarms = _operate(stream_scores, votes, config, asked.threshold)
    late = [t - word.end_s for t, word in zip(when, stream_scores.keywords, strict=True) if t is not None]
    eer = equal_error_rate(roc(*highest(stream_scores, config)))
    percentiles = np.percentile(late, [50, 95, 99]) if late else None
    return StreamResult(
        len(stream_scores.keywords), stream_scores.hours, speech_hours, eer, at, tuple(curve),
        None if percentiles is None else tuple(map(float, percentiles)),  # type: ignore[arg-type]
        stream_scores.seconds_spent / (stream_scores.hours * 3600.0),
        tuple(word.clip.name for t, word in zip(when, stream_scores.keywords, strict=True) if t is None),
        tuple((_clip_at(stream_scores, t), t) for t in alarms),
    )  # fmt: skip


def highest(stream_scores: StreamScores, config: DetectorConfig) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The highest voted logit within each keyword and each background file, and which are keywords."""
    votes = voted(stream_scores.scores, config)
    everything: list[Keyword | BackgroundClip] = [*stream_scores.keywords, *stream_scores.background]
    scores = [votes[_span(stream_scores, event)].max(initial=-1e9) for event in everything]
    return np.array(scores, dtype=np.float64), np.arange(len(scores)) < len(stream_scores.keywords)


def outside_words(stream_scores: StreamScores, grace_s: Seconds = GRACE_S) -> NDArray[np.bool_]:
    """Of each window, whether it ends neither within a keyword nor in the `grace_s` after one."""
    outside = np.ones(len(stream_scores.scores), dtype=bool)
    for word in stream_scores.keywords:
        outside[_span(stream_scores, word, grace_s)] = False
    return outside


def _sweep(stream_scores: StreamScores, votes: Scores, config: DetectorConfig) -> list[OperatingPoint]:
    """From the strictest threshold on: just above each score that the background reached, highest first."""
    peaks = np.sort(votes[outside_words(stream_scores)])[::-1]
    most = int(CURVE_FAH * stream_scores.hours) + 1
    curve: list[OperatingPoint] = []
    step = 0
    while step < len(peaks) and (not curve or curve[-1].false_alarms <= most):
        point = _operate(stream_scores, votes, config, float(np.nextafter(peaks[step], np.inf)))[0]
        if not curve or point.false_alarms != curve[-1].false_alarms or point.misses != curve[-1].misses:
            curve.append(point)
        # One false alarm has several windows above its neighbours': steps grow as they come to matter less.
        step += 1 + step // 20
    return curve


def _best(curve: Sequence[OperatingPoint], target_fah: float) -> OperatingPoint:
    within = [point for point in curve if point.fah <= target_fah] or [curve[0]]
    return min(within, key=lambda point: (point.misses, point.false_alarms, -point.threshold))


def _operate(
    stream_scores: StreamScores, votes: Scores, config: DetectorConfig, threshold: float
) -> tuple[OperatingPoint, list[float | None], list[float]]:
    times = stream_scores.ends_s[detections(votes, threshold, config)]
    when: list[float | None] = []
    matched = np.zeros(len(times), dtype=bool)
    for word in stream_scores.keywords:
        inside = np.flatnonzero((times >= word.start_s) & (times <= word.end_s + GRACE_S) & ~matched)
        when.append(float(times[inside[0]]) if len(inside) else None)
        matched[inside[:1]] = True
    alarms = [float(t) for t in times[~matched]]
    n, misses = len(stream_scores.keywords), sum(t is None for t in when)
    point = OperatingPoint(
        threshold, len(alarms), len(alarms) / stream_scores.hours, poisson_interval(len(alarms), stream_scores.hours),
        misses, misses / n, share_interval(misses, n),
    )  # fmt: skip
    return point, when, alarms


def _span(stream_scores: StreamScores, word: Keyword | BackgroundClip, grace_s: Seconds = GRACE_S) -> slice:
    return slice(
        int(np.searchsorted(stream_scores.ends_s, word.start_s)),
        int(np.searchsorted(stream_scores.ends_s, word.end_s + grace_s, side="right")),
    )


def _clip_at(stream_scores: StreamScores, t: Seconds) -> str:
    everything: list[Keyword | BackgroundClip] = [*stream_scores.background, *stream_scores.keywords]
    return next((event.clip.name for event in everything if event.start_s <= t <= event.end_s + GRACE_S), "noise")
