"""The stand-in's front end: what the shipped speech model hears, in the place of log-mel energies.

A network of the stand-in's size learns no phones from energies in half an hour. The shipped encoder knows them, but its
weights have other shapes than Phi-4's audio encoder (a conformer behind three strided convolutions, with relative
positions), so it stands before that encoder, fixed. Of every frame (50 per second) it gives the log posteriors of the
labels, and a middle layer, normalised and projected by a fixed random matrix: the one for what is said, the other for
how.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchFeature, SequenceFeatureExtractor

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.features.log_mel import log_mel
from pipeline.onnx_graphs import open_graph
from pipeline.settings import SHIPPED

SPEECH_MODEL = SHIPPED / "models" / "speech-en"

N_FEATURES = 128
FRAMES_PER_PLACE = 4  # 12.5 audio tokens per second, as the published model has
LAYER = 4
FLOOR_NATS = -8.0  # below, log posteriors say nothing
MOST_KEPT = 4096  # recordings whose features stay in memory, 13 kB per second each

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
        shipped = str(_info()["model_id"])
        self.listener = listener or shipped
        if self.listener != shipped:
            raise ModelError(
                f"This stand-in was trained with the listener of {self.listener}, and {shipped} is shipped now. Train "
                "it again."
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
    """[T, N_FEATURES] of a recording at 16 kHz; kept, since every epoch asks again."""
    key = hashlib.blake2b(samples.tobytes(), digest_size=16).digest()
    if key not in _kept:
        while len(_kept) >= MOST_KEPT:
            del _kept[next(iter(_kept))]
        mel = log_mel(samples, _info()["n_mels"])
        log_probs, layers = _listener().run(("log_probs", "layers"), {"inputs": mel[None]})
        _kept[key] = combined(log_probs, layers[LAYER])
    return _kept[key]


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
        raise ModelError(f"The stand-in hears through {SPEECH_MODEL}, which cannot be read: {error}.") from error
    return info
