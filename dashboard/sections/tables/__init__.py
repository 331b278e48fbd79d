"""The sections of the Tables page."""
