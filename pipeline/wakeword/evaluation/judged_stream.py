"""A detector at a low threshold, and a judge of phones that confirms what it detects, on a long stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, Message
from pipeline.metrics.detection import poisson_interval, share_interval
from pipeline.parallel import Progress
from pipeline.records import Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.evaluation.stream_metrics import (
    GRACE_S,
    TARGETS_FAH,
    OperatingPoint,
    StreamScores,
    operate,
    outside_words,
)
from pipeline.wakeword.evaluation.stream_synthesis import StreamPlan
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.runtime.clip_votes import votes_of
from pipeline.wakeword.runtime.detector import Classifier, judged_lockout, voted
from pipeline.wakeword.runtime.runner import FIRST_FAH, JUDGED_S

Samples = NDArray[np.float32]
STEP = 0.1  # logits, in which the first threshold is lowered
EVERY = 2  # windows, while the vote is high: as `cascade.Cascade` asks
HEARD = round(JUDGED_S * RATE_HZ)
# Share of the windows without the word. At ever lower thresholds the false alarms of a weak detector run together and
# become fewer again, until it goes off once and its vote never falls.
MOST_HIGH = 0.1
MOST_LIMITS = 2000  # that are swept


class Judge(Protocol):
    """`PhoneJudge`, or what answers as it does."""

    @property
    def limit(self) -> float: ...

    def __call__(self, samples: Samples) -> float: ...


@dataclass(frozen=True)
class Questions:
    """What a detector at `threshold` asks a judge, if none is accepted: the windows asked about, each with the judge's
    score and the detector's log odds together."""

    threshold: float
    asked: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class JudgedResult:
    """`at_fah` holds, for each target, the limit with the fewest misses that keeps within it; `as_set` is at the
    judge's own limit. `first` is the detector alone at the threshold from which on it asks."""

    at_fah: dict[str, OperatingPoint]
    as_set: OperatingPoint
    first: OperatingPoint
    questions_per_hour: float


def sound_of(plan: StreamPlan) -> Callable[[Seconds], Samples]:
    """A function from a time to the JUDGED_S of the stream before it, made anew block by block: times must rise."""
    blocks: Iterator[Samples] = (block.samples for block in plan.blocks())
    kept = np.zeros(0, dtype=np.float32)
    begins = 0

    def before(end_s: Seconds) -> Samples:
        nonlocal kept, begins
        end = round(end_s * RATE_HZ)
        while begins + len(kept) < end:
            block = next(blocks, None)
            if block is None:
                break
            begins += max(0, len(kept) - HEARD)
            kept = np.concatenate([kept[-HEARD:], block])
        return kept[max(0, end - HEARD - begins) : end - begins]

    return before


def first_threshold(scores: StreamScores, config: DetectorConfig) -> float:
    """The lowest, in steps from the highest vote down, with at most FIRST_FAH false alarms per hour, and with a vote of
    at most MOST_HIGH of the windows that a judge would not hear the word in: a stream of few clips is full of words."""
    votes = voted(scores.scores, config)
    threshold, lowest = float(votes.max()), float(votes[np.isfinite(votes)].min())
    others = votes[outside_words(scores, JUDGED_S)]

    def is_too_low(lower: float) -> bool:
        n_high = int((others >= lower).sum())
        return n_high > MOST_HIGH * len(others) or operate(scores, config, lower)[0].fah > FIRST_FAH

    while threshold > lowest and not is_too_low(threshold - STEP):
        threshold -= STEP
    return threshold


def ask(
    scores: StreamScores,
    config: DetectorConfig,
    temperature: float,
    sound_before: Callable[[Seconds], Samples],
    judge: Callable[[Samples], float],
    progress: Progress | None = None,
) -> Questions:
    """At the threshold for FIRST_FAH false alarms per hour. `temperature` makes log odds of logits."""
    votes = voted(scores.scores, config)
    threshold = first_threshold(scores, config)
    asked: list[tuple[int, float]] = []
    high = np.flatnonzero(votes >= threshold)
    for number, index in enumerate(map(int, high)):
        if progress is not None:
            progress(number + 1, len(high), Message(N_("asking the judge")))
        if not asked or index - asked[-1][0] >= EVERY:
            score = judge(sound_before(float(scores.ends_s[index]))) + float(votes[index]) / temperature
            asked.append((index, score))
    return Questions(threshold, tuple(asked))


def highest_answer(
    samples: Samples,
    classifier: Classifier,
    config: FeatureConfig,
    detector: DetectorConfig,
    judge: Callable[[Samples], float],
    threshold: float,
    temperature: float,
) -> float:
    """Of one clip, the judge's score and the detector's log odds together, of every second window whose vote reaches
    `threshold`; -inf where none does."""
    votes, ends, padded = votes_of(samples, classifier, config, detector)
    best, last = -np.inf, -EVERY
    for index in map(int, np.flatnonzero(votes >= threshold)):
        if index - last >= EVERY:
            last = index
            score = judge(padded[max(0, ends[index] - HEARD) : ends[index]])
            best = max(best, score + float(votes[index]) / temperature)
    return best


def judged_point(scores: StreamScores, config: DetectorConfig, questions: Questions, limit: float) -> OperatingPoint:
    """Where the judge accepts what reaches `limit`, and hears nothing any more of what it accepted before."""
    lockout = judged_lockout(config)
    found: list[int] = []
    for index, score in questions.asked:
        if score >= limit and (not found or index - found[-1] > lockout):
            found.append(index)
    times = scores.ends_s[found]
    taken = np.zeros(len(times), dtype=bool)
    misses = 0
    for word in scores.keywords:
        inside = np.flatnonzero((times >= word.start_s) & (times <= word.end_s + GRACE_S) & ~taken)
        taken[inside[:1]] = True
        misses += not len(inside)
    alarms, n = int((~taken).sum()), len(scores.keywords)
    return OperatingPoint(
        limit, alarms, alarms / scores.hours, poisson_interval(alarms, scores.hours), misses, misses / n,
        share_interval(misses, n),
    )  # fmt: skip


def measure_judged(
    scores: StreamScores,
    config: DetectorConfig,
    questions: Questions,
    limit: float,
    targets_fah: tuple[float, ...] = TARGETS_FAH,
) -> JudgedResult:
    """Sweep the limit over the scores that were reached."""
    reached = np.unique([score for _, score in questions.asked])
    swept = reached[np.unique(np.linspace(0, len(reached) - 1, MOST_LIMITS).astype(int))] if len(reached) else [limit]
    curve = [judged_point(scores, config, questions, float(np.nextafter(score, np.inf))) for score in swept]
    at_fah = {
        str(float(target)): min(
            (point for point in curve if point.fah <= target), key=lambda point: (point.misses, -point.threshold)
        )
        for target in targets_fah
    }
    return JudgedResult(
        at_fah, judged_point(scores, config, questions, limit), operate(scores, config, questions.threshold)[0],
        len(questions.asked) / scores.hours,
    )  # fmt: skip
