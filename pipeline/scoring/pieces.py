"""The words of a result laid over the text as it is written: `25` is said as two words and shown as one."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from pipeline.records import Verdict, WordScore

_FROM_WORST = (Verdict.MISSING, Verdict.WRONG, Verdict.ACCENTED, Verdict.RIGHT)


def as_written(words: Sequence[WordScore]) -> list[WordScore]:
    """One word for each part of the text, with its spelling."""
    groups = [list(group) for _, group in groupby(words, key=lambda word: (word.token, word.written or word.text))]
    return [_joined(group, group[0].written or group[0].text) for group in groups]


def by_piece(text: str, words: Sequence[WordScore]) -> tuple[WordScore, ...]:
    """One for each piece between blanks, as people's marks count them; without length where nothing is said for it."""
    pieces: list[WordScore] = []
    for token, piece in enumerate(text.split()):
        group = [word for word in words if word.token == token]
        at_s = pieces[-1].end_s if pieces else 0.0
        pieces.append(_joined(group, piece) if group else WordScore(piece, 0.0, at_s, at_s, written=piece, token=token))
    return tuple(pieces)


def _joined(group: Sequence[WordScore], text: str) -> WordScore:
    worst = min((word.verdict for word in group), key=_FROM_WORST.index)
    return replace(
        group[0],
        text=text,
        score=round(sum(word.score for word in group) / len(group), 1),
        end_s=group[-1].end_s,
        phones=tuple(phone for word in group for phone in word.phones),
        verdict=worst,
        heard=" ".join(filter(None, (word.heard for word in group))) or None,
    )
