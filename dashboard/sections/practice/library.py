"""Lessons of the installation, and the recordings that learners hear as the reference."""

import streamlit as st

from dashboard import identity, state
from dashboard.components.confirm import confirm
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import empty_state, errors_in_words
from dashboard.components.speakers import shown_speaker
from dashboard.components.tables import data_table
from dashboard.components.uploader import upload
from dashboard.markup import message, plain
from dashboard.sections.practice.choose import language_name
from dashboard.sections.practice.classes import link
from dashboard.services import practice, shared
from pipeline.i18n import N_, _, translated
from pipeline.people.access import Action
from pipeline.practice.lesson_import import items_of_file, items_of_lines
from pipeline.practice.lessons import EXAMPLE, MAX_BYTES, Lesson, LessonError, as_yaml
from pipeline.text.languages import LANGUAGE_NAMES

FILES, ADDED = "lesson.files", "lesson.added"  # not shown
KINDS = {"words": N_("Words"), "sentences": N_("Sentences")}


def library() -> None:
    lessons, problems = practice.all_lessons()
    st.header(_("Lessons"), anchor=False)
    for problem in problems:
        st.warning(message(problem.message), icon=":material/warning:")
    data_table(
        [
            {
                _("Lesson"): translated(lesson.title),
                _("Language"): language_name(lesson.language),
                _("Type"): _(KINDS[lesson.kind]),
                _("Level"): lesson.level,
                _("Texts"): len(lesson.items),
                _("Source"): _("added here") if lesson.own else _("built in"),
                _("File"): lesson.id,
            }
            for lesson in lessons
        ],
        column_config={_("Lesson"): st.column_config.TextColumn(pinned=True)},
    )
    added = state.recall(ADDED)
    if added in [lesson.id for lesson in lessons]:
        st.caption(_("Link to the new lesson, to give to a class:"))
        st.code(link(added), language=None, wrap_lines=True)
    me = identity.allowed(Action.PRACTISE)
    if me.may(Action.MANAGE_LESSONS):
        _change([lesson for lesson in lessons if lesson.own])
    if me.may(Action.MANAGE_REFERENCES):
        st.header(_("Reference voices"), anchor=False)
        with errors_in_words():
            _references()


def _change(added: list[Lesson]) -> None:
    written, uploaded = st.columns(2)
    with written, errors_in_words():
        _write()
    with uploaded, errors_in_words():
        _upload()
    _delete(added)


def _write() -> None:
    empty_if_kept("lesson", {"lesson-title": "", "lesson-texts": ""})
    with st.form("lesson-write"):
        st.markdown(_("**Write a lesson**"))
        title = st.text_input(_("Title"), max_chars=80, key="lesson-title")
        language = st.selectbox(
            _("Language"), list(LANGUAGE_NAMES), index=None, format_func=language_name, key="lesson-language",
            placeholder=_("Choose a language"),
        )  # fmt: skip
        kind = st.segmented_control(
            _("Type"), list(KINDS), default="words", required=True, format_func=lambda key: _(KINDS[key]),
            key="lesson-kind", wrap=True,
        )  # fmt: skip
        texts = st.text_area(_("One word or sentence per line"), height=140, key="lesson-texts")
        file = upload(
            _("Or a list: CSV, Excel or text"), ["csv", "tsv", "txt", "xlsx"], most_mb=1,
            key=f"lesson-file-{state.recall(FILES, 0)}",
            help_=_("A table has the column “text”, and “note” for hints."),
        )  # fmt: skip
        if st.form_submit_button(_("Add lesson"), type="primary", key="lesson-add"):
            if language is None:
                raise LessonError(N_("Choose the language of the lesson."))
            items = [*items_of_lines(texts), *(items_of_file(file.getvalue()) if file is not None else ())]
            _add(_free_name(title.strip()), as_yaml(title.strip(), language, kind, items))


def _upload() -> None:
    with st.form("lesson-upload", clear_on_submit=True):
        st.markdown(_("**Upload a lesson**"))
        file = upload(_("YAML file"), ["yaml", "yml"], most_mb=1)
        st.code(EXAMPLE, language=None)
        if st.form_submit_button(_("Upload lesson"), key="lesson-upload-add") and file is not None:
            _add(_name_of(file.name.rpartition(".")[0]), file.getvalue()[: MAX_BYTES + 1])


def _add(name: str, content: bytes) -> None:
    lesson = practice.add_lesson(name, content)
    state.remember(FILES, int(state.recall(FILES, 0)) + 1)
    state.remember(ADDED, lesson.id)
    keep("lesson", _("“{title}” was added.").format(title=plain(translated(lesson.title))))


def _free_name(title: str) -> str:
    """A lesson is replaced by another one of the same title alone: the links to any other go on."""
    titles = {lesson.id: str(lesson.title) for lesson in practice.all_lessons()[0]}
    name = _name_of(title)
    names = (name, *(f"{name[:56]}-{n}" for n in range(2, len(titles) + 3)))
    return next(free for free in names if titles.get(free, title) == title)


def _name_of(title: str) -> str:
    """A file's name from a title: letters and digits of the Latin alphabet, hyphens between."""
    import unicodedata

    folded = unicodedata.normalize("NFKD", title.casefold().replace("ı", "i"))
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in folded if not unicodedata.combining(c)).split()
    return "-".join(words)[:60].strip("-") or "lesson"


def _delete(added: list[Lesson]) -> None:
    if not added:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Delete one of your lessons"), added, index=None, format_func=lambda lesson: translated(lesson.title),
            placeholder=_("Choose a lesson"),
        )  # fmt: skip
        if chosen is not None and confirm(
            _("Delete lesson"),
            _("“{title}” will be permanently deleted. Attempts at its texts stay.").format(
                title=plain(translated(chosen.title))
            ),
            answer=_("Yes, delete it"),
            key=f"lesson-{chosen.id}",
        ):
            practice.remove_lesson(chosen.id)
            st.rerun()


def _references() -> None:
    st.caption(
        _(
            "Recordings from your sets that learners hear and are compared with, in place of the synthetic voice. The "
            "first one of a text is played. Reviewers choose these."
        )
    )
    me = identity.allowed(Action.MANAGE_REFERENCES)
    for problem in practice.unusable_references():
        st.warning(message(problem.message), icon=":material/warning:")
    marked = practice.marked_references()
    if marked:
        data_table(
            [
                {
                    _("Text"): recording.text,
                    _("Speaker"): shown_speaker(recording.speaker),
                    _("Language"): language_name(recording.language),
                    _("Recording"): recording.id,
                }
                for recording in marked
            ],
            column_config={_("Text"): st.column_config.TextColumn(pinned=True)},
        )
        removed = st.selectbox(
            _("Remove a reference"), [recording.id for recording in marked], index=None,
            placeholder=_("Choose a recording"), key="reference-remove",
        )  # fmt: skip
        if removed and st.button(_("Remove reference"), icon=":material/undo:"):
            practice.unmark_reference(removed, me)
            st.rerun()
    sets = shared.sets()
    if not sets:
        empty_state(_("There are no recordings yet."), page="data", page_label=_("Import recordings"))
        return
    name = st.selectbox(_("Set"), [known.name for known in sets], key="reference-set")
    stamp = next(known.imported_at for known in sets if known.name == name)
    recordings = dict(practice.recordings_of(name, stamp))
    recording = st.selectbox(
        _("Recording"), list(recordings), index=None, format_func=lambda key: f"{recordings[key]} ({key})",
        placeholder=_("Choose a recording"), key="reference-recording",
    )  # fmt: skip
    if recording is not None:
        st.audio(str(shared.recording_audio(recording)))
        if st.button(_("Add reference"), type="primary", icon=":material/record_voice_over:"):
            practice.mark_reference(recording, me)
            st.rerun()
