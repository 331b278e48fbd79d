"""The packages that fine-tuning needs beyond a plain installation."""

from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.jobs.requirements import packages_of
from pipeline.optional import require
from pipeline.speechllm.config import SpeechLlmConfig


def require_packages(config: SpeechLlmConfig) -> None:
    """Raises ModelError where one is missing, before anything is read or loaded."""
    require(N_("Fine-tuning"), packages_of("speechllm", config), ModelError)
