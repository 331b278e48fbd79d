"""API keys: 256 random bits, shown once; only their SHA-256 is kept, which is enough for what cannot be guessed."""

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline import artifacts
from pipeline.errors import AccessError
from pipeline.runs import now_iso
from pipeline.settings import Settings

PREFIX = "pronlab_"


@dataclass(frozen=True)
class Key:
    name: str
    sha256: str
    created_at: str


def list_keys(settings: Settings) -> list[Key]:
    """Raises AccessError where the file is damaged: nobody is let in by a file that cannot be read."""
    path = _path(settings)
    if not path.is_file():
        return []
    try:
        return [Key(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise AccessError(
            f"{path} cannot be read as a list of API keys ({error}). Restore it, or remove it."
        ) from error


def add_key(settings: Settings, name: str) -> str:
    """A new key, which is nowhere kept. Raises AccessError for a name that is taken or empty."""
    known = list_keys(settings)
    if not name.strip() or name in {key.name for key in known}:
        raise AccessError(f"A key needs a name of its own, got {name!r}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    _write(settings, [*known, Key(name, digest(secret), now_iso())])
    return secret


def remove_key(settings: Settings, name: str) -> None:
    """Raises AccessError where there is none of that name."""
    known = list_keys(settings)
    left = [key for key in known if key.name != name]
    if len(left) == len(known):
        raise AccessError(f"There is no key {name!r}; there are {', '.join(key.name for key in known) or 'none'}.")
    _write(settings, left)


def who(keys: list[Key], secret: str) -> str | None:
    """The name of the key, None for one that is not known; all are compared, each in constant time."""
    given = digest(secret)
    found = [key.name for key in keys if hmac.compare_digest(key.sha256, given)]
    return found[0] if found else None


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _write(settings: Settings, keys: list[Key]) -> None:
    path = _path(settings)
    artifacts.write_json(path, [asdict(key) for key in keys])
    path.chmod(0o600)


def _path(settings: Settings) -> Path:
    return settings.data_root / "api_keys.json"
