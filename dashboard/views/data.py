"""Data: what recordings and labels there are, what is wrong with them, bringing some in and taking them out."""

from dashboard import identity
from dashboard.components.choices import segments
from dashboard.components.page import errors_in_words, header
from dashboard.sections import data, ratings_import
from pipeline.i18n import N_, _
from pipeline.people.access import Action

SECTIONS = {
    "Sets": (N_("Sets"), data.sets),  # not shown
    "Problems": (N_("Problems"), data.problems),  # not shown
    "Import": (N_("Import"), data.import_recordings),  # not shown
    "Export": (N_("Export"), data.export_labels),  # not shown
    "Maintain": (N_("Maintain"), data.maintain),  # not shown
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
        section = segments(_("Section"), {name: _(label) for name, (label, _draw) in SECTIONS.items()}, key="section")
    identity.allowed(NEEDS.get(section, Action.SEE_SETS))
    SECTIONS[section][1]()
    if section == "Import":  # not shown
        ratings_import.draw()


if __name__ == "__main__":
    render()
