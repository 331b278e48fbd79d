"""Runs side by side: what they reached, at best and at last, and in which settings they differ."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import csvfile
from pipeline.markdown import literal
from pipeline.runs import RunDirectory
from pipeline.runs.metrics import MetricsReader, is_number

LOWER_IS_BETTER = ("mae", "rmse", "per", "wer", "loss", "greedy_per", "train_loss", "val_mae")
PER_EPOCH = ("train_loss", "val_mae")  # of a word scorer's folds
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Reached:
    """One figure of one run over its epochs; `best_epoch` is None where it was measured once, at the end."""

    last: float
    best: float
    best_epoch: int | None

    def __str__(self) -> str:
        """The last, and the best in brackets where that was another epoch's."""
        better = f" ({self.best:.3f} in epoch {self.best_epoch})" if self.best != self.last else ""
        return f"{self.last:.3f}{better}"


@dataclass(frozen=True)
class RunRow:
    id: str
    kind: str
    status: str
    figures: dict[str, Reached]


@dataclass(frozen=True)
class Comparison:
    """`differences` has, for each setting that is not the same in all runs, its value in each (None: not there); the
    settings of a section are named `section.setting`."""

    runs: tuple[RunRow, ...]
    differences: dict[str, dict[str, Any]]


def compare_runs(runs: Sequence[RunDirectory]) -> Comparison:
    """Any number of them, of any kind."""
    configs = {run.id: flat(run.config) for run in runs}
    keys = list(dict.fromkeys(key for config in configs.values() for key in config if key != "name"))
    differences = {
        key: {run_id: config.get(key) for run_id, config in configs.items()}
        for key in keys
        if len({repr(config.get(key)) for config in configs.values()}) > 1
    }
    return Comparison(tuple(_row(run) for run in runs), differences)


def flat(config: Mapping[str, Any], section: str = "") -> dict[str, Any]:
    """The settings of all sections in one mapping, as `section.setting`; an empty section is a setting."""
    settings: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            settings |= flat(value, f"{section}{name}.")
        else:
            settings[f"{section}{name}"] = value
    return settings


def setting_text(value: Any) -> str:
    """A setting of any type of JSON, on one line; nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def curves(metrics: MetricsReader) -> dict[str, tuple[str, Curve]]:
    """What the run logged, by name: over "Step" or "Epoch", and the values; of several folds the mean."""
    by_name: dict[str, tuple[str, Curve]] = {}
    for name in metrics.columns():
        if name != "epoch":
            by_name[f"{name} by step"] = ("Step", metrics.steps(name))
    for name, points in _series(metrics.rows("epoch")).items():
        x, y = (np.array(values, dtype=np.float64) for values in zip(*points, strict=True))
        by_name[name] = ("Epoch", (x, y))
    return by_name


def as_records(comparison: Comparison) -> list[dict[str, Any]]:
    """One object per run and figure, for tables elsewhere."""
    return [
        {"run": row.id, "kind": row.kind, "status": row.status, "figure": name, **vars(reached)}
        for row in comparison.runs
        for name, reached in row.figures.items()
    ]


def as_csv(comparison: Comparison, dialect: csvfile.Dialect = csvfile.COMMA) -> str:
    columns = ("run", "kind", "status", "figure", "last", "best", "best_epoch")
    return csvfile.of_records(columns, as_records(comparison), dialect)


def as_markdown(comparison: Comparison) -> str:
    """Two tables: what each reached (and its best, where that was another epoch), and the settings that differ."""
    ids = [literal(row.id) for row in comparison.runs]
    lines = [f"| | {' | '.join(ids)} |", f"|---|{'---|' * len(ids)}"]
    for name in dict.fromkeys(name for row in comparison.runs for name in row.figures):
        lines.append(f"| {name} | {' | '.join(str(row.figures.get(name, '-')) for row in comparison.runs)} |")
    if comparison.differences:
        lines += ["", f"| setting | {' | '.join(ids)} |", f"|---|{'---|' * len(ids)}"]
        for key, values in comparison.differences.items():
            shown = [literal(values[row.id]) for row in comparison.runs]
            lines.append(f"| {literal(key)} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _row(run: RunDirectory) -> RunRow:
    state = run.state
    series = _series([line for line in run.metrics() if line.get("event") == "epoch"])
    figures: dict[str, Reached] = {}
    for name, points in series.items():
        epoch, best = (min if name in LOWER_IS_BETTER else max)(points, key=lambda pair: pair[1])
        figures[name] = Reached(points[-1][1], best, epoch)
    for name, value in figures_of(state.result).items():
        figures.setdefault(name, Reached(value, value, None))
    return RunRow(run.id, state.kind, state.status, figures)


def _series(lines: Sequence[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """Epoch and value of each figure; of several folds the mean."""
    values: dict[str, dict[int, list[float]]] = {}
    for line in lines:
        if not is_number(line.get("epoch")):
            continue
        for name, value in figures_of(line).items():
            values.setdefault(name, {}).setdefault(int(line["epoch"]), []).append(value)
    return {
        name: [(epoch, sum(of) / len(of)) for epoch, of in sorted(by_epoch.items())]
        for name, by_epoch in values.items()
    }


def figures_of(content: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of an epoch's line or of a run's result, whichever kind of run it is."""
    figures: dict[str, float] = {}
    for key in ("held_out", "metrics", "table3"):
        for name, value in section_of(content, key).items():
            number = value.get("ours") if isinstance(value, Mapping) else value
            if is_number(number):
                figures[name] = float(number)
    figures |= {name: float(content[name]) for name in PER_EPOCH if is_number(content.get(name))}
    losses = [float(value) for value in section_of(content, "losses").values() if is_number(value)]
    if losses:
        figures["loss"] = sum(losses)
    return figures


def section_of(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Empty where it is not there, or is something else."""
    value = content.get(key)
    return value if isinstance(value, Mapping) else {}
