"""Imports point one way, and the light parts stay light."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import grimp
import networkx
import pytest

from pipeline.cli.main import COMMANDS
from pipeline.optional import EXTRAS
from pipeline.settings import CHECKOUT

PIPELINE_FILES = sorted((CHECKOUT / "pipeline").rglob("*.py"))
PAGE_FILES = sorted((CHECKOUT / "dashboard" / "views").glob("*.py"))
HEAVY = {"torch", "librosa", "sklearn", "transformers", "peft", "datasets", "bitsandbytes"}

# From the general to the particular: each may import those on the lines below it, and none on its own line.
DASHBOARD_LAYERS = ["app", "views", "sections", "components", "services"]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, at the top of a module or inside a function; imports for type checkers alone are left out."""
    return grimp.build_graph("pipeline", "dashboard", exclude_type_checking_imports=True, cache_dir=None)


def circles(edges: Iterable[tuple[str, str]]) -> list[set[str]]:
    return [names for names in networkx.strongly_connected_components(networkx.DiGraph(edges)) if len(names) > 1]


def imports_of(graph: grimp.ImportGraph) -> list[tuple[str, str]]:
    return [
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
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


@pytest.mark.parametrize("file", PIPELINE_FILES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_pipeline_knows_neither_dashboard_nor_streamlit(file: Path) -> None:
    tops = {name.split(".")[0] for name in imported_modules(file)}
    assert not tops & {"dashboard", "streamlit"}


def test_nothing_is_pickled() -> None:
    """Reading a pickle runs what it says. One is made to be refused, one as processes hand messages to each other, and
    one error is named so."""
    made = {
        "tests/files/test_damaged_models.py", "tests/test_i18n.py", "pipeline/scoring/feature_based/model_files.py"
    }  # fmt: skip
    files = [file for top in ("pipeline", "dashboard", "tests", "docs") for file in (CHECKOUT / top).rglob("*.py")]
    pickling = {
        file.relative_to(CHECKOUT).as_posix()
        for file in files
        if {name.split(".")[0] for name in imported_modules(file)} & {"pickle", "cPickle", "dill", "shelve", "marshal"}
    }
    assert pickling == made


def test_no_module_imports_itself_through_others(graph: grimp.ImportGraph) -> None:
    assert circles(imports_of(graph)) == []


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_no_package_imports_itself_through_others(graph: grimp.ImportGraph, depth: int) -> None:
    """Depth 2 is `pipeline.labels` and its like, 3 `pipeline.scoring.speech`, 4 `pipeline.scoring.speech.training`."""

    def package(module: str) -> str:
        return ".".join(module.split(".")[:depth])

    pairs = ((package(importer), package(imported)) for importer, imported in imports_of(graph))
    assert circles((a, b) for a, b in pairs if a != b and not b.startswith(f"{a}.") and not a.startswith(f"{b}.")) == []


def test_no_page_is_served_past_the_frame() -> None:
    """Streamlit serves every file of a folder called `pages` beside the app, without running the app."""
    assert not (CHECKOUT / "dashboard" / "pages").exists()


def test_the_dashboard_is_layered(graph: grimp.ImportGraph) -> None:
    assert graph.find_illegal_dependencies_for_layers(DASHBOARD_LAYERS, containers={"dashboard"}) == set()


@pytest.mark.parametrize("file", PAGE_FILES, ids=lambda f: f.name)
def test_pages_import_nothing_heavy(file: Path) -> None:
    assert not {name.split(".")[0] for name in imported_modules(file)} & HEAVY


def test_pages_open_without_what_only_trainings_need() -> None:
    """No page, with all that it imports, loads PyTorch and its like: they are not there after `make run`."""
    trainings = sorted(name for name, extra in EXTRAS.items() if extra in ("train", "wakeword", "speechllm"))
    code = (
        "import importlib, sys\n"
        f"for name in {[file.stem for file in PAGE_FILES]!r}: importlib.import_module(f'dashboard.views.{{name}}')\n"
        f"print(*set({trainings!r}) & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert done.stdout.split() == []


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
        assert "--json" in options or name == "dashboard" or leaf.hidden, f"{name} {leaf.name} has no --json"
