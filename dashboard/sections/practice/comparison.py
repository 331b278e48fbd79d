"""An attempt and its reference: waveform, spectrogram and melody of both on one time axis, timing, pauses, stress."""

from contextlib import suppress

import streamlit as st

from dashboard.charts import practice_charts
from dashboard.components.player import player
from dashboard.components.score_card import checks_list
from dashboard.markup import plain
from dashboard.services import shared
from dashboard.services.practice import ScoredAttempt
from pipeline.corpus.reference_voice import ReferenceVoice
from pipeline.errors import AudioError
from pipeline.i18n import _, number, percent
from pipeline.practice.comparison import AlignedComparison
from pipeline.practice.stress import WordStress
from pipeline.records import RubricName


@st.fragment
def compared_with_reference(attempt: ScoredAttempt) -> None:
    """Timing and pauses; waveform, spectrogram and melody of both once somebody opens it."""
    comparison = attempt.comparison
    if comparison is not None:
        unfolded = st.expander(_("Comparison with the reference"), key="practice-compared", on_change="rerun")
        with unfolded:
            if unfolded.open:
                warped = st.toggle(
                    _("Align in time"), value=True, key="comparison-aligned",
                    help=_("Stretches your recording to the timing of the reference. Off: each at its own pace."),
                )  # fmt: skip
                st.plotly_chart(practice_charts.comparison(comparison, warped=warped), key="practice-comparison")
            st.markdown(" ".join(_timing(comparison, attempt.result.target.rubric)))
    if attempt.stresses:
        with st.expander(_("Stress of each word")):
            for stress in attempt.stresses:
                _stress(stress)


def recording_checks(attempt: ScoredAttempt, voice: ReferenceVoice | None) -> None:
    """The recording to look at and to listen to, beside the reference, and what was wrong with it."""
    reference = None
    if voice is not None:
        with suppress(AudioError):  # one that went since it was offered
            reference = shared.loaded_audio(voice.path)
    with st.expander(_("Your recording")):
        player(attempt.audio, key="practice-player", reference=reference)
        if attempt.result.audio is not None:
            checks_list(attempt.result.audio)


def _timing(comparison: AlignedComparison, rubric: RubricName) -> list[str]:
    mine, reference, ratio = comparison.mine.duration_s, comparison.reference.duration_s, comparison.length_ratio
    if round(ratio, 1) == 1.0:  # as it would be said
        length = _("You took **{mine} s**, about as long as the reference ({reference} s).")
    else:
        length = _("You took **{mine} s**, {ratio} times as long as the reference ({reference} s).")
    sentences = [length.format(mine=number(mine, 2), ratio=number(ratio, 1), reference=number(reference, 2))]
    if comparison.pauses_s:
        pause = _("{length} s at {start} s")
        listed = ", ".join(
            pause.format(length=number(end - start, 1), start=number(start, 1)) for start, end in comparison.pauses_s
        )
        sentences.append(_("Pauses: {pauses}.").format(pauses=listed))
    elif rubric is RubricName.SENTENCE:
        sentences.append(_("No pauses."))
    if comparison.slow:
        sentences.append(_("In the grey parts you were slower than elsewhere."))
    return sentences


def _stress(stress: WordStress) -> None:
    """How strong each syllable was. Another one than expected is called no mistake: where it was, experts disagreed."""
    shares = [f"{plain(text)} {percent(share)}" for text, share in zip(stress.syllables, stress.weights, strict=True)]
    shares[stress.heard] = f"**{shares[stress.heard]}**"
    if stress.heard == stress.expected:
        template = _("Stress of “{word}” ({syllables}): {shares}. You stressed the right syllable.")
    else:
        template = _("Stress of “{word}” ({syllables}): {shares}. Listen: is the marked syllable the strongest?")
    st.caption(template.format(word=plain(stress.word.lower()), syllables=plain(stress.shown), shares=" ".join(shares)))
