"""Score many recordings, in processes, and keep the answers beside the set.

A recording that the model was trained on gets its stored out-of-fold prediction: what a model answers about its own
training data says nothing. Stored as `<predictions root>/<set>/<scorer>.jsonl`, one object a recording.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cattrs

from pipeline import artifacts, jsonl
from pipeline.audio.load import Audio, load_audio
from pipeline.corpus.sets import audio_path, check_name, get_set, read_recordings, target_of
from pipeline.errors import AudioError, CorpusError, said_by
from pipeline.jobs.launcher import launch
from pipeline.jobs.shards import Shards
from pipeline.parallel import Progress, map_ordered
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import RubricName, ScoreResult, Target, to_json
from pipeline.runs import ACTIVE, RunDirectory, scan_runs
from pipeline.scoring.base import Scorer, score_file
from pipeline.scoring.feature_based.config import BY_SPEAKER
from pipeline.scoring.selection import Selection, load, select, settle
from pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas

SCORING_JOB = "score-set"
# A scorer takes seconds to load, in every process again, and about 10 ms a word.
MIN_ITEMS_FOR_PROCESSES = 1000
BLOCK = 64  # recordings that a scorer which answers many at once gets together
COLUMNS = ("recording_id", "scorer", "model_id", "overall", "scoring_method", "confidence", "held_out", "warnings")


@dataclass(frozen=True)
class Prediction:
    """One scorer's answer on one recording. `overall` is None where it could not be scored; `held_out` says that the
    model had not heard the speaker in training. `detail` is the whole answer, where it was asked for."""

    recording_id: str
    scorer: str
    model_id: str
    overall: float | None
    scoring_method: str
    confidence: float | None = None
    held_out: bool = True
    milliseconds: float = 0.0
    warnings: tuple[str, ...] = ()
    detail: ScoreResult | None = None


@dataclass(frozen=True)
class Item:
    """What a worker needs to know of one recording."""

    recording_id: str
    path: Path
    speaker: str
    target: Target


@dataclass(frozen=True)
class ScorerSpec:
    """Which scorer is asked: by name, by model folder, or, with neither, whoever answers each target."""

    settings: Settings
    scorer: str | None = None
    model: Path | None = None


def score_items(
    spec: ScorerSpec,
    items: Sequence[Item],
    *,
    detail: bool = False,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    shards: Shards | None = None,
) -> Iterator[Prediction]:
    """A prediction for each item, in order; by the jobs of `shards` where they are given, else by processes of this
    machine. Raises ModelError or UnknownNameError before the first."""
    _choice.cache_clear()  # another model may have been deployed since
    for item in items[:1]:
        load(spec.settings, selection_of(spec, item.target))
    if shards is not None:
        models = sorted(scorer.model_id for scorer in scorers_of(spec, items))
        options = {"scorer": spec.scorer, "model": spec.model, "detail": detail, "models": models}
        work = [{**vars(item), "stamp": artifacts.stamp_of(item.path)} for item in items]
        answers = shards.map("score", to_json(options), to_json(work), progress=progress, check_stop=check_stop)
        yield from (cattrs.structure(answer, Prediction) for answer in answers)
        return
    ahead = [getattr(scorer, "answer_ahead", None) for scorer in scorers_of(spec, items)]
    if any(ahead):  # a model that is too large for a copy in every process, and answers many recordings at once
        yield from _scored_in_batches(spec, detail, items, ahead, progress, check_stop)
        return
    yield from map_ordered(
        partial(_score_one, spec, detail),
        items,
        progress=progress,
        check_stop=check_stop,
        min_items=MIN_ITEMS_FOR_PROCESSES,
    )


def _scored_in_batches(
    spec: ScorerSpec,
    detail: bool,
    items: Sequence[Item],
    ahead: Sequence[Callable[[list[Audio]], None] | None],
    progress: Progress | None,
    check_stop: Callable[[], None] | None,
) -> Iterator[Prediction]:
    """Recordings are answered block by block before they are scored one by one."""
    for start in range(0, len(items), BLOCK):
        if check_stop is not None:
            check_stop()
        block = items[start : start + BLOCK]
        recordings = []
        for item in block:
            with suppress(AudioError):  # told when it is scored
                recordings.append(load_audio(item.path))
        for answer_ahead in ahead:
            if answer_ahead is not None:
                answer_ahead(recordings)
        for number, item in enumerate(block, start=start + 1):
            yield _score_one(spec, detail, item)
            if progress is not None:
                progress(number, len(items), "")


def score_set(
    settings: Settings,
    set_name: str,
    scorer: str,
    *,
    model: Path | None = None,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    shards: Shards | None = None,
    by: Identity | None = None,
) -> list[Prediction]:
    """Score every recording of a set and keep the answers, replacing earlier ones of the same scorer; `model` is asked
    in place of the deployed one. Raises AccessError for who may not."""
    permit(settings, by, Action.SCORE_SETS)
    set_ = get_set(settings, set_name)
    recordings = read_recordings(settings, set_name)
    spec = ScorerSpec(settings, scorer, model)
    file = predictions_file(settings, set_name, scorer)
    artifacts.require_writable(file)
    items = [Item(r.id, audio_path(set_, r), r.speaker, target_of(set_, r)) for r in recordings]
    predictions = list(score_items(spec, items, progress=progress, check_stop=check_stop, shards=shards))
    jsonl.write(file, predictions)
    return predictions


def launch_scoring(
    settings: Settings, set_name: str, scorers: Sequence[str], by: Identity | None = None
) -> RunDirectory:
    """Start `pronlab score-set` in the background. Raises AccessError for who may not."""
    permit(settings, by, Action.SCORE_SETS)
    return launch(
        settings,
        kind=SCORING_JOB,
        name=f"{set_name}-{'-'.join(scorers)}",
        argv=["score-set", set_name, *(part for scorer in scorers for part in ("--scorer", scorer))],
        root=settings.jobs_root,
        config={"set": set_name, "scorers": list(scorers)},
        by=by,
    )


def active_scoring(settings: Settings, set_name: str) -> RunDirectory | None:
    """The background scoring of the set that is still going on, if any."""
    for job in scan_runs(settings.jobs_root).records:
        if job.state.kind == SCORING_JOB and job.state.status in ACTIVE and job.config.get("set") == set_name:
            return job.directory
    return None


def read_predictions(settings: Settings, set_name: str) -> "pandas.DataFrame":
    """All stored answers about a set, with COLUMNS; no rows where nothing was scored yet."""
    import pandas

    folder = settings.predictions_root / check_name(set_name)
    rows = [
        row
        for file in sorted(folder.glob("*.jsonl"))
        if not file.name.startswith(artifacts.TEMPORARY_PREFIX)
        for row in jsonl.read(file)
    ]
    return pandas.DataFrame(rows, columns=list(COLUMNS))


def predictions_file(settings: Settings, set_name: str, scorer: str) -> Path:
    return settings.predictions_root / check_name(set_name) / f"{check_name(scorer)}.jsonl"


def scoring_task(settings: Settings, options: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """The task "score" of `pipeline.jobs.shards`."""
    model = options["model"]
    spec = ScorerSpec(settings, options["scorer"], None if model is None else Path(model))
    return lambda item: to_json(_score_one(spec, options["detail"], cattrs.structure(item, Item)))


def selection_of(spec: ScorerSpec, target: Target) -> Selection:
    """Who answers this target. Raises ModelError or UnknownNameError."""
    settled, notes = settle(target)
    choice = _choice(spec, settled.rubric, settled.language)
    return replace(choice, target=settled, notes=(*notes, *choice.notes))


def scorers_of(spec: ScorerSpec, items: Sequence[Item]) -> list[Scorer]:
    """Every scorer that answers one of these items. Raises ModelError or UnknownNameError."""
    settled = [settle(item.target)[0] for item in items]
    choices = {_choice(spec, rubric, language) for rubric, language in {(t.rubric, t.language) for t in settled}}
    return list({(c.scorer, c.model): load(spec.settings, c) for c in choices}.values())


@lru_cache(maxsize=16)
def _choice(spec: ScorerSpec, rubric: RubricName, language: str) -> Selection:
    """Texts of one rubric and language are all answered by the same scorer."""
    return select(spec.settings, Target("", language, rubric), spec.scorer, spec.model)


def _score_one(spec: ScorerSpec, detail: bool, item: Item) -> Prediction:
    from pipeline.scoring.feature_based.model_files import text_digest
    from pipeline.scoring.feature_based.scorer import AcousticScorer
    from pipeline.scoring.language_model import SpeechLlmScorer
    from pipeline.scoring.speech.scorer import SpeechScorer

    selection = selection_of(spec, item.target)
    scorer = load(spec.settings, selection)
    base = Prediction(item.recording_id, scorer.name, scorer.model_id, None, "none")
    try:
        result = selection.told(score_file(scorer, item.path, selection.target))
    except (AudioError, CorpusError) as error:
        return replace(base, warnings=(said_by(error),))
    scored = replace(
        base,
        overall=result.overall,
        scoring_method=result.scoring_method,
        confidence=result.confidence,
        milliseconds=result.milliseconds,
        warnings=result.warnings,
        detail=result if detail else None,
    )
    if isinstance(scorer, SpeechScorer | SpeechLlmScorer):
        return replace(scored, held_out=not scorer.info.has_heard(_corpus_of(item), item.speaker))
    if not isinstance(scorer, AcousticScorer) or result.scoring_method != "ml_model":
        return scored
    model, digest = scorer.model, artifacts.sha256_of(item.path)
    stored = model.held_out.get((digest, text_digest(item.target.text)))
    if stored is not None:
        sure = None if result.confidence is None else model.confidence(stored)
        return replace(scored, overall=stored, confidence=sure, held_out=model.info.split == BY_SPEAKER)
    heard = model.has_heard(_corpus_of(item), item.speaker, digest)
    return replace(scored, held_out=not heard)


def _corpus_of(item: Item) -> str:
    return item.recording_id.split("/", 1)[0]
