"""Every file that came is looked at once: what can be used is kept, what cannot is noted with its reason."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pipeline import artifacts
from pipeline.audio.check import inspect_file
from pipeline.audio.load import AUDIO_SUFFIXES, KINDS_IN_WORDS
from pipeline.corpus.sets import RESULT_SUFFIX
from pipeline.i18n import N_, Message
from pipeline.importing.uploads import archive
from pipeline.importing.uploads.ledger import Kind, Received, StagedFile
from pipeline.importing.uploads.limits import MIB
from pipeline.importing.uploads.names import safe_path
from pipeline.importing.uploads.refusal import Refused
from pipeline.importing.uploads.staging import Staging
from pipeline.parallel import Progress
from pipeline.records import Problem

TEXTS = (".txt", ".lab", ".textgrid")
TABLES = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson", ".json")
DATA = ("", ".scp", ".phn", ".wrd", ".parquet", ".data")
ARCHIVES = (".zip",)
OTHER_ARCHIVES = (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
OTHER_SPREADSHEETS = (".xls", ".ods")


def check(staging: Staging, progress: Progress | None = None, check_stop: Callable[[], None] | None = None) -> None:
    """Look at everything that waits: unpack archives, and keep each file that can be used. It can be stopped after any
    file, and goes on there."""
    with staging.changing():
        waiting = staging.waiting()
        work = _Check(staging, progress, check_stop, total=len(waiting))
        for arrival in waiting:
            place = staging.place_of(arrival)
            work.look_at(arrival, place)
            shutil.rmtree(place.parent)
        staging.change()


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

    def look_at(self, arrival: Received, place: Path) -> None:
        if _suffix(arrival.name) not in ARCHIVES:
            self._file(
                StagedFile(arrival.number, arrival.drop, arrival.name, arrival.size, Kind.OTHER, arrival.sha256), place
            )
            return
        entry = StagedFile(arrival.number, arrival.drop, arrival.name, arrival.size, Kind.ARCHIVE, arrival.sha256)
        try:
            self._archive(arrival, place)
        except Refused as refused:
            entry = replace(entry, problems=(refused.problem,))
        self._staging.record(entry)
        self._step(arrival.name)

    def _archive(self, arrival: Received, place: Path) -> None:
        with archive.opened(place, self._limits) as (opened, members):
            self._total += len(members)
            folder = place.parent / "unpacked"
            folder.mkdir(exist_ok=True)
            seen: set[str] = set()
            for number, member in enumerate(members, start=1):
                name = f"{arrival.name}/{member.name}"
                is_second = name in seen
                seen.add(name)
                entry = StagedFile(arrival.number, arrival.drop, name, member.size, Kind.OTHER)
                before = self._staging.staged.get(name)
                if (
                    before is not None
                    and (before.drop, before.number) == (arrival.drop, arrival.number)
                    and not is_second
                ):
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
            raise archive.too_large(path.name, self._limits)
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
        same = self._staging.staged.get(entry.name)
        if not entry.path and same is not None and same.path and same.drop == entry.drop:
            entry = replace(entry, name=f"{entry.name} (2)")  # else the list would have it in place of what is kept
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
    elif suffix in OTHER_SPREADSHEETS:
        text = Message(N_("Spreadsheets of this kind are not read. Save it as xlsx or CSV."))
    else:
        text = Message(
            N_(
                "Files of this kind are not used. Recordings are {kinds}; texts are txt, lab or TextGrid; tables are "
                "csv, tsv, xlsx or jsonl."
            ),
            kinds=KINDS_IN_WORDS,
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
