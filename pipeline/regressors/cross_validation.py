"""Cross-validation over people: each item is predicted by a model that has seen nothing of whoever made it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, Message
from pipeline.regressors.baselines import Predict, permutation_importance, simple_baselines
from pipeline.regressors.scaler import Scaler
from pipeline.regressors.trees import OnTrial, TreeSettings, fit
from pipeline.runs import RunWriter


@dataclass(frozen=True)
class FoldModel:
    """`predict` takes raw features [n, d]; `details` go into the run's metrics."""

    predict: Predict
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OutOfFold:
    """Predictions [n], also of each baseline; `importance` [d] is the rise of MAE, in points, when a feature is
    shuffled, averaged over items; `fold_mae` and `details` are per fold."""

    predicted: NDArray[np.float64]
    baselines: dict[str, NDArray[np.float64]]
    importance: NDArray[np.float64]
    fold_mae: tuple[float, ...]
    details: tuple[dict[str, Any], ...]


def cross_validate(
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    folds: NDArray[np.int64],
    fit_fold: Callable[[int, NDArray[np.bool_]], FoldModel],
    writer: RunWriter,
    *,
    seed: int,
    forest: TreeSettings | None = None,
    progress: tuple[float, float] = (0.0, 1.0),
) -> OutOfFold:
    """Fit one model per fold of `folds` [n] and predict that fold with it.

    Args:
        x: Raw features [n, d].
        y: Scores 0-100 [n].
        folds: The fold (0 .. number of folds - 1) of each item.
        fit_fold: From the fold's number and its training items [n] to a model that has seen only these.
        writer: The run: asked to stop between folds, told the progress and each fold's figures.
        seed: Of the shuffling for the importance, and of the forest.
        forest: Settings of a random forest among the baselines; None without one.
        progress: The share of the whole run at the beginning and at the end of this.
    """
    n_folds = int(folds.max()) + 1
    predicted = np.full(len(y), np.nan)
    baselines: dict[str, NDArray[np.float64]] = {}
    importance = np.zeros(x.shape[1])
    fold_mae: list[float] = []
    details: list[dict[str, Any]] = []
    start, end = progress
    for fold in range(n_folds):
        writer.check_stop()
        message = Message(N_("fold {fold} of {folds}"), fold=fold + 1, folds=n_folds)
        writer.update(progress=start + (end - start) * fold / n_folds, message=message)
        test = folds == fold
        model = fit_fold(fold, ~test)
        predicted[test] = model.predict(x[test])
        for name, scores in _baselines(x[~test], y[~test], x[test], forest, seed).items():
            baselines.setdefault(name, np.full(len(y), np.nan))[test] = scores
        importance += test.mean() * permutation_importance(model.predict, x[test], y[test], seed)
        fold_mae.append(float(np.abs(predicted[test] - y[test]).mean()))
        details.append(model.details)
        n = int(test.sum())
        writer.log_metrics(event="fold", fold=fold, test_mae=fold_mae[-1], n=n, **model.details)
        writer.log(f"{message}: MAE {fold_mae[-1]:.2f} over {n} items of unseen people")
    return OutOfFold(predicted, baselines, importance, tuple(fold_mae), tuple(details))


def trial_logger(writer: RunWriter, fold: int | None) -> OnTrial:
    """Writes each trial of a search into the run's metrics; `fold` None is that of the final fit."""

    def log(trial: int, settings: dict[str, Any], value: float) -> None:
        writer.check_stop()
        writer.log_metrics(event="trial", fold=fold, trial=trial, value=value, settings=settings)

    return log


def _baselines(
    x: NDArray[np.float32], y: NDArray[np.float64], held: NDArray[np.float32], forest: TreeSettings | None, seed: int
) -> dict[str, NDArray[np.float64]]:
    """What simpler methods predict for the same fold."""
    scaler = Scaler.fit(x)
    scaled, scaled_held = scaler.standardise(x), scaler.standardise(held)
    predictions = simple_baselines(scaled, y, scaled_held)
    if forest is not None:
        predictions["random forest"] = fit(scaled, y, forest, seed).predict(scaled_held)
    return predictions
