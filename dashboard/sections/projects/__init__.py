"""The sections of the Projects page."""
