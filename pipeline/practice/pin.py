"""A learner's PIN: with one, typing a learner's name opens nothing of theirs.

    <attempts root>/<learner>/pin.json    {learner, salt, hash, wrong: [times], keys: [{hash, until}]}

Of the PIN a salted hash is kept (scrypt, RFC 7914). Whoever gives the right one gets a key, which opens the learner's
practice for half a day: a browser keeps it over reloads. After five wrong PINs none is taken for a quarter of an
hour; keys stay good. A file that cannot be read opens to nobody.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import artifacts
from pipeline.errors import AccessError
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit, permit_own
from pipeline.practice.attempts import PIN, learner_folder
from pipeline.settings import Settings
from pipeline.times import as_text, utc_time
from pipeline.write_errors import not_written

SHORTEST, LONGEST = 4, 12  # digits
MOST_WRONG = 5
WITHIN = timedelta(minutes=15)
KEY_LASTS = timedelta(hours=12)
MOST_KEYS = 8
COST, BLOCK, LANES = 2**14, 8, 1  # scrypt's n, r and p: 16 MB and some 40 ms for each guess


class PinError(AccessError):
    """A PIN that is none, is wrong, is asked for, or may not be tried again yet."""


@dataclass(frozen=True)
class _Kept:
    salt: str
    hash: str
    wrong: tuple[datetime, ...] = ()
    keys: dict[str, datetime] = field(default_factory=dict)


def has_pin(settings: Settings, learner: str) -> bool:
    return not artifacts.is_missing(_file(settings, learner))


def set_pin(settings: Settings, learner: str, pin: str, by: Identity | None = None) -> str:
    """Put a PIN in the place of any other, and return a key. Raises PinError for what is none."""
    permit_own(settings, by, learner)
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise PinError(N_("A PIN has {shortest} to {longest} digits."), shortest=SHORTEST, longest=LONGEST)
    salt = secrets.token_hex(16)
    with locked(settings, _file(settings, learner), PinError):
        return _with_key(settings, learner, _Kept(salt, _hash(pin, salt)), datetime.now(UTC))


def remove_pin(settings: Settings, learner: str, by: Identity | None = None) -> None:
    permit_own(settings, by, learner)
    _file(settings, learner).unlink(missing_ok=True)


def reset_pin(settings: Settings, learner: str, by: Identity | str | None = None) -> None:
    """Remove a PIN that was forgotten, or that somebody else set on the name; an administrator's, by command."""
    permit(settings, by, Action.MANAGE_PEOPLE)
    if not has_pin(settings, learner):
        raise PinError(N_("{learner} has no PIN."), learner=learner)
    _file(settings, learner).unlink(missing_ok=True)


def open_with(settings: Settings, learner: str, pin: str, now: datetime | None = None) -> str:
    """A key for the right PIN. Raises PinError for a wrong one, and while too many were wrong."""
    now = now or datetime.now(UTC)
    with locked(settings, _file(settings, learner), PinError):
        kept = _read(settings, learner)
        wrong = tuple(at for at in kept.wrong if now - at < WITHIN)
        if len(wrong) >= MOST_WRONG:
            raise PinError(N_("Too many wrong PINs. Wait a quarter of an hour, then try again."))
        if not hmac.compare_digest(_hash(pin, kept.salt), kept.hash):
            _write(settings, learner, replace(kept, wrong=(*wrong, now)))
            raise PinError(N_("This PIN is wrong. Attempts left: {n}."), n=MOST_WRONG - len(wrong) - 1)
        return _with_key(settings, learner, replace(kept, wrong=()), now)


def opens(settings: Settings, learner: str, key: str, now: datetime | None = None) -> bool:
    """Whether what is kept of the learner is open to whoever has the key: any, without a PIN."""
    if not has_pin(settings, learner):
        return True
    until = _read(settings, learner).keys.get(_key_hash(key))
    return until is not None and (now or datetime.now(UTC)) < until


def _with_key(settings: Settings, learner: str, kept: _Kept, now: datetime) -> str:
    key = secrets.token_urlsafe(24)
    valid = [(name, until) for name, until in kept.keys.items() if until > now][-(MOST_KEYS - 1) :]
    _write(settings, learner, replace(kept, keys={**dict(valid), _key_hash(key): now + KEY_LASTS}))
    return key


def _hash(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=bytes.fromhex(salt), n=COST, r=BLOCK, p=LANES).hex()


def _key_hash(key: str) -> str:
    """A key is random and long: no salt and no slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _file(settings: Settings, learner: str) -> Path:
    return learner_folder(settings, learner) / PIN


def _read(settings: Settings, learner: str) -> _Kept:
    file = _file(settings, learner)
    try:
        raw = artifacts.read_json(file)
        keys = {str(key["hash"]): utc_time(key["until"]) for key in raw["keys"]}
        bytes.fromhex(raw["salt"])
        return _Kept(str(raw["salt"]), str(raw["hash"]), tuple(map(utc_time, raw["wrong"])), keys)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PinError(N_("The PIN of {learner} cannot be read. Ask an administrator."), learner=learner) from error


def _write(settings: Settings, learner: str, kept: _Kept) -> None:
    keys = [{"hash": name, "until": as_text(until)} for name, until in kept.keys.items()]
    record = {"learner": learner, "salt": kept.salt, "hash": kept.hash, "wrong": list(map(as_text, kept.wrong))}
    file = _file(settings, learner)
    try:
        artifacts.write_json(file, {**record, "keys": keys})
    except OSError as error:
        raise PinError(not_written(N_("The PIN could not be saved ({reason})."), file, error)) from error
