"""Runs side by side: what they reached, at best and at last, over seeds, and in which settings they differ."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, csvfile
from pipeline.i18n import interval
from pipeline.markdown import literal
from pipeline.runs import RunDirectory
from pipeline.runs.metrics import MetricsReader, is_number

MISS_AT = "miss_at_{}_per_hour"  # of a wake word: the share of missed words at so many false alarms
LOWER_IS_BETTER = (
    "mae", "rmse", "per", "wer", "loss", "greedy_per", "train_loss", "val_mae", "validation_mae", "eer",
    "miss_at_few_alarms", "validation_loss", "validation_per", "validation_wer", "best_value",
)  # fmt: skip
PER_EPOCH = ("train_loss", "val_mae", "validation_mae")  # of folds, and of a text encoder
EVALUATION = "evaluation.json"  # of a wake word, in its run's directory
UNCOMPARED = ("name", "seed")  # settings in which seeds of one experiment differ
CONFIDENCE = 0.95
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Reached:
    """One figure of one run: `last` is its result, or the last of its epochs where no result has it. `best_epoch` is
    None where no epoch was better than the result."""

    last: float
    best: float
    best_epoch: int | None

    def __str__(self) -> str:
        """The last, and the best in brackets where that was another epoch's."""
        better = f" ({figure_text(self.best)} in epoch {self.best_epoch})" if self.best != self.last else ""
        return f"{figure_text(self.last)}{better}"


def figure_text(value: float) -> str:
    """To three places; a count, which is a whole number above 1, as one."""
    return f"{value:.0f}" if value > 1.0 and value.is_integer() else f"{value:.3f}"


@dataclass(frozen=True)
class RunRow:
    id: str
    kind: str
    status: str
    figures: dict[str, Reached]


@dataclass(frozen=True)
class OverSeeds:
    """One figure over runs that differ in their seed alone: the mean, and its 95 % interval by Student's t (None for a
    single run that has measured it)."""

    mean: float
    interval: tuple[float, float] | None
    n: int

    def __str__(self) -> str:
        if self.interval is None or self.interval[0] == self.interval[1]:
            return figure_text(self.mean)
        return f"{self.mean:.3f} {interval(*(f'{bound:.3f}' for bound in self.interval))}"


@dataclass(frozen=True)
class SeedGroup:
    """Runs of one kind with equal settings but for name and seed; `name` is that of the first without its seed."""

    name: str
    run_ids: tuple[str, ...]
    seeds: tuple[Any, ...]
    figures: dict[str, OverSeeds]


@dataclass(frozen=True)
class Comparison:
    """`differences` has, for each setting that is not the same in all runs, its value in each (None: not there); the
    settings of a section are named `section.setting`. `groups` are runs that differ in their seed alone, two and more
    of them."""

    runs: tuple[RunRow, ...]
    differences: dict[str, dict[str, Any]]
    groups: tuple[SeedGroup, ...] = ()

    @property
    def shared(self) -> dict[str, dict[str, Any]]:
        """The differences in settings that all the runs have, as runs of one kind do."""
        return {key: values for key, values in self.differences.items() if None not in values.values()}


def compare_runs(runs: Sequence[RunDirectory]) -> Comparison:
    """Any number of them, of any kind."""
    configs = {run.id: flat(run.config) for run in runs}
    keys = list(dict.fromkeys(key for config in configs.values() for key in config if key != "name"))
    differences = {
        key: {run_id: config.get(key) for run_id, config in configs.items()}
        for key in keys
        if len({repr(config.get(key)) for config in configs.values()}) > 1
    }
    rows = tuple(_row(run) for run in runs)
    return Comparison(rows, differences, seed_groups(rows, configs))


def seed_groups(rows: Sequence[RunRow], configs: Mapping[str, Mapping[str, Any]]) -> tuple[SeedGroup, ...]:
    """`configs` are flat, by the id of the run."""
    alike: dict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        settings = {key: value for key, value in configs[row.id].items() if key not in UNCOMPARED}
        alike[json.dumps([row.kind, settings], sort_keys=True, default=str)].append(row)
    groups = []
    for members in alike.values():
        seeds = tuple(configs[row.id].get("seed") for row in members)
        if len(members) < 2 or len(set(map(repr, seeds))) < 2:
            continue
        names = dict.fromkeys(name for row in members for name in row.figures)
        figures = {
            name: over_seeds([row.figures[name].last for row in members if name in row.figures]) for name in names
        }
        first = str(configs[members[0].id].get("name") or members[0].id)
        groups.append(SeedGroup(first.rsplit("-seed", 1)[0], tuple(row.id for row in members), seeds, figures))
    return tuple(groups)


def over_seeds(values: Sequence[float]) -> OverSeeds:
    """The mean of values of several seeds with its 95 % interval by Student's t."""
    from scipy import stats  # a second to load, for a table that few commands print

    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return OverSeeds(mean, None, n)
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1)) * float(np.std(values, ddof=1)) / n**0.5
    return OverSeeds(mean, (mean - half, mean + half), n)


def flat(config: Mapping[str, Any], section: str = "") -> dict[str, Any]:
    """The settings of all sections in one mapping, as `section.setting`, those of a list of sections by their place:
    `section.1.setting`; an empty section has none."""
    settings: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            settings |= flat(value, f"{section}{name}.")
        elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
            settings |= flat({str(place): entry for place, entry in enumerate(value, start=1)}, f"{section}{name}.")
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
    for group in comparison.groups:
        seeds = ", ".join(map(str, group.seeds))
        lines += ["", f"{literal(group.name)}, mean over seeds {seeds} [95 % interval]:", "", "| | mean |", "|---|---|"]
        lines += [f"| {name} | {over} |" for name, over in group.figures.items()]
    if comparison.differences:
        lines += ["", f"| setting | {' | '.join(ids)} |", f"|---|{'---|' * len(ids)}"]
        for key, values in comparison.differences.items():
            shown = [literal(setting_text(values[row.id])) or "-" for row in comparison.runs]
            lines.append(f"| {literal(key)} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _row(run: RunDirectory) -> RunRow:
    state = run.state
    series = _series([line for line in run.metrics() if line.get("event") == "epoch"])
    figures: dict[str, Reached] = {}
    for name, points in series.items():
        epoch, best = (min if lower_is_better(name) else max)(points, key=lambda pair: pair[1])
        figures[name] = Reached(points[-1][1], best, epoch)
    for name, value in (figures_of(state.result) | _misses(run)).items():
        sign, curve = -1.0 if lower_is_better(name) else 1.0, figures.get(name)
        if curve is not None and sign * curve.best > sign * value:
            figures[name] = replace(curve, last=value)
        else:
            figures[name] = Reached(value, value, None)
    return RunRow(run.id, state.kind, state.status, figures)


def lower_is_better(name: str) -> bool:
    return name in LOWER_IS_BETTER or name.startswith(MISS_AT.partition("{")[0])


def _misses(run: RunDirectory) -> dict[str, float]:
    """What the evaluation of a wake word measured on hours of sound: missed words at some false alarms per hour, and
    the equal error rate of its clips; nothing where there is none, or it was damaged."""
    try:
        evaluation = artifacts.read_json(run.path / EVALUATION)
    except (OSError, ValueError):
        return {}
    if not isinstance(evaluation, Mapping):
        return {}
    points = section_of(section_of(evaluation, "stream"), "at_fah")
    rates = {MISS_AT.format(alarms): section_of(points, alarms).get("miss_rate") for alarms in points}
    rates["eer"] = section_of(evaluation, "clips").get("eer")
    return {name: float(rate) for name, rate in rates.items() if is_number(rate)}


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
    if is_number(content.get("value")) and "settings" in content:  # of a search: its best trial
        figures["best_value"] = float(content["value"])
    losses = [float(value) for value in section_of(content, "losses").values() if is_number(value)]
    if losses:
        figures["loss"] = sum(losses)
    return figures


def section_of(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Empty where it is not there, or is something else."""
    value = content.get(key)
    return value if isinstance(value, Mapping) else {}
