"""What a model of sounds is trained and measured on, wherever it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.sounds.alignment import forced
from pipeline.scoring.sounds.measures import NAMES, Frames, measure
from pipeline.scoring.sounds.model_files import SoundModel


class Part(StrEnum):
    """Fitted on, the threshold chosen on, measured on: no voice and no word is in two of them."""

    FIT = "fit"
    VALIDATION = "validation"
    HELD_OUT = "held-out"


@dataclass(frozen=True, eq=False)
class Sample:
    """A recording of a word. `said` are the sounds that were said, None where nobody knows; `wrong` whether each of the
    expected `sounds` is, None where it does not count; `states` [T, D] the encoder's; `fault` what is wrong, "" where
    nothing is."""

    part: Part
    word: str
    sounds: tuple[str, ...]
    said: tuple[str, ...] | None
    wrong: tuple[bool | None, ...]
    voice: str
    states: NDArray[np.float16]
    is_reference: bool = False
    is_noisy: bool = False
    fault: str = ""


@dataclass(frozen=True)
class Trials:
    """Every sound of every recording beside every reference of its word [n]: what was measured, whether it is wrong
    (-1 where it does not count), and where it is from; `recordings` tell the recordings (with their reference) apart,
    `clean` are sounds of recordings without a fault."""

    values: NDArray[np.float32]
    sounds: NDArray[np.str_]
    wrong: NDArray[np.int8]
    voices: NDArray[np.str_]
    recordings: NDArray[np.int64]
    clean: NDArray[np.bool_]
    noisy: NDArray[np.bool_]
    faults: NDArray[np.str_]

    def of(self, chosen: NDArray[np.bool_]) -> "Trials":
        """Those that are chosen [n]."""
        return Trials(**{name: values[chosen] for name, values in vars(self).items()})

    @property
    def counts(self) -> NDArray[np.bool_]:
        return np.asarray(self.wrong >= 0, dtype=np.bool_)


def trials_of(model: SoundModel, samples: Iterable[Sample]) -> Trials:
    """Of the samples that have a reference."""
    samples = list(samples)
    references: dict[str, list[tuple[Frames, NDArray[np.int64]]]] = {}
    for sample in samples:
        classes = model.classes(sample.sounds)
        if sample.is_reference and classes is not None:
            frames = model.frames(sample.states.astype(np.float32))
            spans = forced(frames.log_probs, classes.tolist())
            if spans is not None:
                references.setdefault(sample.word, []).append((frames, spans))
    rows: list[tuple[Sample, NDArray[np.float32], int]] = []
    number = 0
    for sample in samples:
        classes = model.classes(sample.sounds)
        if sample.is_reference or classes is None or sample.word not in references:
            continue
        frames = model.frames(sample.states.astype(np.float32))
        for reference in references[sample.word]:
            rows.append((sample, measure(frames, *reference, classes).values, number))
            number += 1

    lengths = [len(values) for _, values, _ in rows]
    sounds = [sound for sample, _, _ in rows for sound in sample.sounds]
    wrong = [-1 if verdict is None else int(verdict) for sample, _, _ in rows for verdict in sample.wrong]
    return Trials(
        np.concatenate([values for _, values, _ in rows]) if rows else np.zeros((0, len(NAMES)), dtype=np.float32),
        np.array(sounds, dtype=np.str_),
        np.array(wrong, dtype=np.int8),
        np.repeat(np.array([sample.voice for sample, _, _ in rows], dtype=np.str_), lengths),
        np.repeat(np.array([recording for _, _, recording in rows], dtype=np.int64), lengths),
        np.repeat(np.array([not sample.fault for sample, _, _ in rows], dtype=np.bool_), lengths),
        np.repeat(np.array([sample.is_noisy for sample, _, _ in rows], dtype=np.bool_), lengths),
        np.repeat(np.array([sample.fault for sample, _, _ in rows], dtype=np.str_), lengths),
    )
