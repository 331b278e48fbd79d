"""Audio datasets of the Hugging Face hub: parquet files with an `audio` column (bytes or a path) and a text.

`mispeech/speechocean762` has the scores, words and phones of the corpus in further columns. The part is a file's name
(`train-00000-of-00001.parquet`) or folder. A recording is named after its part, the folders of its file below the one
that all files share, and the path of its audio, else its number among those of the same part and folders. A local
snapshot is read; the hub's name is fetched first, through the `datasets` extra.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from os.path import commonpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.corpus.readers.items import Clip, CorpusItem, Entry, Reading
from pipeline.corpus.readers.manifest_columns import NAMES
from pipeline.corpus.readers.manifest_items import UNUSABLE, item_from_json
from pipeline.corpus.readers.manifest_pieces import FileLengths, as_piece, piece_key
from pipeline.corpus.readers.places import AudioPlaces, files_below
from pipeline.corpus.readers.speechocean762 import DIMENSIONS, HUB_NAME, scores_of
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message
from pipeline.optional import require
from pipeline.records import Problem
from pipeline.text import lines_of

if TYPE_CHECKING:
    import pyarrow.parquet

SUFFIX = ".parquet"
PARTS = ("train", "dev", "validation", "test")
MAGIC = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3", b"\xff\xfb": ".mp3", b"\xff\xf3": ".mp3"}
BATCH_ROWS = 64


def is_hub_name(path: str) -> bool:
    return path == HUB_NAME


def fetch(name: str) -> Path:
    """The local snapshot of a hub dataset, downloaded where it is not there yet. Raises CorpusError where the hub
    cannot be reached."""
    require(Message(N_("{name} of the Hugging Face hub"), name=name), ["huggingface_hub"], CorpusError)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, repo_type="dataset"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = lines_of(str(error))[0].removeprefix("Got: ").rstrip(".") if str(error) else type(error).__name__
        raise CorpusError(
            N_(
                "{name} cannot be fetched from the Hugging Face hub ({reason}). On a machine that reaches it run "
                "`hf download {name} --repo-type dataset --local-dir FOLDER`, copy FOLDER here and import that."
            ),
            name=name,
            reason=reason,
        ) from error


def is_hub_dataset(path: Path) -> bool:
    first = next(iter(files_below(path, (SUFFIX,))), None)
    if first is None:
        return False
    names = set(_open(path / first).schema_arrow.names)
    return "audio" in names and bool(names & set(NAMES["text"]))


def read_hub_dataset(path: Path) -> Reading:
    files = files_below(path, (SUFFIX,))
    total = sum(_open(path / name).metadata.num_rows for name in files)
    return Reading(path, _entries(path, files), total, lambda: True)


def _entries(root: Path, files: list[str]) -> Iterator[Entry]:
    places, lengths = AudioPlaces(root, search=True), FileLengths()
    shared = commonpath([str(PurePosixPath("/", name).parent) for name in files])
    n_rows = Counter[str]()  # a dataset may be cut into many files of one part
    for name in files:
        part = _part(name)
        folder = "/".join([part or "audio", *_folders(str(PurePosixPath("/", name).relative_to(shared)), part)])
        for number, row in enumerate(_rows(root / name), start=1):
            if isinstance(row, CorpusError):
                reason = Message(N_("{reason} No row from {number} on is used."), reason=row.text, number=str(number))
                yield Problem("unreadable", reason, "error", name, number)
                break
            try:
                yield _item(row, part, folder, n_rows[folder] + number, places, lengths)
            except UNUSABLE as error:
                reason = Message(
                    N_("{file}, row {number}: {reason}"), file=name, number=str(number), reason=said_by(error)
                )
                shown = str({key: value for key, value in row.items() if key != "audio"})[:200]
                yield Problem("bad_row", reason, "error", name, number, shown)
        n_rows[folder] += _open(root / name).metadata.num_rows  # also those that are not used


def _rows(file: Path) -> Iterator[dict[str, Any] | CorpusError]:
    """The rows, up to a page that is broken: why, as the last."""
    import pyarrow

    try:
        for batch in _open(file).iter_batches(batch_size=BATCH_ROWS):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        yield _unreadable(file, error)


def _folders(path: str, part: str | None) -> list[str]:
    """The folders of a relative path as names; its part is not said twice. A full path is of another machine."""
    given = PurePosixPath(path)
    names = () if given.is_absolute() else given.parent.parts
    return [_plain(name) for name in names if name != ".." and name.casefold() != part]


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)


def _item(
    row: dict[str, Any], part: str | None, folder: str, number: int, places: AudioPlaces, lengths: FileLengths
) -> CorpusItem:
    audio = row["audio"] if isinstance(row["audio"], dict) else {"path": row["audio"]}
    content, path = audio.get("bytes"), audio.get("path")
    if not content and not path:
        raise CorpusError(N_("the audio has neither bytes nor a path"))
    named = [*_folders(path, part), _plain(Path(path).stem)] if path else [f"{number:06d}"]
    suffix = _suffix(content, path)
    scored = scores_of(row, {}, []) if row.get("words") and all(key in row for key in DIMENSIONS) else {}
    left = ("audio", "words", *DIMENSIONS) if scored else ("audio",)
    raw = {
        **{key: value for key, value in row.items() if key not in left and value is not None},
        "part": part,
        **scored,
    }
    name = f"{'/'.join([folder, *named])}{suffix}"
    if content:  # its times, if any, are those of what it was cut from
        item, clip = item_from_json({**raw, "audio": name}, places), Clip(content=content)
    else:
        item = item_from_json({**raw, "audio": path}, places)
        clip = as_piece(item, places.root, lengths).clip or Clip(places.root / item.audio)
    key = name.removesuffix(suffix)
    if clip.start_s > 0.0 or clip.end_s is not None:
        key, suffix = piece_key(key, clip), ".wav"
    return replace(item, key=key, audio=f"{key}{suffix}", clip=clip)


def _suffix(content: bytes | None, path: str | None) -> str:
    known = next((suffix for magic, suffix in MAGIC.items() if content and content.startswith(magic)), None)
    return known or (Path(path).suffix.lower() if path else "") or ".wav"


def _part(name: str) -> str | None:
    words = re.split(r"[^a-z]+", name.casefold())
    return next((part for part in PARTS if part in words), None)


def _open(file: Path) -> "pyarrow.parquet.ParquetFile":
    require(file.name, ["pyarrow"], CorpusError)
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> CorpusError:
    reason = said_by(error)
    if not isinstance(reason, Message):
        reason = next(iter(lines_of(reason)), type(error).__name__)
    return CorpusError(N_("{file} cannot be read as parquet ({reason})."), file=str(file), reason=reason)
