"""Score single items with a table's model in use, logged like every other prediction."""

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.deployment.prediction_log import PredictionLog
from pipeline.records import RubricName, ScoreResult, Target, band_of
from pipeline.settings import Settings
from pipeline.tabular.model_files import TabularModel, in_use
from pipeline.tabular.prompts.features import feature_names, text_features
from pipeline.tabular.prompts.level0 import level0

PROMPTS = "prompts"
LOGGED = 200  # characters


@dataclass(frozen=True)
class PromptScore:
    """`score` by the model in use, else the rule's; `rule` is level 0's; `met` and `missing` are its rules."""

    score: float
    confidence: float | None
    model_id: str
    rule: float
    met: tuple[str, ...]
    missing: tuple[str, ...]
    prediction: str


def score_prompt(settings: Settings, text: str, author: str = "") -> PromptScore:
    """A model that needs features which are not here (another spaCy) gives way to the rule."""
    begun = time.perf_counter()
    rule = level0(text)
    # The log asks for a rubric; a prompt is text, and is told apart by its scorer.
    target = Target(text[:LOGGED], "und", RubricName.SENTENCE)
    result = ScoreResult(rule.score, band_of(rule.score).key, "heuristic", PROMPTS, "level-0", target)
    model = in_use(settings, PROMPTS)
    features = None
    if model is not None and model.info.feature_names == feature_names():
        features = text_features(text)
        result = _by_model(model, features, result)
    prediction = _logged(settings, result, features, begun, author)
    score = result.overall or 0.0
    return PromptScore(score, result.confidence, result.model_id, rule.score, rule.met, rule.missing, prediction)


def _by_model(model: TabularModel, features: NDArray[np.float32], result: ScoreResult) -> ScoreResult:
    score = float(model.predict(features[None])[0])
    return replace(
        result, overall=score, band=band_of(score).key, scoring_method="ml_model", model_id=model.info.model_id,
        confidence=model.confidence(score),
    )  # fmt: skip


def _logged(
    settings: Settings, result: ScoreResult, features: NDArray[np.float32] | None, begun: float, who: str = ""
) -> str:
    timed = replace(result, milliseconds=1000 * (time.perf_counter() - begun))
    given = None if features is None else features.tolist()
    return PredictionLog(settings).add(timed, participant=who, features=given)
