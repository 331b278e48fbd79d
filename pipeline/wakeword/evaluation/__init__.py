"""Misses and false alarms on synthetic streams, and robustness."""
