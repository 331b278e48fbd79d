"""The learned scorer: features, model, confidence, and doubts said aloud."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.audio.load import Audio
from pipeline.errors import FeatureError, ModelError
from pipeline.features.catalogue import load_extractor
from pipeline.i18n import N_, Message
from pipeline.records import RatingSource, RubricName, ScoreResult, Target, band_of
from pipeline.regressors.scaler import Z_CLIP
from pipeline.scoring.base import LEARNED_FROM_SYNTHETIC, SCORERS
from pipeline.scoring.feature_based.model_files import Model, load_info, load_model
from pipeline.scoring.feature_based.model_location import find_model
from pipeline.scoring.heuristic.scorer import HeuristicScorer
from pipeline.settings import Settings

log = logging.getLogger(__name__)

# With more than this share of features beyond five standard deviations the recording is unlike the training data.
MAX_OUTLYING_SHARE = 0.1
BY_RULE = N_("Scored by rule: the model cannot score this text.")


class AcousticScorer:
    """A model over the features of one extractor."""

    def __init__(self, settings: Settings, name: str, folder: Path) -> None:
        self.name = name
        self.model: Model = load_model(folder)
        info = self.model.info
        self.model_id = info.model_id
        self._extractor = load_extractor(settings, info.extractor)
        self._heuristic = HeuristicScorer(settings)
        if tuple(self._extractor.feature_names) != info.feature_names:
            raise ModelError(
                N_(
                    "The model {model} was trained on other features than extractor {extractor!r} gives now; train "
                    "it again."
                ),
                model=info.model_id,
                extractor=info.extractor,
            )
        log.info(
            "Loaded %s from %s: %d features (%s), test MAE %s",
            info.model_id, folder, len(info.feature_names), info.extractor, info.test.get("mae"),
        )  # fmt: skip

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        info = self.model.info
        try:
            features = self._extractor.extract(audio, target)[None, :]
        except FeatureError as error:
            log.info("Scored by rule: %s", error)
            return self._by_rule(audio, target)
        overall = round(float(self.model.predict(features)[0]), 2)
        outlying = float((np.abs(self.model.scaler.z(features)) > Z_CLIP).mean())
        # Agreement with made-up or synthetic labels says nothing about an expert's.
        judged_by_people = not {RatingSource.MOCK, RatingSource.SYNTHETIC} & set(info.label_sources)
        confidence = self.model.confidence(overall) if judged_by_people else None
        warnings: list[str] = []
        if info.labels == "mock":
            warnings.append(Message(N_("The model was trained on mock labels: its scores are made up.")))
        if "synthetic" in info.label_sources:
            warnings.append(Message(LEARNED_FROM_SYNTHETIC))
        if target.language not in ("und", info.language) and info.language != "und":
            warnings.append(
                Message(
                    N_("The model was trained on another language ({trained}, not {language})."),
                    trained=info.language, language=target.language,
                )
            )  # fmt: skip
        if info.from_elsewhere:
            warnings.append(
                Message(N_("The model was trained elsewhere: its features may have been measured in another way."))
            )
        if info.extractor_version not in ("", self._extractor.version):
            warnings.append(
                Message(
                    N_("The model learned from features as version {old} measures them, not {new}: train it again."),
                    old=info.extractor_version, new=self._extractor.version,
                )
            )  # fmt: skip
        if not self._extractor.knows_words:
            warnings.append(Message(N_("This score does not depend on which word was said, only on how.")))
        if outlying > MAX_OUTLYING_SHARE:
            confidence = None
            warnings.append(
                Message(N_("The recording is unlike those that the model learned from: the score is a guess."))
            )
        return ScoreResult(
            overall=overall,
            band=band_of(overall).key,
            scoring_method="ml_model",
            scorer=self.name,
            model_id=self.model_id,
            target=target,
            confidence=None if confidence is None else round(confidence, 3),
            warnings=tuple(warnings),
        )

    def _by_rule(self, audio: Audio, target: Target) -> ScoreResult:
        """The heuristic's answer where the model cannot judge this text."""
        result = self._heuristic.score(audio, target)
        return replace(result, warnings=(Message(BY_RULE), *result.warnings))


def _factory(extractor: str | None, name: str) -> None:
    def make(settings: Settings, rubric: RubricName, model: Path | None) -> AcousticScorer:
        folder = model or find_model(settings, rubric, extractor)
        if folder is None:
            raise ModelError(
                N_(
                    "No model on {extractor} features is deployed for the {rubric} rubric. Train one (`pronlab "
                    "train word`) and deploy it (`pronlab deploy RUN`), or score with --scorer heuristic."
                ),
                extractor=extractor or Message(N_("any")),
                rubric=rubric,
            )
        return AcousticScorer(settings, extractor or load_info(folder).extractor, folder)

    SCORERS.register(name)(make)


for _extractor in ("acoustic57", "reference", "timing", "encoder"):
    _factory(_extractor, _extractor)
_factory(None, "model")
