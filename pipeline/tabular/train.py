"""Train trees on a task's table: cleaned, cross-validated over groups beside the task's rule, a mean and a ridge,
searched where asked, explained, and fitted on everything for use."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, csvfile
from pipeline.corpus.splits import speaker_folds
from pipeline.errors import TrainingError
from pipeline.metrics.regression import regression_metrics
from pipeline.parallel import Progress
from pipeline.records import band_of, to_json
from pipeline.regressors.baselines import permutation_importance, simple_baselines
from pipeline.regressors.trees import fit, require_search, searched
from pipeline.runs import RunWriter, now_iso
from pipeline.scoring.feature_based.model_files import Scaler
from pipeline.scoring.feature_based.train import confidence_table
from pipeline.settings import Settings
from pipeline.tabular.catalogue import get_task
from pipeline.tabular.cleaning import Cleaning, clean
from pipeline.tabular.config import TabularConfig
from pipeline.tabular.model_files import TabularInfo, TabularModel, save_model
from pipeline.tabular.task import Row, Task

MODEL_FOLDER, REPORT = "model", "report.json"
FEWEST, FEWEST_GROUPS = 20, 3
WORST = 10
REFERENCE_ROWS = 500
EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Table:
    """What is learnt from: features [n, d] and labels [n] of the kept rows."""

    task: str
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    values: NDArray[np.float32]
    labels: NDArray[np.float64]
    baseline: tuple[str, NDArray[np.float64]] | None
    cleaning: Cleaning

    @property
    def groups(self) -> NDArray[np.str_]:
        return np.array([row.group for row in self.rows])


def load_table(settings: Settings, task: Task, source: str, progress: Progress | None = None) -> Table:
    """Raises TrainingError where too little is left after cleaning."""
    cleaning = clean(task.rows(settings, source), task)
    if len(cleaning.kept) < FEWEST or cleaning.n_groups < FEWEST_GROUPS:
        why = ", ".join(f"{n} {reason}" for reason, n in cleaning.dropped.items())
        raise TrainingError(
            f"{len(cleaning.kept)} usable items of {cleaning.n_groups} people are too few to learn from: {FEWEST} of "
            f"{FEWEST_GROUPS} are needed{f' ({why})' if why else ''}."
        )
    values = task.features(settings, source, cleaning.kept, progress)
    if not np.isfinite(values).all():
        raise TrainingError(f"The features of the task {task.name} hold values that are no numbers.")
    labels = np.array([row.label for row in cleaning.kept], dtype=np.float64)
    return Table(
        task.name, cleaning.kept, task.feature_names(settings), values, labels,
        task.baseline(settings, source, cleaning.kept), cleaning,
    )  # fmt: skip


def train_tabular(
    settings: Settings, config: TabularConfig, writer: RunWriter, progress: Progress | None = None
) -> dict[str, Any]:
    """Leaves `model/`, `report.json` and `predictions.csv` in the run's directory; returns the report."""
    require_search(config)
    table = load_table(settings, get_task(config.task), config.source, progress)
    writer.log(f"{table.cleaning.n} items, {len(table.rows)} kept of {table.cleaning.n_groups} people")
    out = _cross_validated(table, config, writer)
    groups = [str(group) for group in table.groups]
    measured = regression_metrics(table.labels, out.predicted, speakers=groups)
    baselines = {name: regression_metrics(table.labels, scores, speakers=groups) for name, scores in out.beside.items()}
    writer.update(progress=0.9, message="fitting on everything")
    scaler = Scaler.fit(table.values)
    scaled, final = scaler.standardise(table.values), config
    if config.search != "none":
        final = searched(scaled, table.labels, table.groups, config, config.seed)
    trees = fit(scaled, table.labels, final, config.seed)
    info = TabularInfo(
        writer.run.id, config.task, config.model, table.names, confidence_table(table.labels, out.predicted),
        config.source, len(table.rows), table.cleaning.n_groups, now_iso(), to_json(measured), to_json(asdict(final)),
    )  # fmt: skip
    chosen = np.random.default_rng(config.seed).permutation(len(table.rows))[:REFERENCE_ROWS]
    folder = writer.run.path / MODEL_FOLDER
    save_model(folder, TabularModel(info, scaler, trees, table.values[chosen]))
    report = {
        "metrics": measured, "baselines": baselines, "cleaning": _cleaning_of(table.cleaning),
        "importance": dict(zip(table.names, trees.importance.tolist(), strict=True)),
        "permutation": dict(zip(table.names, out.permutation.tolist(), strict=True)),
        "errors": errors_of(table, out.predicted), "settings": out.settings, "final": asdict(final),
    }  # fmt: skip
    artifacts.write_json(writer.run.path / REPORT, report)
    _write_predictions(writer.run.path / "predictions.csv", table, out.predicted)
    found: dict[str, Any] = to_json(report)
    return found


@dataclass(frozen=True)
class _OutOfFold:
    predicted: NDArray[np.float64]
    beside: dict[str, NDArray[np.float64]]
    permutation: NDArray[np.float64]
    settings: list[dict[str, Any]]


def _cross_validated(table: Table, config: TabularConfig, writer: RunWriter) -> _OutOfFold:
    """Settings are searched for within each fold's own training rows, never on those that are reported."""
    n_folds = min(config.folds, table.cleaning.n_groups)
    folds = speaker_folds([row.group for row in table.rows], n_folds, config.seed)
    predicted = np.zeros(len(table.rows))
    beside: dict[str, NDArray[np.float64]] = {}
    rise = np.zeros(len(table.names))
    settings = []
    for fold in range(n_folds):
        writer.check_stop()
        test = folds == fold
        x, y = table.values[~test], table.labels[~test]
        scaler = Scaler.fit(x)
        own = replace(config, seed=config.seed + fold)
        scaled, held = scaler.standardise(x), scaler.standardise(table.values[test])
        if config.search != "none":
            own = searched(scaled, y, table.groups[~test], own, own.seed)
        trees = fit(scaled, y, own, own.seed)
        predicted[test] = trees.predict(held)
        for name, scores in simple_baselines(scaled, y, held).items():
            beside.setdefault(name, np.zeros(len(table.rows)))[test] = scores
        rise += test.mean() * permutation_importance(trees.predict, held, table.labels[test], own.seed)
        settings.append({key: getattr(own, key) for key in ("trees", "min_leaf", "depth", "rate")})
        mae = float(np.abs(predicted[test] - table.labels[test]).mean())
        writer.log_metrics(event="fold", fold=fold, mae=mae, n=int(test.sum()))
        writer.update(progress=0.1 + 0.8 * (fold + 1) / n_folds, message=f"fold {fold + 1} of {n_folds}: MAE {mae:.1f}")
    if table.baseline is not None:
        beside[table.baseline[0]] = table.baseline[1]
    return _OutOfFold(predicted, beside, rise, settings)


def errors_of(table: Table, predicted: NDArray[np.float64]) -> dict[str, Any]:
    """Where it errs: the worst items, by person, by band of the label, and by quarters of the features whose errors
    differ most."""
    off = predicted - table.labels
    worst = np.argsort(-np.abs(off))[:WORST]
    return {
        "worst": [
            {"id": table.rows[i].id, "group": table.rows[i].group, "content": table.rows[i].content[:200],
             "label": float(table.labels[i]), "predicted": float(predicted[i])}
            for i in worst
        ],
        "by_group": _by(off, [row.group for row in table.rows]),
        "by_band": _by(off, [band_of(label).label for label in table.labels]),
        "by_feature": _by_feature(table, np.abs(off)),
    }  # fmt: skip


def _by(off: NDArray[np.float64], names: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for name in dict.fromkeys(names):
        own = off[np.array([one == name for one in names])]
        found.append({"name": name, "n": len(own), "mae": float(np.abs(own).mean()), "bias": float(own.mean())})
    return sorted(found, key=lambda one: -one["mae"])


def _by_feature(table: Table, off: NDArray[np.float64], most: int = 5) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, name in enumerate(table.names):
        edges = np.unique(np.quantile(table.values[:, number], EDGES))
        if len(edges) < 3:
            continue
        place = np.clip(np.searchsorted(edges, table.values[:, number], side="right") - 1, 0, len(edges) - 2)
        quarters = [float(off[place == part].mean()) for part in range(len(edges) - 1) if (place == part).any()]
        found.append({"feature": name, "mae_by_quarter": quarters, "range": max(quarters) - min(quarters)})
    return sorted(found, key=lambda one: -one["range"])[:most]


def _cleaning_of(found: Cleaning) -> dict[str, Any]:
    return {**{key: value for key, value in vars(found).items() if key != "kept"}, "n_kept": len(found.kept)}


def _write_predictions(path: Path, table: Table, predicted: NDArray[np.float64]) -> None:
    rows = zip(table.rows, predicted, strict=True)
    csvfile.write(
        path,
        ("id", "group", "label", "predicted"),
        ((row.id, row.group, row.label, round(float(score), 3)) for row, score in rows),
    )
