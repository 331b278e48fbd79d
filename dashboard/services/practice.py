"""What the Practise page asks for: lessons, reference voices, attempts and what follows from them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.learner import acting_as
from dashboard.services.shared import loaded_audio, settings
from dashboard.zone import today, visitors_zone
from pipeline.people.access import Action
from pipeline.practice import consent, lessons
from pipeline.practice.attempts import (
    Attempt,
    AttemptLog,
    delete_attempts,
    has_anything,
    read_attempts,
    save_attempt,
)
from pipeline.records import Problem, RubricName, ScoreResult, Target

if TYPE_CHECKING:
    from pipeline.audio.load import Audio
    from pipeline.corpus.reference_voice import ReferenceVoice
    from pipeline.i18n import Message
    from pipeline.people.access import Identity
    from pipeline.practice.advice import Advice
    from pipeline.practice.comparison import AlignedComparison
    from pipeline.practice.delivery import Delivery
    from pipeline.practice.free_speech import FreeSpeech
    from pipeline.practice.lessons import Lesson
    from pipeline.practice.progress import Day, LessonProgress, Sound, Streak
    from pipeline.practice.stress import WordStress
    from pipeline.records import Recording


@dataclass(frozen=True)
class ScoredAttempt:
    """A learner's recording and its result; `prediction` is its id in the log, `no_attempt` says why it is none, None
    where it is one. What a page draws after the score is made when it is drawn, so that nobody waits for it."""

    audio: Audio
    result: ScoreResult
    reference: ReferenceVoice | None
    milliseconds: float
    prediction: str
    no_attempt: Message | None

    @cached_property
    def rule(self) -> ScoreResult:
        """The heuristic's answer, whose dimensions say what to work on."""
        from pipeline.scoring.base import score_audio
        from pipeline.scoring.selection import HEURISTIC, load_scorer

        if self.result.scorer == HEURISTIC:
            return self.result
        target = self.result.target
        return score_audio(load_scorer(settings(), HEURISTIC, target.rubric), self.audio, target)

    @cached_property
    def comparison(self) -> AlignedComparison | None:
        """The recording laid over the reference voice; None without one."""
        from pipeline.errors import AudioError
        from pipeline.practice.comparison import compare

        if self.reference is not None and self.no_attempt is None:
            with suppress(AudioError):  # a voice that went since it was offered must not cost the learner the score
                return compare(self.audio, loaded_audio(self.reference.path))
        return None

    @cached_property
    def stresses(self) -> tuple[WordStress, ...]:
        from pipeline.practice.stress import word_stresses

        return word_stresses(self.audio, self.result)

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """One for each word as it is written."""
        from pipeline.practice.delivery import deliveries
        from pipeline.scoring.pieces import as_written

        return tuple(deliveries(self.audio, self.result.target.text, as_written(self.result.words)))

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        from pipeline.practice.advice import advise

        if self.no_attempt is not None:
            return ()
        pace = self.comparison if self.reference is not None and not self.reference.synthetic else None
        return tuple(advise(self.result, self.rule, self.comparison, pace=pace))

    @property
    def wav(self) -> bytes:
        """The recording as a browser can play it, at the rate it was scored at."""
        from pipeline.audio.encode import to_wav

        return to_wav(self.audio.samples, self.audio.sample_rate_hz)


@asks(Action.PRACTISE)
def all_lessons() -> tuple[list[Lesson], list[Problem]]:
    return lessons.list_lessons(settings())


@asks(Action.MANAGE_LESSONS)
def add_lesson(name: str, content: bytes) -> Lesson:
    return lessons.add_lesson(settings(), name, content, identity.allowed(Action.MANAGE_LESSONS))


@asks(Action.MANAGE_LESSONS)
def remove_lesson(lesson: str) -> None:
    lessons.remove_lesson(settings(), lesson, identity.allowed(Action.MANAGE_LESSONS))


@asks(Action.PRACTISE)
def can_score(language: str) -> bool:
    """Whether a lesson's sounds can be judged: English ones take the speech model."""
    from pipeline.scoring.selection import SPEECH, select

    return language != "en" or select(settings(), Target("", language, RubricName.SENTENCE)).scorer == SPEECH


@asks(Action.PRACTISE)
def check_text(target: Target) -> None:
    """Raises CorpusError for a text that cannot be read aloud as it is written, before somebody records it."""
    from pipeline.text.words import read_text

    read_text(target.text, target.language)


@asks(Action.PRACTISE)
def looks_turkish(text: str) -> bool:
    from pipeline.text.turkish import has_turkish_letters

    return has_turkish_letters(text)


@asks(Action.PRACTISE)
def reference_voice(target: Target) -> ReferenceVoice | None:
    """How a text should sound, where there is a recording or a synthesiser of it."""
    from pipeline.corpus.reference_voice import reference_voice as voice_of

    return voice_of(settings(), target.text, target.language)


@asks(Action.PRACTISE)
def score_recording(data: bytes, target: Target, reference: ReferenceVoice | None, learner: str) -> ScoredAttempt:
    """Decode and score a recording. Raises AudioError where it cannot be read or is over the limits."""
    from pipeline.audio.load import load_audio
    from pipeline.deployment.answering import answer, log_answer, start_shadow
    from pipeline.deployment.prediction_log import PredictionLog
    from pipeline.practice.validity import why_no_attempt

    started = time.perf_counter()
    audio = load_audio(data)
    answered = answer(settings(), audio, target, learner=learner)
    milliseconds = 1000 * (time.perf_counter() - started)
    named = learner if kept(learner) in consent.UNDER_THE_NAME else ""
    prediction = log_answer(PredictionLog(settings()), answered, participant=named)
    start_shadow(settings(), audio, target, prediction, named)
    return ScoredAttempt(audio, answered.result, reference, milliseconds, prediction, why_no_attempt(answered.result))


@asks(Action.PRACTISE)
def listen_freely(data: bytes, language: str) -> FreeSpeech | Message:
    """What was heard in a recording without a text, or why nothing was. Raises AudioError where it cannot be read, or
    is too long."""
    from pipeline.audio.load import load_audio
    from pipeline.practice.free_speech import LONGEST_S, listen_freely

    return listen_freely(settings(), load_audio(data, max_duration_s=LONGEST_S + 1), language)


@asks(Action.PRACTISE)
def give_feedback(prediction: str, agrees: bool) -> None:
    """Whether the learner agrees with a score."""
    from pipeline.deployment.prediction_log import PredictionLog

    PredictionLog(settings()).feedback(prediction, agrees=agrees)


@asks(Action.PRACTISE)
def kept(learner: str) -> consent.Keep | None:
    """What the learner lets us keep; None while they have not been asked, or are nobody."""
    return consent.consent_of(settings(), learner, acting_as(learner)) if learner else None


@asks(Action.PRACTISE)
def keeps_anything(learner: str) -> bool:
    """Whether there is anything of the learner to download or delete."""
    return has_anything(settings(), learner, acting_as(learner))


@asks(Action.PRACTISE)
def let_keep(learner: str, keep: consent.Keep) -> None:
    consent.give_consent(settings(), learner, keep, acting_as(learner))


@asks(Action.PRACTISE)
def keep_attempt(learner: str, attempt: ScoredAttempt, lesson: str) -> None:
    """Save as much of it as the learner allows; nothing of what was no attempt."""
    keep = kept(learner)
    if attempt.no_attempt is None and keep in consent.UNDER_THE_NAME:
        audio, result = attempt.audio if keep is consent.Keep.RECORDINGS else None, attempt.result
        save_attempt(settings(), learner, result.target.text, audio, result, lesson=lesson, by=acting_as(learner))


@asks(Action.PRACTISE)
def attempts(learner: str, text: str | None = None) -> AttemptLog:
    return read_attempts(settings(), learner, text, acting_as(learner))


@asks(Action.PRACTISE)
def delete_attempts_at(learner: str, text: str) -> int:
    return delete_attempts(settings(), learner, text, acting_as(learner))


@asks(Action.PRACTISE)
def delete_everything(learner: str) -> int:
    """All that is kept of a learner, and their name in the log of predictions; how many attempts were deleted."""
    from pipeline.deployment.prediction_log import PredictionLog

    n = delete_attempts(settings(), learner, by=acting_as(learner))
    PredictionLog(settings()).forget(learner)
    return n


@asks(Action.PRACTISE)
def drop_recordings(learner: str) -> int:
    return consent.drop_recordings(settings(), learner, acting_as(learner))


@dataclass(frozen=True)
class Progress:
    """All that the Progress tab shows."""

    attempts: tuple[Attempt, ...]
    days: list[Day]
    streak: Streak
    sounds: list[Sound]
    lessons: list[LessonProgress]


@asks(Action.PRACTISE)
def progress(learner: str) -> Progress:
    from pipeline.practice.progress import by_day, by_lesson, by_sound, streak

    log = attempts(learner).attempts
    zone = visitors_zone()
    return Progress(log, by_day(log, zone), streak(log, today(), zone), by_sound(log), by_lesson(log, all_lessons()[0]))


@asks(Action.MANAGE_REFERENCES)
def marked_references() -> list[Recording]:
    from pipeline.corpus.references import marked

    return marked(settings())


@asks(Action.MANAGE_REFERENCES)
def unusable_references() -> list[Problem]:
    """What is wrong with marked references that are left out."""
    from pipeline.corpus.references import unusable

    return unusable(settings())


@asks(Action.MANAGE_REFERENCES)
def mark_reference(recording_id: str, by: Identity) -> None:
    from pipeline.corpus.references import mark

    mark(settings(), recording_id, by)


@asks(Action.MANAGE_REFERENCES)
def unmark_reference(recording_id: str, by: Identity) -> None:
    from pipeline.corpus.references import unmark

    unmark(settings(), recording_id, by)


@asks(Action.MANAGE_REFERENCES)
@st.cache_data(max_entries=16, show_spinner=False)
def recordings_of(set_name: str, stamp: str) -> list[tuple[str, str]]:
    """Id and text of each recording of a set as it was imported at `stamp`."""
    from pipeline.corpus.sets import read_recordings

    return [(recording.id, recording.text) for recording in read_recordings(settings(), set_name)]


@asks(Action.PRACTISE)
def load_scorers(target: Target) -> None:
    """Load what will be needed, while the learner still reads: the first answer is as quick as the next."""
    from pipeline.scoring.selection import HEURISTIC, load, load_scorer, select
    from pipeline.scoring.sounds.judging import load_sounds

    load(settings(), select(settings(), target))
    load_scorer(settings(), HEURISTIC, target.rubric)
    if target.rubric is RubricName.WORD:
        load_sounds(settings(), target.language)


@asks(Action.PRACTISE)
def warm_up(target: Target, voice: ReferenceVoice | None) -> None:
    """Score the reference voice, once for each scorer of this process: its first answer takes longer than others."""
    from pipeline.errors import AudioError
    from pipeline.scoring.selection import select

    if voice is not None:
        selected = select(settings(), target)
        with suppress(AudioError):  # a voice that went since it was offered
            _answer_once(selected.scorer, str(selected.model), str(target.rubric), voice.path, target)


@st.cache_resource(show_spinner=False)
def _answer_once(scorer: str, model: str, rubric: str, _voice: Path, _target: Target) -> None:
    from pipeline.audio.load import load_audio
    from pipeline.deployment.answering import answer

    answer(settings(), load_audio(_voice.read_bytes()), _target)
