"""Where a job runs: this machine, a Slurm cluster, or a Ray cluster. Chosen by name with `--executor`."""

from pipeline.jobs.executors.job import EXECUTORS, Executor, Job, Launch, executor, installed_executors

__all__ = ["EXECUTORS", "Executor", "Job", "Launch", "executor", "installed_executors"]
