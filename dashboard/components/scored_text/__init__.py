"""A scored attempt: each word and phone with its verdict in colour, shape and text, to hear beside the reference; and
what to work on.

A Components v2 component in the page itself, like the rating form: no frame, no network.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pipeline.i18n import N_, _, number, percent, translated
from pipeline.phones import UNKNOWN
from pipeline.practice.coverage import coverage_of
from pipeline.practice.sounds import known_sound
from pipeline.records import PhoneScore, Verdict, WordScore, to_json, whole_points
from pipeline.scoring.pieces import as_written
from pipeline.scoring.sounds.judging import experimental_note, whole_verdict
from pipeline.text.turkish import VOWELS, pronounced

if TYPE_CHECKING:
    from dashboard.services.practice import ScoredAttempt
    from pipeline.practice.advice import Advice
    from pipeline.practice.comparison import AlignedComparison
    from pipeline.practice.stress import WordStress
    from pipeline.records import Seconds

    Span = tuple[Seconds, Seconds]

FOLDER = Path(__file__).parent
NAME = "pronlab_scored_text"

# Shapes differ, so that the verdict is not told by colour alone.
VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.RIGHT: ("●", N_("right")),
    Verdict.ACCENTED: ("◆", N_("understandable, with an accent")),
    Verdict.WRONG: ("▲", N_("to work on")),
    Verdict.MISSING: ("○", N_("not said")),
}
MODES = {
    "mine": N_("yours"),
    "reference": N_("reference"),
    "both": N_("both in turn"),
    "slow": N_("reference, slowly"),
}
STRINGS = {
    "modes": N_("What a click plays"),
    "all": N_("Whole recording"),
    "play_all": N_("Play the whole recording"),
    "first": N_("Listen to the place of the hint"),
    "advice": N_("What to work on next"),
    "mine": N_("yours"),
    "reference": N_("reference"),
    "slow": N_("slowly"),
    "play_mine": N_("Play yours: {title}"),
    "play_reference": N_("Play the reference: {title}"),
    "play_slow": N_("Play the reference slowly: {title}"),
    "hint": N_("Click a word or a sound to listen. The number is the score of the word (0-100)."),
}


def scored_text(attempt: ScoredAttempt, reference: bytes | None, *, key: str) -> None:
    """Draw the words of an attempt over its recording, the place of the first advice to hear, and the advice after it;
    `reference` is a WAV of how it should sound."""
    comparison = attempt.comparison
    has_reference = reference is not None and comparison is not None
    strings = {name: _(text) for name, text in STRINGS.items()}
    if (note := experimental_note(attempt.result)) is not None:
        strings["hint"] = f"{translated(note)} {strings['hint']}"
    words = _words(attempt)
    if not attempt.result.words and not coverage_of(to_json(attempt.result)).judges_sounds:
        strings["hint"] = _("Click the text to listen.")
        words, legend = [word | _unjudged(word["text"]) for word in words], {}
    else:
        legend = VERDICTS
    data = {
        "wav": _base64(attempt.wav),
        "reference": _base64(reference) if reference is not None and comparison is not None else None,
        "modes": [[mode, _(label)] for mode, label in MODES.items() if mode == "mine" or has_reference],
        "words": words,
        "legend": [
            {"verdict": str(verdict), "shape": shape, "text": _(text)} for verdict, (shape, text) in legend.items()
        ],
        # What it says of the first stands beside the score.
        "first": _advice(attempt.advice[0], comparison) if attempt.advice else None,
        "advice": [_advice(advice, comparison) for advice in attempt.advice[1:]],
        "strings": strings,
    }
    _component()(key=key, data=data)


def _words(attempt: ScoredAttempt) -> list[dict[str, Any]]:
    """Each with what was measured on it, and how it was delivered."""
    words = as_written(attempt.result.words)
    language = attempt.result.target.language
    if not words:
        return [
            _word(word, attempt.comparison) | {"dots": syllable_dots(word.text, language, None)}
            for word in _whole(attempt)
        ]
    stresses = {stress.span_s[0]: stress for stress in attempt.stresses}
    shown, was_flat = [], False
    for word, delivery in zip(words, attempt.deliveries, strict=True):
        stress = stresses.get(word.start_s)
        seconds = number(delivery.break_s, 1)
        shown.append(
            _word(word, attempt.comparison)
            | {
                "dots": syllable_dots(word.text, language, stress),
                "break": {
                    "text": _("{seconds} s").format(seconds=seconds),
                    "title": _("You stopped for {seconds} s here.").format(seconds=seconds),
                }
                if delivery.break_s
                else None,
                "level": delivery.is_flat,
                "level_note": _("Does your voice stay level here?") if delivery.is_flat and not was_flat else "",
            }
        )
        was_flat = delivery.is_flat
    return shown


def syllable_dots(word: str, language: str, stress: WordStress | None) -> dict[str, Any] | None:
    """A mark for each syllable, of an English word as it was said, of a Turkish one as it is said; None for one
    syllable, and where it is not known. Which syllable was stressed is not judged."""
    if stress is None:
        return _turkish_dots(word) if language == "tr" and len(word.split()) == 1 else None
    marks = ["weak"] * len(stress.syllables)
    marks[stress.expected] = "strong"
    title = _("Stress on syllable {place} of {n}").format(place=stress.expected + 1, n=len(stress.syllables))
    return {"marks": marks, "title": title}


def _turkish_dots(word: str) -> dict[str, Any] | None:
    vowels = [sound for sound in pronounced(word) if sound.letter in VOWELS]
    place = next((number for number, vowel in enumerate(vowels, start=1) if vowel.stressed), None)
    if len(vowels) < 2 or place is None:
        return None
    title = _("Stress on syllable {place} of {n}").format(place=place, n=len(vowels))
    return {"marks": ["strong" if vowel.stressed else "weak" for vowel in vowels], "title": title}


def _base64(wav: bytes) -> str:
    return base64.b64encode(wav).decode("ascii")


def _whole(attempt: ScoredAttempt) -> tuple[WordScore, ...]:
    """Where the scorer scores a word as a whole: that word, from the first sound to the last."""
    score = attempt.result.overall or 0.0
    start, end = 0.0, len(attempt.audio.samples) / attempt.audio.sample_rate_hz
    if attempt.comparison is not None:
        start = attempt.comparison.mine.offset_s
        end = start + attempt.comparison.mine.duration_s
    return (WordScore(attempt.result.target.text, score, start, end, verdict=whole_verdict(score)),)


def _unjudged(text: str) -> dict[str, Any]:
    """In place of a verdict and a number, where the score says nothing of what was said."""
    return {"verdict": "", "shape": "", "score": None, "title": _("{word}. Click to listen.").format(word=text)}


def _spans(mine: Span, comparison: AlignedComparison | None, reference: Span | None = None) -> dict[str, Span | None]:
    if reference is None and comparison is not None:
        reference = comparison.in_reference(mine)
    return {"mine": mine, "reference": reference}


def _advice(advice: Advice, comparison: AlignedComparison | None) -> dict[str, Any]:
    spans = None if advice.mine is None else _spans(advice.mine, comparison, advice.reference)
    return {"title": translated(advice.title), "text": translated(advice.text), "spans": spans}


def heard_in_words(phone: PhoneScore) -> str:
    """What became of a phone: `heard as S`, `not said`, `with an extra T before it`; "" where it is right."""
    parts: list[str] = []
    if phone.verdict is Verdict.MISSING:
        parts.append(_("not said"))
    elif phone.heard == UNKNOWN:
        parts.append(_("said differently"))
    elif phone.heard is not None:
        parts.append(_("heard as {sound}").format(sound=known_sound(phone.heard).shown))
    if phone.before and phone.verdict is not Verdict.RIGHT:
        extra = " ".join(known_sound(symbol).shown for symbol in phone.before if symbol != UNKNOWN)
        if extra:
            parts.append(_("with an extra {sounds} before it").format(sounds=extra))
    return ", ".join(parts)


def _word(word: WordScore, comparison: AlignedComparison | None) -> dict[str, Any]:
    shape, text = VERDICTS[word.verdict]
    heard = _("heard as “{word}”").format(word=word.heard) if word.heard else ""
    details = ", ".join(part for part in (_(text), heard) if part)
    return {
        "text": word.text,
        "verdict": str(word.verdict),
        "shape": shape,
        "spans": _spans((word.start_s, word.end_s), comparison),
        "score": None if word.verdict is Verdict.MISSING else whole_points(word.score),
        "note": heard,
        "title": _("{word}: {details}. Click to listen.").format(word=word.text, details=details),
        "phones": [_phone(phone, comparison, ipa) for phone, ipa in zip(word.phones, _ipa(word), strict=True)],
    }


def _ipa(word: WordScore) -> list[str]:
    """How each of its sounds is said where it is shown as a letter; "" where it is shown in IPA, or silent."""
    letters = pronounced(word.text)
    if tuple(sound.letter for sound in letters) != tuple(phone.phone for phone in word.phones):
        return [""] * len(word.phones)
    return [f"{'ˈ' if sound.stressed else ''}{sound.ipa}" for sound in letters]


def _phone(phone: PhoneScore, comparison: AlignedComparison | None, ipa: str) -> dict[str, Any]:
    shape, text = VERDICTS[phone.verdict]
    sure = "" if phone.confidence is None else _("{share} sure").format(share=percent(phone.confidence))
    heard = heard_in_words(phone)
    details = ", ".join(part for part in (_(text), heard if heard != _(text) else "", sure) if part)
    known = known_sound(phone.phone)
    if known.example:
        title = _("{sound} as in “{example}”: {details}. Click to listen.")
    else:
        title = _("{sound}: {details}. Click to listen.")
    shown = f"{known.shown} [{ipa}]" if ipa else known.shown
    return {
        "ipa": known.shown,
        "verdict": str(phone.verdict),
        "shape": shape,
        "spans": _spans((phone.start_s, phone.end_s), comparison),
        "title": title.format(sound=shown, example=known.example, details=details),
    }


@cache
def _sources() -> tuple[str, str]:
    script, style = ((FOLDER / name).read_text(encoding="utf-8") for name in ("scored_text.js", "scored_text.css"))
    return script, style


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="scored-text"></div>', css=css, js=js)
