"""What the Data page asks for when files come from a browser: keep, check, look over, import or discard them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import identity
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.people.access import Action

if TYPE_CHECKING:
    from pipeline.importing.uploads.review import Choices, Corpus
    from pipeline.importing.uploads.staging import Staging
    from pipeline.parallel import Progress
    from pipeline.runs import RunDirectory


@asks(Action.IMPORT_DATA)
def uploads() -> list[Staging]:
    """What this person sent and has not imported yet, the newest first. Removes what was imported meanwhile."""
    from pipeline.importing.uploads.importing import settle
    from pipeline.importing.uploads.staging import staged_uploads

    mine = staged_uploads(settings(), identity.allowed(Action.IMPORT_DATA))
    return [staging for staging in mine if not settle(settings(), staging)]


@asks(Action.IMPORT_DATA)
def receive(upload_id: str | None, files: Iterable[tuple[str, bytes]]) -> tuple[Staging, int, int]:
    """Keep files of a browser in an upload (None: a new one); how many were new, and how many had come before. Raises
    CorpusError."""
    from pipeline.importing.uploads.staging import begin, open_upload

    me = identity.allowed(Action.IMPORT_DATA)
    staging = begin(settings(), me) if upload_id is None else open_upload(settings(), upload_id, me)
    return staging, *staging.receive(files)


@asks(Action.IMPORT_DATA)
def check(upload_id: str, progress: Progress) -> None:
    """Unpack and check what was received; it can be cut off at any time and goes on where it was."""
    from pipeline.importing.uploads import checking

    checking.check(_mine(upload_id), progress)


@asks(Action.IMPORT_DATA)
def corpus(upload_id: str) -> Corpus:
    """What the files say of their texts and speakers."""
    staging = _mine(upload_id)
    return _corpus(staging.upload.id, staging.stamp, staging)


@asks(Action.IMPORT_DATA)
def choices(upload_id: str) -> Choices:
    from pipeline.importing.uploads.review import load_choices

    return load_choices(_mine(upload_id))


@asks(Action.IMPORT_DATA)
def choose(upload_id: str, chosen: Choices) -> None:
    """Keep what was chosen and typed, so that it is there on another visit."""
    from pipeline.importing.uploads.review import save_choices

    save_choices(_mine(upload_id), chosen)


@asks(Action.IMPORT_DATA)
def growing_sets() -> list[str]:
    """Sets that further recordings can be added to."""
    from pipeline.importing.uploads import importing

    return importing.growing_sets(settings())


@asks(Action.IMPORT_DATA)
def begin_import(upload_id: str, name: str, *, add: bool) -> RunDirectory:
    """Import the upload as a set of that name, or (`add`) into it, in the background. Raises CorpusError."""
    from pipeline.importing.uploads import importing
    from pipeline.importing.uploads.review import load_choices

    staging = _mine(upload_id)
    me = identity.allowed(Action.IMPORT_DATA)
    return importing.begin_import(settings(), staging, corpus(upload_id), load_choices(staging), name, me, add=add)


@asks(Action.IMPORT_DATA)
def resume_import(upload_id: str) -> RunDirectory:
    """Go on with an import that was stopped."""
    from pipeline.importing.uploads import importing

    return importing.resume_import(settings(), _mine(upload_id), identity.allowed(Action.IMPORT_DATA))


@asks(Action.IMPORT_DATA)
def is_importing(upload_id: str) -> bool:
    from pipeline.importing.uploads import importing

    return importing.is_importing(settings(), _mine(upload_id))


@asks(Action.IMPORT_DATA)
def discard(upload_id: str) -> None:
    """Raises CorpusError while it is imported."""
    from pipeline.importing.uploads import importing

    importing.discard(settings(), _mine(upload_id))


def _mine(upload_id: str) -> Staging:
    from pipeline.importing.uploads.staging import open_upload

    return open_upload(settings(), upload_id, identity.allowed(Action.IMPORT_DATA))


@st.cache_resource(max_entries=4, show_spinner=False)
def _corpus(upload_id: str, stamp: str, _staging: Staging) -> Corpus:
    """Read once for each state of the files."""
    from pipeline.importing.uploads.review import read_corpus

    return read_corpus(_staging)
