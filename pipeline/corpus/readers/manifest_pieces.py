"""Rows of manifests that are a piece of a longer recording: the times they name, and the length of the file."""

import math
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.audio.load import duration_of
from pipeline.corpus.readers.items import ROUNDED_S, Clip, CorpusItem
from pipeline.corpus.readers.manifest_columns import TIMES
from pipeline.errors import AudioError, CorpusError
from pipeline.i18n import N_

CUT_FROM = "cut_from"  # the times of a row, kept where they cut nothing more


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


def _is_all(start: float, end: float | None, length_s: float | None) -> bool:
    """Whether a piece is its whole file: from its beginning to its end, or cut out already, so that its times are those
    in another file."""
    if end is None or length_s is None:
        return start == 0.0
    is_as_long = abs(length_s - (end - start)) <= ROUNDED_S
    return is_as_long and (start == 0.0 or end - length_s > ROUNDED_S)
