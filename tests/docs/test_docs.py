"""Everything that people can use is documented, and what documents name exists."""

import ast
import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest
import yaml
from click.testing import CliRunner

from dashboard.navigation import PAGE_FILES, PAGES
from pipeline.cli.main import COMMANDS, main
from pipeline.people.access import ALLOWED, Action, Role
from pipeline.presets import PRESETS
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.settings import CHECKOUT
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.tabular.config import TabularConfig
from pipeline.tabular.prompt_encoder_config import PromptModelConfig
from pipeline.wakeword.config import WakewordConfig
from tests.docs.documents import DOCS, DOCUMENTS, blocks, inline_code, name_of, section, table_rows, text_of

README, REFERENCE = CHECKOUT / "README.md", DOCS / "reference"
README_BYTES = 6000
TOP_FOLDERS = ("pipeline", "dashboard", "docs", "tests", "models", "data", "containers", ".ci", ".github", ".streamlit")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
CODE_FILE = re.compile(r"[\w.-]+\.(py|js|css)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CONFIGS: dict[str, type[Any]] = {
    "## Word": TrainConfig,
    "## Speech": SpeechTrainConfig,
    "## Phi-4-multimodal": SpeechLlmConfig,
    "## Tables": TabularConfig,
    "## Prompts": PromptModelConfig,
}


def made_by_installations() -> tuple[str, ...]:
    """Paths that are not in git: an installation makes them."""
    lines = (CHECKOUT / ".gitignore").read_text(encoding="utf-8").split("\n")
    return tuple(line.rstrip("*") for line in lines if "/" in line)


def files_in_the_repository() -> set[str]:
    done = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    listed = done.stdout.split("\n") if done.returncode == 0 else []
    return {Path(name).name for name in listed} | {path.name for path in (CHECKOUT / "pipeline").rglob("*.py")}


def test_readme_is_short() -> None:
    assert len(README.read_bytes()) <= README_BYTES


def test_every_rule_that_bandit_leaves_out_is_explained() -> None:
    settings = tomllib.loads(text_of(CHECKOUT / "pyproject.toml"))["tool"]["bandit"]
    explained = [rule for row in table_rows(text_of(DOCS / "security.md")) for rule in re.findall(r"B\d{3}", row[0])]
    assert sorted(explained) == sorted(settings["skips"])


def is_path_of_ours(code: str) -> bool:
    return "/" in code and bool(PATH.fullmatch(code)) and code.split("/")[0] in TOP_FOLDERS


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_that_a_document_names_exist(document: Path) -> None:
    ignored, known = made_by_installations(), files_in_the_repository()
    missing: list[str] = []
    for code in inline_code(document):
        path = code.rstrip("/")
        if CODE_FILE.fullmatch(code):
            missing += [] if code in known else [code]
        elif is_path_of_ours(code) and not code.startswith(ignored) and not list(CHECKOUT.glob(path)):
            missing.append(code)
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(text_of(document)) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_reference(name: str) -> None:
    assert [f"`pronlab {name}`"] in [row[:1] for row in table_rows(text_of(REFERENCE / "commands.md"))]


def test_the_reference_has_no_command_too_many() -> None:
    rows = table_rows(text_of(REFERENCE / "commands.md"))[1:]
    assert {row[0] for row in rows} == {f"`pronlab {name}`" for name in COMMANDS}


@pytest.mark.parametrize("name", sorted(file.stem for file in PAGE_FILES.glob("*.py") if file.stem != "__init__"))
def test_every_page_is_in_the_reference(name: str) -> None:
    address = "/" if name == "home" else f"/{name}"
    assert f"At `{address}`" in text_of(REFERENCE / "pages.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_is_in_the_readme_under_its_title(page: Any) -> None:
    assert f"\n## {page.title}\n" in text_of(REFERENCE / "pages.md")
    assert f"\n| {page.title} |" in text_of(README)


def test_every_setting_is_in_the_reference() -> None:
    used: set[str] = set()
    for package in ("pipeline", "dashboard"):
        for file in (CHECKOUT / package).rglob("*.py"):
            used |= set(re.findall(r"PRONLAB_[A-Z]+(?:_[A-Z]+)*", file.read_text(encoding="utf-8")))
    rows = table_rows(text_of(REFERENCE / "settings.md"))
    shown = {row[0].strip("`") for row in rows if row[0].startswith("`PRONLAB_")}
    assert shown == used


def script(name: str) -> ModuleType:
    """One of the scripts beside the documents, which are no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pictures_are_taken_and_shown_of_every_page() -> None:
    shown = re.findall(r"<!-- pictures of (\w+) -->", text_of(REFERENCE / "pages.md"))
    assert shown == list(script("screenshots").PAGES)
    assert {page.name for page in PAGES} | {"home"} == set(shown)


def test_the_site_shows_who_may_do_what() -> None:
    hooks = script("hooks")
    page = hooks.on_page_markdown(text_of(REFERENCE / "roles.md"))
    rows = [row for row in table_rows(page) if len(row) == len(Role) + 1]
    shown = {(row[0], role) for row in rows[1:] for role, mark in zip(Role, row[1:], strict=True) if mark == "yes"}
    assert shown == {(str(action), role) for action in Action for role in ALLOWED[action]}
    assert {row[0] for row in table_rows(page)} >= set(Role)


@pytest.mark.parametrize("file", sorted(PRESETS.rglob("*.yaml")), ids=lambda file: str(file.relative_to(PRESETS)))
def test_every_preset_is_in_the_reference(file: Path) -> None:
    name = file.relative_to(PRESETS).with_suffix("").as_posix()
    assert f"| [`{name}`](" in text_of(REFERENCE / "presets.md")


def test_the_reference_has_no_preset_too_many() -> None:
    names = re.findall(r"^\| \[`([\w/]+)`\]", text_of(REFERENCE / "presets.md"), re.MULTILINE)
    assert [name for name in names if not (PRESETS / f"{name}.yaml").is_file()] == []


@pytest.mark.parametrize("heading", CONFIGS)
def test_every_preset_key_is_explained(heading: str) -> None:
    assert explained(heading) == defaults(CONFIGS[heading])


def test_every_key_of_wake_words_is_explained() -> None:
    sections = {name: kind for name, kind in get_type_hints(WakewordConfig).items() if is_dataclass(kind)}
    whole = section(REFERENCE / "presets.md", "## Wake words").partition("###")[0]
    own = {name: shown for name, shown in defaults(WakewordConfig).items() if name not in sections}
    assert keys_of(whole) == own
    for name, kind in sections.items():
        assert explained(f"### {name}") == defaults(kind), name


def defaults(config: type[Any]) -> dict[str, str]:
    """Each setting, and its default as the reference writes it."""
    return {field.name: as_written(field.default) for field in fields(config)}


def as_written(value: Any) -> str:
    if value == "" or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{value}`"


def explained(heading: str) -> dict[str, str]:
    return keys_of(section(REFERENCE / "presets.md", heading))


def keys_of(text: str) -> dict[str, str]:
    """Each setting of a table, and its default as written there."""
    rows = table_rows(text)
    assert all(row[2] for row in rows)
    return {row[0].strip("`"): row[1] for row in rows if row[0].startswith("`")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_data_that_a_document_shows_can_be_read(document: Path) -> None:
    readers = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}
    for block in blocks(document):
        if block.language in readers:
            assert readers[block.language](block.text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_python_that_a_document_shows_finds_what_it_imports(document: Path) -> None:
    for block in blocks(document):
        if block.language == "python":
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pipeline"):
                    assert {alias.name for alias in node.names} <= names_in(node.module)


def names_in(module: str) -> set[str]:
    """What a module defines at its top, without importing it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng speaks the sentence and is not installed")
def test_the_readme_shows_what_a_sentence_really_gets(tmp_path: Path) -> None:
    speech, score = (line for block in blocks(README) for line in block.lines if "bread.wav" in line)
    output = next(block.text for block in blocks(README) if block.language == "text")
    subprocess.run(speech, shell=True, cwd=tmp_path, check=True)
    words = shlex.split(score.replace("bread.wav", str(tmp_path / "bread.wav")))
    done = CliRunner().invoke(main, words[1:])
    assert without_figures(done.output) == without_figures(output)


def without_figures(text: str) -> list[str]:
    """Words and phones; figures differ in the last digit from processor to processor and with eSpeak NG's version."""
    return [re.sub(r"[\d.]+|[~!]", "", line).split() for line in text.strip().split("\n")][1:]


def test_nothing_that_an_installation_writes_would_be_committed() -> None:
    """Voices, keys and recordings of people, wherever the code puts them in the data folder."""
    name = re.compile(r'data_root / "([^"]+)"')
    written = {part for file in (CHECKOUT / "pipeline").rglob("*.py") for part in name.findall(text_of(file))}
    assert {"owners", "wakewords", "api_keys.json", "people.json"} <= written
    ignored = [line.removeprefix("data/").rstrip("*/") for line in made_by_installations() if line.startswith("data/")]
    assert [part for part in sorted(written) if not any(part.startswith(known) for known in ignored)] == []
