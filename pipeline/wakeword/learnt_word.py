"""How the speech scorer's listener hears a word, learnt from clips of it: a weight of each state at each phone.

In a model folder and in a bundle:
    phones.safetensors    `mean`, `weights` and `phone_weights` [n_phones * width], `bias` [1], `phone_bias` [n_phones]
    phones.json           the word, its phones, which listener, and how many clips of which kind it was learnt from
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.records import to_json
from pipeline.scoring.speech.labels import decode, encode
from pipeline.scoring.speech.listening.runtime import ListenerOutput
from pipeline.wakeword.file_names import LEARNT_INFO, LEARNT_WEIGHTS
from pipeline.wakeword.owner.voice import WORD_STATE
from pipeline.wakeword.phones import Place, place_of

FORMAT = 2
LEARN_AGAIN = "`pronlab wakeword learn-phones` learns it again; export a bundle anew after that."
AROUND = 4  # frames before the first phone and after the last that belong to them

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LearntFrom:
    """Clips: recordings of the word, synthetic clips of it, near phrases (those of the training and others spoken for
    this), and stretches of other speech in which the word's phones were heard at all."""

    recordings: int
    synthetic: int
    near: int
    other: int


@dataclass(frozen=True)
class LearntWord:
    """`ways` are the label numbers of its pronunciations, all of one length; the weights (of the word as a whole, and
    of each of its phones) are for the listener whose file has this SHA-256. From `first_threshold` (logits) on the
    detector asks, where that has been measured."""

    word: str
    ways: tuple[tuple[int, ...], ...]
    mean: Floats
    weights: Floats
    bias: float
    phone_weights: Floats
    phone_bias: Floats
    learnt_from: LearntFrom
    listener_sha256: str
    first_threshold: float | None = None

    def logit(self, heard: ListenerOutput, place: Place) -> float:
        """Of the word at its place, as a whole and by all of its phones together. Raises ModelError where the weights
        are of another width than what is heard."""
        states = states_at(heard, place).ravel()
        if states.shape != self.mean.shape:
            raise ModelError(
                f"What was learnt of {self.word!r} has {len(self.mean)} values, and the listener gives {len(states)}. "
                f"{LEARN_AGAIN}"
            )
        apart = states - self.mean
        phones = (apart * self.phone_weights).reshape(len(self.phone_bias), -1).sum(axis=1) + self.phone_bias
        return float(apart @ self.weights + self.bias + all_of(phones.astype(np.float64)))


def all_of(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The log odds that all are true, of logits [..., n] of each."""
    log_chance = np.minimum(-np.logaddexp(0.0, -logits).sum(axis=-1), -1e-6)
    return np.asarray(log_chance - np.log(-np.expm1(log_chance)))


def ways_of_one_length(ways: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The first pronunciation and those with as many phones: a weight is of the first phone, the second, ..."""
    return tuple(tuple(way) for way in ways if len(way) == len(ways[0]))


def best_place(log_probs: NDArray[np.float64], ways: Sequence[Sequence[int]]) -> Place | None:
    """Where any of the pronunciations fits best; None where there are too few frames."""
    places = [place for way in ways if (place := place_of(log_probs, way)) is not None]
    return max(places, key=lambda place: place.score, default=None)


def states_at(heard: ListenerOutput, place: Place) -> Floats:
    """[n_phones, width]: the listener's state that tells words apart, on average over the frames of each phone, from
    halfway after the one before to halfway before the next."""
    middles = (place.starts[1:] + place.starts[:-1]) / 2
    firsts = np.r_[max(0, place.starts[0] - AROUND), np.ceil(middles)].astype(np.int64)
    ends = np.r_[np.floor(middles) + 1, min(len(heard.log_probs), place.end + AROUND)].astype(np.int64)
    states = heard.layers[WORD_STATE]
    means = [states[a : max(b, a + 1)].mean(axis=0) for a, b in zip(firsts, ends, strict=True)]
    return np.asarray(means, dtype=np.float32)


def save_learnt_word(folder: Path, learnt: LearntWord) -> None:
    from safetensors.numpy import save

    tensors = {
        "mean": learnt.mean, "weights": learnt.weights, "bias": np.array([learnt.bias], dtype=np.float32),
        "phone_weights": learnt.phone_weights, "phone_bias": learnt.phone_bias,
    }  # fmt: skip
    artifacts.write_bytes(folder / LEARNT_WEIGHTS, save(tensors))
    artifacts.write_json(
        folder / LEARNT_INFO,
        {
            "format": FORMAT, "word": learnt.word, "ways": [" ".join(decode(way)) for way in learnt.ways],
            "learnt_from": to_json(learnt.learnt_from), "listener_sha256": learnt.listener_sha256,
            "first_threshold": learnt.first_threshold,
        },
    )  # fmt: skip


def read_learnt_word(folder: Path, word: str) -> LearntWord | None:
    """None where the folder has none, or one of another word. Raises ModelError for one that cannot be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (folder / LEARNT_INFO).is_file():
        return None
    try:
        raw = artifacts.read_json(folder / LEARNT_INFO)
        if raw["format"] != FORMAT:
            raise ValueError(f"its format is {raw['format']!r}, expected {FORMAT}")
        if raw["word"].casefold() != word.casefold():
            return None
        tensors = load_file(folder / LEARNT_WEIGHTS)
        ways = tuple(tuple(encode(way.split())) for way in raw["ways"])
        _check(ways, tensors)
        first = raw.get("first_threshold")
        learnt_from = LearntFrom(**{kind: int(n) for kind, n in raw["learnt_from"].items()})
        return LearntWord(
            word, ways, tensors["mean"], tensors["weights"], float(tensors["bias"][0]), tensors["phone_weights"],
            tensors["phone_bias"], learnt_from, str(raw["listener_sha256"]), None if first is None else float(first),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(f"What was learnt of {word!r} in {folder} cannot be read ({error}). {LEARN_AGAIN}") from error


def _check(ways: Sequence[Sequence[int]], tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError where pronunciations and weights do not fit together; KeyError without one of the tensors."""
    lengths = {len(way) for way in ways}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"its pronunciations have {sorted(lengths)} phones")
    n_phones = lengths.pop()
    mean = tensors["mean"]
    expected = {
        "mean": mean.shape, "weights": mean.shape, "phone_weights": mean.shape, "bias": (1,), "phone_bias": (n_phones,),
    }  # fmt: skip
    shapes = {name: tensors[name].shape for name in expected}
    if mean.ndim != 1 or not mean.size or mean.size % n_phones or shapes != expected:
        raise ValueError(f"its values have the shapes {shapes}, which do not fit its {n_phones} phones")
    if not all(np.isfinite(tensors[name]).all() for name in expected):
        raise ValueError("some of its values are no numbers")
