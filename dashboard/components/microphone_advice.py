"""What to do where no microphone records; shown through `_`."""

from pipeline.i18n import N_

NEEDS_HTTPS = N_(
    "Browsers allow the microphone on HTTPS pages only. Ask for an https:// address, or choose File and upload a "
    "recording."
)
NO_MICROPHONE = N_("Not recording? Connect a microphone and allow it beside the page's address, or choose File.")
