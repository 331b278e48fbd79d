"""What to do where no microphone records."""

NEEDS_HTTPS = (
    "Browsers give the microphone to this machine's own pages and to HTTPS only. Ask for an https:// address, or "
    "choose File and upload a recording."
)
NO_MICROPHONE = (
    "Does it not record? Plug a microphone in, and allow it in the settings beside the page's address; or choose File."
)
