"""What a training run of the speech scorer is told, and the presets for it."""

from dataclasses import dataclass, fields
from typing import Any

from pipeline import presets

PRESETS = presets.PRESETS / "speech"


@dataclass(frozen=True)
class SpeechTrainConfig:
    """`manifest` or an imported `set` says on what, `part` which of it (`auto`: `train` where there is
    one, all where there are no parts, "": all). `encoder` is a local folder or a hub name; ""
    takes `PRONLAB_ENCODER_PATH`.

    Of the training speakers, one fold of `folds` is held out to choose the epoch and the thresholds on; the folds of
    `leave_out` are not used at all. The score
    head joins in after `score_after_epochs`; until then only the CTC loss is there, as its evidence is noise.
    `noise` and `room_responses` are folders of audio to mix in; without them, only speed and masking vary, with `warp`
    the length of the vocal tract (share) and with `silence_s` the silence around. `variation` scales how often and how
    much recordings are varied. With `average`, ids of finished runs, the mean of their weights is taken instead of
    training them.

    With `start`, the folder of a speech model or `released`, the encoder and its phone head begin with that model's
    weights; the score head begins anew.

    With `listener`, the folder of a speech model or `released`, only score heads are trained, `members` of them whose
    answers are averaged, on what its listener hears of each recording and of `copies` varied ones; the first
    `unvaried` of them learn from the recordings as they are alone; `head_batch` recordings a step. `final_on_all`
    trains them again on all speakers once the thresholds are chosen. A speaker that this listener learned from is also
    heard by the first of `other_listeners`, folders too, that did not, if there is one: what a listener hears of those
    whom it learned from is better than what it will hear of others, and what is heard by one that learned from fewer
    is worse.
    """

    manifest: str = ""
    set: str = ""
    part: str = "auto"
    name: str = ""
    encoder: str = ""
    seed: int = 0
    folds: int = 8
    fold: int = 0
    leave_out: tuple[int, ...] = ()
    epochs: int = 12
    score_after_epochs: int = 2
    batch_s: float = 40.0
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup_share: float = 0.08
    constant_share: float = 0.3
    dropout: float = 0.1
    hidden: int = 128
    layers: int = 2
    phone_weight: float = 1.0
    wrong_weight: float = 0.3
    word_weight: float = 0.3
    utterance_weight: float = 0.5
    steps_weight: float = 0.15
    concordance_weight: float = 0.0
    averaging: float = 0.998
    speed: float = 0.1
    warp: float = 0.0
    silence_s: float = 0.0
    variation: float = 1.0
    noise: str = ""
    room_responses: str = ""
    precision: str = "auto"
    average: tuple[str, ...] = ()
    start: str = ""
    listener: str = ""
    other_listeners: tuple[str, ...] = ()
    copies: int = 3
    members: int = 1
    unvaried: int = 0
    head_batch: int = 32
    final_on_all: bool = False

    def __post_init__(self) -> None:
        """Raises TrainingError naming all that is wrong at once."""
        for name in ("average", "leave_out", "other_listeners"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # a list, as read from JSON
        wrong: list[str] = []
        if bool(self.set) == bool(self.manifest):
            wrong.append("give either a set or a manifest")
        wrong += presets.not_among(self, {"precision": presets.PRECISIONS})
        limits: dict[str, tuple[float, float]] = {
            "seed": presets.SEEDS, "folds": (2, 100), "fold": (0, self.folds - 1), "epochs": (1, 1000),
            "hidden": (8, 4096), "layers": (1, 24),
            "batch_s": (2, 1e4), "encoder_rate": (0, 0.1), "head_rate": (1e-6, 0.1), "weight_decay": (0, 1),
            "warmup_share": (0, 0.9), "constant_share": (0, 0.9), "dropout": (0, 0.9), "averaging": (0, 1),
            "speed": (0, 0.5), "variation": (0, 1), "warp": (0, 0.3), "silence_s": (0, 5), "copies": (0, 20),
            "members": (1, 10), "unvaried": (0, self.members), "head_batch": (1, 1000),
        }  # fmt: skip
        if not self.listener:  # else the heads learn alone
            limits["score_after_epochs"] = (0, max(0, self.epochs - 1))
            limits["members"] = (1, 1)
        if self.start and (self.listener or self.average):
            wrong.append("start goes with neither listener nor average, which train no encoder")
        unknown = sorted({*self.leave_out} - {*range(self.folds)} | {*self.leave_out} & {self.fold})
        if unknown:
            wrong.append(f"leave_out takes folds from 0 to {self.folds - 1} beside fold {self.fold}, got {unknown}")
        if self.other_listeners and not self.listener:
            wrong.append("other_listeners goes with listener, which trains score heads alone")
        limits |= {field.name: (0, 100) for field in fields(self) if field.name.endswith("_weight")}
        wrong += presets.outside(self, limits)
        if self.hidden % 4:
            wrong.append(f"hidden is a multiple of 4, got {self.hidden}")
        presets.refuse(wrong)


def list_presets() -> list[str]:
    return presets.list_presets(PRESETS)


def load_preset(name: str) -> dict[str, Any]:
    """The settings of a preset. Raises TrainingError for an unknown preset or setting."""
    return presets.load_preset(PRESETS, name, SpeechTrainConfig)
