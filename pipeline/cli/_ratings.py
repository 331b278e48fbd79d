"""The options of commands that take a rating: a score for a word, four dimensions for a sentence."""

from collections.abc import Callable
from typing import Any

import click


def rating_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --score, --accuracy, --fluency, --prosodic, --total and --notes."""
    options = (
        click.option("--score", type=float, help="Score of a word, 0-100."),
        click.option("--accuracy", type=float, help="Accuracy of a sentence, 0-10."),
        click.option("--fluency", type=float, help="Fluency of a sentence, 0-10."),
        click.option("--prosodic", type=float, help="Prosody of a sentence, 0-10."),
        click.option("--total", type=float, help="Total score of a sentence, 0-10."),
        click.option("--notes", default="", help="A note on the rating."),
    )
    for option in reversed(options):
        command = option(command)
    return command
