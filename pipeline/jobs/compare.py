"""Runs side by side: what they reached, at best and at last, and in which settings they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.runs import RunDirectory

LOWER_IS_BETTER = ("mae", "rmse", "per", "wer", "loss", "greedy_per")


@dataclass(frozen=True)
class Reached:
    """One figure of one run over its epochs; `best_epoch` is None where it was measured once, at the end."""

    last: float
    best: float
    best_epoch: int | None


@dataclass(frozen=True)
class RunRow:
    id: str
    kind: str
    status: str
    figures: dict[str, Reached]


@dataclass(frozen=True)
class Comparison:
    """`differences` has, for each setting that is not the same in all runs, its value in each (None: not there)."""

    runs: tuple[RunRow, ...]
    differences: dict[str, dict[str, Any]]


def compare_runs(runs: Sequence[RunDirectory]) -> Comparison:
    configs = {run.id: run.config for run in runs}
    keys = list(dict.fromkeys(key for config in configs.values() for key in config if key != "name"))
    differences = {
        key: {run_id: config.get(key) for run_id, config in configs.items()}
        for key in keys
        if len({repr(config.get(key)) for config in configs.values()}) > 1
    }
    return Comparison(tuple(_row(run) for run in runs), differences)


def _row(run: RunDirectory) -> RunRow:
    state = run.state
    epochs = [(int(line["epoch"]), _figures(line)) for line in run.metrics() if line.get("event") == "epoch"]
    found: dict[str, Reached] = {}
    for name in dict.fromkeys(name for _, figures in epochs for name in figures):
        series = [(figures[name], epoch) for epoch, figures in epochs if name in figures]
        best, epoch = (min if name in LOWER_IS_BETTER else max)(series, key=lambda pair: pair[0])
        found[name] = Reached(series[-1][0], best, epoch)
    for name, value in _figures(state.result).items():
        found.setdefault(name, Reached(value, value, None))
    return RunRow(run.id, state.kind, state.status, found)


def _figures(content: dict[str, Any]) -> dict[str, float]:
    """The numbers of an epoch's line or of a run's result, whichever kind of run it is."""
    found: dict[str, float] = {}
    for key in ("held_out", "metrics", "table3"):
        for name, value in (content.get(key) or {}).items():
            number = value.get("ours") if isinstance(value, dict) else value
            if isinstance(number, int | float) and not isinstance(number, bool):
                found[name] = float(number)
    losses = content.get("losses")
    if losses:
        found["loss"] = float(sum(losses.values()))
    return found
