"""Install the committed synthetic corpus into this installation, so that labelling it leaves the checkout alone."""

import shutil

from pipeline import artifacts
from pipeline.corpus.sets import registration
from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.importing.importer import ImportReport, import_path
from pipeline.parallel import Progress
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.settings import Settings

NAME = "demo"
TITLE = N_("Synthetic Turkish demo")


def install_demo(
    settings: Settings, *, reset: bool = False, progress: Progress | None = None, by: Identity | None = None
) -> ImportReport:
    """Copy what is missing and register the set `demo`; labels given meanwhile stay, unless `reset`.

    Raises CorpusError where the committed corpus is not there, AccessError for who may not import.
    """
    permit(settings, by, Action.IMPORT_DATA)
    source, target = settings.demo_source, registration(settings, NAME)
    if not (source / "demo.json").is_file():
        raise CorpusError(
            N_("There is no demo corpus in {source}. `pronlab demo --build {source}` creates it."), source=str(source)
        )
    if reset:
        shutil.rmtree(target, ignore_errors=True)
    for file in sorted(source.glob("participant_*/*/*")):
        copy = target / file.relative_to(source)
        if not copy.exists():
            artifacts.write_bytes(copy, file.read_bytes())
    return import_path(settings, target, name=NAME, fmt="folder", title=TITLE, synthetic=True, progress=progress, by=by)
