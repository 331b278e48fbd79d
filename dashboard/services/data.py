"""What the Data page asks for: sets and their problems, import, export, and upkeep of the index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.errors import CorpusError
from pipeline.i18n import _
from pipeline.people.access import Action
from pipeline.records import Problem

if TYPE_CHECKING:
    from pipeline.csvfile import Dialect
    from pipeline.labels.exchange.incoming import Incoming
    from pipeline.labels.index import IndexReport, Progress
    from pipeline.labels.queries import SetOverview
    from pipeline.runs import RunDirectory

ExportFormat = Literal["csv", "consensus", "xlsx", "jsonl", "label-studio", "textgrid"]


@asks(Action.SEE_SETS)
def overview() -> list[SetOverview]:
    """What is in each set; how much of it is rated, and by whom, only for who may see that."""
    sets = shared.open_index().overview()
    me = identity.allowed(Action.SEE_SETS)
    if not me.may(Action.SEE_RATINGS):
        return [row.for_rater() for row in sets]
    if me.may(Action.SEE_NAMES):
        return sets
    return [replace(row, ratings_by_evaluator={}) for row in sets]


@asks(Action.SEE_SETS)
def problems() -> list[tuple[str, Problem]]:
    """What is wrong with recordings and label files, each with the name of its set."""
    return shared.open_index().problems_by_set()


@asks(Action.SEE_SETS)
def damaged_sets() -> list[Problem]:
    """Sets whose registration cannot be read, and why."""
    from pipeline.corpus.sets import damaged_sets as damaged

    return damaged(shared.settings())


@asks(Action.IMPORT_DATA)
def layouts() -> dict[str, str]:
    """The corpus layouts that can be imported, in the order in which they are tried, and what each looks like (source
    strings of the catalogue)."""
    from pipeline.corpus.readers.catalogue import LAYOUTS, ORDER

    return {name: LAYOUTS[name].expected for name in ORDER}


@asks(Action.IMPORT_DATA)
def launch_import(path: str, name: str, format_: str) -> RunDirectory:
    """Start `pronlab import` in the background. Raises CorpusError for a path that this machine does not have."""
    from pipeline.corpus.sets import check_name
    from pipeline.jobs.launcher import launch

    source = Path(path.strip()).expanduser()
    if not path.strip() or not source.is_absolute():
        raise CorpusError(
            _("{path} is not a full path. Give a path that starts at the root, such as /home/me/corpus.").format(
                path=repr(path)
            )
        )
    if not source.exists():
        raise CorpusError(_("There is no {path} on the machine that runs this dashboard.").format(path=source))
    named = ["--name", check_name(name)] if name else []
    return launch(
        shared.settings(),
        kind="import",
        name=f"import-{source.name}",
        argv=["import", *([] if format_ == "auto" else [format_]), str(source), *named],
        root=shared.settings().jobs_root,
        config={"path": source, "name": name, "format": format_},
        by=identity.allowed(Action.IMPORT_DATA),
    )


@asks(Action.EXPORT)
def exported_labels(set_name: str, format_: ExportFormat, dialect: Dialect) -> bytes:
    """A table (csv of this dialect, xlsx; `consensus` is csv), a manifest (jsonl) or a zip: Label Studio's tasks with
    the labelling configuration, or one TextGrid per recording. Label files that cannot be read are left out."""
    from pipeline.labels.exchange.files import export_table, label_studio_files, zipped, zipped_textgrids
    from pipeline.labels.exchange.recordings import labels_of
    from pipeline.labels.manifest_export import manifest_lines

    settings, me = shared.settings(), identity.allowed(Action.EXPORT)
    if format_ == "label-studio":
        return zipped(label_studio_files(settings, set_name, labels_of(settings, set_name, me)))
    if format_ == "textgrid":
        return zipped_textgrids(labels_of(settings, set_name, me)).content
    if format_ == "jsonl":
        return b"".join(manifest_lines(settings, set_name, [], me))
    if format_ == "consensus":
        return export_table(settings, set_name, "csv", "consensus", me, dialect).content
    return export_table(settings, set_name, format_, by=me, dialect=dialect).content


@asks(Action.EXPORT)
def has_ratings(set_name: str) -> bool:
    """Whether there is anything but the recordings to export."""
    return shared.open_index().has_standing_events(set_name)


@asks(Action.EXPORT)
def unreadable_labels(set_name: str) -> list[Problem]:
    """Label files of the set that cannot be read, and are left out of exports, as the index knows them."""
    return [problem for problem in shared.open_index().problems(set_name) if problem.code == "broken_label"]


@asks(Action.IMPORT_DATA)
def checked_ratings(
    set_name: str, content: bytes, *, sheet: str = "", scale: str = "", rater: str = "", rubric: str = ""
) -> Incoming:
    """What importing this file would do; nothing is written. Raises SheetChoiceError where a sheet has to be chosen."""
    from pipeline.labels.exchange.incoming import check, read_ratings
    from pipeline.labels.scale import parse_scale
    from pipeline.people.people import People
    from pipeline.rubrics.library import RubricLibrary

    reading = read_ratings(content, sheet=sheet, rubrics=RubricLibrary(shared.settings()).all())
    incoming = check(
        shared.settings(), set_name, reading.rows, People(shared.settings()).raters(),
        scale=parse_scale(scale) if scale else None, rater=rater.strip(), rubric=rubric,
    )  # fmt: skip
    return replace(incoming, assumed=(*reading.assumed, *incoming.assumed))


@asks(Action.IMPORT_DATA)
def import_ratings(set_name: str, incoming: Incoming) -> int:
    """How many recordings got something new."""
    from pipeline.labels.exchange.incoming import apply

    return apply(shared.settings(), set_name, incoming, identity.allowed(Action.IMPORT_DATA))


@asks(Action.MANAGE_PROJECTS)
def rescale_labels(set_name: str, scale: str) -> int:
    """Read the scores of other programs' label files on this scale; how many files there were."""
    from pipeline.labels.repair import rescale_labels as rescale
    from pipeline.labels.scale import parse_scale

    return len(rescale(shared.settings(), set_name, parse_scale(scale), identity.allowed(Action.MANAGE_PROJECTS)))


@asks(Action.IMPORT_DATA)
def rebuild_index(progress: Progress) -> IndexReport:
    """Make the index anew; returns what it holds now."""
    from pipeline.labels.index import Index

    return Index(shared.settings()).rebuild(progress)


@asks(Action.IMPORT_DATA)
def reset_demo(progress: Progress) -> None:
    from pipeline.importing.demo import install_demo

    install_demo(shared.settings(), reset=True, progress=progress, by=identity.allowed(Action.IMPORT_DATA))


@asks(Action.IMPORT_DATA)
def remove_set(name: str) -> None:
    from pipeline.importing.importer import take_away

    take_away(shared.settings(), name, identity.allowed(Action.IMPORT_DATA))
