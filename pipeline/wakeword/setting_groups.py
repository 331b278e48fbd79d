"""Every setting of a training that a form asks for: in which group it stands, and its label.

The clips (section `data`), the name and the seed are asked for by themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.i18n import N_
from pipeline.presets import field_types, merged
from pipeline.wakeword.config import WakewordConfig

GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "model": (
        N_("Model"),
        {
            "model.name": N_("Architecture"),
            "model.width": N_("Width (factor on the channels)"),
            "model.dropout": N_("Dropout"),
            "model.target": N_("Device that it must fit"),
        },
    ),
    "steps": (
        N_("Steps"),
        {
            "train.steps": N_("Steps of the first pass"),
            "train.batch": N_("Windows per step"),
            "train.rate": N_("Learning rate"),
            "train.schedule": N_("Schedule of the learning rate"),
            "train.warmup_share": N_("Share of the steps in which the learning rate rises"),
            "train.weight_decay": N_("Weight decay"),
            "train.clip_norm": N_("Largest norm of the gradient"),
            "train.precision": N_("Number format"),
            "train.validate_every": N_("Steps between validations"),
            "train.patience": N_("Validations without improvement before it stops"),
            "train.cmvn": N_("Normalise each bin by the training part"),
            "train.balanced": N_("Fixed shares of the classes per batch"),
            "train.positive": N_("Share of the word in a batch"),
            "train.negative": N_("Share of other speech in a batch"),
            "train.hard_negative": N_("Share of similar-sounding speech in a batch"),
        },
    ),
    "features": (
        N_("Features"),
        {
            "features.kind": N_("Kind of features"),
            "features.n_mels": N_("Mel bands per frame"),
            "features.n_mfcc": N_("Cepstral coefficients per frame"),
            "features.window_s": N_("Length of a frame (s)"),
            "features.hop_s": N_("Distance of frames (s)"),
            "features.clip_s": N_("Length of a window (s)"),
            "features.low_hz": N_("Lower edge of the filterbank (Hz)"),
            "features.high_hz": N_("Upper edge of the filterbank (Hz)"),
            "features.embedding": N_("Folder of a speech embedding"),
        },
    ),
    "augmentation": (
        N_("Augmentation"),
        {
            "augment.enabled": N_("Vary the clips"),
            "augment.variants": N_("Renderings of each clip of the word"),
            "augment.negative_variants": N_("Passes over the other clips"),
            "augment.stretch": N_("Largest change of speed (share)"),
            "augment.stretch_chance": N_("Chance of a change of speed"),
            "augment.pitch": N_("Largest change of pitch (semitones)"),
            "augment.pitch_chance": N_("Chance of a change of pitch"),
            "augment.equaliser_chance": N_("Chance of an equaliser"),
            "augment.shift_s": N_("Time since the end of the word, at most (s)"),
            "augment.gain_low_db": N_("Lowest level (dB)"),
            "augment.gain_high_db": N_("Highest level (dB)"),
            "augment.noise_chance": N_("Chance of noise"),
            "augment.snr_low_db": N_("Lowest signal-to-noise ratio (dB)"),
            "augment.snr_high_db": N_("Highest signal-to-noise ratio (dB)"),
            "augment.context": N_("Chance of speech around the word"),
            "augment.partials": N_("Pieces of the word as similar-sounding speech (share of the renderings)"),
            "augment.masks": N_("Masks per window in time and in frequency"),
            "augment.mask_bins": N_("Largest share of bins that a mask covers"),
            "augment.mask_frames": N_("Largest share of frames that a mask covers"),
        },
    ),
    "rooms": (
        N_("Rooms"),
        {
            "augment.room_chance": N_("Chance of a room"),
            "augment.wet_low": N_("Smallest share of reverberated sound"),
            "augment.wet_high": N_("Largest share of reverberated sound"),
            "augment.simulated_rooms": N_("Simulated rooms beside the measured ones"),
        },
    ),
    "loss": (
        N_("Loss"),
        {
            "loss.name": N_("Loss function"),
            "loss.label_smoothing": N_("Label smoothing"),
            "loss.positive_weight": N_("Weight of the word"),
            "loss.hard_negative_weight": N_("Weight of similar-sounding speech"),
            "loss.gamma": N_("Exponent of the focal loss"),
            "loss.margin": N_("Margin of triplet and ArcFace"),
            "loss.scale": N_("Scale of triplet and ArcFace"),
            "loss.embedding_weight": N_("Weight of triplet and ArcFace beside cross-entropy"),
        },
    ),
    "mining": (
        N_("Mining"),
        {
            "mining.rounds": N_("Rounds of mining"),
            "mining.steps": N_("Steps after each round"),
            "mining.keep": N_("Windows mined per round"),
            "mining.rate": N_("Learning rate after mining"),
        },
    ),
    "averaging": (
        N_("Averaging"),
        {
            "train.ema": N_("Average the weights"),
            "train.ema_start": N_("Decay of the average at the start"),
            "train.ema_end": N_("Decay of the average at the end"),
        },
    ),
    "distillation": (
        N_("Distillation"),
        {
            "distil.teacher": N_("Teacher (a run, or a folder of a speech encoder)"),
            "distil.windows": N_("Windows that it is asked about beforehand (an encoder, or a run on other features)"),
            "distil.weight": N_("Weight of the teacher's answers"),
            "distil.temperature": N_("Temperature that softens them"),
        },
    ),
    "quantisation": (
        N_("Quantisation"),
        {
            "model.int8": N_("8-bit weights"),
            "train.qat_steps": N_("Quantisation-aware steps at the end"),
        },
    ),
    "detector": (
        N_("Detector"),
        {
            "detector.target_fah": N_("False alarms per hour that the threshold is chosen for"),
            "detector.votes": N_("Windows above the threshold that make a detection"),
            "detector.of": N_("Of so many last windows"),
            "detector.hop_s": N_("Seconds between two windows"),
            "detector.hysteresis": N_("Fall of the score before another detection (logits)"),
            "detector.lockout_s": N_("Seconds before another detection"),
            "train.learn_phones": N_("Learn a spoken English word for the judge of its phones"),
        },
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One setting: `key` is `section.name`, `kind` its type; `limits` and `choices` where it has some."""

    key: str
    label: str
    kind: type[Any]
    limits: tuple[float, float] | None
    choices: tuple[str, ...]


def settings_of(group: str) -> Iterator[Setting]:
    """Those of a group, in the order of a form."""
    sections = field_types(WakewordConfig)
    for key, label in GROUPS[group][1].items():
        section, _, name = key.partition(".")
        config = sections[section]
        choices = tuple(getattr(config, "CHOICES", {}).get(name, ()))
        yield Setting(key, label, field_types(config)[name], getattr(config, "LIMITS", {}).get(name), choices)


def value_of(config: WakewordConfig, key: str) -> Any:
    """Of a setting by its key."""
    section, _, name = key.partition(".")
    return getattr(getattr(config, section), name)


def changed(config: WakewordConfig) -> dict[str, Any]:
    """The settings of the groups that differ from the defaults, by section."""
    defaults = WakewordConfig()
    keys = [key for _title, labels in GROUPS.values() for key in labels]
    differing = [key for key in keys if value_of(config, key) != value_of(defaults, key)]
    return merged({key: value_of(config, key) for key in differing})
