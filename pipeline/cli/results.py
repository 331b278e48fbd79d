"""`pronlab results`: all results in one table."""

from pathlib import Path

import click

from pipeline.cli._output import emit, json_option
from pipeline.cli._outputs import OUTPUT_FILE
from pipeline.settings import Settings


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "markdown", "latex", "png"]),
    default="markdown",
    show_default=True,
    help="Output format; png needs --out.",
)
@click.option("--out", type=OUTPUT_FILE, help="Write to this file instead of printing.")
@click.option(
    "--run", "runs", multiple=True, help="Include only this fine-tuning run; repeatable (default: all of them)."
)
@json_option
def results(form: str, out: Path | None, runs: tuple[str, ...], as_json: bool) -> None:
    """Compare our evaluations and fine-tuning runs with the paper, published systems and one expert.

    Stand-ins for the speech language model (presets tiny and standin) come last: they reproduce nothing.
    """
    from pipeline.artifacts import write_bytes
    from pipeline.evaluation.results_export import FORMATS
    from pipeline.evaluation.results_table import result_rows

    if form == "png" and out is None and not as_json:
        raise click.UsageError("A picture cannot be printed. Name a file with --out.")
    rows = result_rows(Settings.from_env(), runs or None)
    values = [{"kind": row.kind, **row.values(), "gaps": row.gaps, "making": row.making} for row in rows]
    if out is None:
        emit(values, as_json, "" if as_json else FORMATS[form][0](rows).decode().rstrip())
        return
    write_bytes(out, FORMATS[form][0](rows))
    emit({"file": out, "rows": values}, as_json, f"Wrote {len(rows)} systems to {out}.")
