"""A run whose folder is deleted while it goes on: it ends with one line, leaves nothing, and the queue moves on."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline import artifacts
from pipeline.errors import TrainingError
from pipeline.jobs.checkpoints import read_tensors
from pipeline.jobs.device_queue import device_turn
from pipeline.runs import RunDirectory, RunGone, list_runs, scan_runs
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.settings import CHECKOUT, Settings


def until(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def started(settings: Settings, name: str) -> tuple[RunDirectory, "subprocess.Popen[str]"]:
    """A training in a process of its own, as the launcher starts it."""
    config = TrainConfig(set="tiny", name=name, epochs=9000, patience=9000, folds=2)
    run = RunDirectory.create(settings.runs_root, kind="word", name=name, config=config, seed=0)
    roots = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "train", "word", "--run", str(run.path)], cwd=CHECKOUT,
        env={**os.environ, **roots, "PYTHONPATH": str(CHECKOUT)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    return run, process


def take_turn(settings: Settings, run: RunDirectory) -> None:
    with run.start() as writer, device_turn(settings, writer):
        pass


def test_a_training_ends_with_one_line_and_the_next_begins(settings: Settings, tiny_set: str) -> None:
    first, one = started(settings, "first")
    until(lambda: len(first.metrics()) > 3)
    second = RunDirectory.create(settings.runs_root, kind="word", name="second", config={})
    other = threading.Thread(target=take_turn, args=(settings, second))
    other.start()
    until(lambda: second.state.waits_for != "")
    shutil.rmtree(first.path, ignore_errors=True)  # as `rm -rf`, while the run writes into it
    _, words = one.communicate(timeout=120)
    assert one.returncode == 1
    (line,) = words.strip().splitlines()
    assert line.startswith("pronlab: ")
    assert f"The folder of the run {first.id} was deleted while it ran" in line
    assert not first.path.exists(), "not even in part"
    assert not list(settings.runs_root.glob(f"{artifacts.TEMPORARY_PREFIX}*"))
    other.join(120)
    assert second.state.status == "finished"
    assert [run.id for run in list_runs(settings.runs_root)] == [second.id]
    assert not scan_runs(settings.runs_root).damaged


def test_one_that_waits_for_its_turn_ends_as_well(settings: Settings) -> None:
    held, waiting = (
        RunDirectory.create(settings.runs_root, kind="word", name=name, config={}) for name in ("held", "waiting")
    )
    with held.start() as holder, device_turn(settings, holder):
        with pytest.raises(RunGone), waiting.start() as writer:
            shutil.rmtree(waiting.path)
            with device_turn(settings, writer):
                pytest.fail("it is not its turn")
        assert not waiting.path.exists()
    assert held.state.status == "finished"


@pytest.mark.parametrize(
    "made_again", ["nothing", "by a library", "half deleted", "another run", "the configuration alone"]
)
def test_nothing_is_left_of_it_whatever_was_written_since(tmp_path: Path, made_again: str) -> None:
    run = RunDirectory.create(tmp_path, kind="word", name="x", config={"a": 1})
    other = RunDirectory.create(tmp_path / "elsewhere", kind="word", name="x", config={"b": 1})
    with pytest.raises(RunGone, match="was deleted while it ran") as error, run.start() as writer:
        if made_again in ("half deleted", "the configuration alone"):
            (run.path / "config.json").unlink()  # as `rm -r` at this moment
            if made_again != "half deleted":
                artifacts.write_text(run.path / "checkpoints" / "last", "x")
                os.utime(run.path / "checkpoints" / "last", (0, 0))
        else:
            shutil.rmtree(run.path)
        if made_again == "by a library":
            artifacts.write_text(run.path / "checkpoints" / "x", "x")
        if made_again == "another run":
            shutil.copytree(other.path, run.path)
        with pytest.raises(RunGone):
            writer.update(message="on")
        with pytest.raises(RunGone):
            writer.log_metrics(event="step", step=1)
        writer.check_stop()
    assert "\n" not in str(error.value)
    assert run.path.exists() == (made_again in ("another run", "the configuration alone"))
    if made_again == "the configuration alone":
        assert (run.path / "checkpoints" / "last").is_file(), "weights are not thrown away for a slip"
    if made_again == "another run":
        assert (run.state.status, run.config) == ("queued", {"b": 1})


def test_any_error_of_a_deleted_run_is_told_as_that(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, kind="word", name="x", config={})
    with pytest.raises(RunGone), run.start():
        shutil.rmtree(run.path)
        (run.path / "metrics.jsonl").read_text()
    with pytest.raises(RunGone, match="is gone"):
        _ = run.state
    with pytest.raises(RunGone, match="is gone"):
        run.request_stop()
    with pytest.raises(RunGone):
        _ = run.config
    assert (run.metrics(), run.usage(), run.log_tail(), run.size_mb) == ([], [], "", 0.0)
    run.delete()


def test_no_handle_of_the_folder_stays_open(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    for _ in range(5):
        run = RunDirectory.create(tmp_path, kind="word", name="x", config={})
        with run.start() as writer:
            writer.log("x")
    assert psutil.Process().num_fds() <= before + 1


def test_deleted_checkpoints_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is missing: was it deleted while the run went on"):
        read_tensors(tmp_path / "best.safetensors")
