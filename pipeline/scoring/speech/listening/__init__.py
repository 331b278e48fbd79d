"""From samples to evidence: front end, posteriors, alignment, free decoding."""
