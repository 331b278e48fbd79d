"""The sections of the Results page: all systems, what the published ones are made of, one evaluation."""
