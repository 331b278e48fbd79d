"""For which word or sound of the text a segment stands, told by its label and its place: so that the labels of other
programs can be bare ones, and somebody can move, rename and add intervals there."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from pipeline.labels.marked_words import MarkedWord
from pipeline.labels.segments import PHONES, WORDS
from pipeline.phones import bare
from pipeline.records import Segment


def with_words(segments: Sequence[Segment], words: Sequence[MarkedWord]) -> list[Segment]:
    """Segments of the words, each with the word that it stands for: they and the text are laid side by side, and one
    that was renamed keeps its place."""
    places = _matched([segment.label for segment in segments], [word.text for word in words])
    return [replace(segment, word=place, phone=None) for segment, place in zip(segments, places, strict=True)]


def with_phones(segments: Sequence[Segment], of_words: Sequence[Segment], words: Sequence[MarkedWord]) -> list[Segment]:
    """Segments of the phones, each with its word, which is the one that it lies in, and its place there: as in
    `with_words` where the word's phones are known, else in their order."""
    placed: dict[int, Segment] = {}
    lying = [next((word.word for word in of_words if _is_in(segment, word)), None) for segment in segments]
    for number in sorted({word for word in lying if word is not None}):
        within = [n for n, word in enumerate(lying) if word == number]
        expected = words[number].phones if number < len(words) else ()
        places: Sequence[int | None] = range(len(within))
        if expected:
            places = _matched([segments[n].label for n in within], expected)
        placed |= {n: replace(segments[n], word=number, phone=place) for n, place in zip(within, places, strict=True)}
    return [placed.get(n, replace(segment, word=None, phone=None)) for n, segment in enumerate(segments)]


def with_places(
    tier: str, segments: Sequence[Segment], of_words: Sequence[Segment], words: Sequence[MarkedWord]
) -> list[Segment]:
    """Segments of one tier; those that are neither words nor phones stand for nothing of the text."""
    if tier == WORDS:
        return with_words(segments, words)
    if tier == PHONES:
        return with_phones(segments, of_words, words)
    return [replace(segment, word=None, phone=None) for segment in segments]


def _is_in(segment: Segment, word: Segment) -> bool:
    return word.start_s <= (segment.start_s + segment.end_s) / 2 < word.end_s


def _matched(labels: Sequence[str], expected: Sequence[str]) -> list[int | None]:
    """For each label the place of what is expected there, none for what was added; what was renamed comes first."""
    places: list[int | None] = [None] * len(labels)
    plain, wanted = ([bare(text.casefold()) for text in texts] for texts in (labels, expected))
    for kind, start, end, first, last in SequenceMatcher(None, plain, wanted, autojunk=False).get_opcodes():
        if kind in ("equal", "replace"):
            n = min(end - start, last - first)
            places[start : start + n] = range(first, first + n)
    return places
