"""Data: what recordings and labels there are, what is wrong with them, bringing some in and taking them out."""

import streamlit as st

from dashboard import identity
from dashboard.components.page import errors_in_words, header
from dashboard.sections import data as data_sections
from pipeline.people.access import Action

SECTIONS = {
    "Sets": data_sections.sets,
    "Problems": data_sections.problems,
    "Import": data_sections.import_recordings,
    "Export": data_sections.export_labels,
    "Maintain": data_sections.maintain,
}
# What others rated leaves the installation, or sets come and go: not for everybody, where people have roles.
TAKES = {
    "Import": Action.IMPORT_DATA,
    "Export": Action.SEE_RATINGS,
    "Maintain": Action.IMPORT_DATA,
}


@errors_in_words()
def render() -> None:
    header("Data", "The recordings and labels of this installation: coverage, problems, import and export.")
    section = st.segmented_control(
        "Section",
        list(SECTIONS),
        default="Sets",
        required=True,
        key="section",
        bind="query-params",
        label_visibility="collapsed",
    )
    section = section or "Sets"
    identity.allowed(TAKES.get(section, Action.SEE_SETS))
    SECTIONS[section]()
    if section == "Import":
        data_sections.import_ratings()


if __name__ == "__main__":
    render()
