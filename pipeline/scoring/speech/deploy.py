"""Put a speech model into use: it takes the place of the released one."""

import shutil
from pathlib import Path

from pipeline.scoring.speech.model_files import FILES, FOLDER, SpeechInfo, load_info
from pipeline.scoring.speech.runtime import SpeechRuntime
from pipeline.settings import Settings


def deploy(settings: Settings, source: Path) -> SpeechInfo:
    """The model before is kept beside it, as `.speech-en.previous`. Raises ModelError for a folder whose model cannot
    be loaded."""
    info = SpeechRuntime(source).info
    target = settings.deployed_root / FOLDER
    incoming, previous = (target.with_name(f".{FOLDER}.{role}") for role in ("incoming", "previous"))
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, incoming / name)
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    incoming.rename(target)
    return info


def is_deployed(settings: Settings) -> bool:
    return (settings.deployed_root / FOLDER).exists()


def rollback(settings: Settings) -> SpeechInfo | None:
    """Back to the model before; None where the released one is in use from now on."""
    target = settings.deployed_root / FOLDER
    previous = target.with_name(f".{FOLDER}.previous")
    shutil.rmtree(target, ignore_errors=True)
    if not previous.exists():
        return None
    previous.rename(target)
    return load_info(target)
