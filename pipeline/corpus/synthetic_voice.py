"""A reference voice where nobody has recorded one: the most natural synthesiser there is. Said to be synthetic.

eSpeak NG counts longer words than a lesson has: told 140 words a minute, it reads "I would like a cup of tea" at 261.
What it says is measured, and said again as much slower as it takes, down to its slowest. Piper speaks as people do.
"""

import hashlib
import subprocess
from pathlib import Path

import numpy as np

from pipeline import artifacts
from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio
from pipeline.settings import Settings
from pipeline.synthesis import espeak
from pipeline.synthesis.manner import Manner
from pipeline.synthesis.voices import Voice, voices_of

WORDS_PER_MINUTE = 140
NEAR = 1.05  # times the wanted rate
AUDIBLE = 0.01  # of full scale
LONGEST = 300  # characters


def spoken(settings: Settings, text: str, language: str) -> Path | None:
    """A WAV of `text`, made once and kept; None where it cannot be made."""
    voice = next(iter(voices_of(settings, language)), None)
    if voice is None or not 0 < len(text) <= LONGEST:
        return None
    name = hashlib.sha256(f"{voice.name} {WORDS_PER_MINUTE} {text}".encode()).hexdigest()[:32]
    path = settings.features_root / "spoken" / f"{name}.wav"
    if path.is_file():
        return path
    try:
        artifacts.write_bytes(path, to_wav(_read(voice, text).samples))
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError):  # libsndfile's and onnxruntime's, too
        return None  # practice goes on without a voice
    return path


def words_per_minute(audio: Audio, text: str) -> float:
    """From the first to the last sound; 0 where there is none."""
    heard = np.flatnonzero(np.abs(audio.samples) > AUDIBLE)
    return 0.0 if not len(heard) else 60.0 * len(text.split()) * audio.sample_rate_hz / (heard[-1] - heard[0] + 1)


def _read(voice: Voice, text: str) -> Audio:
    if voice.synthesiser != espeak.SYNTHESISER:
        return voice.say(text)
    rate = WORDS_PER_MINUTE / espeak.WORDS_PER_MINUTE
    audio = voice.say(text, Manner(rate))
    excess = words_per_minute(audio, text) / WORDS_PER_MINUTE
    return voice.say(text, Manner(rate / excess)) if excess > NEAR else audio
