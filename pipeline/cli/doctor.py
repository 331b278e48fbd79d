"""`pronlab doctor`: what this machine has, and whether scores come out here as elsewhere."""

import sys

import click

from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings


@click.command()
@click.option("--repair", "mend", is_flag=True, help="Rewrite signed 8-bit weights of the speech model first.")
@json_option
def doctor(mend: bool, as_json: bool) -> None:
    """Check the processor, disk, models and optional packages; exit with 1 where something is broken."""
    from pipeline.doctor import State, examine, repair

    settings = Settings.from_env()
    changed = repair(settings) if mend else []
    checks = examine(settings)
    marks = {State.OK: "ok     ", State.NOTE: "note   ", State.PROBLEM: "PROBLEM"}
    lines = [f"Rewritten: {file}" for file in changed]
    lines += [f"{marks[check.state]}  {check.name}: {check.text}" for check in checks]
    emit({"checks": checks, "rewritten": changed}, as_json, "\n".join(lines))
    if any(check.state is State.PROBLEM for check in checks):
        sys.exit(1)
