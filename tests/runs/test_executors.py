"""Where jobs run: several processes on one machine, Slurm (submitit's stand-in, and a pretended sbatch), Ray; one
training a device; and ending by force."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipeline.errors import JobError
from pipeline.jobs.device_queue import device_name, device_turn
from pipeline.jobs.executors import Job, Launch, executor, installed_executors
from pipeline.jobs.executors.slurm import with_its_start
from pipeline.jobs.launcher import Where, check_queue, end_now, launch_training, resume, stop
from pipeline.processes import this_machine
from pipeline.runs import RunDirectory, RunState
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.settings import Settings
from pipeline.speechllm.config import SpeechLlmConfig, load_preset
from tests.runs.test_runs import LONG, until

SHORT = replace(LONG, name="job", epochs=2)


def started(settings: Settings, where: Where, config: TrainConfig = SHORT) -> RunDirectory:
    return launch_training(settings, "word", config, where)


def set_state(run: RunDirectory, **changes: object) -> None:
    run.write_state(replace(run.state, **changes))


def test_a_machine_can_start_work_where_it_has_what_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    packages, commands = set[str](), set[str]()
    for name in ("slurm", "ray"):
        monkeypatch.setattr(f"pipeline.jobs.executors.{name}.is_there", packages.__contains__)
    monkeypatch.setattr("shutil.which", lambda name: name if name in commands else None)
    assert installed_executors() == ["local"]
    packages.update({"submitit", "ray"})
    assert set(installed_executors()) == {"local", "ray"}, "submitit without sbatch starts nothing"
    commands.add("sbatch")
    assert set(installed_executors()) == {"local", "slurm", "ray"}


def test_several_devices_are_started_by_torchrun(settings: Settings) -> None:
    run = RunDirectory(settings.runs_root / "x")
    alone = Job(settings, run, ("train", "word")).command()
    assert alone[1:] == ["-m", "pipeline.cli", "train", "word", "--run", str(run.path)]
    two = Job(settings, run, ("train", "word"), devices=2).command()
    assert two[2:7] == ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "--"]
    four = Job(settings, run, ("train", "word"), devices=2, nodes=2).command(1, "first")
    assert {"--nnodes=2", "--node-rank=1", "--master-addr=first", "--nproc-per-node=2"} <= set(four)
    with pytest.raises(JobError, match="Devices must be between 1 and 64"):
        Job(settings, run, (), devices=0)


@pytest.mark.timeout(600)
def test_two_processes_train_as_one_does(settings: Settings, speech_manifest: Path) -> None:
    from pipeline.speechllm.train import train_speechllm

    given = {"manifest": str(speech_manifest), "limit": 2, "evaluation_part": "", "evaluation_limit": 1, "epochs": 1}
    config = SpeechLlmConfig(**{**load_preset("tiny"), **given, "name": "tiny"})
    alone = RunDirectory.create(settings.runs_root, kind="speechllm", name="one", config=config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 40)  # what is said is not compared
        train_speechllm(settings, config, alone)
    shared = launch_training(settings, "speechllm", replace(config, name="two"), Where("local", 2))
    # A machine that stands still for half a minute makes a run look lost for as long.
    until(lambda: shared.state.status in ("finished", "failed", "stopped"), 290)
    assert shared.state.status == "finished", shared.log_tail()
    runs = (alone, shared)
    one, two = ([row for row in run.metrics() if row["event"] == "step"] for run in runs)
    assert [row["step"] for row in one] == [row["step"] for row in two]
    # Not the same to the last digit: recordings of one batch are padded to a common length.
    assert [row["loss"] for row in two] == pytest.approx([row["loss"] for row in one], rel=0.02)
    answers = [(run.path / "epoch-1" / "answers.jsonl").read_text(encoding="utf-8").splitlines() for run in runs]
    assert [json.loads(line)["id"] for line in answers[0]] == [json.loads(line)["id"] for line in answers[1]]
    assert "on 2 devices" in json.loads((runs[1].path / "plan.json").read_text(encoding="utf-8"))["text"]


def test_a_step_is_shared_evenly_or_not_at_all() -> None:
    from pipeline.errors import TrainingError

    config = SpeechLlmConfig(manifest="m", batch=8, accumulation=8)
    assert (config.on_each_of(4).batch, config.on_each_of(4).accumulation) == (8, 2)
    small = replace(config, accumulation=1)
    assert (small.on_each_of(4).batch, small.on_each_of(4).accumulation) == (2, 1)
    with pytest.raises(TrainingError, match="cannot be shared evenly by 3 devices"):
        config.on_each_of(3)


@pytest.mark.slow  # the test below is as much, but for the run's own end
def test_slurm_by_its_stand_in(settings: Settings, tiny_set: str) -> None:
    where = Where("slurm", options={"cluster": "local", "minutes": "10"})
    run = started(settings, where)
    until(lambda: run.state.status == "finished", 120)
    assert (run.state.executor, Launch.of(run).options["cluster"]) == ("slurm", "local")
    assert run.metrics()


def test_slurm_takes_the_machine_away_and_the_run_stands_in_the_queue_again(settings: Settings, tiny_set: str) -> None:
    run = started(settings, Where("slurm", options={"cluster": "local"}), LONG)
    until(lambda: len(run.metrics()) > 2, 120)
    assert (run.state.executor, Launch.of(run).options["cluster"]) == ("slurm", "local")
    first = run.state.pid
    os.kill(psutil.Process(first).ppid(), signal.SIGUSR2)  # as Slurm does before the limit
    until(lambda: run.state.status == "running" and run.state.pid not in (None, first), 120)
    end_now(run)
    assert run.state.status == "stopped"
    until(lambda: "ended with code 137" in run.log_tail())


@pytest.fixture
def pretended_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`sbatch` keeps what it was given, `sacct` knows job 77 as `state` says, `scancel` notes what it was told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {
        "sbatch": f'for last; do :; done; cp "$last" {folder}/submitted; echo "Submitted batch job 77"',
        "srun": "exit 1",
        "sacct": f'echo "JobID|State|NodeList"; echo "77|$(cat {folder}/state)|None assigned"',
        "scancel": f'echo "$@" > {folder}/cancelled',
    }
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_slurm_gets_what_was_asked_for(settings: Settings, pretended_slurm: Path) -> None:
    on_gpus = replace(settings, device="cuda")
    options = {"partition": "gpu", "minutes": "90", "memory_gb": "64", "account": "lab"}
    shared = SpeechLlmConfig(manifest="m.jsonl", model="tiny", name="job")
    run = launch_training(on_gpus, "speechllm", shared, Where("slurm", devices=4, nodes=2, options=options))
    asked = (pretended_slurm / "submitted").read_text(encoding="utf-8")
    for line in ("partition=gpu", "time=90", "mem=64GB", "account=lab", "nodes=2", "gpus-per-node=4"):
        assert f"#SBATCH --{line}" in asked, asked
    assert Launch.of(run).job_id == "77"

    (pretended_slurm / "state").write_text("PENDING", encoding="utf-8")
    set_state(run, heartbeat_at="2026-01-01T00:00:00+00:00")  # hours in a queue are no sign of death
    check_queue(run)
    assert run.state.status == "queued"
    end_now(run)
    assert (pretended_slurm / "cancelled").read_text(encoding="utf-8").strip().endswith("77")
    assert run.state.status == "stopped"


def test_a_job_that_slurm_ended_in_its_queue_has_failed(
    settings: Settings, pretended_slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(settings, Where("slurm"))
    (pretended_slurm / "state").write_text("CANCELLED by 1000", encoding="utf-8")
    import submitit

    monkeypatch.setattr(submitit.SlurmJob.watcher, "_delay_s", 0)
    submitit.SlurmJob.watcher.clear()
    check_queue(run)
    assert run.state.status == "failed"
    assert "slurm ended job 77 before it began" in str(run.state.error)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (Where("slurm", options={"minutes": "soon"}), "must be a whole number"),
        (Where("slurm"), "Slurm rejected the job"),
        (Where("local", devices=2), "runs on one device"),
        (Where("slurm", nodes=2), "runs on one device"),
        (Where("local", options={"partition": "x"}), "takes no options"),
        (Where("ray", options={"queue": "x"}), "takes address and cpus"),
    ],
)
def test_what_cannot_be_started_leaves_nothing(settings: Settings, where: Where, message: str) -> None:
    if shutil.which("sbatch"):
        pytest.skip("this machine has Slurm")
    with pytest.raises(JobError, match=message):
        started(settings, where)
    assert not list(settings.runs_root.glob("job-*"))


def test_trainings_on_one_device_take_turns(settings: Settings) -> None:
    runs = [RunDirectory.create(settings.runs_root, kind="word", name=name, config={}) for name in ("first", "second")]
    order: list[str] = []
    finish = threading.Event()

    def work(run: RunDirectory) -> None:
        with run.start() as writer, device_turn(settings, writer):
            order.append(run.id)
            assert finish.wait(30)

    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    threads[0].start()
    until(lambda: order == [runs[0].id])
    threads[1].start()
    until(lambda: runs[1].state.status == "queued" and runs[0].id in runs[1].state.message)
    assert (runs[0].state.status, runs[0].state.device) == ("running", device_name("cpu"))
    finish.set()
    for thread in threads:
        thread.join()
    assert order == [run.id for run in runs]
    assert [run.state.status for run in runs] == ["finished", "finished"]


def test_a_training_that_waits_can_be_stopped(settings: Settings) -> None:
    first, second = (RunDirectory.create(settings.runs_root, kind="word", name=name, config={}) for name in "ab")
    with first.start() as writer, device_turn(settings, writer):
        second.request_stop()
        with second.start() as other, device_turn(settings, other):
            pytest.fail("it was not its turn")
    assert (first.state.status, second.state.status) == ("finished", "stopped")
    assert (second.state.waits_for, second.state.message) == ("", ""), "it waits for nobody now"


def test_a_run_that_does_not_stop_is_ended(settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="stubborn", config={})
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as process:
        set_state(run, status="running", pid=process.pid, pid_started_at=psutil.Process(process.pid).create_time())
        stop(run, within_s=0.3)
        assert not psutil.pid_exists(process.pid)
    assert run.state.status == "stopped"


def test_another_process_with_the_same_number_lives_on(settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="gone", config={})
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as process:
        set_state(run, status="running", pid=process.pid, pid_started_at=time.time() - 5000)
        end_now(run)
        assert process.poll() is None
        process.kill()
    assert run.state.status == "stopped"


def test_a_run_of_another_user_is_told_and_taken_for_alive(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: psutil.Process) -> float:
        raise psutil.AccessDenied(self.pid)

    run = RunDirectory.create(settings.runs_root, kind="word", name="theirs", config={})
    set_state(run, status="running", pid=os.getpid(), pid_started_at=0.0, machine=this_machine())
    monkeypatch.setattr(psutil.Process, "create_time", refused)
    assert run.state.status == "running"
    with pytest.raises(JobError, match="belongs to another user"):
        end_now(run)


def test_a_run_of_another_machine_is_not_touched(settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="far", config={})
    set_state(run, status="running", pid=1, pid_started_at=0.0, host="elsewhere")
    with pytest.raises(JobError, match="runs on elsewhere"):
        end_now(run)


def test_the_stand_in_for_slurm_knows_its_process_from_a_later_one_of_that_number(settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="x", config={}, executor="slurm")

    def waits(job_id: str) -> bool:
        return executor("slurm").waits(run, Launch(job_id, options={"cluster": "local"}))

    with subprocess.Popen(["sleep", "100"]) as process:
        number = with_its_start(str(process.pid))
        pid, began_at = number.split("@")
        assert waits(number)
        assert not waits(f"{pid}@{float(began_at) - 60.0:.2f}")
        assert not waits(pid), "nobody knows which process was meant"
        process.kill()
        until(lambda: not waits(number), 10)  # before its parent has noticed, too
    assert not waits(number)
    assert with_its_start("4194305") == "4194305", "there is none"


def test_a_run_goes_on_where_it_ran(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory.create(settings.runs_root, kind="speechllm", name="x", config={}, executor="slurm")
    Job(settings, run, ("train",), 4, 2, {"partition": "gpu"}).save("5")
    run.close("stopped")
    seen: list[Job] = []
    monkeypatch.setattr(executor("slurm"), "start", lambda job: seen.append(job) or "6")
    resume(settings, run)
    assert (seen[0].devices, seen[0].nodes, seen[0].options) == (4, 2, {"partition": "gpu"})
    assert seen[0].argv == ("train", "speechllm")
    assert Launch.of(run).job_id == "6"


@pytest.mark.slow
def test_a_local_ray_cluster(settings: Settings, tiny_set: str) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'pronlab[ray]'")
    ray = str(Path(sys.executable).parent / "ray")
    short = tempfile.mkdtemp(prefix="ray")  # its sockets' names must fit into 107 characters
    start = [ray, "start", "--head", "--num-cpus=2", "--dashboard-host=127.0.0.1", f"--temp-dir={short}"]
    subprocess.run(start, check=True, capture_output=True)
    try:
        run = started(settings, Where("ray"))
        until(lambda: run.state.status == "finished", 240)
        assert run.metrics()
        long = started(settings, Where("ray"), LONG)
        until(lambda: len(long.metrics()) > 2, 120)
        end_now(long)
        until(lambda: long.state.status == "stopped")
    finally:
        subprocess.run([ray, "stop"], check=False, capture_output=True)
        shutil.rmtree(short, ignore_errors=True)


def test_a_state_of_an_earlier_version_is_read(settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="old", config={})
    raw = json.loads((run.path / "run.json").read_text())
    for new in ("executor", "device", "waits_for", "pid_started_at"):
        del raw[new]
    (run.path / "run.json").write_text(json.dumps({**raw, "status": "finished"}))
    assert isinstance(run.state, RunState)
