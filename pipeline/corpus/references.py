"""Reference recordings: how a word sounds when it is said well.

A set's own `references/` folder comes first, then the demo's. Below it, in any folder, every audio file is a reference
of the word it is named after: `references/araba.wav`, `references/voice_two/araba.flac`.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.corpus.sets import list_sets
from pipeline.settings import Settings

FOLDER = "references"
DEMO_LANGUAGE = "tr"


def find_references(settings: Settings, language: str) -> dict[str, tuple[Path, ...]]:
    """Files by word (see `word_key`), for words of `language`, those of this installation's own sets first."""
    found: dict[str, list[Path]] = {}
    for folder in _folders(settings, language):
        root = folder.resolve()
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in AUDIO_SUFFIXES and path.resolve().is_relative_to(root):
                found.setdefault(word_key(path.stem, language), []).append(path)
    return {word: tuple(paths) for word, paths in found.items()}


def find_reference(settings: Settings, text: str, language: str) -> Path | None:
    """The first reference recording of `text`, None where there is none."""
    paths = find_references(settings, language).get(word_key(text, language))
    return paths[0] if paths else None


def word_key(text: str, language: str) -> str:
    """What makes two spellings the same word: composed letters, lower case by the rules of Turkish for Turkish."""
    composed = unicodedata.normalize("NFC", text.strip())
    if language == "tr":
        composed = composed.replace("I", "ı").replace("İ", "i")
    return unicodedata.normalize("NFC", composed.casefold())


def _folders(settings: Settings, language: str) -> Iterator[Path]:
    for set_ in list_sets(settings):
        if set_.language == language and (set_.root / FOLDER).is_dir():
            yield set_.root / FOLDER
    if language == DEMO_LANGUAGE and (settings.demo_source / FOLDER).is_dir():
        yield settings.demo_source / FOLDER
