"""The scoring network: d -> 128 -> 64 -> 32 -> 1, each hidden layer Dense, BatchNorm, ReLU, Dropout; Sigmoid, x 100.

Training uses torch. Scoring does not: with running statistics a batch norm is a scale and a shift, so that the whole
network is four matrix products, and a command that scores one file need not import torch.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError, TrainingError, said_by
from pipeline.i18n import N_, NN_
from pipeline.regressors.balance import band_weights
from pipeline.scoring.feature_based.config import TrainConfig

BATCH_NORM_EPSILON = 1e-5
MIN_RECORDINGS = 4  # batch normalisation needs several in a batch
_PARAMETER = re.compile(r"(?P<module>.+)\.(?P<name>weight|bias|running_mean|running_var)")

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Epoch:
    """One epoch of training: mean squared error of the 0-1 targets, and MAE in points on the validation speakers."""

    epoch: int
    train_loss: float
    val_mae: float | None
    learning_rate: float


@dataclass(frozen=True)
class Fit:
    weights: Weights
    best_epoch: int
    best_val_mae: float | None


def fit_network(
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    config: TrainConfig,
    *,
    seed: int,
    validation: tuple[NDArray[np.float32], NDArray[np.float64]] | None = None,
    epochs: int | None = None,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> Fit:
    """Fit to features x [n, d] and scores y [n] (0-100).

    With `validation` the weights of the epoch with the lowest validation MAE are returned, and training ends when
    `config.patience` epochs bring no better; without, those after `epochs`. Same seed, same machine: same weights.
    """
    from pipeline.jobs.checkpoints import threads

    with threads(1):  # tiny matrices: a second thread costs more than it brings
        return _fitted(x, y, config, seed, validation, epochs, on_epoch)


def _fitted(
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    config: TrainConfig,
    seed: int,
    validation: tuple[NDArray[np.float32], NDArray[np.float64]] | None,
    epochs: int | None,
    on_epoch: Callable[[Epoch], None],
) -> Fit:
    import torch
    from torch import nn

    if len(x) < MIN_RECORDINGS:
        raise TrainingError(
            NN_(
                "Only {n} recording remains to train on after speakers are held out. Use fewer folds, or rate "
                "recordings of more speakers.",
                "Only {n} recordings remain to train on after speakers are held out. Use fewer folds, or rate "
                "recordings of more speakers.",
            ),
            n=len(x),
        )
    torch.manual_seed(seed)
    sizes = (x.shape[1], *config.hidden)
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(config.dropout)]
    last = nn.Linear(sizes[-1], 1)
    network = nn.Sequential(*layers, last, nn.Sigmoid())
    # Start at the mean score, so that the first epochs need not search for it.
    share = float(np.clip(y.mean() / 100.0, 0.02, 0.98))
    nn.init.constant_(last.bias, float(np.log(share / (1.0 - share))))
    inputs, targets = torch.from_numpy(x), torch.from_numpy((y / 100.0).astype(np.float32))
    item_weights = torch.from_numpy((band_weights(y) if config.balance else np.ones(len(y))).astype(np.float32))
    n_epochs = epochs or config.epochs
    n_batches = max(1, round(len(x) / config.batch_size))
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    n_steps = max(3, config.epochs * n_batches)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=n_steps,
        pct_start=max(0.1, 2 / n_steps),  # the first step to rise in: with none, it divides by zero
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed)
    best = Fit({}, 0, None)
    for epoch in range(1, n_epochs + 1):
        network.train()
        losses: list[float] = []
        for batch in torch.randperm(len(x), generator=generator).tensor_split(n_batches):
            optimiser.zero_grad(set_to_none=True)
            loss = (item_weights[batch] * (network(inputs[batch]).squeeze(1) - targets[batch]) ** 2).mean()
            if not bool(torch.isfinite(loss)):
                raise TrainingError(N_("The loss became NaN in epoch {epoch}. Lower the learning rate."), epoch=epoch)
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        weights = {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}
        val_mae = None
        if validation is not None:
            val_mae = float(np.abs(predict_network(weights, validation[0]) - validation[1]).mean())
        on_epoch(Epoch(epoch, float(np.mean(losses)), val_mae, float(schedule.get_last_lr()[0])))
        if best.best_val_mae is None or val_mae is None or val_mae < best.best_val_mae:
            best = Fit(weights, epoch, val_mae)
        elif epoch - best.best_epoch >= config.patience:
            break
    return Fit({k: v for k, v in best.weights.items() if "num_batches" not in k}, best.best_epoch, best.best_val_mae)


def predict_network(weights: Weights, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scores 0-100 [n] for standardised features x [n, d]."""
    hidden = x.astype(np.float64)
    layers = folded_layers(weights)
    for matrix, shift in layers[:-1]:
        hidden = np.maximum(hidden @ matrix + shift, 0.0)
    matrix, shift = layers[-1]
    logits = (hidden @ matrix + shift)[:, 0]
    return np.asarray(100.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))))


def folded_layers(weights: Weights) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Matrix [in, out] and shift [out] of each dense layer, its batch norm folded in.

    Takes the state dict of any torch `Sequential` of dense and batch norm layers, whatever it is called, and of layers
    that are numbered in their names (fc1, bn1, fc2, ... and last one without a number). Raises ModelError for anything
    else.
    """
    modules: dict[str, dict[str, NDArray[np.float64]]] = {}
    for key, value in weights.items():
        match = _PARAMETER.fullmatch(key)
        if match:
            modules.setdefault(match["module"], {})[match["name"]] = np.asarray(value, dtype=np.float64)
    folded: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    try:
        for _name, module in sorted(modules.items(), key=_place):
            if "running_mean" in module:
                matrix, shift = folded[-1]
                scale = module["weight"] / np.sqrt(module["running_var"] + BATCH_NORM_EPSILON)
                folded[-1] = matrix * scale, (shift - module["running_mean"]) * scale + module["bias"]
            else:
                folded.append((module["weight"].T, module["bias"]))
    except (KeyError, IndexError, ValueError) as error:
        raise ModelError(
            N_("The weights do not form a chain of dense and batch norm layers ({reason})."), reason=said_by(error)
        ) from error
    sizes = [matrix.shape for matrix, _ in folded]
    chained = all(len(size) == 2 for size in sizes) and all(a[1] == b[0] for a, b in itertools.pairwise(sizes))
    if not folded or not chained or sizes[-1][1] != 1:
        raise ModelError(
            N_("The dense layers' sizes {sizes} do not lead from features to one score."), sizes=str(sizes)
        )
    if not all(np.isfinite(matrix).all() and np.isfinite(shift).all() for matrix, shift in folded):
        raise ModelError(N_("The weights contain NaN or infinite values. Retrain the model."))
    return folded


def _place(module: tuple[str, dict[str, NDArray[np.float64]]]) -> tuple[list[float], bool]:
    """Where a layer stands: by the numbers in its name, a dense one before the batch norm of the same number."""
    name, parameters = module
    numbers = [float(number) for number in re.findall(r"\d+", name)]
    return numbers or [float("inf")], "running_mean" in parameters
