"""The packages that fine-tuning needs beyond a plain installation."""

from pipeline.errors import ModelError
from pipeline.optional import require
from pipeline.runs.trackers import PACKAGES, names_in
from pipeline.speechllm.config import SpeechLlmConfig


def require_packages(config: SpeechLlmConfig) -> None:
    """Raises ModelError where one is missing, before anything is read or loaded."""
    needed = ["accelerate", "datasets", "peft", "transformers"]
    require("Fine-tuning", [*needed, *(["bitsandbytes"] if config.bits == 4 else [])], ModelError, "speechllm")
    tracked = [PACKAGES[name] for name in names_in(config.trackers)]
    require("Tracking (TensorBoard's events are written in any case)", tracked, ModelError)
