"""Fit a model of sounds: which frames are which sound (flat start, then aligned again and again), and what distances
from a reference mean."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.scoring.sounds.alignment import forced
from pipeline.scoring.sounds.measures import NAMES
from pipeline.scoring.sounds.model_files import CLIP, SoundModel, SoundsInfo, one_hot
from pipeline.scoring.sounds.training.samples import Sample, Trials

PLACES, HIDDEN = 48, 24
ROUNDS, EPOCHS_A_ROUND, LAST_EPOCHS = 5, 3, 8
JUDGE_EPOCHS = 25
RATE, SMOOTHING, DECAY = 3e-3, 0.05, 1e-4
EDGE = 3  # frames of silence at either end, before anything is known

Weights = dict[str, NDArray[np.float32]]


def fit_frames(info: SoundsInfo, samples: Sequence[Sample], tell: Callable[[str], None]) -> SoundModel:
    """A linear map of the encoder's states to PLACES dimensions, and from there to the sounds. Begins with sounds of
    equal length, and aligns the recordings again after each round with what it has learned."""
    empty = SoundModel(info, {})
    known = [(sample, classes) for sample in samples if (classes := _said(empty, sample)) is not None]
    states = torch.from_numpy(np.concatenate([sample.states for sample, _ in known]).astype(np.float32))
    bounds = np.cumsum([0, *(len(sample.states) for sample, _ in known)])
    mean, scale = states.mean(dim=0), states.std(dim=0) + 1e-6
    inputs = (states - mean) / scale
    labels = np.concatenate([_evenly(len(sample.states), classes) for sample, classes in known])
    n_classes = len(info.sounds) + 1
    for number in range(ROUNDS):
        torch.manual_seed(info.seed)
        places, sounds = nn.Linear(inputs.shape[1], PLACES, bias=False), nn.Linear(PLACES, n_classes)
        net = nn.Sequential(places, sounds)
        epochs = LAST_EPOCHS if number == ROUNDS - 1 else EPOCHS_A_ROUND
        _descend(net, inputs, _said_as(torch.from_numpy(labels)), epochs, 2048)
        with torch.inference_mode():
            log_probs = net(inputs).log_softmax(dim=1).numpy()
        moved = 0
        for (_sample, classes), start, end in zip(known, bounds[:-1], bounds[1:], strict=True):
            spans = forced(log_probs[start:end], classes)
            if spans is not None:
                aligned = np.zeros(end - start, dtype=np.int64)
                for (first, last), label in zip(spans, classes, strict=True):
                    aligned[first:last] = label
                moved += int((aligned != labels[start:end]).sum())
                labels[start:end] = aligned
        tell(f"frames, round {number + 1} of {ROUNDS}: {moved / len(labels):.1%} of {len(labels)} moved")
    projection = places.weight.detach().T
    weights = {
        "frame_mean": mean, "frame_scale": scale, "projection": projection,
        "place_scale": (inputs @ projection).std(dim=0),
        "output": sounds.weight.detach().T, "output_bias": sounds.bias.detach(),
    }  # fmt: skip
    return SoundModel(info, {name: np.ascontiguousarray(value.numpy()) for name, value in weights.items()})


def fit_judge(model: SoundModel, trials: Trials) -> SoundModel:
    """A network of one hidden layer from what was measured of a sound to whether it is wrong."""
    inputs = np.hstack([trials.values, one_hot(tuple(trials.sounds), model.info.sounds)])
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    mean[len(NAMES) :], scale[len(NAMES) :] = 0.0, 1.0
    counted = trials.counts
    z = torch.from_numpy(np.clip((inputs[counted] - mean) / scale, -CLIP, CLIP).astype(np.float32))
    wrong = torch.from_numpy(trials.wrong[counted].astype(np.float32))
    torch.manual_seed(model.info.seed)
    first, last = nn.Linear(z.shape[1], HIDDEN), nn.Linear(HIDDEN, 1)
    net = nn.Sequential(first, nn.ReLU(), last)
    _descend(
        net, z, lambda scores, rows: nn.functional.binary_cross_entropy_with_logits(scores[:, 0], wrong[rows]),
        JUDGE_EPOCHS, 512,
    )  # fmt: skip
    weights: Weights = {
        "mean": mean.astype(np.float32), "scale": scale.astype(np.float32),
        "hidden": first.weight.detach().T.contiguous().numpy(), "hidden_bias": first.bias.detach().numpy(),
        "last": last.weight.detach()[0].numpy(), "last_bias": last.bias.detach().numpy(),
    }  # fmt: skip
    return SoundModel(model.info, {**model.weights, **weights})


def _descend(
    net: nn.Module, inputs: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor], epochs: int, batch: int
) -> None:
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(inputs)), batch):
            loss = loss_of(net(inputs[rows]), rows)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()


def _said_as(labels: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda scores, rows: nn.functional.cross_entropy(scores, labels[rows], label_smoothing=SMOOTHING)


def _said(model: SoundModel, sample: Sample) -> list[int] | None:
    classes = None if sample.said is None else model.classes(sample.said)
    return None if classes is None or len(classes) > len(sample.states) else classes.tolist()


def _evenly(n_frames: int, classes: Sequence[int]) -> NDArray[np.int64]:
    labels = np.zeros(n_frames, dtype=np.int64)
    edge = EDGE if n_frames > len(classes) + 2 * EDGE else 0
    inner = n_frames - 2 * edge
    labels[edge : edge + inner] = np.array(classes)[np.arange(inner) * len(classes) // inner]
    return labels
