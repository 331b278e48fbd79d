"""A table's model on disk: `tabular.json` with all that is needed to use it, and its weights: `trees.safetensors`, or
`model.safetensors` with the tokenizer of a text encoder. No pickle. Who may deploy is decided by
`pipeline.deployment.model_registry`."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, joined
from pipeline.model_folders import put_in_place, take_back
from pipeline.optional import require
from pipeline.presets import misfits
from pipeline.records import to_json
from pipeline.regressors.confidence import ConfidenceBin, confidence_at
from pipeline.regressors.forest import KEYS, check_forest
from pipeline.regressors.scaler import Scaler
from pipeline.regressors.trees import Trees
from pipeline.settings import Settings

WEIGHTS, INFO = "trees.safetensors", "tabular.json"
ENCODER_WEIGHTS, ENCODER_REFERENCE = "model.safetensors", "reference.safetensors"
ENCODER = "encoder"
ENCODER_SUFFIXES = (".json", ".safetensors", ".txt", ".model")  # what transformers writes beside the weights


@dataclass(frozen=True)
class TabularInfo:
    """`kind` is forest, boosting or encoder; `test` are the figures on people that the model had not seen, `settings`
    what it was fitted with. `feature_names` are what trees take; of an encoder, what drift is watched with."""

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
    write_info(folder, model.info)


def is_table_folder(folder: Path) -> bool:
    return (folder / INFO).is_file()


def write_info(folder: Path, info: TabularInfo) -> None:
    """With the digest of the weights, which must be there."""
    content = to_json(asdict(info)) | {"sha256": artifacts.sha256_of(folder / _weights_of(info.kind))}
    artifacts.write_json(folder / INFO, content)


def load_info(folder: Path) -> TabularInfo:
    """What a model is, without its weights. Raises ModelError."""
    return _read(folder)[0]


def check_weights(folder: Path) -> None:
    """Raises ModelError for weights that are not those of the model."""
    info, digest = _read(folder)
    weights = folder / _weights_of(info.kind)
    if artifacts.is_missing(weights) or artifacts.sha256_of(weights) != digest:
        raise ModelError(N_("{path} is not the file that {info} belongs to."), path=str(weights), info=INFO)


def _read(folder: Path) -> tuple[TabularInfo, str]:
    """With the digest of its weights."""
    try:
        raw = artifacts.read_json(folder / INFO)
        digest = str(raw.pop("sha256"))
        raw["feature_names"] = tuple(raw["feature_names"])
        raw["confidence"] = tuple(ConfidenceBin(**entry) for entry in raw["confidence"])
        info = TabularInfo(**{field.name: raw[field.name] for field in fields(TabularInfo)})
        if wrong := misfits(TabularInfo, vars(info)):
            raise ModelError(
                N_("{path} does not describe a model: {reasons}."), path=str(folder / INFO), reasons=joined(wrong[:3])
            )
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file brings
        raise ModelError(
            N_("{folder} holds no model of a table that can be read: {reason}."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    return info, digest


def load_model(folder: Path) -> TabularModel:
    """Trees. Raises ModelError for a folder without a whole model, or with one that was changed."""
    from safetensors.numpy import load_file

    check_weights(folder)
    info = load_info(folder)
    try:
        tensors: Any = load_file(folder / WEIGHTS)
        arrays = {key: tensors[key] for key in KEYS}
        offset, scale = map(float, tensors["line"])
        scaler = Scaler(tensors["mean"], tensors["std"])
        trees = Trees(arrays, offset, scale, tensors["importance"])
    except Exception as error:  # safetensors raises its own class straight under Exception
        raise ModelError(
            N_("{folder} holds no model of a table that can be read: {reason}."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    check_forest(arrays, len(info.feature_names))
    return TabularModel(info, scaler, trees, tensors["reference"])


def reference_of(folder: Path) -> NDArray[np.float32]:
    """Raw features [n, d] of training items, of whichever kind the model is. Raises ModelError."""
    from safetensors.numpy import load_file

    if load_info(folder).kind != ENCODER:
        return load_model(folder).reference
    try:
        return np.asarray(load_file(folder / ENCODER_REFERENCE)["reference"], dtype=np.float32)
    except Exception as error:  # safetensors raises its own class straight under Exception
        raise ModelError(
            N_("{path} cannot be read: {reason}."), path=str(folder / ENCODER_REFERENCE), reason=said_by(error)
        ) from error


def _weights_of(kind: str) -> str:
    return ENCODER_WEIGHTS if kind == ENCODER else WEIGHTS


def place_of(settings: Settings, task: str) -> Path:
    return settings.deployed_root / f"tabular-{task}"


def deploy(settings: Settings, source: Path) -> TabularInfo:
    """Make it the one in use for its task; the one before is kept. Raises ModelError for a model that cannot be used
    here."""
    info = load_info(source)
    if info.kind == ENCODER:
        require(N_("A text encoder"), ("torch", "transformers"), ModelError)
        check_weights(source)
        names = sorted(path.name for path in source.iterdir() if path.suffix in ENCODER_SUFFIXES)
    else:
        load_model(source)
        names = [WEIGHTS, INFO]
    put_in_place(source, names, place_of(settings, info.task))
    return info


def roll_back(settings: Settings, task: str) -> TabularInfo | None:
    """The model that is back, None where there was none before. Raises ModelError where none is deployed."""
    target = place_of(settings, task)
    if not target.exists():
        raise ModelError(N_("No model is deployed for {task}."), task=task)
    return load_info(target) if take_back(target) else None


def in_use(settings: Settings, task: str) -> Path | None:
    """The folder of the deployed model."""
    folder = place_of(settings, task)
    return folder if is_table_folder(folder) else None
