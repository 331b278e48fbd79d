"""Sentence and words say the same."""

import pytest

from pipeline.records import Verdict, WordScore
from pipeline.scoring.speech.agreement import in_agreement, verdict_of_word


def words(*accuracies: float) -> list[WordScore]:
    return [
        WordScore("word", round(10 * value, 1), 0.0, 1.0, (), verdict_of_word(value), {"accuracy": value})
        for value in accuracies
    ]


@pytest.mark.parametrize(
    ("total", "accuracies", "lifted", "right"),
    [
        (8.0, (9.1, 9.4, 9.9), 8.0, [0, 1, 2]),  # they agree
        (7.9, (9.1, 9.4, 9.9), 8.0, [0, 1, 2]),  # nearly
        (7.5, (9.1, 9.4, 9.9), 7.5, [1, 2]),  # the weakest word is what makes it no more than fair
        (7.5, (9.1, 8.0, 9.9), 7.5, [0, 2]),
        (5.0, (9.1, 9.4, 9.9), 5.0, [2]),  # fewer than two thirds
        (5.9, (9.1, 9.4, 5.0), 6.0, [0, 1]),
        (5.0, (9.1, 9.4, 5.0), 5.0, [1]),
        (5.0, (9.1, 5.0, 5.0), 5.0, [0]),
        (5.0, (9.6,), 5.0, []),
        (5.9, (9.1, 9.4, 9.9), 6.0, [1, 2]),  # lifted to understandable, far from good
    ],
)
def test_no_more_words_are_right_than_the_sentence_allows(
    total: float, accuracies: tuple[float, ...], lifted: float, right: list[int]
) -> None:
    agreed, found = in_agreement(total, words(*accuracies))
    assert agreed == lifted
    assert [number for number, word in enumerate(found) if word.verdict is Verdict.RIGHT] == right
    assert all(verdict_of_word(word.dimensions["accuracy"]) is word.verdict for word in found)
    assert all(word.score == pytest.approx(10 * word.dimensions["accuracy"], abs=0.1) for word in found)
    assert in_agreement(agreed, found) == (agreed, found)
