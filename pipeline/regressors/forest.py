"""Regression trees as plain arrays: scikit-learn fits them, numpy walks them, no pickle anywhere."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.i18n import N_

Arrays = dict[str, NDArray[np.float32] | NDArray[np.int32]]
KEYS = ("left", "right", "feature", "threshold", "value", "root")
MAX_DEPTH = 200


def flattened(estimators: Iterable[Any]) -> Arrays:
    """scikit-learn's trees as arrays: their nodes follow each other, `root` [trees] says where each begins.

    Leaves have `feature` -1 and point to themselves, so that a walk may go on after it has arrived.
    """
    columns: dict[str, list[NDArray[np.float64]]] = {key: [] for key in KEYS[:-1]}
    roots: list[int] = []
    offset = 0
    for estimator in estimators:
        tree = estimator.tree_
        node = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        columns["left"].append(np.where(leaf, node, tree.children_left) + offset)
        columns["right"].append(np.where(leaf, node, tree.children_right) + offset)
        columns["feature"].append(np.where(leaf, -1, tree.feature))
        columns["threshold"].append(tree.threshold)
        columns["value"].append(tree.value[:, 0, 0])
        roots.append(offset)
        offset += tree.node_count
    arrays: Arrays = {key: np.concatenate(columns[key]).astype(np.int32) for key in ("left", "right", "feature")}
    arrays["value"] = np.concatenate(columns["value"]).astype(np.float32)
    # scikit-learn compares float32 features with float64 thresholds; rounding one up would move a feature that equals
    # it to the other side, so they are rounded down.
    arrays["threshold"] = _rounded_down(np.concatenate(columns["threshold"]))
    return {**arrays, "root": np.asarray(roots, dtype=np.int32)}


def predict_trees(arrays: Arrays, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Each tree's score [n, trees] for x [n, d]; the forest's is their mean."""
    features = x.astype(np.float32)
    nodes = np.tile(arrays["root"], (len(features), 1))
    rows = np.arange(len(features))[:, None]
    for _ in range(MAX_DEPTH):
        feature = arrays["feature"][nodes]
        if (feature < 0).all():
            break
        goes_left = features[rows, np.maximum(feature, 0)] <= arrays["threshold"][nodes]
        nodes = np.where(goes_left, arrays["left"][nodes], arrays["right"][nodes])
    return np.asarray(arrays["value"][nodes], dtype=np.float64)


def check_forest(arrays: Arrays, n_features: int) -> None:
    """Raises ModelError unless the arrays are trees that every walk leaves again."""
    missing = [key for key in KEYS if key not in arrays]
    if missing:
        raise ModelError(N_("The forest lacks the arrays {missing}."), missing=", ".join(missing))
    n = len(arrays["value"])
    node = np.arange(n)
    leaf = arrays["feature"] < 0
    ahead = (arrays["left"] > node) & (arrays["right"] > node)  # children follow their parents: no cycle
    inside = (arrays["left"] < n) & (arrays["right"] < n) & (arrays["feature"] < n_features)
    lengths = {len(arrays[key]) for key in KEYS[:-1]}
    roots_inside = len(arrays["root"]) > 0 and bool(((arrays["root"] >= 0) & (arrays["root"] < n)).all())
    if lengths != {n} or not roots_inside or not (leaf | ahead).all() or not inside.all():
        raise ModelError(N_("The forest's arrays do not describe trees over these features."))
    if not np.isfinite(arrays["value"]).all():
        raise ModelError(N_("The forest holds values that are no numbers; train it again."))


def _rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    rounded = values.astype(np.float32)
    above = rounded > values
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded
