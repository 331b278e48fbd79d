"""Clips of a word that nobody has recorded yet, of phrases near it and of other words, by the synthesisers of this
machine, and of sounds of recordings.

    <out>/positive/<voice>/0001.wav        16 kHz mono
    <out>/hard_negative/<voice>/0001.wav   near phrases, in the same voices
    <out>/negative/<voice>/0001.wav        other words in a row, in the same voices
    <out>/spoken.json                      the word, written first
    <out>/spoken.jsonl                     what each clip is: text, voice, manner; all are synthetic; written last

A folder like this is one of positives for `pronlab wakeword train`. A detector that was measured on such clips alone
has not been measured on people.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, jsonl
from pipeline.audio.encode import to_wav
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, NN_, Message
from pipeline.locks import locked
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.synthesis import espeak
from pipeline.synthesis.cutting import trimmed
from pipeline.synthesis.manner import Manner
from pipeline.synthesis.voices import Voice, voices_for
from pipeline.wakeword.data.clips import ABOUT, SPOKEN, Label
from pipeline.wakeword.data.joining import SYNTHESISER as JOINED
from pipeline.wakeword.data.joining import JoinedVoice, check_texts, joined_voices, recordings_to_join
from pipeline.wakeword.data.near_phrases import near_phrases
from pipeline.wakeword.data.other_speech import word_sequences
from pipeline.wakeword.data.spoken_word import spoken_word
from pipeline.wakeword.wake_words import SPELLED_OUT, pronunciation, wake_word

# People say a word that stands alone more slowly than a synthesiser does: half of the recordings of `computer` last
# longer than 0.77 s, of Piper's clips at its own rate longer than 0.54 s.
RATES, PITCHES, LIVELINESS = (0.55, 1.05), (-3.0, 5.0), (0.7, 1.4)
NATURAL = "natural"
SHARES = {espeak.SYNTHESISER: 1.0, NATURAL: 1.0, JOINED: 2.0}  # of the kinds that are there
DRAWS = 50  # of a voice, until one is found that can say a text
EDGE_S, PEAK = 0.05, 0.7
SPOKEN_CLASSES = (Label.POSITIVE, Label.HARD_NEGATIVE, Label.NEGATIVE)
OF_A_CLIP = re.compile(r"[a-z_]+/[^/]+/[0-9]{5}\.wav")  # the path of one that was spoken


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
    """What was spoken: how many clips of the word, of phrases near it and of other words, which phrases, and where, and
    how many clips of an earlier round it took the place of."""

    clips: int
    near: int
    other: int
    folder: Path
    phrases: tuple[str, ...]
    voices: tuple[str, ...]
    replaced: int = 0


def speak(
    settings: Settings,
    word: str,
    out: Path,
    *,
    n_clips: int = 400,
    n_near: int | None = None,
    n_other: int | None = None,
    language: str = "en",
    pronunciations: Sequence[str] = (),
    folders: Sequence[Path] = (),
    speech: Sequence[Path] = (),
    source_pattern: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Spoken:
    """Speak `n_clips` clips of the word, `n_near` of phrases near it and `n_other` of other words (half as
    many each), each in a voice, at a rate and pitch of its own.

    Args:
        pronunciations: What is spoken in place of the word: other spellings, or `[[phonemes]]` of eSpeak NG.
        folders: With voices of Kokoro or Piper.
        speech: With English recordings, whose sounds are joined to the same texts; `source_pattern` names their
            speakers (see `recordings_to_join`).

    A folder of the same word is written anew, also one that was cut off. Raises CorpusError for what cannot be a word,
    where no synthesiser speaks the language, `out` holds something else, such as clips of another word, or another
    process writes there now; as `recordings_to_join`.
    """
    word, pronunciations = wake_word(word), [pronunciation(way) for way in pronunciations]
    voices: list[Voice] = [*voices_for(settings, language, folders)]
    if speech:
        recordings_to_join(settings, speech, source_pattern, language)  # before anything is written anew
        check_texts(settings, [text for text in pronunciations or [word] if SPELLED_OUT not in text])
    n_near = n_clips // 2 if n_near is None else n_near
    phrases = near_phrases(word, language, max(1, n_near // 2)) if n_near else []
    with _alone(settings, out):
        replaced = _clear(out, word)
        if speech:
            voices += joined_voices(settings, speech, source_pattern, seed, progress)
        kinds = _by_kind(voices)
        draw = np.random.default_rng(seed)
        texts = [pronunciations[k % len(pronunciations)] if pronunciations else word for k in range(n_clips)]
        wanted = [(Label.POSITIVE, text) for text in texts]
        wanted += [(Label.HARD_NEGATIVE, phrases[k % len(phrases)]) for k in range(n_near if phrases else 0)]
        n_other = n_clips // 2 if n_other is None else n_other
        others = word_sequences(language, n_other, [word, *phrases], draw)
        wanted += [(Label.NEGATIVE, text) for text in others]
        artifacts.write_json(out / ABOUT, {"word": word, "language": language, "synthetic": True})
        made: list[SpokenClip] = []
        for number, (label, text) in enumerate(wanted):
            made.append(_clip(out, number, label, text, _voice(kinds, text, draw), draw))
            if progress is not None:
                progress(number + 1, len(wanted), text)
        jsonl.write(out / SPOKEN, made)
        counts = Counter(clip.label for clip in made)
        used = tuple(sorted({clip.voice for clip in made}))
        n_words, n_near, n_other = (counts[label] for label in SPOKEN_CLASSES)
        return Spoken(n_words, n_near, n_other, out, tuple(phrases), used, replaced)


def delete_spoken(settings: Settings, out: Path) -> int:
    """Delete what was spoken into a folder, also by a round that was cut off, so that any word can be spoken into it:
    how many clips. Raises CorpusError as `speak` does for a folder with something else, or one that is written now."""
    with _alone(settings, out):
        word, _language = spoken_word(out)
        deleted = _clear(out, word)
        (out / ABOUT).unlink(missing_ok=True)
        for label in SPOKEN_CLASSES:
            for folder in sorted((path for path in (out / label).rglob("*") if path.is_dir()), reverse=True):
                folder.rmdir()
            if (out / label).is_dir():
                (out / label).rmdir()
        return deleted


def _alone(settings: Settings, out: Path) -> AbstractContextManager[None]:
    """Held by who writes into a folder. Raises CorpusError where another process does."""
    busy = Message(N_("Clips are being spoken into {folder} already. Wait, or name another folder."), folder=str(out))
    return locked(settings, out, CorpusError, within_s=0.0, busy=busy)


def texts_in(folder: Path) -> dict[str, str]:
    """What each clip of a folder that `speak` writes says, by its path in the folder; empty for any other folder."""
    return {row["path"]: row["text"] for row in jsonl.read(folder / SPOKEN)} if (folder / SPOKEN).is_file() else {}


def near_in_many_voices(
    word: str, n_phrases: int, n_voices: int, draw: np.random.Generator
) -> list[tuple[str, NDArray[np.float32]]]:
    """English phrases near a word as eSpeak NG says them, each in so many of its voices; none without eSpeak NG."""
    voices = espeak.voices("en")
    if not voices:
        return []
    return [
        (phrase, _said(phrase, voices[int(draw.integers(len(voices)))], draw)[0])
        for phrase in near_phrases(word, "en", n_phrases)
        for _ in range(n_voices)
    ]


def _clear(out: Path, word: str) -> int:
    """Remove what an earlier round wrote, and nothing else: how many clips. Raises CorpusError for a folder that is not
    one of this word's, or that holds other clips as well."""
    if not out.exists() or all(path.name.startswith(artifacts.TEMPORARY_PREFIX) for path in out.iterdir()):
        return 0
    before, _language = spoken_word(out)
    if before != word:
        content = Message(N_("clips of {word!r}"), word=before) if before else Message(N_("no spoken clips"))
        raise CorpusError(
            N_("{folder} is not empty and holds {content}, so nothing was written. Name another folder."),
            folder=str(out), content=content,
        )  # fmt: skip
    files = [path for label in SPOKEN_CLASSES for path in (out / label).rglob("*") if not path.is_dir()]
    others = [
        path
        for path in files
        if not OF_A_CLIP.fullmatch(path.relative_to(out).as_posix())
        and not path.name.startswith(artifacts.TEMPORARY_PREFIX)
    ]
    if others:
        raise CorpusError(
            NN_("{folder} also holds {n} file that was not spoken here ({first}), so nothing was written. Move it to "
                "a folder of its own.",
                "{folder} also holds {n} files that were not spoken here ({first}), so nothing was written. Move them "
                "to a folder of their own."),
            folder=str(out), n=len(others), first=min(path.relative_to(out).as_posix() for path in others),
        )  # fmt: skip
    (out / SPOKEN).unlink(missing_ok=True)  # first: it lists the clips
    for path in files:
        path.unlink()
    return sum(not path.name.startswith(artifacts.TEMPORARY_PREFIX) for path in files)


def _by_kind(voices: Sequence[Voice]) -> dict[str, list[Voice]]:
    """eSpeak's many, natural ones, and those joined of recordings."""
    kinds: dict[str, list[Voice]] = {}
    for voice in voices:
        kind = voice.synthesiser if voice.synthesiser in SHARES else NATURAL
        kinds.setdefault(kind, []).append(voice)
    return kinds


def _voice(kinds: Mapping[str, Sequence[Voice]], text: str, draw: np.random.Generator) -> Voice:
    """Raises CorpusError where none that was drawn can say it."""
    names = list(kinds)
    shares = np.array([SHARES[name] for name in names])
    for _ in range(DRAWS):
        kind = kinds[names[int(draw.choice(len(names), p=shares / shares.sum()))]]
        voice = kind[int(draw.integers(len(kind)))]
        if not isinstance(voice, JoinedVoice) or (SPELLED_OUT not in text and voice.can_say(text)):
            return voice
    raise CorpusError(N_("No voice here can say {text!r}: the recordings lack some of its sounds."), text=text)


def _said(text: str, voice: Voice, draw: np.random.Generator) -> tuple[NDArray[np.float32], Manner]:
    """Trimmed, at 16 kHz, and how. Raises CorpusError where the voice cannot say it."""
    manner = Manner(*(round(float(draw.uniform(*bounds)), 3) for bounds in (RATES, PITCHES, LIVELINESS)))
    try:
        audio = voice.say(text, manner)
        return trimmed(audio.samples, audio.sample_rate_hz, EDGE_S, PEAK), manner
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        raise CorpusError(
            N_("The voice {voice} cannot say {text!r} ({reason})."), voice=voice.name, text=text, reason=said_by(error)
        ) from error


def _clip(out: Path, number: int, label: Label, text: str, voice: Voice, draw: np.random.Generator) -> SpokenClip:
    """Raises CorpusError where the voice cannot say it."""
    samples, manner = _said(text, voice, draw)
    path = f"{label}/{voice.name}/{number:05d}.wav"
    artifacts.write_bytes(out / path, to_wav(samples))
    return SpokenClip(path, text, label, voice.name, voice.synthesiser, manner.rate, manner.pitch)
