"""The text to say, and how it should sound."""

import streamlit as st

from dashboard.markup import plain
from dashboard.sections.practice.choose import Exercise
from pipeline.corpus.reference_voice import ReferenceVoice
from pipeline.i18n import _


def listen(voice: ReferenceVoice | None, exercise: Exercise) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.header(_("1. Listen"), width="content", anchor=False)
    if voice is not None and voice.synthetic:
        row.caption(_("synthetic voice"), width="content")
    with st.container(key="reading-text"):
        st.header(plain(exercise.target.text), anchor=False)
    if voice is not None:
        st.audio(str(voice.path))
    if exercise.note:
        st.markdown(f":material/lightbulb: {plain(exercise.note)}")  # not shown
    if voice is None:
        st.caption(_("There is no reference voice for this text. You can record and get a score all the same."))
