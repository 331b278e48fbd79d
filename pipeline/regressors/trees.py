"""Random forests and gradient boosting: scikit-learn fits them, plain arrays keep them, numpy walks them.

The word scorer and the models of tables both train through this module.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.regressors.balance import band_weights
from pipeline.regressors.forest import Arrays, flattened, predict_trees
from pipeline.regressors.scaler import Scaler

MODELS, SEARCHES = ("forest", "boosting"), ("none", "grid", "full", "optuna")
LIMITS: dict[str, tuple[float, float]] = {
    "trials": (2, 1000), "trees": (1, 5000), "min_leaf": (1, 1000), "min_split": (2, 1000), "depth": (0, 200),
    "rate": (1e-6, 1),
}  # fmt: skip


@dataclass(frozen=True)
class TreeSettings:
    """`model` is forest or boosting; `depth` 0 means as deep as it goes, `min_split` is the smallest node that is
    divided, and `rate` is the learning rate of boosting. `search` is none, grid (a few combinations), full (every
    combination of FULL_GRIDS) or optuna, which tries `trials` settings. `balance` weights the items so that every band
    of scores counts alike."""

    model: str = "forest"
    search: str = "none"
    trials: int = 20
    trees: int = 200
    min_leaf: int = 3
    min_split: int = 2
    depth: int = 0
    rate: float = 0.1
    balance: bool = False


Settings = TypeVar("Settings", bound=TreeSettings)
SEARCHED = ("trees", "min_leaf", "min_split", "depth", "rate")  # what a search replaces

GRIDS: dict[str, dict[str, list[Any]]] = {
    "forest": {"trees": [200], "min_leaf": [1, 3, 6, 12], "depth": [0, 6]},
    "boosting": {"trees": [60, 200], "rate": [0.03, 0.1], "depth": [2, 4], "min_leaf": [3, 10]},
}
FULL_GRIDS: dict[str, dict[str, list[Any]]] = {
    "forest": {"trees": [100, 200, 300], "depth": [0, 10, 20, 30], "min_split": [2, 5, 10], "min_leaf": [1, 2, 4]},
    "boosting": {"trees": [100, 200, 300], "rate": [0.01, 0.05, 0.1], "depth": [3, 5, 7], "min_leaf": [1, 2, 4]},
}
INNER_FOLDS = 3
OnTrial = Callable[[int, dict[str, Any], float], None]  # number, settings, mean absolute error in points


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
    return _trees_of(_fitted(x, y, config, seed), config)


def _fitted(x: NDArray[np.float32], y: NDArray[np.float64], config: TreeSettings, seed: int) -> Any:
    return _estimator(config, seed).fit(x, y, sample_weight=band_weights(y) if config.balance else None)


def _trees_of(model: Any, config: TreeSettings) -> Trees:
    """Of the first `config.trees` of an estimator's trees."""
    if config.model == "forest":
        return Trees(flattened(model.estimators_[: config.trees]), 0.0, 1.0 / config.trees, model.feature_importances_)
    start = float(model.init_.constant_[0, 0])
    return Trees(flattened(model.estimators_[: config.trees, 0]), start, config.rate, model.feature_importances_)


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
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    groups: NDArray[Any],
    config: TreeSettings,
    seed: int,
    on_trial: OnTrial | None = None,
) -> FittedTrees:
    """Scale raw features x [n, d], search for settings where `config` asks for it (over folds of `groups` [n]; each
    trial is told to `on_trial`), and fit."""
    scaler = Scaler.fit(x)
    scaled = scaler.standardise(x)
    if config.search != "none":
        config = searched(scaled, y, groups, config, seed, on_trial)
    return FittedTrees(scaler, fit(scaled, y, config, seed), config)


def searched(
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    groups: NDArray[Any],
    config: Settings,
    seed: int,
    on_trial: OnTrial | None = None,
) -> Settings:
    """The settings with the smallest mean absolute error over three folds of the groups."""
    from sklearn.model_selection import GroupKFold

    folds = list(GroupKFold(min(INNER_FOLDS, len(set(groups)))).split(x, y, groups))
    n_trials = itertools.count()

    def errors(candidate: Settings, counts: Sequence[int]) -> list[float]:
        """The mean absolute error with each number of trees: fewer are the first of the many, so that one fit does."""
        off: list[list[float]] = [[] for _ in counts]
        for inside, outside in folds:
            many = _fitted(x[inside], y[inside], replace(candidate, trees=max(counts)), seed)
            for place, n_trees in enumerate(counts):
                trees = _trees_of(many, replace(candidate, trees=n_trees))
                off[place].append(float(np.abs(trees.predict(x[outside]) - y[outside]).mean()))
        values = [float(np.mean(of_folds)) for of_folds in off]
        for n_trees, value in zip(counts, values, strict=True):
            if on_trial is not None:
                tried = replace(candidate, trees=n_trees)
                on_trial(next(n_trials), {name: getattr(tried, name) for name in tried_names}, value)
        return values

    if config.search in ("grid", "full"):
        grid = (GRIDS if config.search == "grid" else FULL_GRIDS)[config.model]
        tried_names = tuple(grid)
        results = [
            (value, replace(candidate, trees=n_trees))
            for candidate in _grid(config, grid)
            for n_trees, value in zip(grid["trees"], errors(candidate, grid["trees"]), strict=True)
        ]
        return min(results, key=lambda result: result[0])[1]
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    tried_names = DRAWN[config.model]

    def objective(trial: Any) -> float:
        candidate = replace(config, **_drawn(trial, config.model))
        return errors(candidate, [candidate.trees])[0]

    study.optimize(objective, n_trials=config.trials)
    return replace(config, **_drawn(optuna.trial.FixedTrial(study.best_params), config.model))


DRAWN = {"forest": ("min_leaf", "depth"), "boosting": ("min_leaf", "depth", "rate", "trees")}


def _drawn(trial: Any, model: str) -> dict[str, Any]:
    drawn = {"min_leaf": trial.suggest_int("min_leaf", 1, 20, log=True)}
    if model == "forest":
        return {**drawn, "depth": trial.suggest_categorical("depth", [0, 4, 6, 10])}
    return {
        **drawn, "depth": trial.suggest_int("depth", 1, 5), "rate": trial.suggest_float("rate", 0.01, 0.3, log=True),
        "trees": trial.suggest_int("trees", 30, 300, log=True),
    }  # fmt: skip


def _grid(config: Settings, grid: dict[str, list[Any]]) -> Iterator[Settings]:
    """Every combination of all but the number of trees."""
    names = [name for name in grid if name != "trees"]
    for values in itertools.product(*(grid[name] for name in names)):
        yield replace(config, **dict(zip(names, values, strict=True)))


def _estimator(config: TreeSettings, seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

    depth = config.depth or None
    if config.model == "forest":
        return RandomForestRegressor(
            config.trees, max_depth=depth, min_samples_leaf=config.min_leaf, min_samples_split=config.min_split,
            max_features=1 / 3, random_state=seed, n_jobs=2,
        )  # fmt: skip
    return GradientBoostingRegressor(
        n_estimators=config.trees, learning_rate=config.rate, max_depth=depth, min_samples_leaf=config.min_leaf,
        min_samples_split=config.min_split, subsample=0.8, random_state=seed,
    )  # fmt: skip
