"""Ratings that were given elsewhere, for recordings that are here: how the file was read is shown and asked before
anything is written. Label files of other programs lie with the recordings; their scale is asked too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import identity
from dashboard.components.filters import choose_set
from dashboard.components.page import errors_in_words
from dashboard.components.tables import data_table
from dashboard.components.uploader import upload
from dashboard.markup import plain
from dashboard.services import data, rubrics
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import N_, _, ngettext, number, translated
from pipeline.people.access import Action
from pipeline.records import Problem
from pipeline.tablefile import SheetChoiceError

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from pipeline.labels.exchange.incoming import Incoming

MAX_MB = 50
LISTED = 10  # problems that a phone shows whole; more are a table that scrolls
SCALES = {"5": N_("0 to 5, such as stars"), "1-5": N_("1 to 5"), "10": N_("0 to 10"), "100": N_("0 to 100")}


def draw() -> None:
    st.header(_("Ratings from elsewhere"))
    chosen = choose_set()
    if chosen is None:
        return
    file = upload(
        _("A table (CSV or Excel) or a Label Studio export (JSON)"), ["csv", "tsv", "txt", "xlsx", "json"],
        key="ratings-file", most_mb=MAX_MB,
        help_=_("A table needs columns for the recording (its id or path), the rater, and the scores."),
    )  # fmt: skip
    if file is not None:
        with errors_in_words():
            _check(chosen, file)


def _check(chosen: RecordingSet, file: UploadedFile) -> None:
    left, middle, right = st.columns(3)
    name = _rubric(chosen, f"ratings-rubric-{file.file_id}")
    dimension = rubrics.rating(chosen.name, name).dimensions[0]
    own_scale = _("{low} to {high}").format(low=number(dimension.low), high=number(dimension.high))
    with left:
        scale = _scale(f"ratings-scale-{file.file_id}", own_scale)
    rater = middle.text_input(_("Rater of ratings that name none"), max_chars=80, key=f"ratings-rater-{file.file_id}")
    try:
        incoming = data.checked_ratings(chosen.name, file.getvalue(), scale=scale, rater=rater, rubric=name)
    except SheetChoiceError as choice:
        sheet = right.selectbox(
            _("Sheet"), choice.sheets, index=None, placeholder=_("Choose a sheet"), key=f"ratings-sheet-{file.file_id}"
        )
        if sheet is None:
            st.info(_("Several sheets of this file have ratings. Choose one."), icon=":material/table:")
            return
        incoming = data.checked_ratings(
            chosen.name, file.getvalue(), sheet=sheet, scale=scale, rater=rater, rubric=name
        )
    assumed = (*incoming.assumed, *incoming.respelled)
    if assumed:
        heading = _("Check how the file was read:")
        lines = "".join(f"\n- {plain(translated(text))}" for text in assumed)
        st.info(heading + lines, icon=":material/fact_check:")
    if incoming.problems:
        _problems(incoming.problems, nameless=incoming.n_nameless)
    if incoming.scale_question is not None:
        st.warning(plain(translated(incoming.scale_question)), icon=":material/straighten:")
        return
    if not incoming.n:
        st.info(_("The file has no ratings that can be imported."), icon=":material/info:")
        return
    _confirm(chosen, incoming)


def _rubric(chosen: RecordingSet, key: str) -> str:
    """With which the ratings were given; empty for the usual one. Not drawn where there is no other."""
    others = [rubric for rubric in rubrics.added() if rubric.unit is chosen.rubric]
    if not others:
        return ""
    titles = {"": _("usual (words or sentences)")}
    titles |= {rubric.name: translated(rubric.title) for rubric in others}
    return st.selectbox(
        _("Rubric"), list(titles), key=key, format_func=lambda name: titles[name],
        help=_("Of ratings that name none."),
    )  # fmt: skip


def _problems(problems: tuple[str, ...], *, nameless: int) -> None:
    n = len(problems)
    text = ngettext(
        "{n} rating cannot be used. Correct the file, or import the rest.",
        "{n} ratings cannot be used. Correct the file, or import the rest.",
        n,
    ).format(n=number(n))
    if nameless:
        text += " " + _("If the same person gave all ratings without a name, type the name above.")
    if len(problems) <= LISTED:
        text += "".join(f"\n- {plain(translated(problem))}" for problem in problems)
    st.warning(text, icon=":material/warning:")
    if len(problems) > LISTED:
        data_table([{_("Problem"): translated(problem)} for problem in problems])


def _confirm(chosen: RecordingSet, incoming: Incoming) -> None:
    ratings = ngettext("{n} rating", "{n} ratings", incoming.n).format(n=number(incoming.n))
    n = len(incoming.ratings)
    recordings = ngettext("{n} recording", "{n} recordings", n).format(n=number(n))
    st.markdown(
        _("To import: {ratings} of {recordings}. Nothing is overwritten.").format(
            ratings=ratings, recordings=recordings
        )
    )
    if st.button(_("Import ratings"), type="primary", icon=":material/input:"):
        n = data.import_ratings(chosen.name, incoming)
        st.success(
            ngettext("{n} recording has new ratings.", "{n} recordings have new ratings.", n).format(n=number(n)),
            icon=":material/check_circle:",
        )


def ask_scale_of_labels(problems: Sequence[Problem]) -> None:
    """Of sets whose label files have scores that look like another scale's: until somebody answers, they are left
    out."""
    if not identity.allowed(Action.SEE_SETS).may(Action.MANAGE_PROJECTS):
        return
    for problem in problems:
        set_name = (problem.path or "").partition("/")[0]
        if problem.code == "label_scale" and set_name:  # not shown
            with st.container(border=True), errors_in_words():
                st.markdown(_("**Scores of {name}**").format(name=plain(set_name)))
                st.caption(plain(translated(problem.message).partition(" `")[0]))
                scale = _scale(f"label-scale-{set_name}", _("Choose a scale"))
                if st.button(
                    _("Apply scale"), disabled=not scale, icon=":material/straighten:", key=f"apply-{set_name}"
                ):
                    n = data.rescale_labels(set_name, scale)
                    st.toast(ngettext("{n} label file was read.", "{n} label files were read.", n).format(n=number(n)))
                    st.rerun()


def _scale(key: str, placeholder: str) -> str:
    """As it is written for `parse_scale`; empty where none was chosen."""
    chosen = st.selectbox(
        _("Scale of the scores"), list(SCALES), index=None, format_func=lambda key: _(SCALES.get(str(key), str(key))),
        placeholder=placeholder, accept_new_options=True, key=key,
        help=_("Choose one, or type the best score (7) or both ends (1-7)."),
    )  # fmt: skip
    return chosen or ""
