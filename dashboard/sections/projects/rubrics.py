"""Rubrics: which there are and how their forms look, which one a set is rated with, and adding one."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.page import errors_in_words
from dashboard.components.rating_form import rubric_preview
from dashboard.components.uploader import upload
from dashboard.markup import message, plain
from dashboard.services import rubrics, shared
from pipeline.i18n import _, translated
from pipeline.people.access import Action, Identity
from pipeline.rubrics import RUBRICS, Rubric

MAX_MB = 1
STANDARD = ""


def draw(me: Identity) -> None:
    for problem in rubrics.problems():
        st.warning(message(problem.message), icon=":material/warning:")
    known = {rubric.name: rubric for rubric in rubrics.all_rubrics()}
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = known[
        row.selectbox(
            _("Rubric"), list(known), key="rubric-shown", format_func=lambda name: _name(known[name]), width=320
        )
    ]
    row.download_button(
        _("Download"), rubrics.as_file(chosen), f"{chosen.name}.yaml", "application/yaml", icon=":material/download:",
        help=_("Change the file, give it another name, and add it as your own rubric."),
    )  # fmt: skip
    _shown(chosen, "rubric-form")
    if me.may(Action.MANAGE_PROJECTS):
        _of_a_set(list(known.values()))
        _add()


def _name(rubric: Rubric) -> str:
    return f"{translated(rubric.title)} ({rubric.reference})"


def _shown(rubric: Rubric, key: str) -> None:
    unit = _("For recordings of a word") if rubric.unit == "word" else _("For recordings of a sentence")  # not shown
    st.caption(unit + ". " + _("This is how the form looks; nothing is saved here."))
    rubric_preview(rubric, key=f"{key}-{rubric.reference}")


def _of_a_set(known: Sequence[Rubric]) -> None:
    """Which rubric a set is rated with outside of projects. Not drawn where no set has a choice."""
    choices = {
        set_: [STANDARD, *(r.name for r in known[len(RUBRICS) :] if r.unit is set_.rubric)] for set_ in shared.sets()
    }
    sets = {set_.name: set_ for set_, names in choices.items() if len(names) > 1 or set_.rated_with}
    if not sets:
        return
    titles = {rubric.name: _name(rubric) for rubric in known}
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = sets[row.selectbox(_("Set"), list(sets), key="rubric-set", width=240)]
    names = list(dict.fromkeys((*choices[chosen], chosen.rated_with)))
    name = row.selectbox(
        _("Rated with"), names, names.index(chosen.rated_with), key=f"rubric-of-{chosen.name}", width=320,
        format_func=lambda name: titles.get(name, name) or _("usual (words or sentences)"),
        help=_(
            "On the Label page without a project, and in new projects. Ratings that were given keep their rubric, and "
            "so do projects."
        ),
    )  # fmt: skip
    with errors_in_words():
        if row.button(_("Save"), key="rubric-set-save", icon=":material/save:", disabled=name == chosen.rated_with):
            rubrics.rate_with(chosen.name, name)
            st.toast(_("Saved."))
            st.rerun()


def _add() -> None:
    file = upload(
        _("Add a rubric (YAML)"), ["yaml", "yml"], key="rubric-file", most_mb=MAX_MB,
        help_=_("A rubric of the same name becomes a new version; ratings remember which they were given with."),
    )  # fmt: skip
    if file is None:
        return
    with errors_in_words():
        rubric = rubrics.checked(file.getvalue())
        st.markdown(_("**Preview of {name}**").format(name=plain(translated(rubric.title))))
        _shown(rubric, "rubric-new")
        if st.button(_("Add rubric"), type="primary", icon=":material/add:"):
            added = rubrics.add(file.getvalue())
            st.success(
                _("{rubric} can be chosen for projects and sets.").format(rubric=plain(added.reference)),
                icon=":material/check:",
            )
