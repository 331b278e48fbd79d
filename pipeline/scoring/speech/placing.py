"""Bring a recording to one level and to one place among the encoder's frames, before anything is heard in it.

An encoder hears a recording that is quieter, or begins 10 ms later, a little differently: scores moved by 1.1 of 100
points on average, and by 2.5 at most. Here both are taken from the speech alone, so that neither the microphone's gain
nor what was recorded before the first word changes what the encoder is given.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ
from pipeline.records import Seconds
from pipeline.spans import runs_of

LEVEL_FRAME, LOUD_DB = 320, 20.0  # frames of 20 ms down to so far under the loudest make the level
LEVEL_DB = -22.0  # the median of the training recordings
STEP = 320  # samples, a frame of the encoder
LEAD = 8000  # samples before the first sound, as the training recordings have on average
# The better of two places, half a step apart, on training speakers that the part that hears was not trained on.
IN_STEP = 160
MOST_DROPPED = 4800  # samples: a first word said softly may lie before what is loud
SMOOTHED = 160  # samples
LASTING = 1600  # samples: a click is shorter, and no beginning of a word
LONGEST_CLICK, AROUND_CLICK = 480, 1600  # samples: of a click, and without a sound on either side of it
SOUND_DB, CENTRE_DB = -30.0, -25.0  # relative to the loudest 10 ms: what the speech begins with; what its centre is of
LONGEST_S: Seconds = 30.0  # that the encoder hears


@dataclass(frozen=True)
class Placed:
    """Samples [n] at 16 kHz, and how many were added at their beginning: fewer than none where some were dropped."""

    samples: NDArray[np.float32]
    added: int


def levelled(samples: NDArray[np.float32], lowest_db: float, highest_db: float) -> NDArray[np.float32]:
    """Samples [n], those whose loud frames lie outside the two levels (dB re full scale) brought to the nearer one."""
    n_frames = len(samples) // LEVEL_FRAME
    if not n_frames:
        return samples
    power = (samples[: n_frames * LEVEL_FRAME].astype(np.float64).reshape(n_frames, -1) ** 2).mean(axis=1)
    level_db = 10 * np.log10(power[power >= power.max() * 10 ** (-LOUD_DB / 10)].mean() + 1e-12)
    gain_db = np.clip(level_db, lowest_db, highest_db) - level_db
    return np.asarray(samples * 10 ** (gain_db / 20), dtype=np.float32) if gain_db else samples


def at_one_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples [n] with their loud frames at LEVEL_DB."""
    return levelled(samples, LEVEL_DB, LEVEL_DB)


def placed(samples: NDArray[np.float32]) -> Placed:
    """At LEVEL_DB, with about LEAD before the first sound and the centre of its energy at one place within a frame.

    The centre hardly depends on faint noise and not at all on silence around, which decides where frames begin.
    """
    level = at_one_level(samples)
    power = _smoothed_power(level)
    if not power.any():
        return Placed(level, 0)
    is_sound = power > power.max() * 10 ** (SOUND_DB / 10)
    onset = _first_lasting(is_sound)
    quieter = _without_clicks(level, power, is_sound[:onset])
    if quieter is not level:
        level = at_one_level(quieter)
        power = _smoothed_power(level)
    loud = np.where(power > power.max() * 10 ** (CENTRE_DB / 10), power, 0.0)
    centre = round(float(np.arange(len(power)) @ loud / loud.sum()))
    start = min(onset - LEAD, MOST_DROPPED)
    start += (centre + IN_STEP - start) % STEP
    if start >= 0:
        return Placed(level[start:], -start)
    added = min(-start, max(0, round(LONGEST_S * TARGET_RATE_HZ) - len(level)))
    return Placed(np.concatenate([np.zeros(added, dtype=np.float32), level]), added)


def _smoothed_power(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    return _window_sums(samples.astype(np.float64) ** 2, SMOOTHED // 2, SMOOTHED // 2) / SMOOTHED


def _without_clicks(
    samples: NDArray[np.float32], power: NDArray[np.float64], is_sound: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Samples [n] with what is too short and too much apart for speech, before it begins, as quiet as what is around:
    the encoder hears a click as a consonant. `is_sound` ends where the speech begins."""
    starts, ends = runs_of(is_sound).T
    apart = np.r_[np.inf, starts[1:] - ends[:-1], len(is_sound) - ends[-1:]]
    is_click = (ends - starts <= LONGEST_CLICK) & (np.minimum(apart[:-1], apart[1:]) >= AROUND_CLICK)
    if not is_click.any():
        return samples
    background = np.median(power[: len(is_sound)])
    gain = np.ones(len(samples))
    for start, end in zip(starts[is_click], ends[is_click], strict=True):
        part = slice(max(0, start - SMOOTHED), end + SMOOTHED)
        gain[part] = np.sqrt(np.minimum(1.0, background / (power[part] + 1e-12)))
    return np.asarray(samples * gain, dtype=np.float32)


def _first_lasting(is_sound: NDArray[np.bool_]) -> int:
    """Where sound first fills most of the LASTING samples from there on; where it never does, where it begins."""
    lasting = np.flatnonzero(is_sound & (_window_sums(is_sound, 0, LASTING) > LASTING // 2))
    return int((lasting if len(lasting) else np.flatnonzero(is_sound))[0])


def _window_sums(values: NDArray[Any], before: int, after: int) -> NDArray[Any]:
    """Of each value [n], the sum from `before` values before it to `after` values from it on; nothing lies beyond."""
    total = np.concatenate([[0], np.cumsum(values)])
    places = np.arange(len(values))
    return np.asarray(total[np.minimum(places + after, len(values))] - total[np.maximum(places - before, 0)])
