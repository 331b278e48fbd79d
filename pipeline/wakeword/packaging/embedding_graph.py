"""One ONNX graph from sound to logits for a detector on speech embeddings: log-mel windows, the embedding's own network
as its file has it, and the detector on windows of embeddings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.wakeword import embedding
from pipeline.wakeword.features import FeatureConfig
from pipeline.wakeword.packaging.detector_graph import (
    BEFORE,
    FRAMES,
    LOGIT,
    OUTPUTS,
    SOUND,
    detector_of_frames,
    with_empty,
)
from pipeline.wakeword.packaging.sound_graph import graph_of, joined, power_of, rename, waves_of

if TYPE_CHECKING:
    from torch import Tensor

DETECTOR = "detector/"


def embedding_graph(model: Any, config: FeatureConfig, every: int, opset: int) -> bytes:
    """The ONNX file, which asks `model` about every `every`th window. Raises ModelError for a network that cannot be
    taken into a graph of `opset`."""
    import onnx
    import torch

    n_frames, n_bins = config.shape
    sound = np.zeros(embedding.WINDOW + (n_frames + every) * embedding.HOP, dtype=np.float32)
    embeddings = np.zeros((n_frames + every, 1, 1, n_bins), dtype=np.float32)
    mel = onnx.load_from_string(graph_of(_sound_to_mel(), {SOUND: sound}, {"mel": 0}, opset))
    detector = detector_of_frames(torch.nn.Flatten(), torch.nn.Identity(), model, n_frames, every)
    inputs = {"embeddings": embeddings, BEFORE: embeddings[:every].reshape(every, n_bins)}
    last = onnx.load_from_string(graph_of(detector, inputs, OUTPUTS, opset))
    file = Path(config.embedding) / embedding.NETWORK
    try:
        network = onnx.version_converter.convert_version(onnx.load(file), opset)
        del network.opset_import[1:]  # of other domains, which no node is of
        whole = joined(joined(mel, network, "network/"), last, DETECTOR)
        onnx.checker.check_model(whole)
    except Exception as error:  # onnx raises types of its own
        raise ModelError(
            N_("{file} cannot be taken into a graph of opset {opset} ({reason})."),
            file=file, opset=opset, reason=said_by(error),
        ) from error  # fmt: skip
    for name in (BEFORE, LOGIT, FRAMES):
        rename(whole, DETECTOR + name, name)
    return with_empty(whole.SerializeToString(), BEFORE, n_bins)


def _sound_to_mel() -> Any:
    """`pipeline.wakeword.embedding.log_mel` as sums of sines and cosines."""
    import torch

    class SoundToMel(torch.nn.Module):
        waves: "Tensor"
        filters: "Tensor"
        offsets: "Tensor"

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("waves", waves_of(embedding.hann().astype(np.float64), embedding.MEL_SIZE))
            self.register_buffer("filters", torch.tensor(embedding.filters() * np.float32(embedding.FULL_SCALE**2)))
            self.register_buffer("offsets", torch.arange(embedding.MEL_FRAMES))

        def forward(self, sound: "Tensor") -> "Tensor":
            power = self.filters @ power_of(sound[None, None], self.waves, embedding.MEL_HOP)
            levels = torch.log(power.clamp(min=embedding.FLOOR)) / float(np.log(10.0))
            starts = torch.arange(0, levels.shape[1] - embedding.MEL_FRAMES + 1, embedding.MEL_STEP)
            windows = levels.T[starts[:, None] + self.offsets]
            loudest = windows.amax(dim=(1, 2), keepdim=True)
            return (torch.maximum(windows, loudest - embedding.RANGE) + embedding.SHIFT)[..., None]

    return SoundToMel().eval()
