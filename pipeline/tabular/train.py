"""Train trees on a task's table: cleaned, cross-validated over groups beside the task's rule, a mean and a ridge,
searched where asked, explained, and fitted on everything for use."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, csvfile
from pipeline.corpus.splits import speaker_folds
from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message, joined
from pipeline.jobs.requirements import require_packages
from pipeline.metrics.regression import regression_metrics
from pipeline.parallel import Progress
from pipeline.records import band_of, to_json
from pipeline.regressors.confidence import confidence_table
from pipeline.regressors.cross_validation import FoldModel, cross_validate, trial_logger
from pipeline.regressors.trees import SEARCHED, fit_scaled
from pipeline.runs import RunWriter, now_iso
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
        why = [Message("{n} {reason}", n=n, reason=Message(reason)) for reason, n in cleaning.dropped.items()]
        raise TrainingError(
            N_(
                "There is too little to learn from (usable items: {n}, people: {n_people}); at least {fewest} items "
                "of {fewest_people} people are needed{why}."
            ),
            n=len(cleaning.kept),
            n_people=cleaning.n_groups,
            fewest=FEWEST,
            fewest_people=FEWEST_GROUPS,
            why=Message(" ({reasons})", reasons=joined(why, ",")) if why else "",
        )
    values = task.features(settings, source, cleaning.kept, progress)
    if not np.isfinite(values).all():
        raise TrainingError(N_("The features of the task {name} hold values that are no numbers."), name=task.name)
    labels = labels_of(cleaning.kept)
    return Table(
        task.name, cleaning.kept, task.feature_names(settings), values, labels,
        task.baseline(settings, source, cleaning.kept), cleaning,
    )  # fmt: skip


def train_tabular(
    settings: Settings, config: TabularConfig, writer: RunWriter, progress: Progress | None = None
) -> dict[str, Any]:
    """Leaves `model/`, `report.json` and `predictions.csv` in the run's directory; returns the report."""
    require_packages("table", config)
    task = get_task(config.task)
    table = load_table(settings, task, config.source, progress)
    writer.log(f"{table.cleaning.n} items, {len(table.rows)} kept of {table.cleaning.n_groups} people")
    unmeasured = task.unmeasured()
    if unmeasured:
        writer.log(unmeasured)
    groups = [row.group for row in table.rows]
    folds = speaker_folds(groups, min(config.folds, table.cleaning.n_groups), config.seed)
    out_of_fold = cross_validate(
        table.values, table.labels, folds, lambda fold, train: _fit_fold(table, config, fold, train, writer), writer,
        seed=config.seed, progress=(0.1, 0.9),
    )  # fmt: skip
    predicted = out_of_fold.predicted
    predictions = out_of_fold.baselines | ({} if table.baseline is None else dict([table.baseline]))
    measured = regression_metrics(table.labels, predicted, speakers=groups)
    baselines = {
        name: regression_metrics(table.labels, scores, speakers=groups) for name, scores in predictions.items()
    }
    writer.update(progress=0.9, message=Message(N_("fitting on everything")))
    final = fit_scaled(table.values, table.labels, table.groups, config, config.seed, trial_logger(writer, None))
    info = TabularInfo(
        writer.run.id, config.task, config.model, table.names, confidence_table(table.labels, predicted),
        config.source, len(table.rows), table.cleaning.n_groups, now_iso(), to_json(measured),
        to_json(asdict(final.settings)),
    )  # fmt: skip
    chosen = np.random.default_rng(config.seed).permutation(len(table.rows))[:REFERENCE_ROWS]
    folder = writer.run.path / MODEL_FOLDER
    save_model(folder, TabularModel(info, final.scaler, final.trees, table.values[chosen]))
    report = {
        "metrics": measured, "baselines": baselines, "cleaning": _cleaning_of(table.cleaning),
        "importance": dict(zip(table.names, final.trees.importance.tolist(), strict=True)),
        "permutation": dict(zip(table.names, out_of_fold.importance.tolist(), strict=True)),
        "errors": errors_of(table.rows, table.names, table.values, predicted), "settings": out_of_fold.details,
        "final": asdict(final.settings), "unmeasured": unmeasured,
    }  # fmt: skip
    artifacts.write_json(writer.run.path / REPORT, report)
    write_predictions(writer.run.path, table.rows, predicted)
    content: dict[str, Any] = to_json(report)
    return content


def _fit_fold(table: Table, config: TabularConfig, fold: int, train: NDArray[np.bool_], writer: RunWriter) -> FoldModel:
    """Settings are searched for within the fold's training rows, never on those that are reported."""
    fitted = fit_scaled(
        table.values[train], table.labels[train], table.groups[train], config, config.seed + fold,
        trial_logger(writer, fold),
    )  # fmt: skip
    return FoldModel(fitted.predict, {key: getattr(fitted.settings, key) for key in SEARCHED})


def errors_of(
    rows: Sequence[Row], names: Sequence[str], values: NDArray[np.float32], predicted: NDArray[np.float64]
) -> dict[str, Any]:
    """Where a model errs: the worst items, by person, by band of the label, and by quarters of those features
    (`names` [d], `values` [n, d]) whose errors differ most."""
    labels = labels_of(rows)
    off = predicted - labels
    worst = np.argsort(-np.abs(off))[:WORST]
    return {
        "worst": [
            {"id": rows[i].id, "group": rows[i].group, "content": rows[i].content[:200],
             "label": float(labels[i]), "predicted": float(predicted[i])}
            for i in worst
        ],
        "by_group": _by(off, [row.group for row in rows]),
        "by_band": _by(off, [band_of(label).label for label in labels]),
        "by_feature": _by_feature(names, values, np.abs(off)),
    }  # fmt: skip


def labels_of(rows: Sequence[Row]) -> NDArray[np.float64]:
    """[n], of rows that have one."""
    return np.array([row.label for row in rows], dtype=np.float64)


def _by(off: NDArray[np.float64], names: Sequence[str]) -> list[dict[str, Any]]:
    groups = []
    for name in dict.fromkeys(names):
        errors = off[np.array([other == name for other in names])]
        groups.append(
            {"name": name, "n": len(errors), "mae": float(np.abs(errors).mean()), "bias": float(errors.mean())}
        )
    return sorted(groups, key=lambda group: -group["mae"])


def _by_feature(
    names: Sequence[str], values: NDArray[np.float32], off: NDArray[np.float64], most: int = 5
) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        edges = np.unique(np.quantile(values[:, number], EDGES))
        if len(edges) < 3:
            continue
        quarter = np.clip(np.searchsorted(edges, values[:, number], side="right") - 1, 0, len(edges) - 2)
        quarters = [float(off[quarter == part].mean()) for part in range(len(edges) - 1) if (quarter == part).any()]
        features.append({"feature": name, "mae_by_quarter": quarters, "range": max(quarters) - min(quarters)})
    return sorted(features, key=lambda feature: -feature["range"])[:most]


def _cleaning_of(cleaning: Cleaning) -> dict[str, Any]:
    return {**{key: value for key, value in vars(cleaning).items() if key != "kept"}, "n_kept": len(cleaning.kept)}


def write_predictions(folder: Path, rows: Sequence[Row], predicted: NDArray[np.float64]) -> None:
    """`predictions.csv`: each item as predicted by a model that has seen nothing of whoever made it."""
    csvfile.write(
        folder / "predictions.csv",
        ("id", "group", "label", "predicted"),
        ((row.id, row.group, row.label, round(float(score), 3)) for row, score in zip(rows, predicted, strict=True)),
    )
