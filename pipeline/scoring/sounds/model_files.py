"""A model of sounds on disk: `sounds.json` (what it is, what it was trained on, how well it does) and
`sounds.safetensors`. A few ten thousand numbers; nothing is unpickled."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, joined
from pipeline.presets import known_values, misfits
from pipeline.scoring.sounds.measures import NAMES, Frames
from pipeline.settings import Settings

INFO_FILE, WEIGHTS_FILE, CARD_FILE = "sounds.json", "sounds.safetensors", "README.md"
FORMAT = 1
SOFT_G = "ğ"  # has no frames of its own: it lengthens the vowel before it
CLIP = 6.0  # standard deviations
SHAPES = {
    "frame_mean": 1, "frame_scale": 1, "projection": 2, "place_scale": 1, "output": 2, "output_bias": 1, "mean": 1,
    "scale": 1, "hidden": 2, "hidden_bias": 1, "last": 1, "last_bias": 1,
}  # fmt: skip


@dataclass(frozen=True)
class SoundsInfo:
    """`sounds` are the language's, as its texts are marked (Turkish: letters); `layer` is the encoder's layer that is
    read, of the speech model `listener`; `threshold` the probability from which on a sound is marked; `calibration`
    pairs of (probability, share that was wrong), on held-out voices. `synthetic`: nobody's judgement is in it."""

    model_id: str
    language: str
    sounds: tuple[str, ...]
    listener: str
    layer: int
    threshold: float
    format: int = FORMAT
    measures: tuple[str, ...] = NAMES
    synthetic: bool = True
    trained_on: str = ""
    n_words: int = 0
    n_recordings: int = 0
    voices: tuple[str, ...] = ()
    held_out: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    created_at: str = ""
    git_commit: str | None = None


@dataclass(frozen=True, eq=False)
class SoundModel:
    """Frames of a speech encoder seen as sounds, and what their distances from a reference mean."""

    info: SoundsInfo
    weights: dict[str, NDArray[np.float32]]

    @cached_property
    def _class_of(self) -> dict[str, int]:
        return {sound: number for number, sound in enumerate(self.info.sounds, start=1)}

    def classes(self, sounds: tuple[str, ...]) -> NDArray[np.int64] | None:
        """The number of each sound, 0 being silence; a soft g has that of the sound before it. None where one is not
        known."""
        numbers: list[int] = []
        for sound in sounds:
            number = numbers[-1] if sound == SOFT_G and numbers else self._class_of.get(sound)
            if number is None:
                return None
            numbers.append(number)
        return np.array(numbers, dtype=np.int64) if numbers else None

    def frames(self, states: NDArray[np.float32]) -> Frames:
        """Of the encoder's states [T, D] of the layer `info.layer`."""
        w = self.weights
        places = ((states - w["frame_mean"]) / w["frame_scale"]) @ w["projection"]
        scores = places @ w["output"] + w["output_bias"]
        scores = scores - scores.max(axis=1, keepdims=True)
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return Frames(np.asarray(places / w["place_scale"], dtype=np.float32), np.asarray(log_probs, dtype=np.float32))

    def wrong(self, values: NDArray[np.float32], sounds: tuple[str, ...]) -> NDArray[np.float64]:
        """The probability [n] that each sound is wrong, from what was measured [n, len(NAMES)]."""
        w = self.weights
        inputs = np.hstack([values, one_hot(sounds, self.info.sounds)])
        z = np.clip((inputs - w["mean"]) / w["scale"], -CLIP, CLIP)
        hidden = np.maximum(z @ w["hidden"] + w["hidden_bias"], 0.0)
        logits = (hidden @ w["last"] + w["last_bias"]).astype(np.float64)
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float64)


def one_hot(sounds: tuple[str, ...], known: tuple[str, ...]) -> NDArray[np.float32]:
    """Which sound each is [n, len(known) + 1], the last column for a soft g."""
    columns = {**{sound: number for number, sound in enumerate(known)}, SOFT_G: len(known)}
    rows = np.zeros((len(sounds), len(known) + 1), dtype=np.float32)
    rows[np.arange(len(sounds)), [columns[sound] for sound in sounds]] = 1.0
    return rows


def save(folder: Path, model: SoundModel) -> None:
    from safetensors.numpy import save_file

    with artifacts.replacing(folder / WEIGHTS_FILE) as temporary:
        save_file({name: np.ascontiguousarray(values) for name, values in model.weights.items()}, temporary)
    artifacts.write_json(folder / INFO_FILE, asdict(model.info))


def load(folder: Path) -> SoundModel:
    """Raises ModelError for a folder that holds no model of sounds, or one of another version."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        raw: dict[str, Any] = artifacts.read_json(folder / INFO_FILE)
        values = known_values(SoundsInfo, raw)
        wrong = misfits(SoundsInfo, values)
        if wrong:
            raise ValueError(joined(wrong[:3]))
        info = SoundsInfo(**values)
        weights = load_file(folder / WEIGHTS_FILE)
    except (OSError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(
            N_("{folder} holds no model of sounds that can be read: {reason}."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    if info.format != FORMAT or info.measures != NAMES:
        raise ModelError(
            N_("The model of sounds in {folder} was made by another version of Pronlab. Train it again."),
            folder=str(folder),
        )
    shapes = {name: values.ndim for name, values in weights.items()}
    if shapes != SHAPES or len(weights["output_bias"]) != len(info.sounds) + 1:
        raise ModelError(
            N_("The weights in {folder} do not fit {info}. Train the model of sounds again."),
            folder=str(folder),
            info=INFO_FILE,
        )
    return SoundModel(info, weights)


def folder_name(language: str) -> str:
    return f"sounds-{language}"


def find_sounds_model(settings: Settings, language: str) -> Path | None:
    """The deployed model of a language's sounds, else the released one; None where there is none."""
    folders = (root / folder_name(language) for root in (settings.deployed_root, settings.released_models))
    return next((folder for folder in folders if (folder / INFO_FILE).is_file()), None)
