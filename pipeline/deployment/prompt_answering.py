"""Answering written prompts: choose who answers, score, log the prediction, score in the shadow.

The page and the command answer in their own process; the HTTP service has `answer_prompt` run in its scoring processes
and logs what comes back.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.deployment.answering import Answer, log_answer
from pipeline.deployment.model_registry import PROMPTS
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.deployment.routing import route_prompt, shadow_at
from pipeline.errors import ModelError
from pipeline.i18n import N_, Message
from pipeline.records import RubricName, ScoreResult, Target, band_of
from pipeline.regressors.confidence import confidence_at
from pipeline.settings import Settings
from pipeline.tabular.model_files import ENCODER, INFO, TabularInfo, load_info, load_model
from pipeline.tabular.prompts.analysis import PromptAnalysis, analyse
from pipeline.tabular.prompts.features import base_features, feature_names, text_features
from pipeline.tabular.prompts.level0 import level0
from pipeline.tabular.prompts.store import check_length

RULES = "level-0"  # the id under which the rules answer
LOGGED = 200  # characters
Predict = Callable[[str], tuple[float, NDArray[np.float32]]]  # a text's score 0-100 and its features


@dataclass(frozen=True)
class PromptScore:
    """The answer to a prompt, with the id of its prediction and the analysis by rules."""

    result: ScoreResult
    prediction: str
    analysis: PromptAnalysis


def score_prompt(settings: Settings, text: str, learner: str = "", participant: str = "") -> PromptScore:
    """Score a prompt by whoever answers this learner, log it, and have the shadow model score it too. Raises
    PromptError for one that is empty or too long."""
    check_length(text)
    answered = answer_prompt(settings, text, learner=learner)
    log = PredictionLog(settings)
    prediction = log_answer(log, answered, participant=participant)
    hidden = prompt_in_shadow(settings, text)
    if hidden is not None:
        log_answer(log, hidden, participant=participant, shadow_of=prediction)
    return PromptScore(answered.result, prediction, analyse(text))


def answer_prompt(settings: Settings, text: str, *, learner: str = "") -> Answer:
    """Score a prompt: by the side of the comparison that the learner is on, else by the deployed model, else by the
    rules, and by them, with a warning, where a model cannot be used here."""
    chosen = route_prompt(settings, learner)
    if chosen.folder is None:
        return Answer(_by_rules(text), (), 0.0, chosen.arm, chosen.comparison)
    try:
        answered = _by_model(chosen.folder, text)
    except ModelError as error:
        warning = Message(N_("The rules answered, as the model cannot be used here: {reason}"), reason=error.text)
        return Answer(_by_rules(text, warning), (), 0.0)
    return Answer(*answered, 0.0, chosen.arm, chosen.comparison)


def prompt_in_shadow(settings: Settings, text: str) -> Answer | None:
    """What the shadow model answers, shown to nobody; None where there is none, or it cannot be used."""
    folder = shadow_at(settings, PROMPTS)
    if folder is None:
        return None
    try:
        return Answer(*_by_model(folder, text), 0.0)
    except ModelError:
        return None


def _by_rules(text: str, *warnings: str) -> ScoreResult:
    begun = time.perf_counter()
    score = level0(text).score
    return _result(text, score, "heuristic", RULES, None, begun, warnings)


def _by_model(folder: Path, text: str) -> tuple[ScoreResult, tuple[float, ...]]:
    begun = time.perf_counter()
    info, predict = _loaded(folder, (folder / INFO).stat().st_mtime_ns)
    score, features = predict(text)
    confidence = confidence_at(score, info.confidence)
    return _result(text, score, "ml_model", info.model_id, confidence, begun, ()), tuple(features.tolist())


def _result(
    text: str,
    score: float,
    method: Literal["ml_model", "heuristic"],
    model_id: str,
    confidence: float | None,
    begun: float,
    warnings: tuple[str, ...],
) -> ScoreResult:
    # A result has a rubric; a prompt is text, and is told apart by its scorer.
    target = Target(text[:LOGGED], "und", RubricName.SENTENCE)
    return ScoreResult(
        score, band_of(score).key, method, PROMPTS, model_id, target, confidence=confidence, warnings=warnings,
        milliseconds=1000 * (time.perf_counter() - begun),
    )  # fmt: skip


@lru_cache(maxsize=4)
def _loaded(folder: Path, _changed: int) -> tuple[TabularInfo, Predict]:
    """Raises ModelError for a model that cannot be used here."""
    info = load_info(folder)
    if info.kind == ENCODER:
        from pipeline.tabular.prompt_encoder import load_encoder

        encode = load_encoder(folder)
        return info, lambda text: (float(encode([text])[0]), np.array(base_features(text), dtype=np.float32))
    if info.feature_names != feature_names():
        raise ModelError(
            N_(
                "{model} takes {n_expected} features, and {n_measured} are measured here: it was trained with "
                "another spaCy model. Set PRONLAB_SPACY_MODEL, or train it again."
            ),
            model=info.model_id,
            n_expected=len(info.feature_names),
            n_measured=len(feature_names()),
        )
    model = load_model(folder)

    def predict(text: str) -> tuple[float, NDArray[np.float32]]:
        features = text_features(text)
        return float(model.predict(features[None])[0]), features

    return info, predict
