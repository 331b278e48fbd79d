"""`pronlab pairs`: pair projects from the command line."""

from typing import TYPE_CHECKING

import click

from pipeline.cli._access import asker
from pipeline.cli._output import between, counted, emit, json_option, say
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.metrics.estimate import Estimate
    from pipeline.projects.pairs.results import PairResults

name_argument = click.argument("name", metavar="PROJECT")
map_option = click.option(
    "--map", "method", type=click.Choice(["linear", "monotone"]), default="linear", show_default=True,
    help="How places become scores: a line through the anchors, or steps between them.",
)  # fmt: skip


@click.group()
def pairs() -> None:
    """Pair projects: the plan, the scale, raters' consistency. Set projects up on the Projects page."""


@pairs.command()
@name_argument
@json_option
def plan(name: str, as_json: bool) -> None:
    """Show how many pairs the project has, and how many answers there are."""
    from pipeline.projects.pairs.design import n_groups
    from pipeline.projects.pairs.plan import plan_of
    from pipeline.projects.pairs.queue import progress_of
    from pipeline.projects.project import get_project

    settings = Settings.from_env()
    project = get_project(settings, name)
    _results(name)  # refuses a project of ratings
    planned, progress = plan_of(settings, project), progress_of(settings, project)
    groups = n_groups(planned.pairs)
    text = (
        f"{counted(len(planned.items), 'recording')} in {counted(len(planned.pairs), 'pair')}, "
        f"{counted(groups, 'connected group')}; {progress.done} of {counted(progress.needed, 'answer')}."
    )
    counts = {"recordings": len(planned.items), "n_pairs": len(planned.pairs), "groups": groups}
    record = {**counts, "needed": progress.needed, "done": progress.done, "pairs": planned.pairs}
    emit(record, as_json, text)


@pairs.command()
@name_argument
@map_option
@click.option(
    "--bootstrap", "n_resamples", type=click.IntRange(0, 10_000), default=0, metavar="N",
    help="Intervals that allow for the choice of raters, from N resamples (0: from the answers alone).",
)  # fmt: skip
@json_option
def scale(name: str, method: str, n_resamples: int, as_json: bool) -> None:
    """Print the scale, the best recording first: place, 95 % interval and score, as CSV or JSON."""
    from pipeline import csvfile
    from pipeline.projects.pairs.results import scale_table

    result = _results(name).scale(method=method, n_resamples=n_resamples)
    emit(result, as_json, csvfile.of_frame(scale_table(result)).rstrip())
    if result.why_no_scores:
        say(f"! {result.why_no_scores}", err=True)


@pairs.command()
@name_argument
@json_option
def raters(name: str, as_json: bool) -> None:
    """Show each rater's consistency: agreement with the others, repeats, circles, preference for a side."""
    listed = _results(name).raters()
    lines = [
        f"{r.name}: {counted(r.n, 'answer')}, {r.ties:.0%} ties; agrees with the others {_words(r.hits)}; repeats "
        f"alike {_words(r.repeats)}; {r.circular} of {r.triads} triads are circles; left preferred {_words(r.left)}"
        for r in listed
    ]
    emit(listed, as_json, "\n".join(lines) or "Nobody has compared a pair yet.")


@pairs.command()
@name_argument
@json_option
def export(name: str, as_json: bool) -> None:
    """Print every answer and skip that stands, as CSV or JSON."""
    from pipeline import csvfile

    table = _results(name).table()
    emit(table.to_dict(orient="records"), as_json, csvfile.of_frame(table).rstrip())


@pairs.command("save-ratings")
@name_argument
@map_option
@json_option
def save_ratings(name: str, method: str, as_json: bool) -> None:
    """Add the scores to the label files, as ratings for training and agreement."""
    results = _results(name)
    n = results.save_as_ratings(method=method)
    emit(
        {"saved": n, "evaluator": results.rater_name},
        as_json,
        f"{counted(n, 'rating')} by {results.rater_name!r} saved.",
    )


def _results(name: str) -> "PairResults":
    from pipeline.projects.pairs.results import PairResults
    from pipeline.projects.project import get_project

    settings = Settings.from_env()
    return PairResults(settings, get_project(settings, name), asker())


def _words(estimate: "Estimate") -> str:
    if estimate.value is None or estimate.interval is None:
        return f"- ({estimate.reason})"
    return f"{estimate.value:.0%} {between(estimate.interval, 0, is_share=True)} of {estimate.n}"
