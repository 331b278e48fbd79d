"""What every regressor on a table is measured beside and explained by, on rows that it has not seen."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_

Predict = Callable[[NDArray[np.float32]], NDArray[np.float64]]
REPEATS = 3
MOST_COLUMNS = 500  # of embeddings one dimension says nothing by itself


def simple_baselines(
    x: NDArray[np.float32], y: NDArray[np.float64], held: NDArray[np.float32]
) -> dict[str, NDArray[np.float64]]:
    """What the mean of `y` [n] and a ridge regression on the scaled features `x` [n, d] say of `held` [m, d], 0-100."""
    from sklearn.linear_model import RidgeCV

    ridge = RidgeCV(alphas=np.logspace(0, 4, 9)).fit(x, y).predict(held)
    return {
        N_("training mean"): np.full(len(held), y.mean()),
        N_("ridge regression"): np.clip(np.asarray(ridge, dtype=np.float64), 0.0, 100.0),
    }


def permutation_importance(
    predict: Predict, x: NDArray[np.float32], y: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Rise of the MAE, in points, when one feature is shuffled among its items (Breiman 2001); [d], zeros for more
    than 500 features."""
    rise = np.zeros(x.shape[1])
    if x.shape[1] > MOST_COLUMNS:
        return rise
    generator = np.random.default_rng(seed)
    base = np.abs(predict(x) - y).mean()
    for column in range(x.shape[1]):
        for _ in range(REPEATS):
            shuffled = x.copy()
            shuffled[:, column] = generator.permutation(shuffled[:, column])
            rise[column] += (np.abs(predict(shuffled) - y).mean() - base) / REPEATS
    return rise
