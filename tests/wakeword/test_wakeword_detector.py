"""Detections from scores, streams with known places, and what counts as found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.errors import CorpusError, TrainingError
from pipeline.wakeword.cascade import Cascade, Verdict, phone_verifier
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.noise import loudest_energy, read_noise
from pipeline.wakeword.evaluation.stream_metrics import StreamScores, highest, measure, operate, score_stream
from pipeline.wakeword.evaluation.stream_synthesis import BackgroundClip, Keyword, plan_stream
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.file_detection import JudgedDetector
from pipeline.wakeword.owner.enrolment import OwnerMatch
from pipeline.wakeword.runtime.detector import StreamingDetector, WindowResult, detections, preset, voted
from pipeline.wakeword.runtime.runner import Word
from tests.wakeword_sounds import write_clips

CONFIG = DetectorConfig(hop_s=0.1, votes=1, of=1, hysteresis=1.0, lockout_s=0.5)
FEATURES = FeatureConfig(clip_s=0.8)


def loudness(windows: np.ndarray) -> np.ndarray:
    """A stand-in for a model: the mean energy in the middle of a window."""
    return windows[:, 20:60].mean(axis=(1, 2)).astype(np.float32)


def test_votes_are_the_kth_highest_of_the_last_n() -> None:
    scores = np.array([0, 5, 1, 4, 4, 0], dtype=np.float32)
    found = voted(scores, DetectorConfig(votes=2, of=3))
    assert found[1:].tolist() == [0, 1, 4, 4, 4]
    assert found[0] == -np.inf, "one window is no two votes"


def test_one_detection_until_the_score_has_fallen_and_the_lockout_is_over() -> None:
    scores = np.array([0, 3, 3, 3, 0, 3, 0, 0, 0, 3, 2.5, 3, 3, 3, 3, 3], dtype=np.float32)
    assert detections(scores, 3.0, CONFIG).tolist() == [1, 9], "5 is locked out, 11 has not fallen by the hysteresis"
    assert detections(scores, 9.0, CONFIG).tolist() == []


def test_a_rejected_detection_is_asked_again_while_the_score_is_high() -> None:
    draw = np.random.default_rng(0)
    sound = np.concatenate([np.zeros(RATE_HZ), 0.3 * draw.standard_normal(RATE_HZ), np.zeros(RATE_HZ)])
    answers = iter([-3.0, -2.6, -0.5, -9.0])
    asked_with: list[float] = []

    def verify(samples: np.ndarray, log_odds: float = 0.0) -> Verdict:
        asked_with.append(log_odds)
        return phone_verifier(lambda _: next(answers), -2.5, "merhaba")(samples)

    cascade = Cascade(StreamingDetector(loudness, FEATURES, CONFIG, -5.0), verify, temperature=2.0)
    asked = [result for result in cascade.run(sound.astype(np.float32)) if result.verdict is not None]
    labels = [result.verdict.label for result in asked if result.verdict is not None]
    assert labels == ["other", "other", "merhaba"], "once accepted, nothing is asked for two seconds"
    gaps = np.diff([result.window.end_s for result in asked])
    assert gaps == pytest.approx([0.2, 0.2])
    assert asked_with == pytest.approx([result.window.vote / 2.0 for result in asked])
    assert asked[-1].verdict == Verdict(True, pytest.approx(1 / (1 + np.exp(-2.0))), "merhaba")
    sure = phone_verifier(lambda _: -4.0, -2.5, "merhaba")
    assert not sure(sound, 1.0).prediction and sure(sound, 2.0).prediction, "the detector's odds count"


def test_a_word_is_heard_after_another_though_the_score_stays_high() -> None:
    """At the low threshold of a detector with a judge, silence may score high as well: seconds after a word, its
    detector took no other."""
    sound = (0.3 * np.random.default_rng(0).standard_normal(6 * RATE_HZ)).astype(np.float32)

    def verify(samples: np.ndarray, log_odds: float = 0.0) -> Verdict:
        return Verdict(True, 0.9, "merhaba")

    found = list(Cascade(StreamingDetector(loudness, FEATURES, CONFIG, -5.0), verify).run(sound))
    at_s = [result.window.end_s for result in found if result.window.detected]
    assert np.diff(at_s) == pytest.approx(2.1), "as soon as the judge hears nothing of the last one"
    word = Word({"word": "merhaba", "votes": 1, "of": 1, "threshold": -5.0, "temperature": 1.0, "hysteresis": 1.0,
                 "lockout_s": 0.5, "hop_samples": RATE_HZ // 10, "target_false_alarms_per_hour": 0.5}, 0.5)  # fmt: skip
    heard = []
    for number in range(50):
        if word.step(0.0) is not None:
            heard.append(number)
            word.accept()
    assert heard == [0, 21, 42]


@pytest.mark.parametrize("piece", [700, 1600, 16_000, 50_000])
def test_the_same_as_it_comes_and_as_a_whole(piece: int) -> None:
    draw = np.random.default_rng(0)
    sound = (draw.standard_normal(6 * RATE_HZ) * np.repeat(draw.uniform(0.001, 0.5, 60), RATE_HZ // 10)).astype(
        np.float32
    )
    config = DetectorConfig(votes=2, of=3, lockout_s=0.4, hysteresis=0.2)
    threshold = -1.0

    def heard(size: int) -> list[tuple[float, float, bool]]:
        detector = StreamingDetector(loudness, FEATURES, config, threshold)
        parts = [detector.feed(sound[i : i + size]) for i in range(0, len(sound), size)]
        return [(round(j.end_s, 6), round(j.score, 4), j.detected) for part in parts for j in part]

    whole = heard(len(sound))
    assert heard(piece) == whole
    scores = np.array([score for _, score, _ in whole], dtype=np.float32)
    expected = detections(voted(scores, config), threshold, config)
    assert [i for i, (_, _, detected) in enumerate(whole) if detected] == expected.tolist()
    assert len(expected) > 0


def test_presets_ask_for_more_or_fewer_votes() -> None:
    assert preset("conservative", CONFIG).votes > preset("aggressive", CONFIG).votes
    with pytest.raises(TrainingError, match="known: aggressive, balanced, conservative"):
        preset("bold", CONFIG)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    return write_clips(tmp_path / "clips", 5, 12)


def test_the_stream_holds_every_word_once_where_it_says(folders: tuple[Path, Path, Path]) -> None:
    words, other, noise = folders
    plan = plan_stream(sorted(words.iterdir()), sorted(other.iterdir()), read_noise([str(noise)]), 0.1, seed=3)
    blocks = list(plan.blocks())
    keywords = [word for block in blocks for word in block.keywords]
    assert sorted(word.clip for word in keywords) == sorted(words.iterdir())
    assert sum(len(block.background) for block in blocks) == len(plan.background) == 12
    sound = np.concatenate([block.samples for block in blocks])
    quiet = np.ones(len(sound), dtype=bool)
    for one in (*keywords, *(spoken for block in blocks for spoken in block.background)):
        quiet[round((one.start_s - 0.5) * RATE_HZ) : round((one.end_s + 0.5) * RATE_HZ)] = False
    noise_energy = loudest_energy(sound[quiet])
    for word in keywords:
        own = sound[round(word.start_s * RATE_HZ) : round(word.end_s * RATE_HZ)]
        assert 10 * np.log10(loudest_energy(own) / noise_energy) == pytest.approx(10.4, abs=1.5)


def test_a_stream_needs_words_background_and_time(folders: tuple[Path, Path, Path]) -> None:
    words, other, _ = folders
    with pytest.raises(CorpusError, match="got 0 and 12"):
        plan_stream([], sorted(other.iterdir()), [], 1.0)
    for snr_db in (float("nan"), float("inf"), 1e9):
        with pytest.raises(CorpusError, match="between -40 and 100 dB"):
            plan_stream(sorted(words.iterdir()), sorted(other.iterdir()), [], 1.0, snr_db=snr_db)
    empty = other.parent / "empty.wav"
    empty.touch()
    with pytest.raises(CorpusError, match=r"1 of \d+ files cannot be measured on: empty\.wav .*wakeword scan"):
        plan_stream([*sorted(words.iterdir()), empty], sorted(other.iterdir()), [], 1.0)
    with pytest.raises(CorpusError, match="more than half"):
        plan_stream(sorted(words.iterdir()) * 40, sorted(other.iterdir()), [], 0.05)
    plan = plan_stream(sorted(words.iterdir()), sorted(other.iterdir()), [], 0.1)
    assert plan.speech_hours == pytest.approx(sum(soundfile.info(p).duration for p in other.iterdir()) / 3600)


def _heard(scores: list[float], keywords: list[tuple[float, float]]) -> StreamScores:
    ends = np.arange(1, len(scores) + 1) / 10.0
    words = tuple(Keyword(Path(f"w{i}"), *span) for i, span in enumerate(keywords))
    return StreamScores(
        np.array(scores, dtype=np.float32),
        ends,
        words,
        (BackgroundClip(Path("talk"), 0.0, 1.0),),
        len(scores) / 36_000,
        1.0,
    )


def test_what_counts_as_found() -> None:
    scores = [-5.0] * 60
    scores[9] = 5.0  # at 1.0 s, within the word
    scores[29] = 5.0  # at 3.0 s, .5 s after the end: counts
    scores[39] = 5.0  # at 4.0 s, .6 s after the end: a miss and a false alarm
    stream_scores = _heard(scores, [(0.5, 1.2), (2.0, 2.5), (3.0, 3.4)])
    point, when, alarms = operate(stream_scores, CONFIG, 4.0)
    assert when == [pytest.approx(1.0), pytest.approx(3.0), None]
    assert alarms == [pytest.approx(4.0)]
    assert (point.misses, point.false_alarms) == (1, 1)


def test_the_sweep_finds_the_best_point_within_a_rate() -> None:
    scores = [-5.0] * 36_000  # an hour
    for index, score in ((100, 6.0), (1000, 8.0), (2000, 3.0), (5000, 5.0), (9000, 4.0)):
        scores[index] = score
    stream_scores = _heard(scores, [(9.5, 10.2), (99.5, 100.2), (199.5, 200.2)])
    found = measure(stream_scores, replace(CONFIG, hysteresis=0.0), (0.5, 1.0, 2.0))
    assert [found.at_fah[t].misses for t in ("0.5", "1.0", "2.0")] == [1, 1, 0]
    assert found.at_fah["0.5"].threshold == pytest.approx(5.0, abs=1e-5)
    assert found.at_fah["0.5"].fah_interval[1] == pytest.approx(3.689, abs=0.01)
    assert found.missed == ("w2",)
    values, is_word = highest(stream_scores, CONFIG)
    assert values.tolist() == [6.0, 8.0, 3.0, -5.0]
    assert is_word.tolist() == [True] * 3 + [False]


def test_listening_judges_every_window_of_every_block(folders: tuple[Path, Path, Path]) -> None:
    words, other, _ = folders
    plan = plan_stream(sorted(words.iterdir()), sorted(other.iterdir()), [], 0.17, seed=1)
    stream_scores = score_stream(plan, loudness, FEATURES, 0.1)
    assert np.allclose(np.diff(stream_scores.ends_s), 0.1)
    assert stream_scores.ends_s[-1] == pytest.approx(stream_scores.hours * 3600, abs=0.2)
    sound = np.concatenate([block.samples for block in plan.blocks()])
    detector = StreamingDetector(loudness, FEATURES, CONFIG, 1e9)
    alone = np.array([judged.score for judged in detector.feed(sound) if judged.end_s >= stream_scores.ends_s[0]])
    n = min(len(alone), len(stream_scores.scores))
    assert np.abs(alone[:n] - stream_scores.scores[:n]).max() < 0.1, "but for the frames over the edges of blocks"
    assert np.median(np.abs(alone[:n] - stream_scores.scores[:n])) < 1e-5


class AlwaysDetects:
    """In place of a detector: every piece of sound is a window with the word."""

    threshold = 0.0

    def __init__(self) -> None:
        self.n_rejected = 0

    def feed(self, samples: np.ndarray) -> list[WindowResult]:
        return [WindowResult(1.0, 2.0, 2.0, True)]

    def accept(self) -> None:
        pass

    def reject(self) -> None:
        self.n_rejected += 1


def test_what_the_judge_accepts_is_compared_with_the_owners_voice() -> None:
    judged, voices = iter([False, True, True]), iter([True, False])
    compared: list[int] = []

    def verify(samples: np.ndarray, log_odds: float = 0.0) -> Verdict:
        return Verdict(next(judged), 0.9, "word")

    def owner(samples: np.ndarray) -> OwnerMatch:
        compared.append(len(samples))
        return OwnerMatch("Ayşe", 0.5, next(voices))

    detector = AlwaysDetects()
    pieces = JudgedDetector(detector, verify, owner).feed(np.ones(3 * 1600, np.float32))  # type: ignore[arg-type]
    found = [detection for _window, detection in pieces if detection is not None]
    assert [(d.verdict.prediction, d.owner.is_owner if d.owner else None) for d in found if d.verdict] == [
        (False, None), (True, True), (True, False),
    ]  # fmt: skip
    assert [d.is_accepted for d in found] == [False, True, False]
    assert (detector.n_rejected, compared) == (1, [3200, 4800])
