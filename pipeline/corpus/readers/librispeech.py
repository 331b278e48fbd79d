"""LibriSpeech: `train-clean-100/103/1240/103-1240-0000.flac` with `103-1240.trans.txt` in each folder."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.corpus.readers.items import CorpusItem, Entry, Reading, in_line
from pipeline.corpus.readers.places import AudioPlaces, files_below
from pipeline.corpus.readers.rows import decoded
from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.records import Problem, RubricName
from pipeline.text import lines_of

TRANSCRIPTS = ".trans.txt"
AUDIO = (".flac", ".wav", ".ogg", ".opus", ".mp3")


def is_librispeech(path: Path) -> bool:
    return bool(files_below(path, (TRANSCRIPTS,)))


def read_librispeech(path: Path) -> Reading:
    tables = files_below(path, (TRANSCRIPTS,))
    total = sum(len(lines_of(decoded(path / table))) for table in tables)
    return Reading(path, _entries(path, tables), total)


def _entries(root: Path, tables: list[str]) -> Iterator[Entry]:
    places = AudioPlaces(root)
    genders = _genders(root)
    for table in tables:
        folder = (root / table).parent
        below = folder.relative_to(root).as_posix()
        for number, line in enumerate(lines_of(decoded(root / table)), start=1):
            utterance, _, text = line.strip().partition(" ")
            try:
                if not text.strip():
                    raise CorpusError(N_("expected an utterance and its text, got {line!r}"), line=line)
                suffix = next((suffix for suffix in AUDIO if (folder / (utterance + suffix)).is_file()), AUDIO[0])
                audio = places.relative(f"{below}/{utterance}{suffix}" if below != "." else utterance + suffix)
            except CorpusError as error:
                yield Problem("bad_row", in_line(number, error.text), "error", table, number, line[:200])
                continue
            speaker = utterance.split("-")[0]
            yield CorpusItem(
                key=audio.removesuffix(suffix), audio=audio, text=text.strip(), speaker=speaker,
                rubric=RubricName.SENTENCE, language="en", part=_part(root, folder),
                extra={"gender": genders[speaker]} if speaker in genders else {},
            )  # fmt: skip


def _part(root: Path, folder: Path) -> str | None:
    """The folder above those of speaker and chapter."""
    part = folder.parent.parent
    return part.name if part.is_relative_to(root) and part.name.startswith(("train", "dev", "test")) else None


def _genders(root: Path) -> dict[str, str]:
    file = next((path for path in (root / "SPEAKERS.TXT", root.parent / "SPEAKERS.TXT") if path.is_file()), None)
    if file is None:
        return {}
    rows = [line.split("|") for line in lines_of(decoded(file)) if line.strip() and not line.startswith(";")]
    return {row[0].strip(): row[1].strip().lower() for row in rows if len(row) > 1}
