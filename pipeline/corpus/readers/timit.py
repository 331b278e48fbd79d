"""TIMIT: `TRAIN/DR1/FCJF0/SA1.WAV` (NIST SPHERE) with `.TXT`, `.WRD` and `.PHN` in samples, names in either case."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from posixpath import splitext
from typing import Any

from pipeline.corpus.readers.items import Clip, CorpusItem, Entry, Reading
from pipeline.corpus.readers.places import files_below
from pipeline.corpus.readers.rows import decoded
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, about
from pipeline.records import Problem, RubricName
from pipeline.text import lines_of

RATE_HZ = 16_000
SPHERE = b"NIST_1A"
PARTS = ("train", "test")


def is_timit(path: Path) -> bool:
    """The first recording has words and phones beside it."""
    first = next(iter(files_below(path, (".phn",))), None)
    if first is None:
        return False
    stem = (path / first).with_suffix("")
    return _beside(stem, ".txt") is not None and _audio(stem) is not None


def is_sphere(file: Path) -> bool:
    """Whether a file is NIST SPHERE, which browsers cannot play."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(SPHERE)) == SPHERE
    except OSError:
        return False


def _has_sphere(path: Path) -> bool:
    return any(is_sphere(path / name) for name in files_below(path, (".wav",))[:1])


def read_timit(path: Path) -> Reading:
    names = [splitext(name)[0] for name in files_below(path, (".txt",))]
    stems = [name for name in names if _audio(path / name) is not None]
    copies = _has_sphere(path)
    return Reading(path, _entries(path, stems, copies), len(stems), lambda: copies)


def _entries(root: Path, stems: list[str], copies: bool) -> Iterator[Entry]:
    for name in stems:
        stem = root / name
        audio = _audio(stem)
        if audio is None:
            continue
        try:
            yield _item(root, stem, audio, copies)
        except (CorpusError, OSError, ValueError, IndexError) as error:
            yield Problem("bad_row", about(name, said_by(error)), "error", name)


def _item(root: Path, stem: Path, audio: Path, copies: bool) -> CorpusItem:
    text_file = _beside(stem, ".txt")
    if text_file is None:
        raise CorpusError(N_("there is no .TXT beside it"))
    _, _, text = decoded(text_file).split(maxsplit=2)
    key = stem.relative_to(root).as_posix()
    folders = [part.casefold() for part in PurePosixPath(key).parts]
    speaker = stem.parent.name.upper()
    extra: dict[str, Any] = {"gender": speaker[:1].lower()}
    region = next((part[2:] for part in folders if part[:2] == "dr" and part[2:].isdigit()), None)
    if region is not None:
        extra["dialect_region"] = int(region)
    words, phones = _labels(_beside(stem, ".wrd")), _labels(_beside(stem, ".phn"))
    extra["annotations"] = [{"tier": "words", **word} for word in words]
    extra["annotations"] += [{"tier": "phones", **phone} for phone in phones]
    plain = text.strip()
    if len(words) == len(plain.split()):
        extra["words"] = [
            {"text": shown, "phones": [], "start_s": word["start_s"], "end_s": word["end_s"]}
            for shown, word in zip(plain.split(), words, strict=True)
        ]
    return CorpusItem(
        key=key,
        audio=f"{key}.wav" if copies else audio.relative_to(root).as_posix(),
        text=plain,
        speaker=speaker,
        rubric=RubricName.SENTENCE,
        language="en",
        part=next((part for part in folders if part in PARTS), None),
        extra=extra,
        clip=Clip(audio) if copies else None,
    )


def _labels(file: Path | None) -> list[dict[str, Any]]:
    """Samples at 16 kHz to seconds."""
    if file is None:
        return []
    labels = []
    for line in lines_of(decoded(file)):
        if line.strip():
            start, end, text = line.split(maxsplit=2)
            labels.append({"start_s": int(start) / RATE_HZ, "end_s": int(end) / RATE_HZ, "text": text.strip()})
    return labels


def _beside(stem: Path, suffix: str) -> Path | None:
    for candidate in (stem.with_name(stem.name + suffix), stem.with_name(stem.name + suffix.upper())):
        if candidate.is_file():
            return candidate
    return None


def _audio(stem: Path) -> Path | None:
    """Some releases hold RIFF files as `SA1.WAV.wav` beside the SPHERE ones."""
    return _beside(stem, ".wav.wav") or _beside(stem, ".WAV.wav") or _beside(stem, ".wav") or _beside(stem, ".flac")
