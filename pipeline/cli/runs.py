"""`pronlab runs`: what is training or was, stopping it, going on, and comparing."""

from typing import Any

import click

from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings


@click.group()
def runs() -> None:
    """Training runs and background jobs."""


@runs.command("list")
@json_option
def list_(as_json: bool) -> None:
    """All training runs, newest first."""
    from pipeline.runs import list_runs

    found = list_runs(Settings.from_env().runs_root)
    rows = [{"id": run.id, **vars(run.state)} for run in found]
    lines = [f"{row['id']:40} {row['status']:9} {_mae(row['result']):>10}  {row['message']}" for row in rows]
    emit(rows, as_json, "\n".join(lines) or "No run yet. `pronlab train word --set demo` makes one.")


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def show(run_id: str, as_json: bool) -> None:
    """One run: state, configuration, last lines of its log."""
    from pipeline.jobs.launcher import find

    run = find(Settings.from_env(), run_id)
    state = run.state
    text = f"{run.id}: {state.status} {state.message}\n{state.error or ''}\n{run.log_tail(2000)}".strip()
    emit({"id": run.id, **vars(state), "config": run.config}, as_json, text)


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def stop(run_id: str, as_json: bool) -> None:
    """Ask a run to end after its current step."""
    from pipeline.jobs.launcher import find

    run = find(Settings.from_env(), run_id)
    run.request_stop()
    emit({"id": run.id, "status": run.state.status}, as_json, f"{run.id} was asked to stop.")


@runs.command()
@click.argument("run_id", metavar="RUN")
@json_option
def resume(run_id: str, as_json: bool) -> None:
    """Go on with a run that was stopped or lost, in the background."""
    from pipeline.jobs.launcher import find, go_on

    settings = Settings.from_env()
    run = find(settings, run_id)
    go_on(settings, run)
    emit(
        {"id": run.id, "status": run.state.status}, as_json, f"{run.id} goes on. `pronlab runs show {run.id}` watches."
    )


@runs.command()
@click.argument("run_ids", metavar="RUN...", nargs=-1, required=True)
@json_option
def compare(run_ids: tuple[str, ...], as_json: bool) -> None:
    """Runs side by side: figures at best and at last, and the settings in which they differ."""
    from pipeline.jobs.compare import compare_runs
    from pipeline.jobs.launcher import find

    settings = Settings.from_env()
    found = compare_runs([find(settings, run_id) for run_id in dict.fromkeys(run_ids)])
    lines: list[str] = []
    for name in dict.fromkeys(name for row in found.runs for name in row.figures):
        lines.append(name)
        for row in found.runs:
            if name in row.figures:
                reached = row.figures[name]
                best = "" if reached.best_epoch is None else f"   best {reached.best:.3f} in epoch {reached.best_epoch}"
                lines.append(f"  {row.id:45} {reached.last:8.3f}{best}")
    lines += ["", "Settings that differ:" if found.differences else "The settings are the same."]
    for key, values in found.differences.items():
        lines.append(f"  {key}: {', '.join(f'{run_id} {value}' for run_id, value in values.items())}")
    emit(found, as_json, "\n".join(lines))


def _mae(result: dict[str, Any]) -> str:
    mae = result.get("metrics", {}).get("mae")
    return "" if mae is None else f"MAE {mae:.2f}"
