"""Which device computes: asked for, else found; and the GPUs that a plan can be made for without having them."""

import re
from dataclasses import dataclass

from pipeline.errors import TrainingError
from pipeline.i18n import N_, NN_, Message

AUTO, CPU = "auto", "cpu"


@dataclass(frozen=True)
class Device:
    """`name` is PyTorch's (`cuda:0`, `mps`, `cpu`); `text` says in a line what was chosen and why."""

    name: str
    text: str


@dataclass(frozen=True)
class Gpu:
    """As its maker states it: memory (10^9 bytes), dense bfloat16 operations per second (10^12; float16 where it has no
    bfloat16) and bytes per second (10^9) to and from its memory."""

    name: str
    memory_gb: float
    teraflops: float
    bandwidth_gb_s: float


GPUS = (
    Gpu("T4 16GB", 16, 65, 320), Gpu("V100 16GB", 16, 125, 900), Gpu("V100 32GB", 32, 125, 900),
    Gpu("L4 24GB", 24, 121, 300), Gpu("A10 24GB", 24, 125, 600), Gpu("L40S 48GB", 48, 362, 864),
    Gpu("A6000 48GB", 48, 155, 768), Gpu("A100 40GB", 40, 312, 1555), Gpu("A100 80GB", 80, 312, 2039),
    Gpu("H100 80GB", 80, 989, 3350), Gpu("H200 141GB", 141, 989, 4800), Gpu("B200 180GB", 180, 2250, 8000),
    Gpu("RTX 3090 24GB", 24, 71, 936), Gpu("RTX 4090 24GB", 24, 165, 1008), Gpu("RTX 5090 32GB", 32, 210, 1792),
)  # fmt: skip


def find_device(asked: str = AUTO, configured: str = CPU) -> Device:
    """The device asked for; with `auto`, the one that PRONLAB_DEVICE names (`configured`), else the best there is:
    CUDA, Apple's MPS, the CPU. Raises TrainingError for one that is not there."""
    import torch

    n_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    chosen = asked
    if asked == AUTO:
        chosen = configured if configured != CPU else "cuda" if n_cuda else "mps" if mps else CPU
    kind, _, number = chosen.partition(":")
    if kind not in ("cuda", "mps", CPU) or not (number.isdigit() or not number):
        raise TrainingError(N_("There is no device {chosen!r}. Take auto, cuda, cuda:1, mps or cpu."), chosen=chosen)
    if (kind == "cuda" and int(number or 0) >= n_cuda) or (kind == "mps" and not mps):
        raise TrainingError(
            N_("The device {chosen} is not there: PyTorch sees {seen}. Take auto or cpu."),
            chosen=chosen,
            seen=_in_words(n_cuda, mps),
        )
    named = torch.cuda.get_device_name(int(number or 0)) if kind == "cuda" else ""
    why = (
        "asked for" if asked != AUTO else "named by PRONLAB_DEVICE" if configured != CPU
        else f"found: PyTorch sees {_in_words(n_cuda, mps)}"
    )  # fmt: skip
    return Device(chosen, f"Device: {chosen}{f' ({named})' if named else ''}, {why}.")


def gpu_of(text: str) -> Gpu:
    """A GPU by name, as its maker or a cloud writes it ("NVIDIA A100-SXM4-80GB", "a100 80gb"). Raises TrainingError
    where none, or more than one, is meant."""
    parts = set(re.findall(r"\d+gb|[a-z0-9]+", text.casefold().replace(" gb", "gb")))
    fitting = [gpu for gpu in GPUS if parts >= set(gpu.name.casefold().split())]
    if not fitting:
        fitting = [gpu for gpu in GPUS if parts >= set(gpu.name.casefold().split()[:-1])
                   and not any(part.endswith("gb") for part in parts)]  # fmt: skip
    if len(fitting) != 1:
        known = ", ".join(gpu.name for gpu in fitting or GPUS)
        raise TrainingError(
            N_("{text!r} names {n} GPUs that are known. Give one of: {known}."), text=text, n=len(fitting), known=known
        )
    return fitting[0]


def gpus_with(memory_gb: float) -> list[Gpu]:
    """Those that have at least this much memory, the smallest first."""
    return sorted((gpu for gpu in GPUS if gpu.memory_gb >= memory_gb), key=lambda gpu: gpu.memory_gb)


def _in_words(n_cuda: int, mps: bool) -> Message:
    if not n_cuda:
        return Message("MPS") if mps else Message(N_("the CPU alone"))
    cuda = Message(NN_("{n} CUDA device", "{n} CUDA devices"), n=n_cuda)
    return Message(N_("{devices} and MPS"), devices=cuda) if mps else cuda
