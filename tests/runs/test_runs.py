"""Run directories and background jobs: states, liveness, stopping, what is left after a death."""

import errno
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.errors import JobError, UnknownNameError
from pipeline.jobs.launcher import Where, find, launch, launch_training, resume
from pipeline.processes import this_machine
from pipeline.reasons import NO_SPACE
from pipeline.runs import STALE_AFTER_S, RunDirectory, RunState, list_runs
from pipeline.runs.metrics import MetricsReader
from pipeline.runs.notes import Notes, read_notes, write_notes
from pipeline.runs.state import START_WITHIN_S
from pipeline.runs.usage import UsageMeter
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.settings import Settings


def until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def new(root: Path, name: str = "x") -> RunDirectory:
    return RunDirectory.create(root, kind="word", name=name, config={"a": 1}, seed=3)


def test_a_run_tells_where_it_comes_from(tmp_path: Path) -> None:
    run = new(tmp_path, "çiçek / ../ x")
    assert run.path.parent == tmp_path
    assert run.config == {"a": 1}
    state = run.state
    assert (state.status, state.seed, state.kind) == ("queued", 3, "word")
    assert {"python", "torch", "numpy"} <= set(state.versions)
    assert RunDirectory.open(tmp_path, run.id) == run


def test_a_run_of_a_long_name_has_a_folder_of_its_beginning(tmp_path: Path) -> None:
    words = "-".join(["ç" * 60, "ğ" * 60, "ş" * 60])
    run = RunDirectory.create(tmp_path, kind="wakeword", name=words, config={})
    work = RunDirectory.create(tmp_path, kind="wakeword-robustness", name=f"robustness-{run.id}", config={})
    assert run.state.name == words and run.id.startswith("ç" * 60 + "-ğ")
    assert RunDirectory.open(tmp_path, work.id).state.name == f"robustness-{run.id}"


def test_progress_metrics_and_result_are_read_back(tmp_path: Path) -> None:
    run = new(tmp_path)
    with run.start() as writer:
        assert run.state.status == "running"
        assert run.state.pid == os.getpid()
        writer.update(progress=0.5, message="half")
        writer.log_metrics(epoch=1, loss=float("nan"))
        writer.log("a line")
        with (run.path / "metrics.jsonl").open("a") as file:
            file.write('{"epoch": 2, "lo')
        assert (run.state.progress, run.state.message) == (0.5, "half")
        writer.update(result={"mae": 4.0})
    assert [(row["epoch"], row["loss"]) for row in run.metrics()] == [(1, None)]
    assert run.log_tail().endswith("a line\n")
    assert (run.state.status, run.state.result) == ("finished", {"mae": 4.0})
    assert run.state.ended_at is not None


def test_a_failure_is_kept_with_its_words(tmp_path: Path) -> None:
    run = new(tmp_path)
    with pytest.raises(ValueError, match="broke"), run.start():
        raise ValueError("it broke")
    assert (run.state.status, run.state.error) == ("failed", "it broke")


def test_a_file_that_the_system_refused_is_named_in_the_run(tmp_path: Path) -> None:
    run = new(tmp_path)
    missing = tmp_path / "missing.wav"
    with pytest.raises(FileNotFoundError), run.start():
        missing.read_bytes()
    assert run.state.error == f"{missing}: there is no such file or folder."


def test_a_silent_run_is_lost_whatever_its_pid(tmp_path: Path) -> None:
    run = new(tmp_path)
    raw = json.loads((run.path / "run.json").read_text())
    old = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - STALE_AFTER_S - 5))
    (run.path / "run.json").write_text(json.dumps({**raw, "status": "running", "pid": 1, "heartbeat_at": old}))
    assert run.state.status == "lost"


def test_a_run_whose_process_was_killed_is_lost_at_once(tmp_path: Path) -> None:
    run = new(tmp_path)
    with subprocess.Popen(["sleep", "100"]) as process:
        mine = replace(
            run.state,
            status="running",
            pid=process.pid,
            machine=this_machine(),
            pid_started_at=psutil.Process(process.pid).create_time(),
        )
        run.write_state(mine)
        assert run.state.status == "running"
        process.kill()
        until(lambda: run.state.status == "lost", 10)  # before its parent has noticed, too
    assert run.state.status == "lost"
    for elsewhere in ("", "another boot pid:[1]"):  # by an earlier version, or in another container
        run.write_state(replace(mine, machine=elsewhere))
        assert run.state.status == "running", "its number says nothing here"


def test_a_run_whose_number_is_another_process_s_now_is_lost_at_once(tmp_path: Path) -> None:
    run = new(tmp_path)
    started = psutil.Process().create_time()
    mine = replace(run.state, status="running", pid=os.getpid(), pid_started_at=started, machine=this_machine())
    run.write_state(mine)
    assert run.state.status == "running"
    run.write_state(replace(mine, pid_started_at=started - 60.0))
    assert run.state.status == "lost"


def test_a_run_lives_on_when_the_clock_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock set forward, every process began later; the next sign of life says so too."""
    run = new(tmp_path)
    with run.start():
        at = psutil.Process().create_time() + 3600.0
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: at)
        until(lambda: run.state.pid_started_at == at and run.state.status == "running")


def test_a_run_that_ends_between_two_looks_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new(tmp_path)

    def ends(state: RunState) -> bool:
        run.write_state(replace(state, status="finished"))
        return True

    monkeypatch.setattr("pipeline.runs.directory.has_gone", ends)
    assert run.state.status == "finished"


def test_one_process_works_on_a_run(tmp_path: Path) -> None:
    run = new(tmp_path)
    with run.start() as writer:
        writer.update(message="mine")
        with pytest.raises(JobError, match="Another process is working on"), run.start():
            pytest.fail("both would write its checkpoints")
        assert (run.state.status, run.state.message) == ("running", "mine")
    with run.start():
        assert run.state.status == "running"


def test_a_queued_run_waits_for_its_process_until_that_had_the_time_to_start(tmp_path: Path) -> None:
    def silent_for(seconds: float) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - seconds))
        (run.path / "run.json").write_text(json.dumps({**raw, "heartbeat_at": at}))
        return run.state.status

    run = new(tmp_path)
    raw = json.loads((run.path / "run.json").read_text())
    log = run.path / "log.txt"
    log.write_text("The process ended with code 1.\n")
    os.utime(log, (0, 0))  # of an earlier process of a run that was resumed
    assert silent_for(STALE_AFTER_S + 5) == "queued"
    assert silent_for(START_WITHIN_S + 5) == "lost"
    log.write_text("loading\nThe process ended with code 1.\n")
    assert silent_for(STALE_AFTER_S + 5) == "lost"
    log.write_text("loading\n")
    assert silent_for(STALE_AFTER_S + 5) == "queued"


def test_runs_are_listed_newest_first_and_strangers_passed_over(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "none") == []
    first = new(tmp_path)
    time.sleep(0.01)
    second = new(tmp_path)
    (tmp_path / "stranger").mkdir()
    assert [run.id for run in list_runs(tmp_path)] == [second.id, first.id]
    for wrong in ("stranger", "..", "a/b", "none"):
        with pytest.raises(JobError):
            RunDirectory.open(tmp_path, wrong)


LONG = TrainConfig(set="tiny", name="long", epochs=9000, patience=9000, folds=2)


def job(settings: Settings, *argv: str) -> RunDirectory:
    return launch(settings, kind="job", name="job", argv=argv, root=settings.jobs_root, config={"argv": argv})


def test_a_job_runs_in_the_background_and_its_words_are_kept(settings: Settings, tiny_set: str) -> None:
    run = job(settings, "score-set", tiny_set, "--scorer", "heuristic")
    until(lambda: run.state.status == "finished", 60)
    assert find(settings, run.id) == run
    until(lambda: "24 recordings scored" in run.log_tail())


def test_a_job_that_cannot_work_fails_with_its_reason(settings: Settings) -> None:
    run = job(settings, "score-set", "nowhere", "--scorer", "heuristic")
    until(lambda: run.state.status == "failed", 60)
    assert "nowhere" in str(run.state.error)
    until(lambda: "ended with code 1" in run.log_tail())


def test_a_killed_job_says_so_in_its_log(settings: Settings, tiny_set: str) -> None:
    run = launch_training(settings, "word", LONG)
    until(lambda: run.state.pid is not None, 60)
    os.kill(int(run.state.pid or 0), signal.SIGKILL)
    until(lambda: "ended with code 137" in run.log_tail())


def test_a_job_stops_when_asked(settings: Settings, tiny_set: str) -> None:
    run = launch_training(settings, "word", LONG)
    until(lambda: len(run.metrics()) > 3, 60)
    run.request_stop()
    until(lambda: run.state.status == "stopped", 30)


def test_a_stopped_run_is_resumed_in_the_background(
    settings: Settings, speech_manifest: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_ENCODER_PATH", str(tiny_encoder))
    config = {
        "manifest": str(speech_manifest), "epochs": 900, "score_after_epochs": 0, "folds": 4, "hidden": 16,
        "layers": 1, "batch_s": 4.0, "part": "train",
    }  # fmt: skip
    run = RunDirectory.create(settings.runs_root, kind="speech", name="s", config=config)
    run.request_stop()
    with run.start() as writer:
        writer.check_stop()
    assert run.state.status == "stopped"
    resume(settings, run)
    assert run.state.status in ("queued", "running")
    until(lambda: run.state.status == "failed" or any(row["event"] == "epoch" for row in run.metrics()), 240)
    run.request_stop()
    until(lambda: run.state.status in ("stopped", "failed", "finished"), 60)
    assert (run.state.status, run.state.error) == ("stopped", None)


def test_an_unknown_executor_is_named(settings: Settings) -> None:
    with pytest.raises(UnknownNameError, match="local"):
        launch(settings, kind="x", name="x", argv=[], root=settings.jobs_root, config={}, where=Where("moon"))


def test_a_run_that_was_asked_to_stop_says_so(tmp_path: Path) -> None:
    run = new(tmp_path)
    with run.start() as writer:
        assert run.stop_requested_s_ago is None
        run.request_stop()
        assert run.state.status == "stopping"
        assert 0 <= (run.stop_requested_s_ago or 0) < 5
        writer.check_stop()
    assert run.state.status == "stopped"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "disk is full: /x/y could not be written"),
        (MemoryError(), "memory is full"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 MiB."), "memory is full: CUDA out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "Use a smaller batch .* 4-bit weights"),
    ],
)
def test_names_what_the_machine_lacks(tmp_path: Path, error: Exception, words: str) -> None:
    run = new(tmp_path)
    with pytest.raises(JobError, match=words), run.start():
        raise error
    assert run.state.status == "failed"
    assert re.search(words, str(run.state.error))


@pytest.mark.parametrize("number", NO_SPACE)
def test_a_full_disk_still_leaves_the_runs_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    from pipeline import artifacts

    run = new(tmp_path)

    def full(path: Path, _: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    with pytest.raises(JobError, match="could not be written"), run.start() as writer:
        monkeypatch.setattr(artifacts, "write_json", full)
        writer.run.path.joinpath("model").mkdir()
        artifacts.write_json(run.path / "model" / "x.json", {})
    assert run.state.status == "failed"
    assert "Completed files are kept" in str(run.state.error)


def test_a_killed_run_is_lost_for_want_of_memory_most_often(tmp_path: Path) -> None:
    run = new(tmp_path)
    (run.path / "log.txt").write_text("epoch 3\nThe process ended with code 137.\n")
    old = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - STALE_AFTER_S - 5))
    run.write_state(replace(run.state, status="running", heartbeat_at=old))
    assert "most often because the memory was full" in str(run.state.error)


def test_only_the_first_of_several_processes_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new(tmp_path)
    monkeypatch.setenv("RANK", "1")
    with run.start() as writer:
        writer.update(message="mine")
        writer.log_metrics(event="step", step=1)
        writer.log("mine")
    assert (run.state.status, run.state.message, run.metrics(), run.log_tail()) == ("queued", "", [], "")


def test_a_run_is_deleted_once_it_is_over(tmp_path: Path) -> None:
    run = new(tmp_path)
    with run.start() as writer:
        writer.log("x" * 2000)
        with pytest.raises(JobError, match="Stop it first"):
            run.delete()
    assert run.size_mb > 0.002
    run.delete()
    assert not run.path.exists()
    assert list_runs(tmp_path) == []


def test_notes_and_tags(tmp_path: Path) -> None:
    run = new(tmp_path)
    assert read_notes(run.path) == Notes()
    write_notes(run.path, Notes("the one with warm-up", ("baseline", "paper-r64")))
    assert read_notes(run.path) == Notes("the one with warm-up", ("baseline", "paper-r64"))
    (run.path / "notes.json").write_text("[1")
    assert read_notes(run.path) == Notes()
    for wrong in ({"tags": ("two words",)}, {"note": "x" * 4001}, {"tags": tuple(map(str, range(21)))}):
        with pytest.raises(JobError):
            Notes(**wrong)


def test_new_lines_alone_are_read_as_a_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    reader = MetricsReader(path)
    assert reader.refresh().columns() == []
    with path.open("a") as file:
        file.write('{"event": "step", "step": 1, "loss": 2.0}\n{"event": "epoch", "epoch": 1}\n{"event": "step", "st')
    reader.refresh()
    assert [list(values) for values in reader.steps("loss")] == [[1], [2]]
    assert reader.rows("epoch") == [{"event": "epoch", "epoch": 1}]
    with path.open("a") as file:
        file.write('ep": 2, "loss": null, "rate": 0.1}\n{"event": "st\n{"event": "step", "step": 3, "loss": 1.0}\n')
    reader.refresh()
    assert [list(values) for values in reader.steps("loss")] == [[1, 3], [2, 1]]
    assert [list(values) for values in reader.steps("rate")] == [[2], [0.1]]
    assert [list(values) for values in reader.steps("none")] == [[], []]
    path.write_text('{"event": "step", "step": 9, "loss": 5.0}\n')
    assert [list(values) for values in reader.refresh().steps("loss")] == [[9], [5]]


def test_use_of_the_machine_is_measured() -> None:
    meter = UsageMeter()
    meter.measure(1.0)
    begun = time.process_time()
    while time.process_time() - begun < 0.2:  # of the processor, however long a busy machine takes for it
        sum(range(1000))
    usage = meter.measure(0.5)
    assert 0.3 < usage.cpu < 64
    assert 0.01 < usage.memory_gb < 64
    assert (usage.gpu is None) == (usage.gpu_memory_gb is None)
