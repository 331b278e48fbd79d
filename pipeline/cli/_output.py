"""Output of all commands: `--json`, text for people, and progress on the error stream."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from pipeline.records import to_json

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")

Progress = Callable[[int, int, str], None]


def emit(value: Any, as_json: bool, text: str) -> None:
    """Print the result: the whole record as JSON, or `text` for people. Of the processes of one run (torchrun's ranks)
    only the first speaks."""
    if os.environ.get("RANK", "0") != "0":
        return
    click.echo(json.dumps(to_json(value), ensure_ascii=False) if as_json else text)


def pairs(option: str, values: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE options as a mapping. Raises a usage error for one without the sign."""
    if wrong := [value for value in values if "=" not in value]:
        raise click.UsageError(f"{option}, got {wrong[0]!r}.")
    return dict(value.split("=", 1) for value in values)


def progress_printer(label: str) -> Progress:
    """A `progress(done, total, message)` callback that rewrites one line on a terminal and is silent elsewhere."""

    def report(done: int, total: int, message: str = "") -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            click.echo(f"\r{label}: {done}/{total} {message:<40.40}", nl=False, err=True)
            click.echo(end, nl=False, err=True)

    return report
