"""Scoring by rule, with nothing learned: the fallback where no model is deployed, and the yardstick beside one."""

from pipeline.scoring.heuristic.scorer import HeuristicScorer

__all__ = ["HeuristicScorer"]
