"""What a trained detector is worth, on clips and background it never saw: one long stream, and what follows.

The answers for clips (accuracy, ROC, calibration, ...) are those of the same stream: a keyword or a background file is
taken for the word when the highest voted logit within it reaches the threshold.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline.audio.voice import find_word
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.metrics.detection import (
    Bin,
    Counts,
    area,
    calibration_error,
    counts,
    equal_error_rate,
    reliability,
    roc,
    share_interval,
)
from pipeline.parallel import Progress
from pipeline.records import Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.clips import files_in
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.data.near_clips import phrases_in
from pipeline.wakeword.data.noise import read_noise
from pipeline.wakeword.evaluation.judged_stream import (
    Judge,
    JudgedResult,
    ask,
    highest_answer,
    measure_judged,
    sound_of,
)
from pipeline.wakeword.evaluation.stream_metrics import (
    TARGETS_FAH,
    OperatingPoint,
    StreamResult,
    StreamScores,
    highest,
    measure,
    operate,
    score_stream,
)
from pipeline.wakeword.evaluation.stream_synthesis import plan_stream
from pipeline.wakeword.features import FeatureConfig
from pipeline.wakeword.runtime.clip_votes import highest_vote
from pipeline.wakeword.runtime.detector import Classifier

CURVE_POINTS = 200
TARGET_FAH = 0.5
GAINS_DB = (-6.0, 6.0)
SHIFT_S: Seconds = 0.03
PIECES = (N_("beginning"), N_("end"), N_("halves exchanged"))


@dataclass(frozen=True)
class EvaluationTask:
    """What to evaluate on. `near` holds what sounds like the word (`phrases_in`). Figures of single clips are
    at the threshold for `target_fah` false alarms per hour. `phones` is the word that a judge of phones listens for."""

    positive: tuple[Path, ...]
    background: tuple[Path, ...]
    noise: tuple[str, ...] = ()
    near: Path | None = None
    hours: float = 2.0
    snr_db: float = 10.0
    seed: int = 0
    tta: bool = False
    target_fah: float = TARGET_FAH
    phones: str = ""


@dataclass(frozen=True)
class ClipResult:
    """Of single keywords and background files, at the threshold for the target."""

    counts: Counts
    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    fpr: float | None
    fnr: float | None
    roc_auc: float
    eer: float
    partial_auc_10: float
    partial_auc_05: float
    ece_before: float
    ece_after: float
    reliability_before: tuple[Bin, ...]
    reliability_after: tuple[Bin, ...]
    roc: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class NearResult:
    """How often something that only sounds like the word was taken for it; the interval is exact, 95 %."""

    phrase: str
    n: int
    accepted: int
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class JudgedEvaluation:
    """With a judge of phones: on the stream, and near phrases at the limit for the target."""

    stream: JudgedResult
    near: tuple[NearResult, ...]


@dataclass(frozen=True)
class Evaluation:
    """`as_set` is the operating point at the detector's own threshold; `stream_tta` is of test-time augmentation and
    `judged` with a judge of phones, where they were asked for."""

    stream: StreamResult
    as_set: OperatingPoint
    clips: ClipResult
    near: tuple[NearResult, ...]
    stream_tta: StreamResult | None
    snr_db: float
    seed: int
    judged: JudgedEvaluation | None = None

    @property
    def miss_at_fah(self) -> dict[str, float]:
        return {target: point.miss_rate for target, point in self.stream.at_fah.items()}


def evaluate(
    task: EvaluationTask,
    classifier: Classifier,
    features_config: FeatureConfig,
    detector: DetectorConfig,
    *,
    threshold: float,
    temperature: float = 1.0,
    judge: Judge | None = None,
    progress: Progress | None = None,
) -> tuple[Evaluation, StreamScores]:
    """`judge` is of the task's `phones`. Raises CorpusError for folders without audio, or too little of it."""
    positives, background = sides_of(task.positive, task.background)
    noise = read_noise(task.noise)
    phrases = phrases_in(task.near) if task.near else {}
    plan = plan_stream(positives, background, noise, task.hours, snr_db=task.snr_db, seed=task.seed)
    with one_thread():
        stream_scores = score_stream(plan, classifier, features_config, detector.hop_s, progress)
    targets = tuple(sorted({*TARGETS_FAH, task.target_fah}))
    stream = measure(stream_scores, detector, targets, plan.speech_hours, at_fah=task.target_fah)
    as_set = operate(stream_scores, detector, threshold)[0]
    at_target = stream.at_fah[str(float(task.target_fah))].threshold
    with_tta = None
    if task.tta:
        with one_thread():
            augmented = score_stream(
                plan, averaged(classifier, features_config), features_config, detector.hop_s, progress
            )
        with_tta = measure(augmented, detector, targets, plan.speech_hours, at_fah=task.target_fah)
    vote = partial(highest_vote, classifier=classifier, config=features_config, detector=detector)
    near = near_results(phrases, positives, lambda clip: vote(clip) >= at_target, progress)
    judged = None
    if judge is not None:
        questions = ask(stream_scores, detector, temperature, sound_of(plan), judge, progress)
        result = measure_judged(stream_scores, detector, questions, judge.limit, targets)
        limit = result.at_fah[str(float(task.target_fah))].threshold
        answer = partial(
            highest_answer, classifier=classifier, config=features_config, detector=detector, judge=judge,
            threshold=questions.threshold, temperature=temperature,
        )  # fmt: skip
        judged = JudgedEvaluation(
            result, near_results(phrases, positives, lambda clip: answer(clip) >= limit, progress)
        )
    clips = clip_result(stream_scores, detector, at_target, temperature)
    return Evaluation(stream, as_set, clips, near, with_tta, task.snr_db, task.seed, judged), stream_scores


def clip_result(
    stream_scores: StreamScores, detector: DetectorConfig, threshold: float, temperature: float
) -> ClipResult:
    scores, truth = highest(stream_scores, detector)
    counted, curve = counts(scores, truth, threshold), roc(scores, truth)
    before, after = (reliability(expit(scores / t), truth) for t in (1.0, temperature))
    some = np.unique(np.linspace(0, len(curve.fpr) - 1, CURVE_POINTS).astype(int))
    return ClipResult(
        counted, counted.accuracy, counted.precision, counted.recall, counted.f1, counted.fpr, counted.fnr, area(curve),
        equal_error_rate(curve), area(curve, 0.1), area(curve, 0.05), calibration_error(before),
        calibration_error(after), tuple(before), tuple(after),
        tuple((float(curve.fpr[i]), float(curve.tpr[i])) for i in some),
    )  # fmt: skip


def averaged(classifier: Classifier, config: FeatureConfig) -> Classifier:
    """Test-time augmentation: the mean logit of a window as it is, 6 dB louder and softer, and 30 ms earlier and later
    (the edge repeated)."""
    step = np.zeros(config.n_bins, dtype=np.float32)
    # A gain shifts every log energy; of cepstral coefficients, only the first, by sqrt(n_mels). Adaptive features and
    # the front end of microcontrollers control it away, and what it does to an embedding no sum says.
    if config.kind in ("mel", "dual"):
        step[: config.n_mels] = 1.0
    elif config.kind == "mfcc":
        step[0] = np.sqrt(config.n_mels)

    def averaged_classifier(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        variants = [windows, *(windows + step * np.float32(db / 10.0 * np.log(10.0)) for db in GAINS_DB)]
        for shift in (-config.frames_in(SHIFT_S), config.frames_in(SHIFT_S)):
            frames = np.clip(np.arange(windows.shape[1]) + shift, 0, windows.shape[1] - 1)
            variants.append(windows[:, frames])
        return np.asarray(np.mean([classifier(variant) for variant in variants], axis=0), dtype=np.float32)

    return averaged_classifier


def near_results(
    phrases: Mapping[str, Sequence[Path]],
    positives: Sequence[Path],
    accepts: Callable[[NDArray[np.float32]], bool],
    progress: Progress | None = None,
) -> tuple[NearResult, ...]:
    """Pieces of the words, and the clips of phrases near the word."""
    total = len(PIECES) * len(positives) + sum(map(len, phrases.values()))
    numbers = count(1)

    def accepted(clip: NDArray[np.float32]) -> bool:
        if progress is not None:
            progress(min(next(numbers), total), total, Message(N_("pieces and near phrases")))
        return accepts(clip)

    of_phrases = (
        _near(phrase, len(files), sum(accepted(load_clip(path)) for path in files)) for phrase, files in phrases.items()
    )
    return (*pieces(positives, accepted), *of_phrases)


def pieces(positives: Sequence[Path], accepts: Callable[[NDArray[np.float32]], bool]) -> list[NearResult]:
    """The beginning of each word (its first half), its end, and its halves exchanged: what must not set it off."""
    accepted = dict.fromkeys(PIECES, 0)
    for path in positives:
        sound = load_clip(path)
        start, end = find_word(sound)
        middle = (start + end) // 2
        first, second = sound[start:middle], sound[middle:end]
        for name, part in zip(PIECES, (first, second, np.concatenate([second, first])), strict=True):
            accepted[name] += accepts(part)
    return [_near(name, len(positives), n) for name, n in accepted.items()]


def files_of(folders: Sequence[Path]) -> list[Path]:
    """All audio under the folders, or the files themselves. Raises CorpusError where one has none."""
    return [file for folder in folders for file in files_in(folder)]


def sides_of(positive: Sequence[Path], background: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Clips of the word, and others. Raises CorpusError where one is on both sides: it would count as a word and as a
    false alarm."""
    words, others = files_of(positive), files_of(background)
    known = {path.resolve() for path in words}
    both = next((path for path in others if path.resolve() in known), None)
    if both is not None:
        raise CorpusError(
            N_("{path} is given as a clip of the word and as other speech. Name folders that share no clips."),
            path=str(both),
        )
    return words, others


@contextmanager
def one_thread() -> Iterator[None]:
    """Time is told for one core."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _near(phrase: str, n: int, accepted: int) -> NearResult:
    return NearResult(phrase, n, int(accepted), accepted / n, share_interval(int(accepted), n))
