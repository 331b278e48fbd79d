"""Deploying a feature-based model, and rolling back to the one before."""

from pathlib import Path

from pipeline.errors import ModelError, UnknownNameError, said_by
from pipeline.i18n import N_
from pipeline.model_folders import put_in_place, take_back
from pipeline.records import RubricName
from pipeline.scoring.feature_based.model_files import (
    CARD_FILE,
    HELD_OUT_FILE,
    INFO_FILE,
    PTH_FILE,
    SCALER_FILE,
    WEIGHTS_FILE,
    load_info,
    load_model,
)
from pipeline.scoring.feature_based.model_info import ModelInfo
from pipeline.scoring.feature_based.scorer import AcousticScorer
from pipeline.settings import Settings

FILES = (WEIGHTS_FILE, PTH_FILE, INFO_FILE, SCALER_FILE, HELD_OUT_FILE, CARD_FILE)


def deploy(settings: Settings, source: Path) -> ModelInfo:
    """Deploy the model in `source` for its rubric; the previous one is kept for `rollback`.

    Raises ModelError for a folder without a complete, loadable model, or with one that cannot score here.
    """
    info = load_model(source).info
    try:
        AcousticScorer(settings, info.extractor, source)
    except UnknownNameError as error:
        raise ModelError(
            N_("{model} cannot score here: {reason}"), model=info.model_id, reason=said_by(error)
        ) from error
    put_in_place(source, FILES, settings.deployed_root / RubricName(info.rubric))
    return info


def rollback(settings: Settings, rubric: RubricName) -> ModelInfo | None:
    """Back to the model before; to the released one (None) where nothing was deployed before it.

    Raises ModelError where nothing is deployed.
    """
    target = settings.deployed_root / rubric
    if not target.exists():
        raise ModelError(N_("Nothing is deployed for {rubric}, so there is nothing to roll back."), rubric=rubric)
    return load_info(target) if take_back(target) else None
