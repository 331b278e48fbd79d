"""`pronlab import`: find out what a path is, read it, and register it as a set with its labels."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.artifacts import TEMPORARY_PREFIX
from pipeline.corpus.readers import hub_dataset, manifest, speechocean762
from pipeline.corpus.readers.catalogue import LAYOUTS, Layout, located, opened, recognised
from pipeline.corpus.sets import (
    AUDIO_FOLDER,
    RecordingSet,
    check_name,
    get_set,
    list_sets,
    name_like,
    read_recordings,
    registration,
    remove_set,
    sets_at,
)
from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.importing.registering import Registering
from pipeline.labels.index import Index
from pipeline.parallel import Progress
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Problem, Recording, RubricName, Seconds
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.text.languages import language_code
from pipeline.times import now_iso

LEFTOVER_AFTER_S: Seconds = 3600.0
SIGN_OF_LIFE_EVERY_S: Seconds = 10.0
PLAIN_STEMS = ("manifest", "metadata", "data")  # manifests of these names are called after their folder


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `n_added` counts recordings new to the set, `n_labels` ratings that came with the corpus or
    lay beside its audio, `problems` all that was found wrong; `parts` counts the recordings of each part, `n_unnamed`
    those without a speaker, who all count as one."""

    set: str
    n_recordings: int
    n_speakers: int
    n_added: int
    n_labels: int
    hours: float
    problems: tuple[Problem, ...]
    layout: str = ""
    parts: dict[str, int] = field(default_factory=dict)
    n_unnamed: int = 0


def import_path(
    settings: Settings,
    path: Path,
    *,
    name: str | None = None,
    fmt: str = "auto",
    title: str = "",
    synthetic: bool = False,
    language: str = "",
    audio_root: Path | None = None,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    by: Identity | None = None,
) -> ImportReport:
    """Register the corpus at `path` as a set, or bring its set up to date; labels are never lost by it.

    Args:
        path: A folder or a file, or the name of a dataset on the Hugging Face hub that is known here.
        fmt: `auto` or a name from LAYOUTS.
        language: Of recordings whose corpus does not say.
        audio_root: Where the audio of a manifest lies, if not below its folder.

    Raises CorpusError where the path is missing or holds nothing usable, the name belongs to a corpus elsewhere, or the
    import was interrupted; UnknownNameError for a language that is not known; AccessError for who may not import
    (nobody will do on an open installation).
    """
    permit(settings, by, Action.IMPORT_DATA)
    language = language_code(language) if language else ""
    path = _existing(path)
    layout_name, place = recognised(path) if fmt == "auto" else (fmt, located(path, fmt))
    layout = LAYOUTS[layout_name]
    if audio_root is not None:
        audio_root = audio_root.expanduser().absolute()
    elif layout_name == "manifest":
        audio_root = _root_of_exported(settings, place)
    reading = opened(layout_name, place, audio_root)
    set_name = check_name(name) if name else _free_name(settings, layout_name, place)
    root = registration(settings, set_name) / AUDIO_FOLDER if reading.copies() else reading.root
    known = _known(settings, set_name, layout, root, place)
    set_ = RecordingSet(
        name=set_name,
        title=title or layout.title or set_name,
        kind="folder" if layout.in_place else "manifest",
        root=root,
        labels_root=root if layout.in_place else registration(settings, set_name) / "labels",
        rubric=RubricName.WORD,
        synthetic=synthetic,
        source=str(place),
        licence=layout.licence,
        imported_at=now_iso(),
    )
    index = Index(settings)
    with index.saving(set_name) as still_saving:
        work = Registering(
            settings, set_, known, language=language, by=by,
            progress=_with_signs_of_life(progress, still_saving), check_stop=check_stop,
        )  # fmt: skip
        work.run(reading)
        remove_leftovers(set_.labels_root)
        remove_leftovers(registration(settings, set_name), suffix="")
        still_saving()
        broken = index.refresh_set(set_name)
    if work.stopped is not None:
        if not isinstance(work.stopped, KeyboardInterrupt):
            raise work.stopped
        raise CorpusError(
            N_(
                "Stopped after {n} of {total} recordings. The set {name!r} has {n_recordings}; the same command "
                "imports the rest."
            ),
            n=work.n_done,
            total=max(reading.total, work.n_done),
            name=set_name,
            n_recordings=work.n_recordings,
        )
    told = {problem.path for problem in work.label_problems}
    broken = [problem for problem in broken if problem.path not in told]
    return ImportReport(
        set=set_name,
        n_recordings=work.n_recordings,
        n_speakers=len(work.speakers),
        n_added=work.n_added,
        n_labels=sum(index.label_counts(set_name).values()),
        hours=work.seconds / 3600.0,
        problems=(*work.problems, *work.label_problems, *broken, *work.audio_problems),
        layout=layout_name,
        parts=dict(sorted(work.parts.items())),
        n_unnamed=work.n_unnamed,
    )


def take_away(settings: Settings, name: str, by: Identity | None = None) -> None:
    """Remove a set from the installation: what was copied goes, a corpus that is used where it lies stays there. Raises
    CorpusError where there is none of that name, AccessError for who may not."""
    permit(settings, by, Action.IMPORT_DATA)
    remove_set(settings, name)
    Index(settings).refresh_set(name)


def remove_leftovers(root: Path, suffix: str = ".json") -> int:
    """Delete what killed savers left (`.tmp-*` with that ending, over an hour old); returns how many. In a corpus that
    is used where it lies only labels are written; a registration is written by imports alone, lists and audio too."""
    found = [
        Path(folder) / file
        for folder, _, files in os.walk(root)
        for file in files
        if file.startswith(TEMPORARY_PREFIX) and file.endswith(suffix)
    ]
    leftovers = [file for file in found if file.is_file() and file.stat().st_mtime < time.time() - LEFTOVER_AFTER_S]
    for file in leftovers:
        file.unlink(missing_ok=True)
    return len(leftovers)


def _with_signs_of_life(progress: Progress | None, still_saving: Callable[[], None]) -> Progress:
    """The same progress, with a sign now and then that this import goes on."""
    seen_at = time.monotonic()

    def report(done: int, total: int, message: str) -> None:
        nonlocal seen_at
        if time.monotonic() - seen_at > SIGN_OF_LIFE_EVERY_S:
            seen_at = time.monotonic()
            still_saving()
        if progress is not None:
            progress(done, total, message)

    return report


def _existing(path: Path) -> Path:
    """The full path; a dataset of the hub is fetched. Raises CorpusError where there is none."""
    if not path.exists() and hub_dataset.is_hub_name(path.as_posix()):
        return hub_dataset.fetch(path.as_posix())
    path = path.expanduser().absolute()
    if not path.exists():
        raise CorpusError(
            N_(
                "There is no {path}. Give a folder of recordings, a corpus as it is published, or a manifest; "
                "`pronlab import --help` lists the layouts."
            ),
            path=str(path),
        )
    return path


def _root_of_exported(settings: Settings, file: Path) -> Path | None:
    """The folder of a set that is known here, where the manifest names audio in it by full paths, as exports do."""
    audio = manifest.first_audio(file) if file.is_file() else ""
    if not audio.startswith("/") or Path(audio).is_relative_to(file.parent):
        return None
    roots = [set_.root for set_ in list_sets(settings) if Path(audio).is_relative_to(set_.root)]
    return max(roots, key=lambda root: len(root.parts), default=None)


def _free_name(settings: Settings, layout: str, place: Path) -> str:
    """The set that already stands for this corpus, else a fresh name from the folder's or file's."""
    for set_ in list_sets(settings):
        if set_.source == str(place) and (set_.kind == "folder") == LAYOUTS[layout].in_place:
            return set_.name
    names = {set_.name for set_ in list_sets(settings)}
    if layout == speechocean762.NAME:
        base = speechocean762.NAME
    elif place.is_file():
        base = place.parent.name + ("" if place.stem.casefold() in PLAIN_STEMS else f"-{place.stem}")
    else:
        base = place.name
    base = name_like(base) or "set"
    return next(
        name for number in range(1, 10_000) if (name := base if number == 1 else f"{base}-{number}") not in names
    )


def _known(settings: Settings, name: str, layout: Layout, root: Path, place: Path) -> dict[str, Recording]:
    """Recordings of an earlier import by their path, composed. Raises CorpusError where the name stands for another
    corpus, or the folder is a set of another name: two sets would share its label files and not know of each other's
    saves."""
    twin = next((set_ for set_ in sets_at(settings, root) if set_.kind == "folder" and set_.name != name), None)
    if twin is not None and layout.in_place:
        raise CorpusError(
            N_("{root} is already the set {name!r}. Import it under that name, or remove that set first."),
            root=str(root),
            name=twin.name,
        )
    if name not in {set_.name for set_ in list_sets(settings)}:
        return {}
    earlier = get_set(settings, name)
    if earlier.root != root or (not layout.in_place and earlier.source != str(place)):
        raise CorpusError(
            N_("The set {name!r} is already used for {source}. Choose another --name."),
            name=name,
            source=str(earlier.source),
        )
    try:
        return {composed(recording.path): recording for recording in read_recordings(settings, name)}
    except CorpusError:  # a damaged registration is made anew
        return {}
