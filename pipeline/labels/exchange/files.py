"""Exports of a set as one file, or as a folder of files."""

import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import artifacts
from pipeline.corpus.sets import RecordingSet, get_set
from pipeline.csvfile import COMMA, Dialect
from pipeline.errors import LabelError, UnknownNameError
from pipeline.i18n import N_
from pipeline.labels.exchange.label_studio_tasks import configuration, tasks
from pipeline.labels.exchange.rating_rows import TableName
from pipeline.labels.exchange.recordings import Labels, labels_of
from pipeline.labels.exchange.tables import table_rows, to_csv, to_jsonl, to_xlsx
from pipeline.labels.exchange.textgrid import Aligner, Alignment, textgrid_path, write_textgrid
from pipeline.people.access import Identity
from pipeline.records import Problem
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.files import RubricError
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from pipeline.write_errors import not_written

TASKS, CONFIGURATION = "tasks.json", "labeling_config.xml"


@dataclass(frozen=True)
class Export:
    """`n` rows or recordings in `content`; what was left out of it, and why; and, of TextGrids, the recordings that are
    in it without alignment (`path` of a problem is the recording's id)."""

    n: int
    content: bytes
    left_out: tuple[Problem, ...] = ()


def export_table(
    settings: Settings,
    set_name: str | None,
    fmt: str,
    table: TableName = "ratings",
    by: Identity | None = None,
    dialect: Dialect = COMMA,
) -> Export:
    """As `csv`, `jsonl` or `xlsx`. Raises LabelError where there is nothing to export, AccessError for who may not
    export."""
    if table == "consensus" and set_name is None:
        raise LabelError(N_("The consensus can be exported for one set at a time. Name it with --set."))
    labels = labels_of(settings, set_name, by)
    rows = table_rows(labels, table)
    if not rows:
        raise LabelError(N_("There is no consensus to export in {set!r}. Rate recordings first."), set=set_name)
    if fmt == "xlsx":
        return Export(len(rows), to_xlsx(labels), labels.left_out)
    return Export(len(rows), to_csv(rows, dialect) if fmt == "csv" else to_jsonl(rows), labels.left_out)


def label_studio_files(
    settings: Settings, set_name: str, labels: Labels, document_root: Path | None = None
) -> dict[str, bytes]:
    """The tasks and the labelling configuration, by name. Without a document root it is the folder above the set's."""
    root = document_root or document_root_of(settings, set_name)
    return {
        TASKS: tasks(labels.recordings, root),
        CONFIGURATION: configuration(
            _rubrics(settings, get_set(settings, set_name), labels),
            {segment.tier for labelled in labels.recordings for event in labelled.events for segment in event.segments},
        ),
    }


def _rubrics(settings: Settings, set_: RecordingSet, labels: Labels) -> list[Rubric]:
    """With which the recordings were rated, or would be; with the shipped ones, of which ratings are that name none."""
    library = RubricLibrary(settings)
    units = {labelled.recording.rubric for labelled in labels.recordings}
    asked = [RUBRICS[unit] for unit in units]
    for unit in units:
        with suppress(UnknownNameError, RubricError):  # a rubric that is gone keeps no rating from being exported
            asked.append(library.of_set(set_, unit))
    rubrics = {rubric.reference: rubric for rubric in asked}
    for labelled in labels.recordings:
        for event in labelled.events:
            if event.rubric and event.rubric not in rubrics:
                rubric = library.of_event(event, labelled.recording.rubric)
                if rubric is not None:
                    rubrics[event.rubric] = rubric
    return [rubrics[reference] for reference in sorted(rubrics)]


def document_root_of(settings: Settings, set_name: str) -> Path:
    """Label Studio serves files of folders below its document root, not of the root itself."""
    return get_set(settings, set_name).root.parent


def write_textgrids(
    folder: Path, labels: Labels, aligner: Aligner | None = None
) -> tuple[int, tuple[Problem, ...], tuple[Problem, ...]]:
    """One file per recording, at the same place under `folder` as its audio under its set.

    Returns how many; the recordings that were left out; and those that could not be aligned, whose text stands over the
    whole recording.
    """
    n = 0
    left_out: list[Problem] = []
    unaligned: list[Problem] = []
    for labelled in labels.recordings:
        alignment = Alignment() if aligner is None else aligner(labelled.recording, labelled.audio)
        try:
            write_textgrid(folder / textgrid_path(labelled.recording), labelled, alignment.words)
        except LabelError as error:
            left_out.append(Problem("not_exported", error.text, "error", labelled.recording.id))
            continue
        n += 1
        if alignment.reason:
            unaligned.append(Problem("not_aligned", alignment.reason, "warning", labelled.recording.id))
    return n, tuple(left_out), tuple(unaligned)


def zipped_textgrids(labels: Labels) -> Export:
    with TemporaryDirectory() as name:
        folder = Path(name)
        n, left_out, _unaligned = write_textgrids(folder, labels)
        files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.TextGrid"))}
    return Export(n, zipped(files), (*labels.left_out, *left_out))


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return content.getvalue()


def write_export(path: Path, content: bytes) -> None:
    """Raises LabelError where the file cannot be written."""
    try:
        artifacts.write_bytes(path, content)
    except OSError as error:
        raise LabelError(
            not_written(N_("{path} cannot be written ({reason})."), path, error, otherwise=N_("Or name another place."))
        ) from error
