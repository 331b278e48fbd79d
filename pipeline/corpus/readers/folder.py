"""Participant folders: `participant_*/kelimeler/NN_word.wav` (and flac, ogg, opus, mp3)."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.artifacts import TEMPORARY_PREFIX
from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.corpus.readers.items import CorpusItem, Scan
from pipeline.corpus.sets import RESULT_SUFFIX, confined
from pipeline.errors import CorpusError
from pipeline.records import Problem, RubricName
from pipeline.text import composed

PARTICIPANT_PREFIX = "participant_"
WORDS_FOLDER = "kelimeler"
_NUMBERED = re.compile(r"(?P<number>\d+)[_\-\s]+(?P<word>.*\S)\s*")


def is_participant_layout(root: Path) -> bool:
    return any((folder / WORDS_FOLDER).is_dir() for folder in _participants(root))


def scan_folder(root: Path, language: str = "tr") -> Scan:
    """Every word recording under `root`, which holds participants' folders. Raises CorpusError where there is none.

    A name without number still counts, with all of it as the word; what is no audio, or leaves the root through a
    link, is listed instead.
    """
    items: list[CorpusItem] = []
    problems: list[Problem] = []
    keys: set[str] = set()
    for participant in _participants(root):
        for file in _files(participant / WORDS_FOLDER):
            relative = file.relative_to(root).as_posix()
            if file.name.startswith((".", TEMPORARY_PREFIX)) or RESULT_SUFFIX in file.name:
                continue
            problem = _unusable(file, root, relative)
            key = composed(str(Path(relative).with_suffix("")))
            if problem is None and key in keys:
                message = f"{relative}: another recording has the same name; labels would fall together. Rename one."
                problem = Problem("duplicate", message, "error", relative)
            if problem is not None:
                problems.append(problem)
                continue
            keys.add(key)
            stem = composed(file.stem)
            match = _NUMBERED.fullmatch(stem)
            if match is None:
                message = f"{relative}: expected a name like 01_araba.wav; the whole name is used as the word."
                problems.append(Problem("odd_name", message, "warning", relative))
            items.append(
                CorpusItem(
                    key=key,
                    audio=relative,
                    text=match["word"] if match else stem,
                    speaker=composed(participant.name),
                    rubric=RubricName.WORD,
                    language=language,
                )
            )
    if not items:
        raise CorpusError(
            f"{root} has no recordings. Expected {PARTICIPANT_PREFIX}*/{WORDS_FOLDER}/01_word.wav (or flac, ogg, opus, "
            f"mp3) below it, or a manifest file (*.jsonl)."
        )
    return Scan(tuple(items), tuple(problems))


def _participants(root: Path) -> list[Path]:
    """Not through links: a second name for the same voice would put it on both sides of a split."""
    return sorted(path for path in root.glob(f"{PARTICIPANT_PREFIX}*") if path.is_dir() and not path.is_symlink())


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from sorted(Path(entry.path) for entry in entries if not _is_folder(entry))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: listed as a file that cannot be used
        return False


def _unusable(file: Path, root: Path, relative: str) -> Problem | None:
    if file.suffix.lower() not in AUDIO_SUFFIXES:
        kinds = ", ".join(suffix[1:] for suffix in AUDIO_SUFFIXES)
        return Problem("not_audio", f"{relative} is not an audio file ({kinds}) and was skipped.", "warning", relative)
    try:
        relative.encode()
        confined(root, relative)
    except UnicodeEncodeError:
        shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
        message = f"{shown}: the file's name is not in UTF-8 (an old archive?). Rename it."
        return Problem("odd_name", message, "error", shown)
    except (CorpusError, OSError, RuntimeError) as error:
        return Problem("outside_root", f"{relative}: {error}", "error", relative)
    return None
