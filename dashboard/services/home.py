"""What the home page asks for: how far an installation has come."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import data, shared
from pipeline.people.access import Action


@dataclass(frozen=True)
class Progress:
    """`n_labelled` is None for who may not see ratings. `only_demo`: there is nothing but the synthetic demo.
    `has_people`: there is a list of people or a sign-in."""

    n_sets: int
    n_recordings: int
    n_labelled: int | None
    only_demo: bool
    n_finished_runs: int
    has_people: bool


@asks(Action.SEE_SETS)
def progress() -> Progress:
    from pipeline.runs import scan_runs

    sets = data.overview()
    labelled = [row.n_labelled for row in sets]
    runs = scan_runs(shared.settings().runs_root).records
    return Progress(
        n_sets=len(sets),
        n_recordings=sum(row.n_recordings for row in sets),
        n_labelled=None if None in labelled else sum(filter(None, labelled)),
        only_demo=bool(sets) and all(row.synthetic for row in sets),
        n_finished_runs=sum(run.state.status == "finished" for run in runs),
        has_people=not identity.is_open(),
    )
