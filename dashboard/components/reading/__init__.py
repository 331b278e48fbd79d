"""A scored sentence: each word and phone with its verdict in colour, shape and text; click one to hear it.

A Components v2 component in the page itself, like the desk: no frame, no network.
"""

import base64
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio
from pipeline.phones import PHONES, UNKNOWN
from pipeline.records import PhoneScore, ScoreResult, Verdict, WordScore

FOLDER = Path(__file__).parent
NAME = "pronlab_reading"

# Shapes differ, so that the verdict is not told by colour alone.
VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.RIGHT: ("●", "right"),
    Verdict.ACCENTED: ("◆", "understandable, with an accent"),
    Verdict.WRONG: ("▲", "wrong"),
    Verdict.MISSING: ("○", "not said"),
}


def reading(audio: Audio, result: ScoreResult, *, key: str) -> None:
    """Draw the words of a result over its recording."""
    data = {
        "wav": base64.b64encode(to_wav(audio.samples, audio.sample_rate_hz)).decode("ascii"),
        "words": [_word(word) for word in result.words],
        "legend": [
            {"verdict": str(verdict), "shape": shape, "text": text} for verdict, (shape, text) in VERDICTS.items()
        ],
    }
    _component()(key=key, data=data)


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


def _word(word: WordScore) -> dict[str, Any]:
    shape, text = VERDICTS[word.verdict]
    heard = f"heard “{word.heard}”" if word.heard else ""
    return {
        "text": word.text,
        "verdict": str(word.verdict),
        "shape": shape,
        "start": word.start_s,
        "end": word.end_s,
        "score": None if word.verdict is Verdict.MISSING else round(word.score),
        "note": heard,
        "title": f"{word.text}: {text}{', ' + heard if heard else ''}. Click to hear it.",
        "phones": [_phone(phone) for phone in word.phones],
    }


def _phone(phone: PhoneScore) -> dict[str, Any]:
    shape, text = VERDICTS[phone.verdict]
    heard = heard_in_words(phone)
    sure = "" if phone.confidence is None else f" ({phone.confidence:.0%} sure)"
    known = PHONES[phone.phone]
    return {
        "ipa": known.ipa,
        "verdict": str(phone.verdict),
        "shape": shape,
        "start": phone.start_s,
        "end": phone.end_s,
        "title": f"{known.ipa} as in “{known.example}”: {text}{', ' + heard if heard else ''}{sure}. Click to hear it.",
    }


@cache
def _sources() -> tuple[str, str]:
    return (FOLDER / "reading.js").read_text(encoding="utf-8"), (FOLDER / "reading.css").read_text(encoding="utf-8")


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="reading"></div>', css=css, js=js)
