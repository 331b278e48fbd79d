"""What this machine and installation have, and whether scores come out here as they do elsewhere."""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline.artifacts import is_missing, require_writable
from pipeline.errors import ModelError, PronlabError
from pipeline.i18n import N_
from pipeline.optional import EXTRAS, install_command, is_there
from pipeline.parallel import cores
from pipeline.records import RubricName
from pipeline.settings import Settings
from pipeline.write_errors import not_written

GIB = 2**30
LOW_DISK_GIB = 1.0
LARGEST_DEVIATION = 0.05  # nats; signed 8-bit weights on a processor without VNNI give .12
PURPOSES = {
    "dashboard": "the pages in the browser",
    "serve": "scores over HTTP",
    "train": "training of scorers",
    "wakeword": "training of wake-word detectors",
    "speechllm": "fine-tuning of Phi-4-multimodal",
    "search": "searching for settings",
    "slurm": "--executor slurm",
    "ray": "--executor ray",
    "text": "parts of speech of prompts",
}

PYTORCH = "PyTorch"


class State(StrEnum):
    """How a check ended: as wanted, missing but not needed for everything, or broken."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it is, and in a sentence what was seen and what to do."""

    name: str
    state: State
    text: str


def examine(settings: Settings) -> list[Check]:
    """Every check, the machine first."""
    return [_processor(), _memory(), *_roots(settings), *_speech(settings), *_words(settings), _pytorch(), *_optional()]


def processor_features() -> frozenset[str]:
    """Instruction sets as Linux names them (`avx2`, `avx512_vnni`, `asimddp`); empty where they cannot be read."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.split("\n"))
    return frozenset(
        word for name, _, value in lines if name.strip() in ("flags", "Features") for word in value.split()
    )


def integer_kernels(machine: str, features: frozenset[str]) -> str:
    """How onnxruntime multiplies 8-bit integers on such a processor."""
    if machine.lower() in ("arm64", "aarch64"):
        return "8-bit dot products" if features & {"asimddp", "i8mm"} else "8-bit products in 16 bits"
    if features & {"avx512_vnni", "avx_vnni"}:
        return "VNNI, which adds in 32 bits"
    if "avx2" in features:
        return "AVX2 without VNNI, on which signed 8-bit weights saturate; the models here are unsigned"
    return "no vector instructions known for 8-bit integers" if features else "instruction sets unknown"


def _processor() -> Check:
    machine = platform.machine()
    kernels = integer_kernels(machine, processor_features())
    return Check("processor", State.OK, f"{machine}, {cores()} cores; {kernels}.")


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} GiB of it free."
    return Check("memory", State.OK if memory.available > GIB else State.NOTE, text)


def _roots(settings: Settings) -> Iterator[Check]:
    for name, root in (("data", settings.data_root), ("models", settings.models_root)):
        parent = next((folder for folder in (root, *root.parents) if not is_missing(folder)), root)
        if not parent.is_dir():
            cure = f"Move it away, or set PRONLAB_{name.upper()}_ROOT to another folder."
            yield Check(f"{name} folder", State.PROBLEM, f"{root} cannot be a folder, as {parent} is none. {cure}")
            continue
        try:
            require_writable(root)
        except OSError as error:
            cure = f"Or set PRONLAB_{name.upper()}_ROOT to another folder."
            text = not_written(N_("{path} cannot be written ({reason})."), root, error, otherwise=cure)
            yield Check(f"{name} folder", State.PROBLEM, str(text))
            continue
        free = shutil.disk_usage(parent).free / GIB
        state = State.OK if free > LOW_DISK_GIB else State.PROBLEM
        yield Check(f"{name} folder", state, f"{root}, {free:.1f} GiB free on the disk.")


def _speech(settings: Settings) -> Iterator[Check]:
    from pipeline.scoring.speech.listening.runtime import SpeechRuntime
    from pipeline.scoring.speech.model_files import LISTENER_FILE, RULES_FILE, find_speech_model

    name = "speech scorer"
    folder = find_speech_model(settings)
    if folder is None:
        text = "No speech model is released or deployed: English sentences get one score, without words and sounds."
        yield Check(name, State.PROBLEM, text)
        return
    try:
        deviation = SpeechRuntime(folder).deviation()
    except ModelError as error:
        yield Check(name, State.PROBLEM, f"{error} Restore the folder, or deploy another model.")
        return
    if deviation is None:
        text = f"{folder} loads. It was made before models kept what they answered on a known sound."
        yield Check(name, State.NOTE, text)
    elif deviation > LARGEST_DEVIATION:
        text = (
            f"{folder} hears a known sound otherwise than where it was made: log posteriors differ by {deviation:.3f}, "
        )
        cure = f"at most {LARGEST_DEVIATION} is accepted. `pronlab models repair` rewrites signed 8-bit weights."
        yield Check(name, State.PROBLEM, text + cure)
    else:
        yield Check(name, State.OK, f"{folder} hears a known sound as where it was made (within {deviation:.6f}).")
    if is_there("onnx"):
        from pipeline.quantisation import signed_weights

        signed = [file for file in (LISTENER_FILE, RULES_FILE) if (folder / file).is_file() and
                  signed_weights(folder / file)]  # fmt: skip
        if signed:
            text = f"{', '.join(signed)} in {folder} has signed 8-bit weights, which saturate on some processors. "
            yield Check("8-bit weights", State.PROBLEM, text + "`pronlab models repair` rewrites them.")
        else:
            yield Check("8-bit weights", State.OK, "unsigned, the same on every processor.")


def _words(settings: Settings) -> Iterator[Check]:
    from pipeline.scoring.selection import load_scorer

    try:
        scorer = load_scorer(settings, None, RubricName.WORD)
    except PronlabError as error:
        yield Check("word scorer", State.PROBLEM, str(error))
        return
    yield Check("word scorer", State.OK, f"{scorer.name} answers.")


def _pytorch() -> Check:
    """Whether PyTorch is there, and whether its build fits what this machine has."""
    gpu = has_nvidia_gpu()
    if not is_there("torch"):
        device = "an NVIDIA GPU is there for it" if gpu else "trainings would run on the processor"
        command = install_command(["torch"])
        text = f"not installed: scoring works, training does not. `{command}` adds it; {device}."
        return Check(PYTORCH, State.NOTE, text)
    import torch

    built_for = torch.version.cuda or torch.version.hip
    if gpu and not built_for:
        text = "is the build for processors, and this machine has a GPU: install the build that fits its driver."
        return Check(PYTORCH, State.PROBLEM, f"{torch.__version__} {text}")
    if gpu and not torch.cuda.is_available():
        text = f"for CUDA {built_for} cannot use this machine's GPU: its driver may be too old."
        return Check(PYTORCH, State.PROBLEM, f"{torch.__version__} {text}")
    if gpu:
        names = ", ".join(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count()))
        return Check(PYTORCH, State.OK, f"{torch.__version__}, {names}. PRONLAB_DEVICE=cuda trains on it.")
    if built_for:
        text = f"has the libraries of CUDA {built_for}, gigabytes that nothing here uses: there is no GPU."
        return Check(PYTORCH, State.NOTE, f"{torch.__version__} {text}")
    return Check(PYTORCH, State.OK, f"{torch.__version__}, no GPU: trainings run on the processor.")


def has_nvidia_gpu() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _optional() -> Iterator[Check]:
    for extra, purpose in PURPOSES.items():
        missing = [package for package, brought_by in EXTRAS.items() if brought_by == extra and not is_there(package)]
        if missing:
            text = f"{', '.join(missing)} not installed; `{install_command(missing)}` adds {purpose}."
            yield Check(extra, State.NOTE, text)
        else:
            yield Check(extra, State.OK, f"installed: {purpose}.")
    espeak = shutil.which("espeak-ng")
    text = "installed" if espeak else "not installed; your system's package `espeak-ng` adds it"
    yield Check("eSpeak NG", State.OK if espeak else State.NOTE, f"{text}: a reference voice for lessons.")
