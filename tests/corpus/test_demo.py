"""The synthetic corpus: what is committed, that anyone can make it again, and how it is installed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.load import load_audio
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.errors import CorpusError
from pipeline.importing import demo_turkish as turkish
from pipeline.importing.demo import install_demo
from pipeline.importing.demo_synthesis import PENALTIES, build_demo, make_recording, score_of, spoil
from pipeline.labels.result_file import read_result
from pipeline.labels.store import LabelStore
from pipeline.records import BANDS, RatingAction, RatingEvent, RatingSource, band_of
from pipeline.settings import CHECKOUT, Settings

DEMO = CHECKOUT / "data" / "demo"
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="eSpeak NG is not installed")


def test_the_committed_corpus_is_small_whole_and_called_synthetic() -> None:
    files = [path for path in DEMO.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000
    described = json.loads((DEMO / "demo.json").read_text(encoding="utf-8"))
    assert described["synthetic"] is True
    recordings = described["recordings"]
    assert len({row["participant"] for row in recordings}) >= 3
    assert len({row["word"] for row in recordings}) >= 20
    assert {fault["kind"] for row in recordings for fault in row["faults"]} == set(PENALTIES)
    assert {band_of(row["score"]).key for row in recordings} == {band.key for band in BANDS}
    for row in recordings:
        result = read_result(DEMO / row["path"].replace(".wav", "_result.json"))
        assert result is not None
        assert (result.evaluator, result.score, result.word) == ("demo-synthetic", row["score"], row["word"])
        assert result.ratings[0].source is RatingSource.SYNTHETIC
        assert (DEMO / row["path"]).is_file()


def test_more_faults_cost_more_and_no_score_leaves_the_scale() -> None:
    from pipeline.importing.demo_synthesis import Fault

    for kind, penalties in PENALTIES.items():
        assert list(penalties) == sorted(penalties), kind
    assert score_of(()) == 98
    assert score_of(tuple(Fault(kind, 3, "") for kind in PENALTIES)) == 5


@needs_espeak
def test_anyone_can_make_it_again(tmp_path: Path) -> None:
    build_demo(tmp_path / "demo")
    made = json.loads((tmp_path / "demo" / "demo.json").read_text(encoding="utf-8"))
    committed = json.loads((DEMO / "demo.json").read_text(encoding="utf-8"))
    assert made["recordings"] == committed["recordings"]
    for row in committed["recordings"][::23]:
        ours, theirs = (load_audio(root / row["path"]).samples for root in (DEMO, tmp_path / "demo"))
        # Another version of the synthesiser may differ in a sample; the word and its length must be the same.
        assert len(theirs) == pytest.approx(len(ours), rel=0.05)


@needs_espeak
def test_it_is_not_written_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(CorpusError, match="not empty"):
        build_demo(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@needs_espeak
def test_the_same_seed_gives_the_same_recording() -> None:
    from pipeline.importing.demo_synthesis import PARTICIPANTS

    voice = PARTICIPANTS["participant_03"]
    phones = turkish.WORDS["kedi"]
    first, second, other = (make_recording("participant_03", voice, "kedi", phones, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], second[0])
    assert first[1] == second[1]
    assert len(other[0]) != len(first[0]) or not np.array_equal(other[0], first[0])


@pytest.mark.parametrize("grade", [1, 2, 3])
def test_faults_of_the_signal_are_what_they_are_called(grade: int) -> None:
    from pipeline.audio.check import check_audio
    from pipeline.audio.load import from_samples

    samples = load_audio(DEMO / "references" / "pencere.wav").samples
    draw = np.random.default_rng(0)
    noisy = from_samples(np.pad(spoil(samples, "noisy", grade, draw), 0), 16000)
    clipped = check_audio(from_samples(spoil(samples, "clipped", grade, draw), 16000))
    muffled = np.abs(np.fft.rfft(spoil(samples, "muffled", grade, draw)))
    clear = np.abs(np.fft.rfft(samples))
    high = len(clear) * 3 // 4
    assert len(noisy.samples) == len(samples)
    assert clipped.clipped_share > 0.001
    assert (muffled[high:] ** 2).sum() < 0.2 * (clear[high:] ** 2).sum()
    np.testing.assert_array_equal(spoil(samples, "wrong vowel", grade, draw), samples)


@pytest.mark.parametrize("word", list(turkish.WORDS))
def test_a_wrong_sound_really_changes_the_word(word: str) -> None:
    import random

    phones = turkish.WORDS[word]
    for fault in (turkish.wrong_vowel, turkish.wrong_consonant, turkish.dropped_consonant, turkish.wrong_stress):
        for grade in (1, 2, 3):
            found = fault(phones, grade, random.Random(grade))
            assert found.description
            if fault is not turkish.wrong_stress or sum(map(turkish.is_vowel, phones)) > 1:
                assert found.phones != phones, (fault.__name__, grade)


def test_installing_twice_keeps_labels_and_reset_takes_them_back(settings: Settings) -> None:
    install_demo(settings)
    assert get_set(settings, "demo").synthetic
    recording = read_recordings(settings, "demo")[0]
    store = LabelStore(settings)
    store.add(recording, RatingEvent("Ada", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=50))
    install_demo(settings)
    assert "Ada" in store.current(recording)
    install_demo(settings, reset=True)
    assert set(store.current(recording)) == {"demo-synthetic"}
