"""What the Train page asks for: what to train on, starting a training, reading finished runs, deploying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from dashboard.services.shared import settings
from pipeline import artifacts
from pipeline.errors import PronlabError
from pipeline.i18n import with_parts
from pipeline.metrics.regression import RegressionMetrics
from pipeline.model_names import short_name
from pipeline.people.access import Action
from pipeline.records import RubricName
from pipeline.runs import RunDirectory
from pipeline.scoring.feature_based.config import BY_SPEAKER, TrainConfig

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.jobs.launcher import Where
    from pipeline.scoring.speech.training.config import SpeechTrainConfig
    from pipeline.speechllm.config import SpeechLlmConfig


@dataclass(frozen=True)
class ExtractorChoice:
    """A registered extractor; `problem` says why it cannot be used here, None where it can."""

    name: str
    description: str
    problem: str | None


@dataclass(frozen=True)
class Report:
    """What a finished run measured, each recording by a model that had not heard its speaker, or, as `split` says, its
    word or itself."""

    metrics: RegressionMetrics
    baselines: dict[str, RegressionMetrics]
    importance: dict[str, float]
    warnings: tuple[str, ...]
    split: str = BY_SPEAKER


@asks(Action.TRAIN)
def start(kind: str, config: TrainConfig | SpeechTrainConfig | SpeechLlmConfig, where: Where | None = None) -> str:
    """Start `pronlab train <kind>` in the background; returns the run's id."""
    from pipeline.jobs.launcher import launch_training

    return launch_training(settings(), kind, config, where, identity.allowed(Action.TRAIN)).id


@asks(Action.TRAIN)
def features_for(set_name: str) -> tuple[str, str]:
    """The features that a training on a set begins with, and why; what speaks against them where nothing better is
    known, "" where nothing is."""
    from pipeline.scoring.feature_based.before_training import recommended, word_blindness

    better = recommended(settings(), set_name)
    if better is not None:
        return better.extractor, better.why
    return TrainConfig.extractor, word_blindness(settings(), TrainConfig(set=set_name)) or ""


@asks(Action.TRAIN)
def speech_sets() -> list[str]:
    """Sets of sentences that have scores, of their corpus or of raters here. Whether the words and phones have scores,
    too, as the speech scorer needs, is told when a run begins."""
    from pipeline.corpus.sets import list_sets

    labelled = {row.name for row in shared.open_index().overview() if row.n_labelled}
    return [set_.name for set_ in list_sets(settings()) if set_.rubric is RubricName.SENTENCE and set_.name in labelled]


@dataclass(frozen=True)
class DeployedModel:
    """The model that scores in one place. `is_default` is whether it is the released one, for want of a deployed one;
    `mae` are points on held-out speakers."""

    model_id: str
    is_default: bool
    mae: float | None


@asks(Action.TRAIN)
def deployed_model(place: str) -> DeployedModel | None:
    """The model that scores in `place` (`word`, `sentence` or `speech-en`); None where the heuristic does."""
    from pipeline.scoring.feature_based.model_files import load_info
    from pipeline.scoring.feature_based.model_location import find_model
    from pipeline.scoring.speech.model_files import FOLDER, find_speech_model
    from pipeline.scoring.speech.model_files import load_info as speech_info
    from pipeline.scoring.speech.packaging.deploy import is_deployed
    from pipeline.speechllm.deployed import find_speechllm_model
    from pipeline.speechllm.model_files import load_info as language_model_info

    if place == FOLDER:
        language_model = find_speechllm_model(settings())
        if language_model is not None:
            return DeployedModel(language_model_info(language_model).model_id, False, None)
        folder = find_speech_model(settings())
        return (
            None if folder is None else DeployedModel(speech_info(folder).model_id, not is_deployed(settings()), None)
        )
    folder = find_model(settings(), RubricName(place))
    if folder is None:
        return None
    info = load_info(folder)
    return DeployedModel(info.model_id, not folder.is_relative_to(settings().deployed_root), info.test.get("mae"))


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
            description, problem = "", error.words
        choices.append(ExtractorChoice(name, description, problem))
    return choices


@asks(Action.TRAIN)
def plan(config: SpeechLlmConfig, gpu: str = "") -> RunDirectory:
    """Estimate in the background what a fine-tuning run would need, here or on a `gpu` by name."""
    from pipeline.jobs.launcher import launch

    return launch(
        settings(),
        kind="plan",
        name=f"plan-{config.name}",
        argv=["train", "speechllm", "--plan", *(("--gpu", gpu) if gpu else ())],
        root=settings().jobs_root,
        config=config,
        by=identity.allowed(Action.TRAIN),
    )


@dataclass(frozen=True)
class ScoringMemory:
    """What scoring with a speech language model takes; `gpu` is one that has it ("" where none is known, or a processor
    will do)."""

    gb: float
    gpu: str
    fits_processor: bool


@asks(Action.TRAIN)
def scoring_memory(run: RunDirectory) -> ScoringMemory | None:
    """Of a finished run's model; None where it kept none."""
    from pipeline.devices import gpus_with
    from pipeline.speechllm.deployed import CPU_GB
    from pipeline.speechllm.model_files import is_speechllm_folder, load_info

    folder = run.path / "model"
    if not is_speechllm_folder(folder):
        return None
    gb = load_info(folder).memory_gb
    fitting = gpus_with(gb) if gb > CPU_GB else []
    return ScoringMemory(gb, fitting[0].name if fitting else "", gb <= CPU_GB)


@asks(Action.TRAIN)
def report_of(run: RunDirectory) -> Report | None:
    """The report of a feature-based scorer's run; None for other runs, or where there is none yet."""
    path = run.path / "report.json"
    if run.state.kind != "word" or not path.is_file():
        return None
    raw = artifacts.read_json(path)
    return Report(
        metrics=_metrics(raw["metrics"]),
        baselines={name: _metrics(values) for name, values in raw["baselines"].items()},
        importance=raw["importance"],
        warnings=with_parts(raw["warnings"], raw.get("warning_parts")),
        split=raw.get("split", BY_SPEAKER),
    )


@asks(Action.TRAIN)
def raw_report(run: RunDirectory) -> dict[str, Any]:
    """What a run of another kind left as its report; empty where it is not there or damaged."""
    try:
        content = artifacts.read_json(run.path / "report.json")
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@asks(Action.TRAIN)
def held_out_predictions(run: RunDirectory) -> pd.DataFrame:
    """recording_id, speaker, text, expert, predicted, fold, scorer, scoring_method: each recording as predicted by a
    model that has not heard its speaker."""
    import pandas as pd

    from pipeline import csvfile
    from pipeline.scoring.feature_based.train import PREDICTIONS_FILE

    texts = ("recording_id", "speaker", "text")
    originals = dict.fromkeys(texts, csvfile.plain)  # as they were before they were made safe for spreadsheets
    table = pd.read_csv(run.path / PREDICTIONS_FILE, converters=originals)
    return table.assign(scorer=short_name(run.id), scoring_method="ml_model")


@asks(Action.TRAIN)
def reference_of(run: RunDirectory) -> str:
    """Whose scores a feature-based scorer learned from: mock, synthetic or consensus."""
    from pipeline.scoring.feature_based.model_files import load_info

    sources = load_info(run.path / "model").label_sources
    return next((name for name in ("mock", "synthetic") if name in sources), "consensus")


@asks(Action.TRAIN)
def rubric_of(run: RunDirectory) -> RubricName:
    """What the run's model scores: words or sentences."""
    from pipeline.scoring.feature_based.model_files import load_info

    return RubricName(load_info(run.path / "model").rubric)


class ModelState(StrEnum):
    """Why a model scores, or that it could."""

    DEPLOYED = "deployed"
    DEFAULT = "default"  # released, and nothing else is deployed in its place
    RELEASED = "released"


@dataclass(frozen=True)
class ModelRow:
    """A model that scores recordings here, or could. `place` is `word`, `sentence` or `speech-en`; `card` is Markdown,
    "" where the model came without one."""

    place: str
    model_id: str
    state: ModelState
    mae: float | None
    pcc: float | None
    n: int | None
    features: str
    trained_on: str
    card: str

    @property
    def scores(self) -> bool:
        return self.state is not ModelState.RELEASED


@asks(Action.TRAIN)
def models() -> list[ModelRow]:
    """The speech scorer, then for each rubric the model that scores and the other released ones."""
    return [*_speech_models(), *(row for rubric in RubricName for row in _feature_models(rubric))]


def _speech_models() -> list[ModelRow]:
    from pipeline.scoring.speech.model_files import CARD_FILE, FOLDER, find_speech_model, load_info
    from pipeline.scoring.speech.packaging.deploy import is_deployed

    language_model = _language_model()
    folder = find_speech_model(settings())
    if folder is None:
        return language_model
    info = load_info(folder)
    total = _speech_total(info.model_id)
    state = ModelState.DEPLOYED if is_deployed(settings()) else ModelState.DEFAULT
    if language_model:
        state = ModelState.RELEASED
    return [
        *language_model,
        ModelRow(
            FOLDER, info.model_id, state, None, total.get("pcc"), total.get("n"), info.encoder,
            f"{info.trained_on} {info.part}".strip(), _card(folder / CARD_FILE),
        )
    ]  # fmt: skip


def _language_model() -> list[ModelRow]:
    """The speech language model where one is deployed."""
    from pipeline.speechllm.deployed import FOLDER, find_speechllm_model
    from pipeline.speechllm.model_files import load_info

    folder = find_speechllm_model(settings())
    if folder is None:
        return []
    info = load_info(folder)
    return [
        ModelRow(
            FOLDER, info.model_id, ModelState.DEPLOYED, None, info.test.get("total_pcc"),
            info.test.get("n", {}).get("apa"), info.model, f"{info.trained_on} {info.part}".strip(), "",
        )
    ]  # fmt: skip


def _speech_total(model_id: str) -> dict[str, Any]:
    """The newest evaluation of `total` on speakers that nothing was chosen on (`pcc`, `n`); empty before there is
    one."""
    from pipeline.evaluation.saved import read_evaluations

    reports = (evaluation.report for evaluation in read_evaluations(settings()))
    totals = (report["utterance"] for report in reports if report["model_id"] == model_id)
    return next((dict(utterance["total"]) for utterance in totals if "total" in utterance), {})


def _feature_models(rubric: RubricName) -> Iterator[ModelRow]:
    from pipeline.scoring.feature_based.model_files import CARD_FILE, load_info
    from pipeline.scoring.feature_based.model_location import find_model, released_folders

    scoring = find_model(settings(), rubric)
    released = [folder for folder in released_folders(settings()) if load_info(folder).rubric == rubric]
    for folder in dict.fromkeys([*([scoring] if scoring else []), *released]):
        info = load_info(folder)
        state = ModelState.RELEASED
        if folder == scoring:
            is_deployed = folder.is_relative_to(settings().deployed_root)
            state = ModelState.DEPLOYED if is_deployed else ModelState.DEFAULT
        yield ModelRow(
            str(rubric), info.model_id, state, info.test.get("mae"), info.test.get("pcc"), info.n_recordings,
            info.extractor, f"{info.trained_on} {info.part}".strip(), _card(folder / CARD_FILE),
        )  # fmt: skip


def _card(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@asks(Action.DEPLOY)
def deploy_run(run: RunDirectory) -> None:
    """Deploy the model of a finished run. Raises ModelError."""
    from pipeline.deployment.model_registry import make_live

    make_live(settings(), run.path / "model", identity.allowed(Action.DEPLOY), run.id)


@asks(Action.DEPLOY)
def roll_back(place: str) -> str | None:
    """Deploy the previous model of `place` again; returns its id, None for the released one. Raises ModelError where
    none was deployed."""
    from pipeline.deployment import model_registry

    return model_registry.roll_back(settings(), place, identity.allowed(Action.DEPLOY))


def _metrics(raw: dict[str, Any]) -> RegressionMetrics:
    known = {field.name for field in fields(RegressionMetrics)}
    values = {name: value for name, value in raw.items() if name in known}
    values["intervals"] = {name: tuple(pair) for name, pair in raw.get("intervals", {}).items()}
    return RegressionMetrics(**values)
