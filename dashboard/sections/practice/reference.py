"""The text to say, and how it should sound."""

import streamlit as st

from dashboard.markup import plain
from dashboard.sections.practice.choose import Exercise
from dashboard.services.practice import ReferenceVoice
from pipeline.i18n import _


def listen(voice: ReferenceVoice | None, exercise: Exercise) -> None:
    st.subheader(_("1. Listen"), anchor=False)
    st.header(plain(exercise.target.text), anchor=False)
    if voice is not None:
        st.audio(str(voice.path))
    if exercise.note:
        st.markdown(f":material/lightbulb: {plain(exercise.note)}")
    if voice is None:
        st.caption(_("There is no reference voice for this text. You can record and get a score all the same."))
    elif voice.synthetic:
        st.caption(_("This is a synthetic voice."))
