"""The stand-in's front end: what the shipped speech model hears, in the place of log-mel energies.

A network of the stand-in's size learns no phones from energies in half an hour. The shipped encoder knows them, but its
weights have other shapes than Phi-4's audio encoder (a conformer behind three strided convolutions, with relative
positions), so it stands before that encoder, fixed. Of every frame (50 per second) there are the log posteriors of the
labels, and a middle layer, normalised and projected by a fixed random matrix: the one for what is said, the other for
how. Frames are then condensed to one place per phone that is heard, with its duration: sequences are a third shorter,
and the phone that comes next in an answer stands next to the one before, without blanks between them.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchFeature, SequenceFeatureExtractor

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.features.log_mel import log_mel
from pipeline.i18n import N_
from pipeline.onnx_graphs import open_graph
from pipeline.settings import SHIPPED

SPEECH_MODEL = SHIPPED / "models" / "speech-en"

N_FEATURES = 128
FRAMES_PER_PLACE = 4  # as the strides of Phi-4's convolutions make them
FRAMES_PER_S = 50
LAYOUT = "a place for each phone"  # a model that was trained with another is refused
LEAST_PHONE = 0.3  # probability of any phone from which a frame belongs to one
LAYER = 4
FLOOR_NATS = -8.0  # below, log posteriors say nothing
MOST_KEPT = 4096  # recordings whose features stay in memory, 5 kB per second each

_kept: dict[bytes, NDArray[np.float16]] = {}


class ListenerFeatures(SequenceFeatureExtractor):  # type: ignore[misc]
    """Called as Phi4MultimodalFeatureExtractor is. `listener` names the speech model; raises ModelError where another
    one is shipped."""

    model_input_names: ClassVar[list[str]] = ["audio_input_features", "audio_embed_sizes", "audio_attention_mask"]

    def __init__(
        self, listener: str = "", feature_size: int = N_FEATURES, sampling_rate: int = 16_000,
        padding_value: float = 0.0, **rest: Any,
    ) -> None:  # fmt: skip
        super().__init__(feature_size=feature_size, sampling_rate=sampling_rate, padding_value=padding_value, **rest)
        shipped = f"{_info()['model_id']}, {LAYOUT}"
        self.listener = listener or shipped
        if self.listener != shipped:
            raise ModelError(
                N_(
                    "This stand-in was trained with the listener of {listener}, and {shipped} is shipped now. Train "
                    "it again."
                ),
                listener=self.listener,
                shipped=shipped,
            )

    def __call__(self, waves: Sequence[NDArray[np.float32]], **_: Any) -> Any:
        heard = [torch.from_numpy(_features(wave).astype(np.float32)) for wave in waves]
        lengths = torch.tensor([len(frames) for frames in heard])
        values = {
            "audio_input_features": torch.nn.utils.rnn.pad_sequence(heard, batch_first=True),
            "audio_embed_sizes": -(-lengths // FRAMES_PER_PLACE),
        }
        if len(heard) > 1:
            values["audio_attention_mask"] = torch.arange(int(lengths.max()))[None] < lengths[:, None]
        return BatchFeature(values)


def _features(samples: NDArray[np.float32]) -> NDArray[np.float16]:
    """[FRAMES_PER_PLACE x places, N_FEATURES] of a recording at 16 kHz; kept, since every epoch asks again."""
    key = hashlib.blake2b(samples.tobytes(), digest_size=16).digest()
    if key not in _kept:
        while len(_kept) >= MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[key] = condensed(_frames(samples), len(_info()["labels"]))
    return _kept[key]


def _frames(samples: NDArray[np.float32]) -> NDArray[np.float16]:
    """[T, N_FEATURES], T frames at 50 per second."""
    mel = log_mel(samples, _info()["n_mels"])
    log_probs, layers = _listener().run(("log_probs", "layers"), {"inputs": mel[None]})
    return combined(log_probs, layers[LAYER])


def condensed(frames: NDArray[np.float16], n_labels: int) -> NDArray[np.float16]:
    """FRAMES_PER_PLACE frames for each phone that is heard (one place for a recording without any), which reaches half
    the way to the phones beside it. The last column becomes how long that is: 0 for an eighth of a second, 1 for eight
    times as long."""
    values = frames.astype(np.float32)
    peaks = _peaks(values[:, :n_labels])
    ends = [0, *((first + second + 1) // 2 for first, second in pairwise(peaks)), len(values)]
    places = []
    for start, end in pairwise(ends):
        edges = np.linspace(start, end, FRAMES_PER_PLACE + 1)
        for left, right in zip(edges.astype(int), np.ceil(edges[1:]).astype(int), strict=False):
            part = values[min(left, end - 1) : max(right, left + 1)]
            posteriors, states = part[:, :n_labels].max(axis=0), part[:, n_labels:-1].mean(axis=0)
            duration = np.log2((end - start) / FRAMES_PER_S * 8) / 3
            places.append(np.concatenate([posteriors, states, [duration]]))
    return np.asarray(places, dtype=np.float16)


def _peaks(posteriors: NDArray[np.float32]) -> list[int]:
    """The frame in which each phone is surest; the blank comes first among the labels."""
    in_phone = 1.0 - np.exp((posteriors[:, 0] - 1.0) * -FLOOR_NATS / 2) >= LEAST_PHONE
    best = np.where(in_phone, posteriors[:, 1:].argmax(axis=1), -1)
    starts = np.flatnonzero(np.diff(best, prepend=-2))
    runs = zip(starts, [*starts[1:], len(best)], strict=True)
    return [int(start + posteriors[start:end, best[start] + 1].argmax()) for start, end in runs if best[start] >= 0]


def combined(log_probs: NDArray[np.floating], states: NDArray[np.floating]) -> NDArray[np.float16]:
    """Posteriors [T, V] (-1 to 1 between the floor and certainty) and states [T, W] of a recording as features."""
    posteriors = np.maximum(log_probs, FLOOR_NATS) / (-FLOOR_NATS / 2) + 1.0
    centred = states - states.mean(axis=1, keepdims=True)
    normalised = centred / (centred.std(axis=1, keepdims=True) + 1e-5)
    projected = normalised @ _projection(states.shape[1], N_FEATURES - log_probs.shape[1])
    return np.concatenate([posteriors, projected], axis=1).astype(np.float16)


@cache
def _projection(n_inputs: int, n_outputs: int) -> NDArray[np.float32]:
    draw = np.random.RandomState(0)  # its numbers are the same in every version of numpy
    return np.asarray(draw.standard_normal((n_inputs, n_outputs)) / np.sqrt(n_inputs), dtype=np.float32)


@cache
def _listener() -> Any:
    return open_graph(SPEECH_MODEL / "listener.onnx")


@cache
def _info() -> dict[str, Any]:
    """Raises ModelError where the speech model is not there."""
    try:
        info: dict[str, Any] = artifacts.read_json(SPEECH_MODEL / "speech.json")
    except (OSError, ValueError) as error:
        raise ModelError(
            N_("The stand-in hears through {folder}, which cannot be read: {reason}."),
            folder=str(SPEECH_MODEL),
            reason=said_by(error),
        ) from error
    return info
