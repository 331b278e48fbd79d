"""The options and arguments that name what a command writes: asked before it begins to work."""

import os
from pathlib import Path
from typing import Any

import click

from pipeline.artifacts import require_writable
from pipeline.i18n import N_
from pipeline.write_errors import not_written


class OutputPath(click.Path):
    """A file or folder to write; refused at once where it cannot be written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            require_writable(path)
        except (OSError, ValueError) as error:
            text = N_("{path} cannot be written ({reason}).")
            self.fail(not_written(text, path, error, otherwise=N_("Or name another place.")), param, ctx)
        return path


OUTPUT = OutputPath()
OUTPUT_FILE = OutputPath(dir_okay=False)
OUTPUT_FOLDER = OutputPath(file_okay=False)
