"""One ONNX graph from sound to logits for a detector on speech embeddings: log-mel windows, the embedding's own network
as its file has it, and the detector on windows of embeddings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.wakeword import embedding
from pipeline.wakeword.features import FeatureConfig
from pipeline.wakeword.packaging.sound_graph import graph_of, power_of, waves_of

if TYPE_CHECKING:
    from torch import Tensor

BEFORE, NETWORK, AFTER = "before_", "network_", "after_"


def embedding_graph(model: Any, config: FeatureConfig, every: int, opset: int) -> bytes:
    """The ONNX file, which asks `model` about every `every`th window. Raises ModelError for a network that cannot be
    taken into a graph of `opset`."""
    import onnx

    n_frames, n_bins = config.shape
    sound = np.zeros(embedding.WINDOW + (n_frames + every) * embedding.HOP, dtype=np.float32)
    embeddings = np.zeros((n_frames + every, 1, 1, n_bins), dtype=np.float32)
    before = _loaded(graph_of(_sound_to_mel(), sound, "mel", {0: "n_embeddings"}, opset), BEFORE)
    detector = _embeddings_to_logits(model, n_frames, every)
    after = _loaded(graph_of(detector, embeddings, "logit", {0: "n_windows"}, opset), AFTER)
    try:
        network = onnx.load(Path(config.embedding) / embedding.NETWORK)
        network = onnx.version_converter.convert_version(network, opset)
        del network.opset_import[1:]  # of other domains, which no node is of
        network = onnx.compose.add_prefix(network, NETWORK)
        whole = before
        for part in (network, after):
            part.ir_version = whole.ir_version
            whole = onnx.compose.merge_models(
                whole, part, io_map=[(whole.graph.output[0].name, part.graph.input[0].name)]
            )
        onnx.checker.check_model(whole)
    except Exception as error:  # onnx raises types of its own
        raise ModelError(
            N_("{file} cannot be taken into a graph of opset {opset} ({reason})."),
            file=Path(config.embedding) / embedding.NETWORK, opset=opset, reason=said_by(error),
        ) from error  # fmt: skip
    _rename(whole, whole.graph.input[0].name, "sound")
    _rename(whole, whole.graph.output[0].name, "logit")
    content: bytes = whole.SerializeToString()
    return content


def _loaded(content: bytes, prefix: str) -> Any:
    import onnx

    return onnx.compose.add_prefix(onnx.load_from_string(content), prefix)


def _rename(model: Any, name: str, wanted: str) -> None:
    """An input or output of the whole graph."""
    for value in (*model.graph.input, *model.graph.output):
        if value.name == name:
            value.name = wanted
    for node in model.graph.node:
        for names in (node.input, node.output):
            for index, one in enumerate(names):
                if one == name:
                    names[index] = wanted


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


def _embeddings_to_logits(model: Any, n_frames: int, every: int) -> Any:
    import torch

    class EmbeddingsToLogits(torch.nn.Module):
        offsets: "Tensor"

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.register_buffer("offsets", torch.arange(n_frames))

        def forward(self, embeddings: "Tensor") -> "Tensor":
            frames = embeddings.flatten(1)
            starts = torch.arange(0, frames.shape[0] - n_frames + 1, every)
            logits: Tensor = self.model(frames[starts[:, None] + self.offsets])
            return logits

    return EmbeddingsToLogits().eval()
