"""Evaluate a scorer against experts' scores."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.sets import in_part
from pipeline.errors import CorpusError
from pipeline.evaluation.pairing import experts_of, human_ceiling, pair_of, unparsed_answers
from pipeline.evaluation.reference import ExpertReference
from pipeline.evaluation.report import EvaluationReport, ScoredRecording, mdd_figures
from pipeline.evaluation.saved import save_evaluation
from pipeline.i18n import N_, NN_, Message, joined
from pipeline.jobs.shards import Shards
from pipeline.metrics.pronunciation import UtterancePair, pronunciation_metrics
from pipeline.metrics.regression import regression_metrics
from pipeline.parallel import Progress
from pipeline.records import ScoreResult, State
from pipeline.scoring.batch import Prediction, ScorerSpec, score_items, scorers_of, selection_of
from pipeline.scoring.feature_based.scorer import AcousticScorer
from pipeline.scoring.language_model import SpeechLlmScorer
from pipeline.scoring.selection import HEURISTIC, LANGUAGE_MODEL
from pipeline.settings import Settings
from pipeline.speechllm.answers import UNPARSED_SCORE

N_WORST = 10


@dataclass(frozen=True)
class Evaluation:
    """A report and what it was made from: every prediction, and the reference and prediction of the utterances
    (`items`) whose speaker the model was not trained on."""

    report: EvaluationReport
    predictions: tuple[Prediction, ...]
    items: tuple[CorpusItem, ...] = ()
    pairs: tuple[UtterancePair, ...] = ()


def evaluate(
    spec: ScorerSpec,
    reference: ExpertReference,
    *,
    source: str,
    part: str = "",
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    shards: Shards | None = None,
) -> Evaluation:
    """Score the reference's items, by `shards` where they are given, and compare. Raises CorpusError where there is
    nothing to compare with, or nothing that could be scored."""
    if not reference.items:
        raise CorpusError(
            N_("{source}: no recording has an expert's score{in_part}."), source=source, in_part=in_part(part)
        )
    started = time.perf_counter()
    learned = [scorer for scorer in scorers_of(spec, reference.items) if scorer.name != HEURISTIC]
    if len(learned) > 1:
        names = " and ".join(sorted(scorer.model_id for scorer in learned))
        raise CorpusError(
            N_("{source}: its languages have different models ({names}). Give each language its own manifest."),
            source=source,
            names=names,
        )
    predictions = list(
        score_items(spec, reference.items, detail=True, progress=progress, check_stop=check_stop, shards=shards)
    )
    if all(_counted(prediction) is None for prediction in predictions):
        raise CorpusError(
            NN_(
                "{source}: its only recording could not be scored: {first}",
                "{source}: none of {n} recordings could be scored. First problem: {first}",
            ),
            source=source,
            n=len(predictions),
            first=joined(predictions[0].warnings),
        )
    rows = list(zip(reference.items, reference.experts, predictions, strict=True))
    by_rule = [p.overall is not None and bool(learned) and p.scoring_method == "heuristic" for p in predictions]
    overall = [_counted(prediction) for prediction in predictions]
    scored = [
        ScoredRecording(item.recording_id, item.speaker, item.target.text, expert, value)
        for (item, expert, prediction), value, left_to_rule in zip(rows, overall, by_rule, strict=True)
        if value is not None and prediction.held_out and not left_to_rule
    ]
    failed = sum(value is None for value in overall)
    figures = regression_metrics(
        [row.expert for row in scored],
        [row.predicted for row in scored],
        speakers=[row.speaker for row in scored],
    )
    n_by_rule = sum(by_rule)
    n_not_held_out = len(rows) - failed - n_by_rule - len(scored)
    warnings = [*reference.warnings, *_notes(spec, reference)]
    if any(isinstance(scorer, AcousticScorer) and not scorer.model.held_out for scorer in learned):
        warnings.append("The model has no held_out.csv, so it is unknown whether it was trained on these voices.")
    if n_not_held_out:
        text = NN_(
            "{n} recording was left out: the model was trained on its speaker.",
            "{n} recordings were left out: the model was trained on their speakers.",
        )
        warnings.append(Message(text, n=n_not_held_out))
    if n_by_rule:
        text = NN_(
            "{n} recording was left out: the model cannot score it, the heuristic did.",
            "{n} recordings were left out: the model cannot score them, the heuristic did.",
        )
        warnings.append(Message(text, n=n_by_rule))
    items, pairs = _paired(reference, predictions, by_rule)
    levels = pronunciation_metrics(pairs)
    answers = _answers([p.detail for p in predictions if p.scorer == LANGUAGE_MODEL and p.detail is not None])
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
        unparsed=sum(task["unparsed"] for task in answers.values()) if answers else None,
        answers=answers,
        stand_in=any(isinstance(scorer, SpeechLlmScorer) and scorer.info.stand_in for scorer in learned),
        **{
            **vars(levels),
            "mdd": None if levels.mdd is None else mdd_figures(levels.mdd),
            "bands": None if levels.bands is None else replace(levels.bands, experts=experts_of(reference.corpus)),
        },
        states=dict(Counter(str(p.detail.state) for p in predictions if p.detail is not None)),
        human=human_ceiling(reference.corpus),
        real_time_factor=_real_time_factor(predictions),
        worst=tuple(sorted(scored, key=lambda row: -abs(row.predicted - row.expert))[:N_WORST]),
        milliseconds_median=float(np.median(timed)) if timed else None,
        seconds=round(time.perf_counter() - started, 2),
        warnings=tuple(warnings),
    )
    return Evaluation(report, tuple(predictions), tuple(items), tuple(pairs))


def _counted(prediction: Prediction) -> float | None:
    """The score (0-100) that figures are made of: an unreadable answer of a language model stands for a middling
    one."""
    is_unparsed = prediction.detail is not None and prediction.detail.state is State.UNPARSED
    return 10.0 * UNPARSED_SCORE if is_unparsed else prediction.overall


def _answers(results: Sequence[ScoreResult]) -> dict[str, dict[str, int]]:
    """Of a language model: by task, how many answers there were, and how many of them could not be read."""
    asked = [unparsed_answers(result) for result in results if result.state in (State.SCORED, State.UNPARSED)]
    return {
        task: {"n": len(asked), "unparsed": sum(answer[task] for answer in asked)} for task in ("apa", "mdd") if asked
    }


def _notes(spec: ScorerSpec, reference: ExpertReference) -> list[str]:
    """What there is to tell about the choice of scorer, and for how many recordings."""
    notes = Counter(note for item in reference.items for note in selection_of(spec, item.target).notes)
    return [f"{n} of {len(reference.items)} recordings: {note}" for note, n in notes.items()]


def _paired(
    reference: ExpertReference, predictions: Sequence[Prediction], by_rule: Sequence[bool]
) -> tuple[list[CorpusItem], list[UtterancePair]]:
    """The utterances that a model which had not heard the speaker could score, and the pair of each."""
    if not reference.corpus:
        return [], []
    pairs = [
        (item, prediction.detail)
        for item, prediction, left_to_rule in zip(reference.corpus, predictions, by_rule, strict=True)
        if prediction.detail is not None
        and _counted(prediction) is not None
        and prediction.held_out
        and not left_to_rule
    ]
    return [item for item, _ in pairs], [pair_of(item, detail) for item, detail in pairs]


def keep(settings: Settings, evaluation: Evaluation) -> Path | None:
    """Store the evaluation for the Results page; None where the reference has no utterances in detail."""
    if not evaluation.items:
        return None
    return save_evaluation(settings, evaluation.report, evaluation.items, evaluation.pairs)


def _real_time_factor(predictions: Sequence[Prediction]) -> float | None:
    scored = [p for p in predictions if p.detail is not None and p.detail.audio is not None and p.overall is not None]
    audio_s = sum(p.detail.audio.duration_s for p in scored if p.detail is not None and p.detail.audio is not None)
    return sum(p.milliseconds for p in scored) / 1000.0 / audio_s if audio_s else None
