"""Praat TextGrids: long and short form, UTF-8 and UTF-16, interval and point tiers.

Read as Praat itself reads them: of the text, strings in quotes, free-standing numbers and `<exists>` count, and all
else is decoration. (praatio, which writes ours, leaves doubled quotes in point tiers and ends without a word where a
short file is cut off.)
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from posixpath import split, splitext
from typing import Any

from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.readers.rows import decoded
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message
from pipeline.phones import PHONES, bare
from pipeline.records import Seconds

SUFFIX = ".textgrid"
SUFFIXES = (".TextGrid", ".textgrid")
WORD_TIERS = ("words", "word", "orthography", "ort", "ort-mau")
PHONE_TIERS = ("phones", "phone", "phonemes", "segments", "mau")
PAUSES = ("", "sil", "sp", "spn", "<eps>", "<sil>", "sp1", "#", "<p:>", "pau", "h#")
FLAG = "<exists>"  # a TextGrid without it has no tiers
_TOKEN = re.compile(r'"(?:[^"]|"")*"|<exists>|<absent>|![^\n]*|[^\s"]+')
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Label:
    """What stands on a tier from `start_s` to `end_s`; of a point tier, both are the same."""

    start_s: Seconds
    end_s: Seconds
    text: str


@dataclass(frozen=True)
class Tier:
    name: str
    labels: tuple[Label, ...]


def read_textgrid(path: Path) -> list[Tier]:
    """The tiers with their labels, empty ones left out. Raises CorpusError for what is no TextGrid or ends early."""
    try:
        tokens = _tokens(decoded(path))
        if [next(tokens), next(tokens)] != ["ooTextFile", "TextGrid"]:
            raise CorpusError(N_("{file} is no TextGrid in text form; save it in Praat as a text file"), file=path.name)
        next(tokens), next(tokens)  # begin and end
        if next(tokens) != FLAG:
            return []
        return [_tier(tokens) for _ in range(_count(next(tokens)))]
    except StopIteration:
        raise CorpusError(N_("{file} ends before all its labels; save it again"), file=path.name) from None
    except (OSError, ValueError) as error:
        raise CorpusError(
            N_("{file} cannot be read as a TextGrid ({reason})"), file=path.name, reason=said_by(error)
        ) from error


def tier(tiers: Sequence[Tier], names: Sequence[str]) -> tuple[Label, ...]:
    """The labels of the first tier of one of these names; `Ana - words` is a name of words, as MFA writes it."""
    for name in names:
        for candidate in tiers:
            if candidate.name.casefold().rpartition(" - ")[2].strip() == name:
                return candidate.labels
    return ()


def annotated(item: CorpusItem, path: Path) -> CorpusItem:
    """With the tiers as `annotations`, and with words in time where a tier of words has those of the text. Raises
    CorpusError."""
    tiers = read_textgrid(path)
    extra = {**item.extra, "annotations": as_annotations(tiers)}
    words = [label for label in tier(tiers, WORD_TIERS) if label.text.casefold() not in PAUSES]
    if "words" not in extra and len(words) == len(item.text.split()):
        phones = [label for label in tier(tiers, PHONE_TIERS) if label.text.casefold() not in PAUSES]
        texts = item.text.split()
        extra["words"] = [timed_word(text, word, phones) for text, word in zip(texts, words, strict=True)]
    return replace(item, extra=extra)


def as_annotations(tiers: Sequence[Tier]) -> list[dict[str, Any]]:
    return [
        {"tier": one.name, "start_s": label.start_s, "end_s": label.end_s, "text": label.text}
        for one in tiers
        for label in one.labels
    ]


def timed_word(text: str, word: Label, phones: Sequence[Label]) -> dict[str, Any]:
    """A word with its times and those phones within it; phones of another alphabet than CMU's are left to the
    annotations, as no scorer here knows them."""
    within = [phone for phone in phones if word.start_s <= (phone.start_s + phone.end_s) / 2 < word.end_s]
    symbols = [phone.text.upper() for phone in within]
    timed = {"text": text, "start_s": word.start_s, "end_s": word.end_s, "phones": []}
    if not symbols or any(bare(symbol) not in PHONES for symbol in symbols):
        return timed
    return {**timed, "phones": symbols, "phone_times_s": [[phone.start_s, phone.end_s] for phone in within]}


class TextGridsBeside:
    """Finds the TextGrid beside a recording with one look at each folder."""

    def __init__(self) -> None:
        self._folder = ""
        self._names: dict[str, str] = {}

    def of(self, audio: str) -> Path | None:
        """`audio` is a full path, recordings of one folder one after the other."""
        folder, name = split(audio)
        if folder != self._folder:
            self._folder = folder
            try:
                there = [path.name for path in Path(folder).iterdir() if path.name.lower().endswith(SUFFIX)]
            except OSError:
                there = []
            self._names = {splitext(entry)[0]: entry for entry in there}
        grid = self._names.get(splitext(name)[0])
        return None if grid is None else Path(folder, grid)


def textgrid_of(audio: Path) -> Path | None:
    """The TextGrid beside a recording."""
    for suffix in SUFFIXES:
        path = audio.with_suffix(suffix)
        if path.is_file():
            return path
    return None


def _tokens(text: str) -> Any:
    for token in _TOKEN.findall(text):
        if token.startswith('"'):
            yield token[1:-1].replace('""', '"')
        elif token == FLAG or _NUMBER.fullmatch(token):
            yield token


def _tier(tokens: Any) -> Tier:
    kind, name = next(tokens), next(tokens)
    next(tokens), next(tokens)
    labels = []
    for _ in range(_count(next(tokens))):
        start = _finite(next(tokens))
        end = _finite(next(tokens)) if kind == "IntervalTier" else start
        label = Label(start, end, next(tokens).strip())
        if label.text:
            labels.append(label)
    return Tier(name, tuple(labels))


def _count(token: str) -> int:
    return int(_finite(token))


def _finite(token: str) -> float:
    """Raises ValueError for a number that is none, or too large for one."""
    number = float(token)
    if not math.isfinite(number):
        raise ValueError(Message(N_("{token} is too large"), token=token))
    return number
