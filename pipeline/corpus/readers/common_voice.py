"""Common Voice: `clips/*.mp3` and tables (TSV without quoting) with client_id, path and sentence.

The parts train, dev and test share no speaker; where they are there, `validated.tsv` is left out, as its other
recordings belong to no part and may be of the same people.
"""

from collections.abc import Iterator
from pathlib import Path
from posixpath import splitext
from typing import Any

from pipeline.corpus.readers.items import CorpusItem, Entry, Reading, in_line
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.corpus.readers.rows import table_rows
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message
from pipeline.records import NO_SPEAKER, Problem, RubricName
from pipeline.text import composed

PARTS = ("train", "dev", "test")
WHOLE = "validated"
CLIPS = "clips"
COLUMNS = ("client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "accent", "locale",
           "variant", "segment", "sentence_id", "sentence_domain")  # fmt: skip
KEPT = ("age", "gender", "accents", "accent", "variant", "up_votes", "down_votes")
NUMBERS = ("up_votes", "down_votes")


def is_common_voice(path: Path) -> bool:
    return any({"client_id", "path", "sentence"} <= _header(path / f"{name}.tsv") for name in (*PARTS, WHOLE))


def read_common_voice(path: Path) -> Reading:
    tables = [name for name in PARTS if (path / f"{name}.tsv").is_file()]
    both = bool(tables) and (path / f"{WHOLE}.tsv").is_file()
    tables = tables or [WHOLE]
    total = sum((path / f"{name}.tsv").read_bytes().count(b"\n") - 1 for name in tables)
    return Reading(path, _entries(path, tables, both), max(0, total))


def _entries(root: Path, tables: list[str], both: bool) -> Iterator[Entry]:
    if both:
        left = Message(
            N_("{file} was left out: its recordings outside train, dev and test belong to no part."),
            file=f"{WHOLE}.tsv",
        )
        yield Problem("left_out", left, "warning", f"{WHOLE}.tsv")
    places = AudioPlaces(root)
    folder = f"{CLIPS}/" if (root / CLIPS).is_dir() else ""
    for table in tables:
        file = root / f"{table}.tsv"
        for row in table_rows(file, COLUMNS, quoted=False):
            try:
                if row.error:
                    raise CorpusError(row.error)
                yield _item(row.values, places, folder, None if table == WHOLE else table)
            except (CorpusError, KeyError, ValueError) as error:
                value = "\t".join(map(str, row.values.values()))[:200]
                yield Problem("bad_row", in_line(row.number, said_by(error)), "error", file.name, row.number, value)


def _item(row: dict[str, str], places: AudioPlaces, folder: str, part: str | None) -> CorpusItem:
    name = row["path"] if splitext(row["path"])[1] else f"{row['path']}.mp3"
    audio = places.relative(name if name.startswith(folder) else folder + name)
    text = row["sentence"].strip()
    if not text:
        raise CorpusError(N_("{key} is empty"), key="'sentence'")
    extra: dict[str, Any] = {key: row[key] for key in KEPT if row.get(key)}
    extra |= {key: int(extra[key]) for key in NUMBERS if str(extra.get(key, "")).isdigit()}
    return CorpusItem(
        key=composed(splitext(audio)[0]), audio=audio, text=text, speaker=row["client_id"].strip() or NO_SPEAKER,
        rubric=RubricName.SENTENCE, language=(row.get("locale") or "").strip() or "und", part=part, extra=extra,
    )  # fmt: skip


def _header(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    with file.open("rb") as opened:
        return set(opened.readline().decode("utf-8-sig", "replace").strip().split("\t"))
