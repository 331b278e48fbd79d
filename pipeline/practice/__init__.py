"""Lessons, a learner's attempts, advice on what to work on, and progress."""
