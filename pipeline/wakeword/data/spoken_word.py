"""The word that a detector is of: what `speak` wrote into a folder, else what a person named."""

from collections.abc import Iterable
from pathlib import Path

from pipeline import artifacts
from pipeline.text.languages import UNDETERMINED
from pipeline.text.signs import is_of_word, lower, unified
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.data.clips import ABOUT, Clip


def spoken_word(folder: Path) -> tuple[str, str]:
    """The word of a folder that `speak` writes, and its language; empty for any other folder."""
    try:
        about = artifacts.read_json(folder / ABOUT)
        return str(about["word"]), str(about["language"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def spoken_words(root: Path, clips: Iterable[Clip]) -> list[tuple[str, str]]:
    """The words that the synthetic ones of clips of the word say, each with its language: `speak` puts a clip two
    folders below that of the word."""
    paths = (root / clip.path for clip in clips if clip.synthetic)
    return sorted({spoken_word(path.parents[2]) for path in paths if len(path.parents) > 2})


def same_letters(one: str, other: str) -> bool:
    """Whether two spellings are of one word: Li-on and lion."""
    return _letters(one) == _letters(other)


def _letters(word: str) -> str:
    return "".join(sign for sign in lower(unified(word), UNDETERMINED) if is_of_word(sign))


def word_of(config: WakewordConfig) -> str:
    """What a detector of one word reports."""
    spoken = (spoken_word(Path(folder))[0] for folder in config.data.positive)
    return config.word or next(filter(None, spoken), "") or config.name
