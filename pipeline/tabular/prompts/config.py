"""What the fine-tuning of a text encoder to the scores of prompts is told."""

from dataclasses import dataclass
from typing import Any

from pipeline import presets
from pipeline.errors import TrainingError

TINY = "tiny"


@dataclass(frozen=True)
class PromptModelConfig:
    """`model` is a folder with a BERT-like encoder and its tokenizer, or `tiny`: a random one of two layers. `source`
    is a file of prompts; "" takes the collected ones."""

    source: str = ""
    model: str = TINY
    name: str = ""
    seed: int = 0
    epochs: int = 6
    batch_size: int = 16
    learning_rate: float = 3e-5
    weight_decay: float = 0.01
    warmup_share: float = 0.1
    max_tokens: int = 256
    validation_share: float = 0.15
    test_share: float = 0.2
    patience: int = 3

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        limits: dict[str, tuple[float, float]] = {
            "epochs": (1, 1000), "batch_size": (1, 1024), "max_tokens": (8, 8192), "patience": (1, 1000),
            "seed": (0, 2**31 - 1),
        }  # fmt: skip
        wrong = presets.outside(self, limits)
        for key in ("learning_rate", "validation_share", "test_share"):
            if not 0.0 < getattr(self, key) < 0.9:
                wrong.append(f"{key} lies between 0 and .9, got {getattr(self, key):g}")
        if not 0.0 <= self.warmup_share <= 1.0:
            wrong.append(f"warmup_share lies in 0-1, got {self.warmup_share:g}")
        if wrong:
            raise TrainingError(presets.UNUSABLE + "; ".join(wrong) + ".")


FOLDER = presets.PRESETS / "prompts"


def load_preset(name: str) -> dict[str, Any]:
    return presets.load_preset(FOLDER, name, PromptModelConfig)
