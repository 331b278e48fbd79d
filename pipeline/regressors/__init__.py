"""Regression on tables of features, shared by the word scorer and the tabular route: trees, forests, baselines."""
