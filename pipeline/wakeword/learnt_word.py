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
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message
from pipeline.records import to_json
from pipeline.scoring.speech.labels import decode, encode
from pipeline.scoring.speech.listening.runtime import ListenerOutput
from pipeline.wakeword.file_names import LEARNT_INFO, LEARNT_WEIGHTS
from pipeline.wakeword.owner.voice import WORD_STATE
from pipeline.wakeword.runtime.runner import Place, WordWeights, states_at

FORMAT = 2
LEARN_AGAIN = N_("`pronlab wakeword learn-phones` learns it again; export a bundle anew after that.")

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
    weights: WordWeights
    learnt_from: LearntFrom
    listener_sha256: str
    first_threshold: float | None = None

    def logit(self, heard: ListenerOutput, place: Place) -> float:
        """Of the word at its place, as a whole and by all of its phones together. Raises ModelError where the weights
        are of another width than what is heard."""
        states = states_of(heard, place).ravel()
        if states.shape != self.weights.mean.shape:
            raise ModelError(
                N_("What was learnt of {word!r} has {n} values, and the listener gives {n_given}. {advice}"),
                word=self.word,
                n=len(self.weights.mean),
                n_given=len(states),
                advice=Message(LEARN_AGAIN),
            )
        return self.weights.logit(states)


def ways_of_one_length(ways: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The first pronunciation and those with as many phones: a weight is of the first phone, the second, ..."""
    return tuple(tuple(way) for way in ways if len(way) == len(ways[0]))


def states_of(heard: ListenerOutput, place: Place) -> Floats:
    """[n_phones, width], of the listener's states that tell words apart."""
    return states_at(heard.layers[WORD_STATE], place)


def save_learnt_word(folder: Path, learnt: LearntWord) -> None:
    from safetensors.numpy import save

    weights = learnt.weights
    tensors = {
        "mean": weights.mean, "weights": weights.weights, "bias": np.array([weights.bias], dtype=np.float32),
        "phone_weights": weights.phone_weights, "phone_bias": weights.phone_bias,
    }  # fmt: skip
    (folder / LEARNT_INFO).unlink(missing_ok=True)  # cut off in between, nothing is learnt: weights of one word would
    artifacts.write_bytes(folder / LEARNT_WEIGHTS, save(tensors))  # be read as another's
    artifacts.write_json(
        folder / LEARNT_INFO,
        {
            "format": FORMAT, "word": learnt.word, "ways": [" ".join(decode(way)) for way in learnt.ways],
            "learnt_from": to_json(learnt.learnt_from), "listener_sha256": learnt.listener_sha256,
            "first_threshold": learnt.first_threshold,
        },
    )  # fmt: skip


def read_learnt_word(folder: Path, word: str | None = None) -> LearntWord | None:
    """Of `word`, or of whichever there is; None where the folder has none, or one of another word. Raises ModelError
    for one that cannot be read."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (folder / LEARNT_INFO).is_file():
        return None
    try:
        raw = artifacts.read_json(folder / LEARNT_INFO)
        if raw["format"] != FORMAT:
            raise ValueError(
                Message(N_("its format is {value!r}, expected {expected}"), value=raw["format"], expected=FORMAT)
            )
        if word is not None and raw["word"].casefold() != word.casefold():
            return None
        tensors = load_file(folder / LEARNT_WEIGHTS)
        ways = tuple(tuple(encode(way.split())) for way in raw["ways"])
        _check(ways, tensors)
        first = raw.get("first_threshold")
        if first is not None and not np.isfinite(float(first)):
            raise ValueError(Message(N_("its first threshold is {value}"), value=str(first)))
        learnt_from = LearntFrom(**{kind: int(n) for kind, n in raw["learnt_from"].items()})
        return LearntWord(
            word or str(raw["word"]), ways, WordWeights(bias=float(tensors.pop("bias")[0]), **tensors), learnt_from,
            str(raw["listener_sha256"]), None if first is None else float(first),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(
            N_("What was learnt of a word in {folder} cannot be read ({reason}). {advice}"),
            folder=str(folder),
            reason=said_by(error),
            advice=Message(LEARN_AGAIN),
        ) from error


def _check(ways: Sequence[Sequence[int]], tensors: Mapping[str, NDArray[Any]]) -> None:
    """Raises ValueError where pronunciations and weights do not fit together; KeyError without one of the tensors."""
    lengths = {len(way) for way in ways}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(Message(N_("its pronunciations have {lengths} phones"), lengths=str(sorted(lengths))))
    n_phones = lengths.pop()
    mean = tensors["mean"]
    expected = {
        "mean": mean.shape, "weights": mean.shape, "phone_weights": mean.shape, "bias": (1,), "phone_bias": (n_phones,),
    }  # fmt: skip
    shapes = {name: tensors[name].shape for name in expected}
    if mean.ndim != 1 or not mean.size or mean.size % n_phones or shapes != expected:
        raise ValueError(
            Message(
                N_("its values have the shapes {shapes}, which do not fit its {n} phones"),
                shapes=str(shapes),
                n=n_phones,
            )
        )
    if not all(np.isfinite(tensors[name]).all() for name in expected):
        raise ValueError(Message(N_("some of its values are no numbers")))
