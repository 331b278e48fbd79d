"""A reference voice where nobody has recorded one: eSpeak NG, where it is installed. Synthetic, and said to be.

eSpeak NG counts longer words than a lesson has: told 140 words a minute, it reads "I would like a cup of tea" at 261.
What it says is measured, and said again as much slower as it takes, down to its slowest.
"""

import hashlib
import shutil
import subprocess
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np

from pipeline import artifacts
from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio, from_samples
from pipeline.settings import Settings

PROGRAM = "espeak-ng"
VOICES = {"en": "en-us", "tr": "tr"}
WORDS_PER_MINUTE = 140
SLOWEST = 80  # that it takes
NEAR = 1.05  # times the wanted rate
AUDIBLE = 0.01  # of full scale
LONGEST = 300  # characters
TIMEOUT_S = 20


def can_speak(language: str) -> bool:
    return language in VOICES and _program() is not None


def spoken(settings: Settings, text: str, language: str) -> Path | None:
    """A WAV of `text`, made once and kept; None where it cannot be made."""
    program = _program()
    if program is None or language not in VOICES or not 0 < len(text) <= LONGEST:
        return None
    name = hashlib.sha256(f"{VOICES[language]} {WORDS_PER_MINUTE} measured {text}".encode()).hexdigest()[:32]
    path = settings.features_root / "spoken" / f"{name}.wav"
    if path.is_file():
        return path
    import soundfile

    try:
        audio = _said(program, text, language, WORDS_PER_MINUTE)
        excess = words_per_minute(audio, text) / WORDS_PER_MINUTE
        if excess > NEAR:
            audio = _said(program, text, language, max(SLOWEST, round(WORDS_PER_MINUTE / excess)))
        artifacts.write_bytes(path, to_wav(audio.samples))
    except (OSError, subprocess.SubprocessError, soundfile.LibsndfileError):
        return None  # practice goes on without a voice
    return path


def words_per_minute(audio: Audio, text: str) -> float:
    """From the first to the last sound; 0 where there is none."""
    heard = np.flatnonzero(np.abs(audio.samples) > AUDIBLE)
    return 0.0 if not len(heard) else 60.0 * len(text.split()) * audio.sample_rate_hz / (heard[-1] - heard[0] + 1)


def _said(program: str, text: str, language: str, rate: int) -> Audio:
    import soundfile

    command = [program, "-v", VOICES[language], "-s", str(rate), "--stdin", "--stdout"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=True)
    samples, rate_hz = soundfile.read(BytesIO(done.stdout), dtype="float32")
    return from_samples(samples, rate_hz)


@cache
def _program() -> str | None:
    return shutil.which(PROGRAM)
