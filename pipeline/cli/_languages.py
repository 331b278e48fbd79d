"""The options that take a language."""

from typing import Any

import click

from pipeline.errors import UnknownNameError
from pipeline.text.languages import language_code


class LanguageCode(click.types.StringParamType):
    """The code of a language, as `language_code` reads it; "" where none is given."""

    name = "code"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return language_code(value) if value else ""
        except UnknownNameError as error:
            self.fail(str(error), param, ctx)


LANGUAGE = LanguageCode()
