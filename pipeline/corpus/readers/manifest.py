"""Corpora given as a manifest: one utterance a line, audio relative to the manifest's folder.

JSON lines, a JSON array, or a table (CSV, TSV) with a header. A row needs audio and text; the names of columns that
NeMo and Hugging Face write are known, and so are `experts`, `median`, `released` and `words` as in
`shared/data/speechocean762`. What else a row holds is kept.
"""

import json
import math
import re
import statistics
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from posixpath import splitext
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.audio.load import duration_of
from pipeline.corpus.readers.items import (
    ROUNDED_S,
    Clip,
    CorpusItem,
    Entry,
    Reading,
    Scan,
    in_line,
    language_given,
    scanned,
    with_first_problem,
)
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.corpus.readers.rows import Row, table_rows
from pipeline.errors import AudioError, CorpusError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.people.names import spaced
from pipeline.records import NO_SPEAKER, Problem, RubricName
from pipeline.text import composed

# What one line of somebody's file can be wrong with, down to text that is no text and numbers beyond any float.
UNUSABLE = (CorpusError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, OSError)
LANGUAGE_OF_SPEECHOCEAN = "en"
LINES = (".jsonl", ".ndjson")
SPREADSHEET = ".xlsx"
TABLES = (".csv", ".tsv", SPREADSHEET)
SUFFIXES = (*LINES, ".json", *TABLES)
BLOCK_BYTES = 1 << 20

# Our name, then those of NeMo, Hugging Face, Common Voice and others, the better one first; last what people write in
# Turkish.
NAMES: dict[str, tuple[str, ...]] = {
    "audio": ("audio", "audio_filepath", "audio_path", "audio_file", "file_name", "filename", "path", "file", "wav",
              "ses", "ses dosyası", "ses kaydı", "dosya", "dosya adı"),
    "text": ("text", "sentence", "transcription", "transcript", "normalized_text", "normalised_text",
             "metin", "cümle", "kelime", "sözcük", "okunacak metin"),
    "speaker": ("speaker", "speaker_id", "client_id", "spk", "spk_id", "speaker_name",
                "konuşmacı", "konuşan", "konuşucu", "katılımcı", "öğrenci", "kişi"),
    "language": ("language", "lang", "locale", "dil"),
    "part": ("part", "split", "subset", "bölüm"),
    "score": ("score", "puan"),
}  # fmt: skip
# Of a piece of a longer recording, in seconds, as NeMo and others have them; one alone of `length` is the file's.
TIMES: dict[str, tuple[str, ...]] = {
    "start": ("offset", "start", "başlangıç"), "end": ("end", "bitiş"), "length": ("duration", "süre")
}  # fmt: skip
TIMES_OF_A_PIECE = frozenset((*TIMES["start"], *TIMES["end"]))
CUT_FROM = "cut_from"  # the times of a row, kept where they cut nothing more
OUR_KEYS = frozenset((*NAMES, "rubric", "experts", "median", "released", "ratings"))
NUMBERS = ("score", *chain(*TIMES.values()), "age")
REQUIRED = ("audio", "text")
MOST_SHOWN = 12  # names of columns in a message
_OTHER_NAMES = {name: key for key, names in NAMES.items() for name in names[1:]}
_PARTS = {"train": "train", "dev": "dev", "valid": "validation", "val": "validation", "validation": "validation",
          "test": "test", "eval": "eval"}  # fmt: skip
FEW = 5  # scores before anything is said of their scale


@dataclass(frozen=True)
class _Source:
    """One manifest file with the folder that its paths are relative to."""

    file: Path
    part: str | None = None


def read_manifest(path: Path, root: Path | None = None) -> Scan:
    """Every usable line; the others are listed. Raises CorpusError where the file is missing or no line is usable."""
    scan = scanned(open_manifest(path, root).entries)
    if not scan.items:
        nothing = Message(
            N_("{path} has no usable line; expected JSON objects with 'audio' and 'text'."), path=str(path)
        )
        raise CorpusError(with_first_problem(nothing, scan.problems))
    return scan


def open_manifest(path: Path, root: Path | None = None) -> Reading:
    """One file, or all manifests of a folder, whose parts are their names or folders (`train.jsonl`,
    `train/metadata.csv`). Audio lies under `root`, by default the manifest's folder. Raises CorpusError where there is
    none."""
    if path.is_dir():
        sources = [_Source(path / name, _part_of(name)) for name in manifests_in(path)]
        base = root or path
    else:
        sources, base = [_Source(path)], root or path.parent
    if not sources or not all(source.file.is_file() for source in sources):
        raise CorpusError(N_("There is no manifest {path}."), path=str(path))
    try:
        total = sum(_n_rows(source.file) for source in sources)
    except OSError as error:
        raise CorpusError(
            N_("The manifest {path} cannot be read: {reason}."), path=str(path), reason=said_by(error)
        ) from error
    manifests = _Manifests(sources, base, given=root is not None)
    return Reading(base, manifests.entries(), total, manifests.copies)


def manifests_in(folder: Path) -> list[str]:
    """The manifests of a folder: `manifest.jsonl` alone where it has one, else all files here or one folder below whose
    first row has audio and text."""
    if (folder / "manifest.jsonl").is_file():
        return ["manifest.jsonl"]
    candidates = [path for pattern in ("*", "*/*") for path in sorted(folder.glob(pattern))]
    return [
        str(path.relative_to(folder))
        for path in candidates
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".") and is_manifest(path)
    ]


def is_manifest(file: Path) -> bool:
    """Whether the first usable row names audio and text."""
    try:
        first = next((row.values for row in _rows(file) if isinstance(row.values, dict)), {})
    except (CorpusError, OSError):
        return False
    known = _named(first)
    return "audio" in known and "text" in known


def first_audio(file: Path) -> str:
    """The path of the audio in the first usable row; "" where there is none."""
    try:
        rows = (row.values for row in _rows(file) if isinstance(row.values, dict))
        return next((str(named["audio"]) for row in rows if (named := _named(row)).get("audio")), "")
    except (CorpusError, OSError):
        return ""


def item_from_json(raw: dict[str, Any], places: AudioPlaces) -> CorpusItem:
    """One row, with our names for its keys, and the times of a piece under `CUT_FROM`. Raises KeyError, ValueError or
    CorpusError for one that cannot be used."""
    row = _named(raw)
    for key in REQUIRED:
        if key not in row:
            raise CorpusError(_missing(key, raw))
    audio = row["audio"]
    if isinstance(audio, dict):  # as `datasets` writes an audio column
        audio = audio["path"]
    if audio in (None, ""):
        raise CorpusError(N_("{key} is empty"), key="'audio'")
    audio = places.relative(str(audio))
    json.dumps(raw, ensure_ascii=False).encode()
    text = str(row["text"] if row["text"] is not None else "").strip()
    if not text:
        raise CorpusError(N_("{key} is empty"), key="'text'")
    dimensional = any(row.get(key) for key in ("experts", "median", "released"))
    experts = {key: [_expert(v) for v in values] for key, values in (row.get("experts") or {}).items()}
    one_word = not dimensional and len(text.split()) == 1
    extra = {key: value for key, value in row.items() if key not in OUR_KEYS}
    if "words" in extra:
        extra["words"] = _words(extra["words"])
    if not TIMES_OF_A_PIECE.isdisjoint(extra):
        extra[CUT_FROM] = {name: extra.pop(name) for name in chain(*TIMES.values()) if name in extra}
    return CorpusItem(
        key=composed(splitext(audio)[0]),
        audio=audio,
        text=text,
        speaker=_name(row.get("speaker")) or NO_SPEAKER,
        rubric=RubricName(row.get("rubric") or (RubricName.WORD if one_word else RubricName.SENTENCE)),
        language=language_given(_name(row.get("language")) or (LANGUAGE_OF_SPEECHOCEAN if dimensional else "")),
        part=_name(row.get("part")) or None,
        experts=experts,
        median={key: _finite(value) for key, value in (row.get("median") or {}).items()} or _medians(experts),
        released={key: _finite(value) for key, value in (row.get("released") or {}).items()},
        score=None if row.get("score") in (None, "") else _finite(row["score"], high=100.0),
        extra=extra,
        ratings=tuple(row.get("ratings") or ()),
    )


def _missing(key: str, raw: dict[str, Any]) -> Message:
    """Which names the row has instead, and which it could have."""
    if not raw:
        return Message(N_("{key} is missing"), key=f"'{key}'")
    columns = ", ".join(str(name)[:40] for name in list(raw)[:MOST_SHOWN])
    return Message(
        N_("{key} is missing among {columns}; its column may be named {names}"),
        key=f"'{key}'", columns=columns, names=", ".join(NAMES[key]),
    )  # fmt: skip


def _medians(experts: dict[str, list[float]]) -> dict[str, float]:
    given = {key: [value for value in values if not math.isnan(value)] for key, values in experts.items()}
    return {key: statistics.median(values) for key, values in given.items() if values}


def _span(times: dict[str, Any]) -> tuple[float, float | None]:
    """Where a piece begins and ends in its file, in seconds; None: at its end. Raises CorpusError for what is no length
    of time, and for columns that contradict each other."""
    start, end, length = (_seconds(times, kind) for kind in TIMES)
    start = start or 0.0
    if end is not None and length:
        if abs(start + length - end) > ROUNDED_S:
            raise CorpusError(
                N_("a piece from {start} s that lasts {length} s does not end at {end} s; leave out what is wrong"),
                start=f"{start:g}", length=f"{length:g}", end=f"{end:g}",
            )  # fmt: skip
    elif length:
        end = start + length
    if end is not None and end <= start:
        raise CorpusError(
            N_("a piece ends after it begins, got {start} s to {end} s"), start=f"{start:g}", end=f"{end:g}"
        )
    return start, end


def _seconds(times: dict[str, Any], kind: str) -> float | None:
    """None where the row does not say. Raises CorpusError for what is no length of time, and for two columns that say
    different ones."""
    given: dict[str, float] = {}
    for name in TIMES[kind]:
        value = times.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise CorpusError(
                N_("{key} is a number of seconds from 0 on, got {value}"), key=name, value=f"{value!r:.80}"
            )
        given[name] = float(value)
    if len(set(given.values())) > 1:
        (one, first), (other, second), *_ = given.items()
        raise CorpusError(
            N_("{one} {first} and {other} {second} contradict each other; leave one of them out"),
            one=one, first=f"{first:g}", other=other, second=f"{second:g}",
        )  # fmt: skip
    return next(iter(given.values()), None)


class FileLengths:
    """Lengths of files in seconds, of which each is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, float | None] = {}  # by hashes: a million paths would take several times the memory

    def of(self, file: Path) -> float | None:
        """None for a file that cannot be read: what is wrong with it is told when its audio is needed."""
        key = hash(file)
        if key not in self._known:
            self._known[key] = None
            with suppress(AudioError):
                self._known[key] = duration_of(file)
        return self._known[key]


def as_piece(item: CorpusItem, root: Path, lengths: FileLengths) -> CorpusItem:
    """The item as the piece of its file that `CUT_FROM` says; as it is where that is all of the file. Raises
    CorpusError for times that cannot be used, and a piece that is not within the file."""
    times = item.extra.get(CUT_FROM)
    if times is None:
        return item
    start, end = _span(times)
    file = root / item.audio
    length_s = lengths.of(file)
    if _is_all(start, end, length_s):
        if start > 0.0:
            return item
        extra = {key: value for key, value in item.extra.items() if key != CUT_FROM}
        return replace(item, extra={**extra, **{name: times[name] for name in TIMES["length"] if name in times}})
    clip = Clip(file, start_s=start, end_s=end)
    if length_s is not None:
        clip.check_within(file.name, length_s)
    key = piece_key(item.key, clip)
    return replace(item, key=key, audio=f"{key}.wav", clip=clip)


def piece_key(key: str, clip: Clip) -> str:
    """The key of a piece of the recording with that key."""
    return f"{key}_{round(1000 * clip.start_s):07d}"


def _is_all(start: float, end: float | None, length_s: float | None) -> bool:
    """Whether a piece is its whole file: from its beginning to its end, or cut out already, so that its times are those
    in another file."""
    if end is None or length_s is None:
        return start == 0.0
    is_as_long = abs(length_s - (end - start)) <= ROUNDED_S
    return is_as_long and (start == 0.0 or end - length_s > ROUNDED_S)


class _Manifests:
    """Manifests as one corpus below `root`; `given`: a person named the folder with the audio."""

    def __init__(self, sources: list[_Source], root: Path, *, given: bool) -> None:
        self._root, self._lengths = root, FileLengths()
        self._sources: list[tuple[_Source, str, AudioPlaces]] = []
        for source in sources:
            folder = root if given or source.file.parent == root else source.file.parent
            below = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
            self._sources.append((source, below, AudioPlaces(root, search=source.file.suffix.lower() in TABLES)))

    def copies(self) -> bool:
        """Whether a row names a piece of a longer recording."""
        return any(self._is_piece(row, below, places) for _, row, below, places in self._rows())

    def entries(self) -> Iterator[Entry]:
        seen: set[int] = set()  # hashes: a million keys would take several times the memory
        n_scores, highest = 0, 0.0
        for source, row, below, places in self._rows():
            try:
                item = self._item(row, below, places)
                if source.part and item.part is None:
                    item = replace(item, part=source.part)
                if hash(item.key) in seen:
                    raise CorpusError(N_("the id {id!r} is used twice"), id=item.key)
            except UNUSABLE as error:
                yield _problem(source.file.name, row, error)
                continue
            seen.add(hash(item.key))
            if item.gaps:
                reason = Message(
                    N_("{values} is missing; that expert's rating of the recording is left out"),
                    values=joined(item.gaps, ","),
                )
                yield _at(row, Problem("missing_value", reason, "warning", source.file.name, value="null"))
            if item.score is not None:
                n_scores, highest = n_scores + 1, max(highest, item.score)
            yield item
        if n_scores >= FEW and highest <= 10.0:
            yield Problem(
                "odd_scale",
                Message(
                    N_(
                        "All {n} scores lie between 0 and {highest}, and 'score' goes from 0 to 100. If they are of "
                        "another scale, convert them and import again."
                    ),
                    n=n_scores,
                    highest=f"{highest:g}",
                ),
                "warning",
                self._sources[0][0].file.name,
            )

    def _rows(self) -> Iterator[tuple[_Source, Row, str, AudioPlaces]]:
        for source, below, places in self._sources:
            for row in _rows(source.file):
                yield source, row, below, places

    def _item(self, row: Row, below: str, places: AudioPlaces) -> CorpusItem:
        if row.error:
            raise CorpusError(row.error)
        return as_piece(item_from_json(_below(row.values, below), places), self._root, self._lengths)

    def _is_piece(self, row: Row, below: str, places: AudioPlaces) -> bool:
        if not isinstance(row.values, dict) or TIMES_OF_A_PIECE.isdisjoint(row.values):
            return False
        try:
            return self._item(row, below, places).clip is not None
        except UNUSABLE:  # told when it is its turn
            return False


def _below(raw: Any, folder: str) -> dict[str, Any]:
    """The row with its audio relative to the root, where the manifest lies in a folder below it."""
    if not isinstance(raw, dict):
        raise CorpusError(N_("expected an object with 'audio' and 'text', got {content}"), content=str(raw)[:60])
    if not folder:
        return raw
    row = _named(raw)
    audio = row.get("audio")
    return {**row, "audio": folder + audio} if isinstance(audio, str) and not audio.startswith("/") else row


def _problem(file: str, row: Row, error: Exception) -> Problem:
    value = json.dumps(row.values, ensure_ascii=True, default=str)[:200] if row.values is not None else row.error
    return _at(row, Problem("bad_row", said_by(error), "error", file, value=value))


def _at(row: Row, problem: Problem) -> Problem:
    return replace(problem, line=row.number, message=in_line(row.number, problem.message))


def _rows(file: Path) -> Iterator[Row]:
    if file.suffix.lower() in TABLES:
        yield from map(_with_numbers, table_rows(file, frozenset((*_OTHER_NAMES, *OUR_KEYS, *NUMBERS))))
        return
    if _is_array(file):
        yield from _array(file)
        return
    for line in jsonl.lines(file):
        yield Row(line.number, line.value, "" if line.error is None else line.error.reason)


def _is_array(file: Path) -> bool:
    """Whether the first line is an array of objects or begins one; a `.json` file need not have an object per line."""
    first = next(jsonl.lines(file), None)
    if first is None or isinstance(first.value, dict):
        return False
    if isinstance(first.value, list):
        return all(isinstance(row, dict) for row in first.value)
    with file.open("rb") as opened:
        begin = opened.read(256).removeprefix(b"\xef\xbb\xbf")
    return re.match(rb"\s*\[\s*\{", begin) is not None or (file.suffix.lower() == ".json" and first.value is None)


def _array(file: Path) -> Iterable[Row]:
    """A JSON array of rows, numbered as lines are; what is neither is explained."""
    try:
        content = artifacts.read_json(file)
    except ValueError as error:
        raise CorpusError(
            N_("{path} cannot be read as JSON: {reason}."), path=str(file), reason=said_by(error)
        ) from error
    rows = content.get("data") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise CorpusError(
            N_(
                "{file} is one JSON object. A manifest has one object per line, or is an array of objects, each with "
                "'audio' and 'text'."
            ),
            file=str(file),
        )
    return [Row(number, row) for number, row in enumerate(rows, start=1)]


def _with_numbers(row: Row) -> Row:
    """Cells of a table are texts; those that hold numbers are read as such, with a decimal point or comma."""
    if not isinstance(row.values, dict):
        return row
    values = _named({key: value for key, value in row.values.items() if value != ""})
    for key in REQUIRED:  # an empty cell is not a column that is missing
        if key not in values and any(name in row.values for name in NAMES[key]):
            values[key] = ""
    for name in NUMBERS:
        if name in values and re.fullmatch(r"[+-]?\d+([.,]\d+)?", values[name].strip()):
            number = float(values[name].replace(",", "."))
            values[name] = int(number) if number.is_integer() and name == "age" else number
    return Row(row.number, values, row.error)


def _n_rows(file: Path) -> int:
    """Lines, as the number of rows to come: counted in blocks."""
    if file.suffix.lower() == SPREADSHEET:
        return sum(1 for _row in _rows(file))
    n, last = 0, b"\n"
    with file.open("rb") as opened:
        for block in iter(lambda: opened.read(BLOCK_BYTES), b""):
            n, last = n + block.count(b"\n"), block[-1:]
    return max(1, n + (last != b"\n") - (file.suffix.lower() in TABLES))


def _named(raw: dict[str, Any]) -> dict[str, Any]:
    """With our names for the keys; a key of ours stands before those of others."""
    row = dict(raw)
    for key, names in NAMES.items():
        if key not in row:
            other = next((name for name in names[1:] if raw.get(name) is not None), None)
            if other is not None:
                row[key] = row.pop(other)
    return row


def _part_of(name: str) -> str | None:
    """`train` of `train.jsonl`, `train_manifest.json` or `train/metadata.csv`."""
    folder, _, file = name.rpartition("/")
    if folder:
        return _PARTS.get(folder.casefold(), folder)
    words = re.split(r"[\W_]+", Path(file).stem.casefold())
    return next((_PARTS[word] for word in words if word in _PARTS), None)


def _name(value: Any) -> str:
    """A name as every name is kept; "" for none. 0 is a name."""
    return "" if value is None else spaced(str(value))


def _words(value: Any) -> list[dict[str, Any]]:
    """The words of a text, each with `text` and `phones` (a list; a string is split at blanks)."""
    if not isinstance(value, list) or not all(isinstance(word, dict) and "text" in word for word in value):
        raise CorpusError(N_("'words' must be a list of objects with 'text', got {content}"), content=str(value)[:60])
    words: list[dict[str, Any]] = []
    for word in value:
        phones = word.get("phones") or []
        listed = phones.split() if isinstance(phones, str) else [str(phone) for phone in phones]
        words.append({**word, "text": str(word["text"]), "phones": listed})
    return words


def _expert(value: Any) -> float:
    return math.nan if value is None else _finite(value)


def _finite(value: Any, high: float = 10.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CorpusError(N_("expected a number, got {value}"), value=f"{value!r:.80}")
    if not 0.0 <= value <= high:
        raise CorpusError(N_("{value} lies outside 0-{high}"), value=repr(value), high=f"{high:g}")
    return float(value)
