"""The word that a detector is of: what `speak` wrote into a folder, else what a person named."""

from pathlib import Path

from pipeline import artifacts
from pipeline.wakeword.config import WakewordConfig

ABOUT = "spoken.json"


def spoken_word(folder: Path) -> tuple[str, str]:
    """The word of a folder that `speak` writes, and its language; empty for any other folder."""
    try:
        about = artifacts.read_json(folder / ABOUT)
        return str(about["word"]), str(about["language"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def word_of(config: WakewordConfig) -> str:
    """What a detector of one word reports."""
    spoken = (spoken_word(Path(folder))[0] for folder in config.data.positive)
    return config.word or next(filter(None, spoken), "") or config.name
