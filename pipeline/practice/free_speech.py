"""Speaking without a given text: what was heard, how fast, with which pauses and fillers.

There is no text to compare with, so that nothing is scored and nothing is kept: words can be misheard, and what is
measured on the sound alone (syllables, pauses) is all that is known of Turkish. Syllables are peaks of the level
(`features.timing`). A sound that is held at one pitch for long counts as a filler, as does a word such as "um".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio
from pipeline.audio.speech import MARGINS, cut_to, find_speech
from pipeline.features.frames import HOP, Frames
from pipeline.features.timing import FEATURE_NAMES, timing
from pipeline.features.whisper import whispered_in
from pipeline.i18n import Message
from pipeline.practice.english_listener import english_listener
from pipeline.practice.validity import REASONS
from pipeline.records import RubricName, Seconds, State
from pipeline.scoring.attempt import LEAST_VOICE
from pipeline.settings import Settings

LONGEST_S: Seconds = 30.0
PAUSE_S: Seconds = 0.4  # shorter ones belong to fluent speech
HELD_S: Seconds = 0.45
HELD_SEMITONES = 0.6  # the spread of pitch within it
FILLERS = frozenset(("um", "uh", "er", "erm", "ah", "eh", "hmm", "mm", "huh", "oh"))
FRAME_S = HOP / 16_000
TOPICS = {
    "en": (
        "What did you do yesterday?", "Describe the street you live in.", "What do you like to eat, and why?",
        "Tell about a journey.", "What would you do with a free week?",
    ),
    "tr": (
        "Dün ne yaptınız?", "Oturduğunuz sokağı anlatın.", "Ne yemeyi seversiniz, neden?", "Bir yolculuğunuzu anlatın.",
        "Boş bir haftanız olsa ne yapardınız?",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class FreeSpeech:
    """`words` are those that were heard, None where the language has no listener; `duration_s` is from the first sound
    to the last, `pauses_s` the lengths of the silences in it, `n_syllables` an estimate, `n_fillers` words and held
    sounds; both None in a whisper."""

    duration_s: Seconds
    n_syllables: int | None
    pauses_s: tuple[Seconds, ...]
    n_fillers: int | None
    words: tuple[str, ...] | None = None

    @property
    def whispered(self) -> bool:
        return self.n_syllables is None

    @property
    def syllables_per_s(self) -> float | None:
        """While speaking, pauses left out."""
        return None if self.n_syllables is None else self.n_syllables / max(self.duration_s - sum(self.pauses_s), 0.1)

    @property
    def syllables_per_run(self) -> float | None:
        """Between pauses: the mean length of runs, which goes with fluency."""
        return None if self.n_syllables is None else self.n_syllables / (len(self.pauses_s) + 1)

    @property
    def pause_share(self) -> float:
        return sum(self.pauses_s) / self.duration_s


def listen_freely(settings: Settings, audio: Audio, language: str) -> FreeSpeech | Message:
    """What was measured, or why nothing was. Raises ModelError where English has no speech model."""
    errors = [problem.message for problem in check_audio(audio).problems if problem.severity == "error"]
    if errors:
        return errors[0] if isinstance(errors[0], Message) else Message("{reason}", reason=errors[0])
    speech = find_speech(audio, RubricName.SENTENCE)
    if speech.surest < LEAST_VOICE:
        return Message(REASONS[State.NO_SPEECH])
    part = cut_to(audio, speech, MARGINS[RubricName.SENTENCE]).audio
    frames = Frames(part)
    active = np.flatnonzero(frames.active)
    if not len(active):
        return Message(REASONS[State.NO_SPEECH])
    measured = dict(zip(FEATURE_NAMES, timing(frames, part.duration_s, ""), strict=True))
    words = _heard(settings, part) if language == "en" else None
    spoken = 0 if words is None else sum(word in FILLERS for word in words)
    is_voiced = not whispered_in(audio, speech)
    return FreeSpeech(
        float((active[-1] + 1 - active[0]) * FRAME_S), int(measured["n_nuclei"]) if is_voiced else None,
        pauses(frames.active), max(_n_held(frames.pitch.f0_hz), spoken) if is_voiced else None, words,
    )  # fmt: skip


def pauses(active: NDArray[np.bool_]) -> tuple[Seconds, ...]:
    """The lengths of the silences between the first and the last sound, from PAUSE_S on."""
    places = np.flatnonzero(active)
    gaps = (np.diff(places) - 1) * FRAME_S
    return tuple(float(gap) for gap in gaps if gap >= PAUSE_S)


def _n_held(f0_hz: NDArray[np.floating]) -> int:
    """Stretches whose pitch stays where it is for HELD_S."""
    width, count, start = round(HELD_S / FRAME_S), 0, 0
    semitones = 12.0 * np.log2(np.where(f0_hz > 0, f0_hz, np.nan))
    while start + width <= len(semitones):
        window = semitones[start : start + width]
        if not np.isnan(window).any() and float(window.max() - window.min()) < HELD_SEMITONES:
            count += 1
            while start < len(semitones) and not np.isnan(semitones[start]):
                start += 1
        start += 1
    return count


def _heard(settings: Settings, audio: Audio) -> tuple[str, ...]:
    scorer = english_listener(settings)
    words = scorer.recognise(scorer.hear(audio))
    return tuple(word.text for word in words or ())
