"""Pitch, formants and intensity: right for sounds whose values are known, and as Praat measures speech."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from pipeline.audio.load import Audio, from_samples, load_audio
from pipeline.audio.tracks import Tracks, measure
from pipeline.settings import CHECKOUT

RATE_HZ = 16_000
CEILING_HZ = 5500.0
VOWEL_HZ = (730.0, 1090.0, 2440.0, 3400.0, 4400.0)  # /a/ of Peterson & Barney (1952) with two higher formants


def vowel(f0_hz: NDArray[np.float64], formants_hz: tuple[float, ...]) -> Audio:
    """Pulses at `f0_hz` [n samples], falling by 6 dB an octave as a voice at the lips, through one resonance of 60 Hz
    width for each formant."""
    phase = np.cumsum(f0_hz) / RATE_HZ
    signal = lfilter([1.0], [1.0, -0.98], np.diff(np.floor(phase), prepend=0.0))
    for frequency_hz in formants_hz:
        radius = np.exp(-np.pi * 60.0 / RATE_HZ)
        signal = lfilter([1.0], [1.0, -2.0 * radius * np.cos(2.0 * np.pi * frequency_hz / RATE_HZ), radius**2], signal)
    return from_samples((0.5 * signal / np.abs(signal).max()).astype(np.float32), RATE_HZ)


def tone(amplitude: float, frequency_hz: float, seconds: float = 0.5) -> NDArray[np.float32]:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2.0 * np.pi * frequency_hz * time_s)).astype(np.float32)


def middle(tracks: Tracks) -> slice:
    """Away from the ends, where half of a window lies in silence."""
    return slice(round(0.06 / tracks.step_s), len(tracks.f0_hz) - round(0.06 / tracks.step_s))


@pytest.mark.parametrize("pitch_hz", [80.0, 125.0, 250.0, 400.0])
def test_pitch_of_a_vowel_is_that_of_its_pulses(pitch_hz: float) -> None:
    tracks = measure(vowel(np.full(RATE_HZ // 2, pitch_hz), VOWEL_HZ), CEILING_HZ)
    assert tracks.f0_hz[middle(tracks)] == pytest.approx(pitch_hz, rel=0.005)


def test_a_glide_is_followed_without_jumps() -> None:
    glide_hz = np.linspace(100.0, 260.0, RATE_HZ)
    tracks = measure(vowel(glide_hz, VOWEL_HZ), CEILING_HZ)
    at = np.round(np.arange(len(tracks.f0_hz)) * tracks.step_s * RATE_HZ).astype(int)
    assert tracks.f0_hz[middle(tracks)] == pytest.approx(glide_hz[at][middle(tracks)], rel=0.02)


@pytest.mark.parametrize("formants_hz", [VOWEL_HZ, (300.0, 2300.0, 3000.0, 3700.0, 4400.0)])
def test_formants_of_a_vowel_are_those_of_its_resonances(formants_hz: tuple[float, ...]) -> None:
    tracks = measure(vowel(np.full(RATE_HZ // 2, 110.0), formants_hz), CEILING_HZ)
    measured_hz = np.nanmedian(tracks.formants_hz[middle(tracks)], axis=0)
    assert measured_hz[:4] == pytest.approx(formants_hz[:4], rel=0.05)


def test_intensity_of_a_tone_follows_from_its_amplitude() -> None:
    for amplitude in (0.5, 0.05):
        tracks = measure(Audio(tone(amplitude, 200.0)), CEILING_HZ)
        expected_db = 10.0 * np.log10(amplitude**2 / 2.0 / 4e-10)
        assert tracks.intensity_db[middle(tracks)] == pytest.approx(expected_db, abs=0.02)


def test_noise_and_silence_have_no_pitch() -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.1, RATE_HZ // 2).astype(np.float32)
    assert np.isfinite(measure(Audio(noise), CEILING_HZ).f0_hz).mean() < 0.1
    silence = measure(Audio(np.zeros(RATE_HZ // 2, dtype=np.float32)), CEILING_HZ)
    assert np.isnan(silence.f0_hz).all()


def test_faint_stretches_have_no_formants() -> None:
    loud_and_faint = np.concatenate([tone(0.5, 300.0), tone(0.001, 300.0)])
    tracks = measure(Audio(loud_and_faint), CEILING_HZ)
    half = len(tracks.f0_hz) // 2
    assert np.isfinite(tracks.formants_hz[half // 2, 0])
    assert np.isnan(tracks.formants_hz[half + half // 2]).all()


@pytest.mark.parametrize("n_samples", [0, 1, 100])
def test_the_shortest_recordings_are_measured_too(n_samples: int) -> None:
    tracks = measure(Audio(np.full(n_samples, 0.1, dtype=np.float32)), CEILING_HZ)
    assert (
        len(tracks.f0_hz) == len(tracks.intensity_db) == len(tracks.formants_hz) == min(1, n_samples) + n_samples // 81
    )


def test_speech_is_measured_as_by_praat() -> None:
    parselmouth = pytest.importorskip("parselmouth", reason="praat-parselmouth is not installed")
    audio = load_audio(CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "02_çiçek.wav")
    ours = measure(audio, CEILING_HZ)
    sound = parselmouth.Sound(audio.samples.astype(np.float64), audio.sample_rate_hz)
    times_s = np.arange(len(ours.f0_hz)) * ours.step_s
    pitch = sound.to_pitch_ac(ours.step_s, 75, pitch_ceiling=600)
    praat_hz = np.array([pitch.get_value_at_time(second) for second in times_s])
    both = np.isfinite(praat_hz) & np.isfinite(ours.f0_hz)
    assert both.sum() >= 0.9 * max(np.isfinite(praat_hz).sum(), np.isfinite(ours.f0_hz).sum())
    assert np.median(np.abs(ours.f0_hz[both] / praat_hz[both] - 1.0)) < 0.001
    assert np.abs(ours.f0_hz[both] / praat_hz[both] - 1.0).max() < 0.05
    formants = sound.to_formant_burg(ours.step_s, 5, CEILING_HZ, 0.025, 50)
    for number in (1, 2, 3):
        theirs = np.array([formants.get_value_at_time(number, second) for second in times_s])
        assert np.nanmedian(np.abs(ours.formants_hz[:, number - 1] - theirs)) < 10.0, f"F{number}"
    intensity = sound.to_intensity(75, ours.step_s)
    theirs_db = np.array([intensity.get_value(second) for second in times_s])
    inside = slice(10, -10)  # at the ends Praat extrapolates
    assert np.abs(ours.intensity_db - theirs_db)[inside][theirs_db[inside] > 40.0].max() < 0.3
