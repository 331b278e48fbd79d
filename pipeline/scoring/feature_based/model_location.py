"""Where the model that scores lies: a deployed one before a released one."""

from pathlib import Path

from pipeline.records import RubricName
from pipeline.scoring.feature_based.model_files import INFO_FILE, is_model_folder, load_info
from pipeline.settings import Settings


def find_model(
    settings: Settings, rubric: RubricName, extractor: str | None = None, *, language: str | None = None
) -> Path | None:
    """The folder of the model for `rubric` (and `extractor` and `language`, if given): the deployed one, else the
    released one with the smallest error on unheard speakers. None where there is none.

    A model of no stated language (`und`) fits every language. An incomplete folder is skipped.
    """
    folders = [settings.deployed_root / rubric, *released_folders(settings)]
    for folder in folders:
        if is_model_folder(folder):
            info = load_info(folder)
            fits = language is None or info.language in (language, "und")
            if info.rubric == rubric and extractor in (None, info.extractor) and fits:
                return folder
    return None


def released_folders(settings: Settings) -> list[Path]:
    """Released models that can be used here, by their MAE on speakers they had not heard, the smallest first."""
    folders = [path.parent for path in settings.released_models.glob(f"*/{INFO_FILE}") if is_model_folder(path.parent)]
    infos = {folder: load_info(folder) for folder in folders}
    usable = [folder for folder in folders if infos[folder].extractor != "encoder" or settings.encoder_path is not None]
    return sorted(usable, key=lambda folder: (infos[folder].test.get("mae", float("inf")), folder.name))
