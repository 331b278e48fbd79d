"""Regression on tables of features, shared by the word scorer and the tabular route: trees, forests, baselines.

Matrices in, predictions out: it knows neither recordings (`pipeline.scoring.feature_based`) nor the tasks of tables
(`pipeline.tabular`), and nothing is trained or deployed from here.
"""
