"""The options and arguments that name what a command writes: asked before it begins to work."""

import os
from pathlib import Path
from typing import Any

import click

from pipeline.artifacts import require_writable
from pipeline.errors import said_by


class OutputPath(click.Path):
    """A file or folder to write; refused at once where it cannot be written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            require_writable(path)
        except (OSError, ValueError) as error:
            self.fail(f"{path} cannot be written ({said_by(error)}). Name another place.", param, ctx)
        return path


OUTPUT = OutputPath()
OUTPUT_FILE = OutputPath(dir_okay=False)
OUTPUT_FOLDER = OutputPath(file_okay=False)
