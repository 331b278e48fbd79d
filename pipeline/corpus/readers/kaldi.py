"""Kaldi data directories: `wav.scp`, `text`, `utt2spk`, and where they are there `segments`, `spk2gender`, `spk2age`.

A folder with one of them in each of `train`, `dev`, `test` ... has these as its parts. Pipes in `wav.scp` are commands
of somebody else's and are never run.
"""

from collections.abc import Iterator
from pathlib import Path
from posixpath import splitext
from typing import Any

from pipeline.corpus.readers.items import Clip, CorpusItem, Entry, Reading, language_given
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.corpus.readers.rows import decoded
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.records import NO_SPEAKER, Problem, RubricName
from pipeline.text import composed, lines_of

WAVES = "wav.scp"
TABLES = ("text", "utt2spk", "spk2gender", "spk2age", "utt2lang")
Lines = dict[str, tuple[int, str]]


def is_kaldi(path: Path) -> bool:
    return bool(data_folders(path))


def data_folders(path: Path) -> list[Path]:
    """The data directory itself, or those below it."""
    if (path / WAVES).is_file():
        return [path]
    return sorted(file.parent for file in path.glob(f"*/{WAVES}"))


def read_kaldi(path: Path) -> Reading:
    folders = data_folders(path)
    total = sum(len(_lines(folder / "segments")) or len(_lines(folder / WAVES)) for folder in folders)
    pieces = any((folder / "segments").is_file() for folder in folders)
    return Reading(path, _entries(path, folders, pieces), total, lambda: pieces)


def table(path: Path) -> dict[str, str]:
    """Key, white space, value. Raises CorpusError for a line without a value."""
    return {key: value for key, (_, value) in _lines(path).items()}


def audio_of(value: str, places: AudioPlaces) -> str:
    """What `wav.scp` names, relative to the root. Raises CorpusError for a pipe, an archive, or a path outside."""
    if value.endswith("|") or value.startswith("|"):
        raise CorpusError(
            N_("{value!r} is a command (a pipe), which is never run here. Write its output to a file and name that"),
            value=value,
        )
    if value.rpartition(":")[2].isdigit() and value.rpartition(".")[2].partition(":")[0] == "ark":
        raise CorpusError(
            N_("{value!r} is a place in a Kaldi archive. Extract the audio with wav-copy and name the file"),
            value=value,
        )
    return places.relative(value)


def _entries(root: Path, folders: list[Path], pieces: bool) -> Iterator[Entry]:
    places = AudioPlaces(root, search=True)
    for folder in folders:
        tables = {name: table(folder / name) for name in TABLES}
        waves = _lines(folder / WAVES)
        part = None if folder == root else folder.name
        segments = _lines(folder / "segments")
        yield from _repeated(folder, part)
        rows = segments or {utterance: (number, utterance) for utterance, (number, _) in waves.items()}
        file = f"{'' if part is None else f'{part}/'}{'segments' if segments else WAVES}"
        for utterance, (number, value) in rows.items():
            try:
                recording, start, end = _segment(value) if segments else (utterance, 0.0, None)
                if recording not in waves:
                    raise CorpusError(N_("{recording!r} is not in {file}"), recording=recording, file=WAVES)
                audio = audio_of(waves[recording][1], places)
                item = _item(utterance, audio, part, tables)
            except CorpusError as error:
                reason = Message(
                    N_("{file}, line {number}: {utterance}: {reason}"),
                    file=file, number=str(number), utterance=utterance, reason=error.text,
                )  # fmt: skip
                yield Problem("bad_row", reason, "error", file, number, value)
                continue
            if pieces:
                key = composed(f"{part or 'audio'}/{utterance}")
                clip = Clip(root / audio, start_s=start, end_s=end)
                item = CorpusItem(**{**vars(item), "key": key, "audio": f"{key}.wav", "clip": clip})
            yield item


def _item(utterance: str, audio: str, part: str | None, tables: dict[str, dict[str, str]]) -> CorpusItem:
    text = tables["text"].get(utterance, "").strip()
    if not text:
        raise CorpusError(N_("it has no entry in text"))
    speaker = tables["utt2spk"].get(utterance, NO_SPEAKER)
    extra: dict[str, Any] = {"utterance": utterance}
    if speaker in tables["spk2gender"]:
        extra["gender"] = tables["spk2gender"][speaker]
    if tables["spk2age"].get(speaker, "").isdigit():
        extra["age"] = int(tables["spk2age"][speaker])
    return CorpusItem(
        key=composed(splitext(audio)[0]), audio=audio, text=text, speaker=composed(speaker),
        rubric=RubricName.SENTENCE, language=language_given(tables["utt2lang"].get(utterance, "")), part=part,
        extra=extra,
    )  # fmt: skip


def _segment(value: str) -> tuple[str, float, float | None]:
    """Recording, begin and end in seconds; an end of -1 is that of the recording."""
    cells = value.split()
    try:
        recording, start, end = cells[0], float(cells[1]), float(cells[2])
    except (IndexError, ValueError):
        raise CorpusError(
            N_("expected a recording, a begin and an end in seconds, got {value!r}"), value=value
        ) from None
    if end != -1.0 and not 0.0 <= start < end:
        raise CorpusError(N_("a segment begins before it ends, got {value!r}"), value=value)
    return recording, start, None if end == -1.0 else end


def _repeated(folder: Path, part: str | None) -> Iterator[Problem]:
    """Keys that stand twice in a table, of which the first counts."""
    for name in (WAVES, "segments", *TABLES):
        file = f"{'' if part is None else f'{part}/'}{name}"
        first: dict[str, int] = {}
        for number, key, value in _keyed(folder / name):
            if key in first:
                reason = Message(
                    N_("{file}, line {number}: {key} stands there twice, first in line {first}, which counts"),
                    file=file, number=str(number), key=key, first=str(first[key]),
                )  # fmt: skip
                yield Problem("repeated_key", reason, "error", file, number, value)
            first.setdefault(key, number)


def _lines(path: Path) -> Lines:
    lines: Lines = {}
    for number, key, value in _keyed(path):
        lines.setdefault(key, (number, value))
    return lines


def _keyed(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, key and value. Raises CorpusError for a line without a value."""
    if not path.is_file():
        return
    for number, line in enumerate(lines_of(decoded(path)), start=1):
        if not line.strip():
            continue
        parts = line.split(maxsplit=1)
        if len(parts) != 2:
            raise CorpusError(
                N_("{path}, line {number}: expected a key and a value, got {line!r}."),
                path=str(path),
                number=str(number),
                line=line,
            )
        yield number, parts[0], parts[1].strip()
