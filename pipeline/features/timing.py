"""Timing and melody of a recording, beside how much there was to say.

How long somebody took, how often and how long they paused, how many syllables came a second, how lively pitch and
level were: what listeners call fluency and prosody. Unlike the 57 features these know the text's length, so that a
long recording of a short sentence is told from a long sentence.
"""

import re

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.check import estimate_snr_db
from pipeline.audio.load import Audio
from pipeline.features.base import EXTRACTORS
from pipeline.features.frames import HOP, Frames
from pipeline.records import Target
from pipeline.settings import Settings
from pipeline.spans import runs_of
from pipeline.text.words import text_key

FRAME_S = HOP / 16_000
MIN_PAUSE_S = 0.2
# A syllable's nucleus: a voiced peak of the level at least this high over the dip before it (de Jong & Wempe 2009).
MIN_DIP_DB = 2.0
MIN_NUCLEUS_DISTANCE_S = 0.08
VOWELS = "aeıioöuüâîûy"

FEATURE_NAMES = (
    "duration_s", "speech_s", "leading_silence_s", "trailing_silence_s",
    "n_pauses", "pause_total_s", "pause_longest_s", "pause_share",
    "voiced_share", "n_nuclei", "nuclei_per_s", "nuclei_per_speech_s", "nucleus_interval_std_s",
    "f0_median_hz", "f0_std_semitones", "f0_range_semitones", "f0_slope_semitones_per_s", "f0_step_mean_semitones",
    "level_std_db", "level_range_db", "spectral_tilt_db_per_octave", "periodicity_mean", "snr_db",
    "n_words", "n_letters", "n_vowels", "letters_per_s", "vowels_per_s", "words_per_s", "nuclei_per_vowel",
    "speech_s_per_letter", "pauses_per_word",
)  # fmt: skip


class Timing:
    name = "timing"
    version = "1"
    feature_names = FEATURE_NAMES
    knows_words = False
    description = "32 measures of pauses, rate, pitch and level movement, beside the length of the text"

    def extract(self, audio: Audio, target: Target) -> NDArray[np.float32]:
        return timing(Frames(audio), audio.duration_s, text_key(target.text, target.language))

    def depends_on(self, target: Target) -> str:
        return f"{target.language} {target.text}"


@EXTRACTORS.register("timing")
def make(settings: Settings) -> Timing:
    return Timing()


def timing(frames: Frames, duration_s: float, text: str) -> NDArray[np.float32]:
    """All features [32] of a recording of `text`, whose words are written as they are said."""
    level_db = 20.0 * np.log10(np.maximum(frames.rms, 1e-6))
    active = np.flatnonzero(frames.active)
    first, last = (int(active[0]), int(active[-1]) + 1) if len(active) else (0, 0)
    speech_s = max((last - first) * FRAME_S, FRAME_S)
    pauses_s = _pauses_s(frames.active[first:last])
    nuclei = syllable_nuclei(level_db, frames.pitch.voiced)
    letters = [letter for letter in text.lower() if letter.isalpha()]
    n_letters, n_words = max(1, len(letters)), max(1, len(text.split()))
    n_vowels = max(1, len(re.findall(f"[{VOWELS}]+", text.lower())))
    values = [
        duration_s, speech_s, first * FRAME_S, max(0.0, duration_s - last * FRAME_S),
        len(pauses_s), sum(pauses_s), max(pauses_s, default=0.0), sum(pauses_s) / speech_s,
        float(frames.pitch.voiced[first:last].mean()) if last > first else 0.0,
        len(nuclei), len(nuclei) / max(duration_s, FRAME_S), len(nuclei) / max(speech_s - sum(pauses_s), FRAME_S),
        float(np.diff(nuclei).std() * FRAME_S) if len(nuclei) > 2 else 0.0,
        *_melody(frames),
        float(level_db[active].std()) if len(active) else 0.0,
        float(np.ptp(level_db[active])) if len(active) else 0.0,
        _tilt(frames), float(frames.pitch.periodicity[active].mean()) if len(active) else 0.0,
        estimate_snr_db(level_db) or 0.0,
        n_words, n_letters, n_vowels, n_letters / speech_s, n_vowels / speech_s, n_words / speech_s,
        len(nuclei) / n_vowels, speech_s / n_letters, len(pauses_s) / n_words,
    ]  # fmt: skip
    return np.asarray(values, dtype=np.float32)


def syllable_nuclei(level_db: NDArray[np.floating], voiced: NDArray[np.bool_]) -> list[int]:
    """Frames of the voiced level peaks that stand 2 dB over the dip since the last one, in order."""
    smooth = np.convolve(np.pad(level_db, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    threshold = float(np.percentile(smooth, 98)) - 25.0
    peaks = np.flatnonzero((smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    nuclei: list[int] = []
    for peak in peaks[(smooth[peaks] > threshold) & voiced[peaks]]:
        if not nuclei:
            nuclei.append(int(peak))
            continue
        dip = smooth[nuclei[-1] : peak].min()
        separate = min(smooth[peak], smooth[nuclei[-1]]) - dip >= MIN_DIP_DB
        if separate and (peak - nuclei[-1]) * FRAME_S >= MIN_NUCLEUS_DISTANCE_S:
            nuclei.append(int(peak))
        elif smooth[peak] > smooth[nuclei[-1]]:
            nuclei[-1] = int(peak)
    return nuclei


def _pauses_s(active: NDArray[np.bool_]) -> list[float]:
    lengths_s = np.diff(runs_of(~active), axis=1)[:, 0] * FRAME_S
    return [float(length) for length in lengths_s if length >= MIN_PAUSE_S]


def _melody(frames: Frames) -> tuple[float, float, float, float, float]:
    """Median F0 (Hz); standard deviation, 5-95 % range, slope a second and mean step between frames, in semitones."""
    rows = np.flatnonzero(frames.pitch.voiced)
    if len(rows) < 3:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    f0_hz = frames.pitch.f0_hz[rows]
    median = float(np.median(f0_hz))
    semitones = 12.0 * np.log2(f0_hz / median)
    low, high = np.percentile(semitones, [5, 95])
    slope = np.polyfit(rows * FRAME_S, semitones, 1)[0]
    return median, float(semitones.std()), float(high - low), float(slope), float(np.abs(np.diff(semitones)).mean())


def _tilt(frames: Frames) -> float:
    """Slope of the long-term mel spectrum above 100 Hz, dB an octave: how bright or dull the voice or microphone is."""
    if not frames.active.any():
        return 0.0
    mean_db = frames.log_mel_db[frames.active].mean(axis=0)
    octaves = np.linspace(0.0, 6.0, len(mean_db))  # the mel bands span about six octaves from 100 Hz
    return float(np.polyfit(octaves, mean_db, 1)[0])
