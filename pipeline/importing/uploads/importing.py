"""An upload becomes a set: its files move below the set's registration, and an import in the background reads them."""

import shutil
from pathlib import Path

from pipeline import jsonl
from pipeline.corpus.sets import check_name, list_sets, registration
from pipeline.errors import CorpusError, JobError
from pipeline.i18n import _
from pipeline.importing.uploads.review import Choices, Corpus, manifest_rows, rows_of
from pipeline.importing.uploads.staging import Staging
from pipeline.jobs.launcher import launch
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.settings import Settings

FOLDER = "uploaded"
MANIFEST = ".recordings.jsonl"  # no file that is sent can have this name


def begin_import(
    settings: Settings, staging: Staging, corpus: Corpus, choices: Choices, name: str, by: Identity | None
) -> RunDirectory:
    """Move the files to where the set keeps them, and start to import them. Raises CorpusError for a name that is taken
    or no name, and where no recording has a text; nothing is moved then."""
    permit(settings, by, Action.IMPORT_DATA)
    name = _free(settings, check_name(name.strip()))
    if corpus.is_editable:
        lines = manifest_rows(rows_of(staging, corpus, choices), corpus, choices)
        if not lines:
            raise CorpusError(_("No recording has a text yet. Type the texts, or add a table or text files."))
        jsonl.write(staging.files / MANIFEST, lines)
        source = ["manifest", MANIFEST]
    else:
        place = corpus.place or staging.files
        source = [corpus.layout, str(place.relative_to(staging.files))]
    folder = registration(settings, name)
    folder.mkdir(parents=True, exist_ok=True)
    staging.change(set=name, source="/".join(source), language=choices.language)
    shutil.move(staging.files, folder / FOLDER)
    return resume_import(settings, staging, by)


def resume_import(settings: Settings, staging: Staging, by: Identity | None) -> RunDirectory:
    """Start it, or start it again after it was stopped: what was imported is kept."""
    me = permit(settings, by, Action.IMPORT_DATA)
    name, (layout, _slash, source) = staging.upload.set, staging.upload.source.partition("/")
    files = registration(settings, name) / FOLDER
    if not files.exists() and staging.files.exists():  # it was cut off before the move
        shutil.move(staging.files, files)
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
        raise CorpusError(_("These files are being imported. Stop the import first."))
    staging.discard()


def _free(settings: Settings, name: str) -> str:
    """Raises CorpusError where a set has that name, in any spelling that a file system might take for the same."""
    taken = next((set_.name for set_ in list_sets(settings) if set_.name.casefold() == name.casefold()), None)
    if taken is not None or _is_used(registration(settings, name)):
        raise CorpusError(_("The name {name} is taken. Choose another one.").format(name=taken or name))
    return name


def _is_used(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())
