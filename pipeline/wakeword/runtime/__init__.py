"""A trained detector in use: inference, detection, cascade, and its files for other runtimes."""
