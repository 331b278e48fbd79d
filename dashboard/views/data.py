"""Data: what recordings and labels there are, what is wrong with them, bringing some in and taking them out."""

from dashboard import identity, state
from dashboard.components.choices import segments
from dashboard.components.page import errors_in_words, header
from dashboard.sections.data import exports, imports, maintenance, problems, ratings_import, sets
from pipeline.i18n import N_, _
from pipeline.people.access import Action

SECTION = "section"
SECTIONS = {
    "Sets": (N_("Sets"), sets.draw),  # not shown
    "Problems": (N_("Problems"), problems.draw),  # not shown
    "Import": (N_("Import"), imports.draw),  # not shown
    "Export": (N_("Export"), exports.draw),  # not shown
    "Maintain": (N_("Maintain"), maintenance.draw),  # not shown
}
# Ratings of others leave the installation, or sets come and go: not for everybody, where people have roles.
NEEDS = {
    "Import": Action.IMPORT_DATA,  # not shown
    "Export": Action.SEE_RATINGS,  # not shown
    "Maintain": Action.IMPORT_DATA,  # not shown
}


@errors_in_words()
def render() -> None:
    with header(_("Data"), _("Recordings and labels of this installation.")):
        section = segments(_("Section"), _offered(), key=SECTION)
    identity.allowed(NEEDS.get(section, Action.SEE_SETS))
    SECTIONS[section][1]()
    if section == "Import":  # not shown
        ratings_import.draw()


def _offered() -> dict[str, str]:
    """The sections that whoever is here may use, and the one that the address asks for, which then says who may."""
    me, asked = identity.allowed(Action.SEE_SETS), state.watched(SECTION)
    return {
        name: _(label)
        for name, (label, _draw) in SECTIONS.items()
        if name == asked or me.may(NEEDS.get(name, Action.SEE_SETS))
    }


if __name__ == "__main__":
    render()
