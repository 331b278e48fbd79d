"""`pronlab train`."""

import click

from pipeline.cli.train import speech, speechllm, tables, words


@click.group()
def train() -> None:
    """Train a model."""


for command in (*words.COMMANDS, *speech.COMMANDS, *speechllm.COMMANDS, *tables.COMMANDS):
    train.add_command(command)

__all__ = ["train"]
