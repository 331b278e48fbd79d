"""Imports point one way, and the light parts stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import COMMANDS
from pipeline.settings import CHECKOUT

PIPELINE_FILES = sorted((CHECKOUT / "pipeline").rglob("*.py"))
VIEW_FILES = sorted((CHECKOUT / "dashboard" / "pages").glob("*.py"))
HEAVY = {"torch", "librosa", "sklearn", "transformers", "peft", "datasets", "bitsandbytes"}

# From the general to the particular: a package may import those on its own line and on the lines above.
LAYERS = [
    {"errors", "markdown", "phones", "records", "registry", "settings", "text", "times"},
    {"artifacts", "csvfile", "jsonl", "locks", "optional", "parallel", "presets", "quantisation"},
    {"runs", "metrics"},
    {"audio"},
    {"corpus", "labels", "people", "projects"},
    {"features", "jobs"},
    {"scoring", "speechllm", "wakeword"},
    {"results", "monitoring", "practice", "tabular"},
    {"api", "doctor"},
    {"cli"},
]


def imported_modules(file: Path) -> set[str]:
    """Every module that `file` imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def layer_of(part: str) -> int | None:
    return next((level for level, parts in enumerate(LAYERS) if part in parts), None)


@pytest.mark.parametrize("file", PIPELINE_FILES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_pipeline_knows_neither_dashboard_nor_streamlit(file: Path) -> None:
    tops = {name.split(".")[0] for name in imported_modules(file)}
    assert not tops & {"dashboard", "streamlit"}


@pytest.mark.parametrize("file", PIPELINE_FILES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_pipeline_imports_from_the_general_to_the_particular(file: Path) -> None:
    own = file.relative_to(CHECKOUT / "pipeline").parts[0].removesuffix(".py")
    level = layer_of(own)
    if own == "__init__":
        return
    assert level is not None, f"pipeline/{own} has no place in LAYERS"
    for name in imported_modules(file):
        parts = name.split(".")
        if parts[0] == "pipeline" and len(parts) > 1 and (other := layer_of(parts[1])) is not None:
            assert other <= level, f"{file.name} imports {name} from a more particular layer"


@pytest.mark.parametrize("file", VIEW_FILES, ids=lambda f: f.name)
def test_pages_import_nothing_heavy(file: Path) -> None:
    assert not {name.split(".")[0] for name in imported_modules(file)} & HEAVY


def test_help_is_light() -> None:
    """`pronlab --help` loads neither numpy nor anything above it, and no Streamlit."""
    code = (
        "import sys; from pipeline.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & (HEAVY | {"numpy", "pandas", "scipy", "streamlit", "soundfile"})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(name: str) -> None:
    import click
    from click.testing import CliRunner

    from pipeline.cli.main import main

    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    command = main.get_command(click.Context(main), name)
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    for leaf in leaves:
        assert leaf.help, f"{name} {leaf.name} has no help"
        options = {option for parameter in leaf.params for option in parameter.opts}
        assert "--json" in options or name == "dashboard", f"{name} {leaf.name} has no --json"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"pronlab {name}" in (CHECKOUT / "README.md").read_text(encoding="utf-8")
