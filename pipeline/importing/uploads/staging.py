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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline import artifacts
from pipeline.audio.check import inspect_file
from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.corpus.sets import RESULT_SUFFIX, list_sets, registration
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message, _
from pipeline.i18n import number as number_in_words
from pipeline.importing.uploads import archive, ledger
from pipeline.importing.uploads.ledger import Kind, Received, StagedFile
from pipeline.importing.uploads.limits import LIMITS, MIB, Limits
from pipeline.importing.uploads.names import safe_path
from pipeline.importing.uploads.refusal import Refused
from pipeline.locks import locked
from pipeline.parallel import Progress
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person
from pipeline.people.people import People, permit
from pipeline.records import Problem
from pipeline.settings import Settings
from pipeline.times import now_iso, utc_time

TEXTS = (".txt", ".lab", ".textgrid")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
DATA = ("", ".scp", ".phn", ".wrd", ".parquet", ".data")
ARCHIVES = (".zip",)
OTHER_ARCHIVES = (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
SPREADSHEETS = (".xlsx", ".xls", ".ods")
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
    """One upload. Everything in it can be read at any time; what changes it holds its lock."""

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
        return [one for one in came if (one.number, one.name) not in done and self._place(one).is_file()]

    def receive(self, files: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
        """Keep what came, unseen; how many were new, and how many had come before (same name, size and content)."""
        n_new = n_known = 0
        with self._changing():
            before = ledger.received(self._received)
            looked_at = {(entry.number, entry.name) for entry in self.staged.values()}
            known = {
                (one.name, one.size, one.sha256)
                for one in before
                if (one.number, one.name) in looked_at or self._place(one).is_file()
            }
            n_bytes = sum(entry.size for entry in self.staged.values() if entry.path)
            number = max((one.number for one in before), default=0)
            drop = max((one.drop for one in before), default=0) + 1
            for name, content in files:
                number += 1
                one = Received(number, drop, name, len(content), hashlib.sha256(content).hexdigest())
                if (one.name, one.size, one.sha256) in known:
                    n_known += 1
                    continue
                n_bytes += len(content)
                if n_bytes > self.limits.total_bytes:
                    raise CorpusError(
                        _("All files together have more than {most} MB. Import these first, then the rest.").format(
                            most=number_in_words(self.limits.total_bytes // MIB)
                        )
                    )
                self.require_space(len(content))
                place = self._place(one)
                place.parent.mkdir(parents=True)
                place.write_bytes(content)
                ledger.append(self._received, one)
                n_new += 1
            self._touch()
        return n_new, n_known

    def check(self, progress: Progress | None = None, check_stop: Callable[[], None] | None = None) -> None:
        """Look at everything that waits: unpack archives, and keep each file that can be used. It can be stopped after
        any file, and goes on there."""
        with self._changing():
            waiting = self.waiting()
            work = _Check(self, progress, check_stop, total=len(waiting))
            for one in waiting:
                work.look_at(one, self._place(one))
                shutil.rmtree(self._place(one).parent)
            self._touch()

    def require_space(self, n_bytes: int) -> None:
        """Raises CorpusError where the disk would be nearly full."""
        if shutil.disk_usage(self.folder).free < n_bytes + self.limits.free_bytes:
            raise CorpusError(_("The disk of the server is nearly full. Free some space, then send the rest."))

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
    def _changing(self) -> Iterator[None]:
        with locked(self.settings, self.folder, CorpusError, within_s=0.5, busy=_(_BUSY)):
            self.__dict__.pop("staged", None)
            yield

    def _touch(self) -> None:
        self.change()

    def _place(self, one: Received) -> Path:
        """Where a file waits, under a name of ours that still shows its own in messages."""
        name = re.sub(r"[^\w. -]", "_", re.split(r"[/\\]", one.name)[-1]).strip(". ")
        stem, dot, suffix = name.rpartition(".")
        short = f"{stem[:40]}.{suffix[:10]}" if dot and stem else name[:40]
        return self.folder / "incoming" / f"{one.number:06d}" / (short or "file")


class _Check:
    """One round of looking at files: counts them, and knows which paths are taken."""

    def __init__(
        self, staging: Staging, progress: Progress | None, check_stop: Callable[[], None] | None, total: int
    ) -> None:
        self._staging, self._limits = staging, staging.limits
        self._progress, self._check_stop = progress, check_stop
        self._done, self._total = 0, total
        kept = [entry for entry in staging.staged.values() if entry.path]
        self._n_files, self._n_bytes = len(kept), sum(entry.size for entry in kept)
        self._by_path = {entry.path: entry for entry in kept}
        self._by_key = {_key(entry.path): entry for entry in kept}
        self._stems = {_stem(entry.path): entry for entry in kept if entry.kind is Kind.RECORDING}
        self._by_content = {entry.sha256: entry for entry in kept if entry.kind is Kind.RECORDING}
        self._folders = {str(folder) for path in self._by_path for folder in PurePosixPath(path).parents}

    def look_at(self, one: Received, place: Path) -> None:
        if _suffix(one.name) not in ARCHIVES:
            self._file(StagedFile(one.number, one.drop, one.name, one.size, Kind.OTHER, one.sha256), place)
            return
        entry = StagedFile(one.number, one.drop, one.name, one.size, Kind.ARCHIVE, one.sha256)
        try:
            self._archive(one, place)
        except Refused as refused:
            entry = replace(entry, problems=(refused.problem,))
        self._staging.record(entry)
        self._step(one.name)

    def _archive(self, one: Received, place: Path) -> None:
        with archive.opened(place, self._limits) as (opened, members):
            self._total += len(members)
            folder = place.parent / "unpacked"
            folder.mkdir(exist_ok=True)
            for number, member in enumerate(members, start=1):
                name = f"{one.name}/{member.name}"
                entry = StagedFile(one.number, one.drop, name, member.size, Kind.OTHER)
                before = self._staging.staged.get(name)
                if before is not None and before.drop == one.drop and before.number == one.number:
                    self._step(name)  # before the work was stopped
                    continue
                target = folder / f"{number:06d}"
                try:
                    path = safe_path(member.name, self._limits)
                    if path is None:
                        self._step(name)
                        continue
                    target = folder / f"{number:06d}-{_short(path.name)}"
                    self._staging.require_space(min(member.size, self._limits.file_bytes))
                    archive.unpack(opened, member, target, self._limits)
                except Refused as refused:
                    self._record(replace(entry, problems=(refused.problem,)))
                    continue
                self._file(replace(entry, sha256=artifacts.sha256_of(target)), target, path)
                target.unlink(missing_ok=True)

    def _file(self, entry: StagedFile, place: Path, path: PurePosixPath | None = None) -> None:
        """Keep one file, or note why not."""
        try:
            path = path or safe_path(entry.name, self._limits)
            if path is None:
                self._record(replace(entry, problems=(_passed_over(),)))
                return
            self._record(self._kept(replace(entry, kind=_kind(path)), place, path))
        except Refused as refused:
            self._record(replace(entry, problems=(refused.problem,)))

    def _kept(self, entry: StagedFile, place: Path, path: PurePosixPath) -> StagedFile:
        """Raises Refused."""
        if (same := self._by_path.get(str(path))) is not None and same.sha256 == entry.sha256:
            return replace(same, name=entry.name, number=entry.number, drop=entry.drop)
        _check_kind(entry.kind, path)
        if entry.size > self._limits.file_bytes:
            raise archive.too_large(self._limits)
        self._check_room(entry)
        replaced = self._check_place(entry, path)
        report = inspect_file(place) if entry.kind is Kind.RECORDING else None
        problems = report.problems if report is not None else ()
        if any(problem.severity == "error" for problem in problems):
            return replace(entry, report=report, problems=problems)
        if entry.kind is Kind.RECORDING and (twin := self._by_content.get(entry.sha256)) is not None:
            text = Message(N_("It is the same recording as {other}. Leave one of them out."), other=twin.path)
            problems = (*problems, Problem("duplicate", text))
        if replaced is not None:
            problems = (*problems, Problem("replaced", Message(N_("It replaces the file that you sent before."))))
        target = self._staging.files / path
        target.parent.mkdir(parents=True, exist_ok=True)
        place.replace(target)
        return replace(entry, path=str(path), report=report, problems=problems)

    def _check_room(self, entry: StagedFile) -> None:
        limits = self._limits
        if self._n_files >= limits.n_files:
            text = N_("There are more than {most} files. Import these first, then the rest.")
            raise Refused("too_many", Message(text, most=limits.n_files))
        if self._n_bytes + entry.size > limits.total_bytes:
            text = N_("All files together have more than {most} MB. Import these first, then the rest.")
            raise Refused("too_many", Message(text, most=limits.total_bytes // MIB))

    def _check_place(self, entry: StagedFile, path: PurePosixPath) -> StagedFile | None:
        """The file of an earlier drop that this one replaces. Raises Refused where its place is taken."""
        same = self._by_path.get(str(path))
        if same is not None and same.drop == entry.drop:
            raise Refused(
                "same_name",
                Message(
                    N_(
                        "Another file of the same name came with it. The folders of files are known only where you "
                        "choose or drop the folder itself, or send a zip."
                    )
                ),
            )
        near = self._by_key.get(_key(str(path)))
        if near is not None and near.path != str(path):
            text = N_("Its name differs from {other} only in capital letters. Rename one.")
            raise Refused("same_name", Message(text, other=near.path))
        if str(path) in self._folders or any(str(folder) in self._by_path for folder in path.parents):
            raise Refused("same_name", Message(N_("A folder has the same name as a file. Rename one.")))
        twin = self._stems.get(_stem(str(path))) if entry.kind is Kind.RECORDING else None
        if twin is not None and twin.path != str(path):
            text = N_("{other} has the same name but for its ending, and ratings are kept by that name. Rename one.")
            raise Refused("same_name", Message(text, other=twin.path))
        return same

    def _record(self, entry: StagedFile) -> None:
        if entry.path:
            before = self._by_path.get(entry.path)
            self._n_files += before is None
            self._n_bytes += entry.size - (before.size if before else 0)
            if before is not None and before.name != entry.name:
                self._staging.record(replace(before, path=""))
            self._by_path[entry.path] = self._by_key[_key(entry.path)] = entry
            self._folders |= {str(folder) for folder in PurePosixPath(entry.path).parents}
            if entry.kind is Kind.RECORDING:
                self._stems[_stem(entry.path)] = self._by_content[entry.sha256] = entry
        self._staging.record(entry)
        self._step(entry.name)

    def _step(self, name: str) -> None:
        self._done += 1
        if self._check_stop is not None:
            self._check_stop()
        if self._progress is not None:
            self._progress(self._done, self._total, name)


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
    raise CorpusError(_("There is no upload {id}: it was imported or discarded.").format(id=upload_id))


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


def _kind(path: PurePosixPath) -> Kind:
    suffix = path.suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return Kind.RECORDING
    if path.name.endswith(RESULT_SUFFIX):
        return Kind.LABELS
    kinds = {Kind.TEXT: TEXTS, Kind.TABLE: TABLES, Kind.DATA: DATA}
    return next((kind for kind, suffixes in kinds.items() if suffix in suffixes), Kind.OTHER)


def _check_kind(kind: Kind, path: PurePosixPath) -> None:
    """Raises Refused for what nothing here reads."""
    if kind is not Kind.OTHER:
        return
    suffix = path.suffix.lower()
    if suffix in (*ARCHIVES, *OTHER_ARCHIVES):
        text = Message(N_("An archive of this kind, or within another one, is not opened. Unpack it, or send a zip."))
    elif suffix in SPREADSHEETS:
        text = Message(N_("Spreadsheets are not read here. Save it as CSV (UTF-8)."))
    else:
        kinds = ", ".join(known.removeprefix(".") for known in AUDIO_SUFFIXES)
        text = Message(
            N_(
                "Files of this kind are not used. Recordings are {kinds}; texts are txt, lab or TextGrid; tables are "
                "csv, tsv or jsonl."
            ),
            kinds=kinds,
        )
    raise Refused("not_used", text)


def _passed_over() -> Problem:
    return Problem("hidden", Message(N_("A hidden file of the system; it was passed over.")))


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _short(name: str) -> str:
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    return f"{stem[:40]}{suffix[:10]}"


def _key(path: str) -> str:
    return path.casefold()


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix("")).casefold()
