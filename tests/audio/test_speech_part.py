"""Where the speech is: what lies before and after it goes, and what was recorded tightly stays as it is."""

from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio import voice
from pipeline.audio.check import check_audio
from pipeline.audio.load import from_samples, load_audio
from pipeline.audio.speech import MARGINS, between, cut_to, find_speech, speech_only
from pipeline.audio.voice_activity import VoiceActivity
from pipeline.records import PhoneScore, RubricName, ScoreResult, Target, Verdict, WordScore
from pipeline.scoring.base import score_audio
from pipeline.scoring.pieces import as_written, by_piece
from pipeline.settings import CHECKOUT

RATE_HZ = 16_000
WORD = load_audio(CHECKOUT / "data" / "demo" / "participant_01" / "kelimeler" / "01_araba.wav")
Samples = NDArray[np.float32]


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def noise(seconds: float) -> Samples:
    return (0.004 * np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def chords(seconds: float) -> Samples:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    notes = [np.sin(2 * np.pi * f * h * t) / h for f in (220.0, 277.2, 329.6) for h in range(1, 6)]
    return (0.05 * np.sum(notes, axis=0) * np.exp(-3.0 * (t % 0.5))).astype(np.float32)


@pytest.mark.parametrize("sound", [silence, noise, chords])
@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_what_is_around_a_word_goes(sound: object, seconds: float) -> None:
    part = sound(seconds)  # type: ignore[operator]
    audio = from_samples(np.concatenate([part, WORD.samples, part]), RATE_HZ)
    cut = cut_to(audio, find_speech(audio, RubricName.WORD), MARGINS[RubricName.WORD])
    assert cut.before_s == pytest.approx(seconds, abs=0.12)
    assert cut.after_s == pytest.approx(seconds, abs=0.12)


@pytest.mark.parametrize("word", ["participant_02/kelimeler/19_süt", "participant_02/kelimeler/15_okul"])
def test_sounds_without_a_voice_belong_to_the_word(word: str) -> None:
    """silero-vad ends .15 to .2 s before these words do, and begins .09 s into the s of *süt*; a click is none."""
    whole = load_audio(CHECKOUT / "data" / "demo" / f"{word}.wav")
    clicking = silence(1.0)
    clicking[1600:1632] = 0.5
    for around in (silence(1.0), noise(1.0) / 4, clicking):
        audio = from_samples(np.concatenate([around[::-1], whole.samples, around]), RATE_HZ)
        speech = find_speech(audio, RubricName.WORD)
        assert speech.start / RATE_HZ == pytest.approx(1.0, abs=0.03)
        assert speech.end / RATE_HZ == pytest.approx(1.0 + whole.duration_s, abs=0.06)


def test_a_tight_recording_stays_the_same_object() -> None:
    assert speech_only(WORD, RubricName.WORD) is WORD
    assert speech_only(WORD, RubricName.SENTENCE) is WORD


def test_a_recording_is_listened_to_once_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    listened: list[int] = []
    both_ways = VoiceActivity.both_ways
    monkeypatch.setattr(VoiceActivity, "both_ways", lambda self, s: listened.append(len(s)) or both_ways(self, s))
    monkeypatch.setattr(voice, "MAX_HEARD", 2)
    monkeypatch.setattr(voice, "_heard", OrderedDict())
    sounds = [np.roll(WORD.samples, shift) for shift in (0, 512, 1024)]
    for sound, times in zip((*sounds[:2], sounds[0], sounds[2], sounds[0], sounds[1]), (1, 2, 2, 3, 3, 4), strict=True):
        sure = voice.voice_both_ways(sound)
        assert len(listened) == times
        assert np.array_equal(sure, both_ways(VoiceActivity(), voice._levelled(sound)))


def test_without_a_voice_nothing_is_cut() -> None:
    audio = from_samples(noise(3.0), RATE_HZ)
    assert speech_only(audio, RubricName.WORD) is audio


def test_a_short_word_before_a_pause_is_speech_and_a_flicker_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child's first word, .12 s of certain voice, 1.6 s before the second; and a third as much."""
    audio, blocks = from_samples(noise(6.4), RATE_HZ), 200
    for sure, first in ((0.6, 20), (0.2, 75)):
        voice = np.zeros((2, blocks), np.float32)
        voice[:, 20:26], voice[:, 75:150] = (0.1 + sure), 0.95
        monkeypatch.setattr("pipeline.audio.speech.voice_both_ways", lambda _, voice=voice: voice)
        assert find_speech(audio, RubricName.SENTENCE).start == first * 512


def test_between_takes_seconds_off_both_ends() -> None:
    audio = from_samples(np.arange(RATE_HZ, dtype=np.float32) / RATE_HZ, RATE_HZ)
    part = between(audio, 0.25, 0.5)
    assert (part.samples[0], part.duration_s) == (audio.samples[RATE_HZ // 4], 0.25)


class Listener:
    """Finds one word in all that it is given."""

    name, model_id = "listener", "1"

    def score(self, audio: object, target: Target) -> ScoreResult:
        end_s = audio.duration_s  # type: ignore[attr-defined]
        phone = PhoneScore("AA", 80.0, 0.0, end_s)
        word = WordScore(target.text, 80.0, 0.0, end_s, (phone,))
        return ScoreResult(80.0, "good", "ml_model", self.name, self.model_id, target, words=(word,))


def test_times_are_those_of_the_whole_recording_and_the_cut_is_told() -> None:
    audio = from_samples(np.concatenate([silence(2.0), WORD.samples, silence(1.0)]), RATE_HZ)
    result = score_audio(Listener(), audio, Target("araba", "tr"))
    word = result.words[0]
    assert word.start_s == word.phones[0].start_s == result.cut_before_s == pytest.approx(2.0, abs=0.12)
    assert word.end_s == pytest.approx(audio.duration_s - result.cut_after_s, abs=0.002)
    assert result.audio is not None
    assert result.audio.duration_s == pytest.approx(audio.duration_s)
    assert not any("silence" in warning for warning in result.warnings)


def test_one_side_that_is_empty_or_inverted_is_heard_and_told() -> None:
    tone = WORD.samples
    for sides in ((tone, 0 * tone), (0 * tone, tone), (tone, -tone)):
        audio = from_samples(np.stack(sides, axis=1), RATE_HZ)
        assert np.abs(audio.samples).max() == pytest.approx(np.abs(tone).max(), rel=1e-5)
        problems = {problem.code: problem.message for problem in check_audio(audio).problems}
        assert "of 2 was used" in problems["one_channel"]
    both = from_samples(np.stack([tone, tone], axis=1), RATE_HZ)
    assert both.source_channel is None
    assert not any(problem.code == "one_channel" for problem in check_audio(both).problems)


def test_words_are_laid_over_the_text_as_it_is_written() -> None:
    first = WordScore("pay", 90.0, 0.0, 0.5, written="Pay", token=0)
    twenty = WordScore("twenty", 80.0, 0.5, 1.0, written="25", token=2)
    five = replace(twenty, text="five", score=60.0, start_s=1.0, end_s=1.4, verdict=Verdict.WRONG)
    shown = as_written([first, twenty, five])
    assert [(word.text, word.score, word.end_s) for word in shown] == [("Pay", 90.0, 0.5), ("25", 70.0, 1.4)]
    assert shown[1].verdict is Verdict.WRONG
    pieces = by_piece("Pay – 25.", [first, twenty, five])
    assert [(word.text, word.start_s, word.end_s) for word in pieces] == [
        ("Pay", 0.0, 0.5), ("–", 0.5, 0.5), ("25.", 0.5, 1.4),
    ]  # fmt: skip
