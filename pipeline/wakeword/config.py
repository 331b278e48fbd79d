"""What a wake-word run is told: one tree of settings, a section for each part of the work, and the presets for it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pipeline import presets
from pipeline.records import Seconds
from pipeline.wakeword.devices import NO_EMBEDDINGS, TARGETS
from pipeline.wakeword.features import FeatureConfig

PRESETS = presets.PRESETS / "wakeword"
MODELS = (
    "tcn", "tiny_conv", "cd_dnn", "lstm", "gru", "bc_resnet", "mobilenet_v3", "stream", "resnet18", "resnet34",
)  # fmt: skip
LOSSES = ("cross_entropy", "focal", "triplet", "arcface")
SCHEDULES = ("cosine", "constant")
LONGEST_WORD = 60  # characters
FEWEST = 8  # clips of the word
Limits = dict[str, tuple[float, float]]
Choices = dict[str, Collection[str]]
_NAMED = f"at most {LONGEST_WORD} characters that can be printed"


def _is_a_name(word: str) -> bool:
    return word.isprintable() and len(word) <= LONGEST_WORD


@dataclass(frozen=True)
class DataConfig:
    """Folders of clips a class, of noise and of room impulse responses. Of the clips a share `validation` of each class
    (by source: the first group of the pattern `source` in a path, or the file) chooses the weights and thresholds.

    In place of folders, `split` names one that `pronlab wakeword split` made: its test part is never opened. `fold`,
    from 0 on, validates on that fold of the training part and trains on the others; -1 on the part for validation.

    `features` is a folder that `pronlab wakeword features` made; where it does not fit, the run is refused, or with
    `fallback_to_audio` worked out from the clips. `precompute` keeps the features on disk; without it every batch is
    made from the sound anew.

    `words` names the word of each folder of `positive`, for several words in one detector; empty: all are one word.
    """

    positive: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    hard_negative: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    rir: tuple[str, ...] = ()
    split: str = ""
    fold: int = -1
    max_positives: int = 0
    validation: float = 0.15
    source: str = ""
    features: str = ""
    fallback_to_audio: bool = False
    precompute: bool = True
    cache_mb: int = 512

    LIMITS: ClassVar[Limits] = {
        "max_positives": (0, 1e6), "validation": (0.05, 0.5), "cache_mb": (1, 65536), "fold": (-1, 1000),
    }  # fmt: skip

    def __post_init__(self) -> None:
        for name in ("positive", "words", "negative", "hard_negative", "noise", "rir"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        wrong = presets.outside(self, self.LIMITS)
        if self.fold >= 0 and not self.split:
            wrong.append("fold is one of a split: name its folder with split")
        if self.split and (self.positive or self.negative or self.hard_negative):
            wrong.append("split names the clips: leave positive, negative and hard_negative away")
        if 0 < self.max_positives < FEWEST:
            wrong.append(f"max_positives is at least {FEWEST}, or 0 for all clips, got {self.max_positives}")
        if self.split and (self.max_positives or self.source):
            wrong.append("split says which clips are trained on: leave max_positives and source away")
        if self.words and len(self.words) != len(self.positive):
            wrong.append(f"words names each folder of positive, got {len(self.words)} and {len(self.positive)}")
        if self.words and (len(self.names) < 2 or not all(name.strip() for name in self.names)):
            wrong.append(f"words are at least two different names, got {', '.join(self.words)}")
        wrong += [f"words have {_NAMED}, got {name[:80]!r}" for name in self.names if not _is_a_name(name)]
        capitals = [name.casefold() for name in self.names]
        alike = [name for name in self.names if capitals.count(name.casefold()) > 1]
        if alike:
            wrong.append(f"words differ in more than capitals, got {', '.join(alike)}")
        if self.words and not self.precompute:
            wrong.append("several words need features that are kept: set precompute")
        if self.features and not self.precompute:
            wrong.append("features names a folder that precompute: false never reads")
        if self.fallback_to_audio and not self.features:
            wrong.append("fallback_to_audio needs features, the folder to fall back from")
        presets.refuse(wrong)

    @property
    def names(self) -> tuple[str, ...]:
        """The words in the order of the model's outputs; none for a detector of one word."""
        return tuple(dict.fromkeys(self.words))


@dataclass(frozen=True)
class AugmentConfig:
    """How training clips are varied; a chance or extent of 0 switches a part off, `enabled: false` all of them.

    `variants` renderings of each positive clip and `negative_variants` passes over the negatives are made;
    recordings that are fewer than synthetic clips are rendered up to eight times as often.
    `stretch` is the largest change of speed (share), `pitch` in semitones, `shift_s` how long ago the word may have
    ended in a window. `context` is the chance of speech around the word, `partials` the share of renderings in which
    only a piece of the word, or its halves exchanged, is a hard negative. `wet_low` to `wet_high` is how much of the
    reverberated sound is mixed in; `simulated_rooms` shoebox rooms join the measured responses.
    """

    enabled: bool = True
    variants: int = 20
    negative_variants: int = 2
    stretch: float = 0.15
    stretch_chance: float = 0.5
    pitch: float = 2.5
    pitch_chance: float = 0.5
    equaliser_chance: float = 0.5
    shift_s: Seconds = 0.4
    gain_low_db: float = -30.0
    gain_high_db: float = 0.0
    noise_chance: float = 0.85
    snr_low_db: float = 0.0
    snr_high_db: float = 30.0
    room_chance: float = 0.4
    wet_low: float = 0.2
    wet_high: float = 1.0
    simulated_rooms: int = 24
    context: float = 0.5
    partials: float = 0.5
    masks: int = 2
    mask_bins: float = 0.2
    mask_frames: float = 0.12

    LIMITS: ClassVar[Limits] = {
        "variants": (1, 1000), "negative_variants": (1, 100), "stretch": (0, 0.5), "pitch": (0, 12),
        "shift_s": (0, 1), "gain_low_db": (-60, 0), "gain_high_db": (-60, 0), "snr_low_db": (-20, 60),
        "snr_high_db": (-20, 60), "wet_low": (0, 1), "wet_high": (0, 1), "simulated_rooms": (0, 1000),
        "partials": (0, 2), "masks": (0, 10), "mask_bins": (0, 0.5), "mask_frames": (0, 0.5),
        "stretch_chance": (0, 1), "pitch_chance": (0, 1), "equaliser_chance": (0, 1), "noise_chance": (0, 1),
        "room_chance": (0, 1), "context": (0, 1),
    }  # fmt: skip

    def __post_init__(self) -> None:
        wrong = presets.outside(self, self.LIMITS)
        for low, high in (("gain_low_db", "gain_high_db"), ("snr_low_db", "snr_high_db"), ("wet_low", "wet_high")):
            if getattr(self, low) > getattr(self, high):
                wrong.append(f"{low} is at most {high}, got {getattr(self, low)} and {getattr(self, high)}")
        presets.refuse(wrong)


@dataclass(frozen=True)
class ModelConfig:
    """Which architecture, its `width` (a factor on the channels), and the device it must fit with `int8` or float
    weights. With features of the kind dual there are two such networks, whose logits are averaged: one hears log-mel
    bins, the other adaptive ones."""

    name: str = "tcn"
    width: float = 1.0
    dropout: float = 0.1
    target: str = "raspberry_pi"
    int8: bool = False

    LIMITS: ClassVar[Limits] = {"width": (0.1, 8), "dropout": (0, 0.8)}
    CHOICES: ClassVar[Choices] = {"name": MODELS, "target": TARGETS}

    def __post_init__(self) -> None:
        presets.refuse(presets.not_among(self, self.CHOICES) + presets.outside(self, self.LIMITS))


@dataclass(frozen=True)
class LossConfig:
    """`margin` and `scale` are of triplet and ArcFace, `gamma` of the focal loss; triplet and ArcFace are added to
    cross-entropy with `embedding_weight`. `positive_weight` weighs the word's class, `hard_negative_weight` what sounds
    like it."""

    name: str = "cross_entropy"
    label_smoothing: float = 0.02
    positive_weight: float = 1.0
    hard_negative_weight: float = 1.0
    gamma: float = 2.0
    margin: float = 0.3
    scale: float = 16.0
    embedding_weight: float = 0.5

    LIMITS: ClassVar[Limits] = {
        "label_smoothing": (0, 0.4), "positive_weight": (0.01, 100), "hard_negative_weight": (0.01, 100),
        "gamma": (0, 10), "margin": (0, 2), "scale": (1, 128), "embedding_weight": (0, 10),
    }  # fmt: skip
    CHOICES: ClassVar[Choices] = {"name": LOSSES}

    def __post_init__(self) -> None:
        wrong = presets.not_among(self, self.CHOICES) + presets.outside(self, self.LIMITS)
        if self.name == "focal" and self.label_smoothing:
            wrong.append("the focal loss takes no label_smoothing; set it to 0")
        presets.refuse(wrong)


@dataclass(frozen=True)
class TrainConfig:
    """`positive` : `negative` : `hard_negative` are the shares of a batch with `balanced`; without it, windows come as
    often as they are there. `ema` averages the weights with a decay that rises from `ema_start` to `ema_end`, and keeps
    averaged ones only; `cmvn` normalises each bin by the training part. `patience` is in validations. With
    `learn_phones`, an English word that `speak` has spoken is learnt for the judge of its phones at the end."""

    steps: int = 3000
    batch: int = 256
    balanced: bool = True
    positive: float = 1.0
    negative: float = 3.0
    hard_negative: float = 1.0
    rate: float = 3e-3
    schedule: str = "cosine"
    warmup_share: float = 0.1
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    precision: str = "auto"
    cmvn: bool = True
    ema: bool = True
    ema_start: float = 0.999
    ema_end: float = 0.9995
    validate_every: int = 250
    patience: int = 8
    qat_steps: int = 0
    learn_phones: bool = False

    LIMITS: ClassVar[Limits] = {
        "steps": (1, 1e7), "batch": (4, 65536), "positive": (0.01, 100), "negative": (0.01, 100),
        "hard_negative": (0, 100), "rate": (1e-6, 1), "warmup_share": (0, 0.9), "weight_decay": (0, 1),
        "clip_norm": (0.01, 1000), "ema_start": (0, 1), "ema_end": (0, 1), "validate_every": (1, 1e6),
        "patience": (1, 1e4), "qat_steps": (0, 1e6),
    }  # fmt: skip
    CHOICES: ClassVar[Choices] = {"schedule": SCHEDULES, "precision": presets.PRECISIONS}

    def __post_init__(self) -> None:
        wrong = presets.not_among(self, self.CHOICES) + presets.outside(self, self.LIMITS)
        if self.ema_start > self.ema_end:
            wrong.append(f"ema_start is at most ema_end, got {self.ema_start} and {self.ema_end}")
        presets.refuse(wrong)


@dataclass(frozen=True)
class MiningConfig:
    """After the first pass, `rounds` times: the windows of the training negatives that the detector likes best
    (`keep` of them) become hard negatives, and `steps` more are trained at `rate`."""

    rounds: int = 2
    steps: int = 700
    keep: int = 4000
    rate: float = 1e-3

    LIMITS: ClassVar[Limits] = {"rounds": (0, 20), "steps": (1, 1e6), "keep": (1, 1e6), "rate": (1e-6, 1)}

    def __post_init__(self) -> None:
        presets.refuse(presets.outside(self, self.LIMITS))


@dataclass(frozen=True)
class DistilConfig:
    """Learn from a larger model too: `teacher` is a wake-word run, or a folder of a Hugging Face speech encoder. Its
    answers count `weight`, softened by `temperature`; an encoder, or a run on other features, is asked about so many
    `windows` before the training."""

    teacher: str = ""
    windows: int = 4000
    weight: float = 0.5
    temperature: float = 2.0

    LIMITS: ClassVar[Limits] = {"windows": (100, 1e6), "weight": (0, 1), "temperature": (0.1, 20)}

    def __post_init__(self) -> None:
        presets.refuse(presets.outside(self, self.LIMITS))


@dataclass(frozen=True)
class DetectorConfig:
    """A window is classified every `hop_s`; `votes` of the last `of` above the threshold are a detection, which holds
    until the score falls `hysteresis` (in logits) under it, and no other follows for `lockout_s`. The threshold is
    chosen for `target_fah` false alarms per hour."""

    hop_s: Seconds = 0.1
    votes: int = 2
    of: int = 3
    hysteresis: float = 1.0
    lockout_s: Seconds = 1.0
    target_fah: float = 0.5

    LIMITS: ClassVar[Limits] = {
        "hop_s": (0.01, 1), "votes": (1, 20), "of": (1, 20), "hysteresis": (0, 20), "lockout_s": (0, 60),
        "target_fah": (0, 100),
    }  # fmt: skip

    def __post_init__(self) -> None:
        wrong = presets.outside(self, self.LIMITS)
        if self.votes > self.of:
            wrong.append(f"votes is at most of, got {self.votes} of {self.of}")
        presets.refuse(wrong)


@dataclass(frozen=True)
class WakewordConfig:
    """`word` is what a detector of one word reports; empty: the word of the clips where `speak` wrote them, else the
    run's name."""

    name: str = ""
    word: str = ""
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    mining: MiningConfig = field(default_factory=MiningConfig)
    distil: DistilConfig = field(default_factory=DistilConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)

    def __post_init__(self) -> None:
        wrong = presets.outside(self, {"seed": presets.SEEDS})
        if not _is_a_name(self.word):
            wrong.append(f"word has {_NAMED}, got {self.word[:80]!r}")
        if self.word and self.data.words:
            wrong.append("several words are named with their folders: leave word away")
        if self.augment.shift_s >= self.features.clip_s:
            wrong.append(f"augment.shift_s is less than features.clip_s, got {self.augment.shift_s}")
        if self.detector.hop_s > self.features.clip_s:
            wrong.append(
                f"detector.hop_s is at most features.clip_s, or sound is skipped, got {self.detector.hop_s} and "
                f"{self.features.clip_s}"
            )
        if self.features.kind == "embedding" and not TARGETS[self.model.target].takes_embeddings:
            wrong.append(f"{NO_EMBEDDINGS}: set model.target to raspberry_pi")
        if self.features.kind == "dual" and self.loss.name in ("triplet", "arcface"):
            wrong.append(
                f"two networks (features.kind dual) learn with cross_entropy or focal, got loss.name {self.loss.name}"
            )
        if self.mining.rounds and not self.data.precompute:
            wrong.append("mining listens through features that are kept: set data.precompute, or mining.rounds to 0")
        if self.distil.teacher and self.model.name in ("resnet18", "resnet34"):
            wrong.append(f"{self.model.name} is a teacher itself; distil into a smaller model")
        if self.data.words and self.loss.name in ("triplet", "arcface"):
            wrong.append(f"several words are learnt with cross_entropy or focal, got loss.name {self.loss.name}")
        if self.data.words and self.distil.teacher:
            wrong.append("several words have no teacher: leave distil.teacher away")
        if self.data.words and self.model.target == "esp32_s3":
            wrong.append("a microcontroller takes a model for each word: train one detector per word")
        presets.refuse(wrong)

    @property
    def anchored(self) -> "WakewordConfig":
        """With absolute paths: a run may go on in another folder, or on another machine. A teacher may be the id of a
        run, and is a path only where there is such a folder, as for whoever opens it."""
        data, distil = self.data, self.distil
        folders: dict[str, Any] = {
            name: tuple(map(_absolute, getattr(data, name)))
            for name in ("positive", "negative", "hard_negative", "noise", "rir")
        }
        teacher = _absolute(distil.teacher) if Path(distil.teacher).is_dir() else distil.teacher
        return replace(
            self,
            data=replace(data, split=_absolute(data.split), features=_absolute(data.features), **folders),
            features=replace(self.features, embedding=_absolute(self.features.embedding)),
            distil=replace(distil, teacher=teacher),
        )


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""


def list_presets() -> list[str]:
    return presets.list_presets(PRESETS)


def load_preset(name: str) -> dict[str, Any]:
    """The settings of a preset. Raises TrainingError for an unknown preset or section."""
    return presets.load_preset(PRESETS, name, WakewordConfig)
