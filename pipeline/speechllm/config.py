"""What a fine-tuning run of the speech language model is told, and the presets for it."""

from dataclasses import dataclass, replace
from typing import Any

from pipeline import presets
from pipeline.errors import TrainingError

PRESETS = presets.PRESETS / "speechllm"
TINY = "tiny"
ADAPTERS = ("fresh", "pretrained", "unfreeze")
TRACKERS = ("mlflow", "wandb")
BITS = (4, 16)
SCHEDULES = ("cosine", "linear", "constant")


@dataclass(frozen=True)
class SpeechLlmConfig:
    """`manifest` or an imported `set` says on what, `part` which of it (`auto`: `train` where there is one, all where
    there are no parts), `evaluation_part` which to measure on after every epoch (`auto`: the part that is held out by
    its name, as dev, validation or test; "", or where there is none: a speaker-disjoint fold of `part`); `limit`
    and `evaluation_limit` take only so many recordings (0: all).

    `model` is a local folder, a hub name with its `revision`, or `tiny` for a random one of a few layers. `adapter`:
    `fresh` attaches a new LoRA of rank `r`, `pretrained` goes on from the checkpoint's own speech adapter, `unfreeze`
    trains the audio encoder and projector along with a fresh LoRA. `bits` 16 is bfloat16, 4 is NF4 with double
    quantisation. A step takes `batch` x `accumulation` samples, shared by all devices; a sample is one task on
    one recording. `trackers` are services that get the figures too (mlflow, wandb), separated by commas.
    `memory_gb` limits the plan's memory estimate (0: what the device has).
    """

    manifest: str = ""
    set: str = ""
    part: str = "auto"
    evaluation_part: str = "auto"
    name: str = ""
    model: str = "microsoft/Phi-4-multimodal-instruct"
    revision: str = "refs/pr/70"
    adapter: str = "fresh"
    r: int = 64
    alpha: int = 128
    dropout: float = 0.05
    bits: int = 16
    batch: int = 8
    accumulation: int = 8
    rate: float = 2e-5
    weight_decay: float = 0.0
    epochs: int = 3
    schedule: str = "constant"
    warmup_share: float = 0.0
    max_length: int = 2048
    checkpointing: bool = True
    rubric_file: str = ""
    limit: int = 0
    evaluation_limit: int = 0
    evaluation_batch: int = 16
    seed: int = 0
    memory_gb: float = 0.0
    trackers: str = ""

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        wrong: list[str] = [] if bool(self.set) != bool(self.manifest) else ["give either a set or a manifest"]
        wrong += presets.not_among(self, {"adapter": ADAPTERS, "schedule": SCHEDULES, "bits": BITS})
        if self.bits == 4 and self.adapter == "unfreeze":
            wrong.append("4-bit weights cannot be unfrozen: take bits 16, or another adapter")
        limits: dict[str, tuple[float, float]] = {
            "r": (1, 1024), "alpha": (1, 4096), "dropout": (0.0, 0.9), "batch": (1, 1024), "accumulation": (1, 1024),
            "rate": (1e-8, 1.0), "weight_decay": (0.0, 1.0), "epochs": (1, 100), "warmup_share": (0.0, 0.9),
            "max_length": (64, 32768), "limit": (0, 10**9), "evaluation_limit": (0, 10**9),
            "evaluation_batch": (1, 1024), "seed": presets.SEEDS, "memory_gb": (0.0, 1e5),
        }  # fmt: skip
        wrong += presets.outside(self, limits)
        wrong += [f"trackers are {' or '.join(TRACKERS)}, got {t!r}" for t in self.tracked if t not in TRACKERS]
        presets.refuse(wrong)

    @property
    def tracked(self) -> list[str]:
        return [name.strip() for name in self.trackers.split(",") if name.strip()]

    def on_each_of(self, devices: int) -> "SpeechLlmConfig":
        """The same step shared by `devices`: fewer accumulated batches, or smaller ones. Raises TrainingError where it
        cannot be shared evenly."""
        if self.accumulation % devices == 0:
            return replace(self, accumulation=self.accumulation // devices)
        if self.batch % devices == 0:
            return replace(self, batch=self.batch // devices)
        raise TrainingError(
            f"A step of batch {self.batch} x accumulation {self.accumulation} cannot be shared evenly by {devices} "
            "devices. Change one of them so that it can."
        )


def list_presets() -> list[str]:
    return presets.list_presets(PRESETS)


def load_preset(name: str) -> dict[str, Any]:
    """The settings of a preset. Raises TrainingError for an unknown preset or setting."""
    return presets.load_preset(PRESETS, name, SpeechLlmConfig)
