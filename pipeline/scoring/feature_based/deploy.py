"""Which model scores now: a deployed one before a released one, and the way back."""

from pathlib import Path

from pipeline.deployment.folders import put_in_place, take_back
from pipeline.errors import ModelError, UnknownNameError
from pipeline.records import RubricName
from pipeline.scoring.feature_based.model_files import (
    CARD_FILE,
    HELD_OUT_FILE,
    INFO_FILE,
    PTH_FILE,
    SCALER_FILE,
    WEIGHTS_FILE,
    ModelInfo,
    is_model_folder,
    load_info,
    load_model,
)
from pipeline.settings import Settings

FILES = (WEIGHTS_FILE, PTH_FILE, INFO_FILE, SCALER_FILE, HELD_OUT_FILE, CARD_FILE)


def find_model(settings: Settings, rubric: RubricName, extractor: str | None = None) -> Path | None:
    """The folder of the model for `rubric` (and `extractor`, if given): the deployed one, else the released one with
    the smallest error on unheard speakers. None where there is none; an incomplete folder is passed over."""
    folders = [settings.deployed_root / rubric, *released_folders(settings)]
    for folder in folders:
        if is_model_folder(folder):
            info = load_info(folder)
            if info.rubric == rubric and extractor in (None, info.extractor):
                return folder
    return None


def released_folders(settings: Settings) -> list[Path]:
    """Released models that can be used here, by their MAE on speakers they had not heard, the smallest first."""
    found = [path.parent for path in settings.released_models.glob(f"*/{INFO_FILE}") if is_model_folder(path.parent)]
    infos = {folder: load_info(folder) for folder in found}
    usable = [folder for folder in found if infos[folder].extractor != "encoder" or settings.encoder_path is not None]
    return sorted(usable, key=lambda folder: (infos[folder].test.get("mae", float("inf")), folder.name))


def deploy(settings: Settings, source: Path) -> ModelInfo:
    """Make the model in `source` the one in use for its rubric; the one before is kept for `rollback`.

    Raises ModelError for a folder without a complete, loadable model, or with one that cannot score here.
    """
    from pipeline.scoring.feature_based.scorer import AcousticScorer

    info = load_model(source).info
    try:
        AcousticScorer(settings, info.extractor, source)
    except UnknownNameError as error:
        raise ModelError(f"{info.model_id} cannot score here: {error}") from error
    put_in_place(source, FILES, settings.deployed_root / RubricName(info.rubric))
    return info


def rollback(settings: Settings, rubric: RubricName) -> ModelInfo | None:
    """Back to the model before; to the released one (None) where nothing was deployed before it.

    Raises ModelError where nothing is deployed.
    """
    target = settings.deployed_root / rubric
    if not target.exists():
        raise ModelError(f"Nothing is deployed for {rubric}: the released model, if any, is in use.")
    return load_info(target) if take_back(target) else None
