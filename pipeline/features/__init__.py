"""Recordings as numbers: one extractor a file, each under its registered name."""
