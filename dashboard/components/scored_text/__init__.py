"""A scored try: each word and phone with its verdict in colour, shape and text, to hear beside the reference; and what
to mend first.

A Components v2 component in the page itself, like the desk: no frame, no network.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pipeline.phones import PHONES, UNKNOWN
from pipeline.records import PhoneScore, Verdict, WordScore

if TYPE_CHECKING:
    from dashboard.services.practice import Try
    from pipeline.practice.advice import Advice
    from pipeline.practice.comparison import Beside

FOLDER = Path(__file__).parent
NAME = "pronlab_reading"

# Shapes differ, so that the verdict is not told by colour alone.
VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.RIGHT: ("●", "right"),
    Verdict.ACCENTED: ("◆", "understandable, with an accent"),
    Verdict.WRONG: ("▲", "wrong"),
    Verdict.MISSING: ("○", "not said"),
}


MODES = (("mine", "yours"), ("reference", "reference"), ("both", "both in turn"), ("slow", "reference, slowly"))
FEWEST_RIGHT, FEWEST_ACCENTED = 80.0, 60.0  # of a whole word without phones: good, and poor


def reading(tried: Try, reference: bytes | None, *, key: str) -> None:
    """Draw the words of a try over its recording, and what to mend first; `reference` is a WAV of how it should
    sound."""
    besides = tried.besides
    data = {
        "wav": _base64(tried.wav),
        "reference": None if reference is None or besides is None else _base64(reference),
        "modes": MODES if reference is not None and besides is not None else MODES[:1],
        "words": [_word(word, besides) for word in tried.result.words or _whole(tried)],
        "legend": [
            {"verdict": str(verdict), "shape": shape, "text": text} for verdict, (shape, text) in VERDICTS.items()
        ],
        "advice": [_advice(one, besides) for one in tried.advice],
    }
    _component()(key=key, data=data)


def _base64(wav: bytes) -> str:
    return base64.b64encode(wav).decode("ascii")


def _whole(tried: Try) -> tuple[WordScore, ...]:
    """Where the scorer judges a word as a whole: that word, from the first sound to the last."""
    score = tried.result.overall or 0.0
    verdict = (
        Verdict.RIGHT if score >= FEWEST_RIGHT else Verdict.ACCENTED if score >= FEWEST_ACCENTED else Verdict.WRONG
    )
    start, end = 0.0, len(tried.audio.samples) / tried.audio.sample_rate_hz
    if tried.besides is not None:
        start = tried.besides.mine.offset_s
        end = start + tried.besides.mine.duration_s
    return (WordScore(tried.result.target.text, score, start, end, verdict=verdict),)


def _spans(
    mine: tuple[float, float], besides: Beside | None, reference: tuple[float, float] | None = None
) -> dict[str, tuple[float, float] | None]:
    found = reference or (None if besides is None else besides.in_reference(mine))
    return {"mine": mine, "reference": found}


def _advice(one: Advice, besides: Beside | None) -> dict[str, Any]:
    spans = None if one.mine is None else _spans(one.mine, besides, one.reference)
    return {"title": one.title, "text": one.text, "spans": spans}


def heard_in_words(phone: PhoneScore) -> str:
    """What became of a phone, for people: `heard as S`, `not said`, `an extra T before it`."""
    parts: list[str] = []
    if phone.verdict is Verdict.MISSING:
        parts.append("not said")
    elif phone.heard == UNKNOWN:
        parts.append("not like any English sound")
    elif phone.heard is not None:
        parts.append(f"heard as {PHONES[phone.heard].ipa}")
    if phone.before and phone.verdict is not Verdict.RIGHT:
        extra = " ".join(PHONES[p].ipa for p in phone.before if p in PHONES)
        if extra:
            parts.append(f"with an extra {extra} before it")
    return ", ".join(parts)


def _word(word: WordScore, besides: Beside | None) -> dict[str, Any]:
    shape, text = VERDICTS[word.verdict]
    heard = f"heard “{word.heard}”" if word.heard else ""
    return {
        "text": word.text,
        "verdict": str(word.verdict),
        "shape": shape,
        "spans": _spans((word.start_s, word.end_s), besides),
        "score": None if word.verdict is Verdict.MISSING else int(word.score),
        "note": heard,
        "title": f"{word.text}: {text}{', ' + heard if heard else ''}. Click to hear it.",
        "phones": [_phone(phone, besides) for phone in word.phones],
    }


def _phone(phone: PhoneScore, besides: Beside | None) -> dict[str, Any]:
    shape, text = VERDICTS[phone.verdict]
    heard = heard_in_words(phone)
    sure = "" if phone.confidence is None else f" ({phone.confidence:.0%} sure)"
    known = PHONES[phone.phone]
    return {
        "ipa": known.ipa,
        "verdict": str(phone.verdict),
        "shape": shape,
        "spans": _spans((phone.start_s, phone.end_s), besides),
        "title": f"{known.ipa} as in “{known.example}”: {text}{', ' + heard if heard else ''}{sure}. Click to hear it.",
    }


@cache
def _sources() -> tuple[str, str]:
    script, style = ((FOLDER / name).read_text(encoding="utf-8") for name in ("scored_text.js", "scored_text.css"))
    return script, style


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="reading"></div>', css=css, js=js)
