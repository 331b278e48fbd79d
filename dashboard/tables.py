"""What the Tables page asks for: tasks, collected prompts, cleaning, trainings and their reports, the model in use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dashboard.services import settings
from pipeline.runs import RunDirectory, RunListing, scan_runs
from pipeline.settings import CHECKOUT

if TYPE_CHECKING:
    from pipeline.tabular.cleaning import Cleaning
    from pipeline.tabular.config import TabularConfig
    from pipeline.tabular.model_files import TabularModel
    from pipeline.tabular.prompts.store import Prompt
    from pipeline.tabular.scoring import PromptScore

KIND = "table"
REPORT = "report.json"
SYNTHETIC = CHECKOUT / "data" / "synthetic-prompts" / "prompts.jsonl"


def titles() -> dict[str, str]:
    from pipeline.tabular.task import get_task, task_names

    return {name: get_task(name).title for name in task_names()}


def prompts() -> list[Prompt]:
    from pipeline.tabular.prompts.store import Store

    return Store(settings()).all()


def keep_prompt(text: str, author: str, score: float | None, rater: str, notes: str) -> None:
    from pipeline.tabular.prompts.store import Store

    Store(settings()).add(text, author, score, rater, notes)


def rate_prompt(prompt: str, score: float, rater: str, notes: str) -> None:
    from pipeline.tabular.prompts.store import Store

    Store(settings()).rate(prompt, score, rater, notes)


def remove_prompt(prompt: str) -> None:
    from pipeline.tabular.prompts.store import Store

    Store(settings()).remove(prompt)


def add_synthetic() -> int:
    from pipeline.tabular.prompts.store import Store

    return Store(settings()).add_file(SYNTHETIC)


def cleaning(task: str, source: str) -> Cleaning:
    from pipeline.tabular.cleaning import clean
    from pipeline.tabular.task import get_task

    found = get_task(task)
    return clean(found.rows(settings(), source), found)


def start(config: TabularConfig) -> str:
    from pipeline.jobs.launcher import launch_training

    return launch_training(settings(), KIND, config).id


def runs(task: str) -> RunListing:
    """Trainings of trees on a task, newest first, and the folders among all runs that cannot be read."""
    found = scan_runs(settings().runs_root)
    own = (run for run in found.records if run.state.kind == KIND and run.config.get("task") == task)
    return RunListing(tuple(own), found.damaged)


def has_report(run: RunDirectory) -> bool:
    return (run.path / REPORT).is_file()


def report(run: RunDirectory) -> dict[str, Any]:
    """What a finished training found. Raises OSError or ValueError where the file cannot be read."""
    content: dict[str, Any] = json.loads((run.path / REPORT).read_text(encoding="utf-8"))
    return content


def in_use(task: str) -> TabularModel | None:
    from pipeline.tabular.model_files import in_use

    return in_use(settings(), task)


def deploy(run: RunDirectory) -> None:
    from pipeline.tabular.model_files import deploy

    deploy(settings(), run.path / "model")


def roll_back(task: str) -> str | None:
    from pipeline.tabular.model_files import roll_back

    return roll_back(settings(), task)


def score_prompt(text: str) -> PromptScore:
    from pipeline.tabular.scoring import score_prompt

    return score_prompt(settings(), text)
