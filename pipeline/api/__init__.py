"""The HTTP service: scoring for other programs."""
