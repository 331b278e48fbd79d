"""The options of commands that take a rating: a score for a word, four dimensions for a sentence, the dimensions of
another rubric by their keys."""

from collections.abc import Callable
from typing import Any

import click


class _Value(click.ParamType):
    name = "KEY=NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        key, _sign, number = str(value).partition("=")
        try:
            return key, float(number)
        except ValueError:
            self.fail(f"{value!r} is no KEY=NUMBER, such as sounds=4.", param, ctx)


def rating_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --score, --accuracy, --fluency, --prosodic, --total, --value and --notes."""
    options = (
        click.option("--score", type=float, help="Score of a word, 0-100."),
        click.option("--accuracy", type=float, help="Accuracy of a sentence, 0-10."),
        click.option("--fluency", type=float, help="Fluency of a sentence, 0-10."),
        click.option("--prosodic", type=float, help="Prosody of a sentence, 0-10."),
        click.option("--total", type=float, help="Total score of a sentence, 0-10."),
        click.option(
            "--value", "others", type=_Value(), multiple=True, help="A dimension of another rubric, as KEY=NUMBER."
        ),
        click.option("--notes", default="", help="A note on the rating."),
    )
    for option in reversed(options):
        command = option(command)
    return command
