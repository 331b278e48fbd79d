"""`pronlab guide`: a task step by step, with what is done, what comes next, and what to do about errors."""

import click

from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings


@click.group()
def guide() -> None:
    """Guide through a task: what is done, what comes next, and remedies."""


@guide.command()
@click.option("--set", "set_name", default="", help="The recording set (default: your largest set of words).")
@json_option
def word(set_name: str, as_json: bool) -> None:
    """From recordings of words to a deployed scorer: a checklist with the next command."""
    from pipeline.scoring.word_guide import as_text, word_guide

    made = word_guide(Settings.from_env(), set_name)
    emit({**vars(made), "next": made.next}, as_json, as_text(made))
