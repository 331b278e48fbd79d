"""The synthetic demo corpus: its words, its sound, and its installation."""
