"""What a run logs, sent on to trackers; whatever they do, the run goes on."""

import struct
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event

from pipeline.runs import RunDirectory
from pipeline.runs.trackers import scalars

ROW = {
    "event": "epoch", "epoch": 2, "fold": 1, "loss": 0.5, "note": "x", "ok": True, "table3": {"per": 0.2, "f1": None},
}  # fmt: skip


class Service:
    """Stands for a tracker's package: keeps what it is told, and fails from the `fails`-th figures on."""

    def __init__(self, fails: int | None = None) -> None:
        self.told: list[Any] = []
        self._fails = fails

    def init(self, **given: Any) -> "Service":
        self.told.append(given)
        return self

    def log(self, figures: dict[str, float]) -> None:
        if self._fails is not None and len(self.told) >= self._fails:
            raise ConnectionError("no route")
        self.told.append(figures)

    def finish(self) -> None:
        self.told.append("finished")


class Client(Service):
    """MLflow's, under its own names."""

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id=name)

    def create_run(self, experiment: str, run_name: str) -> Any:
        self.told.append((experiment, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="7"))

    def log_param(self, run: str, key: str, value: str) -> None:
        self.told.append((run, key, value))

    def log_metric(self, run: str, name: str, value: float, step: int) -> None:
        self.told.append((run, name, value, step))

    def set_terminated(self, run: str) -> None:
        self.told.append("finished")


def logged(root: Path, kind: str, config: dict[str, Any]) -> RunDirectory:
    run = RunDirectory.create(root, kind=kind, name="r", config=config)
    with run.start() as writer:
        writer.log_metrics(**ROW)
        writer.log_metrics(event="step", step=5, loss=0.25)
    return run


def test_numbers_are_named_by_fold_and_event() -> None:
    assert dict(scalars(ROW)) == {"fold1/epoch/loss": 0.5, "fold1/epoch/table3/per": 0.2}


@pytest.mark.parametrize("kind", ["word", "speech", "speechllm", "wakeword", "table", "prompts"])
def test_every_kind_of_run_writes_tensorboards_events(kind: str, tmp_path: Path) -> None:
    run = logged(tmp_path, kind, {})
    (file,) = (run.path / "tensorboard").glob("events*")
    assert b"fold1/epoch/loss" in file.read_bytes()


def test_an_interrupted_run_waits_for_no_thread_of_tensorboards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Ctrl+C between two lines of a queue's `put` left it so that closing waited for ever."""
    run = RunDirectory.create(tmp_path, kind="wakeword", name="wakeword", config={})
    with pytest.raises(KeyboardInterrupt), run.start() as writer:
        before = threading.active_count()
        writer.log_metrics(event="step", step=5, loss=0.25)
        assert threading.active_count() == before
        raise KeyboardInterrupt
    assert (run.state.status, run.state.error) == ("stopped", None), "by a person, as with the page's button"
    (file,) = (run.path / "tensorboard").glob("events*")
    steps: dict[str, tuple[int, float]] = {}
    content = file.read_bytes()
    while content:  # length, its checksum, event, its checksum
        (size,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + size])
        steps |= {value.tag: (event.step, value.simple_value) for value in event.summary.value}
        content = content[16 + size :]
    assert steps == {"step/loss": (5, 0.25)}


def test_services_get_the_figures_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb, mlflow = Service(), Client()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(tracking=SimpleNamespace(MlflowClient=lambda: mlflow)))
    run = logged(tmp_path, "speechllm", {"trackers": "wandb", "r": 8})
    assert wandb.told[0]["id"] == run.id
    assert wandb.told[0]["config"] == {"trackers": "wandb", "r": 8}
    assert wandb.told[1:] == [
        {"fold1/epoch/loss": 0.5, "fold1/epoch/table3/per": 0.2, "step": 2}, {"step/loss": 0.25, "step": 5}, "finished",
    ]  # fmt: skip
    assert not mlflow.told
    monkeypatch.setenv("PRONLAB_TRACKERS", "mlflow, wandb")
    run = logged(tmp_path, "table", {"trees": 5})
    assert mlflow.told[:2] == [("pronlab", run.id), ("7", "trees", "5")]
    assert ("7", "fold1/epoch/loss", 0.5, 2) in mlflow.told
    assert mlflow.told[-1] == "finished"


def test_a_tracker_that_fails_is_left_alone_and_the_run_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", Service(fails=2))
    monkeypatch.setenv("PRONLAB_TRACKERS", "wandb,mlflow,excel")
    monkeypatch.setattr("pipeline.runs.trackers.is_there", lambda package: package != "mlflow")
    run = logged(tmp_path, "word", {})
    assert run.state.status == "finished"
    log = run.log_tail()
    assert "wandb gets no more figures: no route" in log
    assert "mlflow gets no figures: not installed." in log
    assert "excel gets no figures: it is unknown." in log
    assert len(run.metrics()) == 2
