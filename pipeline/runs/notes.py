"""What people write about a run: a note and tags, beside it in `notes.json`."""

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline import artifacts
from pipeline.errors import JobError
from pipeline.i18n import N_

NOTES_FILE = "notes.json"
MAX_NOTE = 4000
MAX_TAGS = 20
TAG = re.compile(r"[\w.+-]{1,40}")


@dataclass(frozen=True)
class Notes:
    note: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises JobError for what could not be shown or filtered by."""
        if len(self.note) > MAX_NOTE:
            raise JobError(
                N_("A note has at most {max_note} characters, this one {n}."), max_note=MAX_NOTE, n=len(self.note)
            )
        if len(self.tags) > MAX_TAGS:
            raise JobError(N_("A run has at most {max_tags} tags, got {n}."), max_tags=MAX_TAGS, n=len(self.tags))
        for tag in self.tags:
            if not TAG.fullmatch(tag):
                raise JobError(N_("A tag is one word of letters, digits and .+-_ (at most 40), got {tag!r}."), tag=tag)


def read_notes(run: Path) -> Notes:
    """Empty where nobody wrote any, or the file is damaged: notes never stand in the way of a run."""
    try:
        raw = artifacts.read_json(run / NOTES_FILE)
        return Notes(str(raw.get("note", "")), tuple(map(str, raw.get("tags", ()))))
    except (OSError, ValueError, AttributeError, TypeError, JobError):
        return Notes()


def write_notes(run: Path, notes: Notes) -> None:
    artifacts.write_json(run / NOTES_FILE, notes)
