"""Clips of a word that nobody has recorded yet, and of phrases near it, by the synthesisers of this machine.

    <out>/positive/<voice>/0001.wav        16 kHz mono
    <out>/hard_negative/<voice>/0001.wav   near phrases, in the same voices
    <out>/spoken.json                      the word, written first
    <out>/spoken.jsonl                     what each clip is: text, voice, manner; all are synthetic; written last

A folder like this is one of positives for `pronlab wakeword train`. A detector that was measured on such clips alone
has not been measured on people.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import artifacts, jsonl
from pipeline.audio.encode import to_wav
from pipeline.errors import CorpusError
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.synthesis.cutting import trimmed
from pipeline.synthesis.manner import Manner
from pipeline.synthesis.voices import Voice, voices_for
from pipeline.wakeword.data.clips import SPOKEN, Label
from pipeline.wakeword.data.near_phrases import near_phrases
from pipeline.wakeword.wake_words import pronunciation, wake_word

ABOUT = "spoken.json"
# People say a word that stands alone more slowly than a synthesiser does: half of the recordings of `computer` last
# longer than 0.77 s, of Piper's clips at its own rate longer than 0.54 s.
RATES, PITCHES, LIVELINESS = (0.55, 1.05), (-3.0, 5.0), (0.7, 1.4)
NATURAL_SHARE = 0.5  # of the clips by Piper's voices where there are any: few, and nearer to people than eSpeak's many
EDGE_S, PEAK = 0.05, 0.7


@dataclass(frozen=True)
class SpokenClip:
    """`path` is relative to the folder."""

    path: str
    text: str
    label: Label
    voice: str
    synthesiser: str
    rate: float
    pitch: float
    synthetic: bool = True


@dataclass(frozen=True)
class Spoken:
    """What was spoken: how many clips of the word and of phrases near it, which phrases, and where."""

    clips: int
    near: int
    folder: Path
    phrases: tuple[str, ...]
    voices: tuple[str, ...]


def speak(
    settings: Settings,
    word: str,
    out: Path,
    *,
    n_clips: int = 400,
    n_near: int | None = None,
    language: str = "en",
    pronunciations: Sequence[str] = (),
    folders: Sequence[Path] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Spoken:
    """Speak `n_clips` clips of the word and `n_near` of phrases near it (half as many), each in a voice, at a rate and
    pitch of its own.

    Args:
        pronunciations: What is spoken in place of the word: other spellings, or `[[phonemes]]` of eSpeak NG.
        folders: With voices of Piper.

    A folder of the same word is written anew, also one that was cut off. Raises CorpusError for what cannot be a word,
    where no synthesiser speaks the language, or `out` holds something else, such as clips of another word.
    """
    word, pronunciations = wake_word(word), [pronunciation(way) for way in pronunciations]
    voices = voices_for(settings, language, folders)
    _clear(out, word)
    n_near = n_clips // 2 if n_near is None else n_near
    phrases = near_phrases(word, language, max(1, n_near // 2)) if n_near else []
    draw = np.random.default_rng(seed)
    texts = [pronunciations[k % len(pronunciations)] if pronunciations else word for k in range(n_clips)]
    wanted = [(Label.POSITIVE, text) for text in texts]
    wanted += [(Label.HARD_NEGATIVE, phrases[k % len(phrases)]) for k in range(n_near if phrases else 0)]
    artifacts.write_json(out / ABOUT, {"word": word, "language": language, "synthetic": True})
    made: list[SpokenClip] = []
    for number, (label, text) in enumerate(wanted):
        made.append(_clip(out, number, label, text, _voice(voices, draw), draw))
        if progress is not None:
            progress(number + 1, len(wanted), text)
    jsonl.write(out / SPOKEN, made)
    n_words = sum(clip.label is Label.POSITIVE for clip in made)
    used = tuple(sorted({clip.voice for clip in made}))
    return Spoken(n_words, len(made) - n_words, out, tuple(phrases), used)


def _clear(out: Path, word: str) -> None:
    """Remove what an earlier round wrote. Raises CorpusError for a folder that is not one of this word's."""
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        before = str(artifacts.read_json(out / ABOUT)["word"])
    except (OSError, ValueError, KeyError, TypeError):
        before = ""
    if before != word:
        holds = f"clips of {before!r}" if before else "no spoken clips"
        raise CorpusError(f"{out} is not empty and holds {holds}, so nothing was written. Name another folder.")
    for label in (Label.POSITIVE, Label.HARD_NEGATIVE):
        shutil.rmtree(out / label, ignore_errors=True)
    (out / SPOKEN).unlink(missing_ok=True)


def _voice(voices: Sequence[Voice], draw: np.random.Generator) -> Voice:
    natural = [voice for voice in voices if voice.synthesiser == "piper"]
    others = [voice for voice in voices if voice.synthesiser != "piper"]
    pool = natural if natural and (not others or draw.random() < NATURAL_SHARE) else others
    return pool[draw.integers(len(pool))]


def _clip(out: Path, number: int, label: Label, text: str, voice: Voice, draw: np.random.Generator) -> SpokenClip:
    """Raises CorpusError where the voice cannot say it."""
    manner = Manner(*(round(float(draw.uniform(*bounds)), 3) for bounds in (RATES, PITCHES, LIVELINESS)))
    try:
        audio = voice.say(text, manner)
        samples = trimmed(audio.samples, audio.sample_rate_hz, EDGE_S, PEAK)
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        raise CorpusError(f"The voice {voice.name} cannot say {text!r} ({error}).") from error
    path = f"{label}/{voice.name}/{number:05d}.wav"
    artifacts.write_bytes(out / path, to_wav(samples))
    return SpokenClip(path, text, label, voice.name, voice.synthesiser, manner.rate, manner.pitch)
