"""A table's model on disk: `trees.safetensors`, and `tabular.json` with all that is needed to use it. No pickle."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.model_folders import put_in_place, take_back
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.presets import misfits
from pipeline.records import to_json
from pipeline.regressors.confidence import ConfidenceBin, confidence_at
from pipeline.regressors.forest import KEYS, check_forest
from pipeline.regressors.scaler import Scaler
from pipeline.regressors.trees import Trees
from pipeline.settings import Settings

WEIGHTS, INFO = "trees.safetensors", "tabular.json"


@dataclass(frozen=True)
class TabularInfo:
    """`test` are the figures out of fold over groups, `settings` what the trees were fitted with."""

    model_id: str
    task: str
    kind: str
    feature_names: tuple[str, ...]
    confidence: tuple[ConfidenceBin, ...]
    source: str
    n_items: int
    n_groups: int
    created_at: str
    test: dict[str, Any]
    settings: dict[str, Any]


@dataclass(frozen=True)
class TabularModel:
    """`reference` [n, d] are raw features of training items, for drift."""

    info: TabularInfo
    scaler: Scaler
    trees: Trees
    reference: NDArray[np.float32]

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores 0-100 [n] for raw features x [n, d]."""
        return self.trees.predict(self.scaler.standardise(x))

    def confidence(self, score: float) -> float | None:
        """The share of out-of-fold predictions near this one that lay within 10 points; None where there were too
        few."""
        return confidence_at(score, self.info.confidence)


def save_model(folder: Path, model: TabularModel) -> None:
    from safetensors.numpy import save_file

    tensors: dict[str, Any] = {key: np.ascontiguousarray(model.trees.arrays[key]) for key in KEYS}
    tensors |= {
        "mean": model.scaler.mean, "std": model.scaler.std, "importance": model.trees.importance,
        "line": np.array([model.trees.offset, model.trees.scale]), "reference": model.reference,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with artifacts.replacing(folder / WEIGHTS) as temporary:
        save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, temporary)
    content = to_json(asdict(model.info)) | {"sha256": artifacts.sha256_of(folder / WEIGHTS)}
    artifacts.write_json(folder / INFO, content)


def load_model(folder: Path) -> TabularModel:
    """Raises ModelError for a folder without a whole model, or with one that was changed."""
    from safetensors.numpy import load_file

    try:
        raw = artifacts.read_json(folder / INFO)
        digest = raw.pop("sha256")
        raw["feature_names"] = tuple(raw["feature_names"])
        raw["confidence"] = tuple(ConfidenceBin(**entry) for entry in raw["confidence"])
        info = TabularInfo(**{field.name: raw[field.name] for field in fields(TabularInfo)})
        if wrong := misfits(TabularInfo, vars(info)):
            raise ModelError(f"{folder / INFO} does not describe a model: {'; '.join(wrong[:3])}.")
        if artifacts.sha256_of(folder / WEIGHTS) != digest:
            raise ModelError(f"{folder / WEIGHTS} is not the file that {INFO} belongs to.")
        tensors: Any = load_file(folder / WEIGHTS)
        arrays = {key: tensors[key] for key in KEYS}
        offset, scale = map(float, tensors["line"])
        scaler = Scaler(tensors["mean"], tensors["std"])
        trees = Trees(arrays, offset, scale, tensors["importance"])
    except ModelError:
        raise
    except Exception as error:  # safetensors raises its own class straight under Exception
        raise ModelError(f"{folder} holds no model of a table that can be read: {error}.") from error
    check_forest(arrays, len(info.feature_names))
    return TabularModel(info, scaler, trees, tensors["reference"])


def place_of(settings: Settings, task: str) -> Path:
    return settings.deployed_root / f"tabular-{task}"


def deploy(settings: Settings, source: Path, by: Identity | None = None) -> TabularInfo:
    """Make it the one in use for its task; the one before is kept. Raises ModelError, AccessError for who may not."""
    permit(settings, by, Action.DEPLOY)
    info = load_model(source).info
    put_in_place(source, (WEIGHTS, INFO), place_of(settings, info.task))
    return info


def roll_back(settings: Settings, task: str, by: Identity | None = None) -> str | None:
    """The id of the model that is back, None where there was none before. Raises ModelError where none is deployed,
    AccessError for who may not."""
    permit(settings, by, Action.DEPLOY)
    target = place_of(settings, task)
    if not target.exists():
        raise ModelError(f"No model is deployed for {task}.")
    return load_model(target).info.model_id if take_back(target) else None


def in_use(settings: Settings, task: str) -> TabularModel | None:
    folder = place_of(settings, task)
    return load_model(folder) if (folder / INFO).is_file() else None
