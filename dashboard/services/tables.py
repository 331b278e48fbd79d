"""What the Tables page asks for: tasks, collected prompts, cleaning, trainings and their reports, the model in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline import artifacts
from pipeline.people.access import Action
from pipeline.people.names import same_person
from pipeline.runs import RunDirectory, RunListing, scan_runs
from pipeline.settings import SHIPPED

if TYPE_CHECKING:
    from pipeline.people.access import Identity
    from pipeline.tabular.cleaning import Cleaning
    from pipeline.tabular.config import TabularConfig
    from pipeline.tabular.model_files import TabularModel
    from pipeline.tabular.prompts.store import Prompt
    from pipeline.tabular.scoring import PromptScore

KIND = "table"
REPORT = "report.json"
SYNTHETIC = SHIPPED / "data" / "synthetic-prompts" / "prompts.jsonl"


@asks(Action.COLLECT_PROMPTS)
def titles() -> dict[str, str]:
    from pipeline.tabular.catalogue import get_task, task_names

    return {name: get_task(name).title for name in task_names()}


@asks(Action.COLLECT_PROMPTS)
def prompts() -> list[Prompt]:
    """All of them; scores and notes of others only for who may see what others rated."""
    from pipeline.tabular.prompts.store import Store

    me, all_prompts = identity.allowed(Action.COLLECT_PROMPTS), Store(settings()).all()
    if me.may(Action.SEE_RATINGS):
        return all_prompts
    return [
        prompt if same_person(prompt.rater, me.name) else replace(prompt, score=None, rater="", notes="")
        for prompt in all_prompts
    ]


@asks(Action.COLLECT_PROMPTS)
def keep_prompt(text: str, author: str, score: float | None, rater: str, notes: str) -> None:
    from pipeline.tabular.prompts.store import Store

    Store(settings()).add(text, author, score, rater, notes, _rater(rater))


@asks(Action.COLLECT_PROMPTS)
def rate_prompt(prompt: str, score: float, rater: str, notes: str) -> None:
    from pipeline.tabular.prompts.store import Store

    Store(settings()).rate(prompt, score, rater, notes, _rater(rater))


@asks(Action.COLLECT_PROMPTS)
def remove_prompt(prompt: str) -> None:
    from pipeline.tabular.prompts.store import Store

    Store(settings()).remove(prompt, identity.allowed(Action.COLLECT_PROMPTS))


@asks(Action.IMPORT_DATA, Action.TRAIN)
def add_synthetic() -> int:
    from pipeline.tabular.prompts.store import Store

    return Store(settings()).add_file(SYNTHETIC, identity.allowed(Action.IMPORT_DATA, Action.TRAIN))


@asks(Action.TRAIN)
def cleaning(task: str, source: str) -> Cleaning:
    from pipeline.tabular.catalogue import get_task
    from pipeline.tabular.cleaning import clean

    chosen = get_task(task)
    return clean(chosen.rows(settings(), source), chosen)


@asks(Action.TRAIN)
def start(config: TabularConfig) -> str:
    from pipeline.jobs.launcher import launch_training

    return launch_training(settings(), KIND, config, by=identity.allowed(Action.TRAIN)).id


@asks(Action.TRAIN)
def runs(task: str) -> RunListing:
    """Trainings of trees on a task, newest first, and the folders among all runs that cannot be read."""
    listing = scan_runs(settings().runs_root)
    of_task = (run for run in listing.records if run.state.kind == KIND and run.config.get("task") == task)
    return RunListing(tuple(of_task), listing.damaged)


@asks(Action.TRAIN)
def has_report(run: RunDirectory) -> bool:
    return (run.path / REPORT).is_file()


@asks(Action.TRAIN)
def report(run: RunDirectory) -> dict[str, Any]:
    """What a finished training found. Raises OSError or ValueError where the file cannot be read."""
    content: dict[str, Any] = artifacts.read_json(run.path / REPORT)
    return content


@asks(Action.TRAIN)
def in_use(task: str) -> TabularModel | None:
    from pipeline.tabular.model_files import in_use

    return in_use(settings(), task)


@asks(Action.DEPLOY)
def deploy(run: RunDirectory) -> None:
    from pipeline.tabular.model_files import deploy

    deploy(settings(), run.path / "model", identity.allowed(Action.DEPLOY))


@asks(Action.DEPLOY)
def roll_back(task: str) -> str | None:
    from pipeline.tabular.model_files import roll_back

    return roll_back(settings(), task, identity.allowed(Action.DEPLOY))


@asks(Action.PRACTISE)
def score_prompt(text: str) -> PromptScore:
    from pipeline.tabular.scoring import score_prompt

    return score_prompt(settings(), text)


def _rater(name: str) -> Identity | None:
    return identity.as_person(name, Action.COLLECT_PROMPTS) if name or not identity.is_open() else None
