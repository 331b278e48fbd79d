"""What the Tables page asks for: tasks, collected prompts, cleaning, trainings and their reports, the model in use."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
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
    from pipeline.deployment.prompt_answering import PromptScore
    from pipeline.people.access import Identity
    from pipeline.tabular.cleaning import Cleaning
    from pipeline.tabular.config import TabularConfig
    from pipeline.tabular.model_files import TabularInfo
    from pipeline.tabular.prompt_encoder_config import PromptModelConfig
    from pipeline.tabular.prompts.store import Prompt

TREES, ENCODERS = "table", "prompts"  # kinds of runs
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


@asks(Action.IMPORT_DATA, Action.TRAIN)
def add_file(name: str, content: bytes) -> int:
    """Import prompts from a file of the visitor's; how many are new. Raises TrainingError."""
    from pipeline.tabular.prompts.store import Store

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(name).name)
        path.write_bytes(content)
        return Store(settings()).add_file(path, identity.allowed(Action.IMPORT_DATA, Action.TRAIN))


@asks(Action.TRAIN)
def unmeasured(task: str) -> str:
    """Which features cannot be measured here and why; "" where all can."""
    from pipeline.tabular.catalogue import get_task

    return get_task(task).unmeasured()


@asks(Action.TRAIN)
def cleaning(task: str, source: str) -> Cleaning:
    from pipeline.tabular.catalogue import get_task
    from pipeline.tabular.cleaning import clean

    chosen = get_task(task)
    return clean(chosen.rows(settings(), source), chosen)


@asks(Action.TRAIN)
def start(config: TabularConfig | PromptModelConfig) -> str:
    """Train trees on a table, or a text encoder on prompts; returns the run's id."""
    from pipeline.jobs.launcher import launch_training
    from pipeline.tabular.config import TabularConfig

    kind = TREES if isinstance(config, TabularConfig) else ENCODERS
    return launch_training(settings(), kind, config, by=identity.allowed(Action.TRAIN)).id


@asks(Action.TRAIN)
def runs(task: str) -> RunListing:
    """Trainings on a task, newest first, and the folders among all runs that cannot be read."""
    listing = scan_runs(settings().runs_root)
    of_task = (
        run
        for run in listing.records
        if (run.state.kind == TREES and run.config.get("task") == task) or (run.state.kind == ENCODERS == task)
    )
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
def in_use(task: str) -> TabularInfo | None:
    """The deployed model; None where the rules score."""
    from pipeline.tabular.model_files import in_use, load_info

    folder = in_use(settings(), task)
    return None if folder is None else load_info(folder)


@asks(Action.DEPLOY)
def deploy(run: RunDirectory) -> None:
    from pipeline.deployment.model_registry import make_live

    make_live(settings(), run.path / "model", identity.allowed(Action.DEPLOY), run.id)


@asks(Action.DEPLOY)
def roll_back(task: str) -> str | None:
    from pipeline.deployment.model_registry import roll_back

    return roll_back(settings(), task, identity.allowed(Action.DEPLOY))


@asks(Action.PRACTISE)
def score_prompt(text: str) -> PromptScore:
    """By whoever answers the visitor: their name keeps them on one side of a comparison, and is not kept."""
    from pipeline.deployment.prompt_answering import score_prompt

    me = identity.present()
    return score_prompt(settings(), text, learner=me.name if me else "")


@asks(Action.PRACTISE)
def prompt_feedback(prediction: str, *, score: float | None = None, agrees: bool | None = None) -> None:
    """What the visitor says about a score: whether they agree, or their own. It counts as an expert's where they
    collect and rate prompts."""
    from pipeline.deployment.prediction_log import PredictionLog

    kind = "expert" if identity.allowed(Action.PRACTISE).may(Action.COLLECT_PROMPTS) else "learner"
    PredictionLog(settings()).feedback(prediction, score=score, agrees=agrees, kind=kind)


def _rater(name: str) -> Identity | None:
    return identity.as_person(name, Action.COLLECT_PROMPTS) if name or not identity.is_open() else None
