"""One ONNX graph from sound to the logits of a detector.

    sound   [n_samples] at 16 kHz
    before  [n, width], may be left out: what the front end made of the sound before, as `frames` gave it
    logit   [n_windows], of several words [n_windows, n_words], of the windows in both
    frames  [n, width]: `before`, and behind it what the front end makes of `sound`

So whoever listens goes on where they were, and the front end hears each sample once, however short the pieces are.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.features.mel import mel_filters
from pipeline.wakeword import adaptive
from pipeline.wakeword.features import FLOOR, RATE_HZ, FeatureConfig
from pipeline.wakeword.packaging.sound_graph import graph_of, power_of, waves_of

if TYPE_CHECKING:
    from torch import Tensor

SOUND, BEFORE, LOGIT, FRAMES = "sound", "before", "logit", "frames"
OUTPUTS = {LOGIT: 0, FRAMES: 0}


def graph_of_detector(model: Any, config: FeatureConfig, every: int, opset: int) -> bytes:
    """The ONNX file of `pipeline.wakeword.features.features`, as sums of sines and cosines, and of the model, which is
    asked about every `every`th window."""
    front_ends = list(map(_spectra, config.parts))
    sound = np.zeros(config.span + every * config.hop, dtype=np.float32)
    before = np.zeros((every, sum(one.width for one in front_ends)), dtype=np.float32)
    whole = detector_of_frames(_side_by_side(front_ends), _features(config), model, config.shape[0], every)
    return with_empty(graph_of(whole, {SOUND: sound, BEFORE: before}, OUTPUTS, opset), BEFORE, before.shape[1])


def detector_of_frames(front_end: Any, features: Any, model: Any, n_frames: int, every: int) -> Any:
    """A module from `sound` and `before` to `logit` and `frames`: the front end's frames, and of their `features` the
    model's windows of `n_frames`."""
    import torch

    class DetectorOfFrames(torch.nn.Module):
        offsets: "Tensor"

        def __init__(self) -> None:
            super().__init__()
            self.front_end, self.features, self.model = front_end, features, model
            self.register_buffer("offsets", torch.arange(n_frames))

        def forward(self, sound: "Tensor", before: "Tensor") -> "tuple[Tensor, Tensor]":
            frames = torch.cat([before, self.front_end(sound)])
            heard = self.features(frames)
            starts = torch.arange(0, heard.shape[0] - n_frames + 1, every)
            return self.model(heard[starts[:, None] + self.offsets]), frames

    return DetectorOfFrames().eval()


def with_empty(content: bytes, name: str, width: int) -> bytes:
    """The graph with no rows in the input `name` where it is left out."""
    import onnx

    graph = onnx.load_from_string(content)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((0, width), dtype=np.float32), name))
    return bytes(graph.SerializeToString())


def without_empty(content: bytes, name: str) -> bytes:
    """The graph with an input that must be given, for runtimes that do not know others (onnxruntime-web)."""
    import onnx

    graph = onnx.load_from_string(content)
    left = [tensor for tensor in graph.graph.initializer if tensor.name != name]
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(left)
    return bytes(graph.SerializeToString())


def _side_by_side(front_ends: list[Any]) -> Any:
    """From sound to the frames [n, sum of widths] of several front ends, of which those begin together that have the
    same number."""
    import torch

    class SideBySide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.front_ends = torch.nn.ModuleList(front_ends)

        def forward(self, sound: "Tensor") -> "Tensor":
            frames = [front_end(sound) for front_end in self.front_ends]
            return torch.cat([one[: frames[-1].shape[0]] for one in frames], dim=1)  # the last looks furthest

    return SideBySide()


def _spectra(config: FeatureConfig) -> Any:
    """From sound [n_samples] to frames [n, width], as a module: log-mel, cepstra, or the magnitudes that adaptive
    features adapt to."""
    import torch
    from scipy.fft import dct

    window = adaptive.SPECTRUM if config.kind == "adaptive" else config.window
    size = 1 << (window - 1).bit_length()
    filters = mel_filters(config.n_mels, size, RATE_HZ, config.low_hz, config.high_hz, "oshaughnessy", unit_area=False)
    cepstrum = dct(np.eye(config.n_mels), type=2, norm="ortho", axis=0)[: config.n_mfcc]

    class Spectra(torch.nn.Module):
        width = config.n_bins
        waves: "Tensor"
        filters: "Tensor"
        cepstrum: "Tensor"

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("waves", waves_of(np.hanning(window), size))
            self.register_buffer("filters", torch.tensor(filters, dtype=torch.float32))
            self.register_buffer("cepstrum", torch.tensor(cepstrum, dtype=torch.float32))

        def forward(self, sound: "Tensor") -> "Tensor":
            power = self.filters @ power_of(sound[None, None], self.waves, config.hop)
            if config.kind == "adaptive":
                return (adaptive.FULL_SCALE * power.sqrt()).T
            frames = torch.log(power + FLOOR)
            return (self.cepstrum @ frames if config.kind == "mfcc" else frames).T

    return Spectra()


def _features(config: FeatureConfig) -> Any:
    """From the front end's frames to those that the model reads: of `adaptive` and `dual`, each is relative to a second
    before it."""
    import torch

    if config.kind not in ("adaptive", "dual"):
        return torch.nn.Identity()

    class Adapted(torch.nn.Module):
        taps: "Tensor"

        def __init__(self) -> None:
            super().__init__()
            taps = adaptive.taps(config.hop)[np.arange(config.n_mels) % 2, ::-1]
            self.register_buffer("taps", torch.tensor(taps[:, None].copy()))

        def forward(self, frames: "Tensor") -> "Tensor":
            magnitudes = frames[:, -config.n_mels :]
            level = torch.nn.functional.conv1d(magnitudes.T[None], self.taps, groups=config.n_mels)[0].T
            now = frames[self.taps.shape[2] - 1 :]
            over = torch.maximum(now[:, -config.n_mels :] - level, adaptive.LEFT * now[:, -config.n_mels :])
            adapted = torch.log1p(adaptive.GAIN * over / (level + adaptive.OFFSET) ** adaptive.STRENGTH)
            return torch.cat([now[:, : -config.n_mels], adapted], dim=1)

    return Adapted()
