"""A ScoreResult in words: score and band, how it was made, how sure it is, and what was measured on the recording."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard.markup import message
from pipeline.i18n import N_, _, number, percent, translated
from pipeline.practice.bands import BAND_MEANINGS, BAND_NAMES
from pipeline.practice.coverage import Coverage, coverage_of
from pipeline.records import BANDS, AudioReport, ScoreResult, band_of, to_json, whole_points

BadgeColour = Literal["blue", "green", "yellow", "orange", "red", "gray"]
# Symbols differ in shape, so that the band is not told by colour alone.
BAND_LOOKS: dict[str, tuple[str, BadgeColour]] = {
    "excellent": ("★", "blue"),
    "good": ("●", "green"),
    "fair": ("◆", "yellow"),
    "poor": ("▲", "orange"),
    "very_poor": ("■", "red"),
}
METHODS = {
    "ml_model": N_("Scored by a trained model."),
    "heuristic": N_("Scored by rule, not by a trained model."),
    "none": N_("Not scored."),
}
METHOD_NAMES = {"ml_model": N_("model"), "heuristic": N_("rule"), "none": N_("not scored")}

Mark = Literal["ok", "warning", "error"]
MARKS: dict[Mark, str] = {
    "ok": ":green[:material/check_circle:]",  # not shown
    "warning": ":orange[:material/warning:]",  # not shown
    "error": ":red[:material/cancel:]",  # not shown
}


@dataclass(frozen=True)
class Check:
    """One line of what was measured on a recording."""

    mark: Mark
    text: str


def score_card(result: ScoreResult) -> None:
    """Score and band of a recording that has them."""
    overall = result.overall or 0.0
    coverage = coverage_of(to_json(result))
    colour: BadgeColour = BAND_LOOKS[band_of(overall).key][1] if coverage.judges_sounds else "gray"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.metric(_("Score (0-100)"), points(overall), width="content")
        st.badge(result_in_words(overall, coverage), color=colour)


def points(score: float) -> str:
    """Of 100, as everywhere (`whole_points`)."""
    return number(whole_points(score))


def result_in_words(overall: float, coverage: Coverage) -> str:
    """To a learner: "● Good: clear and easy to understand"; what a band says of sounds is said where all of them were
    read and judged."""
    if not coverage.judges_sounds:
        return _("Only length and speed were scored")
    key = band_of(overall).key
    meaning = _(BAND_MEANINGS[key]) if coverage.is_whole else _("Not everything was read")
    return f"{BAND_LOOKS[key][0]} {meaning}"


def method_in_words(result: ScoreResult) -> str:
    return _(METHODS[result.scoring_method])


def method_name(method: str) -> str:
    return _(METHOD_NAMES[method]) if method in METHOD_NAMES else method


def confidence_in_words(result: ScoreResult) -> str:
    """The estimated probability that an expert would be within 10 points, as a frequency."""
    if result.confidence is None:
        return _("The accuracy of this score is unknown.")
    tenths = round(10 * result.confidence)
    if tenths >= 8:
        words = _("High confidence: in about {n} of 10 such recordings an expert's score is within 10 points.")
    elif tenths >= 5:
        words = _("Medium confidence: in about {n} of 10 such recordings an expert's score is within 10 points.")
    else:
        words = _("Low confidence: in about {n} of 10 such recordings an expert's score is within 10 points.")
    return words.format(n=number(tenths))


def band_scale() -> str:
    """The bands with their symbols and bounds, best first, as one line of Markdown."""
    uppers = (100.0, *(band.low for band in BANDS[:-1]))
    parts = [
        f"{BAND_LOOKS[band.key][0]} {band.low:.0f}-{upper if upper == 100 else upper - 1:.0f} {_(BAND_NAMES[band.key])}"
        for band, upper in zip(BANDS, uppers, strict=True)
    ]
    return " · ".join(parts)


def checks_of(report: AudioReport) -> list[Check]:
    """Duration, level, clipping, silence and noise as check marks or warnings, then any other problem."""
    problems = {problem.code: problem for problem in report.problems}

    def check(codes: tuple[str, ...], good: str) -> Check:
        problem = next((problems.pop(code) for code in codes if code in problems), None)
        for code in codes:
            problems.pop(code, None)
        return Check("ok", good) if problem is None else Check(problem.severity, translated(problem.message))

    checks = [
        check(
            ("empty", "too_short", "too_long"),
            _("Length: {seconds} s").format(seconds=number(report.duration_s, 1)),
        ),
        check(
            ("silent", "low_level"),
            _("Level: peak at {share} of full scale").format(share=percent(report.peak)),
        ),
        check(
            ("clipped",),
            _("No clipping ({share} of samples)").format(share=percent(report.clipped_share, 1)),
        ),
        check(
            ("mostly_silent",),
            _("Silence: {share} of the recording").format(share=percent(report.silence_share)),
        ),
    ]
    if report.snr_db is not None:
        noise = _("Background noise: {decibels} dB below the speech").format(decibels=number(report.snr_db))
        checks.append(check(("noisy",), noise))
    return checks + [Check(problem.severity, translated(problem.message)) for problem in problems.values()]


def checks_list(report: AudioReport) -> None:
    for check in checks_of(report):
        st.markdown(f"{MARKS[check.mark]} {message(check.text)}")
