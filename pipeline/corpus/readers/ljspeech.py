"""LJSpeech: `wavs/LJ001-0001.wav` and `metadata.csv` with `id|text|normalised text`, no header, no quoting."""

from collections.abc import Iterator
from pathlib import Path
from posixpath import splitext

from pipeline.corpus.readers.items import CorpusItem, Entry, Reading, in_line
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.corpus.readers.rows import decoded
from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.records import Problem, RubricName
from pipeline.text import composed, lines_of

TABLE = "metadata.csv"
SPEAKER = "LJ"
ENGLISH = "LJ"  # how the ids of the original begin; others have taken its layout over for other languages


def is_ljspeech(path: Path) -> bool:
    file = path / TABLE
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        cells = opened.readline().decode("utf-8", "replace").strip().split("|")
    return len(cells) in (2, 3) and cells[0].strip().casefold() not in ("id", "audio", "file_name", "path")


def read_ljspeech(path: Path) -> Reading:
    lines = lines_of(decoded(path / TABLE))
    return Reading(path, _entries(path, lines), len(lines))


def _entries(root: Path, lines: list[str]) -> Iterator[Entry]:
    places = AudioPlaces(root, search=True)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("|")]
        try:
            if len(cells) < 2 or not cells[0] or not cells[-1]:
                raise CorpusError(N_("expected id|text|normalised text"))
            has_folder = (root / "wavs").is_dir() and "/" not in cells[0]
            audio = places.relative(f"wavs/{cells[0]}.wav" if has_folder else cells[0])
        except CorpusError as error:
            yield Problem("bad_row", in_line(number, error.text), "error", TABLE, number, line[:200])
            continue
        yield CorpusItem(
            key=composed(splitext(audio)[0]), audio=audio, text=cells[-1], speaker=SPEAKER, rubric=RubricName.SENTENCE,
            language="en" if cells[0].startswith(ENGLISH) else "und",
            extra={"original_text": cells[1]} if cells[1] != cells[-1] else {},
        )  # fmt: skip
