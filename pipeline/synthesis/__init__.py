"""Synthetic voices: reference readings for learners, clips of a word that nobody has recorded yet."""
