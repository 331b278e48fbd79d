"""Score single items with a table's model in use, logged like every other prediction."""

import time
from dataclasses import dataclass

from pipeline.monitoring.predictions import PredictionLog
from pipeline.records import RubricName, ScoreResult, Target, band_of
from pipeline.settings import Settings
from pipeline.tabular.model_files import in_use
from pipeline.tabular.prompts.features import feature_names, text_features
from pipeline.tabular.prompts.level0 import level0

TASK = "prompts"
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
    model = in_use(settings, TASK)
    score, confidence, model_id, features = rule.score, None, "level-0", None
    if model is not None and model.info.feature_names == feature_names():
        features = text_features(text)
        score = float(model.predict(features[None])[0])
        confidence, model_id = model.confidence(score), model.info.model_id
    milliseconds = 1000 * (time.perf_counter() - begun)
    # The log asks for a rubric; a prompt is text, and is told apart by its scorer.
    target = Target(text[:LOGGED], "und", RubricName.SENTENCE)
    result = ScoreResult(
        score, band_of(score).key, "heuristic" if features is None else "ml_model", TASK, model_id, target, confidence,
        milliseconds=milliseconds,
    )  # fmt: skip
    prediction = PredictionLog(settings).add(
        result, participant=author, features=None if features is None else features.tolist()
    )
    return PromptScore(score, confidence, model_id, rule.score, rule.met, rule.missing, prediction)
