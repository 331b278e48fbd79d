"""An attempt aligned with its reference by dynamic time warping: waveforms, mel levels and melodies over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.features.alignment import FRAME_S, SpeechPart, aligned, speech_part
from pipeline.records import Seconds
from pipeline.spans import runs_of

PAUSE_S: Seconds = 0.25
SLOW = 1.6  # times the reference's own pace
SMOOTHING_S: Seconds = 0.1


@dataclass(frozen=True)
class Side:
    """One recording from its first to its last sound, by frames of 10 ms: `level_db` [n], `mel_db` [n, 40], `semitones`
    [n] about its own median (NaN where unvoiced). `offset_s` is where it begins in its file."""

    level_db: NDArray[np.float32]
    mel_db: NDArray[np.float32]
    semitones: NDArray[np.float32]
    offset_s: Seconds

    @property
    def duration_s(self) -> Seconds:
        return len(self.level_db) * FRAME_S


@dataclass(frozen=True)
class Stretch:
    """From when to when, in seconds of each recording's own speech."""

    mine: tuple[Seconds, Seconds]
    reference: tuple[Seconds, Seconds]


@dataclass(frozen=True)
class AlignedComparison:
    """`mine` and `reference` as they are; `warped` is mine on the reference's frames. `distance` [n] is the spectral
    distance (dB, smoothed) at each frame of the reference, `slow` where mine took much longer, `pauses_s` the silences
    in mine, in its own time, `places` [n] the frame of mine at each frame of the reference."""

    mine: Side
    reference: Side
    warped: Side
    distance: NDArray[np.float32]
    slow: tuple[Stretch, ...]
    pauses_s: tuple[tuple[Seconds, Seconds], ...]
    places: NDArray[np.int64]

    @property
    def length_ratio(self) -> float:
        return self.mine.duration_s / self.reference.duration_s

    def in_reference(self, span_s: tuple[Seconds, Seconds]) -> tuple[Seconds, Seconds]:
        """Where the reference says what mine says from when to when, both in seconds of their files."""
        frames = [(second - self.mine.offset_s) / FRAME_S for second in span_s]
        first, last = np.searchsorted(self.places, frames)
        last = max(int(last), int(first) + 1)
        return (float(first * FRAME_S) + self.reference.offset_s, float(last * FRAME_S) + self.reference.offset_s)

    def worst(self, width_s: Seconds = 0.2) -> Stretch:
        """The stretch of the reference that lies furthest off, and where mine says it."""
        width = max(1, min(len(self.distance), round(width_s / FRAME_S)))
        sums = np.convolve(self.distance, np.ones(width), mode="valid")
        start = int(sums.argmax())
        return _stretch(self.places, start, start + width)


def compare(mine: Audio, reference: Audio) -> AlignedComparison | None:
    """Align a learner's recording with its reference; None where one of them has no speech."""
    attempt, model = speech_part(mine), speech_part(reference)
    if attempt is None or model is None:
        return None
    path, costs = aligned(attempt, model)
    n = len(model.active)
    counts = np.bincount(path[:, 1], minlength=n)
    sums = [np.bincount(path[:, 1], weights=values, minlength=n) for values in (path[:, 0], costs)]
    mean_place, distance = (_filled(values / np.maximum(counts, 1), counts) for values in sums)
    places = np.round(mean_place).astype(np.int64)
    smooth = _smoothed(distance, round(SMOOTHING_S / FRAME_S)).astype(np.float32)
    sides = _side(attempt), _side(model)
    warped = Side(sides[0].level_db[places], sides[0].mel_db[places], sides[0].semitones[places], 0.0)
    return AlignedComparison(sides[0], sides[1], warped, smooth, _slow(places), _pauses(attempt), places)


def _side(part: SpeechPart) -> Side:
    voiced = part.f0_hz > 0
    median = float(np.median(part.f0_hz[voiced])) if voiced.any() else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        semitones = np.where(voiced, 12.0 * np.log2(part.f0_hz / median), np.nan)
    return Side(part.level_db, part.log_mel_db, semitones.astype(np.float32), part.offset_s)


def _stretch(places: NDArray[np.int64], start: int, end: int) -> Stretch:
    """Of frames `start` to `end` of the reference."""
    first, last = int(places[start]), int(places[end - 1])
    return Stretch((first * FRAME_S, (last + 1) * FRAME_S), (int(start) * FRAME_S, int(end) * FRAME_S))


def _slow(places: NDArray[np.int64]) -> tuple[Stretch, ...]:
    """Where mine moves on much faster than the reference's frames: it took longer there."""
    pace = _smoothed(np.gradient(places.astype(np.float64)), 15) if len(places) > 1 else np.ones(1)
    overall = max(places[-1] - places[0], 1) / len(places)
    runs = runs_of(pace > SLOW * overall)
    return tuple(_stretch(places, start, end) for start, end in runs if (end - start) * FRAME_S >= SMOOTHING_S)


def _pauses(part: SpeechPart) -> tuple[tuple[Seconds, Seconds], ...]:
    spans = [(float(a * FRAME_S), float(b * FRAME_S)) for a, b in runs_of(~part.active)]
    return tuple(span for span in spans if span[1] - span[0] >= PAUSE_S)


def _filled(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Frames that the path leaves out (thinned recordings) take the value before them."""
    last = np.maximum.accumulate(np.where(counts > 0, np.arange(len(counts)), 0))
    return values[last]


def _smoothed(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    width = max(1, min(width, len(values)))
    kernel = np.ones(width) / width
    smooth = np.convolve(np.pad(values.astype(np.float64), width // 2, mode="edge"), kernel, mode="valid")
    return np.asarray(smooth[: len(values)])
