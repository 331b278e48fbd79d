"""What a command writes is asked before it works: every option and argument that names it, walked."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.artifacts import require_writable
from pipeline.cli import main
from pipeline.cli._outputs import OutputPath

INPUTS = {
    "analyse folder", "detect audio", "evaluate manifest", "quarantine root", "scan root", "score file",
    "sounds noise", "sounds room_responses", "speech manifest", "speechllm manifest", "split root", "word manifest",
}  # fmt: skip


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        yield (*path, name), command


def outputs() -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    for path, command in commands(main):
        for parameter in command.params:
            if isinstance(parameter.type, OutputPath):
                yield path, parameter


@pytest.mark.parametrize(
    ("path", "parameter"), [pytest.param(*found, id=f"{' '.join(found[0])} {found[1].name}") for found in outputs()]
)
def test_a_command_refuses_at_once_what_it_cannot_write(path: tuple[str, ...], parameter: click.Parameter) -> None:
    """Nothing else of the command line is looked at before: whatever is missing from it is not told."""
    named = ("/proc/nowhere/x",) if isinstance(parameter, click.Argument) else (parameter.opts[0], "/proc/nowhere/x")
    done = CliRunner().invoke(main, [*path, *named])
    assert done.exit_code == 1
    assert "/proc/nowhere/x cannot be written (" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_every_path_that_need_not_exist_is_an_input_or_an_output() -> None:
    paths = {
        f"{path[-1]} {parameter.name}"
        for path, command in commands(main)
        for parameter in command.params
        if isinstance(parameter.type, click.Path) and not parameter.type.exists
        and not isinstance(parameter.type, OutputPath)
    }  # fmt: skip
    assert paths == INPUTS


@pytest.mark.parametrize("name", ["new.csv", "new/folder/x.csv", "old.csv", "."])
def test_what_can_be_written_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "old.csv").write_text("old")
    require_writable(tmp_path / name)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("old.csv", "old")]


@pytest.mark.parametrize("name", ["old.csv/x.csv", "x" * 300, "/dev/full", "/proc/x.csv"])
def test_what_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "old.csv").write_text("old")
    with pytest.raises(OSError, match=r"(?i)directory|too long|not a file"):
        require_writable(tmp_path / name)
