"""`pronlab wakeword`: from clips to a detector."""

import click

from pipeline.cli.wakeword import clips, evaluation, training, use


@click.group()
def wakeword() -> None:
    """Wake words: clips, training, evaluation, export, detection."""


for command in (*clips.COMMANDS, *training.COMMANDS, *evaluation.COMMANDS, *use.COMMANDS):
    wakeword.add_command(command)

__all__ = ["wakeword"]
