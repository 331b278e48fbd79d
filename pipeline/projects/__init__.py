"""Rating projects: who rates which recordings, in what order, how often, and what becomes of it."""
