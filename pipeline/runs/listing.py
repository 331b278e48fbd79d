"""All runs of a folder, each as it was read at one moment, and the folders among them that cannot be read."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import JobError
from pipeline.i18n import N_, _, translated
from pipeline.runs.directory import STATE_FILE, RunDirectory
from pipeline.runs.state import RunGone, RunState
from pipeline.times import utc_time


@dataclass(frozen=True)
class RunRecord:
    """A run with its state and configuration: whatever happens to its folder meanwhile, these stay."""

    directory: RunDirectory
    state: RunState
    config: dict[str, Any]


@dataclass(frozen=True)
class DamagedRun:
    """A folder among the runs that is no run, or one that cannot be read; `reason` is in words (a `Message`)."""

    path: Path
    reason: str

    @property
    def text(self) -> str:
        """One line: which, why, and what to do."""
        return _(
            "{folder} cannot be read: {reason}. Repair the file, move the folder elsewhere, or delete it with "
            "`pronlab runs delete {folder}`."
        ).format(folder=self.path.name, reason=translated(self.reason).rstrip("."))


@dataclass(frozen=True)
class RunListing:
    """The runs, newest first, and what is left out, by name."""

    records: tuple[RunRecord, ...] = ()
    damaged: tuple[DamagedRun, ...] = ()


def scan_runs(root: Path) -> RunListing:
    """Read every run directly under `root`; one that cannot be read hides none of the others."""
    records: list[RunRecord] = []
    damaged: list[DamagedRun] = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in sorted(root.iterdir()):
            if path.name.startswith(".") or not path.is_dir():  # locks, and folders that are being made or removed
                continue
            run = RunDirectory(path)
            try:
                if not (path / STATE_FILE).is_file() and path.is_dir():
                    raise JobError(N_("it has no {file}, so it is not a run or an incomplete one"), file=STATE_FILE)
                records.append(RunRecord(run, run.state, run.config))
            except RunGone:  # deleted at this moment
                continue
            except JobError as error:
                damaged.append(DamagedRun(path, error.text))
    newest_first = sorted(records, key=lambda record: utc_time(record.state.created_at), reverse=True)
    return RunListing(tuple(newest_first), tuple(damaged))


def list_runs(root: Path) -> list[RunDirectory]:
    """All runs under `root` that can be read, newest first."""
    return [record.directory for record in scan_runs(root).records]
