"""What experts heard, from the notation of their transcriptions."""

import pytest

from pipeline.corpus.transcriptions import HeardWord, heard_by, heard_by_most, word_hearings
from pipeline.phones import DELETED, UNKNOWN, bare, stress_of


@pytest.mark.parametrize(
    ("canonical", "transcription", "accuracy", "heard"),
    [
        ("W IY", "W IY", (2, 2), "W IY"),
        ("K AO L", "K {AO} L", (2, 1.8, 2), "K AO L"),  # an accent is not another phone
        ("B EH R", "B (EH) R", (2, 1, 2), f"B {UNKNOWN} R"),
        ("P EY N T", "P (EH) N T", (2, 0.4, 2, 2), "P EH N T"),
        ("P EY N T", "P (EY N T)", (2, 0.4, 1, 1), f"P {UNKNOWN} {UNKNOWN} {UNKNOWN}"),
        ("AE N D", "AX N D", (2, 2, 2), "AE N D"),  # a weak form that everybody took for right
        ("TH IH N", "S IH N", (0.4, 2, 2), "S IH N"),
        ("DH EH R", "DH AR", (2, 2, 2), "DH EH R"),
        ("HH IH AH", "HH IR", (2, 2, 2), "HH IH AH"),
        ("IH T S", "IH TS", (2, 2, 2), "IH T S"),
        ("W AH N T S", "W OO N (TS)", (2, 2, 2, 1, 1), f"W AH N {UNKNOWN} {UNKNOWN}"),
        ("W AH N T", "W AH N", (2, 2, 2, 0.4), f"W AH N {DELETED}"),
        ("F AO", "F AO R", (2, 2), "F AO"),
        ("N D", "N () ", (2, 0.0), f"N {DELETED}"),
    ],
)  # fmt: skip
def test_one_expert_on_one_word(canonical: str, transcription: str, accuracy: tuple[float, ...], heard: str) -> None:
    assert list(heard_by(canonical.split(), transcription, accuracy).phones) == heard.split()


def test_square_brackets_are_phones_that_were_added() -> None:
    word = heard_by(["B", "IH", "G"], "B IH [AX] G [S]", (2, 2, 2))
    assert word.phones == ("B", "IH", "G")
    assert word.added == ((2, "AH"), (3, "S"))
    assert word.sequence() == ["B", "IH", "AH", "G", "S"]


def test_what_was_left_out_is_not_in_the_sequence() -> None:
    assert HeardWord(("B", DELETED, "G")).sequence() == ["B", "G"]


def test_the_verdict_follows_the_corpus_rule_and_the_majority() -> None:
    canonical = ["TH", "IH", "N"]
    heard = [
        heard_by(canonical, text, (0.4, 0.6, 2))
        for text in ("S IH N", "(S) IH N", "(TH) (IH) N", "(S) IH N", "TH (IH) N")
    ]
    verdict = heard_by_most(canonical, heard, (0.4, 0.6, 2))
    assert verdict.phones == ("S", "IH", "N")  # .6 is not under .5
    assert heard_by_most(canonical, [], (0.0, 2, 2)).phones == (UNKNOWN, "IH", "N")


def test_phones_are_added_where_three_experts_heard_them() -> None:
    three = [heard_by(["G"], text, (2,)) for text in ("[AX] G", "[AX] G", "[IH] G", "G", "G [S]")]
    assert heard_by_most(["G"], three, (2,)).added == ((0, "AH"),)
    assert heard_by_most(["G"], three[1:], (2,)).added == ()


def test_a_word_of_a_manifest() -> None:
    word = {"text": "G", "phones": ["G0", "OW1"], "phones_accuracy": [2.0, 0.2], "transcribed": ["G (OW)", "G (AH)"]}
    canonical, experts, verdict = word_hearings(word)
    assert canonical == ["G", "OW"]
    assert [expert.phones[1] for expert in experts] == [UNKNOWN, "AH"]
    assert verdict.phones == ("G", "AH")  # a phone before an unknown sound where both were heard as often


def test_stress_is_apart_from_the_phone() -> None:
    assert (bare("AH0"), bare("G1"), bare("NG")) == ("AH", "G", "NG")
    assert (stress_of("AH2"), stress_of("T")) == (2, 0)
