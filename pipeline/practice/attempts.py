"""A learner's attempts, kept so that they can be heard again and progress can be seen.

    <attempts root>/<learner>/<text>/<UTC time>.wav     16 kHz mono, as it was scored
    <attempts root>/<learner>/<text>/<UTC time>.json    {learner, text, at, lesson, result}
    <attempts root>/<learner>/consent.json              what the learner lets us keep; beside it a PIN (`pin`), the
                                                        place in the lessons (`memory`) and the like

The JSON file is written last: a recording without one belongs to an attempt that was cut short, and is not shown.
What is kept of a learner is theirs alone: everything here asks who acts (`by`; None will do on an open installation)
and raises AccessError for anybody else. `Deniz` and `deniz` are one learner (pipeline/people/names.py).
"""

import hashlib
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.audio.encode import to_wav
from pipeline.audio.load import Audio
from pipeline.errors import AttemptError, said_by
from pipeline.i18n import N_, Message
from pipeline.people.access import Identity
from pipeline.people.names import name_key, same_person
from pipeline.people.people import permit_own
from pipeline.practice.validity import is_attempt
from pipeline.records import Problem, ScoreResult, to_json
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.times import as_text, utc_time
from pipeline.write_errors import not_written

CONSENT = "consent.json"
PIN = "pin.json"
HASHED = re.compile(r"-[0-9a-f]{8}$")
MAX_NAME_LENGTH = 300
MAX_FOLDER_LENGTH = 60  # in characters of up to four bytes, with the hash still under the usual limit of 255 bytes


@dataclass(frozen=True)
class Attempt:
    """One saved attempt. `result` is the ScoreResult as JSON, in English; `audio` is None where only scores are
    kept."""

    learner: str
    text: str
    at: str
    audio: Path | None
    result: dict[str, Any]
    lesson: str = ""

    @property
    def overall(self) -> float | None:
        """0-100, or None where it was no attempt, or could not be scored."""
        value = self.result.get("overall") if self.counts else None
        return None if value is None else float(value)

    @property
    def counts(self) -> bool:
        """Whether it says anything of how the learner speaks; what is saved now does."""
        return is_attempt(self.result)


@dataclass(frozen=True)
class AttemptLog:
    """The attempts that could be read, oldest first, and what is wrong with the others."""

    attempts: tuple[Attempt, ...]
    problems: tuple[Problem, ...] = ()


def save_attempt(
    settings: Settings,
    learner: str,
    text: str,
    audio: Audio | None,
    result: ScoreResult,
    *,
    lesson: str = "",
    at: datetime | None = None,
    by: Identity | None = None,
) -> Attempt:
    """Write recording (None: not kept) and result whole or not at all. Raises AttemptError on a bad name or a full
    disk."""
    permit_own(settings, by, learner)
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    folder = _folder(settings, learner, text)
    stem = moment.strftime("%Y%m%dT%H%M%S.%fZ")
    attempt = Attempt(
        learner=_clean(learner),
        text=_clean(text),
        at=moment.isoformat(timespec="milliseconds"),
        audio=None if audio is None else folder / f"{stem}.wav",
        result=to_json(result),
        lesson=lesson,
    )
    try:
        if attempt.audio is not None and audio is not None:
            artifacts.write_bytes(attempt.audio, to_wav(audio.samples, audio.sample_rate_hz))
        record = {"learner": attempt.learner, "text": attempt.text, "at": attempt.at, "lesson": lesson}
        artifacts.write_json(folder / f"{stem}.json", {**record, "result": attempt.result})
    except OSError as error:
        raise AttemptError(
            not_written(N_("The attempt could not be saved under {path} ({reason})."), folder, error)
        ) from error
    return attempt


def read_attempts(settings: Settings, learner: str, text: str | None = None, by: Identity | None = None) -> AttemptLog:
    """The learner's attempts at one text, or at all of them, oldest first."""
    permit_own(settings, by, learner)
    if text is None:
        return attempts_below(learner_folder(settings, learner))
    return _read_all([_folder(settings, learner, text)])


def attempts_below(learner_folder: Path) -> AttemptLog:
    """All of one learner, for callers that have asked who may see them (`classes`)."""
    return _read_all(sorted(path for path in learner_folder.glob("*") if path.is_dir()))


def _read_all(folders: Iterable[Path]) -> AttemptLog:
    attempts: list[Attempt] = []
    problems: list[Problem] = []
    records = (path for folder in folders for path in folder.glob("*.json"))
    for record in sorted(path for path in records if not path.name.startswith(artifacts.TEMPORARY_PREFIX)):
        try:
            attempts.append(_read(record))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = Message(N_("This saved attempt cannot be read: {reason}"), reason=said_by(error))
            problems.append(Problem("unreadable", message, "error", str(record)))
    return AttemptLog(tuple(sorted(attempts, key=lambda attempt: attempt.at)), tuple(problems))


def delete_attempts(settings: Settings, learner: str, text: str | None = None, by: Identity | None = None) -> int:
    """Delete the learner's attempts at one text, or all that is kept of them; returns how many."""
    permit_own(settings, by, learner)
    folder = learner_folder(settings, learner) if text is None else _folder(settings, learner, text)
    if not folder.is_dir():
        return 0
    count = sum(1 for path in folder.glob("*/*.json" if text is None else "*.json"))
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise AttemptError(
            not_written(N_("The attempts under {path} could not be deleted ({reason})."), folder, error)
        ) from error
    return count


def has_anything(settings: Settings, learner: str, by: Identity | None = None) -> bool:
    """Whether anything at all is kept of the learner."""
    permit_own(settings, by, learner)
    return learner_folder(settings, learner).is_dir()


def learner_folder(settings: Settings, learner: str) -> Path:
    """Where all that is kept of a learner lies, under whichever spelling of the name it was begun. Raises AttemptError
    for what is no name."""
    folder = settings.attempts_root / _folder_name(learner)
    if folder.is_dir():
        return folder
    begun = _folder_key(folder.name)
    alike = [
        other
        for other in sorted(settings.attempts_root.glob("*"))
        if other.is_dir() and _folder_key(other.name) == begun and same_person(learner_of(other), learner)
    ]
    return alike[0] if alike else folder


def learner_as_kept(settings: Settings, learner: str) -> str:
    """The name as it was spelled when something of the learner was first kept; as given where nothing is."""
    folder = learner_folder(settings, learner)
    return learner_of(folder) if folder.is_dir() else learner


def _folder_key(name: str) -> str:
    """Equal for the folders of all spellings of a name, whose hashes differ, and of a few other names."""
    return "".join(character for character in name_key(HASHED.sub("", name)) if character.isalnum())


def learner_of(folder: Path) -> str:
    """Whose folder it is, by what lies in it; by its name where nothing in it can be read."""
    for path in (folder / CONSENT, *sorted(folder.glob("*.json")), *sorted(folder.glob("*/*.json"))):
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(artifacts.read_json(path)["learner"])
    return folder.name


def _read(record: Path) -> Attempt:
    raw = artifacts.read_json(record)
    return Attempt(
        learner=str(raw["learner"]),
        text=str(raw["text"]),
        at=as_text(utc_time(raw["at"])),
        audio=audio if (audio := record.with_suffix(".wav")).is_file() else None,
        result=dict(raw["result"]),
        lesson=str(raw.get("lesson", "")),
    )


def _folder(settings: Settings, learner: str, text: str) -> Path:
    return learner_folder(settings, learner) / _folder_name(text)


def _clean(name: str) -> str:
    cleaned = " ".join(composed(name).split())
    if not 0 < len(cleaned) <= MAX_NAME_LENGTH:
        raise AttemptError(
            N_("A learner's name or a text has 1 to {max_name_length} characters, got {name!r}."),
            max_name_length=MAX_NAME_LENGTH,
            name=name[:100],
        )
    return cleaned


def _folder_name(name: str) -> str:
    """A folder name that stays readable; where characters had to go, a hash keeps different names apart."""
    cleaned = _clean(name)
    safe = "".join(c if c.isalnum() or c in " -_" else "-" for c in cleaned)
    if safe == cleaned and len(safe) <= MAX_FOLDER_LENGTH:
        return safe
    return f"{safe[:MAX_FOLDER_LENGTH]}-{hashlib.sha256(cleaned.encode()).hexdigest()[:8]}"
