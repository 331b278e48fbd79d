"""Numbers on the command line: `nan` is none, which click takes for any number and within any range."""

import math
from typing import Any

import click

from pipeline.presets import SEEDS


class Number(click.types.FloatParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        return _a_number(super().convert(value, param, ctx), self, param, ctx)


class NumberRange(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        return _a_number(super().convert(value, param, ctx), self, param, ctx)


def _a_number(
    number: float, kind: Number | NumberRange, param: click.Parameter | None, ctx: click.Context | None
) -> float:
    if math.isnan(number):
        kind.fail("nan is no number.", param, ctx)
    return number


NUMBER = Number()
SEED = click.IntRange(*SEEDS)
