"""Measure a scorer against experts, over a manifest or a set."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline import artifacts
from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.readers.manifest import read_manifest
from pipeline.corpus.sets import RecordingSet, audio_path, get_set, language_of, sets_at
from pipeline.errors import CorpusError
from pipeline.evaluation.pairing import human_ceiling, item_of_recording, judgement, target_of_item
from pipeline.evaluation.rejection import RejectionReport
from pipeline.evaluation.saved import RELEASED_FILE, save_evaluation
from pipeline.labels.index import Index
from pipeline.metrics.agreement import leave_one_out
from pipeline.metrics.mdd import MddMetrics, PhoneMatch
from pipeline.metrics.pronunciation import Correlation, Judgement, pronunciation_metrics
from pipeline.metrics.regression import regression_metrics
from pipeline.parallel import Progress
from pipeline.scoring.batch import Item, Prediction, ScorerSpec, score_items, scorers_of, selection_of
from pipeline.scoring.feature_based.scorer import AcousticScorer
from pipeline.scoring.selection import HEURISTIC
from pipeline.settings import Settings

N_WORST = 10


@dataclass(frozen=True)
class Judged:
    """One recording with both judgements, 0-100."""

    recording_id: str
    speaker: str
    text: str
    expert: float
    predicted: float


@dataclass(frozen=True)
class EvaluationReport:
    """`n` recordings were judged by both sides; `failed` could not be scored (left out of the figures, and counted);
    `n_not_held_out` were left out because the model had heard the speaker in training and no out-of-fold prediction
    exists, `n_by_rule` because a learned scorer left them to the heuristic. `human_ceiling` is one expert against the
    median of the others, averaged over the experts, on the overall score; `human` the same PCC for each aspect.
    `utterance` to `per_accuracy` are those of `metrics/pronunciation.py`; `real_time_factor` is seconds of scoring a
    second of audio."""

    scorer: str
    model_id: str
    source: str
    part: str
    reference: str
    n: int
    failed: int
    n_not_held_out: int
    n_by_rule: int
    mae: float | None
    rmse: float | None
    r2: float | None
    pcc: float | None
    spearman: float | None
    bias: float | None
    within_5: float | None
    within_10: float | None
    intervals: dict[str, tuple[float, float]]
    human_ceiling: dict[str, float] = field(default_factory=dict)
    utterance: dict[str, Correlation] = field(default_factory=dict)
    word: dict[str, Correlation] = field(default_factory=dict)
    phone: Correlation | None = None
    mdd: dict[str, float | int | None] | None = None
    phone_match: PhoneMatch | None = None
    per: float | None = None
    per_told: float | None = None
    wer: float | None = None
    per_accuracy: dict[str, float | None] = field(default_factory=dict)
    human: dict[str, float] = field(default_factory=dict)
    real_time_factor: float | None = None
    rejection: RejectionReport | None = None
    worst: tuple[Judged, ...] = ()
    milliseconds_median: float | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """What there is to judge against, before any scoring."""

    name: str
    items: tuple[Item, ...]
    experts: tuple[float, ...]
    ceiling: dict[str, float]
    corpus: tuple[CorpusItem, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """A report with what it was made from: every prediction, and both judgements of the utterances (`items`) that a
    model which had not heard the speaker could score."""

    report: EvaluationReport
    predictions: tuple[Prediction, ...]
    items: tuple[CorpusItem, ...] = ()
    judgements: tuple[Judgement, ...] = ()


def evaluate(
    spec: ScorerSpec,
    reference: Reference,
    *,
    source: str,
    part: str = "",
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> Measured:
    """Score the reference's items and compare. Raises CorpusError where there is nothing to compare with, or
    nothing that could be scored."""
    if not reference.items:
        raise CorpusError(f"{source}: no recording has an expert's score{f' in part {part!r}' if part else ''}.")
    started = time.perf_counter()
    learned = [scorer for scorer in scorers_of(spec, reference.items) if scorer.name != HEURISTIC]
    if len(learned) > 1:
        names = " and ".join(sorted(scorer.model_id for scorer in learned))
        raise CorpusError(
            f"{source}: its languages have different models ({names}). Give each language its own manifest."
        )
    predictions = list(score_items(spec, reference.items, detail=True, progress=progress, check_stop=check_stop))
    if all(prediction.overall is None for prediction in predictions):
        first = "; ".join(predictions[0].warnings)
        raise CorpusError(f"{source}: none of {len(predictions)} recordings could be scored. First problem: {first}")
    rows = list(zip(reference.items, reference.experts, predictions, strict=True))
    by_rule = [p.overall is not None and bool(learned) and p.scoring_method == "heuristic" for p in predictions]
    judged = [
        Judged(item.recording_id, item.speaker, item.target.text, expert, prediction.overall)
        for (item, expert, prediction), left_to_rule in zip(rows, by_rule, strict=True)
        if prediction.overall is not None and prediction.held_out and not left_to_rule
    ]
    failed = sum(prediction.overall is None for prediction in predictions)
    figures = regression_metrics(
        [row.expert for row in judged],
        [row.predicted for row in judged],
        speakers=[row.speaker for row in judged],
    )
    n_by_rule = sum(by_rule)
    n_not_held_out = len(rows) - failed - n_by_rule - len(judged)
    warnings = [*reference.warnings, *_notes(spec, reference)]
    if any(isinstance(scorer, AcousticScorer) and not scorer.model.held_out for scorer in learned):
        warnings.append("The model has no held_out.csv, so it is unknown whether it was trained on these voices.")
    if n_not_held_out:
        warnings.append(f"{n_not_held_out} recordings were left out: the model was trained on their speakers.")
    if n_by_rule:
        warnings.append(f"{n_by_rule} recordings were left out: the model cannot score them, the heuristic did.")
    items, judgements = _compared(reference, predictions, by_rule)
    levels = pronunciation_metrics(judgements)
    timed = [prediction.milliseconds for prediction in predictions if prediction.overall is not None]
    report = EvaluationReport(
        scorer=learned[0].name if learned else predictions[0].scorer,
        model_id=learned[0].model_id if learned else predictions[0].model_id,
        source=source,
        part=part,
        reference=reference.name,
        failed=failed,
        n_not_held_out=n_not_held_out,
        n_by_rule=n_by_rule,
        **vars(figures),
        human_ceiling=reference.ceiling,
        **{**vars(levels), "mdd": None if levels.mdd is None else mdd_figures(levels.mdd)},
        human=human_ceiling(reference.corpus),
        real_time_factor=_real_time_factor(predictions),
        worst=tuple(sorted(judged, key=lambda row: -abs(row.predicted - row.expert))[:N_WORST]),
        milliseconds_median=float(np.median(timed)) if timed else None,
        seconds=round(time.perf_counter() - started, 2),
        warnings=tuple(warnings),
    )
    return Measured(report, tuple(predictions), tuple(items), tuple(judgements))


def reference_of_manifest(
    path: Path, part: str = "", *, prefer_median: bool = False, settings: Settings | None = None
) -> Reference:
    """Every scored utterance of a manifest: the released score where there is one, else the experts' median, else the
    single score.

    With `prefer_median` the median comes first: released scores may lie on another level (those of speechocean762 are
    4 points of 100 under the medians). With `settings`, a manifest that was imported goes by its set's name, so that a
    model trained on that set is recognised. Raises CorpusError where the manifest is unusable, or mixes words and
    sentences, which no one scorer scores.
    """
    scan = read_manifest(path)
    set_ = _set_of(settings, path)
    name_of_set = path.parent.name if set_ is None else set_.name
    language = "und" if set_ is None else set_.language
    items = [
        replace(
            item,
            released={} if prefer_median and item.median else item.released,
            language=language if item.language == "und" else item.language,
        )
        for item in scan.items
    ]
    chosen = [item for item in items if part in ("", item.part) and item.reference is not None]
    if len({item.rubric for item in chosen}) > 1:
        raise CorpusError(f"{path} mixes words and sentences. Give each its own manifest.")
    # One kind of reference for all: figures against a mixture could not be compared with anybody's.
    kinds = {item.reference[0] for item in chosen if item.reference is not None}
    if len(kinds) == 1:
        name = kinds.pop()
    else:
        name = "median" if all("total" in item.median for item in chosen) else "mixed"
    values = [_value(item, name) for item in chosen]
    judged = tuple(
        Item(f"{name_of_set}/{item.key}", path.parent / item.audio, item.speaker, target_of_item(item))
        for item in chosen
    )  # fmt: skip
    warnings = (
        [f"{len(scan.problems)} lines could not be used. First: {scan.problems[0].message}"] if scan.problems else []
    )
    if name == "mixed":
        warnings.append("The manifest mixes kinds of reference scores; the figures mix them, too.")
    return Reference(name, judged, tuple(values), _ceiling(chosen), tuple(chosen), tuple(warnings))


def _notes(spec: ScorerSpec, reference: Reference) -> list[str]:
    """What there is to tell about the choice of scorer, and for how many recordings."""
    notes = Counter(note for item in reference.items for note in selection_of(spec, item.target).notes)
    return [f"{n} of {len(reference.items)} recordings: {note}" for note, n in notes.items()]


def _compared(
    reference: Reference, predictions: Sequence[Prediction], by_rule: Sequence[bool]
) -> tuple[list[CorpusItem], list[Judgement]]:
    """The utterances that a model which had not heard the speaker could score, and both judgements of each."""
    if not reference.corpus:
        return [], []
    pairs = [
        (item, prediction.detail)
        for item, prediction, left_to_rule in zip(reference.corpus, predictions, by_rule, strict=True)
        if prediction.detail is not None and prediction.overall is not None and prediction.held_out and not left_to_rule
    ]
    return [item for item, _ in pairs], [judgement(item, detail) for item, detail in pairs]


def keep(settings: Settings, measured: Measured) -> Path | None:
    """Store the evaluation for the Results page; None where the reference has no utterances in detail."""
    if not measured.items:
        return None
    return save_evaluation(settings, measured.report, measured.items, measured.judgements)


def write_to_card(model: Path, measured: Measured) -> None:
    """Put the figures into the card of a model folder, of whichever kind; a speech model also keeps them as JSON."""
    from pipeline.scoring.feature_based import card as acoustic_card
    from pipeline.scoring.speech.model_files import is_speech_folder
    from pipeline.scoring.speech.packaging import card as speech_card

    report = measured.report
    if not is_speech_folder(model):
        acoustic_card.write_evaluation(model, report)
        return
    groups = speech_card.by_group([item.extra for item in measured.items], measured.judgements)
    speech_card.write_evaluation(model, report, groups)
    artifacts.write_json(model / RELEASED_FILE, replace(report, worst=(), source=Path(report.source).parent.name))


def mdd_figures(found: MddMetrics) -> dict[str, float | int | None]:
    """Counts and the rates that follow from them."""
    rates = ("precision", "recall", "f1", "false_rejection_rate", "false_acceptance_rate", "diagnosis_error_rate")
    return {**{name: getattr(found, name) for name in rates}, **vars(found)}


def _real_time_factor(predictions: Sequence[Prediction]) -> float | None:
    scored = [p for p in predictions if p.detail is not None and p.detail.audio is not None and p.overall is not None]
    audio_s = sum(p.detail.audio.duration_s for p in scored if p.detail is not None and p.detail.audio is not None)
    return sum(p.milliseconds for p in scored) / 1000.0 / audio_s if audio_s else None


def _set_of(settings: Settings | None, manifest: Path) -> RecordingSet | None:
    sets = [] if settings is None else sets_at(settings, manifest.absolute().parent)
    return next((set_ for set_ in sets if set_.kind == "manifest"), None)


def reference_of_set(settings: Settings, set_name: str, part: str = "") -> Reference:
    """Every recording of a set with a consensus score, from the label files as they are now."""
    set_ = get_set(settings, set_name)
    index = Index(settings)
    index.refresh_set(set_name)
    scores = index.consensus_scores(set_name).set_index("recording_id")["score"].to_dict()
    recordings = [r for r in index.recordings(set_name) if r.id in scores and part in ("", r.part)]
    corpus = tuple(replace(item_of_recording(r), language=language_of(set_, r)) for r in recordings)
    items = tuple(
        Item(r.id, audio_path(set_, r), r.speaker, target_of_item(item))
        for r, item in zip(recordings, corpus, strict=True)
    )
    return Reference("consensus", items, tuple(float(scores[r.id]) for r in recordings), {}, corpus)


def _value(item: CorpusItem, name: str) -> float:
    if name == "median":
        return 10.0 * item.median["total"]
    found = item.reference
    if found is None:
        raise CorpusError(f"{item.key} has no reference score.")
    return found[1]


def _ceiling(items: Sequence[CorpusItem]) -> dict[str, float]:
    """The experts among themselves, on total x 10; empty unless every item has the same number of experts."""
    totals = [item.experts.get("total", []) for item in items]
    if not totals or len({len(row) for row in totals}) != 1 or len(totals[0]) < 2:
        return {}
    found = leave_one_out(10.0 * np.asarray(totals), speakers=[item.speaker for item in items])
    return {} if found is None else found.mean
