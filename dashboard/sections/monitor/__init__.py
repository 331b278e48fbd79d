"""The sections of the Monitor page."""
