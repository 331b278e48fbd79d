"""The sections of the Review page."""
