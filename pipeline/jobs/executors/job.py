"""What an executor is given, and what it must be able to do."""

import importlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline import artifacts
from pipeline.errors import JobError
from pipeline.i18n import N_
from pipeline.parallel import cores
from pipeline.registry import Registry
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings

LAUNCH_FILE = "launch.json"
PORT = 29400
MODULE = "pipeline.cli"


@dataclass(frozen=True)
class Job:
    """`pronlab <argv>` for `run`, on `devices` of each of `nodes`; `options` are the executor's own, as text. `by` is
    the name of whoever started it, under which the command runs."""

    settings: Settings
    run: RunDirectory
    argv: tuple[str, ...]
    devices: int = 1
    nodes: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    by: str = ""

    def __post_init__(self) -> None:
        if not (1 <= self.devices <= 64 and 1 <= self.nodes <= 1024):
            raise JobError(
                N_("Devices must be between 1 and 64 and nodes between 1 and 1024, got {devices} and {nodes}."),
                devices=self.devices,
                nodes=self.nodes,
            )

    def command(self, node: int = 0, first_host: str = "") -> list[str]:
        """What is started on node number `node`: the command itself, or torchrun where it takes several devices."""
        end = self.argv.index("--") if "--" in self.argv else len(self.argv)  # of the options
        command = [*self.argv[:end], "--run", str(self.run.path), *self.argv[end:]]
        if self.devices * self.nodes == 1:
            return [sys.executable, "-m", MODULE, *command]
        rendezvous = (
            ["--standalone"]
            if self.nodes == 1
            else [f"--nnodes={self.nodes}", f"--node-rank={node}", f"--master-addr={first_host}",
                  f"--master-port={PORT}"]
        )  # fmt: skip
        return [
            sys.executable, "-m", "torch.distributed.run", *rendezvous, f"--nproc-per-node={self.devices}",
            # Without the dashes torchrun would take --run for an option of its own.
            "-m", "--", MODULE, *command,
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Variables that tell the command which installation it belongs to, wherever it runs."""
        encoder = self.settings.encoder_path
        threads = {"OMP_NUM_THREADS": str(max(1, cores() // self.devices))} if self.devices > 1 else {}
        return {
            "PRONLAB_DATA_ROOT": str(self.settings.data_root),
            "PRONLAB_MODELS_ROOT": str(self.settings.models_root),
            "PRONLAB_DEVICE": self.settings.device,
            "PYTHONUNBUFFERED": "1",
            "PRONLAB_USER": self.by,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")])),
            **({"PRONLAB_ENCODER_PATH": str(encoder)} if encoder else {}),
            **threads,
        }

    def save(self, job_id: str | None) -> None:
        """Kept with the run, so that it can be ended there and resumed in the same way."""
        launch = Launch(job_id, self.devices, self.nodes, dict(self.options))
        artifacts.write_json(self.run.path / LAUNCH_FILE, launch)


@dataclass(frozen=True)
class Launch:
    """How a run was launched; the defaults where it was not launched but called. `job_id` is its number in the queue
    of a cluster."""

    job_id: str | None = None
    devices: int = 1
    nodes: int = 1
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: RunDirectory) -> "Launch":
        try:
            return cls(**artifacts.read_json(run.path / LAUNCH_FILE))
        except (OSError, ValueError, TypeError):
            return cls()


class Executor(Protocol):
    """A module with these functions; errors are JobError, in words."""

    def is_installed(self) -> bool:
        """Whether this machine has what starts work there; whether a cluster answers is only known then."""

    def start(self, job: Job) -> str | None:
        """Start it, and return its number there; None where it has none."""

    def end(self, run: RunDirectory, launch: Launch) -> None:
        """End it by force, whatever it does."""

    def waits(self, run: RunDirectory, launch: Launch) -> bool:
        """Whether it is still in the queue there, or on its way."""


EXECUTORS: Registry[str] = Registry(N_("executor"))
for _name in ("local", "slurm", "ray"):
    EXECUTORS.register(_name)(f"pipeline.jobs.executors.{_name}")


def executor(name: str) -> Executor:
    """By name; what it needs is imported now. Raises UnknownNameError, or JobError where a package is missing."""
    module: Any = importlib.import_module(EXECUTORS[name])
    return module  # type: ignore[no-any-return]


def installed_executors() -> list[str]:
    """The names of those that this machine can start work with."""
    return [name for name in EXECUTORS if executor(name).is_installed()]
