"""L2-ARCTIC: a folder per speaker with `wav/`, `transcript/`, `textgrid/` (aligned) and `annotation/` (by experts).

In `annotation/`, a phone that was said otherwise is "CPL,PPL,type": the canonical phone, the perceived one, and s
(substituted), d (deleted: perceived as `sil`) or a (added: canonical `sil`). These become the words' mispronunciations,
in the form of speechocean762: `index` of the canonical phone, `canonical_phone` (empty for an added one, which came
before that index) and `pronounced_phone`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpus.readers.items import CorpusItem, Entry, Reading
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.corpus.readers.rows import decoded
from pipeline.corpus.readers.textgrids import (
    PAUSES,
    PHONE_TIERS,
    WORD_TIERS,
    Label,
    as_annotations,
    read_textgrid,
    textgrid_of,
    tier,
)
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message, about
from pipeline.phones import DELETED, PHONES, UNKNOWN, bare
from pipeline.records import Problem, RubricName
from pipeline.text import composed

# From the corpus's README: first language and gender of its speakers.
SPEAKERS = {
    "ABA": ("Arabic", "m"), "SKA": ("Arabic", "f"), "YBAA": ("Arabic", "m"), "ZHAA": ("Arabic", "f"),
    "BWC": ("Mandarin", "m"), "LXC": ("Mandarin", "f"), "NCC": ("Mandarin", "f"), "TXHC": ("Mandarin", "m"),
    "ASI": ("Hindi", "m"), "RRBI": ("Hindi", "m"), "SVBI": ("Hindi", "f"), "TNI": ("Hindi", "f"),
    "HJK": ("Korean", "f"), "HKK": ("Korean", "m"), "YDCK": ("Korean", "f"), "YKWK": ("Korean", "m"),
    "EBVS": ("Spanish", "m"), "ERMS": ("Spanish", "m"), "MBMPS": ("Spanish", "f"), "NJS": ("Spanish", "f"),
    "HQTV": ("Vietnamese", "m"), "PNV": ("Vietnamese", "f"), "THV": ("Vietnamese", "f"), "TLV": ("Vietnamese", "m"),
}  # fmt: skip
KINDS = {"s": "substitution", "d": "deletion", "a": "addition"}
SILENT = ("sil", "sp", "spn", "")


@dataclass(frozen=True)
class _Phone:
    """One place of the annotation tier; `canonical` is empty for an added phone, `kind` for a right one."""

    canonical: str
    perceived: str
    kind: str
    middle_s: float


def is_l2arctic(path: Path) -> bool:
    return bool(_speakers(path))


def read_l2arctic(path: Path) -> Reading:
    recordings = [audio for speaker in _speakers(path) for audio in sorted((speaker / "wav").glob("*.wav"))]
    return Reading(path, _entries(path, recordings), len(recordings))


def _speakers(path: Path) -> list[Path]:
    """Folders, here or up to two levels below (the archives hold `ABA/ABA/`)."""
    candidates = [path, *(folder for pattern in ("*", "*/*") for folder in sorted(path.glob(pattern)))]
    return [
        folder
        for folder in candidates
        if (folder / "wav").is_dir() and any((folder / name).is_dir() for name in ("annotation", "textgrid"))
    ]


def _entries(root: Path, recordings: list[Path]) -> Iterator[Entry]:
    places = AudioPlaces(root)
    for path in recordings:
        relative = path.relative_to(root).as_posix()
        speaker = path.parent.parent
        problems: list[str] = []
        try:
            audio = places.relative(relative)
            extra = _extra(speaker, path.stem, problems)
            text = _text(speaker, path.stem, extra)
        except (CorpusError, OSError) as error:
            yield Problem("bad_row", about(relative, said_by(error)), "error", relative)
            continue
        for problem in problems:
            yield Problem("bad_annotation", about(relative, problem), "warning", relative)
        yield CorpusItem(
            key=composed(audio.removesuffix(".wav")), audio=audio, text=text, speaker=speaker.name,
            rubric=RubricName.SENTENCE, language="en", extra=extra,
        )  # fmt: skip


def _text(speaker: Path, stem: str, extra: dict[str, Any]) -> str:
    file = speaker / "transcript" / f"{stem}.txt"
    text = decoded(file).strip() if file.is_file() else " ".join(word["text"] for word in extra.get("words", []))
    if not text:
        raise CorpusError(N_("there is no transcript/{stem}.txt"), stem=stem)
    return " ".join(text.split())


def _extra(speaker: Path, stem: str, problems: list[str]) -> dict[str, Any]:
    """The experts' annotation, else the aligned one, where it can be read."""
    extra: dict[str, Any] = {}
    if speaker.name in SPEAKERS:
        extra["first_language"], extra["gender"] = SPEAKERS[speaker.name]
    for name in ("annotation", "textgrid"):
        file = textgrid_of(speaker / name / f"{stem}.wav")
        if file is None:
            continue
        try:
            tiers = read_textgrid(file)
        except CorpusError as error:
            problems.append(Message("{folder}/{reason}", folder=name, reason=error.text))
            continue
        words = [label for label in tier(tiers, WORD_TIERS) if label.text.casefold() not in PAUSES]
        phones = [_phone(label, problems) for label in tier(tiers, PHONE_TIERS)]
        placed = _placed(words, [phone for phone in phones if phone is not None])
        return {
            **extra,
            "annotated_by": "experts" if name == "annotation" else "aligner",
            "annotations": as_annotations(tiers),
            "words": [_word(word, said, name) for word, said in zip(words, placed, strict=True)],
        }
    return extra


def _phone(label: Label, problems: list[str]) -> _Phone | None:
    """None for a pause. A perceived phone with an asterisk is near that phone, `err` is none that fits."""
    middle = (label.start_s + label.end_s) / 2
    canonical, *rest = [part.strip() for part in label.text.split(",")]
    if not rest:
        return None if canonical.casefold() in SILENT else _Phone(canonical.upper(), canonical.upper(), "", middle)
    if len(rest) != 2 or rest[1].casefold() not in KINDS:
        problems.append(f"{label.text!r} at {label.start_s:.2f} s is not of the form CPL,PPL,type")
        return None
    perceived = rest[0].rstrip("*`").strip().upper()
    is_added = canonical.casefold() in SILENT
    said = DELETED if perceived.casefold() in SILENT else perceived if bare(perceived) in PHONES else UNKNOWN
    return _Phone("" if is_added else canonical.upper(), said, KINDS[rest[1].casefold()], middle)


def _placed(words: Sequence[Label], phones: Sequence[_Phone]) -> list[list[_Phone]]:
    """The phones of each word; one added between words belongs to the word before it, else to the first."""
    placed: list[list[_Phone]] = [[] for _ in words]
    for phone in phones:
        begun = [number for number, word in enumerate(words) if word.start_s <= phone.middle_s]
        if words:
            placed[begun[-1] if begun else 0].append(phone)
    return placed


def _word(word: Label, said: Sequence[_Phone], source: str) -> dict[str, Any]:
    canonical = [phone.canonical for phone in said if phone.canonical]
    fits = all(bare(phone) in PHONES for phone in canonical)
    found: dict[str, Any] = {
        "text": word.text, "phones": canonical if fits else [], "start_s": word.start_s, "end_s": word.end_s,
    }  # fmt: skip
    if source != "annotation" or not fits:
        return found
    wrong, index = [], 0
    for phone in said:
        if phone.kind:
            wrong.append({
                "index": index, "canonical_phone": bare(phone.canonical), "pronounced_phone": bare(phone.perceived),
                "type": phone.kind,
            })  # fmt: skip
        index += bool(phone.canonical)
    return {**found, "mispronunciations": wrong}
