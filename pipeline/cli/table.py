"""`pronlab table`: check a table, deploy its model, score and collect written prompts."""

from pathlib import Path

import click

from pipeline.cli._access import asker, asker_name
from pipeline.cli._numbers import SEED, NumberRange
from pipeline.cli._output import counted, emit, json_option
from pipeline.cli._outputs import OUTPUT_FILE
from pipeline.records import whole_points
from pipeline.settings import Settings

file_ = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def table() -> None:
    """Tables and trees: check, deploy, predict; collect and synthesize prompts."""


@table.command("clean")
@click.argument("task")
@click.option("--source", default="", help="A file of prompts (default: the collected prompts).")
@json_option
def clean_table(task: str, source: str, as_json: bool) -> None:
    """Count the usable items of a TASK (prompts), and the others by reason."""
    from pipeline.tabular.catalogue import get_task
    from pipeline.tabular.cleaning import clean

    chosen = get_task(task)
    report = clean(chosen.rows(Settings.from_env(), source), chosen)
    lines = [f"{counted(report.n, 'item')}, {len(report.kept)} usable, of authors or speakers: {report.n_groups}"]
    lines += [f"  {n:5} {why}" for why, n in report.dropped.items()]
    lines += ["  " + ", ".join(f"{name.lower()} {n}" for name, n in report.bands.items())]
    unmeasured = chosen.unmeasured()
    lines += [f"! {warning}" for warning in (*report.warnings, *([unmeasured] if unmeasured else []))]
    content = {key: value for key, value in vars(report).items() if key != "kept"}
    emit({**content, "n_kept": len(report.kept), "unmeasured": unmeasured}, as_json, "\n".join(lines))


@table.command("deploy")
@click.argument("run")
@json_option
def deploy_table(run: str, as_json: bool) -> None:
    """Deploy the model of a RUN (or a model folder) for its task: trees or a text encoder."""
    from pipeline.cli.models import folder_of_run
    from pipeline.deployment.model_registry import make_live
    from pipeline.tabular.model_files import load_info

    settings = Settings.from_env()
    folder = folder_of_run(settings, run)
    info = load_info(folder)
    make_live(settings, folder, asker_name(), "" if Path(run).is_dir() else run)
    mae = info.test["mae"]
    emit(info, as_json, f"{info.model_id} now scores {info.task} (MAE {mae:.1f} on people it has not seen).")


@table.command("rollback")
@click.argument("task")
@json_option
def rollback_table(task: str, as_json: bool) -> None:
    """Go back to the previously deployed model of a TASK."""
    from pipeline.deployment.model_registry import roll_back
    from pipeline.tabular.catalogue import get_task

    before = roll_back(Settings.from_env(), get_task(task).name, asker_name())
    emit({"task": task, "model": before}, as_json, f"Back to {before or 'the rule'} for {task}.")


@table.command("prompt")
@click.argument("text")
@click.option("--author", default="", help="Keeps this person on one side of a comparison.")
@json_option
def score_prompt(text: str, author: str, as_json: bool) -> None:
    """Score a written prompt with the deployed model, or by rule, and say what to improve."""
    from pipeline.deployment.prompt_answering import score_prompt as score

    scored = score(Settings.from_env(), text, author, author)
    result, analysis = scored.result, scored.analysis
    overall = result.overall or 0.0
    sure = (
        "" if result.confidence is None else f", within 10 points of people's in {result.confidence:.0%} of such cases"
    )
    lines = [
        f"{whole_points(overall)} by {result.model_id}{sure}; the rule says {whole_points(analysis.rule)}.",
        f"Clarity {whole_points(analysis.clarity)}, specificity {whole_points(analysis.specificity)} (by rules).",
        *(f"  {improvement.text}" for improvement in analysis.improvements),
        *(f"! {warning}" for warning in result.warnings),
    ]
    content = {
        "score": overall, "confidence": result.confidence, "model_id": result.model_id,
        "scoring_method": result.scoring_method, "warnings": result.warnings, "prediction": scored.prediction,
        **vars(analysis),
    }  # fmt: skip
    emit(content, as_json, "\n".join(lines))


@table.command("feedback")
@click.argument("prediction")
@click.option("--score", type=NumberRange(0, 100), help="Your own score, 0-100.")
@click.option("--agrees/--disagrees", default=None, help="Whether you agree with the score.")
@click.option("--comment", default="", help="Reasons.")
@json_option
def give_feedback(prediction: str, score: float | None, agrees: bool | None, comment: str, as_json: bool) -> None:
    """Say what a score should have been, by the id of its PREDICTION."""
    from pipeline.deployment.prediction_log import PredictionLog

    log = PredictionLog(Settings.from_env())
    log.feedback(prediction, score=score, agrees=agrees, comment=comment, kind="expert")
    emit({"prediction": prediction}, as_json, "Saved. The Monitor page shows the errors.")


@table.command("recording", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
@json_option
def score_recording(arguments: tuple[str, ...], as_json: bool) -> None:
    """Say where recordings of words are scored now."""
    raise click.UsageError("Recordings are scored by `pronlab score FILE --word WORD`.")


@table.command("collect")
@click.argument("file", type=file_)
@json_option
def collect_prompts(file: Path, as_json: bool) -> None:
    """Import prompts from a FILE: JSON lines with id, text, author and score, or a table (CSV or Excel) with such
    columns."""
    from pipeline.tabular.prompts.store import Store

    n = Store(Settings.from_env()).add_file(file, asker())
    emit({"added": n}, as_json, f"Imported {counted(n, 'prompt')}.")


@table.command("synthesize")
@click.argument("out", type=OUTPUT_FILE)
@click.option("--n", type=int, default=360, show_default=True, help="Number of prompts.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of all random draws.")
@json_option
def synthesize_prompts(out: Path, n: int, seed: int, as_json: bool) -> None:
    """Write synthetic prompts with made-up scores to OUT."""
    from pipeline import jsonl
    from pipeline.tabular.prompts.synthesize import synthesize

    jsonl.write(out, synthesize(n, seed))
    emit({"file": out, "n": n}, as_json, f"Wrote {n} synthetic prompts with made-up scores to {out}.")
