"""What the Label page shows where there is no recording to rate."""

import streamlit as st

from dashboard.components.page import empty_state
from dashboard.components.set_titles import shown_title
from dashboard.markup import plain
from dashboard.services import label
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import _, ngettext, number
from pipeline.people.access import Action, Identity
from pipeline.projects.pairs.queue import PairProgress
from pipeline.projects.project import Project
from pipeline.projects.queue import EmptyQueue, QueueProgress


def nothing_left(
    chosen: RecordingSet, me: Identity, project: Project | None, progress: QueueProgress | None, why: EmptyQueue
) -> None:
    """Why there is nothing to rate now, and what to do next."""
    if project is None or progress is None:
        _all_done(chosen, me)
        return
    if not _over_or_waiting(me, project, why):
        _nothing_left(plain(project.title or project.name), plain(me.name), progress)


def no_pairs_left(me: Identity, project: Project, progress: PairProgress, why: EmptyQueue) -> None:
    """Why there is no pair to compare now."""
    if _over_or_waiting(me, project, why):
        return
    compared = ngettext("{n} pair compared", "{n} pairs compared", progress.compared)
    counts = _("{compared}, {skipped} skipped").format(
        compared=compared.format(n=number(progress.compared)), skipped=number(progress.skipped)
    )
    text = _("Nothing is left for you in {project}: {counts}. Thank you, {name}.")
    title = plain(project.title or project.name)
    st.success(text.format(project=title, counts=counts, name=plain(me.name)), icon=":material/celebration:")


def _over_or_waiting(me: Identity, project: Project, why: EmptyQueue) -> bool:
    """Say so where the project is closed, this rater's quota is reached, or others have the last items open; whether it
    was said."""
    title, name = plain(project.title or project.name), plain(me.name)
    if why.reason == "over":
        text = _("{project} is closed. Thank you, {name}.").format(project=title, name=name)
        st.info(text, icon=":material/event_busy:")
    elif why.reason == "quota":
        quota = project.quota_of(me.name) or 0
        text = ngettext(
            "You have given the {n} rating that you were asked for in {project}. Thank you, {name}.",
            "You have given the {n} ratings that you were asked for in {project}. Thank you, {name}.",
            quota,
        ).format(n=number(quota), project=title, name=name)
        st.success(text, icon=":material/celebration:")
    elif why.reason == "wait":
        minutes = max(1, round((why.seconds or 0) / 60))
        text = ngettext(
            "Other raters have the last recordings open. Check again in {n} minute at the latest.",
            "Other raters have the last recordings open. Check again in {n} minutes at the latest.",
            minutes,
        ).format(n=number(minutes))
        st.info(text, icon=":material/hourglass_top:")
        st.button(_("Check again"), icon=":material/refresh:")
    return why.reason in ("over", "wait")


def _nothing_left(title: str, name: str, progress: QueueProgress) -> None:
    """What was skipped or flagged is not rated, and is not called so."""
    counts = _("{rated} rated, {skipped} skipped, {flagged} flagged").format(
        rated=number(progress.rated), skipped=number(progress.skipped), flagged=number(progress.flagged)
    )
    if progress.rated:
        text = _("Nothing is left for you in {project}: {counts}. Thank you, {name}.")
        st.success(text.format(project=title, counts=counts, name=name), icon=":material/celebration:")
        return
    text = _("Nothing is left for you in {project}, but you have rated nothing: {counts}.")
    st.info(text.format(project=title, counts=counts), icon=":material/info:")


def _all_done(chosen: RecordingSet, me: Identity) -> None:
    progress = label.progress_in_set(chosen.name, me)
    all_of = ngettext(
        "The only recording of {set} is done", "All {n} recordings of {set} are done", progress.total
    ).format(n=number(progress.total), set=plain(shown_title(chosen.title)))
    counts = _("{rated} rated, {skipped} skipped, {flagged} flagged").format(
        rated=number(progress.rated), skipped=number(progress.skipped), flagged=number(progress.flagged)
    )
    thanks = _("Thank you, {name}.").format(name=plain(me.name))
    st.success(f"{all_of}: {counts}. {thanks}", icon=":material/celebration:")
    if me.may(Action.SEE_RATINGS):
        empty_state(
            _("Compare the ratings with the scorers, or choose another set above."),
            page="compare",
            page_label=_("Open Compare"),
        )
    else:
        empty_state(_("Choose another set above."))
