"""Participant folders: `participant_*/kelimeler/NN_word.wav` (or another kind of audio), in any case."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.artifacts import TEMPORARY_PREFIX
from pipeline.audio.load import AUDIO_SUFFIXES, KINDS_IN_WORDS
from pipeline.corpus.readers.items import CorpusItem, Entry, Reading, same_name
from pipeline.corpus.readers.textgrids import SUFFIX as TEXTGRID
from pipeline.corpus.sets import RESULT_SUFFIX, confined
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message, about
from pipeline.records import Problem, RubricName
from pipeline.text import composed

PARTICIPANT_PREFIX = "participant_"
WORDS_FOLDER = "kelimeler"
_NUMBERED = re.compile(r"(?P<number>\d+)[_\-\s]+(?P<word>.*\S)\s*")


def is_participant_layout(root: Path) -> bool:
    return any(_words_of(folder) is not None for folder in _participants(root))


def corpus_of(path: Path) -> Path | None:
    """The corpus that a path belongs to: itself, or the folder above where it is one participant's; None for none."""
    if is_participant_layout(path):
        return path
    of_one = path.name.casefold().startswith(PARTICIPANT_PREFIX) and _words_of(path) is not None
    return path.parent if of_one else None


def read_folder(root: Path, language: str = "tr") -> Reading:
    """Every word recording under `root`, which holds participants' folders.

    A name without number still counts, with all of it as the word; what is no audio, or leaves the root through a
    link, is listed instead.
    """
    files = [
        file
        for participant in _participants(root)
        if (words := _words_of(participant)) is not None
        for file in _files(words)
        if not file.name.startswith((".", TEMPORARY_PREFIX)) and RESULT_SUFFIX not in file.name
    ]
    return Reading(root, _entries(root, files, language), len(files))


def _entries(root: Path, files: list[Path], language: str) -> Iterator[Entry]:
    keys: set[str] = set()
    for file in files:
        relative = file.relative_to(root).as_posix()
        if file.suffix.lower() == TEXTGRID:  # read with its recording
            continue
        problem = _unusable(file, root, relative)
        key = composed(str(Path(relative).with_suffix("")))
        if problem is None and key in keys:
            problem = same_name(relative)
        if problem is not None:
            yield problem
            continue
        keys.add(key)
        stem = composed(file.stem)
        match = _NUMBERED.fullmatch(stem)
        if match is None:
            message = Message(
                N_("{file}: expected a name like 01_araba.wav; the whole name is used as the word."), file=relative
            )
            yield Problem("odd_name", message, "warning", relative)
        yield CorpusItem(
            key=key,
            audio=relative,
            text=match["word"] if match else stem,
            speaker=composed(file.parent.parent.name),
            rubric=RubricName.WORD,
            language=language,
        )


def _participants(root: Path) -> list[Path]:
    """Not through links: a second name for the same voice would put it on both sides of a split."""
    return sorted(
        path
        for path in root.glob("*")
        if path.name.casefold().startswith(PARTICIPANT_PREFIX) and path.is_dir() and not path.is_symlink()
    )


def _words_of(participant: Path) -> Path | None:
    """The folder of words; file systems differ in whether its name may be in capitals."""
    if not participant.is_dir():
        return None
    return next((path for path in sorted(participant.iterdir()) if path.name.casefold() == WORDS_FOLDER), None)


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
        message = Message(
            N_("{file} is not an audio file ({kinds}) and was skipped."), file=relative, kinds=KINDS_IN_WORDS
        )
        return Problem("not_audio", message, "warning", relative)
    try:
        relative.encode()
        confined(root, relative)
    except UnicodeEncodeError:
        shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
        message = Message(N_("{file}: the file's name is not in UTF-8 (an old archive?). Rename it."), file=shown)
        return Problem("odd_name", message, "error", shown)
    except (CorpusError, OSError, RuntimeError) as error:
        return Problem("outside_root", about(relative, said_by(error)), "error", relative)
    return None
