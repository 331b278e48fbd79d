"""Neither the microphone's gain nor what was recorded before the first word changes what the encoder is given."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ as SAMPLE_RATE_HZ
from pipeline.scoring.speech.placing import LEAD, LONGEST_S, MOST_DROPPED, STEP, levelled, placed

Samples = NDArray[np.float32]


def spoken(seconds: float = 1.5, before_s: float = 0.6) -> Samples:
    """A buzz that swells and fades twice, in silence."""
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    buzz = 0.2 * np.sign(np.sin(2 * np.pi * 130 * times)) * np.abs(np.sin(2 * np.pi * times / seconds))
    silence = np.zeros(round(before_s * SAMPLE_RATE_HZ))
    return np.concatenate([silence, buzz, silence]).astype(np.float32)


@pytest.mark.parametrize("more", [1, 160, 319, 480, 3000])
def test_silence_before_the_speech_changes_nothing(more: int) -> None:
    speech = spoken()
    begun_earlier = placed(np.concatenate([np.zeros(more, dtype=np.float32), speech]))
    plain = placed(speech)
    assert plain.added - begun_earlier.added == more
    n = min(len(plain.samples), len(begun_earlier.samples))
    assert np.allclose(plain.samples[:n], begun_earlier.samples[:n], atol=1e-6)


@pytest.mark.parametrize("gain_db", [-30, -6, 6])
def test_gain_changes_nothing(gain_db: float) -> None:
    speech = spoken()
    louder = (speech * 10 ** (gain_db / 20)).astype(np.float32)
    assert np.allclose(placed(speech).samples, placed(louder).samples, atol=1e-5)


def test_faint_noise_moves_it_by_less_than_a_millisecond() -> None:
    speech = spoken()
    noise = (1e-4 * np.random.default_rng(0).normal(size=len(speech))).astype(np.float32)
    assert abs(placed(speech).added - placed(speech + noise).added) < SAMPLE_RATE_HZ / 1000


def test_half_a_second_comes_before_the_first_sound() -> None:
    for before_s in (0.1, 0.5, 0.75):
        speech = spoken(before_s=before_s)
        first = int(np.flatnonzero(np.abs(placed(speech).samples) > 0.02)[0])
        assert abs(first - LEAD) <= 2 * STEP


def test_a_soft_beginning_is_not_cut_off() -> None:
    soft = 0.02 * spoken(seconds=0.5, before_s=0.3)
    late = np.concatenate([soft, np.zeros(SAMPLE_RATE_HZ, dtype=np.float32), spoken()])
    assert placed(late).added >= -(MOST_DROPPED + STEP)


def test_what_cannot_be_placed_stays() -> None:
    silence = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
    assert placed(silence).added == 0
    longest = round(LONGEST_S * SAMPLE_RATE_HZ)
    assert len(placed(np.ones(longest, dtype=np.float32)).samples) <= longest
    assert len(placed(np.ones(1, dtype=np.float32)).samples) >= 1


def test_levels_within_the_limits_stay() -> None:
    speech = spoken()
    assert levelled(speech, -60.0, 0.0) is speech
    assert not np.allclose(levelled(speech, -40.0, -35.0), speech)


@pytest.mark.parametrize("seconds_before", [0.25, 0.5])
def test_a_click_before_the_speech_is_not_heard(seconds_before: float) -> None:
    speech = spoken()
    clicked = speech.copy()
    at = round((0.6 - seconds_before) * SAMPLE_RATE_HZ)
    clicked[at : at + 40] += (0.1 * np.hanning(40)).astype(np.float32)
    plain, quieted = placed(speech), placed(clicked)
    assert plain.added == quieted.added
    assert np.abs(plain.samples - quieted.samples).max() < 1e-3


def test_what_may_be_speech_is_no_click() -> None:
    soft = 0.2 * spoken(seconds=0.1, before_s=0.0)  # a short first word
    early = np.concatenate([soft, np.zeros(SAMPLE_RATE_HZ // 5, dtype=np.float32), spoken(before_s=0.0)])
    kept = placed(early)
    n = len(soft)
    first = max(0, kept.added)
    assert np.abs(kept.samples[first : first + n]).max() > 0.5 * np.abs(placed(spoken()).samples).max() * 0.2
    burst = np.zeros(round(0.05 * SAMPLE_RATE_HZ), dtype=np.float32)
    burst[:80] = 0.1  # of a consonant, right before its vowel
    stop = np.concatenate([burst, spoken(before_s=0.0)])
    assert np.abs(placed(stop).samples).max() >= np.abs(placed(spoken()).samples).max() * 0.99
    assert (np.abs(placed(stop).samples[LEAD - 1600 : LEAD + 800]) > 0.01).any()
