"""Corpora given as a manifest: one utterance a line, audio relative to the manifest's folder.

JSON lines, a JSON array, or a table (CSV, TSV) with a header. A row needs audio and text; the names of columns that
NeMo and Hugging Face write are known, and so are `experts`, `median`, `released` and `words` as in
`shared/data/speechocean762`. What else a row holds is kept.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.corpus.readers.items import CorpusItem, Entry, Reading, Scan, in_line, scanned, with_first_problem
from pipeline.corpus.readers.manifest_columns import TIMES_OF_A_PIECE, named
from pipeline.corpus.readers.manifest_items import UNUSABLE, item_from_json
from pipeline.corpus.readers.manifest_pieces import FileLengths, as_piece
from pipeline.corpus.readers.manifest_rows import SUFFIXES, TABLES, n_rows, rows_of
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.corpus.readers.rows import Row
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.records import Problem

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
        total = sum(n_rows(source.file) for source in sources)
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
        first = next((row.values for row in rows_of(file) if isinstance(row.values, dict)), {})
    except (CorpusError, OSError):
        return False
    known = named(first)
    return "audio" in known and "text" in known


def first_audio(file: Path) -> str:
    """The path of the audio in the first usable row; "" where there is none."""
    try:
        rows = (row.values for row in rows_of(file) if isinstance(row.values, dict))
        return next((str(known["audio"]) for row in rows if (known := named(row)).get("audio")), "")
    except (CorpusError, OSError):
        return ""


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
            for row in rows_of(source.file):
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
    row = named(raw)
    audio = row.get("audio")
    return {**row, "audio": folder + audio} if isinstance(audio, str) and not audio.startswith("/") else row


def _problem(file: str, row: Row, error: Exception) -> Problem:
    value = json.dumps(row.values, ensure_ascii=True, default=str)[:200] if row.values is not None else row.error
    return _at(row, Problem("bad_row", said_by(error), "error", file, value=value))


def _at(row: Row, problem: Problem) -> Problem:
    return replace(problem, line=row.number, message=in_line(row.number, problem.message))


def _part_of(name: str) -> str | None:
    """`train` of `train.jsonl`, `train_manifest.json` or `train/metadata.csv`."""
    folder, _, file = name.rpartition("/")
    if folder:
        return _PARTS.get(folder.casefold(), folder)
    words = re.split(r"[\W_]+", Path(file).stem.casefold())
    return next((_PARTS[word] for word in words if word in _PARTS), None)
