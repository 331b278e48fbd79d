"""`pronlab export` and `import-ratings`: ratings to other programs and back."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pipeline.cli._access import asker
from pipeline.cli._output import counted, emit, fail_without, json_option, say
from pipeline.cli._outputs import OUTPUT
from pipeline.errors import LabelError
from pipeline.i18n import N_, Message
from pipeline.records import Problem
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.labels.exchange.incoming import Incoming
    from pipeline.labels.exchange.rating_rows import Reading
    from pipeline.labels.exchange.recordings import Labels

SHOWN_PROBLEMS = 10


@click.command()
@click.option("--set", "set_name", help="Name of the set (default: all sets; tables only).")
@click.option(
    "--format", "fmt", type=click.Choice(["csv", "xlsx", "jsonl", "label-studio", "textgrid", "dataset"]),
    default="csv", show_default=True, help="File format.",
)  # fmt: skip
@click.option(
    "--table",
    type=click.Choice(["ratings", "consensus"]),
    default="ratings",
    show_default=True,
    help="Which table: every rating, or the consensus. An Excel file has both.",
)
@click.option(
    "--separator",
    type=click.Choice(["comma", "semicolon", "tab"]),
    default="comma",
    show_default=True,
    help="CSV: what separates cells. With semicolons, numbers have a decimal comma, as spreadsheets in Turkish expect.",
)
@click.option("--out", type=OUTPUT, required=True, help="The file or folder to write.")
@click.option("--align", is_flag=True, help="TextGrids of English: align words and phones with the speech scorer.")
@click.option(
    "--document-root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Label Studio's folder of local files (default: the folder above the set's).",
)
@json_option
def export(
    set_name: str | None,
    fmt: str,
    table: Any,
    separator: str,
    out: Path,
    align: bool,
    document_root: Path | None,
    as_json: bool,
) -> None:
    """Export ratings as tables (one row per rating, or per recording with its consensus), Label Studio tasks, Praat
    TextGrids, a manifest that can be imported again (jsonl; with --table, the table), or a Hugging Face dataset with
    the audio."""
    from pipeline.csvfile import DIALECTS
    from pipeline.labels.exchange.files import export_table, write_export

    settings = Settings.from_env()
    if fmt == "jsonl" and click.get_current_context().get_parameter_source("table") is ParameterSource.DEFAULT:
        _export_manifest(settings, set_name, out, as_json)
        return
    if fmt not in ("csv", "xlsx", "jsonl"):
        if set_name is None:
            raise click.UsageError(f"--format {fmt} exports one set. Name it with --set.")
        _export_recordings(settings, set_name, fmt, out, align, document_root, as_json)
        return
    if out.is_dir():
        raise LabelError(N_("{path} is a folder. Give the name of a file."), path=str(out))
    exported = export_table(settings, set_name, fmt, table, asker(), DIALECTS[separator])
    write_export(out, exported.content)
    _tell(out, exported.n, as_json, left_out=exported.left_out, unit="row")


@click.command("import-ratings")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--set", "set_name", required=True, help="The set of the recordings.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "label-studio", "textgrid", "dataset"]),
    help="Format: a table (CSV or Excel), Label Studio JSON, or a folder of TextGrids or a dataset that was exported "
    "here (default: from its content).",
)
@click.option("--sheet", default="", help="The sheet of an Excel file, where several have ratings.")
@click.option(
    "--scale",
    help="The scale the scores were given on, by its best score (5) or both ends (1-5); 100 confirms low scores.",
)
@click.option("--rubric", default="", help="The rubric of ratings that name none (default: word or sentence).")
@click.option("--rater", default="", help="Whose the ratings are that name no rater.")
@click.option("--skip-bad", is_flag=True, help="Skip rows that cannot be used and import the others.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@json_option
def import_ratings(
    file: Path,
    set_name: str,
    fmt: Any,
    sheet: str,
    scale: str | None,
    rubric: str,
    rater: str,
    skip_bad: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import ratings from a table (CSV of any kind, or Excel), from Label Studio, or from TextGrids or a dataset that
    were exported here. What had to be inferred is told first, everything is checked, and nothing is overwritten: new
    ratings are appended to the history."""
    from pipeline.labels.exchange.incoming import apply, check
    from pipeline.labels.scale import parse_scale
    from pipeline.people.people import People

    settings = Settings.from_env()
    reading = _reading(file, fmt, sheet)
    incoming = check(
        settings, set_name, reading.rows, People(settings).raters(),
        scale=parse_scale(scale) if scale else None, rater=rater, rubric=rubric,
    )  # fmt: skip
    assumed = (*reading.assumed, *incoming.assumed)
    if not as_json:
        for line in (*assumed, *incoming.respelled[:SHOWN_PROBLEMS]):
            say(line)
    if not dry_run:
        _refuse_unless_sure(incoming, len(reading.rows), skip_bad)
    changed = 0 if dry_run else apply(settings, set_name, incoming, asker())
    text = f"{counted(incoming.n, 'rating')} of {counted(len(incoming.ratings), 'recording')}"
    asked = [f"{incoming.scale_question} (--scale)"] if incoming.scale_question else []
    lines = [
        *asked,
        f"{text}, nothing was written" if dry_run else f"{text}; new ratings for {counted(changed, 'recording')}.",
        *incoming.problems[:SHOWN_PROBLEMS],
    ]
    if (more := len(incoming.problems) - SHOWN_PROBLEMS) > 0:
        lines.append(f"... and {more} more (--json lists all)")
    result = {
        "ratings": incoming.n,
        "recordings": len(incoming.ratings),
        "changed": changed,
        "assumed": assumed,
        "question": incoming.scale_question,
        "problems": incoming.problems,
        "respelled": incoming.respelled,
    }
    emit(result, as_json, "\n".join(lines))
    fail_without(incoming.n)


def _refuse_unless_sure(incoming: "Incoming", n_rows: int, skip_bad: bool) -> None:
    """Raises LabelError where a question is open, or rows that cannot be used would be left out unasked."""
    if incoming.scale_question is not None:
        raise LabelError(N_("{question} (--scale)"), question=incoming.scale_question)
    if incoming.problems and not skip_bad:
        n_more = len(incoming.problems) - 3
        more = Message(N_(" ... and {n} more"), n=n_more) if n_more > 0 else ""
        named = Message(N_(" or name their rater with --rater,")) if incoming.n_nameless else ""
        first = "; ".join(problem.rstrip(".") for problem in incoming.problems[:3])
        raise LabelError(
            N_(
                "{n} of {n_rows} ratings cannot be used, so nothing was imported: {first}{more}. Correct "
                "them,{named} or import the others with --skip-bad."
            ),
            n=len(incoming.problems),
            n_rows=n_rows,
            first=first,
            more=more,
            named=named,
        )


def _reading(source: Path, fmt: Any, sheet: str) -> "Reading":
    """The ratings of a file, or of a folder of TextGrids or a dataset."""
    from pipeline.labels.exchange.incoming import read_ratings
    from pipeline.labels.exchange.rating_rows import Reading
    from pipeline.rubrics.library import RubricLibrary

    if not source.is_dir():
        if fmt in ("dataset", "textgrid"):
            raise LabelError(N_("{path} is a file. Give the folder that was exported."), path=str(source))
        return read_ratings(source.read_bytes(), fmt, sheet, RubricLibrary(Settings.from_env()).all())
    from pipeline.labels.exchange.dataset import is_dataset, read_dataset
    from pipeline.labels.exchange.textgrid import read_textgrids

    chosen = fmt or ("dataset" if is_dataset(source) else "textgrid")
    if chosen not in ("dataset", "textgrid"):
        raise LabelError(N_("{path} is a folder. Give the name of a file."), path=str(source))
    return Reading(read_dataset(source) if chosen == "dataset" else read_textgrids(source))


def _export_manifest(settings: Settings, set_name: str | None, out: Path, as_json: bool) -> None:
    from pipeline.labels.manifest_export import write_manifest

    if set_name is None:
        raise click.UsageError("A manifest holds one set. Name it with --set, or give --table ratings for all sets.")
    if out.is_dir():
        raise LabelError(N_("{path} is a folder. Give the name of a file."), path=str(out))
    n, problems = write_manifest(settings, set_name, out, asker())
    if not as_json:
        say(f"`pronlab import {shlex.quote(str(out))}` imports the recordings with their ratings again.")
    _tell(out, n, as_json, without_ratings=problems)


def _export_recordings(
    settings: Settings, set_name: str, fmt: str, out: Path, align: bool, document_root: Path | None, as_json: bool
) -> None:
    from pipeline.labels.exchange.dataset import write_dataset
    from pipeline.labels.exchange.files import write_textgrids
    from pipeline.labels.exchange.recordings import labels_of
    from pipeline.scoring.alignment import aligner

    labels = labels_of(settings, set_name, asker())
    if fmt == "label-studio":
        _write_label_studio(settings, set_name, labels, out, document_root, as_json)
    elif fmt == "dataset":
        n, unreadable = write_dataset(out, labels, settings)
        _tell(out, n, as_json, left_out=(*labels.left_out, *unreadable))
    else:
        n, left_out, unaligned = write_textgrids(out, labels, aligner(settings, set_name) if align else None)
        _tell(out, n, as_json, left_out=(*labels.left_out, *left_out), unaligned=unaligned)


def _write_label_studio(
    settings: Settings, set_name: str, labels: "Labels", out: Path, document_root: Path | None, as_json: bool
) -> None:
    """The tasks as `out`, and the labelling configuration beside it."""
    from pipeline.corpus.sets import get_set
    from pipeline.labels.exchange.files import (
        CONFIGURATION,
        TASKS,
        document_root_of,
        label_studio_files,
        write_export,
    )

    if out.is_dir():
        raise LabelError(N_("{path} is a folder. Give the name of a file."), path=str(out))
    root = (document_root or document_root_of(settings, set_name)).resolve()
    files = label_studio_files(settings, set_name, labels, root)
    configuration = out.with_suffix(".xml")
    write_export(out, files[TASKS])
    write_export(configuration, files[CONFIGURATION])
    if not as_json:
        say(
            f"To hear the audio, start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={shlex.quote(str(root))}. Paste {configuration} as the project's "
            f"labeling interface, add {get_set(settings, set_name).root} as local files under Cloud Storage (without "
            f"syncing it), and import {out}."
        )
    more = {"configuration": configuration, "document_root": root}
    _tell(out, len(labels.recordings), as_json, left_out=labels.left_out, more=more)


def _tell(
    out: Path,
    n: int,
    as_json: bool,
    *,
    left_out: Sequence[Problem] = (),
    unaligned: Sequence[Problem] = (),
    unit: str = "recording",
    without_ratings: Sequence[Problem] = (),
    more: dict[str, Any] | None = None,
) -> None:
    lines = [f"{counted(n, unit)} written to {out}."]
    for problems, heading in (
        (left_out, "left out because the label file or audio cannot be used"),
        (without_ratings, "written without ratings because the label file cannot be read"),
        (unaligned, "not aligned: the text stands over the whole recording"),
    ):
        if problems:
            lines.append(f"{counted(len(problems), 'recording')} {heading}:")
            lines += [f"  {problem.placed}" for problem in problems[:SHOWN_PROBLEMS]]
        if len(problems) > SHOWN_PROBLEMS:
            lines.append(f"  ... and {len(problems) - SHOWN_PROBLEMS} more (--json lists all)")
    written = {
        "out": out, "rows": n, **(more or {}),
        "left_out": left_out, "without_ratings": without_ratings, "unaligned": unaligned,
    }  # fmt: skip
    emit(written, as_json, "\n".join(lines))
