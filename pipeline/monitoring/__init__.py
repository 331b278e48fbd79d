"""Drift of inputs and scores, errors against people's scores, and when to retrain."""
