"""The result of an attempt: score and band, words and phones to hear, what to work on."""

import hashlib

import streamlit as st

from dashboard import state
from dashboard.components.mouth import MouthNote, beside_mouths
from dashboard.components.recorder import refused
from dashboard.components.score_card import band_scale, confidence_in_words, method_in_words, points, score_card
from dashboard.components.scored_text import scored_text
from dashboard.markup import message, plain
from dashboard.sections.practice.choose import Exercise
from dashboard.services import practice
from dashboard.services.practice import ScoredAttempt
from pipeline.corpus.reference_voice import ReferenceVoice
from pipeline.errors import AudioError
from pipeline.features.whisper import WHISPERED
from pipeline.i18n import N_, Message, _, number, translated
from pipeline.practice.advice import LOW
from pipeline.practice.coverage import coverage_of
from pipeline.practice.progress import MASTERED
from pipeline.records import ScoreResult, State, Verdict, to_json
from pipeline.scoring.feature_based.scorer import BY_RULE
from pipeline.scoring.other_word import sounds_like_another
from pipeline.scoring.selection import NO_MODEL
from pipeline.scoring.sounds.judging import experimental_note

ASPECTS = {
    "accuracy": (N_("Accuracy"), N_("Are the sounds right?")),
    "fluency": (N_("Fluency"), N_("Does it flow, without pauses and repetitions?")),
    "prosodic": (N_("Prosody"), N_("Are stress, melody and rhythm natural?")),
    "completeness": (N_("Completeness"), N_("Did you say every word?")),
}
RULE_ASPECTS = {
    "segments": N_("Sounds"),
    "timing": N_("Length and speed"),
    "stress": N_("Stress and melody"),
    "signal": N_("Recording quality"),
}


TAKE = "practice.take"  # not shown
USUAL_SILENCE_S = 2.0  # beside speech, where recording stops by itself


def new_attempt(data: bytes, exercise: Exercise, voice: ReferenceVoice | None) -> ScoredAttempt | None:
    """Score the recording, and save it under the learner's name; once, however often the page is redrawn. None, with
    the reason on the page, where it cannot be read."""
    key = hashlib.sha256(repr(exercise.target).encode() + data).hexdigest()
    attempt: ScoredAttempt | None
    known, attempt, saved_for = state.recall("practice.attempt", ("", None, ""))
    if known != key or attempt is None:
        try:
            with st.spinner(_("Scoring …")):
                attempt = practice.score_recording(data, exercise.target, voice, exercise.learner)
        except AudioError as error:
            refused(error)
            return None
        saved_for = ""
    if exercise.learner and not saved_for and practice.kept(exercise.learner) is not None:
        practice.keep_attempt(exercise.learner, attempt, exercise.lesson.id)
        saved_for = exercise.learner
    state.remember("practice.attempt", (key, attempt, saved_for))
    return attempt


def verdict(attempt: ScoredAttempt, voice: ReferenceVoice | None) -> None:
    """Score, first hint and another go first, on a phone within its screen; the words beside them or below."""
    result = attempt.result
    left, right = st.columns([2, 3])
    with left, st.container(key="practice-verdict"):
        st.header(_("Your score"), anchor=False)
        if attempt.no_attempt is None:
            score_card(result)
            for doubt in _doubts(result):
                st.warning(message(translated(doubt)), icon=":material/hearing:")
            _first_hint(attempt)
        else:
            _not_counted(attempt.no_attempt, attempt.result)
        st.button(
            _("Again"), icon=":material/replay:", type="primary", key="practice-again", on_click=again,
            help=_("Record the same text once more."),
        )  # fmt: skip
    with right:
        if result.state is State.OTHER_TEXT and result.heard_text:
            st.markdown(_("It sounded like: *{text}*").format(text=plain(result.heard_text)))
        if attempt.no_attempt is None:
            scored_text(attempt, voice.path.read_bytes() if voice else None, key="practice-scored-text")
            _agreement(attempt)
    if attempt.no_attempt is None:
        told_above = (experimental_note(result), *_doubts(result))
        for warning in (text for text in result.warnings if text not in told_above and not _is_of_models(text)):
            st.caption(f":material/info: {message(translated(warning))}")  # not shown
    if max(result.cut_before_s, result.cut_after_s) > USUAL_SILENCE_S:
        st.caption(
            _("Left out of the score: {before} s before and {after} s after your speech.").format(
                before=number(result.cut_before_s, 1), after=number(result.cut_after_s, 1)
            )
        )


def _doubts(result: ScoreResult) -> list[str]:
    """What stands beside the score, as it may be no score of how the text was said: a whisper, and another word."""
    other = sounds_like_another(result)
    return [*(warning for warning in result.warnings if warning == WHISPERED), *([] if other is None else [other])]


def _is_of_models(warning: str) -> bool:
    """What those who run the installation are to know; a learner is told what was scored."""
    return isinstance(warning, Message) and warning.msgid in (BY_RULE, NO_MODEL)


def _first_hint(attempt: ScoredAttempt) -> None:
    """What to work on, with the mouth where it is a sound."""
    if not attempt.advice:
        st.markdown(_without_advice(attempt))
        return
    first = attempt.advice[0]
    if first.sound:
        language = attempt.result.target.language
        note = MouthNote(language, first.sound, translated(first.title), translated(first.text))
        beside_mouths([note], key="practice-hint")
    else:
        st.markdown(f"**{message(translated(first.title))}** {message(translated(first.text))}")


def _without_advice(attempt: ScoredAttempt) -> str:
    """Praise only where the score is good and every word is shown as right, and of what was judged."""
    result = attempt.result
    is_good = (result.overall or 0.0) >= MASTERED and all(word.verdict is Verdict.RIGHT for word in result.words)
    if not coverage_of(to_json(result)).judges_sounds:
        if attempt.rule.dimensions.get("timing", 100.0) < LOW:
            return _("Say it in one go, at an even pace.")
        return _("Your length and speed fit the text. The score says nothing of your sounds.")
    if is_good and not _doubts(result):
        return _("Well done: nothing stands out. Go on to the next text.")
    if not is_good and len(result.words) > 1:
        weakest = min(result.words, key=lambda word: word.score)
        hint = _("“{word}” was the least clear word. Listen to it, then say it again.")
        return hint.format(word=plain(weakest.text.lower()))
    return _("No single sound stands out. Listen to the reference, then say it again.")


def take() -> int:
    """How many recordings were put aside for another one: each has a recorder of its own."""
    return int(state.recall(TAKE, 0))


def again() -> None:
    state.remember(TAKE, take() + 1)


def _not_counted(reason: str, result: ScoreResult) -> None:
    """What happened, in place of a score."""
    reasons = dict.fromkeys(translated(warning) for warning in result.warnings)
    lines = "".join(f"\n- {message(text)}" for text in reasons)
    words = _("**{reason}** This recording has no score and is not counted.")
    st.warning(words.format(reason=message(translated(reason))) + lines, icon=":material/replay:")


def details(attempt: ScoredAttempt) -> None:
    """Aspects, and how the score was made: what follows the score and the picture."""
    result = attempt.result
    with st.expander(_("By aspect")):
        _aspects(attempt)
    with st.expander(_("About this score")):
        st.markdown(f"{method_in_words(result)} {confidence_in_words(result)}")
        st.markdown(_("Bands: {bands}.").format(bands=band_scale()))
        st.markdown(_("Scored in {seconds} s.").format(seconds=number(attempt.milliseconds / 1000, 1)))


def _agreement(attempt: ScoredAttempt) -> None:
    """Whether the learner agrees with the score, asked once for each attempt: models are compared by it."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with row:
        answer = st.feedback("thumbs", key=f"agrees-{attempt.prediction}")
        if answer is not None and state.recall("practice.answered") != attempt.prediction:
            practice.give_feedback(attempt.prediction, agrees=bool(answer))
            state.remember("practice.answered", attempt.prediction)
        st.caption(
            _("Do you agree with the score?")
            if answer is None
            else _("Thank you. Your answer is saved without your recording.")
        )


def _aspects(attempt: ScoredAttempt) -> None:
    dimensions = attempt.result.dimensions
    if any(name in ASPECTS for name in dimensions):
        for name, (label, question) in ASPECTS.items():
            if name in dimensions:
                score = dimensions[name]
                text = _("{aspect}: {score} of 10. {question}").format(
                    aspect=_(label), score=number(score, 1), question=_(question)
                )
                st.progress(score / 10.0, text=text)
        return
    for name, score in attempt.rule.dimensions.items():
        text = _("{aspect}: {score} of 100").format(aspect=_(RULE_ASPECTS[name]), score=points(score))
        st.progress(score / 100.0, text=text)
    for name in attempt.rule.not_measured:
        st.markdown(_("{aspect}: not measured").format(aspect=_(RULE_ASPECTS[name])))
    if "segments" in attempt.rule.not_measured:
        st.caption(_("There is no reference voice to compare the sounds and the melody with."))
