"""Pronunciations of words that no dictionary has: a small network from letters to phones, trained on the dictionary.

Each letter is read three times over, so that X can become two phones and a silent E none; the phones come out by CTC.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.phones import PHONES
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.model_files import RULES_FILE

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
REPEATS = 3
MAX_LETTERS = 30
STRESSED: tuple[str, ...] = (
    "<blank>",
    *(f"{name}{stress}" for name, phone in PHONES.items() for stress in ("012" if phone.is_vowel else ("",))),
)


def letters_of(word: str) -> list[int]:
    """Letter numbers from 1; what is no letter is left out."""
    return [LETTERS.index(letter) + 1 for letter in word.lower() if letter in LETTERS][:MAX_LETTERS]


def load_rules(folder: Path) -> Callable[[str], tuple[str, ...]] | None:
    """A function from a word to its phones with stress, of the speech model in `folder`; None where it has no rules.
    Raises ModelError for a file that cannot be loaded."""
    file = folder / RULES_FILE
    if not file.is_file():
        return None
    from pipeline.onnx_graphs import open_graph

    session = open_graph(file)

    def rules(word: str) -> tuple[str, ...]:
        (log_probs,) = session.run(("log_probs",), {"letters": np.array([letters_of(word)], dtype=np.int64)})
        found = tuple(STRESSED[label] for label in ctc.greedy(log_probs[0]))
        return found or ("AH0",)

    return rules
