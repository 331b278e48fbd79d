"""Pitch, formants and intensity over time, as a phonetician expects them: Praat's methods with Praat's settings.

Other than the features' pitch and formants (`features.frames`), which trained models depend on and which look at each
frame by itself, pitch follows the best path through all frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.formants import formants_hz
from pipeline.audio.intensity import intensity_db
from pipeline.audio.load import Audio
from pipeline.audio.pitch import f0_hz
from pipeline.records import Seconds

STEP_S: Seconds = 0.005
MAX_FRAMES = 4000  # longer recordings are measured at longer steps
FORMANT_RANGE_DB = 30.0  # under the loudest frame; what is fainter has no formants to speak of


@dataclass(frozen=True)
class Tracks:
    """At times 0, `step_s`, 2 `step_s` ...: `f0_hz` [n], NaN where unvoiced; `formants_hz` [n, 5], NaN where there is
    none or the recording is faint; `intensity_db` [n], as Praat counts (full scale is 1 Pa, 0 dB is 20 µPa)."""

    step_s: Seconds
    f0_hz: NDArray[np.float64]
    formants_hz: NDArray[np.float64]
    intensity_db: NDArray[np.float64]


def measure(audio: Audio, formant_ceiling_hz: float) -> Tracks:
    """All three of a recording. Five formants are looked for below `formant_ceiling_hz`: 5000 Hz suits low voices,
    5500 Hz high ones, 8000 Hz children."""
    step_s = max(STEP_S, audio.duration_s / MAX_FRAMES)
    times_s = np.arange(0.0, audio.duration_s, step_s)
    level_db = intensity_db(audio, times_s)
    loud = level_db > level_db.max(initial=-np.inf) - FORMANT_RANGE_DB
    formants = np.full((len(times_s), 5), np.nan)
    formants[loud] = formants_hz(audio, times_s[loud], formant_ceiling_hz)
    return Tracks(step_s, f0_hz(audio, times_s, step_s), formants, level_db)
