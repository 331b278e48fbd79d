"""The `pronlab` command: one module a command group, each importing what it needs only when it runs."""

from pipeline.cli.main import main

__all__ = ["main"]
