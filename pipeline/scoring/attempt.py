"""Score what somebody has just recorded: besides what every recording is refused for, music, and far more than the word
that was asked for. Recordings of a corpus are scored without, by `score_audio`."""

from dataclasses import replace

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio
from pipeline.audio.voice import surest_voice
from pipeline.features.alignment import speech_part
from pipeline.records import RubricName, ScoreResult, Seconds, State, Target
from pipeline.scoring.base import Scorer, score_audio

# silero-vad's highest probability: 0 of 233 recorded and synthetic words lie below, melodies and chords do.
LEAST_VOICE = 0.5
# The slowest synthetic learner needs two thirds of it.
LONGEST_WORD_S: Seconds = 1.0
LONGEST_A_LETTER_S: Seconds = 0.3


def score_attempt(scorer: Scorer, audio: Audio, target: Target) -> ScoreResult:
    """As `score_audio`, with a state and a reason in place of a score where nobody spoke, or said much more."""
    result = score_audio(scorer, audio, target)
    if result.overall is None:
        return result
    reason = state = None
    if surest_voice(audio.samples) < LEAST_VOICE:
        reason, state = "No voice was heard in it: music or noise cannot be scored. Record yourself.", State.NO_SPEECH
    elif target.rubric is RubricName.WORD and (lasts_s := _lasts_s(audio)) > _longest_s(target.text):
        reason = f"Somebody speaks for {lasts_s:.1f} s in it: much longer than “{target.text}” takes. Say it alone."
        state = State.OTHER_TEXT
    if reason is None or state is None:
        return result
    return replace(
        result, overall=None, band=None, scoring_method="none", confidence=None, dimensions={}, words=(), state=state,
        warnings=(reason, *(problem.message for problem in check_audio(audio).problems)),
    )  # fmt: skip


def _lasts_s(audio: Audio) -> Seconds:
    found = speech_part(audio)
    return 0.0 if found is None else found.duration_s


def _longest_s(text: str) -> Seconds:
    return LONGEST_WORD_S + LONGEST_A_LETTER_S * len(text)
