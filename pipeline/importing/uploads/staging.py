"""The folder in which the files of one upload wait until somebody decides to import them.

    <data root>/uploads/<id>/upload.json      who sent it, and what became of it
                            received.jsonl    what came, as it came; waits in incoming/<number>/<name>
                            files.jsonl       what was looked at; what is kept lies in files/

Whatever is killed in between is taken up again: a file that came is looked at later, and one that was looked at is
asked for no more.
"""

import hashlib
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.corpus.sets import list_sets, registration
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.importing.uploads import ledger
from pipeline.importing.uploads.ledger import Received, StagedFile
from pipeline.importing.uploads.limits import LIMITS, MIB, Limits
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.people.people import People, permit
from pipeline.settings import Settings
from pipeline.times import now_iso, utc_time

_ID = re.compile(r"[0-9a-f]{16}")
_BUSY = N_("These files are being checked in another window. Wait until it is done.")


@dataclass(frozen=True)
class Upload:
    """`set` is the set that it is being imported as, `source` what of it is imported (layout and path), `language` that
    of recordings whose corpus does not say, `run` the work that does it; "" before."""

    id: str
    by: str
    began_at: str
    changed_at: str
    set: str = ""
    source: str = ""
    language: str = ""
    run: str = ""


class Staging:
    """An upload. Everything in it can be read at any time; what changes its files holds its lock."""

    def __init__(self, settings: Settings, upload: Upload, limits: Limits = LIMITS) -> None:
        self.settings, self.upload, self.limits = settings, upload, limits
        self.folder = _root(settings) / upload.id
        self.files = self.folder / "files"
        self._received, self._ledger = self.folder / "received.jsonl", self.folder / "files.jsonl"

    @property
    def stamp(self) -> str:
        """Changes whenever something came or was looked at."""
        return f"{artifacts.stamp_of(self._received)}-{artifacts.stamp_of(self._ledger)}"

    @cached_property
    def staged(self) -> dict[str, StagedFile]:
        """What was looked at, by name. What is kept by its line and yet lies nowhere (the machine lost its power) was
        not looked at."""
        entries = ledger.staged(self._ledger)
        if self.upload.set:
            return entries
        return {name: entry for name, entry in entries.items() if not entry.path or (self.files / entry.path).is_file()}

    def waiting(self) -> list[Received]:
        """What came and was not looked at yet."""
        done = {(entry.number, entry.name) for entry in self.staged.values()}
        came = ledger.received(self._received)
        return [
            arrival
            for arrival in came
            if (arrival.number, arrival.name) not in done and self.place_of(arrival).is_file()
        ]

    def receive(self, files: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
        """Keep what came, unseen; how many were new, and how many had come before (same name, size and content)."""
        n_new = n_known = 0
        with self.changing():
            before = ledger.received(self._received)
            looked_at = {(entry.number, entry.name) for entry in self.staged.values()}
            known = {
                (arrival.name, arrival.size, arrival.sha256)
                for arrival in before
                if (arrival.number, arrival.name) in looked_at or self.place_of(arrival).is_file()
            }
            n_bytes = sum(entry.size for entry in self.staged.values() if entry.path)
            number = max((arrival.number for arrival in before), default=0)
            drop = max((arrival.drop for arrival in before), default=0) + 1
            for name, content in files:
                number += 1
                arrival = Received(number, drop, name, len(content), hashlib.sha256(content).hexdigest())
                if (arrival.name, arrival.size, arrival.sha256) in known:
                    n_known += 1
                    continue
                n_bytes += len(content)
                if n_bytes > self.limits.total_bytes:
                    raise CorpusError(
                        N_("All files together have more than {most} MB. Import these first, then the rest."),
                        most=self.limits.total_bytes // MIB,
                    )
                self.require_space(len(content))
                place = self.place_of(arrival)
                place.parent.mkdir(parents=True, exist_ok=True)  # of a process that was killed
                place.write_bytes(content)
                ledger.append(self._received, arrival)
                n_new += 1
            self.change()
        return n_new, n_known

    def require_space(self, n_bytes: int) -> None:
        """Raises CorpusError where the disk would be nearly full."""
        if shutil.disk_usage(self.folder).free < n_bytes + self.limits.free_bytes:
            raise CorpusError(N_("The disk of the server is nearly full. Free some space, then send the rest."))

    def record(self, entry: StagedFile) -> None:
        ledger.append(self._ledger, entry)
        self.staged[entry.name] = entry

    def change(self, **values: Any) -> None:
        """Change what `upload.json` holds."""
        self.upload = replace(self.upload, **values, changed_at=now_iso())
        artifacts.write_json(self.folder / "upload.json", self.upload)

    def discard(self) -> None:
        """Remove the upload with its files; what was imported of it stays with its set."""
        name = self.upload.set
        if name and all(set_.name != name for set_ in list_sets(self.settings)):
            shutil.rmtree(registration(self.settings, name), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold its lock, and look at the disk anew. Raises CorpusError while another window holds it."""
        with locked(self.settings, self.folder, CorpusError, within_s=0.5, busy=Message(_BUSY)):
            self.__dict__.pop("staged", None)
            yield

    def place_of(self, arrival: Received) -> Path:
        """Where a file waits, under a name of ours that still shows its own in messages."""
        name = re.sub(r"[^\w. -]", "_", re.split(r"[/\\]", arrival.name)[-1]).strip(". ")
        stem, dot, suffix = name.rpartition(".")
        short = f"{stem[:40]}.{suffix[:10]}" if dot and stem else name[:40]
        return self.folder / "incoming" / f"{arrival.number:06d}" / (short or "file")


def begin(settings: Settings, by: Identity | None) -> Staging:
    """An upload with nothing in it yet."""
    me = permit(settings, by, Action.IMPORT_DATA)
    now = now_iso()
    staging = Staging(settings, Upload(secrets.token_hex(8), me.name, now, now))
    staging.files.mkdir(parents=True)
    staging.change()
    return staging


def staged_uploads(settings: Settings, by: Identity | None) -> list[Staging]:
    """Those of a person, the newest first; of everybody where nobody is known by name. Removes those that nobody went
    on with for two weeks."""
    me = permit(settings, by, Action.IMPORT_DATA)
    everybody = People(settings).is_open
    uploads: list[Staging] = []
    for file in _root(settings).glob("*/upload.json"):
        staging = _read(settings, file)
        if staging is None:
            continue
        if _is_stale(staging):
            staging.discard()
        elif everybody or same_person(staging.upload.by, me.name):
            uploads.append(staging)
    return sorted(uploads, key=lambda staging: staging.upload.began_at, reverse=True)


def open_upload(settings: Settings, upload_id: str, by: Identity | None) -> Staging:
    """Raises CorpusError where there is none of that id, or it is somebody else's."""
    if _ID.fullmatch(upload_id):
        for staging in staged_uploads(settings, by):
            if staging.upload.id == upload_id:
                return staging
    raise CorpusError(N_("There is no upload {id}: it was imported or discarded."), id=upload_id)


def _read(settings: Settings, file: Path) -> Staging | None:
    with suppress(OSError, ValueError, TypeError, KeyError):
        upload = Upload(**artifacts.read_json(file))
        utc_time(upload.changed_at)
        if upload.id == file.parent.name:
            return Staging(settings, upload)
    return None


def _is_stale(staging: Staging) -> bool:
    age = datetime.now(UTC) - utc_time(staging.upload.changed_at)
    return age > timedelta(days=staging.limits.days_kept)


def _root(settings: Settings) -> Path:
    return settings.data_root / "uploads"
