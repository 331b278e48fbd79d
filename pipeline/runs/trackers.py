"""Metrics of a run, sent on as they are logged: TensorBoard, Weights & Biases, MLflow; the same for every kind of run.

`metrics.jsonl` is the truth. A tracker is a copy: one that fails is left alone from then on, and the run goes on.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, Protocol

from pipeline.optional import is_there

TENSORBOARD, WANDB, MLFLOW = "tensorboard", "wandb", "mlflow"
PACKAGES = {TENSORBOARD: "tensorboardX", WANDB: "wandb", MLFLOW: "mlflow"}
VARIABLE = "PRONLAB_TRACKERS"
FLUSH_EVERY_S = 10.0  # of TensorBoard's events, to the disk
PLACE = ("at", "event", "step", "at_step", "epoch", "fold", "trial")  # where a figure belongs, not a figure


class Tracker(Protocol):
    def log(self, figures: Mapping[str, float], step: int) -> None: ...

    def close(self) -> None: ...


def names_in(text: str) -> list[str]:
    """Trackers by name, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def unknown_trackers(text: str) -> list[str]:
    """In words, those that there are not."""
    known = ", ".join(PACKAGES)
    return [f"trackers are {known}, got {name!r}" for name in names_in(text) if name not in PACKAGES]


class Trackers:
    """All trackers of one run: TensorBoard's events in its folder, those in its setting `trackers`, and those that the
    environment variable PRONLAB_TRACKERS names. Opened with the first metrics, so that other jobs load none."""

    def __init__(self, folder: Path, config: Mapping[str, Any], report: Callable[[str], None]) -> None:
        self._folder, self._config, self._report = folder, config, report
        self._open: dict[str, Tracker] | None = None
        self._n = 0

    def log(self, row: Mapping[str, Any]) -> None:
        figures = dict(scalars(row))
        self._n += 1
        places = (row.get(name) for name in ("step", "at_step", "epoch"))
        step = next((int(place) for place in places if isinstance(place, int | float)), None)
        if figures:
            self._each(lambda tracker: tracker.log(figures, self._n if step is None else step))

    def close(self) -> None:
        if self._open is not None:
            self._each(lambda tracker: tracker.close())
            self._open = {}

    def _each(self, work: Callable[[Tracker], None]) -> None:
        if self._open is None:
            self._open = dict(self._opened())
        for name, tracker in list(self._open.items()):
            try:
                work(tracker)
            except Exception as error:  # noqa: BLE001 - a service's or a network's: it must not end a training
                del self._open[name]
                self._report(f"{name} gets no more figures: {error}")

    def _opened(self) -> Iterator[tuple[str, Tracker]]:
        asked = [*names_in(str(self._config.get("trackers") or "")), *names_in(os.environ.get(VARIABLE, ""))]
        for name in dict.fromkeys([TENSORBOARD, *asked]):
            package = PACKAGES.get(name)
            if package is None or not is_there(package):
                if name in asked:
                    self._report(f"{name} gets no figures: {'it is unknown' if package is None else 'not installed'}.")
                continue
            try:
                yield name, MAKERS[name](self._folder, self._config)
            except Exception as error:  # noqa: BLE001 - as above
                self._report(f"{name} gets no figures: {error}")


def scalars(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of one line of metrics by name: `epoch/table3/per`, `fold2/epoch/val_mae`."""
    prefix = [f"fold{row['fold']}"] if row.get("fold") is not None else []
    prefix += [str(row["event"])] if row.get("event") else []
    yield from _flat({name: value for name, value in row.items() if name not in PLACE}, prefix)


def _flat(values: Mapping[str, Any], prefix: list[str]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        path = [*prefix, str(name)]
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        elif isinstance(value, bool):
            continue
        elif isinstance(value, Real):
            yield "/".join(path), float(value)


class _TensorBoard:
    """Written by the thread that logs. The library's SummaryWriter hands events to a thread by a queue, which a Ctrl+C
    can leave so that closing it waits for ever."""

    def __init__(self, folder: Path, _: Mapping[str, Any]) -> None:
        from tensorboardX.event_file_writer import EventsWriter

        place = folder / "tensorboard"
        place.mkdir(parents=True, exist_ok=True)
        self._events: Any = EventsWriter(str(place / "events"))
        self._flushed_at = time.monotonic()

    def log(self, figures: Mapping[str, float], step: int) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        for name, value in figures.items():
            self._events.write_event(Event(wall_time=time.time(), step=step, summary=scalar(name, value)))
        if time.monotonic() - self._flushed_at >= FLUSH_EVERY_S:
            self._events.flush()
            self._flushed_at = time.monotonic()

    def close(self) -> None:
        self._events.close()


class _Wandb:
    """Steps of several events would run against each other: they are figures of their own here."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        import wandb

        project = os.environ.get("WANDB_PROJECT", "pronlab")
        self._run: Any = wandb.init(
            project=project, id=folder.name, name=folder.name, dir=str(folder), config=dict(config), resume="allow"
        )

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self._run.log({**figures, "step": step})

    def close(self) -> None:
        self._run.finish()


class _Mlflow:
    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        import mlflow

        self._client: Any = mlflow.tracking.MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "pronlab")
        experiment = self._client.get_experiment_by_name(name)
        number = self._client.create_experiment(name) if experiment is None else experiment.experiment_id
        self._id = self._client.create_run(number, run_name=folder.name).info.run_id
        for key, value in config.items():
            self._client.log_param(self._id, key, str(value)[:500])

    def log(self, figures: Mapping[str, float], step: int) -> None:
        for name, value in figures.items():
            self._client.log_metric(self._id, name, value, step=step)

    def close(self) -> None:
        self._client.set_terminated(self._id)


MAKERS: dict[str, Callable[[Path, Mapping[str, Any]], Tracker]] = {
    TENSORBOARD: _TensorBoard,
    WANDB: _Wandb,
    MLFLOW: _Mlflow,
}
