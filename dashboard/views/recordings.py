"""Recordings: find one among all of a set or project, and open it on Label or Review."""

from dashboard import identity
from dashboard.components.filters import choose_project, choose_rater, choose_set
from dashboard.components.page import empty_state, errors_in_words, header
from dashboard.sections.recordings import acts, search, table
from dashboard.services import label, recordings
from pipeline.i18n import _
from pipeline.people.access import Action
from pipeline.projects.project import RATINGS


@errors_in_words()
def render() -> None:
    choices = header(_("Recordings"), _("Find a recording and open it."))
    with choices:
        if identity.is_open():  # elsewhere the sidebar has the name
            choose_rater()
        me = identity.allowed(Action.RATE, Action.SEE_RATINGS)
        project = choose_project(None if me.may(Action.SEE_RATINGS) else me, (RATINGS,))
    chosen = label.set_of(project) if project is not None else choose_set(where=choices)
    if chosen is None:
        return
    query = search.draw(chosen.name, project)
    page = recordings.page_of(query, project)
    if not page.total:
        empty_state(_("No recording matches. Change the search or the filters above."))
        return
    marked = table.draw(page, query, me)
    acts.draw(marked, project, me)


if __name__ == "__main__":
    render()
