"""Recording sets: the corpora this installation knows.

A set is registered in `<data root>/sets/<name>/` as `set.json` and `recordings.jsonl`; `corpus.jsonl` beside them is a
manifest of all that the corpus itself says of its recordings, experts' scores of words and phones included, which
raters are not shown. A *folder* set (participant folders) is used where it lies and its labels lie beside the audio. A
*manifest* set (a published corpus) is never written into: its labels live under the registration, at the same relative
paths, and so does audio that could not be used as it was (`audio/`).
"""

import re
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pipeline import artifacts, jsonl
from pipeline.errors import CorpusError, UnknownNameError, said_by
from pipeline.i18n import N_, Message, about, joined
from pipeline.presets import misfits
from pipeline.records import (
    AudioReport,
    Problem,
    Recording,
    RubricName,
    Target,
    problem_from,
    problem_row,
    to_json,
)
from pipeline.settings import Settings
from pipeline.text import composed, is_writable

RESULT_SUFFIX = "_result.json"
NAME = re.compile(r"[\w][\w.-]{0,63}")
CORPUS_FILE = "corpus.jsonl"
AUDIO_FOLDER = "audio"
TEXTS = ("id", "set", "path", "speaker", "text", "language")


@dataclass(frozen=True)
class RecordingSet:
    """One corpus. `root` holds the audio, `labels_root` the result files (the same folder for a folder set).

    `rubric` is what its recordings are read as; `rated_with` names the rubric that experts rate them with outside of
    projects, empty for the one that comes with Pronlab."""

    name: str
    title: str
    kind: Literal["folder", "manifest"]
    root: Path
    labels_root: Path
    rubric: RubricName
    language: str = "und"
    synthetic: bool = False
    source: str = ""
    licence: str = ""
    imported_at: str = ""
    n_recordings: int = 0
    rated_with: str = ""


def check_name(name: str) -> str:
    """The set name in composed form. Raises CorpusError for one that is no plain folder name."""
    plain = composed(name)
    if not NAME.fullmatch(plain):
        raise CorpusError(
            N_("{name!r} cannot name a set: use up to 64 letters, digits, '-', '_', '.'; e.g. {example}."),
            name=name,
            example=name_like(name) or "lab1",
        )
    return plain


def name_like(text: str) -> str:
    """The nearest name of a set to a folder's or a title; "" where nothing of it can stand in one."""
    return re.sub(r"[^\w.-]+", "-", composed(text)).strip("-._")[:56]


def registration(settings: Settings, name: str) -> Path:
    return settings.sets_root / check_name(name)


def list_sets(settings: Settings) -> list[RecordingSet]:
    """Every registered set, by name. A damaged registration is passed over, so that it stops none of the others;
    `damaged_sets` names what is wrong with it."""
    sets: list[RecordingSet] = []
    for file in _registrations(settings):
        with suppress(CorpusError):
            sets.append(_read_set(file))
    return sets


def sets_at(settings: Settings, root: Path) -> list[RecordingSet]:
    """The sets whose audio lies in that folder, by name."""
    return [set_ for set_ in list_sets(settings) if set_.root == root]


def damaged_sets(settings: Settings) -> list[Problem]:
    """What is wrong with registrations that `list_sets` passes over; the path of each is its folder's name."""
    problems: list[Problem] = []
    for file in _registrations(settings):
        try:
            _read_set(file)
        except CorpusError as error:
            problems.append(Problem("broken_set", error.text, "error", file.parent.name))
    return problems


def get_set(settings: Settings, name: str) -> RecordingSet:
    """Raises UnknownNameError where no set has that name."""
    file = registration(settings, name) / "set.json"
    if not file.is_file():
        names = ", ".join(set_.name for set_ in list_sets(settings))
        known = Message(N_("The sets are {names}."), names=names) if names else Message(N_("There are no sets yet."))
        raise UnknownNameError(
            N_("Unknown set {name!r}. {known} `pronlab import DIR` adds one."), name=name, known=known
        )
    return _read_set(file)


def register(settings: Settings, set_: RecordingSet, n_recordings: int) -> RecordingSet:
    """Write `set.json`; the recordings are there already."""
    counted = RecordingSet(**{**vars(set_), "n_recordings": n_recordings})
    artifacts.write_json(registration(settings, set_.name) / "set.json", counted)
    return counted


def recordings_file(settings: Settings, name: str) -> Path:
    return registration(settings, name) / "recordings.jsonl"


def corpus_file(settings: Settings, name: str) -> Path:
    """The manifest of what the corpus says; not there for sets that were imported before there was one."""
    return registration(settings, name) / CORPUS_FILE


def remove_set(settings: Settings, name: str) -> None:
    """Forget the set. Audio stays where it is, and so do labels beside it; only what lies in the registration goes."""
    get_set(settings, name)
    shutil.rmtree(registration(settings, name))


def read_recordings(settings: Settings, name: str) -> list[Recording]:
    file = recordings_file(settings, name)
    get_set(settings, name)
    try:
        recordings = [_checked(row) for row in jsonl.read(file)]
        twice = next((id_ for id_, n in Counter(recording.id for recording in recordings).items() if n > 1), None)
        if twice is not None:
            raise ValueError(Message(N_("the id {id!r} is used twice"), id=twice))
        return recordings
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(file, error) from error


def recording_to_json(recording: Recording) -> dict[str, Any]:
    """As `recordings.jsonl` and the index keep it, for `recording_from_json`: its problems can be read in any
    language."""
    raw: dict[str, Any] = to_json(recording)
    if recording.report is not None:
        raw["report"]["problems"] = to_json([problem_row(problem) for problem in recording.report.problems])
    return raw


def recording_from_json(raw: dict[str, Any]) -> Recording:
    report = raw.get("report")
    if report is not None:
        report = AudioReport(**{**report, "problems": tuple(map(problem_from, report["problems"]))})
    return Recording(**{**raw, "rubric": RubricName(raw["rubric"]), "report": report})


def language_of(set_: RecordingSet, recording: Recording) -> str:
    """The recording's language, else its set's; `und` where neither has any."""
    return recording.language if recording.language != "und" else set_.language


def target_of(set_: RecordingSet, recording: Recording) -> Target:
    """What the speaker of a recording was asked to say."""
    return Target(recording.text, language_of(set_, recording), recording.rubric)


def audio_path(set_: RecordingSet, recording: Recording) -> Path:
    """Where the audio lies. Raises CorpusError for a path that leaves the set's root, through `..` or a link."""
    return confined(set_.root, recording.path)


def result_path(set_: RecordingSet, recording: Recording) -> Path:
    """Where the recording's labels lie: `<stem>_result.json`, beside the audio or at the same place under
    `labels_root`."""
    return confined(set_.labels_root, str(label_path(recording.path)))


def label_path(audio: str) -> PurePosixPath:
    """The label file's path relative to the set's `labels_root`, of a recording by its path."""
    relative = PurePosixPath(audio)
    return relative.with_name(relative.stem + RESULT_SUFFIX)


def spelled(root: Path, relative: str) -> str:
    """`relative` as the file system spells it: the same letters may be composed on one side and decomposed on the
    other. As given where there is no such file or folder."""
    if relative.isascii() or (root / relative).exists():
        return relative
    here, parts = root, list(PurePosixPath(relative).parts)
    for n, part in enumerate(parts):
        if not (here / part).exists():
            try:
                names = [entry.name for entry in here.iterdir() if composed(entry.name) == composed(part)]
            except OSError:
                names = []
            if not names:
                break
            parts[n] = min(names)
        here /= parts[n]
    return str(PurePosixPath(*parts))


def confined(root: Path, relative: str) -> Path:
    """`root / relative`, if it truly lies under `root` once links are followed. Raises CorpusError otherwise."""
    try:
        path = root / spelled(root, relative)
        is_below = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, names too long or with a NUL
        raise CorpusError(
            N_("{path!r} below {root} cannot be followed ({reason})."),
            path=relative,
            root=str(root),
            reason=said_by(error),
        ) from error
    if PurePosixPath(relative).is_absolute() or not is_below:
        raise CorpusError(
            N_("{path!r} points outside {root}; only files below it are read or written."),
            path=relative, root=str(root),
        )  # fmt: skip
    return path


def in_part(part: str | None) -> str:
    """The end of a sentence about recordings: which part of a set they were looked for in; "" for the whole set."""
    return Message(N_(" in part {part!r}"), part=part) if part else ""


def _damaged(file: Path, error: Exception) -> CorpusError:
    reason = Message(
        N_("This file of the set is damaged ({reason}). Import the set again; labels are kept."), reason=said_by(error)
    )
    return CorpusError(about(str(file), reason))


def _checked(raw: Any) -> Recording:
    """Raises ValueError, KeyError, TypeError or AttributeError for what is no recording."""
    recording = recording_from_json(raw)
    texts = [getattr(recording, name) for name in TEXTS] + ([] if recording.part is None else [recording.part])
    if not all(isinstance(text, str) for text in texts) or not isinstance(recording.extra, dict):
        raise ValueError(
            Message(
                N_("{names} and part are texts, extra is an object; got {content}"),
                names=", ".join(TEXTS), content=f"{raw!r:.80}",
            )
        )  # fmt: skip
    if not is_writable("".join(texts)):
        raise ValueError(Message(N_("half a surrogate pair in {content}"), content=f"{raw!r:.80}"))
    return recording


def _registrations(settings: Settings) -> list[Path]:
    return sorted(settings.sets_root.glob("*/set.json"))


def _read_set(file: Path) -> RecordingSet:
    try:
        raw = artifacts.read_json(file)
        paths = {key: Path(raw[key]) for key in ("root", "labels_root")}
        values = {**raw, **paths, "rubric": RubricName(raw["rubric"])}
        if wrong := misfits(RecordingSet, values):
            raise ValueError(joined(wrong))
        if composed(values["name"]) != composed(file.parent.name):
            raise ValueError(Message(N_("it is the registration of {name!r}"), name=values["name"]))
        return RecordingSet(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(file, error) from error
