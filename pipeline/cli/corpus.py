"""`pronlab demo`, `import`, `index` and `export`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pipeline.cli._access import asker
from pipeline.cli._background import background_run, run_option
from pipeline.cli._languages import LANGUAGE
from pipeline.cli._output import counted, emit, json_option, say
from pipeline.cli._outputs import OUTPUT_FOLDER
from pipeline.errors import CorpusError
from pipeline.i18n import N_, duration
from pipeline.people.access import Action
from pipeline.records import Problem
from pipeline.settings import Settings
from pipeline.text import one_line

SHOWN_PROBLEMS = 20


@click.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="[LAYOUT] PATH")
@click.option("--name", help="Name of the set (default: the folder's name).")
@click.option(
    "--language", type=LANGUAGE, default="", help="Language of recordings whose corpus does not say: en, tr, ..."
)
@click.option(
    "--audio-root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a manifest's audio, if it is not the manifest's own.",
)
@run_option
@json_option
def import_(
    sources: tuple[str, ...],
    name: str | None,
    language: str,
    audio_root: Path | None,
    run: Path | None,
    as_json: bool,
) -> None:
    """Import a corpus as a set of recordings.

    PATH is a folder or a file; its LAYOUT is recognised: speechocean762 (as published), hub-dataset (parquet; also
    mispeech/speechocean762, from the hub), folder (participant_*/kelimeler/01_word.wav), l2-arctic, common-voice,
    timit, librispeech, ljspeech, kaldi, manifest (JSON lines, JSON, CSV), or transcripts (name.wav with name.txt,
    name.lab or name.TextGrid). Importing again updates the set and keeps all ratings; an import that was stopped with
    Ctrl-C goes on where it was.
    """
    from pipeline.importing.importer import import_path

    if len(sources) > 2:
        raise CorpusError(N_("Expected [LAYOUT] PATH, got {n} arguments. Quote a path with spaces."), n=len(sources))
    fmt, path = ("auto", sources[0]) if len(sources) == 1 else sources
    settings = Settings.from_env()
    with background_run(run, N_("Importing")) as work:
        report = import_path(
            settings, Path(path), name=name, fmt=fmt, language=language, audio_root=audio_root,
            progress=work.progress, check_stop=work.check_stop, by=asker(),
        )  # fmt: skip
        work.result(report)
    emit(report, as_json, _import_text(report))


@click.command()
@click.option("--reset", is_flag=True, help="Restore the demo as shipped; ratings made since are deleted.")
@click.option("--build", type=OUTPUT_FOLDER, help="Synthesise the corpus again, into this folder.")
@json_option
def demo(reset: bool, build: Path | None, as_json: bool) -> None:
    """Install the synthetic Turkish demo corpus, or synthesise it again with eSpeak NG (--build)."""
    if build is not None:
        from pipeline.importing.demo_synthesis import build_demo

        built = build_demo(build)
        emit(built, as_json, f"Wrote the synthetic corpus to {build}.")
        return
    from pipeline.importing.demo import install_demo

    report = install_demo(Settings.from_env(), reset=reset, by=asker())
    emit(report, as_json, _import_text(report))


@click.group()
def index() -> None:
    """Rebuild or inspect the index of recordings and ratings. The files are the truth; the index follows them."""


@index.command()
@json_option
def rebuild(as_json: bool) -> None:
    """Rebuild the index from the sets and the *_result.json files."""
    from pipeline.labels.index import Index

    with background_run(None, N_("Indexing")) as work:
        report = Index(Settings.from_env()).rebuild(work.progress)
    text = (
        f"{counted(report.n_recordings, 'recording')} of {counted(report.n_sets, 'set')}, "
        f"{counted(report.n_ratings, 'rating')}."
    )
    emit(report, as_json, "\n".join([text, *_problem_lines(report.problems)]))


@index.command()
@json_option
def status(as_json: bool) -> None:
    """Show what the index holds: sets, coverage and problems."""
    from pipeline.corpus.sets import damaged_sets
    from pipeline.labels.index import Index

    settings = Settings.from_env()
    opened = Index(settings)
    opened.ensure()
    sets = opened.overview()
    me = asker()
    if not me.may(Action.SEE_RATINGS):
        sets = [one.for_rater() for one in sets]
    elif not me.may(Action.SEE_NAMES):
        sets = [replace(one, ratings_by_evaluator={}) for one in sets]
    lines = [
        f"{s.name}: {'' if s.n_labelled is None else f'{s.n_labelled} of '}{counted(s.n_recordings, 'recording')}"
        f"{'' if s.n_labelled is None else ' labelled'}, "
        f"{counted(s.n_speakers, 'speaker')}, {duration(s.hours)}, {counted(s.n_problems, 'problem')}"
        f"{' (synthetic)' if s.synthetic else ''}"
        for s in sets
    ]
    emit(
        sets,
        as_json,
        "\n".join(lines) or "There are no sets yet. `pronlab import DIR` adds one; `pronlab demo` installs the demo.",
    )
    for problem in damaged_sets(settings):
        say(f"! {one_line(problem.message)}", err=True)


def _import_text(report: Any) -> str:
    head = (
        f"Set {report.set!r}: {counted(report.n_recordings, 'recording')} ({report.n_added} new) of "
        f"{counted(report.n_speakers, 'speaker')}, {duration(report.hours)}, {counted(report.n_labels, 'rating')}. "
        f"Layout: {report.layout}."
    )
    parts = ", ".join(f"{part} {n}" for part, n in report.parts.items())
    if report.n_unnamed:
        head += f"\nRecordings without a speaker: {report.n_unnamed:,}. Together they count as one speaker."
    return "\n".join([head, *([f"Parts: {parts}."] if parts else []), *_problem_lines(report.problems)])


def _problem_lines(problems: tuple[Problem, ...]) -> list[str]:
    """Errors and what concerns one file first; a warning about the sound of many recordings is one line."""
    from pipeline.audio.check import SOUND_WARNINGS

    alike: dict[str, list[Problem]] = {}
    single: list[Problem] = []
    for problem in problems:
        shared = problem.severity == "warning" and problem.code in SOUND_WARNINGS
        (alike.setdefault(problem.code, []) if shared else single).append(problem)
    lines = [f"  {problem.severity}: {problem.message}" for problem in single[:SHOWN_PROBLEMS]]
    if (more := len(single) - SHOWN_PROBLEMS) > 0:
        lines.append(f"  ... and {more} more (--json lists all)")
    for first, *others in alike.values():
        rest = f" And {len(others)} more like this; --json and the Data page list them." if others else ""
        lines.append(f"  warning: {first.message}{rest}")
    return lines
