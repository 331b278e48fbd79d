"""Which models score: the registry of candidate, deployed and retired models, their folders, and routing."""
