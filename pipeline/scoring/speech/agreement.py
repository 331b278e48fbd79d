"""What is said of a word by its accuracy, and that it agrees with what is said of the sentence."""

import math
from collections.abc import Sequence
from dataclasses import replace

from pipeline.records import Verdict, WordScore

RIGHT_WORD, POOR_WORD = 9.0, 6.0  # accuracy of 10
# With two thirds of the words right a sentence is at least understandable, with all of them at least good. Experts'
# scores contradict that (of 239 training sentences with a total of 4 to 6, 60 % have two thirds of their words right).
# So the sentence is given MOST_LIFTED at most, which is less than a score may move for other reasons; beyond that its
# weakest words are not called right.
LEAST_TOTAL = {2.0 / 3.0: 6.0, 1.0: 8.0}
MOST_LIFTED = 0.2
JUST_NOT_RIGHT = RIGHT_WORD - 0.01


def verdict_of_word(accuracy: float) -> Verdict:
    return Verdict.RIGHT if accuracy >= RIGHT_WORD else Verdict.ACCENTED if accuracy >= POOR_WORD else Verdict.WRONG


def in_agreement(total: float, words: Sequence[WordScore]) -> tuple[float, list[WordScore]]:
    """The sentence's total (0-10), and the words, of which the weakest are no longer right where too many would be for
    that total."""
    agreeing = list(words)
    for share, least in LEAST_TOTAL.items():
        best_first = sorted(
            (number for number, word in enumerate(agreeing) if word.verdict is Verdict.RIGHT),
            key=lambda number: -agreeing[number].dimensions["accuracy"],
        )
        if total >= least or len(best_first) < share * len(agreeing):
            continue
        if least - total <= MOST_LIFTED:
            total = least
            continue
        for number in best_first[math.ceil(share * len(agreeing)) - 1 :]:
            agreeing[number] = _with_accuracy(agreeing[number], JUST_NOT_RIGHT)
    return total, agreeing


def _with_accuracy(word: WordScore, accuracy: float) -> WordScore:
    return replace(
        word,
        score=round(10.0 * accuracy, 1),
        verdict=verdict_of_word(accuracy),
        dimensions={**word.dimensions, "accuracy": accuracy},
    )
