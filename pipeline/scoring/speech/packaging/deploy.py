"""Put a speech model into use: it takes the place of the released one."""

from pathlib import Path

from pipeline.model_folders import put_in_place, take_back
from pipeline.scoring.speech.listening.runtime import SpeechRuntime
from pipeline.scoring.speech.model_files import FILES, FOLDER, SpeechInfo, is_speech_folder, load_info
from pipeline.settings import Settings


def deploy(settings: Settings, source: Path) -> SpeechInfo:
    """The model before is kept beside it, as `.speech-en.previous`. Raises ModelError for a folder whose model cannot
    be loaded."""
    info = SpeechRuntime(source).info
    put_in_place(source, FILES, settings.deployed_root / FOLDER)
    return info


def is_deployed(settings: Settings) -> bool:
    return (settings.deployed_root / FOLDER).exists()


def rollback(settings: Settings) -> SpeechInfo | None:
    """Deploy the previous model again; None if the released model, or a speech language model, scores from now on."""
    target = settings.deployed_root / FOLDER
    return load_info(target) if take_back(target) and is_speech_folder(target) else None
