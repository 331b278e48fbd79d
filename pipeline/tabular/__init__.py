"""The classical route for any table: a task names its items, its features and its label; cleaning, cross-validated
trees, search, importance, error analysis, deployment with a confidence and monitoring are the same for all."""
