"""What people put into the names of their files: the word, its number, the speaker."""

import re
from collections.abc import Sequence
from enum import StrEnum

from pipeline.text import composed

_NUMBERED = re.compile(r"\d+[_\-\s]+(?P<rest>.*\S)")
_SEPARATOR = re.compile(r"[_\-]")
_WORD = re.compile(r"[^\W\d_]+(['’ -][^\W\d_]+)*")


class NameRule(StrEnum):
    NONE = "none"
    WORD = "word"
    NUMBER_WORD = "number_word"
    WORD_SPEAKER = "word_speaker"
    SPEAKER_WORD = "speaker_word"


def read_name(stem: str, rule: NameRule) -> tuple[str, str]:
    """Text and speaker by the name of a file without its ending; "" for what the rule does not find in it."""
    stem = composed(stem).strip()
    if rule is NameRule.WORD:
        return _text(stem), ""
    if rule is NameRule.NUMBER_WORD:
        return _text(_without_number(stem)), ""
    cuts = [match.start() for match in _SEPARATOR.finditer(stem)]
    if rule is NameRule.NONE or not cuts:
        return "", ""
    cut = cuts[-1] if rule is NameRule.WORD_SPEAKER else cuts[0]
    before, after = stem[:cut].strip(), stem[cut + 1 :].strip()
    return (_text(before), after) if rule is NameRule.WORD_SPEAKER else (_text(after), before)


def likely_rule(stems: Sequence[str]) -> NameRule:
    """By which rule names were probably given; NONE where it could be more than one, or none."""
    names = [composed(stem).strip() for stem in stems]
    if not names:
        return NameRule.NONE
    has_numbers = any(_NUMBERED.fullmatch(name) for name in names)
    if has_numbers and all(_WORD.fullmatch(_text(_without_number(name))) for name in names):
        return NameRule.NUMBER_WORD
    pairs = [name.split("_") for name in names]
    if all(len(pair) == 2 and all(pair) for pair in pairs):
        n_first, n_last = (len({pair[place] for pair in pairs}) for place in (0, 1))
        first_are_words, last_are_words = (all(_WORD.fullmatch(pair[place]) for pair in pairs) for place in (0, 1))
        if first_are_words and (n_last < n_first or not last_are_words):
            return NameRule.WORD_SPEAKER
        if last_are_words and (n_first < n_last or not first_are_words):
            return NameRule.SPEAKER_WORD
        return NameRule.NONE
    return NameRule.WORD if all(_WORD.fullmatch(name) and " " not in name for name in names) else NameRule.NONE


def _without_number(name: str) -> str:
    match = _NUMBERED.fullmatch(name)
    return match["rest"] if match else name


def _text(name: str) -> str:
    return " ".join(name.replace("_", " ").split())
