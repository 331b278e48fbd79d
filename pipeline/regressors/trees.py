"""Random forests and gradient boosting: scikit-learn fits them, plain arrays keep them, numpy walks them.

The word scorer and the models of tables both train through this module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TrainingError
from pipeline.optional import require
from pipeline.regressors.forest import Arrays, flattened, predict_trees
from pipeline.regressors.scaler import Scaler

MODELS, SEARCHES = ("forest", "boosting"), ("none", "grid", "optuna")
LIMITS: dict[str, tuple[float, float]] = {
    "trials": (2, 1000), "trees": (1, 5000), "min_leaf": (1, 1000), "depth": (0, 200), "rate": (1e-6, 1),
}  # fmt: skip


@dataclass(frozen=True)
class TreeSettings:
    """`model` is forest or boosting, `search` none, grid or optuna; `depth` 0 means as deep as it goes, and `rate` is
    the learning rate of boosting. A search tries `trials` settings."""

    model: str = "forest"
    search: str = "none"
    trials: int = 20
    trees: int = 200
    min_leaf: int = 3
    depth: int = 0
    rate: float = 0.1


Settings = TypeVar("Settings", bound=TreeSettings)

GRIDS: dict[str, dict[str, list[Any]]] = {
    "forest": {"trees": [200], "min_leaf": [1, 3, 6, 12], "depth": [0, 6]},
    "boosting": {"trees": [60, 200], "rate": [0.03, 0.1], "depth": [2, 4], "min_leaf": [3, 10]},
}
INNER_FOLDS = 3


@dataclass(frozen=True)
class Trees:
    """`offset` + `scale` x the sum of the trees' answers, cut to 0-100; `importance` [d] is that of impurity, with sum
    1."""

    arrays: Arrays
    offset: float
    scale: float
    importance: NDArray[np.float64]

    def each(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """[n, trees]: of a forest, what each tree would answer."""
        return predict_trees(self.arrays, x)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """[n] for x [n, d]."""
        return np.asarray(np.clip(self.offset + self.scale * self.each(x).sum(axis=1), 0.0, 100.0))


def fit(x: NDArray[np.float32], y: NDArray[np.float64], config: TreeSettings, seed: int) -> Trees:
    model = _estimator(config, seed).fit(x, y)
    if config.model == "forest":
        return Trees(flattened(model.estimators_), 0.0, 1.0 / config.trees, model.feature_importances_)
    start = float(model.init_.constant_[0, 0])
    return Trees(flattened(model.estimators_[:, 0]), start, config.rate, model.feature_importances_)


@dataclass(frozen=True)
class FittedTrees:
    """Trees with the scaler of their training items and the settings that they were fitted with."""

    scaler: Scaler
    trees: Trees
    settings: TreeSettings

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores 0-100 [n] for raw features x [n, d]."""
        return self.trees.predict(self.scaler.standardise(x))


def fit_scaled(
    x: NDArray[np.float32], y: NDArray[np.float64], groups: NDArray[Any], config: TreeSettings, seed: int
) -> FittedTrees:
    """Scale raw features x [n, d], search for settings where `config` asks for it (over folds of `groups` [n]), and
    fit."""
    scaler = Scaler.fit(x)
    scaled = scaler.standardise(x)
    if config.search != "none":
        config = searched(scaled, y, groups, config, seed)
    return FittedTrees(scaler, fit(scaled, y, config, seed), config)


def require_search(config: TreeSettings) -> None:
    """Raises TrainingError where the package that searches is missing."""
    if config.search == "optuna":
        require("The search", ("optuna",), TrainingError)


def searched(
    x: NDArray[np.float32], y: NDArray[np.float64], groups: NDArray[Any], config: Settings, seed: int
) -> Settings:
    """The settings with the smallest mean absolute error over three folds of the groups."""
    from sklearn.model_selection import GroupKFold

    folds = list(GroupKFold(min(INNER_FOLDS, len(set(groups)))).split(x, y, groups))

    def error(candidate: Settings) -> float:
        errors = [np.abs(fit(x[a], y[a], candidate, seed).predict(x[b]) - y[b]).mean() for a, b in folds]
        return float(np.mean(errors))

    if config.search == "grid":
        return min(_grid(config), key=error)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(lambda trial: error(replace(config, **_drawn(trial, config.model))), n_trials=config.trials)
    return replace(config, **_drawn(optuna.trial.FixedTrial(study.best_params), config.model))


def _drawn(trial: Any, model: str) -> dict[str, Any]:
    drawn = {"min_leaf": trial.suggest_int("min_leaf", 1, 20, log=True)}
    if model == "forest":
        return {**drawn, "depth": trial.suggest_categorical("depth", [0, 4, 6, 10])}
    return {
        **drawn, "depth": trial.suggest_int("depth", 1, 5), "rate": trial.suggest_float("rate", 0.01, 0.3, log=True),
        "trees": trial.suggest_int("trees", 30, 300, log=True),
    }  # fmt: skip


def _grid(config: Settings) -> list[Settings]:
    import itertools

    grid: Mapping[str, list[Any]] = GRIDS[config.model]
    return [replace(config, **dict(zip(grid, values, strict=True))) for values in itertools.product(*grid.values())]


def _estimator(config: TreeSettings, seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

    depth = config.depth or None
    if config.model == "forest":
        return RandomForestRegressor(
            config.trees, max_depth=depth, min_samples_leaf=config.min_leaf, max_features=1 / 3, random_state=seed,
            n_jobs=2,
        )  # fmt: skip
    return GradientBoostingRegressor(
        n_estimators=config.trees, learning_rate=config.rate, max_depth=depth, min_samples_leaf=config.min_leaf,
        subsample=0.8, random_state=seed,
    )  # fmt: skip
