"""The options of commands that take a rating: a score for a word, four dimensions for a sentence, the dimensions of
another rubric by their keys."""

from collections.abc import Callable
from typing import Any

import click


def _values(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    values = []
    for text in given:
        key, _sign, number = text.partition("=")
        try:
            values.append((key, float(number)))
        except ValueError:
            raise click.BadParameter(f"{text!r} is no KEY=NUMBER, such as sounds=4.") from None
    return tuple(values)


def rating_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --score, --accuracy, --fluency, --prosodic, --total, --value and --notes."""
    options = (
        click.option("--score", type=float, help="Score of a word, 0-100."),
        click.option("--accuracy", type=float, help="Accuracy of a sentence, 0-10."),
        click.option("--fluency", type=float, help="Fluency of a sentence, 0-10."),
        click.option("--prosodic", type=float, help="Prosody of a sentence, 0-10."),
        click.option("--total", type=float, help="Total score of a sentence, 0-10."),
        click.option(
            "--value",
            "others",
            metavar="KEY=NUMBER",
            multiple=True,
            callback=_values,
            help="A dimension of another rubric, as KEY=NUMBER.",
        ),
        click.option("--notes", default="", help="A note on the rating."),
    )
    for option in reversed(options):
        command = option(command)
    return command
