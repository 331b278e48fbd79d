"""The site builds without a warning, shows every command, and has readers fetch nothing."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pipeline.cli.main import main
from pipeline.settings import CHECKOUT

pytestmark = [
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("mkdocs", "material", "mkdocs_click")),
        reason='mkdocs is not installed: pip install -e ".[docs]"',
    ),
    pytest.mark.xdist_group("site"),
]
FETCHED = re.compile(r'<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)="?(?:https?:)?//[^">\s]+')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def leaves(command: click.Command, path: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        if child is not None and not child.hidden:
            yield from leaves(child, f"{path} {name}")


def test_shows_how_every_command_is_used(site: Path) -> None:
    page = re.sub(r"<[^>]+>", "", (site / "reference" / "commands.html").read_text(encoding="utf-8"))
    assert [path for path in leaves(main, "pronlab") if f"\n{path} [" not in page] == []


def test_has_readers_fetch_nothing(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    assert {url for page in pages for url in FETCHED.findall(page.read_text(encoding="utf-8"))} == set()


def test_shows_the_tables_that_are_made_from_the_code(site: Path) -> None:
    assert "<td>rate recordings</td>" in (site / "reference" / "roles.html").read_text(encoding="utf-8")
    assert "<code>speechllm</code>" in (site / "reference" / "settings.html").read_text(encoding="utf-8")
