"""`pronlab doctor`: check this machine, and whether it gives the same scores as others."""

import sys

import click

from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings


@click.command()
@click.option("--only", metavar="NAME", help="Only the check of this name, such as PyTorch.")
@json_option
def doctor(only: str | None, as_json: bool) -> None:
    """Check the processor, disk, models and optional packages; exit with 1 if something is broken."""
    from pipeline.doctor import State, examine

    checks = examine(Settings.from_env())
    if only is not None:
        names = dict.fromkeys(check.name for check in checks)
        checks = [check for check in checks if check.name.casefold() == only.casefold()]
        if not checks:
            raise click.BadParameter(f"there is no check {only!r}; there are {', '.join(names)}.", param_hint="--only")
    marks = {State.OK: "ok     ", State.NOTE: "note   ", State.PROBLEM: "PROBLEM"}
    text = "\n".join(f"{marks[check.state]}  {check.name}: {check.text}" for check in checks)
    emit({"checks": checks}, as_json, text)
    if any(check.state is State.PROBLEM for check in checks):
        sys.exit(1)
