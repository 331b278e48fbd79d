"""`pronlab doctor`: check this machine, and whether it gives the same scores as others."""

import sys

import click

from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check the processor, disk, models and optional packages; exit with 1 if something is broken."""
    from pipeline.doctor import State, examine

    checks = examine(Settings.from_env())
    marks = {State.OK: "ok     ", State.NOTE: "note   ", State.PROBLEM: "PROBLEM"}
    text = "\n".join(f"{marks[check.state]}  {check.name}: {check.text}" for check in checks)
    emit({"checks": checks}, as_json, text)
    if any(check.state is State.PROBLEM for check in checks):
        sys.exit(1)
