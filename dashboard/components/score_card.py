"""A ScoreResult in words: score and band, how it was made, how sure it is, what was found, what to mend."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard.markup import message
from pipeline.markdown import code_span
from pipeline.records import BANDS, AudioReport, ScoreResult, band_of

# Symbols differ in shape, so that the band is not told by colour alone.
BAND_LOOKS = {
    "excellent": ("★", "blue"),
    "good": ("●", "green"),
    "fair": ("◆", "yellow"),
    "poor": ("▲", "orange"),
    "very_poor": ("■", "red"),
}
METHOD_WORDS = {
    "ml_model": "Scored by an ML model",
    "heuristic": "Scored by the heuristic rule, not by a trained model",
    "none": "Not scored",
}
METHOD_NAMES = {"ml_model": "ML model", "heuristic": "heuristic rule", "none": "not scored"}

Mark = Literal["ok", "warning", "error"]
MARKS: dict[Mark, str] = {
    "ok": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "error": ":red[:material/cancel:]",
}


@dataclass(frozen=True)
class Check:
    """One line of what was found on a recording."""

    mark: Mark
    text: str


def score_card(result: ScoreResult) -> None:
    if result.overall is None:
        st.warning("**Could not score this recording**", icon=":material/block:")
        for warning in result.warnings:
            st.markdown(f"- {message(warning)}")
        return
    _, colour = BAND_LOOKS[band_of(result.overall).key]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric("Score (0-100)", points(result.overall), width="content")
        st.badge(band_in_words(result.overall), color=colour)
    st.markdown(f"{METHOD_WORDS[result.scoring_method]} ({code_span(result.model_id)}). {confidence_in_words(result)}")
    for warning in result.warnings:
        st.warning(message(warning), icon=":material/info:")


def points(score: float) -> str:
    """Cut, not rounded: 79.6 is no 80, which would be of the next band."""
    return str(int(score))


def band_in_words(overall: float) -> str:
    band = band_of(overall)
    return f"{BAND_LOOKS[band.key][0]} {band.label}: {band.meaning}"


def confidence_in_words(result: ScoreResult) -> str:
    """The estimated probability that an expert would be within 10 points, as a frequency."""
    if result.confidence is None:
        return "It cannot say how near an expert's score would be."
    tenths = round(10 * result.confidence)
    level = "High" if tenths >= 8 else "Medium" if tenths >= 5 else "Low"
    return f"{level} confidence: in about {tenths} of 10 such recordings an expert's score is within 10 points."


def band_scale() -> str:
    """The bands with their symbols and bounds, best first, as one line of Markdown."""
    uppers = (100.0, *(band.low for band in BANDS[:-1]))
    parts = [
        f"{BAND_LOOKS[band.key][0]} {band.low:.0f}-{upper if upper == 100 else upper - 1:.0f} {band.label.lower()}"
        for band, upper in zip(BANDS, uppers, strict=True)
    ]
    return " · ".join(parts)


def checks_of(report: AudioReport) -> list[Check]:
    """Duration, level, clipping, silence and noise as check marks or warnings, then any other problem found."""
    problems = {problem.code: problem for problem in report.problems}

    def check(codes: tuple[str, ...], good: str) -> Check:
        found = next((problems.pop(code) for code in codes if code in problems), None)
        for code in codes:
            problems.pop(code, None)
        return Check("ok", good) if found is None else Check(found.severity, found.message)

    checks = [
        check(("empty", "too_short", "too_long"), f"Length {report.duration_s:.1f} s"),
        check(("silent", "low_level"), f"Level: peak {100 * report.peak:.0f} % of full scale"),
        check(("clipped",), f"No clipping ({100 * report.clipped_share:.1f} % of samples)"),
        check(("mostly_silent",), f"Speech found; {100 * report.silence_share:.0f} % of it is silence"),
    ]
    if report.snr_db is not None:
        checks.append(check(("noisy",), f"Background: speech {report.snr_db:.0f} dB above the noise"))
    return checks + [Check(problem.severity, problem.message) for problem in problems.values()]


def checks_list(report: AudioReport) -> None:
    for found in checks_of(report):
        st.markdown(f"{MARKS[found.mark]} {message(found.text)}")
