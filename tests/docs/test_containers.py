"""Container recipes, Compose file and workflow: what can be checked without a container runtime."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.settings import CHECKOUT
from tests.docs.test_command_lines import check

RECIPES = sorted((CHECKOUT / "containers").glob("*.Containerfile"))
COMPOSE = CHECKOUT / "containers" / "compose.yaml"


def instructions(recipe: Path) -> list[tuple[str, str]]:
    text = recipe.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.partition(" ") for line in text.split("\n") if line.strip() and not line.startswith("#"))
    return [(name, rest.strip()) for name, _, rest in lines]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_copies_what_exists_and_runs_without_rights(recipe: Path) -> None:
    steps = instructions(recipe)
    copied = [source for name, rest in steps if name == "COPY" for source in rest.split()[:-1]]
    assert [source for source in copied if not (CHECKOUT / source).exists()] == []
    allowed = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert {source.split("/")[0] for source in copied} <= {line[1:] for line in allowed if line.startswith("!")}
    assert [rest for name, rest in steps if name == "USER"] == ["10001"]
    assert [name for name, _ in steps].index("USER") < [name for name, _ in steps].index("CMD")
    assert "HEALTHCHECK" in {name for name, _ in steps}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_starts_a_command_that_exists(recipe: Path) -> None:
    words = yaml.safe_load(dict(instructions(recipe))["CMD"])
    check(" ".join(words), whole=True)


def test_the_compose_file_builds_recipes_that_exist_and_mounts_the_proxy_settings() -> None:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    built = [service["build"]["dockerfile"] for service in services.values() if "build" in service]
    assert [name for name in built if not (CHECKOUT / name).is_file()] == []
    proxy = (CHECKOUT / "containers" / "Caddyfile").read_text(encoding="utf-8")
    upstreams = re.findall(r"\{\$\w+:(\w+):(\d+)\}", proxy)
    assert sorted((name, port) for name, port in upstreams) == sorted(
        (name, port) for name, service in services.items() for port in service.get("expose", ())
    )


def test_the_workflow_runs_on_every_supported_python() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
