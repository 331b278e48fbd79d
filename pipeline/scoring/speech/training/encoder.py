"""Speech encoders for fine-tuning: Whisper's without its 30 s of padding, and those that read the waveform.

Each is a module that turns a batch of front-end inputs into hidden states, layer by layer, and the numpy front end that
makes those inputs; the front end runs without PyTorch when scoring.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.quiet import without_progress_bars
from pipeline.scoring.speech.frontend import FrontEnd, log_mel_front_end, waveform_front_end

MASKED = -1e9


@dataclass(frozen=True)
class EncoderShape:
    """`frames_per_s` of the hidden states, their `width`, and how many there are (`n_states`, the input's included)."""

    width: int
    n_states: int
    frames_per_s: float


class WhisperSpeech(nn.Module):
    """Whisper's encoder on [B, n_mels, T] log-mel frames of 10 ms; states every 20 ms."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.encoder.embed_positions.weight.requires_grad_(False)
        config = encoder.config
        self.shape = EncoderShape(config.d_model, config.encoder_layers + 1, 50.0)
        self.front_end: FrontEnd = log_mel_front_end(config.num_mel_bins)

    def n_frames(self, n_inputs: Tensor) -> Tensor:
        return (n_inputs + 1) // 2

    def forward(self, inputs: Tensor, n_inputs: Tensor | None) -> list[Tensor]:
        """All layers' states [B, T', W]; `n_inputs` None says that nothing is padded."""
        model = self.encoder
        hidden = nn.functional.gelu(model.conv1(inputs))
        hidden = nn.functional.gelu(model.conv2(hidden)).permute(0, 2, 1)
        hidden = hidden + model.embed_positions.weight[: hidden.shape[1]]
        hidden = nn.functional.dropout(hidden, model.dropout, self.training)
        mask = None if n_inputs is None else self._mask(hidden, n_inputs)
        states = [hidden]
        for layer in model.layers:
            output = layer(hidden, attention_mask=mask)
            hidden = output[0] if isinstance(output, tuple) else output
            states.append(hidden)
        states[-1] = model.layer_norm(hidden)
        return states

    def _mask(self, hidden: Tensor, n_inputs: Tensor) -> Tensor:
        """The model's own forward insists on 30 s; here positions past the end are masked instead."""
        past_end = torch.arange(hidden.shape[1], device=hidden.device)[None] >= self.n_frames(n_inputs)[:, None]
        mask = torch.zeros(past_end.shape, device=hidden.device).masked_fill(past_end, MASKED)[:, None, None]
        if torch.is_autocast_enabled(hidden.device.type):
            mask = mask.to(torch.get_autocast_dtype(hidden.device.type))
        return mask.expand(-1, 1, hidden.shape[1], -1)


class WaveSpeech(nn.Module):
    """wav2vec 2.0, HuBERT, WavLM and their like on [B, n_samples]; states every 20 ms."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        if hasattr(encoder, "freeze_feature_encoder"):
            encoder.freeze_feature_encoder()
        config = encoder.config
        self.shape = EncoderShape(
            config.hidden_size, config.num_hidden_layers + 1, 16_000 / np.prod(config.conv_stride)
        )
        self.front_end: FrontEnd = waveform_front_end()

    def n_frames(self, n_inputs: Tensor) -> Tensor:
        return torch.as_tensor(self.encoder._get_feat_extract_output_lengths(n_inputs))

    def forward(self, inputs: Tensor, n_inputs: Tensor | None) -> list[Tensor]:
        mask = None
        if n_inputs is not None:
            mask = (torch.arange(inputs.shape[1], device=inputs.device)[None] < n_inputs[:, None]).long()
        output = self.encoder(inputs, attention_mask=mask, output_hidden_states=True)
        return list(output.hidden_states)


def load_encoder(folder: str | Path, dropout: float) -> WhisperSpeech | WaveSpeech:
    """From a local folder or, where the hub can be reached, by name. Raises ModelError in words."""
    from transformers import AutoConfig, AutoModel
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    without_progress_bars()
    try:
        config: Any = AutoConfig.from_pretrained(folder)
        for name in ("dropout", "hidden_dropout", "attention_dropout", "activation_dropout", "layerdrop"):
            if hasattr(config, name):
                setattr(config, name, dropout if "dropout" in name and name[0] != "a" else 0.0)
        if config.model_type == "whisper":
            return WhisperSpeech(WhisperEncoder.from_pretrained(folder, config=config, dtype=torch.float32))
        return WaveSpeech(AutoModel.from_pretrained(folder, config=config, dtype=torch.float32))
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(
            N_("No speech encoder can be loaded from {folder}: {reason}."), folder=str(folder), reason=said_by(error)
        ) from error


def batch_inputs(inputs: list[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    """Pad front-end outputs, whose last axis is time, to [B, ..., T]; and their lengths [B]."""
    lengths = [values.shape[-1] for values in inputs]
    longest = max(lengths) + max(lengths) % 2
    padded = [np.pad(v, [(0, 0)] * (v.ndim - 1) + [(0, longest - v.shape[-1])]) for v in inputs]
    return torch.from_numpy(np.stack(padded)), torch.tensor(lengths)
