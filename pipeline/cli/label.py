"""`pronlab label`: rate from the shell, through the same store as the Label page."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli._access import asker
from pipeline.cli._output import emit, json_option
from pipeline.cli._ratings import rating_options
from pipeline.settings import Settings

recording_argument = click.argument("recording_id", metavar="RECORDING")


@click.group()
def label() -> None:
    """Rate, skip or flag a recording, undo, or show its history. RECORDING is <set>/<path without extension>."""


@label.command()
@recording_argument
@rating_options
@click.option("--rubric", help="The rubric of the rating (default: that of the set).")
@json_option
def rate(
    recording_id: str,
    score: float | None,
    others: tuple[tuple[str, float], ...],
    notes: str,
    rubric: str | None,
    as_json: bool,
    **dimensions: float | None,
) -> None:
    """Save a rating: --score for a word, the four dimensions for a sentence, --rubric and --value for another
    rubric."""
    from pipeline.corpus.sets import get_set
    from pipeline.rubrics.library import RubricLibrary

    settings = Settings.from_env()
    given = {key: value for key, value in dimensions.items() if value is not None} | dict(others)
    library, recording = RubricLibrary(settings), _recording(settings, recording_id)
    set_ = get_set(settings, recording.set)
    chosen = library.get(rubric) if rubric else library.of_set(set_, recording.rubric)
    _require_audible(set_, recording)
    _add(recording_id, "rate", as_json, score=score, dimensions=given, notes=notes, rubric=chosen.reference)


@label.command()
@recording_argument
@click.option("--reason", required=True, help="Why you skip it.")
@json_option
def skip(recording_id: str, reason: str, as_json: bool) -> None:
    """Skip a recording, with a reason."""
    _add(recording_id, "skip", as_json, reason=reason)


@label.command()
@recording_argument
@click.option("--reason", required=True, help="What is wrong with it.")
@json_option
def flag(recording_id: str, reason: str, as_json: bool) -> None:
    """Flag a bad recording, with a reason."""
    _add(recording_id, "flag", as_json, reason=reason)


@label.command()
@recording_argument
@json_option
def undo(recording_id: str, as_json: bool) -> None:
    """Undo your latest rating, skip or flag of a recording; it stays in the history."""
    from pipeline.labels.store import LabelStore

    settings, me = Settings.from_env(), asker()
    recording = _recording(settings, recording_id)
    LabelStore(settings).undo(recording, me.name, me)
    result = _visible(settings, recording)
    emit(result, as_json, f"Undone. {_consensus_text(result)}")


@label.command()
@recording_argument
@json_option
def show(recording_id: str, as_json: bool) -> None:
    """Show a recording's history, oldest first, and its consensus. Experts see their own ratings only."""
    settings = Settings.from_env()
    result = _visible(settings, _recording(settings, recording_id))
    lines = [
        f"{event.at}  {event.evaluator}  {event.action}  {'' if event.score is None else f'{event.score:g}'}"
        f"  {event.reason or event.notes}".rstrip()
        for event in result.ratings
    ]
    emit(result, as_json, "\n".join([*lines, _consensus_text(result)]))


@label.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE]...")
@click.option("--set", "set_name", help="Check the label files of this set (default: of all sets).")
@json_option
def repair(files: tuple[Path, ...], set_name: str | None, as_json: bool) -> None:
    """Repair invalid times in label files. Every rating is kept, and a copy of each original file."""
    from pipeline.corpus.sets import get_set
    from pipeline.labels.repair import repair_labels

    settings = Settings.from_env()
    repaired = repair_labels(settings, [get_set(settings, set_name)] if set_name else [], files, asker())
    lines = [
        f"{file.file}: {file.n_times} {'time' if file.n_times == 1 else 'times'} repaired; the original is "
        f"{file.kept.name}"
        for file in repaired
    ]
    emit(repaired, as_json, "\n".join(lines) or "No label file needs repair.")


@label.command("scale")
@click.option("--set", "set_name", required=True, help="The set whose label files were written by another program.")
@click.option(
    "--scale",
    "written",
    required=True,
    help="The scale of their scores, by its best score (10) or both ends (1-5); 100: they are right as they are.",
)
@json_option
def scale_labels(set_name: str, written: str, as_json: bool) -> None:
    """Say on which scale the scores in other programs' label files were given, and convert them to 0-100. A copy of
    each original file is kept."""
    from pipeline.labels.repair import rescale_labels
    from pipeline.labels.scale import parse_scale

    files = rescale_labels(Settings.from_env(), set_name, parse_scale(written), asker())
    n = f"{len(files)} label {'file' if len(files) == 1 else 'files'}"
    emit({"files": files}, as_json, f"{n} of {set_name} read on the scale {written}.")


def _add(recording_id: str, action: str, as_json: bool, **fields: Any) -> None:
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent
    from pipeline.times import now_iso

    settings, me = Settings.from_env(), asker()
    event = RatingEvent(evaluator=me.name, action=RatingAction(action), at=now_iso(), **fields)
    recording = _recording(settings, recording_id)
    LabelStore(settings).add(recording, event, me)
    result = _visible(settings, recording)
    emit(result, as_json, f"Saved. {_consensus_text(result)}")


def _require_audible(set_: Any, recording: Any) -> None:
    """Raises LabelError for a recording that nobody can have listened to, as the Label page does."""
    from pipeline.audio.load import load_audio
    from pipeline.corpus.sets import audio_path
    from pipeline.errors import AudioError, LabelError
    from pipeline.i18n import N_

    try:
        load_audio(audio_path(set_, recording))
    except AudioError as error:
        raise LabelError(
            N_('{error} It cannot be rated. Flag it: `pronlab label flag "{recording}" --reason "Cannot be read"`.'),
            error=error.text, recording=recording.id,
        ) from error  # fmt: skip


def _visible(settings: Settings, recording: Any) -> Any:
    """The label file as whoever asks may see it: experts see their own ratings only."""
    from pipeline.labels.result_file import derive
    from pipeline.projects.queue import visible_history

    history = tuple(visible_history(settings, asker(), recording))
    return derive(recording.text, recording.rubric, history, {})


def _recording(settings: Settings, recording_id: str) -> Any:
    from pipeline.labels.index import Index

    index = Index(settings)
    index.ensure()
    return index.recording(recording_id)


def _consensus_text(result: Any) -> str:
    agreed = result.consensus
    if agreed is None:
        return "This recording has no valid rating now."
    return f"Consensus {agreed.score:g} ({agreed.method} of {agreed.n}: {', '.join(agreed.evaluators)})."
