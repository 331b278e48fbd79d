"""Pair projects: which of two recordings is better, and the scale that follows from the answers."""
