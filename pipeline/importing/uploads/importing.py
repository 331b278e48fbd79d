"""An upload becomes a set: its files move below the set's registration, and an import in the background reads them."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.corpus.sets import check_name, list_sets, registration
from pipeline.errors import CorpusError, JobError
from pipeline.i18n import N_
from pipeline.importing.uploads.review import Choices, Corpus, manifest_rows, rows_of
from pipeline.importing.uploads.staging import Staging
from pipeline.jobs.launcher import launch
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.settings import Settings

FOLDER = "uploaded"
MANIFEST = ".recordings.jsonl"  # no file that is sent can have this name
SHOWN = 3  # names in a message


def growing_sets(settings: Settings) -> list[str]:
    """Sets that were made of uploads and take further recordings."""
    return [set_.name for set_ in list_sets(settings) if set_.source == str(_files_of(settings, set_.name) / MANIFEST)]


def begin_import(
    settings: Settings,
    staging: Staging,
    corpus: Corpus,
    choices: Choices,
    name: str,
    by: Identity | None,
    *,
    add: bool = False,
) -> RunDirectory:
    """Move the files to where the set keeps them, and start to import them; with `add`, to the recordings that one of
    `growing_sets` has. Raises CorpusError for a name that is taken or no name, where no recording has a text, and for
    files that would replace others of the set; nothing is moved then."""
    permit(settings, by, Action.IMPORT_DATA)
    name = check_name(name.strip())
    if add:
        _check_addition(settings, staging, corpus, name)
    else:
        _require_free(settings, name)
    if corpus.is_editable:
        lines = manifest_rows(rows_of(staging, corpus, choices), corpus, choices)
        if not lines:
            raise CorpusError(N_("No recording has a text yet. Type the texts, or add a table or text files."))
        jsonl.write(staging.files / MANIFEST, lines)
        source = ["manifest", MANIFEST]
    else:
        place = corpus.place or staging.files
        source = [corpus.layout, str(place.relative_to(staging.files))]
    staging.change(set=name, source="/".join(source), language=choices.language)
    return resume_import(settings, staging, by)


def resume_import(settings: Settings, staging: Staging, by: Identity | None) -> RunDirectory:
    """Start it, or start it again after it was stopped: what was imported is kept."""
    me = permit(settings, by, Action.IMPORT_DATA)
    name, (layout, _slash, source) = staging.upload.set, staging.upload.source.partition("/")
    files = _files_of(settings, name)
    if staging.files.exists():
        with locked(settings, registration(settings, name) / MANIFEST, CorpusError):
            _check_places(staging.files, files, name)
            _move(staging.files, files)
    language = ["--language", staging.upload.language] if staging.upload.language else []
    run = launch(
        settings,
        kind="import",
        name=f"import-{name}",
        argv=["import", layout, str(files / source), "--name", name, *language],
        root=settings.jobs_root,
        config={"path": files / source, "name": name, "format": layout},
        by=me,
    )
    staging.change(run=run.id)
    return run


def settle(settings: Settings, staging: Staging) -> bool:
    """Whether the upload was imported; then nothing is left to be done with it, and it is removed."""
    if not staging.upload.run:
        return False
    try:
        status = RunDirectory.open(settings.jobs_root, staging.upload.run).state.status
    except JobError:  # somebody deleted it
        return False
    if status == "finished":
        shutil.rmtree(staging.folder, ignore_errors=True)
    return status == "finished"


def is_importing(settings: Settings, staging: Staging) -> bool:
    try:
        return bool(staging.upload.run) and (
            RunDirectory.open(settings.jobs_root, staging.upload.run).state.status in ACTIVE
        )
    except JobError:
        return False


def discard(settings: Settings, staging: Staging) -> None:
    """Remove an upload. Raises CorpusError while it is imported."""
    if is_importing(settings, staging):
        raise CorpusError(N_("These files are being imported. Stop the import first."))
    staging.discard()


def _files_of(settings: Settings, name: str) -> Path:
    return registration(settings, name) / FOLDER


def _check_places(source: Path, target: Path, name: str) -> None:
    """Raises CorpusError, before anything is moved, where a folder of one stands for a file of the other."""
    for file in source.rglob("*"):
        place = target / file.relative_to(source)
        if place.exists() and place.is_dir() != file.is_dir():
            raise CorpusError(
                N_("In {name}, {file} is a folder and a file at once. Rename one."),
                name=name,
                file=str(file.relative_to(source)),
            )


def _move(source: Path, target: Path) -> None:
    """File by file, the lines of the manifest last; it can be cut off anywhere and done again."""
    for file in sorted(source.rglob("*")):
        place = target / file.relative_to(source)
        if file.is_file() and file.name != MANIFEST:
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    if (source / MANIFEST).is_file():
        lines = {row["audio"]: row for path in (target, source) for row in _lines(path / MANIFEST)}
        jsonl.write(target / MANIFEST, lines.values())
    shutil.rmtree(source)


def _lines(manifest: Path) -> Iterable[dict[str, Any]]:
    return jsonl.read(manifest) if manifest.is_file() else ()


def _check_addition(settings: Settings, staging: Staging, corpus: Corpus, name: str) -> None:
    """Raises CorpusError where these files cannot be added to the set of that name."""
    if name not in growing_sets(settings) or not corpus.is_editable:
        raise CorpusError(N_("These files cannot be added to {name}. Import them as a set of their own."), name=name)
    files = _files_of(settings, name)
    taken = [
        entry.path
        for entry in staging.staged.values()
        if entry.path and (files / entry.path).exists() and artifacts.sha256_of(files / entry.path) != entry.sha256
    ]
    if taken:
        raise CorpusError(
            N_("{name} has other files of these names: {files}. Rename them, or send them in a folder of their own."),
            name=name,
            files=", ".join(taken[:SHOWN]) + (" ..." if len(taken) > SHOWN else ""),
        )


def _require_free(settings: Settings, name: str) -> None:
    """Raises CorpusError where a set has that name, in any spelling that a file system might take for the same."""
    taken = next((set_.name for set_ in list_sets(settings) if set_.name.casefold() == name.casefold()), None)
    if taken is not None or _is_used(registration(settings, name)):
        raise CorpusError(N_("The name {name} is taken. Choose another one."), name=taken or name)


def _is_used(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())
