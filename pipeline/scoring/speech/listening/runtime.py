"""Run a speech model's graphs with onnxruntime: no PyTorch, no transformers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.onnx_graphs import open_graph
from pipeline.scoring.speech.labels import BEST_PHONE, WORD_CENTRE, WORD_SPREAD
from pipeline.scoring.speech.listening.evidence import CanonicalPhones, Evidence
from pipeline.scoring.speech.listening.pooling import pool
from pipeline.scoring.speech.model_files import HEAD_FILE, LISTENER_FILE, SpeechInfo, load_info

LISTENER_OUTPUTS = ("log_probs", "layers")
CHECK_VOWELS_HZ = ((270, 2290, 3010), (730, 1090, 2440), (300, 870, 2240))  # i, a, u (Peterson & Barney 1952)


@dataclass(frozen=True)
class ListenerOutput:
    """`log_probs` [T, V] and `layers` [n_states, T, W], the encoder's hidden states, of one recording."""

    log_probs: NDArray[np.float64]
    layers: NDArray[np.float32]


@dataclass(frozen=True)
class HeadOutput:
    """`phone` [L] 0-2, `wrong` [L] probability, `word` [n_words, 3] and `sentence` [4] 0-10; not clipped."""

    phone: NDArray[np.float64]
    wrong: NDArray[np.float64]
    word: NDArray[np.float64]
    sentence: NDArray[np.float64]


class ListenerRuntime:
    """Raises ModelError for a folder without a loadable model."""

    def __init__(self, folder: Path) -> None:
        self.info: SpeechInfo = load_info(folder)
        self.front_end = self.info.front()
        self._listener = open_graph(folder / LISTENER_FILE)

    def listen(self, samples: NDArray[np.float32]) -> ListenerOutput:
        """Of float32 samples at 16 kHz, at least .1 s and at most 30 s of them."""
        return self.hear(self.front_end(samples))

    def hear(self, inputs: NDArray[np.float32]) -> ListenerOutput:
        """Of what the front end made of a recording."""
        log_probs, layers = self._listener.run(LISTENER_OUTPUTS, {"inputs": inputs[None]})
        return ListenerOutput(log_probs.astype(np.float64), layers)

    def check_values(self) -> NDArray[np.float64]:
        """The log posteriors [T] of the likeliest label of each frame of `check_sound`."""
        return np.asarray(self.listen(check_sound()).log_probs.max(axis=1))

    def deviation(self) -> float | None:
        """The largest difference (nats) of `check_values` from those of the machine where the model was made; None for
        a model that was made before they were kept."""
        if not self.info.check:
            return None
        return float(np.abs(self.check_values() - np.array(self.info.check)).max())


class SpeechRuntime(ListenerRuntime):
    """Listener and score head. Raises ModelError for a folder without a loadable model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._head = open_graph(folder / HEAD_FILE)

    def judge(
        self, heard: ListenerOutput, spoken: CanonicalPhones, stress: NDArray[np.int64], evidence: Evidence
    ) -> HeadOutput:
        states, stats = pool(heard.layers, evidence)
        inputs: dict[str, NDArray[Any]] = {
            "labels": spoken.labels, "stress": stress, "place": spoken.places, "states": states,
            "evidence": evidence.phones, "words": spoken.word_averages, "stats": stats, "rhythm": evidence.rhythm,
        }  # fmt: skip
        raw: Any = self._head.run(
            ("phone", "wrong", "word", "utterance"), {name: part[None] for name, part in inputs.items()}
        )
        phone, wrong, word, utterance = (part[0].astype(np.float64) for part in raw)
        return HeadOutput(
            phone + BEST_PHONE,
            1.0 / (1.0 + np.exp(-wrong)),
            word * WORD_SPREAD + WORD_CENTRE,
            utterance * np.array(self.info.spread) + np.array(self.info.mean),
        )


def check_sound() -> NDArray[np.float32]:
    """Three synthetic vowels of .4 s at 16 kHz: harmonics of 120 Hz, louder near the formants. Without chance, so that
    it is the same everywhere."""
    seconds = np.arange(6400) / 16_000
    vowels = []
    for formants in CHECK_VOWELS_HZ:
        harmonics = 120.0 * np.arange(1, 40)
        loud = sum(np.exp(-(((harmonics - centre) / 150.0) ** 2)) for centre in formants) + 0.01
        waves = np.sin(2 * np.pi * harmonics[:, None] * seconds) * np.asarray(loud)[:, None]
        vowels.append(waves.sum(axis=0) * np.hanning(len(seconds)))
    sound = np.concatenate(vowels)
    return np.asarray(0.5 * sound / np.abs(sound).max(), dtype=np.float32)
