"""Praat TextGrids: words and phones where somebody aligned them, marks, and everybody's ratings.

Times come from an aligner (the speech scorer, for English sentences). Where there is none, nobody knows when a word was
said: the text then stands over the whole recording, and marks name their word.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.errors import LabelError
from pipeline.records import RatingAction, RatingEvent, Recording, WordScore

Aligner = Callable[[Recording, Path], Sequence[WordScore]]
SHORTEST_S = 1e-3


def write_textgrid(
    path: Path, recording: Recording, ratings: Mapping[str, RatingEvent], words: Sequence[WordScore] = ()
) -> None:
    """One file. Raises LabelError for a recording whose length is not known."""
    from praatio import textgrid
    from praatio.utilities.constants import Interval

    duration = 0.0 if recording.report is None else recording.report.duration_s
    if duration <= 0.0:
        raise LabelError(f"The length of {recording.id} is unknown. Import its set again.")
    grid = textgrid.Textgrid(0.0, duration)

    def add(name: str, spans: Sequence[tuple[float, float, str]]) -> None:
        entries, last = [], 0.0
        for start, end, label in sorted(spans):
            begin, stop = max(start, last), min(end, duration)
            if stop - begin >= SHORTEST_S:
                entries.append(Interval(round(begin, 6), round(stop, 6), label))
                last = stop
        grid.addTier(textgrid.IntervalTier(name, entries, 0.0, duration))

    text = recording.text.split()
    add("words", [(w.start_s, w.end_s, w.text) for w in words] or [(0.0, duration, recording.text)])
    if words:
        add("phones", [(p.start_s, p.end_s, p.phone) for word in words for p in word.phones])
    for name, event in sorted(ratings.items()):
        add(f"marks {name}", _marks(event, words, text, duration))
    said = "; ".join(f"{name}: {_said(event)}" for name, event in sorted(ratings.items()))
    add("ratings", [(0.0, duration, said)] if said else [])
    path.parent.mkdir(parents=True, exist_ok=True)
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)


def _marks(
    event: RatingEvent, words: Sequence[WordScore], text: Sequence[str], duration: float
) -> list[tuple[float, float, str]]:
    timed: list[tuple[float, float, str]] = []
    untimed: list[str] = []
    for mark in event.marks:
        label = mark.kind + (f" ({mark.heard})" if mark.heard else "")
        if mark.word < len(words):
            word = words[mark.word]
            phone = word.phones[mark.phone] if mark.phone is not None and mark.phone < len(word.phones) else None
            timed.append((phone.start_s, phone.end_s, label) if phone else (word.start_s, word.end_s, label))
        else:
            name = text[mark.word] if mark.word < len(text) else f"word {mark.word + 1}"
            untimed.append(f"{name}{'' if mark.phone is None else f', sound {mark.phone + 1}'}: {label}")
    return timed or ([(0.0, duration, "; ".join(untimed))] if untimed else [])


def _said(event: RatingEvent) -> str:
    if event.action is not RatingAction.RATE:
        return f"{event.action} ({event.reason})"
    values = ", ".join(f"{key} {value:g}" for key, value in event.dimensions.items()) or f"{event.score:g}"
    return f"{values}{f' - {event.notes}' if event.notes else ''}"
