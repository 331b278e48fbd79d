"""What a finished listener hears in each recording, kept on disk: score heads are trained on it in minutes.

Of each phone the states of all layers are kept, not of each frame: 15 KB a phone in 16 bits.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.scoring.speech.frontend import frame_sound
from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.listening.evidence import POOLS, RHYTHM, gather_evidence, n_phone_features
from pipeline.scoring.speech.listening.pooling import pool
from pipeline.scoring.speech.listening.runtime import ListenerOutput, ListenerRuntime
from pipeline.scoring.speech.placing import placed
from pipeline.scoring.speech.training.augment import Augmenter
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.head import Phones

INDEX_FILE = "index.json"
TABLES = {"states": np.float16, "stats": np.float16, "evidence": np.float32, "rhythm": np.float32}


class HeardRecordings:
    """`states` [n_phones, n_pools, n_states, W], `evidence` [n_phones, F], `stats` [n, 2, n_states, W] and `rhythm`
    [n, R] of `utterances`, their phones one after the other; `fits` [n] says which could be aligned."""

    def __init__(self, folder: Path, utterances: Sequence[Utterance]) -> None:
        index = artifacts.read_json(folder / INDEX_FILE)
        self.utterances = utterances
        self.fits: NDArray[np.bool_] = np.array(index["fits"])
        self._free = index["free"]
        counts = np.array([len(u.spoken.labels) for u in utterances])
        self._first = np.r_[0, np.cumsum(counts)]
        n, n_phones = len(utterances), int(self._first[-1])
        n_states, width = self.n_states, self.width = index["layers"]
        shapes = {
            "states": (n_phones, len(POOLS), n_states, width), "stats": (n, 2, n_states, width),
            "evidence": (n_phones, n_phone_features(len(LABELS))), "rhythm": (n, len(RHYTHM)),
        }  # fmt: skip
        self._tables = {
            name: np.memmap(folder / f"{name}.bin", kind, "r", shape=shapes[name]) for name, kind in TABLES.items()
        }

    def n_phones(self, index: int) -> int:
        return int(self._first[index + 1] - self._first[index])

    def free(self, index: int) -> tuple[int, ...]:
        """The labels of greedy decoding."""
        return tuple(self._free[index])

    def of(self, index: int) -> dict[str, NDArray[np.floating]]:
        phones = slice(self._first[index], self._first[index + 1])
        return {
            name: table[phones] if name in ("states", "evidence") else table[index]
            for name, table in self._tables.items()
        }


class Listeners:
    """The listeners of the models in `folders`, for speakers of `corpus`: what a listener hears of a speaker that it
    learned from is better than what it will hear of anybody else. Raises ModelError where one cannot be loaded or gives
    other layers than the first."""

    def __init__(self, folders: Sequence[Path], corpus: str) -> None:
        self._corpus = corpus
        self._runtimes = [ListenerRuntime(folder) for folder in folders]
        shapes = [(r.info.front_end, r.info.n_mels, r.info.n_states, r.info.width) for r in self._runtimes]
        for folder, shape in zip(folders, shapes, strict=True):
            if shape != shapes[0]:
                raise ModelError(
                    N_("The listener in {folder} has another encoder than the one in {other}."),
                    folder=str(folder),
                    other=str(folders[0]),
                )

    def of(self, speaker: str) -> ListenerRuntime:
        """The first that did not learn from `speaker`, else the first."""
        unheard = (r for r in self._runtimes if not r.info.listener_has_heard(self._corpus, speaker))
        return next(unheard, self._runtimes[0])


def hear_all(
    listeners: Listeners,
    utterances: Sequence[Utterance],
    folder: Path,
    varied: Augmenter | None,
    progress: Progress | None = None,
) -> HeardRecordings:
    """Keep in `folder` what is heard of each recording, varied where `varied` is given; what is there already is not
    heard again."""
    if (folder / INDEX_FILE).is_file():
        return HeardRecordings(folder, utterances)
    folder.mkdir(parents=True, exist_ok=True)
    fits: list[bool] = []
    free: list[list[int]] = []
    shape: tuple[int, int] = (0, 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.bin").open("wb")) for name in TABLES}
        for number, utterance in enumerate(utterances, start=1):
            listener = listeners.of(utterance.speaker)
            samples = utterance.audio() if varied is None else placed(varied.samples(utterance.audio())).samples
            inputs = listener.front_end(samples)
            heard = listener.hear(inputs if varied is None else varied.masked(varied.warped(inputs)))
            shape = (heard.layers.shape[0], heard.layers.shape[2])
            fits.append(ctc.fits(len(heard.log_probs), utterance.spoken.labels.tolist()))
            free.append(ctc.greedy(heard.log_probs))
            for name, values in _kept(utterance, heard, samples, fits[-1]).items():
                files[name].write(values.astype(TABLES[name]).tobytes())
            if progress is not None:
                progress(number, len(utterances), Message(N_("Listening")))
    artifacts.write_text(folder / INDEX_FILE, json.dumps({"fits": fits, "free": free, "layers": shape}))
    return HeardRecordings(folder, utterances)


def _kept(
    utterance: Utterance, heard: ListenerOutput, samples: NDArray[np.float32], fits: bool
) -> dict[str, NDArray[np.floating]]:
    n, n_states, width = len(utterance.spoken.labels), heard.layers.shape[0], heard.layers.shape[2]
    if not fits:
        return {
            "states": np.zeros((n, len(POOLS), n_states, width)), "stats": np.zeros((2, n_states, width)),
            "evidence": np.zeros((n, n_phone_features(len(LABELS)))), "rhythm": np.zeros(len(RHYTHM)),
        }  # fmt: skip
    evidence = gather_evidence(heard.log_probs, utterance.spoken, frame_sound(samples, len(heard.log_probs)))
    states, stats = pool(heard.layers, evidence)
    return {"states": states, "stats": stats, "evidence": evidence.phones, "rhythm": evidence.rhythm}


def batch_heard(chosen: Sequence[tuple[HeardRecordings, int]]) -> Phones:
    """Recordings, each of one hearing, as a batch for the score head."""
    spoken = [hearing.utterances[index].spoken for hearing, index in chosen]
    tables = [hearing.of(index) for hearing, index in chosen]
    size, longest, n_words = len(chosen), max(len(s.labels) for s in spoken), max(s.n_words for s in spoken)
    ints = np.zeros((3, size, longest), dtype=np.int64)
    present = np.zeros((size, longest), dtype=np.bool_)
    states = np.zeros((size, longest, *tables[0]["states"].shape[1:]), dtype=np.float16)
    evidence = np.zeros((size, longest, tables[0]["evidence"].shape[1]), dtype=np.float32)
    words = np.zeros((size, n_words, longest), dtype=np.float32)
    for row, ((hearing, index), said, table) in enumerate(zip(chosen, spoken, tables, strict=True)):
        n = len(said.labels)
        ints[:, row, :n] = said.labels, hearing.utterances[index].stress, said.places
        present[row, :n] = True
        states[row, :n], evidence[row, :n] = table["states"], table["evidence"]
        words[row, : said.n_words, :n] = said.word_averages
    labels, stress, place = map(torch.from_numpy, ints)
    stats, rhythm = (torch.from_numpy(np.stack([t[name] for t in tables])).float() for name in ("stats", "rhythm"))
    return Phones(
        labels=labels, stress=stress, place=place, present=torch.from_numpy(present),
        states=torch.from_numpy(states).float(), evidence=torch.from_numpy(evidence), words=torch.from_numpy(words),
        stats=stats, rhythm=rhythm,
    )  # fmt: skip
