"""`pronlab runs`: list, show, stop, resume, compare, note and delete runs."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from pipeline.cli._access import asker
from pipeline.cli._numbers import NumberRange
from pipeline.cli._output import counted, emit, json_option, say
from pipeline.cli._outputs import OUTPUT_FILE
from pipeline.errors import JobError
from pipeline.settings import Settings


@click.group()
def runs() -> None:
    """Training runs and background jobs."""


@runs.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List all training runs, newest first, and why they failed; unreadable folders are named on the error stream."""
    from pipeline.jobs.launcher import check_queue
    from pipeline.runs import list_runs, scan_runs
    from pipeline.runs.notes import read_notes
    from pipeline.runs.words import reason

    root = Settings.from_env().runs_root
    for run in list_runs(root):
        with suppress(JobError):  # gone meanwhile, or its cluster cannot be asked from here
            check_queue(run)
    listing = scan_runs(root)
    for damaged in listing.damaged:
        say(f"pronlab: {damaged.text}", err=True)
    rows = [
        {"id": run.directory.id, **vars(run.state), **vars(read_notes(run.directory.path))} for run in listing.records
    ]
    lines = [
        f"{row['id']:45} {row['status']:9} {_mae(row['result']):>10}  {' '.join(row['tags'])} "
        f"{reason(run.state) or row['message']}".rstrip()
        for run, row in zip(listing.records, rows, strict=True)
    ]
    emit(rows, as_json, "\n".join(lines) or "There are no runs yet. `pronlab train word --set demo` starts one.")


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def show(run_id: str, as_json: bool) -> None:
    """Show one run: state, configuration, last lines of its log."""
    from pipeline.jobs.launcher import check_queue, find
    from pipeline.runs.notes import read_notes

    run = find(Settings.from_env(), run_id)
    check_queue(run)
    state, notes = run.state, read_notes(run.path)
    lines = [f"{run.id}: {state.status} {state.message}", state.error or "", " ".join(notes.tags), notes.note]
    text = "\n".join([*filter(None, lines), run.log_tail(2000)]).strip()
    emit({"id": run.id, **vars(state), **vars(notes), "config": run.config}, as_json, text)


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--within", type=NumberRange(0, 3600), metavar="SECONDS", help="Kill it if it has not ended by then.")
@json_option
def stop(run_id: str, within: float | None, as_json: bool) -> None:
    """Stop a run after its current step; its checkpoints are kept."""
    from pipeline.jobs.launcher import find, is_resumable
    from pipeline.jobs.launcher import stop as ask

    run = find(Settings.from_env(), run_id)
    ask(run, within)
    state = run.state
    status = state.status
    text = f"{run.id} will stop after its current step." if within is None else f"{run.id} is {status}."
    if is_resumable(state):
        text += f" `pronlab runs resume {run.id}` resumes it from its last checkpoint."
    emit({"id": run.id, "status": status}, as_json, text)


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def delete(run_id: str, yes: bool, as_json: bool) -> None:
    """Delete a finished run with its checkpoints and models, or an unreadable folder among the runs."""
    from pipeline.jobs.launcher import find_folder

    run = find_folder(Settings.from_env(), run_id)
    size = run.size_mb
    if not yes:
        click.confirm(f"Permanently delete {run.path} ({size:.0f} MB)?", abort=True)
    run.delete()
    emit({"id": run.id, "freed_mb": size}, as_json, f"Deleted {run.id} and freed {size:.0f} MB.")


@runs.command()
@click.argument("run_id", metavar="RUN")
@click.option("--text", help="The note; an empty text removes it.")
@click.option("--tag", "tags", multiple=True, help="Add this tag.")
@click.option("--untag", "removed", multiple=True, help="Remove this tag.")
@json_option
def note(run_id: str, text: str | None, tags: tuple[str, ...], removed: tuple[str, ...], as_json: bool) -> None:
    """Write a note on a run or tag it; without options, show both."""
    from pipeline.jobs.launcher import find
    from pipeline.runs.notes import Notes, read_notes, write_notes

    run = find(Settings.from_env(), run_id)
    notes = read_notes(run.path)
    if text is not None or tags or removed:
        kept = [tag for tag in dict.fromkeys([*notes.tags, *tags]) if tag not in removed]
        notes = Notes(notes.note if text is None else text.strip(), tuple(kept))
        write_notes(run.path, notes)
    emit(
        {"id": run.id, **vars(notes)},
        as_json,
        f"{' '.join(notes.tags)}\n{notes.note}".strip() or "There is no note yet.",
    )


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def resume(run_id: str, as_json: bool) -> None:
    """Resume a stopped, failed or lost run in the background."""
    from pipeline.jobs.launcher import find
    from pipeline.jobs.launcher import resume as resume_run

    settings = Settings.from_env()
    run = find(settings, run_id)
    resume_run(settings, run, asker())
    emit(
        {"id": run.id, "status": run.state.status},
        as_json,
        f"Resumed {run.id}. `pronlab runs show {run.id}` shows its progress.",
    )


@runs.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@json_option
def compare(run_ids: tuple[str, ...], as_json: bool) -> None:
    """Compare runs of any kind: best and last metrics, means over seeds, and the settings in which they differ."""
    from pipeline.jobs.launcher import find
    from pipeline.runs.comparison import compare_runs, figure_text, setting_text

    settings = Settings.from_env()
    comparison = compare_runs([find(settings, run_id) for run_id in dict.fromkeys(run_ids)])
    lines: list[str] = []
    for name in dict.fromkeys(name for row in comparison.runs for name in row.figures):
        lines.append(name)
        for row in comparison.runs:
            if name in row.figures:
                reached = row.figures[name]
                best = ""
                if reached.best_epoch is not None:
                    best = f"   best {figure_text(reached.best)} in epoch {reached.best_epoch}"
                lines.append(f"  {row.id:45} {figure_text(reached.last):>8}{best}")
    for group in comparison.groups:
        lines += ["", f"{group.name}, mean over seeds {', '.join(map(str, group.seeds))} [95 % interval]:"]
        lines += [f"  {name:30} {over}" for name, over in group.figures.items()]
    if comparison.shared or not comparison.differences:
        lines += ["", "Settings that differ:" if comparison.shared else "The settings are the same."]
    for key, values in comparison.shared.items():
        lines.append(f"  {key}: {', '.join(f'{run_id} {setting_text(value)}' for run_id, value in values.items())}")
    others = {key: values for key, values in comparison.differences.items() if key not in comparison.shared}
    lines += ["", "Settings that only some of them have:"] if others else []
    for row in comparison.runs:
        given = [
            f"{key} {setting_text(values[row.id])}" for key, values in others.items() if values[row.id] is not None
        ]
        lines += [f"  {row.id}: {', '.join(given)}"] if given else []
    emit(comparison, as_json, "\n".join(lines))


@runs.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@click.option("--out", type=OUTPUT_FILE, required=True, help="The HTML file to write.")
@click.option("--title", help="Heading of the report (default: the runs).")
@json_option
def report(run_ids: tuple[str, ...], out: Path, title: str | None, as_json: bool) -> None:
    """Write a report of runs as one HTML file: tables, figures and settings, to send to a colleague."""
    from pipeline.artifacts import write_text
    from pipeline.jobs.launcher import find
    from pipeline.runs.report import html

    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(
            f"{out} is no .html file: a report is HTML, which any browser prints or saves as PDF.", param_hint="--out"
        )
    settings = Settings.from_env()
    chosen = [find(settings, run_id) for run_id in dict.fromkeys(run_ids)]
    write_text(out, html(chosen, title or ", ".join(run.id for run in chosen)))
    text = f"Wrote a report of {counted(len(chosen), 'run')} to {out}."
    emit({"file": out, "runs": [run.id for run in chosen]}, as_json, text)


def _mae(result: dict[str, Any]) -> str:
    from pipeline.runs.comparison import figures_of

    mae = figures_of(result).get("mae")
    return "" if mae is None else f"MAE {mae:.2f}"


@runs.command("shard", hidden=True)
@click.option("--run", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
def shard(run: Path) -> None:
    """Answer the items of one shard; started by an executor."""
    from pipeline.jobs.shards import work_on
    from pipeline.runs import RunDirectory

    work_on(Settings.from_env(), RunDirectory(run))
