"""Descriptions of models that were trained elsewhere: the `model_info.json` of the quick start.

It names the architecture, the number (or the names) of its input features and its test error, under keys that differ
from maker to maker. The 57 features have one order everywhere, so that only their number can tell whether it fits; the
network itself is checked against it when the weights are read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.features.acoustic57 import FEATURE_NAMES
from pipeline.i18n import N_
from pipeline.scoring.feature_based.model_info import ModelInfo

NUMBERS = ("input_features", "input_size", "input_dim", "n_features", "num_features", "feature_count")
NAMES = ("feature_names", "features", "input_features")
METRICS = ("mae", "rmse", "r2", "pcc")
SECTIONS = ("test", "metrics", "test_metrics", "performance", "results", "evaluation")
TITLES = ("model_name", "name", "model_id", "version")
DATES = ("created_at", "created", "trained_at", "training_date", "date", "timestamp")
COUNTS = ("n_recordings", "training_samples", "n_samples", "num_samples", "dataset_size")


def is_from_elsewhere(raw: Mapping[str, Any]) -> bool:
    """Whether a description lacks what every one of ours has, and names an architecture or inputs as others do."""
    return "kind" not in raw and any(key in raw for key in ("architecture", "model_type", *NUMBERS))


def from_elsewhere(raw: Mapping[str, Any], path: Path) -> ModelInfo:
    """Raises ModelError for a model of other features than the 57."""
    n_features = _number_of_features(raw)
    if n_features not in (None, len(FEATURE_NAMES)):
        raise ModelError(
            N_(
                "{path} describes a model of {n_features} features; only models of the {n_known} acoustic features "
                "can be read from elsewhere. Train it here with `pronlab train word`."
            ),
            path=str(path),
            n_features=n_features,
            n_known=len(FEATURE_NAMES),
        )
    sizes = _sizes(raw)
    return ModelInfo(
        model_id=_first_text(raw, TITLES) or f"{path.parent.name}-from-elsewhere", kind="mlp",
        feature_names=FEATURE_NAMES, architecture=sizes, label_sources=("unknown",),
        trained_on=_first_text(raw, ("trained_on", "dataset", "data", "training_data")),
        n_recordings=next((int(raw[key]) for key in COUNTS if isinstance(raw.get(key), int)), 0),
        created_at=_first_text(raw, DATES), from_elsewhere=True, test=_figures(raw),
    )  # fmt: skip


def _number_of_features(raw: Mapping[str, Any]) -> int | None:
    for key in NAMES:
        if isinstance(raw.get(key), list):
            return len(raw[key])
    places: list[Mapping[str, Any]] = [raw, *(raw[key] for key in ("architecture", "config") if _is_mapping(raw, key))]
    for place in places:
        for key in NUMBERS:
            if isinstance(place.get(key), int):
                return int(place[key])
    sizes = _sizes(raw)
    return sizes[0] if sizes else None


def _sizes(raw: Mapping[str, Any]) -> tuple[int, ...]:
    """Of the layers, where they are written as numbers: a list, or a text such as 57 -> 128 -> 64 -> 32 -> 1."""
    written = raw.get("architecture")
    if isinstance(written, str):
        parts = written.replace("→", "->").split("->")
        written = [int(part) for part in parts if part.strip().isdigit()] if len(parts) > 1 else []
    if isinstance(written, list) and written and all(isinstance(size, int) for size in written):
        return tuple(written)
    return ()


def _figures(raw: Mapping[str, Any]) -> dict[str, float]:
    """What the maker states, as `mae` or `test_mae`, on top or in a section."""
    sections = [raw, *(raw[key] for key in SECTIONS if _is_mapping(raw, key))]
    figures: dict[str, float] = {}
    for section in sections:
        lowered = {str(key).lower().removeprefix("test_"): value for key, value in section.items()}
        for name in METRICS:
            value = lowered.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                figures.setdefault(name, float(value))
    return figures


def _first_text(raw: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((raw[key].strip() for key in keys if isinstance(raw.get(key), str) and raw[key].strip()), "")


def _is_mapping(raw: Mapping[str, Any], key: str) -> bool:
    return isinstance(raw.get(key), Mapping)
