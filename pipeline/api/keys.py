"""API keys: 256 random bits, shown once; only their SHA-256 is kept, which is enough for what cannot be guessed.

A service without a file of keys is open. Once there is a file it is closed to everybody without a key, and stays so
when the last key is removed: an empty list lets nobody in.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.artifacts import replacing
from pipeline.errors import AccessError, said_by
from pipeline.i18n import N_, Message
from pipeline.locks import locked
from pipeline.settings import Settings
from pipeline.text import composed, visible
from pipeline.times import now_iso
from pipeline.write_errors import not_written

PREFIX = "pronlab_"
LONGEST_NAME = 80
SHA256 = re.compile("[0-9a-f]{64}")


class Scope(StrEnum):
    """What a key opens: scores (also of the wake word) and the list of scorers, feedback, the metrics."""

    SCORE = "score"
    FEEDBACK = "feedback"
    METRICS = "metrics"


EVERYTHING = tuple(Scope)


@dataclass(frozen=True)
class Key:
    """Of a program. `created_at` is when its secret was made, or made anew."""

    name: str
    sha256: str
    created_at: str
    scopes: tuple[Scope, ...] = EVERYTHING


class KeyRing:
    """The keys as the file has them now: additions, removals and rotations hold from the next request on."""

    def __init__(self, settings: Settings) -> None:
        """Raises AccessError for a damaged file."""
        self._settings = settings
        self._state: tuple[int, ...] | None = None
        self._keys: list[Key] | None = None
        self.keys()

    def keys(self) -> list[Key] | None:
        """None where there has been no file since the start: nobody is asked for a key. A file that is taken away
        leaves an empty list. Raises AccessError for a damaged file."""
        path = keys_file(self._settings)
        if artifacts.is_missing(path):
            if self._keys is not None:
                self._state, self._keys = None, []
            return self._keys
        try:
            status = path.stat()
        except OSError as error:
            self._state, self._keys = None, []
            raise _unreadable(path, error) from error
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        if state != self._state:
            self._keys = []  # nobody, until it has been read
            self._state = None
            self._keys = list_keys(self._settings)
            self._state = state
        return self._keys


def keys_file(settings: Settings) -> Path:
    return settings.data_root / "api_keys.json"


def list_keys(settings: Settings) -> list[Key]:
    """Raises AccessError where the file is damaged: nobody is let in by a file that cannot be read."""
    path = keys_file(settings)
    if artifacts.is_missing(path):
        return []
    try:
        return [_key(raw) for raw in artifacts.read_json(path)]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(path, error) from error


def add_key(settings: Settings, name: str, scopes: Iterable[Scope] = EVERYTHING) -> str:
    """Make a key and return its secret, which is kept nowhere. Raises AccessError for a name that is taken (in any
    case of letters) or cannot be one, and for no scope."""
    cleaned, allowed = _clean(name), tuple(scope for scope in Scope if scope in set(scopes))
    if not allowed:
        raise AccessError(N_("A key needs at least one scope: {scopes}."), scopes=", ".join(Scope))
    secret = _secret()

    def added(keys: list[Key]) -> list[Key]:
        if any(_same(key.name, cleaned) for key in keys):
            raise AccessError(
                N_("A key named {name!r} already exists. Choose another name, or rotate that key."), name=cleaned
            )
        return [*keys, Key(cleaned, digest(secret), now_iso(), allowed)]

    _change(settings, added)
    return secret


def rotate_key(settings: Settings, name: str) -> str:
    """Give a key another secret and return it; the former one opens nothing from now on. Raises AccessError where
    there is none of that name."""
    secret = _secret()

    def rotated(keys: list[Key]) -> list[Key]:
        named = _find(keys, name)
        return [replace(key, sha256=digest(secret), created_at=now_iso()) if key == named else key for key in keys]

    _change(settings, rotated)
    return secret


def remove_key(settings: Settings, name: str) -> int:
    """How many are left. Raises AccessError where there is none of that name."""

    def removed(keys: list[Key]) -> list[Key]:
        named = _find(keys, name)
        return [key for key in keys if key != named]

    return len(_change(settings, removed))


def key_of(keys: list[Key], secret: str) -> Key | None:
    """The key with this secret; all are compared, each in constant time."""
    given = digest(secret)
    matching = [key for key in keys if hmac.compare_digest(key.sha256, given)]
    return matching[0] if matching else None


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _change(settings: Settings, change: Callable[[list[Key]], list[Key]]) -> list[Key]:
    """One writer at a time, over processes; the file is private from its first byte on."""
    path = keys_file(settings)
    with locked(settings, path, AccessError):
        keys = change(list_keys(settings))
        try:
            with replacing(path, mode=0o600) as temporary:
                temporary.write_text(json.dumps([asdict(key) for key in keys], indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise AccessError(
                not_written(N_("{path} cannot be written ({reason}); no key was changed."), path, error)
            ) from error
    return keys


def _key(raw: dict[str, Any]) -> Key:
    """Keys of an earlier version have no scopes, and open everything."""
    key = Key(str(raw["name"]), raw["sha256"], str(raw["created_at"]), tuple(map(Scope, raw.get("scopes", EVERYTHING))))
    if not SHA256.fullmatch(key.sha256):
        raise ValueError(Message(N_("{name!r} has no SHA-256"), name=key.name))
    return key


def _find(keys: list[Key], name: str) -> Key:
    cleaned = _clean(name)
    matching = [key for key in keys if _same(key.name, cleaned)]
    if not matching:
        raise AccessError(
            N_("There is no key {name!r}. The keys are: {names}."),
            name=cleaned,
            names=", ".join(key.name for key in keys) or Message(N_("none")),
        )
    return matching[0]


def _clean(name: str) -> str:
    cleaned = " ".join(composed(visible(name)).split())
    if not cleaned or len(cleaned) > LONGEST_NAME or not " ".join(name.split()).isprintable():
        raise AccessError(
            N_("A key's name must have 1 to {longest} printable characters, got {name!r}."),
            longest=LONGEST_NAME,
            name=name[:99],
        )
    return cleaned


def _same(key: str, other: str) -> bool:
    return composed(visible(key)).casefold() == composed(visible(other)).casefold()


def _secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _unreadable(path: Path, error: Exception) -> AccessError:
    return AccessError(
        N_("{path} cannot be read as a list of API keys ({reason}). Restore it, or remove it."),
        path=str(path),
        reason=said_by(error),
    )
