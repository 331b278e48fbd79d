"""What was recorded: recording sets, their importers, and speaker-disjoint splits."""
