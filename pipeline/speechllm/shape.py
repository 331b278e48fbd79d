"""The shape of the model without its weights: of a checkpoint that is there, else of the published one.

The defaults of transformers' class are not the published checkpoint: they have 32 attention heads and an output layer
of its own, .6 thousand million numbers more.
"""

from pathlib import Path
from typing import Any

import torch

from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4, checkpoint_config

PUBLISHED: dict[str, Any] = {
    "vocab_size": 200064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
    "num_attention_heads": 24, "num_key_value_heads": 8, "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": 0.75},
}  # fmt: skip


def shape_of(config: SpeechLlmConfig) -> Any:
    """A transformers configuration. Raises ModelError for a folder that cannot be used."""
    from transformers import Phi4MultimodalConfig

    if Path(config.model).is_dir() or config.model.startswith((".", "/", "~")):
        return checkpoint_config(config.model, config.revision)
    return Phi4MultimodalConfig(**PUBLISHED)


def bare_model(config: SpeechLlmConfig) -> Phi4:
    """The model on torch's `meta` device: names and sizes, no numbers, no tokenizer."""
    from transformers import Phi4MultimodalFeatureExtractor, Phi4MultimodalForCausalLM

    shape = shape_of(config)
    with torch.device("meta"):
        model = Phi4MultimodalForCausalLM(shape).to(torch.bfloat16)
        model.tie_weights()
        return Phi4(model, None, Phi4MultimodalFeatureExtractor())
