"""A finished detector for other runtimes, and its card."""
