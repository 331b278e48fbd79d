"""`pronlab models`: the registry of models, shadow scoring, and comparisons of two models."""

from pathlib import Path

import click

from pipeline.cli._access import asker, asker_name
from pipeline.cli._output import emit, json_option
from pipeline.i18n import N_
from pipeline.settings import Settings


def folder_of_run(settings: Settings, run: str) -> Path:
    """A model folder as given, or that of a run. Raises JobError for what is neither."""
    from pipeline.jobs.launcher import find
    from pipeline.scoring.feature_based.model_files import is_model_folder
    from pipeline.scoring.speech.model_files import is_speech_folder
    from pipeline.speechllm.model_files import is_speechllm_folder
    from pipeline.tabular.model_files import is_table_folder

    given = Path(run)
    known = (is_model_folder, is_speech_folder, is_speechllm_folder, is_table_folder)
    if any(is_kind(given) for is_kind in known):
        return given.absolute()
    return find(settings, run).path / "model"


def named_folder(settings: Settings, name: str) -> Path:
    """A folder as given, a run's being that of its model; else the model of the run of that id. Raises JobError for
    what is neither."""
    from pipeline.errors import JobError
    from pipeline.jobs.launcher import find

    given = Path(name).expanduser()
    if given.is_dir():
        return given / "model" if (given / "run.json").is_file() else given
    folder = find(settings, name).path / "model"
    if not folder.is_dir():
        raise JobError(N_("The run {name} has no model: it is not finished, or kept none."), name=name)
    return folder


@click.group()
def models() -> None:
    """Manage models: candidate, deployed, retired; shadow scoring and comparisons."""


@models.command("list")
@json_option
def list_models(as_json: bool) -> None:
    """List all models of this installation, with their stage and test error."""
    from pipeline.deployment.model_registry import entries
    from pipeline.deployment.routing import shadows

    settings = Settings.from_env()
    hidden = shadows(settings)
    listed = entries(settings)
    lines = []
    for model in listed:
        mae = model.made_from.get("test", {}).get("mae")
        shown = f"MAE {mae:.1f}" if isinstance(mae, float) else ""
        shadow = " shadow" if hidden.get(model.place) == model.model_id else ""
        lines.append(f"{model.place:10} {model.stage:10} {model.model_id:44} {shown:9} {model.since[:10]}{shadow}")
    emit([{**vars(model)} for model in listed], as_json, "\n".join(lines) or "There are no models yet.")


@models.command("add")
@click.argument("run")
@json_option
def add_model(run: str, as_json: bool) -> None:
    """Register the model of a RUN (or a model folder) as a candidate."""
    from pipeline.deployment.model_registry import add_candidate

    settings = Settings.from_env()
    entry = add_candidate(settings, folder_of_run(settings, run), asker_name(), "" if Path(run).is_dir() else run)
    emit({**vars(entry)}, as_json, f"{entry.model_id} is a candidate for {entry.place}; `pronlab deploy` deploys it.")


@models.command("retire")
@click.argument("model")
@json_option
def retire_model(model: str, as_json: bool) -> None:
    """Retire a candidate MODEL."""
    from pipeline.deployment.model_registry import retire

    retire(Settings.from_env(), model, asker_name())
    emit({"model": model, "stage": "retired"}, as_json, f"{model} is retired.")


@models.command("shadow")
@click.argument("place")
@click.argument("model", required=False)
@json_option
def shadow_model(place: str, model: str | None, as_json: bool) -> None:
    """Have a MODEL score in the shadow of a PLACE (word, sentence, speech-en, prompts): its scores are logged and not
    shown. Without a MODEL, shadow scoring stops."""
    from pipeline.deployment.routing import set_shadow

    set_shadow(Settings.from_env(), place, model, asker())
    text = f"{model} now scores in the shadow of {place}." if model else f"Shadow scoring of {place} has stopped."
    emit({"place": place, "shadow": model}, as_json, text)


@models.command("compare")
@click.argument("place")
@click.argument("a")
@click.argument("b")
@click.option(
    "--share", type=float, default=0.5, show_default=True, help="Share of learners who get B, between 0 and 1."
)
@json_option
def compare_models(place: str, a: str, b: str, share: float, as_json: bool) -> None:
    """Compare two scorers at a PLACE (word, sentence, speech-en, prompts): some learners get A, the others B. Each is
    a model id, `deployed` or `heuristic`."""
    from pipeline.deployment.routing import begin

    comparison = begin(Settings.from_env(), place, a, b, share, asker_name())
    text = (
        f"Comparison {comparison.id} at {place}: {share:.0%} of the learners get {_scorer(comparison.b)} (b), the "
        f"others {_scorer(comparison.a)} (a). The Monitor page shows it; `pronlab models end {comparison.id}` ends it."
    )
    emit(comparison, as_json, text)


def _scorer(name: str) -> str:
    """A side of a comparison, in a sentence."""
    from pipeline.deployment.routing import IN_USE, RULE

    return {IN_USE: "the deployed model", RULE: "the heuristic"}.get(name, name)


@models.command("end")
@click.argument("comparison")
@json_option
def end_comparison(comparison: str, as_json: bool) -> None:
    """End a COMPARISON: all learners get the deployed model again."""
    from pipeline.deployment.routing import end

    end(Settings.from_env(), comparison, asker())
    emit({"ended": comparison}, as_json, f"{comparison} has ended; all learners get the deployed model.")


@models.command("repair")
@json_option
def repair_models(as_json: bool) -> None:
    """Rewrite signed 8-bit weights of the speech model, which saturate on some processors."""
    from pipeline.errors import ModelError
    from pipeline.scoring.speech.model_files import find_speech_model, repair

    folder = find_speech_model(Settings.from_env())
    if folder is None:
        raise ModelError(N_("There is no speech model to repair."))
    changed = repair(folder)
    lines = [f"Rewritten: {file}" for file in changed]
    emit({"rewritten": changed}, as_json, "\n".join(lines) or "Nothing to repair: the weights are unsigned.")
