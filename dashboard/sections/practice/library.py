"""Lessons of one's own, and whose voice is the reference."""

import streamlit as st

from dashboard import identity
from dashboard.components.confirm import confirm
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import empty_state, errors_in_words
from dashboard.markup import message, plain
from dashboard.sections.practice.choose import LANGUAGES, language_name
from dashboard.services import practice as practising
from dashboard.services import shared as services
from pipeline.people.access import Action
from pipeline.practice.lessons import MAX_BYTES, Lesson, as_yaml
from pipeline.text import lines_of

EXAMPLE = """title: Long and short i
language: en
kind: words
items:
- ship
- text: sheep
  note: Spread the lips."""


def library() -> None:
    found, problems = practising.all_lessons()
    st.subheader("Lessons")
    for problem in problems:
        st.warning(message(problem.message), icon=":material/warning:")
    st.dataframe(
        [
            {
                "Lesson": one.title, "Language": language_name(one.language), "Of": one.kind, "Level": one.level,
                "Texts": len(one.items), "Whose": "yours" if one.own else "Pronlab's", "Name": one.id,
            }
            for one in found
        ],
        hide_index=True,
    )  # fmt: skip
    me = identity.allowed(Action.PRACTISE)
    if me.may(Action.MANAGE_LESSONS):
        _change(found)
    if me.may(Action.MANAGE_REFERENCES):
        st.subheader("Reference voices")
        with errors_in_words():
            _references()


def _change(found: list[Lesson]) -> None:
    written, uploaded = st.columns(2)
    with written, errors_in_words():
        _write()
    with uploaded, errors_in_words():
        _upload()
    _take_away([one for one in found if one.own])


def _write() -> None:
    empty_if_kept("lesson", ("lesson-title", "lesson-texts"))
    with st.form("lesson-write"):
        st.markdown("**Write one**")
        title = st.text_input("Title", max_chars=80, key="lesson-title")
        language = st.selectbox("Language", list(LANGUAGES), format_func=language_name)
        kind = st.segmented_control("Of", ["words", "sentences"], default="words", required=True)
        texts = st.text_area("One word or sentence a line", height=140, key="lesson-texts")
        if st.form_submit_button("Add the lesson", type="primary"):
            lines = [line.strip() for line in lines_of(texts) if line.strip()]
            _added(_name_of(title), as_yaml(title.strip(), language, kind, lines))


def _upload() -> None:
    with st.form("lesson-upload", clear_on_submit=True):
        st.markdown("**Or bring a YAML file**")
        file = st.file_uploader("Lesson", type=["yaml", "yml"], max_upload_size=1)
        st.code(EXAMPLE, language=None)
        if st.form_submit_button("Add the lesson") and file is not None:
            _added(_name_of(file.name.rpartition(".")[0]), file.getvalue()[: MAX_BYTES + 1])


def _added(name: str, content: bytes) -> None:
    lesson = practising.add_lesson(name, content)
    keep("lesson", f"{plain(lesson.title)} is there.")


def _name_of(title: str) -> str:
    """A file's name from a title: letters and digits of the Latin alphabet, hyphens between."""
    import unicodedata

    folded = unicodedata.normalize("NFKD", title.casefold().replace("ı", "i"))
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in folded if not unicodedata.combining(c)).split()
    return "-".join(words)[:60].strip("-") or "lesson"


def _take_away(own: list[Lesson]) -> None:
    if not own:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Take one of yours away", own, index=None, format_func=lambda one: one.title)
        if chosen is not None and confirm(
            "Take it away", f"“{plain(chosen.title)}” goes; tries at its texts stay.", answer="Yes, take it away",
            key=f"lesson-{chosen.id}",
        ):  # fmt: skip
            practising.remove_lesson(chosen.id)
            st.rerun()


def _references() -> None:
    st.caption(
        "Recordings of your sets that learners hear, and are compared with, before the synthetic voice; the first of a "
        "text is played. Who decides between ratings chooses them."
    )
    who = identity.allowed(Action.MANAGE_REFERENCES)
    for problem in practising.unusable_references():
        st.warning(message(problem.message), icon=":material/warning:")
    chosen = practising.marked_references()
    if chosen:
        st.dataframe(
            [
                {"Text": one.text, "Speaker": one.speaker, "Language": one.language, "Recording": one.id}
                for one in chosen
            ],
            hide_index=True,
        )
        gone = st.selectbox("Take one back", [one.id for one in chosen], index=None)
        if gone and st.button("It is no reference any more", icon=":material/undo:"):
            practising.unmark_reference(gone, who)
            st.rerun()
    sets = services.sets()
    if not sets:
        empty_state("There are no recordings yet.", page="data", page_label="Import some on the Data page")
        return
    name = st.selectbox("From the set", [one.name for one in sets], key="reference-set")
    stamp = next(one.imported_at for one in sets if one.name == name)
    recordings = dict(practising.recordings_of(name, stamp))
    recording = st.selectbox(
        "Recording", list(recordings), index=None, format_func=lambda key: f"{recordings[key]} ({key})",
        key="reference-recording",
    )  # fmt: skip
    if recording is not None:
        st.audio(str(services.recording_audio(recording)))
        if st.button("Make it a reference", type="primary", icon=":material/record_voice_over:"):
            practising.mark_reference(recording, who)
            st.rerun()
