"""The model that a configuration names: a checkpoint, or one of those that are made here."""

from pipeline.speechllm.config import STANDIN, TINY, SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4, load_checkpoint
from pipeline.speechllm.standin import standin_phi4
from pipeline.speechllm.tiny import tiny_phi4

MAKERS = {TINY: tiny_phi4, STANDIN: standin_phi4}  # by the names in `config.BUILT_IN`


def load_phi4(config: SpeechLlmConfig, device: str) -> Phi4:
    """The model without an adapter. Raises ModelError saying what is missing and where it was looked for."""
    return MAKERS[config.model](config, device) if config.model in MAKERS else load_checkpoint(config, device)
