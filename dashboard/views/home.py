"""Home: what there is and where to begin, on an installation without a list of people."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import errors_in_words, header
from dashboard.navigation import SECTIONS, Section
from dashboard.services import home
from pipeline.i18n import _, ngettext, number
from pipeline.people.access import Action

COLUMNS = 3
IMPORT = {"section": "Import"}  # not shown


@errors_in_words()
def render() -> None:
    header("Pronlab", _("Label pronunciation, learn from the labels, practise with the result."))  # not shown
    identity.allowed(Action.SEE_SETS)
    _first_steps(home.progress())
    for start in range(0, len(SECTIONS), COLUMNS):
        for column, section in zip(st.columns(COLUMNS), SECTIONS[start : start + COLUMNS], strict=False):
            with column:
                _card(section)


def _first_steps(progress: home.Progress) -> None:
    n = progress.n_recordings
    if not n:
        recordings = _("There are no recordings yet. The demo is under Maintain on the Data page.")
    elif progress.only_demo:
        recordings = ngettext(
            "{n} recording, of the synthetic demo.", "{n} recordings, all of the synthetic demo.", n
        ).format(n=number(n))
    else:
        recordings = ngettext("{n} recording.", "{n} recordings.", n).format(n=number(n))
    n_labelled = progress.n_labelled
    labelled = ""
    if n_labelled is not None:
        labelled = ngettext("{n} recording is rated.", "{n} recordings are rated.", n_labelled)
        labelled = labelled.format(n=number(n_labelled))
    n_runs = progress.n_finished_runs
    runs = ngettext("{n} finished run.", "{n} finished runs.", n_runs).format(n=number(n_runs))
    people = _("A sign-in is set up.") if progress.has_people else _("Anyone who opens this address can do everything.")
    steps: tuple[tuple[bool, str, str, str, dict[str, str]], ...] = (
        (bool(n) and not progress.only_demo, _("Import recordings"), recordings, "data", IMPORT),
        (progress.has_people, _("Add people"), people, "projects", {}),
        (
            bool(n_labelled) and not progress.only_demo, _("Rate recordings"), labelled, "label", {},
        ),
        (n_runs > 0, _("Train a scorer"), runs, "train", {}),
    )  # fmt: skip
    st.header(_("Where to begin"))
    for column, (number_, (done, label, state, page, query)) in zip(st.columns(4), enumerate(steps, 1), strict=True):
        with column.container(border=True, gap="small", height="stretch"):
            icon = ":material/check_circle:" if done else f":material/counter_{number_}:"
            st.page_link(f"views/{page}.py", label=f"**{label}**", icon=icon, query_params=query)
            st.caption(state)


def _card(section: Section) -> None:
    with st.container(border=True, gap="small", height="stretch"):
        st.markdown(f"**{section.title}**")
        st.caption(section.purpose)
        with st.container(horizontal=True, gap="small"):
            for page in section.pages:
                st.page_link(f"views/{page.name}.py", label=page.title, icon=page.icon, width="content")


if __name__ == "__main__":
    render()
