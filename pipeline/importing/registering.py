"""A corpus becomes a set recording by recording: written, checked, registered, its ratings taken over.

A corpus of any size fits, and an import can be stopped: what is done is registered then, and the same import goes on
from there.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO

from pipeline import artifacts, jsonl
from pipeline.audio.check import inspect_file
from pipeline.corpus.manifest_writer import manifest_row
from pipeline.corpus.readers.items import Clip, CorpusItem, Reading, with_first_problem
from pipeline.corpus.sets import (
    RecordingSet,
    confined,
    corpus_file,
    get_set,
    label_path,
    list_sets,
    recording_to_json,
    recordings_file,
    register,
)
from pipeline.errors import CorpusError, LabelError, said_by
from pipeline.i18n import N_, Message, about
from pipeline.importing.clips import check_target, write_clip
from pipeline.labels.result_file import derive, event_from_json, read_result, write_result
from pipeline.labels.store import LabelStore, fresh_events
from pipeline.parallel import Progress, map_ordered
from pipeline.people.access import Identity
from pipeline.people.names import spelled_as
from pipeline.people.people import People
from pipeline.records import NO_SPEAKER, AudioReport, Problem, RatingEvent, RatingSource, Recording, RubricName, Seconds
from pipeline.runs import StopRequested
from pipeline.settings import Settings
from pipeline.text import composed

# Checking one takes a few milliseconds.
MIN_ITEMS_FOR_PROCESSES = 500
WORD_KEYS_SHOWN = ("text", "phones", "start_s", "end_s", "phone_times_s")


@dataclass(frozen=True)
class _Task:
    """What a worker does for one recording: write its audio where it has to be, check it unless it is known, and write
    its label file unless there is one."""

    audio: str
    clip: Clip | None
    known_stat: list[int] | None
    labels: "_Labels | None"


@dataclass(frozen=True)
class _Labels:
    """The corpus's own ratings of a recording, and the label file that becomes of them."""

    path: Path
    text: str
    rubric: RubricName
    events: tuple[RatingEvent, ...]


@dataclass(frozen=True)
class _Checked:
    """`report` is None for a recording that is unchanged since it was checked; `error` says why there is no audio,
    `label_error` why there is no label file. `had_labels`: there was one before."""

    stat: list[int]
    report: AudioReport | None
    error: str = ""
    label_error: str = ""
    had_labels: bool = False


class Registering:
    """One import of one set: what was counted so far, what was found wrong, and what `stopped` it."""

    def __init__(
        self,
        settings: Settings,
        set_: RecordingSet,
        known: dict[str, Recording],
        *,
        language: str = "",
        by: Identity | None = None,
        progress: Progress | None = None,
        check_stop: Callable[[], None] | None = None,
    ) -> None:
        self._settings, self._set, self._known, self._language, self._by = settings, set_, known, language, by
        self._progress, self._check_stop = progress, check_stop
        self._store, self._raters = LabelStore(settings), People(settings).raters()
        self._first: CorpusItem | None = None
        self._is_sentences = False
        self._sound: set[str] = set()
        self._ids: set[int] = set()  # hashes: a million ids would take several times the memory
        self.stopped: BaseException | None = None
        self.n_done = self.n_recordings = self.n_added = self.n_unnamed = 0
        self.seconds: Seconds = 0.0
        self.speakers: set[str] = set()
        self.parts: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.label_problems: list[Problem] = []
        self.audio_problems: list[Problem] = []

    def run(self, reading: Reading) -> None:
        """Raises CorpusError, with nothing changed, where there is no usable recording."""
        recordings, corpus = (
            recordings_file(self._settings, self._set.name),
            corpus_file(self._settings, self._set.name),
        )
        try:
            with (
                artifacts.replacing(recordings) as temporary,
                artifacts.replacing(corpus) as temporary_corpus,
                temporary.open("wb") as to_recordings,
                temporary_corpus.open("wb") as to_corpus,
            ):
                left = self._write(reading, to_recordings, to_corpus)
                if self.stopped is not None:
                    self._keep(left, corpus, to_recordings, to_corpus)
                if not self.n_recordings:
                    raise self._nothing(reading)
        finally:
            with suppress(OSError):  # of a set that did not come about nothing stays; one with files is not removed
                recordings.parent.rmdir()
        register(self._settings, self._described(), self.n_recordings)

    def _write(self, reading: Reading, recordings: BinaryIO, corpus: BinaryIO) -> dict[str, Recording]:
        """Everything, or as far as it was let; returns the earlier recordings that were not reached."""
        waiting: deque[tuple[CorpusItem, _Labels | None]] = deque()
        left = dict(self._known)
        paths = {recording.id: path for path, recording in left.items()}
        results = map_ordered(
            partial(_check, self._set.root),
            self._tasks(reading, waiting),
            total=reading.total,
            progress=self._progress,
            check_stop=self._check_stop,
            message=Message(N_("recordings")),
            min_items=MIN_ITEMS_FOR_PROCESSES,
        )
        try:
            for checked in results:
                item, labels = waiting.popleft()
                left.pop(composed(item.audio), None)
                self.n_done += 1
                if checked.error:
                    self.problems.append(Problem("unreadable", about(item.key, checked.error), "error", item.audio))
                    continue
                recording = self._recording(item, checked)
                left.pop(paths.get(recording.id, ""), None)  # its audio had another ending
                recordings.write(jsonl.dumps(recording_to_json(recording)))
                corpus.write(jsonl.dumps(manifest_row(replace(item, ratings=()))))
                self._first = self._first or item
                self._count(recording)
                if checked.label_error:
                    self._tell_labels(item, checked.label_error)
                elif labels is not None and checked.had_labels:
                    self._add_labels(recording, item, labels)
        except (KeyboardInterrupt, StopRequested) as stop:
            self.stopped = stop
        return left

    def _keep(self, left: dict[str, Recording], before: Path, recordings: BinaryIO, corpus: BinaryIO) -> None:
        """What an earlier import brought and this one did not reach."""
        for recording in left.values():
            recordings.write(jsonl.dumps(recording_to_json(recording)))
            self._count(recording)
        paths = {recording.path for recording in left.values()}
        if before.is_file():
            corpus.writelines(jsonl.dumps(row) for row in jsonl.read(before, damaged=True) if row.get("audio") in paths)

    def _nothing(self, reading: Reading) -> CorpusError:
        if self.stopped is not None:
            return CorpusError(N_("Stopped before the first recording; nothing was imported."))
        nothing = Message(N_("{source} has no recording that can be used."), source=self._set.source)
        return CorpusError(with_first_problem(nothing, self.problems))

    def _described(self) -> RecordingSet:
        """The set with the language and rubric of its recordings. What was chosen to rate it with stays while its
        recordings are read as before."""
        names = {set_.name for set_ in list_sets(self._settings)}
        earlier = get_set(self._settings, self._set.name) if self._set.name in names else None
        if self._first is None and earlier is not None:  # stopped before any: as it was
            language, rubric = earlier.language, earlier.rubric
        else:
            language = self._set.language if self._first is None else self._first.language
            rubric = RubricName.SENTENCE if self._is_sentences else RubricName.WORD
        rated_with = earlier.rated_with if earlier is not None and earlier.rubric is rubric else ""
        return replace(self._set, language=language, rubric=rubric, rated_with=rated_with)

    def _tasks(self, reading: Reading, waiting: deque[tuple[CorpusItem, _Labels | None]]) -> Iterator[_Task]:
        """For each utterance its task; the utterance waits for the answer."""
        for entry in reading.entries:
            if isinstance(entry, Problem):
                self.problems.append(entry)
                continue
            try:
                self._check_new(entry)
            except CorpusError as error:
                self.problems.append(Problem("bad_row", about(entry.key, error.text), "error", entry.audio))
                continue
            if self._language and entry.language == "und":
                entry = replace(entry, language=self._language)
            if entry.clip is None and reading.root != self._set.root:  # beside pieces of longer ones, which are written
                entry = replace(entry, clip=Clip(reading.root / entry.audio, as_it_is=True))
                check_target(self._set.root, entry.audio)
            labels = self._labels(entry)
            waiting.append((entry, labels))
            known = self._known.get(composed(entry.audio))
            stat = None if known is None or known.report is None else known.extra.get("stat")
            yield _Task(entry.audio, entry.clip, stat, labels)

    def _check_new(self, item: CorpusItem) -> None:
        """Raises CorpusError for an id that another utterance has, and for audio that must not be written."""
        if item.clip is not None:
            check_target(self._set.root, item.audio)
        if (id_ := hash(composed(item.key))) in self._ids:
            raise CorpusError(N_("the id is used twice; this one ({text!r}) is left out"), text=item.text[:40])
        self._ids.add(id_)

    def _recording(self, item: CorpusItem, checked: _Checked) -> Recording:
        report = checked.report
        if report is None:
            report = self._known[composed(item.audio)].report
        return Recording(
            id=f"{self._set.name}/{composed(item.key)}",
            set=self._set.name,
            path=item.audio,
            speaker=item.speaker,
            text=item.text,
            rubric=item.rubric,
            language=item.language,
            part=item.part,
            report=report,
            extra={**_for_labelling(item), "stat": checked.stat},
        )

    def _count(self, recording: Recording) -> None:
        self.n_recordings += 1
        self.n_added += composed(recording.path) not in self._known
        self._is_sentences |= recording.rubric is RubricName.SENTENCE
        self.speakers.add(recording.speaker)
        self.n_unnamed += recording.speaker == NO_SPEAKER
        if recording.part is not None:
            self.parts[recording.part] += 1
        if recording.report is not None:
            self.seconds += recording.report.duration_s
            self.audio_problems += [
                Problem(problem.code, about(recording.path, problem.message), problem.severity, recording.path)
                for problem in recording.report.problems
            ]

    def _labels(self, item: CorpusItem) -> _Labels | None:
        """The corpus's own ratings; None where it has none, or they cannot be used, which is told."""
        try:
            events = self._exported(item) if item.ratings else item.events(self._set.imported_at)
            return _Labels(self._label_path(item), item.text, item.rubric, events) if events else None
        except (LabelError, CorpusError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._tell_labels(item, said_by(error))
            return None

    def _add_labels(self, recording: Recording, item: CorpusItem, labels: _Labels) -> None:
        """To a file that exists, under its lock."""
        try:
            if not _is_known(labels.path, labels.events):
                self._store.add_from_corpus(recording, labels.events, self._by)
        except (LabelError, CorpusError) as error:
            self._tell_labels(item, error.text)

    def _tell_labels(self, item: CorpusItem, reason: str) -> None:
        id_ = f"{self._set.name}/{composed(item.key)}"
        self.label_problems.append(Problem("bad_label", about(item.audio, reason), "error", id_))

    def _label_path(self, item: CorpusItem) -> Path:
        """Where the labels lie; folders are followed and judged once."""
        relative = label_path(item.audio)
        folder = str(relative.parent)
        path = self._set.labels_root / relative
        if folder not in self._sound or path.is_symlink():
            path = confined(self._set.labels_root, str(relative))
            self._sound.add(folder)
        return path

    def _exported(self, item: CorpusItem) -> tuple[RatingEvent, ...]:
        """The history that another installation exported. Raises LabelError for ratings by people who may not rate
        here, as `import-ratings` does."""
        events = tuple(event_from_json(event) for event in item.ratings)
        people = {event.evaluator for event in events if event.source is RatingSource.HUMAN}
        unknown = [name for name in sorted(people) if self._raters is not None and not spelled_as(name, self._raters)]
        if unknown:
            raise LabelError(
                N_(
                    "{names} are not active raters on this installation's list of people, so the ratings of this "
                    "recording were left out"
                ),
                names=", ".join(unknown),
            )
        return events


def _check(root: Path, task: _Task) -> _Checked:
    path = root / task.audio
    if task.clip is not None:
        try:
            write_clip(task.clip, path)
        except (CorpusError, OSError) as error:
            return _Checked([0, 0], None, said_by(error))
    try:
        there = path.stat()
    except OSError:  # told by the check
        known_by = [0, 0]
    else:
        if not S_ISREG(there.st_mode):  # such as a pipe
            return _Checked([0, 0], None, Message(N_("it is no file")))
        known_by = [there.st_size, there.st_mtime_ns]
    report = None if task.known_stat == known_by else inspect_file(path)
    if task.labels is None:
        return _Checked(known_by, report)
    if task.labels.path.exists():
        return _Checked(known_by, report, had_labels=True)
    try:
        history = derive(task.labels.text, task.labels.rubric, task.labels.events, {})
        write_result(task.labels.path, history, durable=False)
    except LabelError as error:
        return _Checked(known_by, report, label_error=error.text)
    return _Checked(known_by, report)


def _is_known(path: Path, events: tuple[RatingEvent, ...]) -> bool:
    """Whether a label file has all of these ratings, as after an earlier import."""
    try:
        before = read_result(path)
    except LabelError:
        return False
    return not fresh_events(() if before is None else before.ratings, events)


def _for_labelling(item: CorpusItem) -> dict[str, Any]:
    """Of the words, keep what the rating form shows: the experts' word scores are ratings and stay hidden there."""
    extra = dict(item.extra)
    if item.released:
        extra["released"] = item.released
    if item.median:
        extra["median"] = item.median
    if "words" in extra:
        extra["words"] = [
            {"phones": [], **{key: word[key] for key in WORD_KEYS_SHOWN if key in word}} for word in extra["words"]
        ]
    return extra
