"""The classical route for any table: a task names its items, its features and its label; cleaning, cross-validated
trees, search, importance, error analysis, deployment with a confidence and monitoring are the same for all.

The scorer of recordings by their features is `pipeline.scoring.feature_based`; the trees that both fit are in
`pipeline.regressors`.
"""
