"""The sections of the Recordings page."""
