"""How a learner comes along: by day, by sound, by lesson."""

import streamlit as st

from dashboard.charts import practice_charts
from dashboard.components.page import empty_state
from dashboard.sections.practice.choose import language_name
from dashboard.sections.practice.privacy import what_is_kept
from dashboard.services import practice as practising
from pipeline.phones import PHONES
from pipeline.practice.progress import MASTERED, Sound

SHOWN_SOUNDS = 39


def progress(learner: str) -> None:
    if not learner:
        empty_state("Say your name above to see how you come along.")
        return
    found = practising.progress(learner)
    if not found.tries:
        empty_state("Nothing is kept of you yet. Practise something, and it appears here.")
        what_is_kept(learner, 0)
        return
    scored = [one.overall for one in found.tries if one.overall is not None]
    columns = st.columns(4)
    columns[0].metric("Tries", len(found.tries))
    columns[1].metric("Mean score", f"{sum(scored) / len(scored):.0f}" if scored else "")
    columns[2].metric("Days practised", len(found.days))
    columns[3].metric("Days in a row", found.streak.now, help=f"The most so far: {found.streak.longest}.")
    st.plotly_chart(practice_charts.by_day(found.days), key="progress-days")
    st.subheader("By lesson")
    if found.lessons:
        st.dataframe(
            [
                {
                    "Lesson": f"{language_name(one.lesson.language)}: {one.lesson.title}",
                    "Tried": one.tried, "Of": len(one.lesson.items), "Good": one.mastered,
                    "Best, mean": None if one.mean_best is None else round(one.mean_best),
                }
                for one in found.lessons
            ],
            hide_index=True,
        )  # fmt: skip
        st.caption(f"Good: a try reached {MASTERED:.0f}.")
    else:
        st.caption("Your tries were at texts of your own; those of lessons are counted here.")
    st.subheader("By sound")
    if found.sounds:
        st.plotly_chart(practice_charts.by_sound(found.sounds[:SHOWN_SOUNDS]), key="progress-sounds")
        _weakest(found.sounds)
    else:
        st.caption("Sounds are heard in English words and sentences; each appears once you said it three times.")
    what_is_kept(learner, len(found.tries))


def _weakest(sounds: list[Sound]) -> None:
    weak = [sound for sound in sounds[:3] if sound.mean < MASTERED]
    for sound in weak:
        known = PHONES[sound.phone]
        change = ""
        if sound.before is not None and sound.after is not None:
            change = f", {sound.before:.0f} at first and {sound.after:.0f} lately"
        st.markdown(
            f"**{known.ipa}** as in “{known.example}” ({sound.mean:.0f}, {sound.n} times{change}): {known.hint}"
        )
