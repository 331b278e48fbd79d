"""The voices of eSpeak NG, where it is installed: many and quick, and plainly synthetic."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO

from pipeline.audio.load import Audio, from_samples
from pipeline.synthesis.manner import AS_IT_IS, Manner
from pipeline.text import lines_of

PROGRAM = "espeak-ng"
SYNTHESISER = "espeak-ng"
# Voices of a language, the usual one first.
ACCENTS = {
    "en": ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"),
    "tr": ("tr",),
}
# Those that sound like people; others whisper, echo or are robots.
VARIANTS = (
    "m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4", "m5", "f5", "m6", "m7", "m8", "Andy", "Annie", "Gene", "steph",
    "john", "linda", "max", "belinda", "michael", "anika", "edward", "Lee", "marcelo", "pablo", "rob", "Alex", "Alicia",
)  # fmt: skip
WORDS_PER_MINUTE = 160
SLOWEST, FASTEST = 80, 450  # that it takes
MIDDLE_PITCH, PER_SEMITONE = 50, 4.0  # of its scale from 0 to 99
TIMEOUT_S = 20


@dataclass(frozen=True)
class EspeakVoice:
    """One accent in one variant."""

    accent: str
    variant: str

    @property
    def name(self) -> str:
        return f"espeak-{self.accent}-{self.variant or 'plain'}"

    @property
    def synthesiser(self) -> str:
        return SYNTHESISER

    def say(self, text: str, manner: Manner = AS_IT_IS) -> Audio:
        """16 kHz mono. Raises OSError, soundfile.LibsndfileError or subprocess.SubprocessError."""
        speed = min(FASTEST, max(SLOWEST, round(WORDS_PER_MINUTE * manner.rate)))
        pitch = min(99, max(0, round(MIDDLE_PITCH + PER_SEMITONE * manner.pitch)))
        return spoken(text, f"{self.accent}+{self.variant}" if self.variant else self.accent, speed, pitch)


def voices(language: str) -> list[EspeakVoice]:
    """The usual accent in all variants, then the others; none where it is not installed or the language is unknown."""
    if not is_installed():
        return []
    return [EspeakVoice(accent, variant) for accent in ACCENTS.get(language, ()) for variant in VARIANTS]


def spoken(text: str, voice: str, words_per_minute: int, pitch: int = MIDDLE_PITCH) -> Audio:
    """16 kHz mono. Raises OSError, soundfile.LibsndfileError or subprocess.SubprocessError."""
    import soundfile

    sound = _answer(["-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "--stdout"], text)
    samples, rate_hz = soundfile.read(BytesIO(sound), dtype="float32")
    return from_samples(samples, rate_hz)


def mnemonics(words: Sequence[str], voice: str) -> list[str]:
    """How each word is said, in eSpeak's mnemonics; a word that it says nothing for is missing. Raises OSError or
    subprocess.SubprocessError."""
    text = "".join(f"{word}.\n\n" for word in words)  # a line of mnemonics for each
    said = lines_of(_answer(["-v", voice, "-q", "-x"], text).decode())
    return [line.strip() for line in said if line.strip()]


@lru_cache(maxsize=4096)
def ipa(text: str, voice: str) -> str:
    """How it is said, in signs of the International Phonetic Alphabet; `[[...]]` are phonemes as they are. Raises
    OSError or subprocess.SubprocessError."""
    return " ".join(_answer(["-v", voice, "-q", "--ipa"], text).decode().split())


def _answer(options: list[str], text: str) -> bytes:
    command = [PROGRAM, *options, "--stdin"]
    return subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=True).stdout


@cache
def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None
