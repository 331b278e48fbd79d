"""`pronlab lesson`, `pronlab reference` and `pronlab learner`: what learners practise, what they hear, their PINs."""

from pathlib import Path

import click

from pipeline.cli._access import asker
from pipeline.cli._output import emit, json_option, say
from pipeline.settings import Settings
from pipeline.text import one_line


@click.group()
def lesson() -> None:
    """Manage lessons: lists of words or sentences as YAML."""


@lesson.command("list")
@json_option
def list_lessons(as_json: bool) -> None:
    """List the lessons: shipped ones and your own."""
    from pipeline.practice.lessons import list_lessons as all_lessons

    lessons, problems = all_lessons(Settings.from_env())
    lines = [
        f"{entry.id:24} {entry.language}  {len(entry.items):3} {entry.kind:9}  {entry.title}"
        f"{'  (yours)' if entry.own else ''}"
        for entry in lessons
    ]
    lines += [f"! {problem.message}" for problem in problems]
    emit({"lessons": lessons, "problems": problems}, as_json, "\n".join(lines))


@lesson.command("add")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def add_lesson(file: Path, as_json: bool) -> None:
    """Check a YAML FILE and add it as a lesson of the same name."""
    from pipeline.practice.lessons import add_lesson as add

    added = add(Settings.from_env(), file.stem, file.read_bytes(), asker())
    emit(added, as_json, f"{added.title}: {len(added.items)} {added.kind}, now on the Practise page.")


@lesson.command("remove")
@click.argument("name")
@json_option
def remove_lesson(name: str, as_json: bool) -> None:
    """Remove one of your own lessons."""
    from pipeline.practice.lessons import remove_lesson as remove

    remove(Settings.from_env(), name, asker())
    emit({"removed": name}, as_json, f"Removed {name}. Attempts at its texts are kept.")


@click.group()
def reference() -> None:
    """Manage the recordings that learners hear as the reference of a text."""


@reference.command("list")
@json_option
def list_references(as_json: bool) -> None:
    """List the references, the preferred one first."""
    from pipeline.corpus.references import marked, unusable

    settings = Settings.from_env()
    references = marked(settings)
    text = (
        "\n".join(f"{entry.text:24} {entry.language}  {entry.id}" for entry in references)
        or "There are no references yet."
    )
    emit(references, as_json, text)
    for problem in unusable(settings):
        say(f"! {one_line(problem.message)}", err=True)


@reference.command("add")
@click.argument("recording")
@json_option
def add_reference(recording: str, as_json: bool) -> None:
    """Make a RECORDING (SET/PATH without the file extension) the reference of its text."""
    from pipeline.corpus.references import mark

    settings = Settings.from_env()
    added = mark(settings, recording, asker())
    emit(added, as_json, f"Learners hear {added.id} for “{added.text}”.")


@reference.command("remove")
@click.argument("recording")
@json_option
def remove_reference(recording: str, as_json: bool) -> None:
    """Stop using a RECORDING as a reference."""
    from pipeline.corpus.references import unmark

    settings = Settings.from_env()
    unmark(settings, recording, asker())
    emit({"removed": recording}, as_json, f"{recording} is no reference any more.")


@click.group()
def learner() -> None:
    """Help learners whose name is locked."""


@learner.command("reset-pin")
@click.argument("name")
@json_option
def reset_pin(name: str, as_json: bool) -> None:
    """Remove the PIN of a learner's NAME: one that was forgotten, or that somebody else has set."""
    from pipeline.practice.pin import reset_pin as reset

    reset(Settings.from_env(), name, asker())
    text = f"{name} has no PIN now: whoever types the name opens what is kept of it. Set a new PIN at once."
    emit({"reset": name}, as_json, text)
