"""With which rubric the recordings of a set are rated, where several could be chosen."""

from dataclasses import replace

from pipeline import jsonl
from pipeline.corpus.sets import RecordingSet, get_set, register, registration
from pipeline.errors import CorpusError
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import RubricName
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from pipeline.times import now_iso

CHANGES = "changes.jsonl"


def rate_with(settings: Settings, set_name: str, rubric: str, by: Identity | None = None) -> RecordingSet:
    """Have a set rated with the rubric of that name from now on; with the usual one for its name or none. Ratings that
    were given keep theirs, and so do projects.

    Who changed it, and when, is kept beside the set, in `changes.jsonl`.

    Raises AccessError for who may not set up projects, UnknownNameError or RubricError where the rubric is not there,
    LabelError where it is of another unit than the set."""
    who = permit(settings, by, Action.MANAGE_PROJECTS)
    folder = registration(settings, set_name)
    with locked(settings, folder / "set.json", CorpusError):
        set_ = get_set(settings, set_name)
        chosen = RubricLibrary(settings).rating(set_.rubric, rubric)
        named = "" if chosen.name in list(RubricName) else chosen.name
        changed = register(settings, replace(set_, rated_with=named), set_.n_recordings)
        if named != set_.rated_with:
            change = {"rated_with": [set_.rated_with, named]}
            jsonl.append(folder / CHANGES, {"at": now_iso(), "by": who.name, "changed": change})
        return changed
