"""A try beside its reference: waveform, spectrogram and melody of both on one time axis, timing, pauses, stress."""

import streamlit as st

from dashboard.charts import practice_charts
from dashboard.components.score_card import checks_list
from dashboard.markup import plain
from dashboard.services.practice import Try
from pipeline.practice.stress import WordStress
from pipeline.records import RubricName


def beside_reference(tried: Try) -> None:
    """Waveform, spectrogram and melody of both, timing and pauses; the recording's own checks."""
    found = tried.besides
    if found is not None:
        st.subheader("4. Beside the reference")
        warped = st.toggle(
            "On the reference's time", value=True, help="Off: each at its own pace.", key="beside-warped"
        )
        st.plotly_chart(practice_charts.beside(found, warped=warped), key="practice-beside")
        st.markdown(" ".join(_timing(tried)))
    for stress in tried.stresses:
        _stress(stress)
    with st.expander("The recording"):
        st.audio(tried.wav)
        if tried.result.audio is not None:
            checks_list(tried.result.audio)


def _timing(tried: Try) -> list[str]:
    found = tried.besides
    if found is None:
        return []
    mine, theirs, ratio = found.mine.duration_s, found.reference.duration_s, found.length_ratio
    beside = "as long as" if 0.95 < ratio < 1.05 else f"{ratio:.1f} times as long as"
    said = [f"You took **{mine:.2f} s**, {beside} the reference ({theirs:.2f} s)."]
    if found.pauses_s:
        listed = ", ".join(f"{b - a:.1f} s at {a:.1f} s" for a, b in found.pauses_s)
        said.append(f"Pauses: {listed}.")
    elif tried.result.target.rubric is RubricName.SENTENCE:
        said.append("No pause of a quarter of a second or more.")
    if found.slow:
        said.append("Much slower than the reference where the figure is shaded.")
    return said


def _stress(found: WordStress) -> None:
    parts = " ".join(
        f"{'**' if n == found.heard else ''}{plain(one)} {weight:.0%}{'**' if n == found.heard else ''}"
        for n, (one, weight) in enumerate(zip(found.syllables, found.weights, strict=True))
    )
    agrees = "which is right" if found.heard == found.expected else "which may be chance" if not found.moved else "off"
    st.caption(
        f"Stress of “{plain(found.word.lower())}”, {plain(found.shown)}: {parts}; the strongest is in bold, {agrees}."
    )
