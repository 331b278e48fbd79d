"""`pronlab rubric`: how experts rate."""

from pathlib import Path

import click

from pipeline.cli._access import asker
from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings

file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group()
def rubric() -> None:
    """Manage rubrics: dimensions, scales, levels, marks and keys of the rating form, as YAML."""


@rubric.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the rubrics: shipped ones and your own."""
    from pipeline.rubrics.library import RubricLibrary

    library = RubricLibrary(Settings.from_env())
    rubrics, problems = library.all(), library.problems()
    lines = [
        f"{entry.reference:32} {entry.unit:9} {', '.join(d.key for d in entry.dimensions)}  ({entry.title})"
        for entry in rubrics
    ]
    lines += [f"! {problem.message}" for problem in problems]
    listed = [{**entry.content(), "version": entry.version} for entry in rubrics]
    emit({"rubrics": listed, "problems": problems}, as_json, "\n".join(lines))


@rubric.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Print a rubric as YAML: NAME for the current version, NAME@VERSION for an earlier one."""
    from pipeline.rubrics.files import dump
    from pipeline.rubrics.library import RubricLibrary

    library = RubricLibrary(Settings.from_env())
    shown = library.version(name) if "@" in name else library.get(name)
    emit({**shown.content(), "version": shown.version}, as_json, dump(shown).decode().rstrip())


@rubric.command()
@file_argument
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check the YAML FILE of a rubric and name everything that is wrong; nothing is kept."""
    from pipeline.rubrics.files import parse

    checked = parse(file.read_bytes())
    emit({**checked.content(), "version": checked.version}, as_json, f"{checked.reference} can be used.")


@rubric.command()
@file_argument
@json_option
def add(file: Path, as_json: bool) -> None:
    """Check a YAML FILE and add it as a rubric. One of the same name becomes its new version."""
    from pipeline.rubrics.library import RubricLibrary

    added = RubricLibrary(Settings.from_env()).add(file.read_bytes(), asker())
    text = f"{added.reference} can be chosen for projects and sets of {added.unit} recordings."
    emit({**added.content(), "version": added.version}, as_json, text)


@rubric.command()
@click.argument("name")
@click.option("--set", "set_name", required=True, help="The set.")
@json_option
def use(name: str, set_name: str, as_json: bool) -> None:
    """Have a set rated with the rubric NAME outside of projects, and begin its new projects with it.

    Ratings that were given keep their rubric, and so do projects. `word` and `sentence` are the usual ones.
    """
    from pipeline.corpus.set_rubric import rate_with

    changed = rate_with(Settings.from_env(), set_name, name, asker())
    emit(changed, as_json, f"{changed.name} is rated with {changed.rated_with or changed.rubric}.")
