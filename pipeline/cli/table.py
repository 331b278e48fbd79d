"""`pronlab table`: check a table, deploy its model, score and collect written prompts."""

from pathlib import Path

import click

from pipeline.cli._access import asker
from pipeline.cli._output import emit, json_option
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
    lines = [f"{report.n} items, {len(report.kept)} usable, by {report.n_groups} people"]
    lines += [f"  {n:5} {why}" for why, n in report.dropped.items()]
    lines += ["  " + ", ".join(f"{name.lower()} {n}" for name, n in report.bands.items())]
    lines += [f"! {warning}" for warning in report.warnings]
    content = {key: value for key, value in vars(report).items() if key != "kept"}
    emit({**content, "n_kept": len(report.kept)}, as_json, "\n".join(lines))


@table.command("deploy")
@click.argument("run")
@json_option
def deploy_table(run: str, as_json: bool) -> None:
    """Deploy the model of a RUN (or a model folder) for its task."""
    from pipeline.jobs.launcher import find
    from pipeline.tabular.model_files import INFO, deploy
    from pipeline.tabular.train import MODEL_FOLDER

    settings = Settings.from_env()
    folder = Path(run) if (Path(run) / INFO).is_file() else find(settings, run).path / MODEL_FOLDER
    info = deploy(settings, folder, asker())
    emit(info, as_json, f"{info.model_id} now scores {info.task} (MAE {info.test['mae']:.1f} out of fold).")


@table.command("rollback")
@click.argument("task")
@json_option
def rollback_table(task: str, as_json: bool) -> None:
    """Go back to the previously deployed model of a TASK."""
    from pipeline.tabular.model_files import roll_back

    before = roll_back(Settings.from_env(), task, asker())
    emit({"task": task, "model": before}, as_json, f"Back to {before or 'the rule'} for {task}.")


@table.command("prompt")
@click.argument("text")
@json_option
def score_prompt(text: str, as_json: bool) -> None:
    """Score a written prompt with the deployed model, or by rule."""
    from pipeline.tabular.scoring import score_prompt as score

    scored = score(Settings.from_env(), text)
    sure = (
        "" if scored.confidence is None else f", within 10 points of people's in {scored.confidence:.0%} of such cases"
    )
    missing = f" Missing: {', '.join(scored.missing)}." if scored.missing else ""
    emit(scored, as_json, f"{scored.score:.0f} by {scored.model_id}{sure}; the rule says {scored.rule:.0f}.{missing}")


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
    emit({"added": n}, as_json, f"Imported {n} prompts.")


@table.command("synthesize")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--n", type=int, default=360, show_default=True, help="Number of prompts.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random draws.")
@json_option
def synthesize_prompts(out: Path, n: int, seed: int, as_json: bool) -> None:
    """Write synthetic prompts with made-up scores to OUT."""
    from pipeline import jsonl
    from pipeline.tabular.prompts.synthesize import synthesize

    jsonl.write(out, synthesize(n, seed))
    emit({"file": out, "n": n}, as_json, f"Wrote {n} synthetic prompts with made-up scores to {out}.")
