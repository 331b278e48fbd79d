"""A Slurm cluster, by submitit. The run's folder must be on a disk that the nodes share.

Options: `partition`, `minutes` (of the whole run, default a day), `cpus` a task, `memory_gb`, and any other name is
given to sbatch as it is (`account`, `qos`, `constraint`, ...). `cluster=local` runs submitit's own stand-in for Slurm
on this machine.

Where Slurm takes the machine away (time limit, preemption), the run is asked to stop, keeps its state, and is queued
again.
"""

import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from pipeline.errors import JobError
from pipeline.i18n import N_, ended
from pipeline.jobs.executors import local
from pipeline.jobs.executors.job import Job, Launch
from pipeline.optional import is_there, require
from pipeline.processes import is_running, started_at
from pipeline.runs import RunDirectory
from pipeline.settings import HOME
from pipeline.text import lines_of

NUMBERS = {"minutes": "timeout_min", "cpus": "cpus_per_task", "memory_gb": "mem_gb"}
DAY_MIN = 24 * 60
LOCAL_CLUSTER = "local"
SECONDS_TO_SAVE = 90  # submitit asks for an end this long before the limit
GONE = ("UNKNOWN", "CANCELLED", "FAILED", "TIMEOUT", "COMPLETED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE")


@dataclass
class Task:
    """What runs on each node; submitit carries it there, and calls `checkpoint` when the machine is taken away."""

    job: Job
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def __call__(self) -> int:
        import submitit

        environment = submitit.JobEnvironment()
        command = self.job.command(environment.node, environment.hostnames[0])
        with (self.job.run.path / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=HOME,
                env={**os.environ, **self.job.environment()},
            )  # fmt: skip
            # Not wait(): it holds a lock, and `checkpoint` comes in a signal and waits as well.
            while (code := self.process.poll()) is None:
                time.sleep(0.5)
            if code:
                log.write(f"The process ended with code {code if code > 0 else 128 - code}.\n".encode())
        return code

    def checkpoint(self) -> Any:
        """Stop, keeping what there is, and stand in the queue again."""
        import submitit

        self.job.run.request_stop()
        if self.process is not None:
            try:
                self.process.wait(SECONDS_TO_SAVE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.job.run.withdraw_stop()
        self.job.run.requeue("slurm")
        return submitit.helpers.DelayedSubmission(Task(self.job))


def is_installed() -> bool:
    return is_there("submitit") and shutil.which("sbatch") is not None


def start(job: Job) -> str:
    submitit = _submitit()
    options = dict(job.options)
    cluster = options.pop("cluster", "slurm")
    numbers: dict[str, Any] = {"timeout_min": DAY_MIN}
    for name, parameter in NUMBERS.items():
        if name in options:
            numbers[parameter] = _whole(name, options.pop(name))
    if job.settings.device.startswith("cuda"):
        numbers["gpus_per_node"] = job.devices
    try:
        queue = submitit.AutoExecutor(folder=job.run.path / "slurm", cluster=cluster)
        queue.update_parameters(
            name=f"pronlab-{job.run.id}"[:60], nodes=job.nodes, tasks_per_node=1,
            **numbers,
            **({"slurm_partition": options.pop("partition")} if "partition" in options else {}),
            **({"slurm_additional_parameters": options} if options else {}),
            slurm_signal_delay_s=SECONDS_TO_SAVE + 30, slurm_setup=["export PYTHONUNBUFFERED=1"],
        )  # fmt: skip
        number = str(queue.submit(Task(job)).job_id)
        return with_its_start(number) if cluster == LOCAL_CLUSTER else number
    except (OSError, RuntimeError, ValueError, AssertionError, NameError, submitit.core.utils.FailedJobError) as error:
        reason = lines_of(str(error).strip())
        raise JobError(
            N_("Slurm rejected the job: {reason} Check that this is a login node of the cluster, and the options."),
            reason=ended(reason[0] if reason else type(error).__name__),
        ) from error


def end(run: RunDirectory, launch: Launch) -> None:
    if launch.options.get("cluster") == LOCAL_CLUSTER:
        local.end(run, launch)
    elif launch.job_id is not None:
        _job(run, launch.job_id).cancel(check=False)


def waits(run: RunDirectory, launch: Launch) -> bool:
    if launch.job_id is None:
        return False
    if launch.options.get("cluster") == LOCAL_CLUSTER:
        pid, _, began_at = launch.job_id.partition("@")
        return bool(began_at) and is_running(int(pid), float(began_at))
    return not str(_job(run, launch.job_id).state).startswith(GONE)


def with_its_start(number: str) -> str:
    """The number of a job of the stand-in, which is that of its process, with when that began: `4711@1764300000.25`. As
    it is where the process has ended already."""
    with suppress(psutil.NoSuchProcess):
        return f"{number}@{started_at(int(number)):.2f}"
    return number


def _job(run: RunDirectory, job_id: str) -> Any:
    return _submitit().SlurmJob(folder=run.path / "slurm", job_id=job_id)


def _submitit() -> Any:
    require(N_("The executor slurm"), ("submitit",), JobError)
    import submitit
    import submitit.core.utils

    return submitit


def _whole(name: str, value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise JobError(N_("The option {name} must be a whole number above 0, got {value!r}."), name=name, value=value)
    return int(value)
