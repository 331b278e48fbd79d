"""The scorer of *recordings* by a feature vector (57 acoustic features and others): train, save, deploy, score.

Rows that are no recordings go to `pipeline.tabular`; the regression itself stands in `pipeline.regressors`.
"""

from pipeline.scoring.feature_based.scorer import AcousticScorer

__all__ = ["AcousticScorer"]
