"""Names of speakers as a page shows them."""

from pipeline.i18n import _
from pipeline.records import NO_SPEAKER


def shown_speaker(name: str) -> str:
    """In the reader's language that a corpus names none; a name as it is."""
    return _("unknown speaker") if name == NO_SPEAKER else name
