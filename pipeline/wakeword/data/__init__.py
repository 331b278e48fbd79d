"""Clips of a wake word: library, splits, augmentation, rendering, features."""
