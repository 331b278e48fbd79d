"""Changed and cut recordings, and what a scorer says of them."""

import numpy as np
import pytest

from pipeline.corpus.sets import audio_path, get_set, read_recordings, target_of
from pipeline.errors import CorpusError
from pipeline.evaluation import robustness
from pipeline.evaluation.robustness import CHANGES, RATE_HZ, STATEMENTS, Statement, check_robustness
from pipeline.records import PhoneScore, ScoreResult, State, Target, Verdict, WordScore
from pipeline.scoring.batch import Item, ScorerSpec
from pipeline.settings import Settings

WORDS = ("one", "two", "three", "four", "five")


@pytest.fixture
def items(demo: Settings) -> list[Item]:
    set_ = get_set(demo, "demo")
    return [Item(r.id, audio_path(set_, r), r.speaker, target_of(set_, r)) for r in read_recordings(demo, "demo")[:2]]


def test_the_same_recording_gets_the_same_score(demo: Settings, items: list[Item]) -> None:
    report = check_robustness(ScorerSpec(demo, "heuristic"), items)
    assert report.n == 2
    assert report.changes.keys() == CHANGES.keys()
    again = report.changes["the same again"]
    assert (again.mean, again.worst, again.share_within, again.n_lost) == (0.0, 0.0, 1.0, 0)
    assert report.statements == {}  # of single words nothing can be left out
    assert report.partial_scored is None


def test_without_a_score_there_is_nothing_to_compare(demo: Settings, items: list[Item]) -> None:
    with pytest.raises(CorpusError, match="None of these recordings"):
        check_robustness(ScorerSpec(demo, "heuristic"), [])
    assert items


@pytest.mark.parametrize("name", list(CHANGES))
def test_changes_keep_the_speech(name: str) -> None:
    draw = np.random.default_rng(1)
    samples = 0.2 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ) * np.hanning(RATE_HZ)
    changed = CHANGES[name][0](samples, draw)
    assert np.isfinite(changed).all()
    assert 0.85 * len(samples) < len(changed) < 12 * len(samples)
    spectrum = np.abs(np.fft.rfft(changed[: 12 * RATE_HZ]))
    assert spectrum.max() > 5 * np.median(spectrum)


def result(*, left_out: tuple[int, ...] = (), n_repeats: int = 0, added: tuple[str, ...] = ()) -> ScoreResult:
    words = tuple(
        WordScore(
            word, 80.0, number * 0.4, number * 0.4 + 0.3, (PhoneScore("AH", 80.0, 0.0, 0.1),),
            Verdict.MISSING if number in left_out else Verdict.RIGHT,
        )
        for number, word in enumerate(WORDS)
    )  # fmt: skip
    return ScoreResult(
        80.0, "good", "ml_model", "speech", "m", Target(" ".join(WORDS), "en"), words=words, state=State.SCORED,
        n_repeats=n_repeats, added_words=added,
    )  # fmt: skip


def test_a_scorer_that_never_says_anything_is_never_wrong_and_finds_nothing() -> None:
    counted = robustness._Counted()
    counted.readings(np.ones(2 * RATE_HZ), result(), np.random.default_rng(0), lambda samples: result())
    told = counted.statements()
    assert set(told) == set(STATEMENTS)
    assert {(s.n_said, s.precision, s.recall) for s in told.values()} == {(0, None, 0.0)}
    assert counted.partial_scored() == 1.0


def test_what_is_said_is_counted_beside_what_is_so() -> None:
    counted = robustness._Counted()
    counted._count(result(left_out=(1, 2)), frozenset([2, 3]), twice=False, added=False)
    counted._count(result(n_repeats=2, added=("six",)), frozenset(), twice=True, added=False)
    assert counted.statements() == {
        "word left out": Statement(2, 1, 2), "said twice": Statement(1, 1, 1), "words added": Statement(1, 0, 0),
    }  # fmt: skip
    assert counted.statements()["words added"].recall is None


def test_cuts_are_where_the_words_meet() -> None:
    samples = np.zeros(2 * RATE_HZ)
    assert robustness._edges(result(), len(samples)) == [0, 5600, 12000, 18400, 24800, 30400]
    assert len(robustness._joined(np.ones(1000), np.ones(500))) == 1500 - robustness.FADE
