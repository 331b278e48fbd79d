"""What the Runs page asks for: all trainings, their notes, and any number of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dashboard.identity import asks
from dashboard.services.jobs import metrics_of
from dashboard.services.shared import settings
from pipeline.people.access import Action
from pipeline.runs import RunDirectory, RunListing, scan_runs

if TYPE_CHECKING:
    from pipeline.runs.comparison import Comparison, Curve
    from pipeline.runs.notes import Notes
    from pipeline.runs.trials import Search


@asks(Action.TRAIN)
def listing() -> RunListing:
    """All trainings, newest first, and the folders among them that cannot be read."""
    return scan_runs(settings().runs_root)


@asks(Action.TRAIN)
def notes_of(run: RunDirectory) -> Notes:
    from pipeline.runs.notes import read_notes

    return read_notes(run.path)


@asks(Action.TRAIN)
def write_notes(run: RunDirectory, notes: Notes) -> None:
    from pipeline.runs.notes import write_notes

    write_notes(run.path, notes)


@asks(Action.TRAIN)
def comparison_of(runs: Sequence[RunDirectory]) -> Comparison:
    """The metrics that the runs reached, and the settings in which they differ."""
    from pipeline.runs.comparison import compare_runs

    return compare_runs(runs)


@asks(Action.TRAIN)
def searches_of(run: RunDirectory) -> list[Search]:
    """The searches for settings that a run made; none for most."""
    from pipeline.runs.trials import searches_of

    return searches_of(run)


@asks(Action.TRAIN)
def importance(search: Search) -> dict[str, float]:
    """How much each setting mattered. Raises JobError without Optuna."""
    from pipeline.runs.trials import importance

    return importance(search)


@asks(Action.TRAIN)
def report(runs: Sequence[RunDirectory], title: str) -> bytes:
    """One HTML file with the runs' tables and figures, in the reader's language."""
    from pipeline.runs.report import html

    return html(runs, title).encode()


@asks(Action.TRAIN)
def curves_of(run: RunDirectory) -> dict[str, tuple[str, Curve]]:
    """What the run logged, by name: the axis ("Step" or "Epoch") and the curve over it."""
    from pipeline.runs.comparison import curves

    return curves(metrics_of(run))
