"""A model as three files, read with suspicion and written whole.

    pronunciation_scorer.safetensors    the weights (a torch state dict `pronunciation_scorer.pth` is taken too)
    model_info.json                     what it is, what it was trained on, how well it does
    scaler_params.json                  mean and standard deviation of each feature

Beside them, where the model was trained here: `held_out.csv` (what was predicted for each training recording by a model
that had not heard its speaker; recording and text are known by their SHA-256) and `README.md` (the card).
"""

import csv
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, csvfile
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.presets import known_values, misfits
from pipeline.records import RubricName
from pipeline.regressors.confidence import ConfidenceBin, confidence_at
from pipeline.regressors.forest import check_forest
from pipeline.regressors.scaler import Scaler
from pipeline.regressors.trees import Trees
from pipeline.scoring.feature_based.foreign_info import from_elsewhere, is_from_elsewhere
from pipeline.scoring.feature_based.model_info import ModelInfo
from pipeline.scoring.feature_based.network import folded_layers, predict_network
from pipeline.text import composed

WEIGHTS_FILE = "pronunciation_scorer.safetensors"
PTH_FILE = "pronunciation_scorer.pth"
INFO_FILE = "model_info.json"
SCALER_FILE = "scaler_params.json"
HELD_OUT_FILE = "held_out.csv"
HELD_OUT_COLUMNS = {"audio_sha256", "text_sha256", "set", "speaker", "predicted"}
CARD_FILE = "README.md"
LINE = "line"  # offset and scale of boosted trees, among the weights


@dataclass(frozen=True)
class Model:
    info: ModelInfo
    scaler: Scaler
    weights: dict[str, Any]
    folder: Path | None = None

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores 0-100 [n] for raw features x [n, d]."""
        z = self.scaler.standardise(x)
        if self.info.kind == "mlp":
            return np.asarray(np.clip(predict_network(self.weights, z), 0.0, 100.0))
        return trees_of(self.weights).predict(z)

    def confidence(self, score: float) -> float | None:
        """The estimated probability that an expert's score lies within 10 points; None where it was not measured."""
        return confidence_at(score, self.info.confidence)

    @cached_property
    def held_out(self) -> dict[tuple[str, str], float]:
        """Out-of-fold predictions by the SHA-256 of the recording's file and the digest of its text."""
        rows = self._held_out_rows
        return {(row["audio_sha256"], row["text_sha256"]): float(row["predicted"]) for row in rows}

    def has_heard(self, set_name: str, speaker: str, audio_sha256: str) -> bool:
        """Whether this voice was in the training data: the very recording, or a speaker of that name in that set.

        In another set the same name is another person. Where the training data did not name its sets, the name alone
        counts: rather one recording left out too many than a figure on training data.
        """
        known = self._heard
        return audio_sha256 in known or (set_name, speaker) in known or ("", speaker) in known

    @cached_property
    def _heard(self) -> frozenset[str | tuple[str, str]]:
        rows = self._held_out_rows
        files = {row["audio_sha256"] for row in rows if row["audio_sha256"]}
        return frozenset(files | {(row["set"], row["speaker"]) for row in rows})

    @cached_property
    def _held_out_rows(self) -> list[dict[str, str]]:
        if self.folder is None or not (self.folder / HELD_OUT_FILE).is_file():
            return []
        with (self.folder / HELD_OUT_FILE).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not set(reader.fieldnames or ()) >= HELD_OUT_COLUMNS:
                raise ModelError(
                    N_("{file} lacks columns; expected {columns}."),
                    file=str(self.folder / HELD_OUT_FILE),
                    columns=", ".join(sorted(HELD_OUT_COLUMNS)),
                )
            return [{key: csvfile.plain(cell or "") for key, cell in row.items() if key} for row in reader]


def tree_weights(trees: Trees, kind: str) -> dict[str, Any]:
    """What is stored of trees: a forest's scale follows from the number of its trees."""
    line = {LINE: np.array([trees.offset, trees.scale])} if kind == "boosting" else {}
    return {**trees.arrays, **line}


def trees_of(weights: dict[str, Any]) -> Trees:
    offset, scale = map(float, weights[LINE]) if LINE in weights else (0.0, 1.0 / len(weights["root"]))
    return Trees(weights, offset, scale, np.zeros(0))


def text_digest(text: str) -> str:
    """Tells texts apart without giving them away: a corpus keeps its own."""
    return hashlib.sha256(composed(text).encode("utf-8", "replace")).hexdigest()[:16]


def is_model_folder(folder: Path) -> bool:
    return not missing_files(folder)


def missing_files(folder: Path) -> list[str]:
    missing = [name for name in (INFO_FILE, SCALER_FILE) if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in (WEIGHTS_FILE, PTH_FILE)):
        missing.insert(0, Message(N_("{file} (or {other})"), file=WEIGHTS_FILE, other=PTH_FILE))
    return missing


def save_model(folder: Path, model: Model) -> None:
    from safetensors.numpy import save

    weights = {key: np.ascontiguousarray(value) for key, value in model.weights.items()}
    artifacts.write_bytes(folder / WEIGHTS_FILE, save(weights))
    names = list(model.info.feature_names)
    scaler = {"features": names, "mean": model.scaler.mean, "std": model.scaler.std}
    artifacts.write_json(folder / SCALER_FILE, scaler)
    artifacts.write_json(folder / INFO_FILE, model.info)


def load_info(folder: Path) -> ModelInfo:
    """What a model is, without its weights. Raises ModelError naming the missing file, or what is wrong in this one."""
    missing = missing_files(folder)
    if missing:
        raise ModelError(
            N_("No model could be loaded from {folder}: {missing} is missing."),
            folder=str(folder),
            missing=joined(missing, ","),
        )
    return _read_info(folder / INFO_FILE)


def load_model(folder: Path) -> Model:
    """Raises ModelError naming the missing file, or what in which file cannot be trusted."""
    info = load_info(folder)
    scaler = _read_scaler(folder / SCALER_FILE, info.feature_names, from_here=not info.from_elsewhere)
    weights = _read_weights(folder)
    n_features = len(info.feature_names)
    if info.kind in ("forest", "boosting"):
        check_forest(weights, n_features)
        if info.kind == "boosting" and (LINE not in weights or weights[LINE].shape != (2,)):
            raise ModelError(N_("{folder} holds boosted trees without their offset and scale."), folder=str(folder))
    elif info.kind == "mlp":
        n_inputs = folded_layers(weights)[0][0].shape[0]
        if n_inputs != n_features:
            raise ModelError(
                N_("The network in {folder} takes {n_inputs} features, {info} names {n_features}."),
                folder=str(folder),
                n_inputs=n_inputs,
                info=INFO_FILE,
                n_features=n_features,
            )
    else:
        raise ModelError(
            N_("{file} says kind {kind!r}; expected mlp, forest or boosting."),
            file=str(folder / INFO_FILE),
            kind=info.kind,
        )
    return Model(info, scaler, weights, folder)


def _read_info(path: Path) -> ModelInfo:
    raw = _read_object(path)
    if is_from_elsewhere(raw):
        return from_elsewhere(raw, path)
    try:
        values = known_values(ModelInfo, raw)
        values["confidence"] = tuple(ConfidenceBin(**entry) for entry in raw.get("confidence", ()))
        wrong = misfits(ModelInfo, values)
        wrong += [text for bin_ in values["confidence"] for text in misfits(ConfidenceBin, vars(bin_))]
        if wrong:
            raise ValueError(joined(wrong[:3]))
        return ModelInfo(**{**values, "rubric": str(RubricName(values.get("rubric", RubricName.WORD)))})
    except (TypeError, ValueError) as error:
        raise ModelError(
            N_("{path} does not describe a model: {reason}."), path=str(path), reason=said_by(error)
        ) from error


def _read_scaler(path: Path, names: tuple[str, ...], *, from_here: bool) -> Scaler:
    """Of a model from elsewhere the features may have other names, in the same order."""
    raw = _read_object(path)
    try:
        mean = np.asarray(raw["mean"], dtype=np.float64)
        std = np.asarray(raw["std"] if "std" in raw else raw["scale"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            N_("{path} needs the lists 'mean' and 'std' ({reason})."), path=str(path), reason=said_by(error)
        ) from error
    listed = tuple(raw["features"]) if from_here and "features" in raw else names
    if mean.shape != (len(names),) or std.shape != mean.shape or listed != names:
        raise ModelError(
            N_("{path} does not match the {n} features of {info}."), path=str(path), n=len(names), info=INFO_FILE
        )
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
        raise ModelError(
            N_("{path} holds a mean that is no number or a standard deviation that is not positive."), path=str(path)
        )
    return Scaler(mean, std)


def _read_weights(folder: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / WEIGHTS_FILE
    if path.is_file():
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(
                N_("{path} is no readable safetensors file: {reason}."), path=str(path), reason=said_by(error)
            ) from error
    return _read_pth(folder / PTH_FILE)


def _read_pth(path: Path) -> dict[str, Any]:
    """A torch state dict; only tensors are taken, never code."""

    from pickle import UnpicklingError

    import torch

    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise ModelError(
            N_("{path} is no plain torch state dict: {reason}."), path=str(path), reason=said_by(error)
        ) from error
    raw = raw.get("state_dict", raw) if isinstance(raw, dict) else raw
    if not isinstance(raw, dict) or not all(isinstance(value, torch.Tensor) for value in raw.values()):
        raise ModelError(N_("{path} must hold a state dict: names and tensors, nothing else."), path=str(path))
    return {key: value.float().numpy() for key, value in raw.items()}


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = artifacts.read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            N_("{path} cannot be read as JSON: {reason}."), path=str(path), reason=said_by(error)
        ) from error
    if not isinstance(content, dict):
        raise ModelError(N_("{path} must hold one JSON object."), path=str(path))
    return content
