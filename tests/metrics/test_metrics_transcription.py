"""Error rates and mispronunciation detection, against cases worked by hand and independent implementations."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from pipeline.metrics.mdd import DELETED, mdd, phone_match, realised
from pipeline.metrics.transcription import align, error_rate

phones = st.lists(st.sampled_from(["AA", "B", "K", "S", "T"]), max_size=12)


def test_a_hand_worked_error_rate() -> None:
    found = error_rate([["the", "cat", "sat"], ["on"]], [["the", "bat", "sat", "up"], []])
    assert (found.substitutions, found.deletions, found.insertions, found.n_reference) == (1, 1, 1, 4)
    assert found.rate == pytest.approx(0.75)
    assert error_rate([[]], [["a"]]).rate is None
    with pytest.raises(ValueError, match="2 for 1"):
        error_rate([["a"]], [["a"], ["b"]])


@given(st.lists(st.tuples(phones.filter(bool), phones), min_size=1, max_size=4))
def test_error_rates_are_those_of_jiwer(pairs: list[tuple[list[str], list[str]]]) -> None:
    references, hypotheses = ([list(side) for side in sides] for sides in zip(*pairs, strict=True))
    theirs = jiwer.wer([" ".join(side) for side in references], [" ".join(side) for side in hypotheses])
    assert error_rate(references, hypotheses).rate == pytest.approx(theirs)


@given(phones, phones)
def test_an_alignment_holds_both_sides_in_order(reference: list[str], hypothesis: list[str]) -> None:
    steps = align(reference, hypothesis)
    assert [step.reference for step in steps if step.reference is not None] == reference
    assert [step.hypothesis for step in steps if step.hypothesis is not None] == hypothesis


def test_tokens_with_blanks_are_compared_whole() -> None:
    assert error_rate([["ice cream"]], [["ice", "cream"]]).n_reference == 1
    assert error_rate([["ice cream"]], [["ice cream"]]).rate == 0


def test_a_hand_worked_diagnosis() -> None:
    """K AE T: the T was heard as D and called D (a correct diagnosis); S IH T: IH heard as IY, accepted;
    D AO G: G deleted, called K (a wrong diagnosis), and the D, said right, called T."""
    canonical = ["K AE T", "S IH T", "D AO G"]
    heard = ["K AE D", "S IY T", "D AO"]
    predicted = ["K AE D", "S IH T", "T AO K"]
    found = mdd(*([row.split() for row in side] for side in (canonical, heard, predicted)))
    assert (found.true_acceptances, found.false_rejections) == (5, 1)
    assert (found.false_acceptances, found.true_rejections, found.correct_diagnoses) == (1, 2, 1)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.false_rejection_rate == pytest.approx(1 / 6)
    assert found.false_acceptance_rate == pytest.approx(1 / 3)
    assert found.diagnosis_error_rate == pytest.approx(1 / 2)


def test_deletions_and_insertions() -> None:
    assert realised(["A", "B", "C"], ["A", "C"]) == (["A", DELETED, "C"], 0)
    assert realised(["A", "B"], ["A", "X", "B"]) == (["A", "B"], 1)
    assert realised(["A"], []) == ([DELETED], 0)
    found = mdd([["A", "B"]], [["A", "X", "B"]], [["A", "B"]])
    assert (found.true_acceptances, found.inserted_heard, found.inserted_predicted) == (2, 1, 0)
    assert found.precision is None
    assert found.recall is None
    assert found.diagnosis_error_rate is None


@given(st.lists(st.tuples(phones.filter(bool), phones, phones), min_size=1, max_size=4))
def test_precision_recall_and_f1_are_those_of_scikit_learn(rows: list[tuple[list[str], list[str], list[str]]]) -> None:
    canonical, heard, predicted = ([list(side) for side in sides] for sides in zip(*rows, strict=True))
    found = mdd(canonical, heard, predicted)
    truth, flagged = [], []
    for target, expert, system in rows:
        truth += [said != phone for said, phone in zip(realised(target, expert)[0], target, strict=True)]
        flagged += [said != phone for said, phone in zip(realised(target, system)[0], target, strict=True)]
    theirs = precision_recall_fscore_support(truth, flagged, average="binary", zero_division=0.0)
    for ours, reference in zip((found.precision, found.recall, found.f1), theirs[:3], strict=True):
        assert (ours or 0.0) == pytest.approx(reference)


def test_repeating_the_canonical_phones_matches_well_and_detects_nothing() -> None:
    canonical = [["K", "AE", "T"]] * 10
    heard = [*canonical[:9], ["K", "AE", "D"]]
    assert phone_match(heard, canonical).f1 == pytest.approx(29 / 30)
    assert mdd(canonical, heard, canonical).recall == 0
    assert phone_match([[]], [[]]).f1 is None


def test_as_many_utterances_thrice() -> None:
    with pytest.raises(ValueError, match="1, 1, 2"):
        mdd([["A"]], [["A"]], [["A"], ["B"]])
