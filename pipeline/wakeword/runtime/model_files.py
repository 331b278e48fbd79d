"""A trained detector on disk: `model.safetensors`, and `model.json` with all that is needed to use it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import artifacts, presets
from pipeline.errors import ModelError, TrainingError
from pipeline.records import to_json
from pipeline.wakeword.config import DetectorConfig, ModelConfig
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.file_names import INFO, WEIGHTS
from pipeline.wakeword.models import WakewordModel, make_model

FORMAT = 1


@dataclass(frozen=True)
class DetectorInfo:
    """What a detector is: `threshold` in logits for `detector.target_fah`, `temperature` to divide them by before they
    are read as probabilities."""

    name: str
    features: FeatureConfig
    model: ModelConfig
    detector: DetectorConfig
    threshold: float
    temperature: float
    parameters: int
    metrics: dict[str, Any]


def save_model(folder: Path, model: WakewordModel, info: DetectorInfo) -> None:
    artifacts.write_tensors(folder / WEIGHTS, model.state_dict())
    digest = artifacts.sha256_of(folder / WEIGHTS)
    artifacts.write_json(folder / INFO, {"format": FORMAT, "sha256": digest, **to_json(asdict(info))})


def save_info(folder: Path, info: DetectorInfo) -> None:
    """Write what changed beside the weights, such as another threshold."""
    before = artifacts.read_json(folder / INFO)
    artifacts.write_json(folder / INFO, {**before, **to_json(asdict(info))})


def read_info(folder: Path) -> DetectorInfo:
    """Raises ModelError for a folder without a detector, or with one that this release cannot read."""
    raw = _read(folder)
    try:
        known = {name: raw[name] for name in DetectorInfo.__dataclass_fields__}
        sections = {"features": FeatureConfig, "model": ModelConfig, "detector": DetectorConfig}
        wrong = presets.misfits(DetectorInfo, {name: value for name, value in known.items() if name not in sections})
        wrong += [f"{name} is no section" for name in sections if not isinstance(known[name], dict)]
        if wrong:
            raise TypeError("; ".join(wrong))
        return DetectorInfo(
            **{
                **known,
                "features": presets.build(FeatureConfig, raw["features"]),
                "model": presets.build(ModelConfig, raw["model"]),
                "detector": presets.build(DetectorConfig, raw["detector"]),
            }
        )
    except (KeyError, TypeError, TrainingError) as error:
        raise ModelError(f"{folder / INFO} does not describe a detector ({error}). Train or copy it again.") from error


def load_model(folder: Path) -> tuple[WakewordModel, DetectorInfo]:
    """In evaluation mode. Raises ModelError for weights that are damaged, of another configuration, or not tensors
    alone."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    info = read_info(folder)
    model = make_model(info.model, info.features.shape, Cmvn.none(info.features.n_bins))
    try:
        weights = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{folder / WEIGHTS} holds no tensors that can be read ({error}). Only safetensors are loaded."
        ) from error
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    wrong = [
        f"{name} {shapes.get(name, 'is missing')} there, {expected.get(name, 'nothing')} expected"
        for name in sorted(expected.keys() | shapes.keys())
        if expected.get(name) != shapes.get(name)
    ]
    if wrong:
        raise ModelError(
            f"The weights in {folder} are of another configuration than {INFO} ({info.model.name}, width "
            f"{info.model.width:g}): {'; '.join(wrong[:3])}."
        )
    if artifacts.sha256_of(folder / WEIGHTS) != _read(folder)["sha256"]:
        raise ModelError(f"{folder / WEIGHTS} is not the file that {INFO} was written for. Copy both again.")
    model.load_state_dict(weights)
    return model.eval(), info


def _read(folder: Path) -> dict[str, Any]:
    try:
        raw = artifacts.read_json(folder / INFO)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder} holds no detector ({error}). `pronlab wakeword train` makes one.") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ModelError(f"{folder / INFO} is not of format {FORMAT}. Train it again with this release.")
    return raw
