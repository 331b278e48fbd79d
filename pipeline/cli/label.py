"""`pronlab label`: rate from the shell, through the same store as the Label page."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli._access import asker
from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings

recording_argument = click.argument("recording_id", metavar="RECORDING")


@click.group()
def label() -> None:
    """Rate, skip or flag a recording, undo, or show what was said. RECORDING is <set>/<path without extension>."""


@label.command()
@recording_argument
@click.option("--score", type=float, help="0-100, for a word.")
@click.option("--accuracy", type=float, help="0-10, for a sentence.")
@click.option("--fluency", type=float, help="0-10, for a sentence.")
@click.option("--prosodic", type=float, help="0-10, for a sentence.")
@click.option("--total", type=float, help="0-10, for a sentence.")
@click.option("--notes", default="")
@json_option
def rate(recording_id: str, score: float | None, notes: str, as_json: bool, **dimensions: float | None) -> None:
    """Save a rating: --score for a word, the four dimensions for a sentence."""
    given = {key: value for key, value in dimensions.items() if value is not None}
    _add(recording_id, "rate", as_json, score=score, dimensions=given, notes=notes)


@label.command()
@recording_argument
@click.option("--reason", required=True)
@json_option
def skip(recording_id: str, reason: str, as_json: bool) -> None:
    """Leave the recording out for yourself, with a reason."""
    _add(recording_id, "skip", as_json, reason=reason)


@label.command()
@recording_argument
@click.option("--reason", required=True)
@json_option
def flag(recording_id: str, reason: str, as_json: bool) -> None:
    """Report that the recording is bad, with a reason."""
    _add(recording_id, "flag", as_json, reason=reason)


@label.command()
@recording_argument
@json_option
def undo(recording_id: str, as_json: bool) -> None:
    """Take back your latest rating, skip or flag of the recording; it stays in the history."""
    from pipeline.labels.store import LabelStore

    settings, me = Settings.from_env(), asker()
    result = LabelStore(settings).undo(_recording(settings, recording_id), me.name, me)
    emit(result, as_json, f"Taken back. {_consensus_text(result)}")


@label.command()
@recording_argument
@json_option
def show(recording_id: str, as_json: bool) -> None:
    """The recording's history, oldest first, and the consensus; an expert sees their own part."""
    from pipeline.labels.result_file import derive
    from pipeline.projects.queue import visible_history

    settings = Settings.from_env()
    recording = _recording(settings, recording_id)
    history = tuple(visible_history(settings, asker(), recording))
    result = derive(recording.text, recording.rubric, history, {})
    lines = [
        f"{event.at}  {event.evaluator}  {event.action}  {'' if event.score is None else f'{event.score:g}'}"
        f"  {event.reason or event.notes}".rstrip()
        for event in history
    ]
    emit(result, as_json, "\n".join([*lines, _consensus_text(result)]))


@label.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE]...")
@click.option("--set", "set_name", help="All label files of this set; without it and without a FILE, of all sets.")
@json_option
def repair(files: tuple[Path, ...], set_name: str | None, as_json: bool) -> None:
    """Mend times in label files that are none; every rating is kept, and so is each file as it was."""
    from pipeline.corpus.sets import get_set
    from pipeline.labels.repair import repair_labels

    settings = Settings.from_env()
    found = repair_labels(settings, [get_set(settings, set_name)] if set_name else [], files, asker())
    lines = [f"{one.file}: {one.n_times} times mended; as it was: {one.kept.name}" for one in found]
    emit(found, as_json, "\n".join(lines) or "No label file wants repair.")


def _add(recording_id: str, action: str, as_json: bool, **fields: Any) -> None:
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent
    from pipeline.times import now_iso

    settings, me = Settings.from_env(), asker()
    event = RatingEvent(evaluator=me.name, action=RatingAction(action), at=now_iso(), **fields)
    result = LabelStore(settings).add(_recording(settings, recording_id), event, me)
    emit(result, as_json, f"Saved. {_consensus_text(result)}")


def _recording(settings: Settings, recording_id: str) -> Any:
    from pipeline.labels.index import Index

    index = Index(settings)
    index.ensure()
    return index.recording(recording_id)


def _consensus_text(result: Any) -> str:
    agreed = result.consensus
    if agreed is None:
        return "No rating counts for this recording now."
    return f"Consensus {agreed.score:g} ({agreed.method} of {agreed.n}: {', '.join(agreed.evaluators)})."
