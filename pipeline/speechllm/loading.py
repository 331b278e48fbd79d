"""The model that a configuration names: a checkpoint, or the random one of a few layers."""

from pipeline.speechllm.config import TINY, SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4, load_checkpoint
from pipeline.speechllm.tiny import tiny_phi4


def load_phi4(config: SpeechLlmConfig, device: str) -> Phi4:
    """The model without an adapter. Raises ModelError saying what is missing and where it was looked for."""
    return tiny_phi4(config, device) if config.model == TINY else load_checkpoint(config, device)
