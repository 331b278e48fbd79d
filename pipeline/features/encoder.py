"""A speech encoder's view of a recording: mean and standard deviation of its middle layers, and the timing features.

Uses the encoder half of a Whisper model in Hugging Face layout from a local folder (`PRONLAB_ENCODER_PATH`), frozen,
without padding to 30 s. Nothing is downloaded.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.errors import ModelError, said_by
from pipeline.features.base import EXTRACTORS
from pipeline.features.frames import Frames
from pipeline.features.log_mel import log_mel
from pipeline.features.timing import FEATURE_NAMES as TIMING_NAMES
from pipeline.features.timing import timing
from pipeline.i18n import N_
from pipeline.optional import require
from pipeline.quiet import without_progress_bars
from pipeline.records import Target
from pipeline.settings import Settings

LAYERS = (3, 4, 5, 6)
MAX_S = 30.0


class Encoder:
    name = "encoder"
    version = "1"
    knows_words = False
    description = "mean and spread of a frozen Whisper encoder's layers 3-6, with the timing features"

    def __init__(self, folder: Path, device: str) -> None:
        self._model = _load(folder, device)
        width = self._model.config.d_model
        self.feature_names = (
            *(
                f"layer{layer}_{statistic}_{i}"
                for layer in LAYERS
                for statistic in ("mean", "std")
                for i in range(width)
            ),
            *TIMING_NAMES,
        )

    def extract(self, audio: Audio, target: Target) -> NDArray[np.float32]:
        import torch

        mel = log_mel(audio.samples[: int(MAX_S * audio.sample_rate_hz)], self._model.config.num_mel_bins)
        with torch.inference_mode():
            layers = encode(self._model, torch.from_numpy(mel)[None].to(self._model.device))
        pooled = [
            part for layer in LAYERS for part in (layers[layer].mean(dim=1), layers[layer].std(dim=1, correction=0))
        ]
        embedding = torch.cat(pooled, dim=1)[0].float().cpu().numpy()
        beside = timing(Frames(audio), audio.duration_s, target.text)
        return np.asarray(np.concatenate([embedding, beside]), dtype=np.float32)

    def depends_on(self, target: Target) -> str:
        return target.text


@EXTRACTORS.register("encoder")
def make(settings: Settings) -> Encoder:
    """Raises ModelError where no encoder folder is set, it is incomplete, or transformers is not installed."""
    folder = settings.encoder_path
    if folder is None or not (folder / "config.json").is_file():
        raise ModelError(
            N_(
                "The extractor 'encoder' needs a Whisper encoder in a local folder, got {folder}. Set "
                "PRONLAB_ENCODER_PATH to a folder with config.json and model.safetensors, or use another "
                "extractor."
            ),
            folder=str(folder),
        )
    return Encoder(folder, settings.device)


def encode(model: Any, mel: Any) -> tuple[Any, ...]:
    """The hidden states after each layer [1, n_frames / 2, width], the first being the input's.

    The model's own forward insists on 30 s; positions beyond the recording's end are left out here instead, which
    is 5-10 times faster on short clips and as good.
    """
    import torch

    hidden = torch.nn.functional.gelu(model.conv1(mel))
    hidden = torch.nn.functional.gelu(model.conv2(hidden)).permute(0, 2, 1)
    hidden = hidden + model.embed_positions.weight[: hidden.shape[1]]
    states = [hidden]
    for layer in model.layers:
        output = layer(hidden, attention_mask=None)
        hidden = output[0] if isinstance(output, tuple) else output
        states.append(hidden)
    states[-1] = model.layer_norm(hidden)
    return tuple(states)


@lru_cache(maxsize=1)
def _load(folder: Path, device: str) -> Any:
    """The model in evaluation mode."""
    require(N_("The extractor 'encoder'"), ("transformers",), ModelError)
    import torch
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    without_progress_bars()
    try:
        model = WhisperEncoder.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            N_("{folder} holds no Whisper encoder that can be loaded: {reason}."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    # Its decorated methods have signatures mypy cannot read.
    ready: Any = model
    return ready.eval().to(device)
