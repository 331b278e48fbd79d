"""The way from recordings of words to a deployed scorer, step by step: what is done, what comes next, and what to do
about the errors that people meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.corpus.sets import RecordingSet, list_sets
from pipeline.errors import CorpusError, PronlabError
from pipeline.i18n import N_, Message
from pipeline.labels.index import Index
from pipeline.labels.queries import SetOverview
from pipeline.metrics.regression import TARGETS
from pipeline.records import RubricName, Target
from pipeline.runs import ACTIVE, RunRecord, scan_runs
from pipeline.scoring.feature_based.before_training import word_blindness
from pipeline.scoring.feature_based.config import BY_SPEAKER, TrainConfig
from pipeline.scoring.feature_based.data import MIN_GROUPS, MIN_RECORDINGS, RECOMMENDED_RECORDINGS
from pipeline.scoring.feature_based.model_files import INFO_FILE, load_info, missing_files
from pipeline.scoring.feature_based.split import HELD_OUT
from pipeline.scoring.selection import HEURISTIC, select
from pipeline.settings import Settings

BETTER = 500  # recordings
MAE = next(target for target in TARGETS if target.metric == "mae")


class State(StrEnum):
    DONE = "done"
    PARTLY = "partly"  # enough to go on, and less than recommended
    TODO = "to do"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Step:
    """`found` is what there is now, `advice` what to do about it, `command` the one to type next."""

    title: str
    state: State
    found: str
    advice: str = ""
    command: str = ""


@dataclass(frozen=True)
class Remedy:
    """An error that people meet; `applies` is whether it would be met here now."""

    error: str
    applies: bool
    remedy: str


@dataclass(frozen=True)
class Guide:
    """`next` is the first step that is still to do, None where all is done."""

    set: str
    steps: tuple[Step, ...]
    remedies: tuple[Remedy, ...]

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if step.state is State.TODO), None)


def word_guide(settings: Settings, set_name: str = "") -> Guide:
    """For a set of words; without a name for the only one, or the largest that is no synthetic one.

    Raises CorpusError for a set that is unknown or has no words.
    """
    set_ = _chosen(settings, set_name)
    overview = None if set_ is None else _overview(settings, set_.name)
    run = None if set_ is None else _newest_run(settings, set_.name)
    scoring = _scoring(settings, set_)
    steps = (
        _recordings(overview), _labels(overview), _features(overview), _training(settings, overview, run),
        _deployment(settings, run), scoring,
    )  # fmt: skip
    by_rule = scoring.state is State.TODO
    return Guide("" if set_ is None else set_.name, steps, _remedies(settings, overview, run, by_rule=by_rule))


def _chosen(settings: Settings, name: str) -> RecordingSet | None:
    sets = [set_ for set_ in list_sets(settings) if set_.rubric is RubricName.WORD]
    if name:
        chosen = next((set_ for set_ in sets if set_.name == name), None)
        if chosen is None:
            known = ", ".join(set_.name for set_ in sets) or Message(N_("none"))
            raise CorpusError(N_("There is no set of words {name!r}. Sets of words: {known}."), name=name, known=known)
        return chosen
    index = Index(settings)
    index.ensure()
    sizes = {row.name: row.n_recordings for row in index.overview()}
    return max(sets, key=lambda set_: (not set_.synthetic, sizes.get(set_.name, 0)), default=None)


def _overview(settings: Settings, name: str) -> SetOverview | None:
    index = Index(settings)
    index.ensure()
    index.refresh_set(name)
    return next((row for row in index.overview() if row.name == name), None)


def _newest_run(settings: Settings, set_name: str) -> RunRecord | None:
    runs = scan_runs(settings.runs_root).records
    of_set = [run for run in runs if run.state.kind == "word" and run.config.get("set") == set_name]
    return next((run for run in of_set if run.state.status in (*ACTIVE, "finished")), None)


def _recordings(overview: SetOverview | None) -> Step:
    title = "Recordings"
    if overview is None or not overview.n_recordings:
        advice = (
            "Put them into a folder per person, participant_001/kelimeler/01_araba.wav: two digits, then the word. "
            "Label files 01_araba_result.json may lie beside them."
        )
        return Step(title, State.TODO, "no set of words yet", advice, "pronlab import FOLDER --name NAME")
    n, speakers = overview.n_recordings, overview.n_speakers
    counted = f"{n} recordings of {speakers} speakers in {overview.name}"
    if speakers < MIN_GROUPS:
        return Step(
            title, State.PARTLY, counted,
            f"With fewer than {MIN_GROUPS} speakers nobody can tell how the model scores a new voice.",
        )  # fmt: skip
    return Step(title, State.DONE, counted)


def _labels(overview: SetOverview | None) -> Step:
    title = "Labels"
    n = 0 if overview is None else overview.n_labelled or 0
    counted = f"{n} rated recordings"
    if n < MIN_RECORDINGS:
        return Step(
            title, State.TODO, counted,
            f"Rate at least {MIN_RECORDINGS} on the Label page ({RECOMMENDED_RECORDINGS} or more are recommended, "
            f"{BETTER} are better). For a dry run, add --labels mock to the training: made-up scores, marked as such.",
            "pronlab dashboard",
        )  # fmt: skip
    if n < RECOMMENDED_RECORDINGS:
        advice = f"{RECOMMENDED_RECORDINGS} or more are recommended, {BETTER} are better."
        return Step(title, State.PARTLY, counted, advice, "pronlab dashboard")
    return Step(title, State.DONE, counted)


def _features(overview: SetOverview | None) -> Step:
    name = "SET" if overview is None else overview.name
    return Step(
        "Table of features", State.OPTIONAL,
        "only to train elsewhere: 57 features per recording with score and speaker",
        "The notebook models/train_word_scorer.ipynb trains from it on a hosted GPU.",
        f"pronlab features --set {name} --out training_data.csv",
    )  # fmt: skip


def _training(settings: Settings, overview: SetOverview | None, run: RunRecord | None) -> Step:
    title, name = "Training", "SET" if overview is None else overview.name
    command = f"pronlab train word --set {name}"
    blind = None if overview is None else word_blindness(settings, TrainConfig(set=name))
    if run is None:
        advice = f"{blind} Add --extractor reference to use it." if blind is not None else ""
        return Step(title, State.TODO, "no finished training of this set", advice, command)
    if run.state.status in ACTIVE:
        return Step(title, State.PARTLY, f"{run.directory.id} is {run.state.status}", "", "pronlab runs list")
    mae = _mae(run)
    if mae is None:
        return Step(title, State.TODO, f"{run.directory.id} has measured nothing", "", command)
    report = run.directory.path / "model" / INFO_FILE
    held_out = HELD_OUT[load_info(report.parent).split if report.is_file() else BY_SPEAKER]
    mock = ", on mock labels: it says nothing about speech" if run.config.get("labels") == "mock" else ""
    reached = f"{run.directory.id}: MAE {mae:.1f} points on {held_out}{mock}"
    if MAE.reached(mae) == "missed":
        return Step(title, State.PARTLY, reached, _IMPROVE, f"{command} --extractor reference")
    return Step(title, State.DONE, f"{reached} ({MAE.reached(mae)})")


_IMPROVE = (
    "The target is below 10 points. Rate more recordings of more speakers, look at the ten worst on the Train page, "
    "let two people rate the same recordings to see how far they agree, or use --extractor reference or --search "
    "optuna."
)


def _deployment(settings: Settings, run: RunRecord | None) -> Step:
    title, folder = "Deployment", settings.deployed_root / RubricName.WORD
    if not folder.exists():
        command = f"pronlab deploy {'RUN' if run is None else run.directory.id}"
        return Step(title, State.TODO, "no model of yours is deployed", "It takes three files of the run.", command)
    missing = missing_files(folder)
    if missing:
        return Step(title, State.TODO, f"the deployed model lacks {', '.join(missing)}", "", "pronlab deploy RUN")
    deployed = load_info(folder).model_id
    newer = run is not None and run.state.status == "finished" and deployed != run.directory.id
    if newer and run is not None:
        return Step(title, State.PARTLY, f"{deployed} is deployed; a newer run has finished", "",
                    f"pronlab deploy {run.directory.id}")  # fmt: skip
    return Step(title, State.DONE, f"{deployed} is deployed")


def _scoring(settings: Settings, set_: RecordingSet | None) -> Step:
    language = "und" if set_ is None else set_.language
    command = "pronlab score FILE --word WORD"
    try:
        selection = select(settings, Target("araba", language, RubricName.WORD))
    except PronlabError as error:
        return Step("Scoring", State.TODO, str(error), "", command)
    if selection.scorer == HEURISTIC:
        return Step("Scoring", State.TODO, "scored by the heuristic", "Deploy a model first.", command)
    folder = selection.model
    model = "" if folder is None else f" by {load_info(folder).model_id}"
    mine = folder is not None and folder.is_relative_to(settings.deployed_root)
    found = f"scoring_method ml_model{model}" + ("" if mine else ", a released model")
    return Step("Scoring", State.DONE if mine else State.PARTLY, found, "", command)


def _remedies(
    settings: Settings, overview: SetOverview | None, run: RunRecord | None, *, by_rule: bool
) -> tuple[Remedy, ...]:
    mae = None if run is None else _mae(run)
    folder = settings.deployed_root / RubricName.WORD
    missing = missing_files(folder) if folder.exists() else []
    return (
        Remedy(
            "No labelled data found", overview is None or not overview.n_labelled,
            "Rate recordings on the Label page, or put files like 01_araba_result.json with word, score, labeled, "
            "evaluator and notes beside the recordings and run `pronlab index rebuild`.",
        ),
        Remedy(
            "Model not loaded", bool(missing),
            f"Missing: {', '.join(missing)}. Deploy the run again." if missing else
            "A model is three files: pronunciation_scorer.safetensors (or .pth), model_info.json, scaler_params.json. "
            "The message names the one that is missing; `pronlab deploy RUN` copies all three.",
        ),
        Remedy(
            "The method is heuristic although a model was expected", by_rule,
            "No model is deployed for words, or it was trained for another language. `pronlab models list` shows what "
            "is deployed, `pronlab deploy RUN` deploys a run.",
        ),
        Remedy("MAE over 10", mae is not None and MAE.reached(mae) == "missed", _IMPROVE),
    )  # fmt: skip


def _mae(run: RunRecord) -> float | None:
    metrics = run.state.result.get("metrics")
    value = metrics.get("mae") if isinstance(metrics, dict) else None
    return float(value) if isinstance(value, int | float) else None


def as_text(guide: Guide) -> str:
    """A checklist for the terminal."""
    marks = {State.DONE: "[x]", State.PARTLY: "[~]", State.TODO: "[ ]", State.OPTIONAL: "   "}
    lines = [f"Word scorer{f' on the set {guide.set}' if guide.set else ''}", ""]
    for number, step in enumerate(guide.steps, start=1):
        lines.append(f"{marks[step.state]} {number}. {step.title}: {step.found}")
        lines += [f"       {step.advice}"] if step.advice else []
        lines += [f"       $ {step.command}"] if step.command and step.state is not State.DONE else []
    lines += ["", _next(guide), "", "If something goes wrong:"]
    for remedy in guide.remedies:
        lines.append(f"  {'!' if remedy.applies else '-'} {remedy.error}{' (here, now)' if remedy.applies else ''}")
        lines.append(f"      {remedy.remedy}")
    return "\n".join(lines)


def _next(guide: Guide) -> str:
    if guide.next is None:
        partly: Sequence[Step] = [step for step in guide.steps if step.state is State.PARTLY]
        return "Everything works." + (f" To improve: {', '.join(step.title for step in partly)}." if partly else "")
    return f"Next: {guide.next.title}. Type: {guide.next.command}"
