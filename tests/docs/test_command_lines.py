"""Command lines in documents: options and arguments exist, presets and settings too, and so do targets of make."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import click
import pytest

from pipeline.cli._outputs import OutputPath
from pipeline.cli.main import main
from pipeline.presets import PRESETS
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.settings import CHECKOUT
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.tabular.config import TabularConfig
from pipeline.tabular.prompt_encoder_config import PromptModelConfig
from pipeline.wakeword.config import WakewordConfig
from tests.docs.documents import DOCUMENTS, blocks, inline_code, name_of

# Where a command's presets lie, and what its settings are.
TRAININGS: dict[str, tuple[Path, type[Any]]] = {
    "train word": (PRESETS, TrainConfig),
    "train speech": (PRESETS / "speech", SpeechTrainConfig),
    "train speechllm": (PRESETS / "speechllm", SpeechLlmConfig),
    "train table": (PRESETS / "tabular", TabularConfig),
    "train prompts": (PRESETS / "prompts", PromptModelConfig),
    "wakeword train": (PRESETS / "wakeword", WakewordConfig),
}
EXTRA = re.compile(r'"\.\[([\w,]+)\]"')
MODULE = re.compile(r"python -m ([\w.]+)")
PRONLAB = re.compile(r"(?:^|run --rm \w+ |python -m )(pronlab .*)")


def lines_of(document: Path) -> Iterator[str]:
    for block in blocks(document):
        yield from (line.strip() for line in block.lines)


def command_lines(document: Path) -> list[str]:
    found = (PRONLAB.search(line) for line in lines_of(document))
    return [match[1] for match in found if match]


def find_command(words: list[str]) -> tuple[str, click.Command, list[str]]:
    """The command that `words` call, its name, and the words after it."""
    command: click.Command = main
    names: list[str] = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        child = command.get_command(click.Context(command), words[0])
        if child is None:
            raise click.UsageError(f"There is no command {' '.join([*names, words[0]])}.")
        names.append(words[0])
        command, words = child, words[1:]
    return " ".join(names), command, words


def check(line: str, *, whole: bool) -> None:
    """Raises click.UsageError for what the command does not take. Only a `whole` line must have all that it needs."""
    name, command, words = find_command(shlex.split(line, comments=True)[1:])
    context = click.Context(command, info_name=name)
    values, rest, _ = command.make_parser(context).parse_args(words)
    if isinstance(command, click.Group):
        if whole:
            raise click.UsageError(f"{name} is a group: which of its commands?")
        return
    if rest:
        raise click.UsageError(f"{name} does not take {rest}.")
    for parameter in command.params:
        given = values.get(parameter.name or "")
        is_given = isinstance(given, str | tuple | list) and bool(given)
        if whole and parameter.required and not is_given:
            raise click.MissingParameter(ctx=context, param=parameter)
        if is_given and not isinstance(parameter.type, click.Path | click.File):
            for value in [given] if isinstance(given, str) else given:
                if isinstance(value, str):
                    parameter.type.convert(value, parameter, context)
    check_settings(name, values)


def check_settings(name: str, values: dict[str, Any]) -> None:
    if name not in TRAININGS:
        return
    folder, config = TRAININGS[name]
    preset = values.get("preset")
    if isinstance(preset, str) and preset.islower() and not (folder / f"{preset}.yaml").is_file():
        raise click.UsageError(f"{name} has no preset {preset}.")
    overrides = values.get("overrides")
    for setting in overrides if isinstance(overrides, list | tuple) else ():
        kind: Any = config
        for part in setting.partition("=")[0].split("."):
            types = get_type_hints(kind) if is_dataclass(kind) else {}
            if part not in types and part != "NAME":
                raise click.UsageError(f"{name} has no setting {setting}.")
            kind = types.get(part)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_command_lines_parse(document: Path) -> None:
    for line in command_lines(document):
        try:
            check(line, whole=True)
        except (click.UsageError, ValueError) as error:
            pytest.fail(f"{line}\n{error}")


def written_by(line: str) -> list[str]:
    """The files and folders that a command line would write."""
    words = shlex.split(line, comments=True)
    if words[0] != "pronlab":
        return words[words.index("-w") + 1 : words.index("-w") + 2] if "-w" in words else []
    name, command, words = find_command(words[1:])
    if isinstance(command, click.Group):
        return []
    values, _, _ = command.make_parser(click.Context(command, info_name=name)).parse_args(words)
    named = [values.get(parameter.name or "") for parameter in command.params if isinstance(parameter.type, OutputPath)]
    return [value for value in named if isinstance(value, str)]


def test_what_the_shown_commands_write_is_no_new_file_for_git() -> None:
    """Whoever tries them in a clone finds it as clean as before. Models are added to, or deployed, on purpose."""
    if shutil.which("git") is None or not (CHECKOUT / ".git").exists():
        pytest.skip("no checkout of git")
    lines = [line for document in DOCUMENTS for line in [*command_lines(document), *lines_of(document)]]
    shown = {path for line in lines if line.startswith(("pronlab ", "espeak-ng ")) for path in written_by(line)}
    paths = sorted(path for path in shown if not path.lower().startswith("models/"))
    assert {"bread.wav", "training_data.csv", "textgrids/"} <= set(paths)
    done = subprocess.run(["git", "check-ignore", *paths], cwd=CHECKOUT, capture_output=True, text=True)
    assert sorted(set(paths) - set(done.stdout.split("\n"))) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_within_sentences_exist(document: Path) -> None:
    for code in inline_code(document):
        if code.startswith("pronlab "):
            try:
                check(code, whole=False)
            except (click.UsageError, ValueError) as error:
                pytest.fail(f"{code}\n{error}")


@pytest.mark.parametrize(
    "line", ["pronlab nonsense", "pronlab score a.wav --nonsense", "pronlab runs", "pronlab runs show"]
)
def test_wrong_command_lines_are_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        check(line, whole=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_targets_of_make_exist(document: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = [match[1] for line in lines_of(document) if (match := re.match(r"make ([\w-]+)", line))]
    shown += [match[1] for code in inline_code(document) if (match := re.fullmatch(r"make ([\w-]+)", code))]
    assert set(shown) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_modules_that_are_run_exist(document: Path) -> None:
    text = "\n".join([*lines_of(document), *inline_code(document)])
    assert [name for name in MODULE.findall(text) if importlib.util.find_spec(name) is None] == []


def test_extras_that_are_installed_exist() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    files = [*DOCUMENTS, *(CHECKOUT / "containers").glob("*.Containerfile")]
    shown = {
        extra
        for file in files
        for found in EXTRA.findall(file.read_text(encoding="utf-8"))
        for extra in found.split(",")
    }
    assert shown <= project["optional-dependencies"].keys()
