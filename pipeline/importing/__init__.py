"""Bringing corpora into an installation: importing a path, and the synthetic demo corpus."""
