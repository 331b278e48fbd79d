"""What a fine-tuning run of the speech language model is told, and the presets for it."""

from dataclasses import dataclass, replace
from typing import Any

from pipeline import presets
from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.runs.trackers import unknown_trackers

PRESETS = presets.PRESETS / "speechllm"
TINY = "tiny"
STANDIN = "standin"
BUILT_IN = (TINY, STANDIN)  # models that `loading.py` makes; they need no checkpoint
NATIVE_REVISION = "refs/pr/70"  # of the published model: the one whose weights fit transformers' own classes
ADAPTERS = ("fresh", "pretrained", "unfreeze", "full", "none")
BITS = (4, 16)
SCHEDULES = ("cosine", "linear", "constant")
AUTO, FLASH = "auto", "flash_attention_2"
ATTENTIONS = (AUTO, FLASH, "sdpa", "eager")
LOSS, FIGURES = "loss", "figures"
VALIDATIONS = (LOSS, FIGURES)
AUDIO_MODULE = "audio_embed"
PROJECTIONS = "qkv_proj,o_proj,gate_up_proj,down_proj"


@dataclass(frozen=True)
class SpeechLlmConfig:
    """`manifest` or an imported `set` says on what, `part` which of it (`auto`: `train` where there is one, all where
    there are no parts), `evaluation_part` which to measure on after every epoch (`auto`: the part that is held out by
    its name, as dev, validation or test; "", or where there is none: a speaker-disjoint fold of `part`); `limit`
    and `evaluation_limit` take only so many recordings (0: all).

    `model` is a local folder, a hub name with its `revision`, or `tiny` for a random one of a few layers, `standin` for
    a small one that learns on a CPU. `adapter`:
    `fresh` attaches a new LoRA of rank `r`, `pretrained` continues with the checkpoint's own speech adapter, whose
    rank, scale and dropout stand, `unfreeze` trains the audio encoder and projector along with a fresh LoRA, `full`
    trains everything but the vision part, `none` trains nothing (with no epochs). `merge_speech` first merges the
    checkpoint's speech adapter into the base. `lora_targets` are projections of the language model's layers by name,
    or a regular expression that is matched with whole module names; `modules_to_save` are trained whole and saved with
    the adapter. `bits` 16 is bfloat16, 4 is NF4 with double quantisation.

    `attention` is the language model's; the audio encoder and the vision part keep `sdpa`. `auto` is flash attention
    where it is installed and a trial batch works. `device` `auto` is found. A step takes `batch` x `accumulation`
    samples, shared by all devices; a sample is one task on one recording. `bucketing` puts recordings of like length
    into a batch. `validation_share` of the training speakers are left out, and `best_epoch` keeps the epoch that
    suits them best. `validation` says by what: `loss`, the lowest one, or `figures`, the highest mean of the PCC of the
    total score and of 1 - PER; they are then answered after every epoch, and the part that is measured on once, by the
    epoch that is kept. `memory_gb` limits the plan's memory estimate (0: what the device has).
    """

    manifest: str = ""
    set: str = ""
    part: str = "auto"
    evaluation_part: str = "auto"
    name: str = ""
    model: str = "microsoft/Phi-4-multimodal-instruct"
    revision: str = "refs/pr/70"
    adapter: str = "fresh"
    merge_speech: bool = False
    r: int = 64
    alpha: int = 128
    dropout: float = 0.05
    lora_targets: str = PROJECTIONS
    modules_to_save: str = ""
    bits: int = 16
    attention: str = AUTO
    device: str = AUTO
    batch: int = 8
    accumulation: int = 8
    rate: float = 2e-5
    weight_decay: float = 0.0
    epochs: int = 3
    schedule: str = "constant"
    warmup_share: float = 0.0
    max_length: int = 2048
    checkpointing: bool = True
    bucketing: bool = True
    validation_share: float = 0.0
    validation: str = LOSS
    best_epoch: bool = False
    rubric_file: str = ""
    prompt_file: str = ""
    limit: int = 0
    evaluation_limit: int = 0
    evaluation_batch: int = 16
    seed: int = 0
    memory_gb: float = 0.0
    trackers: str = ""

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        wrong: list[str] = [] if bool(self.set) != bool(self.manifest) else ["give either a set or a manifest"]
        choices = {
            "adapter": ADAPTERS, "schedule": SCHEDULES, "bits": BITS, "attention": ATTENTIONS,
            "validation": VALIDATIONS,
        }  # fmt: skip
        wrong += presets.not_among(self, choices)
        if self.bits == 4 and self.adapter in ("unfreeze", "full"):
            wrong.append("4-bit weights cannot be unfrozen: take bits 16, or another adapter")
        if self.merge_speech and self.adapter in ("pretrained", "full"):
            wrong.append(f"merge_speech does not go with adapter {self.adapter}: take fresh, unfreeze or none")
        if (self.epochs == 0) != (self.adapter == "none"):
            wrong.append("epochs 0 goes with adapter none, which trains nothing, and with no other")
        if self.best_epoch and not self.validation_share:
            wrong.append("best_epoch is chosen on speakers that are left out: set validation_share, for instance .1")
        if self.rubric_file and self.prompt_file:
            wrong.append("give either a rubric_file or a prompt_file, which has a rubric of its own")
        if not self.lora_targets.strip(" ,"):
            wrong.append("lora_targets is empty")
        limits: dict[str, tuple[float, float]] = {
            "r": (1, 1024), "alpha": (1, 4096), "dropout": (0.0, 0.9), "batch": (1, 1024), "accumulation": (1, 2**20),
            "rate": (1e-8, 1.0), "weight_decay": (0.0, 1.0), "epochs": (0, 100), "validation_share": (0.0, 0.5),
            "warmup_share": (0.0, 0.9),
            "max_length": (64, 32768), "limit": (0, 10**9), "evaluation_limit": (0, 10**9),
            "evaluation_batch": (1, 1024), "seed": presets.SEEDS, "memory_gb": (0.0, 1e5),
        }  # fmt: skip
        wrong += presets.outside(self, limits)
        wrong += unknown_trackers(self.trackers)
        presets.refuse(wrong)

    @property
    def saved_modules(self) -> list[str]:
        """Modules that are trained whole, the audio part of an unfrozen encoder among them."""
        given = [name.strip() for name in self.modules_to_save.split(",") if name.strip()]
        return [*given, *([AUDIO_MODULE] if self.adapter == "unfreeze" and AUDIO_MODULE not in given else [])]

    @property
    def validates_by_figures(self) -> bool:
        return bool(self.validation_share) and self.validation == FIGURES

    def with_smaller_batch(self) -> "SpeechLlmConfig | None":
        """The same step in batches of half the size, or the next smaller one that divides them; None for batches of
        one."""
        fitting = [size for size in range(1, self.batch // 2 + 1) if self.batch % size == 0]
        if not fitting:
            return None
        return replace(self, batch=fitting[-1], accumulation=self.accumulation * (self.batch // fitting[-1]))

    def on_each_of(self, devices: int) -> "SpeechLlmConfig":
        """The same step shared by `devices`: fewer accumulated batches, or smaller ones. Raises TrainingError where it
        cannot be shared evenly."""
        if self.accumulation % devices == 0:
            return replace(self, accumulation=self.accumulation // devices)
        if self.batch % devices == 0:
            return replace(self, batch=self.batch // devices)
        raise TrainingError(
            N_(
                "A step of batch {batch} x accumulation {accumulation} cannot be shared evenly by {devices} "
                "devices. Change one of them so that it can."
            ),
            batch=self.batch,
            accumulation=self.accumulation,
            devices=devices,
        )


def list_presets() -> list[str]:
    return presets.list_presets(PRESETS)


def load_preset(name: str) -> dict[str, Any]:
    """The settings of a preset. Raises TrainingError for an unknown preset or setting."""
    return presets.load_preset(PRESETS, name, SpeechLlmConfig)
