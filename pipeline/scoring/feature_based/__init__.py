"""Learned scorers on a feature vector (57 acoustic features and others): train, save, deploy, score."""

from pipeline.scoring.feature_based.scorer import AcousticScorer

__all__ = ["AcousticScorer"]
