"""`pronlab project`: rating projects from the command line."""

from typing import Any

import click

from pipeline.cli._access import asker
from pipeline.cli._numbers import NumberRange
from pipeline.cli._output import counted, emit, json_option, say
from pipeline.cli._ratings import rating_options
from pipeline.people.access import Action
from pipeline.settings import Settings
from pipeline.text import one_line

# Of a project's settings, those that everybody may know.
_TOLD = (
    "name", "set", "title", "part", "overlap", "deadline", "instructions", "hear_all", "closed", "kind", "ties",
    "rubric",
)  # fmt: skip
name_argument = click.argument("name", metavar="PROJECT")
recording_argument = click.argument("recording_id", metavar="RECORDING")


@click.group()
def project() -> None:
    """Review rating projects: disputes, decisions and consensus. Set projects up on the Projects page."""


@project.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all projects."""
    from pipeline.projects.project import damaged_projects, list_projects

    settings = Settings.from_env()
    projects = list_projects(settings)
    lines = [f"{p.name:24} {p.set:20} overlap {p.overlap}{'  over' if p.is_over else ''}" for p in projects]
    listed: list[Any] = list(projects)
    if not asker().may(Action.SEE_RATINGS):  # of a test of raters, they would learn when it comes; and others' names
        listed = [{key: getattr(entry, key) for key in _TOLD} for entry in projects]
    emit(listed, as_json, "\n".join(lines) or "There are no projects yet. Set one up on the Projects page.")
    for problem in damaged_projects(settings):
        say(f"! {one_line(problem.message)}", err=True)


@project.command()
@name_argument
@click.option(
    "--threshold",
    type=NumberRange(0, 100),
    help="Smallest difference in points (default: the project's, else 20).",
)
@json_option
def disputes(name: str, threshold: float | None, as_json: bool) -> None:
    """List recordings whose ratings differ, the largest difference first."""
    disputed = _review(name).disputes(threshold)
    lines = [
        f"{d.spread:5.1f}  {d.recording.id}  "
        + ", ".join(f"{who} {e.score:g}" for who, e in d.ratings.items() if e.score is not None)
        for d in disputed
    ]
    emit(disputed, as_json, "\n".join(lines) or "No recording is disputed.")


@project.command()
@name_argument
@json_option
def experts(name: str, as_json: bool) -> None:
    """Show each expert's quality: known answers, repeats, drift and pace."""
    qualities = _review(name).quality()
    lines = [f"{q.name}: {counted(q.n, 'rating')}{'. ' if q.warnings else ''}{' '.join(q.warnings)}" for q in qualities]
    emit(qualities, as_json, "\n".join(lines) or "This project has no ratings yet.")


@project.command()
@name_argument
@click.option(
    "--method",
    type=click.Choice(["median", "trimmed_mean", "severity"]),
    help="How scores are combined (default: the project's method).",
)
@json_option
def consensus(name: str, method: str | None, as_json: bool) -> None:
    """Print the consensus score of each recording, as CSV or JSON."""
    from pipeline import csvfile

    table = _review(name).consensus(method)
    emit(table.to_dict(orient="records"), as_json, csvfile.of_frame(table).rstrip())


@project.command()
@name_argument
@recording_argument
@rating_options
@json_option
def decide(
    name: str,
    recording_id: str,
    others: tuple[tuple[str, float], ...],
    notes: str,
    as_json: bool,
    **values: float | None,
) -> None:
    """Decide the score of a recording. Its ratings stay as they are."""
    given = {key: value for key, value in values.items() if value is not None} | dict(others)
    _say(_review(name).decide(recording_id, given, notes), as_json)


@project.command()
@name_argument
@recording_argument
@click.option("--reason", required=True)
@json_option
def exclude(name: str, recording_id: str, reason: str, as_json: bool) -> None:
    """Exclude a recording from consensus and export."""
    _say(_review(name).exclude(recording_id, reason), as_json)


@project.command()
@name_argument
@recording_argument
@json_option
def request(name: str, recording_id: str, as_json: bool) -> None:
    """Request one more rating of a recording."""
    _say(_review(name).request(recording_id), as_json)


@project.command()
@name_argument
@recording_argument
@click.option(
    "--to", "experts", multiple=True, required=True, help="An expert who is given the recording (repeatable)."
)
@json_option
def reassign(name: str, recording_id: str, experts: tuple[str, ...], as_json: bool) -> None:
    """Give a skipped or flagged recording to other experts, and to nobody else."""
    _say(_review(name).reassign(recording_id, experts), as_json)


@project.command()
@name_argument
@recording_argument
@json_option
def undo(name: str, recording_id: str, as_json: bool) -> None:
    """Undo your last decision, exclusion, request or reassignment of a recording."""
    _say(_review(name).undo(recording_id), as_json)


def _review(name: str) -> Any:
    from pipeline.projects.project import get_project
    from pipeline.projects.review import ProjectReview

    settings = Settings.from_env()
    return ProjectReview(settings, get_project(settings, name), asker())


def _say(result: Any, as_json: bool) -> None:
    agreed = result.consensus
    text = "Saved; no consensus." if agreed is None else f"Saved; consensus {agreed.score:g} ({agreed.method})."
    emit(result, as_json, text)
