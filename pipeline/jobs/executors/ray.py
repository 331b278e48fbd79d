"""A Ray cluster, by Ray Jobs. The run's folder must be on a disk that the cluster's nodes share.

Options: `address` of the jobs server (default RAY_ADDRESS, else http://127.0.0.1:8265), `cpus` to reserve.
"""

import os
import shlex
from collections.abc import Mapping
from typing import Any

from pipeline.errors import JobError
from pipeline.i18n import N_
from pipeline.jobs.executors.job import Job, Launch
from pipeline.optional import is_there, require
from pipeline.runs import RunDirectory
from pipeline.text import lines_of

ADDRESS = "http://127.0.0.1:8265"


def is_installed() -> bool:
    return is_there("ray")


def start(job: Job) -> str:
    unknown = set(job.options) - {"address", "cpus"}
    if unknown:
        raise JobError(
            N_("The executor ray takes address and cpus, got {unknown}."), unknown=", ".join(sorted(unknown))
        )
    if job.nodes > 1:
        raise JobError(
            N_("A Ray job runs on one node. Use --executor slurm for more nodes, or more devices on one node.")
        )
    on_cuda = job.settings.device.startswith("cuda")
    log = shlex.quote(str(job.run.path / "log.txt"))
    try:
        return str(
            _client(job.options).submit_job(
                # Ray keeps what a job prints; the run's own log has it too, where everything else looks for it.
                entrypoint=f"{shlex.join(job.command())} >> {log} 2>&1",
                runtime_env={"env_vars": job.environment()},
                entrypoint_num_gpus=job.devices if on_cuda else 0,
                entrypoint_num_cpus=float(job.options.get("cpus", 1)),
                metadata={"run": job.run.id},
            )
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise JobError(N_("Ray rejected the job: {reason}"), reason=_first_line(error)) from error


def end(run: RunDirectory, launch: Launch) -> None:
    if launch.job_id is None:
        return
    try:
        _client(launch.options).stop_job(launch.job_id)
    except RuntimeError as error:
        raise JobError(
            N_("Ray could not stop the job {job}: {reason}"), job=launch.job_id, reason=_first_line(error)
        ) from error


def waits(run: RunDirectory, launch: Launch) -> bool:
    try:
        return str(_client(launch.options).get_job_status(launch.job_id).value) in ("PENDING", "RUNNING")
    except RuntimeError:
        return False  # this cluster does not know it


def _client(options: Mapping[str, str]) -> Any:
    require(N_("The executor ray"), ("ray",), JobError)
    from ray.job_submission import JobSubmissionClient

    address = options.get("address") or os.environ.get("RAY_ADDRESS") or ADDRESS
    try:
        return JobSubmissionClient(address)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise JobError(
            N_(
                "No Ray cluster answers at {address} ({reason}). Start one with `ray start --head`, or give "
                "--option address=http://HOST:8265."
            ),
            address=address,
            reason=_first_line(error),
        ) from error


def _first_line(error: BaseException) -> str:
    text = lines_of(str(error).strip())
    return text[0] if text else type(error).__name__
