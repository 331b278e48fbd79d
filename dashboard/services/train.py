"""What the Train page asks for: extractors to choose from, launching, reading finished runs, deploying."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline import artifacts
from pipeline.errors import PronlabError
from pipeline.metrics.regression import RegressionMetrics
from pipeline.people.access import Action
from pipeline.records import RubricName
from pipeline.runs import RunDirectory, RunListing, scan_runs
from pipeline.runs.metrics import MetricsReader
from pipeline.scoring.feature_based.config import TrainConfig

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.jobs.launcher import Where
    from pipeline.scoring.feature_based.model_files import ModelInfo
    from pipeline.scoring.speech.model_files import SpeechInfo
    from pipeline.scoring.speech.training.config import SpeechTrainConfig
    from pipeline.speechllm.config import SpeechLlmConfig


@dataclass(frozen=True)
class ExtractorChoice:
    """A registered extractor; `problem` says in words why it cannot be used here, None where it can."""

    name: str
    description: str
    problem: str | None


@dataclass(frozen=True)
class Report:
    """What a finished run measured, over speakers it had not heard."""

    metrics: RegressionMetrics
    baselines: dict[str, RegressionMetrics]
    importance: dict[str, float]
    warnings: tuple[str, ...]


@asks(Action.TRAIN)
def start(kind: str, config: TrainConfig | SpeechTrainConfig | SpeechLlmConfig, where: Where | None = None) -> str:
    """Start `pronlab train <kind>` in the background; returns the run's id."""
    from pipeline.jobs.launcher import launch_training

    return launch_training(settings(), kind, config, where, identity.allowed(Action.TRAIN)).id


@asks(Action.TRAIN)
def speech_sets() -> list[str]:
    """Sets that a speech scorer can learn from: those imported from a manifest of the corpus's form."""
    from pipeline.corpus.sets import list_sets

    return [
        set_.name
        for set_ in list_sets(settings())
        if set_.rubric is RubricName.SENTENCE and (set_.root / "manifest.jsonl").is_file()
    ]


@asks(Action.TRAIN)
def manifest_of_set(name: str) -> Path:
    from pipeline.corpus.sets import get_set

    return get_set(settings(), name).root / "manifest.jsonl"


@asks(Action.TRAIN)
def speech_in_use() -> SpeechInfo | None:
    from pipeline.scoring.speech.model_files import find_speech_model, load_info

    folder = find_speech_model(settings())
    return None if folder is None else load_info(folder)


@asks(Action.TRAIN)
def speech_total(info: SpeechInfo) -> dict[str, Any] | None:
    """The newest evaluation of `total` over speakers that nothing was chosen on (`pcc`, `n`); None before there is
    one."""
    from pipeline.evaluation.saved import read_evaluations

    found = (one.report for one in read_evaluations(settings()) if one.report["model_id"] == info.model_id)
    return next((dict(report["utterance"]["total"]) for report in found if "total" in report["utterance"]), None)


@asks(Action.TRAIN)
def speech_card() -> str:
    """The card of the speech model in use."""
    from pipeline.scoring.speech.model_files import CARD_FILE, find_speech_model

    folder = find_speech_model(settings())
    card = None if folder is None else folder / CARD_FILE
    return (
        card.read_text(encoding="utf-8") if card is not None and card.is_file() else "This model came without a card."
    )


@asks(Action.TRAIN)
def speech_is_deployed() -> bool:
    from pipeline.scoring.speech.packaging.deploy import is_deployed

    return is_deployed(settings())


@asks(Action.TRAIN)
def extractors() -> list[ExtractorChoice]:
    """Every registered extractor with the first line of its description."""
    from pipeline.features.base import EXTRACTORS
    from pipeline.features.catalogue import load_extractor

    choices = []
    for name in EXTRACTORS:
        try:
            description, problem = load_extractor(settings(), name).description, None
        except PronlabError as error:
            description, problem = "cannot be used here", str(error)
        choices.append(ExtractorChoice(name, description, problem))
    return choices


@st.cache_resource(max_entries=32, show_spinner=False)
def _reader(metrics: Path) -> MetricsReader:
    return MetricsReader(metrics)


@asks(Action.TRAIN)
def metrics_of(run: RunDirectory) -> MetricsReader:
    """What the run has logged so far; only what is new since the last call is read."""
    return _reader(run.path / "metrics.jsonl").refresh()


@asks(Action.TRAIN)
def plan(config: SpeechLlmConfig) -> RunDirectory:
    """Work out in the background what a fine-tuning run would take."""
    from pipeline.jobs.launcher import launch

    return launch(
        settings(),
        kind="plan",
        name=f"plan-{config.name}",
        argv=["train", "speechllm", "--plan"],
        root=settings().jobs_root,
        config=config,
        by=identity.allowed(Action.TRAIN),
    )


@asks(Action.TRAIN)
def runs() -> RunListing:
    """Every training, newest first, and the folders among them that cannot be read."""
    return scan_runs(settings().runs_root)


@asks(Action.TRAIN)
def report_of(run: RunDirectory) -> Report | None:
    """Of a word scorer's run; None where it has left no report (it is not finished, or failed)."""
    path = run.path / "report.json"
    if not path.is_file():
        return None
    raw = artifacts.read_json(path)
    if run.state.kind != "word":
        return None
    return Report(
        metrics=_metrics(raw["metrics"]),
        baselines={name: _metrics(values) for name, values in raw["baselines"].items()},
        importance=raw["importance"],
        warnings=tuple(raw["warnings"]),
    )


@asks(Action.TRAIN)
def held_out_predictions(run: RunDirectory) -> pd.DataFrame:
    """recording_id, speaker, text, expert, predicted, fold, scorer, scoring_method: each recording by a model that
    had not heard its speaker."""
    import pandas as pd

    from pipeline import csvfile
    from pipeline.scoring.feature_based.train import PREDICTIONS_FILE

    texts = ("recording_id", "speaker", "text")
    plain = dict.fromkeys(texts, csvfile.plain)  # as they were before they were made safe for spreadsheets
    table = pd.read_csv(run.path / PREDICTIONS_FILE, converters=plain)
    return table.assign(scorer=run.id, scoring_method="ml_model")


@asks(Action.TRAIN)
def rubric_of(run: RunDirectory) -> RubricName:
    """What kind of recordings the run's model scores."""
    from pipeline.scoring.feature_based.model_files import load_info

    return RubricName(load_info(run.path / "model").rubric)


@asks(Action.TRAIN)
def in_use(rubric: RubricName) -> tuple[ModelInfo, bool] | None:
    """The model that scores now and whether it was deployed here (else it is a released one); None for the
    heuristic."""
    from pipeline.scoring.feature_based.model_files import load_info
    from pipeline.scoring.feature_based.model_location import find_model

    folder = find_model(settings(), rubric)
    if folder is None:
        return None
    return load_info(folder), folder.is_relative_to(settings().deployed_root)


@dataclass(frozen=True)
class ModelRow:
    """A model that scores recordings here, or could: `role` says which."""

    info: ModelInfo
    role: str
    card: str


@asks(Action.TRAIN)
def models() -> list[ModelRow]:
    """For each rubric the model in use first, then the other released ones."""
    from pipeline.scoring.feature_based.model_files import CARD_FILE, load_info
    from pipeline.scoring.feature_based.model_location import find_model, released_folders

    rows = []
    for rubric in RubricName:
        used = find_model(settings(), rubric)
        others = [folder for folder in released_folders(settings()) if load_info(folder).rubric == rubric]
        for folder in dict.fromkeys([*([used] if used else []), *others]):
            deployed = folder.is_relative_to(settings().deployed_root)
            role = f"in use ({'deployed here' if deployed else 'as released'})" if folder == used else "released"
            card = folder / CARD_FILE
            text = card.read_text(encoding="utf-8") if card.is_file() else "This model came without a card."
            rows.append(ModelRow(load_info(folder), role, text))
    return rows


@asks(Action.DEPLOY)
def deploy_run(run: RunDirectory) -> None:
    """Put the model of a finished run into use. Raises ModelError."""
    from pipeline.deployment.model_registry import make_live

    make_live(settings(), run.path / "model", identity.allowed(Action.DEPLOY), run.id)


@asks(Action.DEPLOY)
def roll_back(place: str) -> str | None:
    """The id of the model that is back, None for the released one. Raises ModelError where none was deployed."""
    from pipeline.deployment.model_registry import roll_back as go_back

    return go_back(settings(), place, identity.allowed(Action.DEPLOY))


def _metrics(raw: dict[str, Any]) -> RegressionMetrics:
    known = {field.name for field in fields(RegressionMetrics)}
    values = {name: value for name, value in raw.items() if name in known}
    values["intervals"] = {name: tuple(pair) for name, pair in raw.get("intervals", {}).items()}
    return RegressionMetrics(**values)
