"""The columns of the CTC head, and the aspects that are scored, in their order."""

from collections.abc import Iterable

from pipeline.phones import PHONES, UNKNOWN

BLANK_NAME = "<blank>"
LABELS: tuple[str, ...] = (BLANK_NAME, *PHONES, UNKNOWN)
INDEX: dict[str, int] = {name: number for number, name in enumerate(LABELS)}
UTTERANCE_ASPECTS = ("accuracy", "fluency", "prosodic", "total")
WORD_ASPECTS = ("accuracy", "stress", "total")
# The units the network works in: phones from the best score down, words about a centre.
BEST_PHONE = 2.0
WORD_CENTRE, WORD_SPREAD = 9.0, 2.0


def encode(phones: Iterable[str]) -> list[int]:
    """Label numbers of phones without stress. Raises KeyError for what is none."""
    return [INDEX[phone] for phone in phones]


def decode(labels: Iterable[int]) -> list[str]:
    return [LABELS[label] for label in labels]
