"""Answering: choose who answers a recording, score it, fall back, log the prediction, score in the shadow.

The dashboard answers in its own process; the HTTP service has `answer` and `answer_in_shadow` run in its scoring
processes and logs what comes back. Who may ask is decided by them, before.
"""

import threading
from dataclasses import dataclass

from pipeline.audio.load import Audio
from pipeline.deployment.logged_features import features_of
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.deployment.routing import Route, route, shadow
from pipeline.errors import ModelError
from pipeline.features.alignment import References
from pipeline.records import RubricName, ScoreResult, Seconds, Target
from pipeline.scoring.attempt import score_attempt
from pipeline.scoring.selection import Selection, load, select
from pipeline.scoring.sounds.judging import with_sounds
from pipeline.settings import Settings


@dataclass(frozen=True)
class Answer:
    """A result and what is logged with it: the recording's features (empty where it was refused or scored in the
    shadow), its length, and the side of the comparison that answered ("" outside one)."""

    result: ScoreResult
    features: tuple[float, ...]
    duration_s: Seconds
    arm: str = ""
    comparison: str = ""


def answer(settings: Settings, audio: Audio, target: Target, *, learner: str = "", scorer: str | None = None) -> Answer:
    """Score an attempt by whoever answers this learner (see `routing.route`).

    The deployed model answers, outside the comparison, where a compared model's files are gone by now.

    Args:
        learner: A name that keeps the learner on one side of a comparison; "" leaves it to chance.
        scorer: A scorer to ask by name, outside any comparison.

    Raises UnknownNameError, CorpusError or FeatureError for what cannot be asked, ModelError or OSError for a model
    that cannot be read.
    """
    chosen = route(settings, target, learner, scorer=scorer)
    try:
        return _answered(settings, audio, chosen)
    except (ModelError, OSError):
        if not chosen.comparison:
            raise
        return _answered(settings, audio, Route(select(settings, target)))


def answer_in_shadow(settings: Settings, audio: Audio, target: Target) -> Answer | None:
    """What the shadow model answers, shown to nobody; None where there is none. Raises as `answer`."""
    model = shadow(settings, target)
    if model is None:
        return None
    selection = select(settings, target, model=model)
    result = _scored(settings, audio, selection)
    return Answer(result, (), audio.duration_s)


def log_answer(
    log: PredictionLog, answered: Answer, *, participant: str = "", client: str = "", shadow_of: str = ""
) -> str:
    """Keep what was answered, never the sound; returns the prediction's id.

    Args:
        participant: The learner's name, as far as they agreed to its being kept.
        client: The caller of the HTTP service.
        shadow_of: The id of the prediction that was shown in place of this one.
    """
    return log.add(
        answered.result, participant=participant, client=client, features=answered.features or None,
        arm=answered.arm, comparison=answered.comparison, shadow_of=shadow_of,
    )  # fmt: skip


def start_shadow(settings: Settings, audio: Audio, target: Target, shown: str, participant: str = "") -> None:
    """Score in the shadow, and log it, in a thread of its own, as nobody waits for it."""
    if shadow(settings, target) is None:
        return

    def score() -> None:
        hidden = answer_in_shadow(settings, audio, target)
        if hidden is not None:
            log_answer(PredictionLog(settings), hidden, participant=participant, shadow_of=shown)

    threading.Thread(target=score, name="shadow", daemon=True).start()


def scored_with_sounds(settings: Settings, audio: Audio, selection: Selection) -> ScoreResult:
    """What a chosen scorer says of an attempt, and of a word's sounds; nothing is compared or logged."""
    return with_sounds(settings, audio, _scored(settings, audio, selection))


def _answered(settings: Settings, audio: Audio, chosen: Route) -> Answer:
    selection = chosen.selection
    result = _scored(settings, audio, selection)
    features = features_of(settings, audio, result)
    result = with_sounds(settings, audio, result)
    return Answer(result, features, audio.duration_s, chosen.arm, chosen.comparison)


def _scored(settings: Settings, audio: Audio, selection: Selection) -> ScoreResult:
    target = selection.target
    references = References(settings).of_language(target.language) if target.rubric is RubricName.WORD else None
    return selection.told(score_attempt(load(settings, selection), audio, target, references))
