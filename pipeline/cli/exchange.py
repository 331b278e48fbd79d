"""`pronlab export` and `import-ratings`: ratings to other programs and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pipeline.cli._access import asker
from pipeline.cli._output import emit, json_option
from pipeline.errors import LabelError, PronlabError
from pipeline.settings import Settings

SHOWN_PROBLEMS = 10


@click.command()
@click.option("--set", "set_name", help="Name of the set (default: all sets; tables only).")
@click.option(
    "--format", "fmt", type=click.Choice(["csv", "jsonl", "label-studio", "textgrid", "dataset"]), default="csv",
    show_default=True, help="File format.",
)  # fmt: skip
@click.option(
    "--table",
    type=click.Choice(["ratings", "consensus"]),
    default="ratings",
    show_default=True,
    help="Which table: every rating, or the consensus.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file or folder to write.")
@click.option("--align", is_flag=True, help="TextGrids of English: align words and phones with the speech scorer.")
@json_option
def export(set_name: str | None, fmt: str, table: Any, out: Path, align: bool, as_json: bool) -> None:
    """Export ratings as tables (one row per rating, or per recording with its consensus), Label Studio JSON, Praat
    TextGrids, or a Hugging Face dataset with the audio."""
    from pipeline.corpus.sets import get_set
    from pipeline.labels.exchange import export_labels, write_export
    from pipeline.labels.index import Index

    settings = Settings.from_env()
    opened = Index(settings)
    if set_name is None:
        opened.rebuild()
    else:
        get_set(settings, set_name)
        opened.refresh_set(set_name)  # label files may have been edited by hand
    if fmt in ("csv", "jsonl"):
        if out.is_dir():
            raise LabelError(f"{out} is a folder. Give the name of a file.")
        rows, content = export_labels(opened, set_name, fmt, table, asker())  # type: ignore[arg-type]
        write_export(out, content)
    else:
        if set_name is None:
            raise click.UsageError(f"--format {fmt} exports one set. Name it with --set.")
        rows = _export_recordings(settings, set_name, fmt, out, align)
    emit({"out": out, "rows": rows}, as_json, f"{rows} rows written to {out}.")


@click.command("import-ratings")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--set", "set_name", required=True, help="The set of the recordings.")
@click.option(
    "--format", "fmt", type=click.Choice(["csv", "label-studio"]), help="Format of the file (default: from its name)."
)
@click.option("--skip-bad", is_flag=True, help="Skip rows that cannot be used and import the others.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@json_option
def import_ratings(file: Path, set_name: str, fmt: str | None, skip_bad: bool, dry_run: bool, as_json: bool) -> None:
    """Import ratings from a table or from Label Studio. Everything is checked first and nothing is overwritten: new
    ratings are appended to the history."""
    from pipeline.labels.exchange.incoming import apply, check, from_csv
    from pipeline.labels.exchange.label_studio import from_label_studio
    from pipeline.people.people import People

    settings = Settings.from_env()
    chosen = fmt or ("label-studio" if file.suffix == ".json" else "csv")
    rows = (from_label_studio if chosen == "label-studio" else from_csv)(file.read_bytes())
    incoming = check(settings, set_name, rows, People(settings).raters())
    if incoming.problems and not (skip_bad or dry_run):
        more = f" ... and {len(incoming.problems) - 3} more" if len(incoming.problems) > 3 else ""
        raise LabelError(
            f"{len(incoming.problems)} of {len(rows)} ratings cannot be used, so nothing was imported: "
            f"{'; '.join(incoming.problems[:3])}{more}. Correct them, or import the others with --skip-bad."
        )
    changed = 0 if dry_run else apply(settings, set_name, incoming, asker())
    text = f"{incoming.n} ratings of {len(incoming.ratings)} recordings{', nothing was written' if dry_run else ''}"
    lines = [
        text if dry_run else f"{text}; {changed} recordings have new ratings.",
        *incoming.respelled[:SHOWN_PROBLEMS],
        *incoming.problems[:SHOWN_PROBLEMS],
    ]
    found = {
        "ratings": incoming.n,
        "recordings": len(incoming.ratings),
        "changed": changed,
        "problems": incoming.problems,
        "respelled": incoming.respelled,
    }
    emit(found, as_json, "\n".join(lines))


def _export_recordings(settings: Settings, set_name: str, fmt: str, out: Path, align: bool) -> int:
    from pipeline.labels.exchange import write_export
    from pipeline.labels.exchange.dataset import write_dataset
    from pipeline.labels.exchange.recordings import label_studio, rated_recordings, write_textgrids

    rated = rated_recordings(settings, set_name, asker())
    if fmt == "label-studio":
        write_export(out, label_studio(rated))
    elif fmt == "dataset":
        write_dataset(out, rated, settings)
    else:
        write_textgrids(out, rated, _aligner(settings, set_name) if align else None)
    return len(rated)


def _aligner(settings: Settings, set_name: str) -> Any:
    """Align words and phones with the speech scorer; recordings that it cannot score stay without."""
    from pipeline.audio.load import load_audio
    from pipeline.corpus.sets import get_set, target_of
    from pipeline.records import Recording, RubricName, WordScore
    from pipeline.scoring.base import score_audio
    from pipeline.scoring.pieces import by_piece
    from pipeline.scoring.selection import SPEECH, load_scorer, settle

    scorer = load_scorer(settings, SPEECH, RubricName.SENTENCE)
    set_ = get_set(settings, set_name)

    def words(recording: Recording, audio: Path) -> Sequence[WordScore]:
        try:
            target = settle(target_of(set_, recording))[0]
            return by_piece(target.text, score_audio(scorer, load_audio(audio), target).words)
        except PronlabError:
            return ()

    return words
