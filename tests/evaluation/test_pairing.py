"""What a scorer answered beside what a manifest's experts said, with and without the experts' detail."""

from dataclasses import replace
from typing import Any

from pipeline.corpus.readers.items import CorpusItem
from pipeline.evaluation.pairing import experts_of, human_ceiling, pair_of, target_of_item
from pipeline.records import PhoneScore, RubricName, ScoreResult, Target, Verdict, WordScore

DETAIL = {"accuracy": [8, 9, 7, 8, 8], "stress": [10] * 5, "total": [8] * 5, "transcribed": ["S IY", "(TH) IY"]}


def item(**word: Any) -> CorpusItem:
    said = {"text": "SEE", "phones": ["S", "IY1"], "phones_accuracy": [0.4, 2.0], **word}
    return CorpusItem(
        "k", "a.wav", "SEE", "s1", RubricName.SENTENCE, "en", released={"total": 6.0, "completeness": 10.0},
        median={"total": 7.0, "completeness": 1.0}, extra={"words": [said]},
    )  # fmt: skip


def result() -> ScoreResult:
    phones = (
        PhoneScore("S", 20.0, 0.0, 0.1, Verdict.WRONG, "TH", before=("AH",)), PhoneScore("IY", 90.0, 0.1, 0.2),
    )  # fmt: skip
    word = WordScore("see", 70.0, 0.0, 0.2, phones, dimensions={"accuracy": 7.0, "stress": 10.0, "total": 7.0})
    return ScoreResult(
        61.0, "poor", "ml_model", "speech", "m", Target("see"), dimensions={"total": 6.1}, words=(word,),
        heard_phones=("TH", "IY"), heard_text="the",
    )  # fmt: skip


def test_with_all_detail_every_level_is_set_side_by_side() -> None:
    found = pair_of(item(**DETAIL), result())
    assert found.reference == {"total": 6.0, "completeness": 10.0}
    assert found.word_reference == {"accuracy": (8.0,), "stress": (10.0,), "total": (8.0,)}
    assert (found.phone_reference, found.phone_predicted) == ((0.4, 2.0), (0.4, 1.8))
    assert found.perceived == ("TH", "IY")
    assert found.diagnosed == ("AH", "TH", "IY")
    assert found.recognised_words == ("the",)


def test_without_word_scores_the_other_levels_stay() -> None:
    found = pair_of(item(), result())
    assert found.word_reference == {}
    assert found.phone_reference == (0.4, 2.0)


def test_the_median_counts_where_nothing_was_released() -> None:
    bare = CorpusItem("k", "a.wav", "SEE", "s", RubricName.SENTENCE, median={"total": 7.0, "completeness": 0.8})
    found = pair_of(bare, result())
    assert found.reference == {"total": 7.0, "completeness": 8.0}
    assert (found.phone_reference, found.perceived) == ((), None)


def test_the_corpus_phones_are_given_to_the_scorer() -> None:
    assert target_of_item(item()).phones == (("S", "IY1"),)
    assert target_of_item(item(phones=[])).phones is None


def test_people_are_measured_where_all_have_rated() -> None:
    rated = [
        CorpusItem(str(n), "a.wav", "x", "s", RubricName.SENTENCE, experts={"total": [n, n + 1, n + (n % 2)]})
        for n in range(6)
    ]  # fmt: skip
    assert 0.9 < human_ceiling(rated)["total"] <= 1.0
    assert human_ceiling([*rated, CorpusItem("z", "a.wav", "x", "s", RubricName.SENTENCE)]) == {}
    assert len(experts_of([*rated, *varied()])) == 3
    assert experts_of([*rated, CorpusItem("z", "a.wav", "x", "s", RubricName.SENTENCE)]) == ()


def varied() -> list[CorpusItem]:
    """In more than one band."""
    return [
        CorpusItem(str(n), "a.wav", "x", "s", RubricName.SENTENCE, experts={"total": [n, n, n]}) for n in (6, 7, 8, 9)
    ]


def test_stress_counts_apart_where_a_word_has_two_syllables() -> None:
    assert pair_of(item(**DETAIL), result()).stress_of_long == ()
    phones = (PhoneScore("IY", 20.0, 0.0, 0.1), PhoneScore("IY", 90.0, 0.1, 0.2))
    word = WordScore("see", 70.0, 0.0, 0.2, phones, dimensions={"stress": 9.0})
    said = {**DETAIL, "phones": ["IY1", "IY0"], "transcribed": ["IY IY"] * 2, "stress": [10, 5, 10, 10, 5]}
    assert pair_of(item(**said), replace(result(), words=(word,))).stress_of_long == ((8.0, 9.0),)
