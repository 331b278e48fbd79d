"""Log-mel, MFCC, adaptive or microcontroller features or embeddings of sound at 16 kHz, and their normalisation.

The same function serves training, evaluation and the detector, whose windows are cut from the frames of a stream: frame
i looks at samples i * hop to i * hop + window, and at nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from pipeline import presets
from pipeline.errors import CorpusError, FeatureError
from pipeline.i18n import N_
from pipeline.optional import require
from pipeline.records import Seconds
from pipeline.wakeword import adaptive
from pipeline.wakeword import embedding as speech_embedding
from pipeline.wakeword.spectra import RATE_HZ as RATE_HZ
from pipeline.wakeword.spectra import mel_power

FLOOR = 1e-6  # of the mel energies, under any microphone's noise
KINDS = ("mel", "mfcc", "adaptive", "dual", "micro", "embedding")
MICRO = {"n_mels": 40, "window_s": 0.03, "hop_s": 0.01}  # of the front end of TensorFlow Lite Micro: as built
_EMBEDDING = {"window_s": speech_embedding.WINDOW / RATE_HZ, "hop_s": speech_embedding.HOP / RATE_HZ}
_ADAPTIVE = {"window_s": (adaptive.SPECTRUM + adaptive.SECOND) / RATE_HZ, "hop_s": 0.01}
AS_BUILT = {"adaptive": _ADAPTIVE, "dual": _ADAPTIVE, "micro": MICRO, "embedding": _EMBEDDING}
MEL_S: Seconds = 0.025  # of the log-mel frames of dual
SETTLING_S: Seconds = 1.5  # of the micro front end, from its start: until then it differs by up to 4 deviations
Frames = NDArray[np.float32]


@dataclass(frozen=True)
class FeatureConfig:
    """`mel` gives `n_mels` log energies a frame, `mfcc` the first `n_mfcc` cepstral coefficients of them. `micro` is
    the front end that ESPHome runs on a microcontroller (40 channels with noise suppression and gain control, which
    adapt to what came before; 30 ms windows, 10 ms apart). `adaptive` does nearly the same in floats, over the last
    second alone (`window_s`), and so in every runtime; `dual` gives `mel` frames of 25 ms, then the `adaptive` ones,
    whose newest spectrum begins with the same sample. `embedding` gives frozen speech embeddings by the network in the
    folder `embedding`, 96 values every 80 ms."""

    kind: str = "mel"
    n_mels: int = 40
    n_mfcc: int = 20
    window_s: Seconds = 0.025
    hop_s: Seconds = 0.010
    clip_s: Seconds = 1.5
    low_hz: float = 60.0
    high_hz: float = 7600.0
    embedding: str = ""

    LIMITS: ClassVar[dict[str, tuple[float, float]]] = {
        "n_mels": (40, 128), "n_mfcc": (5, 128), "window_s": (0.01, 2.0), "hop_s": (0.005, 0.1),
        "clip_s": (0.3, 10.0), "low_hz": (0.0, 1000.0), "high_hz": (2000.0, RATE_HZ / 2),
    }  # fmt: skip
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"kind": KINDS}

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        wrong = presets.not_among(self, self.CHOICES) + presets.outside(self, self.LIMITS)
        wrong += [
            f"{name} is {value} with kind {self.kind}, got {getattr(self, name)}"
            for name, value in AS_BUILT.get(self.kind, {}).items()
            if getattr(self, name) != value
        ]
        if self.embedding and self.kind != "embedding":
            wrong.append(f"features.embedding is for kind embedding (preset embedding), the kind is {self.kind}")
        if self.clip_s < self.window_s:
            wrong.append(f"clip_s is at least window_s, got {self.clip_s} and {self.window_s}")
        if self.n_mfcc > self.n_mels:
            wrong.append(f"n_mfcc is at most n_mels, got {self.n_mfcc} of {self.n_mels}")
        presets.refuse(wrong)

    @property
    def window(self) -> int:
        """Samples a frame looks at."""
        return round(self.window_s * RATE_HZ)

    @property
    def hop(self) -> int:
        return round(self.hop_s * RATE_HZ)

    @property
    def n_bins(self) -> int:
        others = {"mfcc": self.n_mfcc, "dual": 2 * self.n_mels, "embedding": speech_embedding.N_BINS}
        return others.get(self.kind, self.n_mels)

    @property
    def parts(self) -> "tuple[FeatureConfig, ...]":
        """What each network of a detector hears: of `dual` the log-mel and the adaptive bins, else all."""
        if self.kind != "dual":
            return (self,)
        return replace(self, kind="mel", window_s=MEL_S), replace(self, kind="adaptive")

    @property
    def shape(self) -> tuple[int, int]:
        """[frames, bins] of one window of the detector."""
        return self.n_frames(round(self.clip_s * RATE_HZ)), self.n_bins

    @property
    def settling(self) -> int:
        """Samples until frames are as in the middle of a stream: a front end that adapts to what it hears begins with
        nothing. Whole hops."""
        return round(SETTLING_S * RATE_HZ) // self.hop * self.hop if self.kind == "micro" else 0

    @property
    def span(self) -> int:
        """Samples that one window of the detector looks at."""
        return (self.shape[0] - 1) * self.hop + self.window

    def frames_in(self, hop_s: Seconds) -> int:
        """Frames between two windows that begin `hop_s` apart."""
        return max(1, round(hop_s / self.hop_s))

    def n_frames(self, n_samples: int) -> int:
        """Whole frames within so many samples."""
        return max(1, 1 + (n_samples - self.window) // self.hop)


def features(samples: NDArray[np.float32], config: FeatureConfig) -> Frames:
    """[frames, bins] of sound at 16 kHz of any length; no frame reaches over its end."""
    window = config.window
    if len(samples) < window:
        samples = np.pad(samples, (0, window - len(samples)))
    if config.kind == "micro":
        return FrameStream(config).feed(samples)
    if config.kind == "adaptive":
        return adaptive.adapted(_magnitudes(samples, config), config.hop)
    if config.kind == "dual":
        of_mel, of_adaptive = config.parts
        adapted = features(samples, of_adaptive)
        return np.hstack([features(samples[adaptive.SECOND :], of_mel)[: len(adapted)], adapted])
    if config.kind == "embedding":
        return speech_embedding.embedding_of(config.embedding).frames(samples)
    power = mel_power(samples, window, config.hop, config.n_mels, config.low_hz, config.high_hz)
    mel = np.log(power + FLOOR)
    if config.kind == "mfcc":
        mel = dct(mel, type=2, norm="ortho", axis=1)[:, : config.n_mfcc]
    return np.asarray(mel, dtype=np.float32)


def _magnitudes(samples: NDArray[np.float32], config: FeatureConfig) -> NDArray[np.float32]:
    return adaptive.magnitudes(samples, config.hop, config.n_mels, config.low_hz, config.high_hz)


def check_embedding(config: FeatureConfig) -> None:
    """Before any work. Raises FeatureError for one that is to be used and cannot be."""
    if config.kind != "embedding":
        return
    if not config.embedding:
        raise FeatureError(
            N_("Name the folder of the speech embedding: under Features, or with {option}."), option="--embedding"
        )
    speech_embedding.embedding_of(config.embedding)


def are_same(one: FeatureConfig, other: FeatureConfig) -> bool:
    """Whether both give the same features, wherever the networks of an embedding lie. Raises FeatureError where they
    cannot be read."""
    if one.kind != "embedding" or other.kind != "embedding":
        return one == other
    folders = Path(one.embedding), Path(other.embedding)
    there, here = map(speech_embedding.digest_of_embedding, folders)
    return there == here and replace(one, embedding=other.embedding) == other


def settled(samples: NDArray[np.float32], config: FeatureConfig) -> Frames:
    """[frames, bins] of sound at 16 kHz, without its first `settling` samples, which only the front end hears."""
    return features(samples, config)[config.settling // config.hop :]


class FrameStream:
    """The frames of sound that comes piece by piece; those of the whole, wherever it is cut."""

    def __init__(self, config: FeatureConfig) -> None:
        self._config = config
        self._samples = np.zeros(0, dtype=np.float32)
        self._front_end = _micro_front_end() if config.kind == "micro" else None
        self._spectra = np.zeros((0, config.n_mels), dtype=np.float32)  # what adaptive frames adapt to
        self._parts = [FrameStream(part) for part in config.parts] if config.kind == "dual" else []
        self._mel = np.zeros((0, config.n_mels), dtype=np.float32)  # that wait for their adaptive frames
        self._unheard = adaptive.SECOND  # samples before the first log-mel frame of dual

    def feed(self, samples: NDArray[np.float32]) -> Frames:
        """[frames, bins] that are complete now, none among them."""
        config = self._config
        if self._parts:
            of_mel, of_adaptive = self._parts
            self._mel = np.concatenate([self._mel, of_mel.feed(samples[self._unheard :])])
            self._unheard = max(0, self._unheard - len(samples))
            adapted = of_adaptive.feed(samples)
            frames = np.hstack([self._mel[: len(adapted)], adapted])
            self._mel = self._mel[len(adapted) :]
            return frames
        self._samples = np.concatenate([self._samples, samples])
        if self._front_end is not None:
            return self._fed_to(self._front_end)
        if config.kind == "adaptive":
            return self._adapted()
        if len(self._samples) < config.window:
            return np.zeros((0, config.n_bins), dtype=np.float32)
        frames = features(self._samples, config)
        self._samples = self._samples[len(frames) * config.hop :]
        return frames

    def _adapted(self) -> Frames:
        config = self._config
        if len(self._samples) < adaptive.SPECTRUM:
            return np.zeros((0, config.n_bins), dtype=np.float32)
        new = _magnitudes(self._samples, config)
        self._samples = self._samples[len(new) * config.hop :]
        self._spectra = np.concatenate([self._spectra, new])
        frames = adaptive.adapted(self._spectra, config.hop)
        self._spectra = self._spectra[len(frames) :]
        return frames

    def _fed_to(self, front_end: Any) -> Frames:
        """The front end takes steps of 10 ms of 16-bit sound, keeps its windows itself and adapts to what it hears."""
        hop = self._config.hop
        n = len(self._samples) // hop
        steps = np.round(self._samples[: n * hop].clip(-1.0, 1.0) * 32_767.0).astype("<i2").reshape(n, hop)
        self._samples = self._samples[n * hop :]
        answers = (front_end.process_samples(step.tobytes()).features for step in steps)
        frames = [answer for answer in answers if answer]
        return np.array(frames, dtype=np.float32).reshape(len(frames), self._config.n_bins)


def _micro_front_end() -> Any:
    require(N_("Features of the kind micro"), ("pymicro_features",), FeatureError)
    from pymicro_features import MicroFrontend

    return MicroFrontend()


@dataclass(frozen=True)
class Cmvn:
    """Mean and standard deviation of each bin, of the training part alone, kept with the model."""

    mean: Frames
    std: Frames

    @classmethod
    def none(cls, n_bins: int) -> "Cmvn":
        """Only a common shift and scale that log energies need to be near zero; nothing learnt from data."""
        return cls(np.full(n_bins, -6.0, dtype=np.float32), np.full(n_bins, 4.0, dtype=np.float32))

    @classmethod
    def of(cls, parts: Sequence[NDArray[np.float16] | Frames], chunk: int = 100_000) -> "Cmvn":
        """Of all frames [n, bins] of the parts, read in chunks. Raises CorpusError for none, FeatureError for values
        that are no numbers."""
        n = sum(len(part) for part in parts)
        if not n:
            raise CorpusError(N_("There are no training clips to take the mean and deviation of."))
        n_bins = parts[0].shape[1]
        total, squares = np.zeros(n_bins), np.zeros(n_bins)
        for part in parts:
            for start in range(0, len(part), chunk):
                some = part[start : start + chunk].astype(np.float64)
                total, squares = total + some.sum(axis=0), squares + (some**2).sum(axis=0)
        mean = total / n
        if not np.isfinite(squares).all():
            raise FeatureError(
                N_("The features hold values that are no numbers. Delete their folder: they are made anew.")
            )
        std = np.sqrt(np.maximum(squares / n - mean**2, 1e-8))
        return cls(mean.astype(np.float32), std.astype(np.float32))

    def __call__(self, values: Frames) -> Frames:
        return np.asarray((values - self.mean) / self.std, dtype=np.float32)
