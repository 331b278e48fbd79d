"""The deployed speech language model, in the place of whoever scores English sentences; and what it needs to run."""

from pathlib import Path

from pipeline.devices import gpus_with
from pipeline.model_folders import put_in_place
from pipeline.settings import Settings
from pipeline.speechllm.model_files import SpeechLlmInfo, is_speechllm_folder, load_info

FOLDER = "speech-en"
CPU_GB = 2.0  # up to here a processor answers in seconds


def find_speechllm_model(settings: Settings, given: Path | None = None) -> Path | None:
    """The folder given, whatever it holds; else the deployed one, None where none is."""
    if given is not None:
        return given
    deployed = settings.deployed_root / FOLDER
    return deployed if is_speechllm_folder(deployed) else None


def deploy(settings: Settings, source: Path) -> SpeechLlmInfo:
    """The model before is kept beside it. The base is not copied: it stays where the run took it from. Raises
    ModelError for a folder without such a model."""
    info = load_info(source)
    names = sorted(file.name for file in source.iterdir() if file.is_file())
    put_in_place(source, names, settings.deployed_root / FOLDER)
    return info


def needs(memory_gb: float) -> str:
    """The GPU that scoring takes, in a sentence."""
    if memory_gb <= CPU_GB:
        return f"It takes about {memory_gb:.1f} GB of memory; a processor will do."
    fitting = gpus_with(memory_gb)
    named = f", for instance {fitting[0].name}" if fitting else ", more than any GPU that is known here"
    return (
        f"It needs a GPU with about {memory_gb:.1f} GB of memory{named}. On a processor, one recording takes minutes; "
        "PRONLAB_DEVICE names the GPU."
    )
