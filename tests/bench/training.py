"""Training 1,000 labelled samples with five folds, network and forest, beside scikit-learn's own network."""

import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.runs import RunDirectory
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.train import run_training
from tests.bench import BenchResult
from tests.scoring.test_training import made_up


def run() -> list[BenchResult]:
    data = made_up(n=1000, speakers=40)
    results = []
    took_s: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("mlp", "forest"):
            config = TrainConfig(csv="x.csv", model=model)
            started = time.perf_counter()
            with RunDirectory.create(Path(folder), kind="word", name=model, config=config).start() as writer:
                run_training(data, replace(config), writer)
            took_s[model] = time.perf_counter() - started
    theirs = _sklearn_s(data.values, data.scores)
    results.append(
        BenchResult(
            "1,000 samples, network, 5 folds, baselines and card", took_s["mlp"], "s", "< 60", "MLPRegressor alone",
            theirs / took_s["mlp"],
        )
    )  # fmt: skip
    results.append(BenchResult("1,000 samples, forest, 5 folds and card", took_s["forest"], "s", "< 60"))
    return results


def _sklearn_s(x: np.ndarray, y: np.ndarray) -> float:
    """scikit-learn's network of the same sizes for as many epochs: five folds and the final fit, nothing else."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for seed in range(6):
            MLPRegressor(
                hidden_layer_sizes=(128, 64, 32), batch_size=32, max_iter=120, n_iter_no_change=20, random_state=seed
            ).fit(x, y)
    return time.perf_counter() - started
