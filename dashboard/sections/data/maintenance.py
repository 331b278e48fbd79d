"""Rebuild the index, install the demo, remove a set."""

import streamlit as st

from dashboard.components.confirm import confirm
from dashboard.components.filters import choose_set
from dashboard.components.progress import progress_bar
from dashboard.markup import plain
from dashboard.services import data, shared
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import _, ngettext, number


def draw() -> None:
    st.header(_("Index"))
    st.caption(_("The index is made from the label files. Rebuilding it loses nothing."))
    if st.button(_("Rebuild the index"), icon=":material/refresh:"):
        with progress_bar(_("Rebuilding …")) as progress:
            report = data.rebuild_index(progress)
        counts = (
            ngettext("{n} set", "{n} sets", report.n_sets).format(n=number(report.n_sets)),
            ngettext("{n} recording", "{n} recordings", report.n_recordings).format(n=number(report.n_recordings)),
            ngettext("{n} rating", "{n} ratings", report.n_ratings).format(n=number(report.n_ratings)),
            ngettext("{n} label file", "{n} label files", report.n_label_files).format(n=number(report.n_label_files)),
        )
        st.success(_("The index holds {counts}.").format(counts=", ".join(counts)), icon=":material/check_circle:")
        if report.problems:
            n = len(report.problems)
            st.warning(
                ngettext(
                    "{n} problem was found in recordings and label files: see Problems.",
                    "{n} problems were found in recordings and label files: see Problems.",
                    n,
                ).format(n=number(n)),
                icon=":material/warning:",
            )
    st.header(_("Synthetic demo"))
    if confirm(
        _("Reset the demo"),
        _("This restores the synthetic demo: **ratings of its recordings will be permanently deleted.**"),
        answer=_("Yes, reset the demo"),
        key="reset-demo",
    ):
        with progress_bar(_("Copying …")) as progress:
            data.reset_demo(progress)
        st.success(_("The demo is reset."), icon=":material/check_circle:")
    st.header(_("Remove a set"))
    chosen = choose_set()
    if chosen is not None and confirm(
        _("Remove this set"),
        _consequences(chosen),
        answer=_("Yes, remove it"),
        key="remove-set",
    ):
        data.remove_set(chosen.name)
        st.rerun()


def _consequences(chosen: RecordingSet) -> str:
    """What removing it deletes, and what it leaves."""
    names = {"name": plain(chosen.name), "folder": plain(chosen.root)}
    is_copy = chosen.root.is_relative_to(shared.settings().sets_root)
    if chosen.kind == "folder" and not is_copy:
        text = _("**{name}** is removed from this dashboard. Audio and labels stay where they are, in {folder}.")
    elif not is_copy:
        text = _(
            "**{name}** is removed from this dashboard. Its audio stays in {folder}, but **its labels will be "
            "permanently deleted**. Export them first."
        )
    else:
        text = _(
            "**{name}** is removed from this dashboard. **Its copies of the audio and its labels will be permanently "
            "deleted**. Export them first."
        )
    return text.format(**names)
