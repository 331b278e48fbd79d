"""Who can reach an installation: a server that others can reach takes a list of people, a sign-in, or an explicit flag.

Without a list and without sign-in whoever opens a page has every role. That is right on the loopback address, where
only this machine's own users come, and nowhere else.
"""

import codecs
import ipaddress
import os
import socket
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.artifacts import is_missing
from pipeline.errors import AccessError, said_by
from pipeline.i18n import N_, Message
from pipeline.people.people import People
from pipeline.settings import HOME, Settings

FLAG = "--open-to-network"
# Set for the server by `pronlab dashboard --open-to-network`; for those who start Streamlit themselves.
VARIABLE = "PRONLAB_OPEN_TO_NETWORK"
SECRETS = Path(".streamlit") / "secrets.toml"


def is_loopback(host: str | None) -> bool:
    """Whether only this machine can reach a server that listens on `host`: an address, a name, a Unix socket
    (unix://...); none at all means every interface. A name counts where all that it stands for is loopback; one that
    cannot be resolved does not."""
    name = (host or "").strip().strip("[]")
    if not name:
        return False
    if name.startswith("unix:"):
        return True
    with suppress(ValueError):
        return _is_loopback_address(name)
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return False
    return bool(addresses) and all(_is_loopback_address(address) for address in addresses)


def has_sign_in(*folders: Path) -> bool:
    """Whether Streamlit's secrets in one of the `folders` (by default where `pronlab dashboard` runs, and the home
    folder) set a sign-in up. Raises AccessError as `read_secrets` does."""
    known_secrets = [read_secrets(folder / SECRETS) for folder in folders or (HOME, Path.home())]
    return any("auth" in secrets for secrets in known_secrets)


def read_secrets(path: Path) -> dict[str, Any]:
    """What stands in a file of Streamlit's secrets; nothing where there is none. Raises AccessError where there is one
    that Streamlit could not read either: it may set a sign-in up, so nobody is let in by mistake."""
    if is_missing(path):
        return {}
    try:
        raw = path.read_bytes()
        if raw.startswith(codecs.BOM_UTF8):
            raise unreadable_secrets(
                path, Message(N_("it begins with a byte order mark; save it as UTF-8 without one"))
            )
        return tomllib.loads(raw.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable_secrets(path, said_by(error)) from error


def unreadable_secrets(path: Path, reason: str) -> AccessError:
    return AccessError(
        N_(
            "{path} cannot be read as Streamlit's secrets ({reason}). It may set up a sign-in, so nobody is let in: "
            "repair it, or remove it."
        ),
        path=str(path), reason=reason,
    )  # fmt: skip


def is_exposed(settings: Settings, host: str | None, *, signs_in: bool) -> bool:
    """Whether others on the network would come in as anybody, with every role."""
    return not signs_in and not is_loopback(host) and People(settings).is_open


def was_allowed() -> bool:
    """Whether somebody said that an exposed installation is meant to be one."""
    return os.environ.get(VARIABLE, "").strip().casefold() in ("1", "true", "yes")


def require_closed(settings: Settings, host: str | None, *, signs_in: bool, allowed: bool) -> None:
    """Raises AccessError where the server would be open to the network and nobody `allowed` that."""
    if not allowed and is_exposed(settings, host, signs_in=signs_in):
        raise AccessError(
            N_(
                "Listening on {host} lets everybody on the network in with every role: there is no list of people "
                "(Projects page) and no sign-in. Make one, listen on 127.0.0.1, or say {flag}."
            ),
            host=host or Message(N_("every address")), flag=FLAG,
        )  # fmt: skip


def _is_loopback_address(text: str) -> bool:
    """Raises ValueError for what is no address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
