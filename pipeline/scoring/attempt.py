"""Score what somebody has just recorded: besides what every recording is refused for, music, another word, and far more
than the word that was asked for; of a whisper it is told that it was one. Recordings of a corpus are scored without, by
`score_audio`."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.audio.check import check_audio
from pipeline.audio.load import Audio
from pipeline.audio.speech import MARGINS, Speech, cut_to, find_speech
from pipeline.features.alignment import SpeechPart, WordMatch, speech_part
from pipeline.features.whisper import WHISPERED, whispered_in
from pipeline.i18n import N_, Message
from pipeline.records import RubricName, ScoreResult, Seconds, State, Target
from pipeline.scoring.base import Scorer, score_audio
from pipeline.scoring.heuristic.scorer import SOUNDS_NOT_SCORED
from pipeline.scoring.other_word import (
    NOT_CHECKED,
    SOUNDS_LIKE_ANOTHER,
    is_other_word,
    matched_word,
    nearer_word,
    sounds_like_another,
)  # fmt: skip

# silero-vad's highest probability: 0 of 233 recorded and synthetic words lie below, melodies and chords do.
LEAST_VOICE = 0.5
# The slowest synthetic learner needs two thirds of it.
LONGEST_WORD_S: Seconds = 1.0
LONGEST_A_LETTER_S: Seconds = 0.3


def score_attempt(
    scorer: Scorer, audio: Audio, target: Target, references: Mapping[str, tuple[SpeechPart, ...]] | None = None
) -> ScoreResult:
    """As `score_audio`, with a state and a reason in place of a score where nobody spoke, or said something else.

    Args:
        references: Of the target's language, to tell other words by (`other_word`).
    """
    speech = find_speech(audio, target.rubric)
    result = score_audio(scorer, audio, target, speech)
    if result.overall is None:
        return result
    heard = cut_to(audio, speech, MARGINS[target.rubric]).audio
    if speech.surest < LEAST_VOICE:
        state = State.NO_SPEECH
        reason = Message(N_("There is no voice in this recording. Record yourself in a quiet place, without music."))
    elif target.rubric is not RubricName.WORD:
        return _told_of_a_whisper(result, audio, speech)
    elif (speech_s := _speech_s(heard)) > _longest_s(target.text):
        state = State.OTHER_TEXT
        reason = Message(
            N_("There are {seconds:.1f} s of speech in this recording, more than “{word}” takes. Say only this word."),
            seconds=speech_s, word=target.text,
        )  # fmt: skip
    else:
        matched = matched_word(references or {}, heard, target)
        if matched is None or not is_other_word(matched):
            told = _told_of_the_text(result, matched, is_checked=references is not None)
            return _told_of_a_whisper(told, audio, speech)
        state = State.OTHER_TEXT
        reason = Message(N_("This is not the word “{word}”. Listen to it, then say it."), word=target.text)
    return replace(
        result, overall=None, band=None, scoring_method="none", confidence=None, dimensions={}, not_measured=(),
        words=(), state=state,
        warnings=(reason, *(problem.message for problem in check_audio(audio).problems)),
    )  # fmt: skip


def _told_of_the_text(result: ScoreResult, matched: WordMatch | None, *, is_checked: bool) -> ScoreResult:
    """With what is to be known of a word that may be another one, where that was looked at."""
    word = result.target.text
    other = None if matched is None else nearer_word(matched)
    note: Message | None = None
    if matched is None and is_checked and SOUNDS_NOT_SCORED not in result.warnings:
        note = Message(NOT_CHECKED, word=word)
    elif other is not None and sounds_like_another(result) is None:
        note = Message(SOUNDS_LIKE_ANOTHER, other=other, word=word)
    return result if note is None else replace(result, warnings=(note, *result.warnings))


def _told_of_a_whisper(result: ScoreResult, audio: Audio, speech: Speech) -> ScoreResult:
    """Where it was one, with that first, and without a confidence: scorers learned from voices."""
    if not whispered_in(audio, speech):
        return result
    return replace(result, confidence=None, warnings=(Message(WHISPERED), *result.warnings))


def _speech_s(audio: Audio) -> Seconds:
    part = speech_part(audio)
    return 0.0 if part is None else part.duration_s


def _longest_s(text: str) -> Seconds:
    return LONGEST_WORD_S + LONGEST_A_LETTER_S * len(text)
