"""`pronlab import`: find out what a path is, scan it, check each recording once, register it, take over its labels."""

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.artifacts import TEMPORARY_PREFIX
from pipeline.audio.check import inspect_file
from pipeline.corpus.readers import folder, manifest, speechocean762
from pipeline.corpus.readers.items import CorpusItem, Scan
from pipeline.corpus.sets import (
    RecordingSet,
    check_name,
    get_set,
    list_sets,
    read_recordings,
    registration,
    remove_set,
    result_path,
    save_set,
    sets_at,
)
from pipeline.errors import CorpusError, LabelError
from pipeline.labels.index import Index
from pipeline.labels.result_file import derive, write_result
from pipeline.labels.store import LabelStore
from pipeline.parallel import Progress, map_ordered
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import AudioReport, Problem, Recording, RubricName, Seconds
from pipeline.registry import Registry
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.times import now_iso

LEFTOVER_AFTER_S: Seconds = 3600.0
# Checking one takes a few milliseconds.
MIN_ITEMS_FOR_PROCESSES = 500
CheckStop = Callable[[], None]
Scanner = Callable[[Path], Scan]


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `n_added` counts recordings new to the set, `n_labels` ratings that came with the corpus or
    lay beside its audio, `problems` all that was found wrong."""

    set: str
    n_recordings: int
    n_speakers: int
    n_added: int
    n_labels: int
    hours: float
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Format:
    """A kind of corpus: how to read it, where its audio lies, and what its set is like."""

    scan: Scanner
    root_of: Callable[[Path], Path]
    in_place: bool
    title: str = ""
    licence: str = ""


FORMATS: Registry[Format] = Registry("corpus format")
FORMATS.register("folder")(Format(folder.scan_folder, lambda path: path, in_place=True))
FORMATS.register("manifest")(Format(manifest.read_manifest, lambda path: path.parent, in_place=False))
FORMATS.register(speechocean762.NAME)(
    Format(
        speechocean762.read_speechocean762,
        lambda path: path,
        in_place=False,
        title="speechocean762: English read by Mandarin speakers",
        licence=speechocean762.LICENCE,
    )
)


def import_path(
    settings: Settings,
    path: Path,
    *,
    name: str | None = None,
    fmt: str = "auto",
    title: str = "",
    synthetic: bool = False,
    progress: Progress | None = None,
    check_stop: CheckStop | None = None,
    by: Identity | None = None,
) -> ImportReport:
    """Register the corpus at `path` as a set, or bring its set up to date; labels are never lost by it.

    `fmt` is `auto` or a name from FORMATS. Raises CorpusError where the path is missing or holds nothing usable, or
    the name belongs to a corpus elsewhere, AccessError for who may not import (nobody will do on an open installation).
    """
    permit(settings, by, Action.IMPORT_DATA)
    path = path.expanduser().absolute()
    if not path.exists():
        raise CorpusError(f"There is no {path}. Give a folder with participant folders, or a manifest (*.jsonl).")
    path, fmt = _recognise(path) if fmt == "auto" else (path, fmt)
    kind = FORMATS[fmt]
    root = kind.root_of(path)
    set_name = check_name(name) if name else _free_name(settings, fmt, root)
    known = _known(settings, set_name, root)
    scan = kind.scan(path)
    reports = _inspect(root, scan.items, known, progress, check_stop)
    recordings = [
        _recording(set_name, item, stat, report) for item, (stat, report) in zip(scan.items, reports, strict=True)
    ]
    index = Index(settings)
    with index.saving(set_name):
        registered = save_set(
            settings,
            RecordingSet(
                name=set_name,
                title=title or kind.title or set_name,
                kind="folder" if kind.in_place else "manifest",
                root=root,
                labels_root=root if kind.in_place else registration(settings, set_name) / "labels",
                rubric=_common_rubric(scan.items),
                language=scan.items[0].language,
                synthetic=synthetic,
                source=str(path),
                licence=kind.licence,
                imported_at=now_iso(),
            ),
            recordings,
        )
        label_problems = _take_over_labels(settings, registered, recordings, scan.items, by)
        remove_leftovers(registered.labels_root)
        told = {problem.path for problem in label_problems}
        label_problems += [one for one in index.refresh_set(set_name) if one.path not in told]
    return ImportReport(
        set=set_name,
        n_recordings=len(recordings),
        n_speakers=len({recording.speaker for recording in recordings}),
        n_added=sum(composed(recording.path) not in known for recording in recordings),
        n_labels=sum(index.label_counts(set_name).values()),
        hours=sum(report.duration_s for _, report in reports) / 3600.0,
        problems=(*scan.problems, *label_problems, *_audio_problems(recordings)),
    )


def take_away(settings: Settings, name: str, by: Identity | None = None) -> None:
    """Remove a set from the installation: what was copied goes, a corpus that is used where it lies stays there. Raises
    CorpusError where there is none of that name, AccessError for who may not."""
    permit(settings, by, Action.IMPORT_DATA)
    remove_set(settings, name)
    Index(settings).refresh_set(name)


def remove_leftovers(root: Path) -> int:
    """Delete what killed savers of labels left (`.tmp-*.json`, over an hour old); returns how many."""
    found = [Path(folder) / file for folder, _, files in os.walk(root) for file in files if _is_leftover(file)]
    leftovers = [file for file in found if file.is_file() and file.stat().st_mtime < time.time() - LEFTOVER_AFTER_S]
    for file in leftovers:
        file.unlink(missing_ok=True)
    return len(leftovers)


def _is_leftover(name: str) -> bool:
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(".json")


def _recognise(path: Path) -> tuple[Path, str]:
    if path.is_file():
        if path.suffix.lower() not in (".jsonl", ".ndjson"):
            raise CorpusError(f"{path.name} is not a manifest. Expected a .jsonl file or a folder.")
        return path, "manifest"
    if speechocean762.is_published_layout(path):
        return path, speechocean762.NAME
    if (path / "manifest.jsonl").is_file():
        return path / "manifest.jsonl", "manifest"
    if path.name.startswith(folder.PARTICIPANT_PREFIX) and not folder.is_participant_layout(path):
        return path.parent, "folder"
    return path, "folder"


def _free_name(settings: Settings, fmt: str, root: Path) -> str:
    """The set that already stands for this root, else a fresh name from the folder's."""
    for set_ in sets_at(settings, root):
        return set_.name
    names = {set_.name for set_ in list_sets(settings)}
    base = speechocean762.NAME if fmt == speechocean762.NAME else composed(root.name)
    base = re.sub(r"[^\w.-]+", "-", base).strip("-._")[:56] or "set"
    return next(
        name for number in range(1, 10_000) if (name := base if number == 1 else f"{base}-{number}") not in names
    )


def _known(settings: Settings, name: str, root: Path) -> dict[str, Recording]:
    """Recordings of an earlier import by their path, composed. Raises CorpusError where the name stands for another
    corpus, or the folder is a set of another name: two sets would share its label files and not know of each other's
    saves."""
    twin = next((set_ for set_ in sets_at(settings, root) if set_.kind == "folder" and set_.name != name), None)
    if twin is not None:
        raise CorpusError(
            f"{root} is already the set {twin.name!r}. Import it under that name, or remove that set first."
        )
    if name not in {set_.name for set_ in list_sets(settings)}:
        return {}
    if get_set(settings, name).root != root:
        raise CorpusError(
            f"The set {name!r} is already used for {get_set(settings, name).root}. Choose another --name."
        )
    try:
        return {composed(recording.path): recording for recording in read_recordings(settings, name)}
    except CorpusError:  # a damaged registration is made anew
        return {}


def _inspect(
    root: Path,
    items: Sequence[CorpusItem],
    known: dict[str, Recording],
    progress: Progress | None,
    check_stop: CheckStop | None,
) -> list[tuple[list[int], AudioReport]]:
    """Size and time stamp with the report of each recording; unchanged files keep the report they have."""
    stats = [_stat(root / item.audio) for item in items]
    stale = [
        index
        for index, (item, stat) in enumerate(zip(items, stats, strict=True))
        if (old := known.get(composed(item.audio))) is None or old.report is None or old.extra.get("stat") != stat
    ]
    measured = map_ordered(
        partial(_inspect_one, root),
        [items[index].audio for index in stale],
        progress=progress,
        check_stop=check_stop,
        message="checking recordings",
        min_items=MIN_ITEMS_FOR_PROCESSES,
    )
    fresh = dict(zip(stale, measured, strict=True))
    reports: list[tuple[list[int], AudioReport]] = []
    for index, (item, stat) in enumerate(zip(items, stats, strict=True)):
        report = fresh[index] if index in fresh else known[composed(item.audio)].report
        if report is not None:
            reports.append((stat, report))
    return reports


def _inspect_one(root: Path, audio: str) -> AudioReport:
    return inspect_file(root / audio)


def _stat(path: Path) -> list[int]:
    try:
        stat = path.stat()
    except OSError:
        return [0, 0]
    return [stat.st_size, stat.st_mtime_ns]


def _recording(set_name: str, item: CorpusItem, stat: list[int], report: AudioReport) -> Recording:
    return Recording(
        id=f"{set_name}/{composed(item.key)}",
        set=set_name,
        path=item.audio,
        speaker=item.speaker,
        text=item.text,
        rubric=item.rubric,
        language=item.language,
        part=item.part,
        report=report,
        extra={**_for_labelling(item.extra), "stat": stat},
    )


def _for_labelling(extra: dict[str, Any]) -> dict[str, Any]:
    """Of the words, keep what the rating form shows: the experts' word scores are ratings and stay hidden there."""
    if "words" not in extra:
        return extra
    words = [{"text": word["text"], "phones": word.get("phones", [])} for word in extra["words"]]
    return {**extra, "words": words}


def _take_over_labels(
    settings: Settings,
    set_: RecordingSet,
    recordings: Sequence[Recording],
    items: Sequence[CorpusItem],
    by: Identity | None,
) -> list[Problem]:
    """Write the corpus's own ratings as result files. A file that exists is added to, under its lock."""
    store = LabelStore(settings)
    problems: list[Problem] = []
    for recording, item in zip(recordings, items, strict=True):
        try:
            events = item.events(set_.imported_at)
            if not events:
                continue
            path = result_path(set_, recording)
            if path.exists():
                store.add_from_corpus(recording, events, by)
            else:
                write_result(path, derive(recording.text, recording.rubric, events, {}), durable=False)
        except (LabelError, CorpusError) as error:
            problems.append(Problem("bad_label", f"{recording.path}: {error}", "error", recording.id))
    return problems


def _common_rubric(items: Sequence[CorpusItem]) -> RubricName:
    rubrics = {item.rubric for item in items}
    return RubricName.SENTENCE if RubricName.SENTENCE in rubrics else RubricName.WORD


def _audio_problems(recordings: Sequence[Recording]) -> tuple[Problem, ...]:
    return tuple(
        Problem(problem.code, f"{recording.path}: {problem.message}", problem.severity, recording.path)
        for recording in recordings
        for problem in (recording.report.problems if recording.report is not None else ())
    )
