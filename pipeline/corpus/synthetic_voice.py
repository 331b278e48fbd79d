"""A reference voice where nobody has recorded one: eSpeak NG, where it is installed. Synthetic, and said to be."""

import hashlib
import shutil
import subprocess
from functools import cache
from io import BytesIO
from pathlib import Path

from pipeline import artifacts
from pipeline.audio.encode import to_wav
from pipeline.audio.load import from_samples
from pipeline.settings import Settings

PROGRAM = "espeak-ng"
VOICES = {"en": "en-us", "tr": "tr"}
WORDS_PER_MINUTE = 140
LONGEST = 300  # characters
TIMEOUT_S = 20


def can_speak(language: str) -> bool:
    return language in VOICES and _program() is not None


def spoken(settings: Settings, text: str, language: str) -> Path | None:
    """A WAV of `text`, made once and kept; None where it cannot be made."""
    program = _program()
    if program is None or language not in VOICES or not 0 < len(text) <= LONGEST:
        return None
    name = hashlib.sha256(f"{VOICES[language]} {WORDS_PER_MINUTE} {text}".encode()).hexdigest()[:32]
    path = settings.features_root / "spoken" / f"{name}.wav"
    if path.is_file():
        return path
    import soundfile

    command = [program, "-v", VOICES[language], "-s", str(WORDS_PER_MINUTE), "--stdin", "--stdout"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=True)
        samples, rate_hz = soundfile.read(BytesIO(done.stdout), dtype="float32")
        artifacts.write_bytes(path, to_wav(from_samples(samples, rate_hz).samples))
    except (OSError, subprocess.SubprocessError, soundfile.LibsndfileError):
        return None  # practice goes on without a voice
    return path


@cache
def _program() -> str | None:
    return shutil.which(PROGRAM)
