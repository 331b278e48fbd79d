"""Who may ask what: API keys with scopes, the names the service answers to, and where it is open without a key."""

import json
from collections.abc import Callable, Collection
from typing import Any

from fastapi import Request

from pipeline.api import problems
from pipeline.api.keys import Key, KeyRing, Scope, key_of, keys_file
from pipeline.api.limits import LOG
from pipeline.api.problems import Problem
from pipeline.artifacts import is_missing
from pipeline.errors import AccessError
from pipeline.i18n import N_, Message
from pipeline.people.exposure import is_loopback
from pipeline.settings import Settings

OPEN_PATHS = frozenset({"/health", "/ready", "/openapi.json"})
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def check_exposure(settings: Settings, host: str, open_to_network: bool) -> None:
    """Raises AccessError for an address that others reach, where nobody would be asked for a key."""
    if is_loopback(host) or open_to_network or not is_missing(keys_file(settings)):
        return
    raise AccessError(
        N_(
            "Other machines can reach {host}, and there is no API key: anyone could use the service. Add a key "
            "(`pronlab serve-key add NAME`), or start with --open-to-network."
        ),
        host=host or Message(N_("every address")),
    )


class Guard:
    """ASGI: refuse a request by its head, before anything reads the body: a foreign Host (a page of another site may
    have had its name point here), and where there is a file of keys, no key or an unknown one. The key goes to
    `scope["state"]["key"]` (None where nobody is asked for one); `needs` compares its scopes."""

    def __init__(self, app: Any, ring: KeyRing, hosts: Collection[str] | None) -> None:
        self._app, self._ring = app, ring
        self._hosts = None if hosts is None else {host.casefold().strip("[]") for host in hosts}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            try:
                self._check_host(scope["headers"])
                scope["state"]["key"] = None if scope["path"] in OPEN_PATHS else self._key(scope["headers"])
            except Problem as problem:
                if not any(name == b"expect" for name, _ in scope["headers"]):
                    await _discard_body(receive)  # a client reads the answer once it has sent everything
                await problems.send(send, problem, scope["state"]["request_id"])
                return
        await self._app(scope, receive, send)

    def _check_host(self, headers: list[tuple[bytes, bytes]]) -> None:
        given = [_without_port(value.decode("latin-1")) for name, value in headers if name == b"host"]
        if self._hosts is not None and (len(given) != 1 or given[0] not in self._hosts):
            raise Problem(400, "This service does not accept this host name. Start it with --allowed-host NAME.")

    def _key(self, headers: list[tuple[bytes, bytes]]) -> Key | None:
        try:
            keys = self._ring.keys()
        except AccessError as error:
            LOG.error(json.dumps({"keys": str(error)}, ensure_ascii=False))
            raise Problem(503, "The list of API keys cannot be read; the service's log has the details.") from None
        if keys is None:
            return None
        given = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
        if len(given) > 1:
            raise Problem(400, "Send one Authorization header.")
        scheme, _, secret = given[0].strip().partition(" ") if given else ("", "", "")
        key = key_of(keys, secret.strip()) if scheme.casefold() == "bearer" else None
        if key is None:
            none_left = "" if keys else " None is set at present; ask whoever runs the service for one."
            raise Problem(401, f"Send an API key: Authorization: Bearer KEY.{none_left}", WWW_Authenticate="Bearer")
        return key


def needs(scope: Scope) -> Callable[[Request], str]:
    """A dependency of an endpoint: the name of the caller's key, "" where nobody is asked for one. Raises Problem for a
    key without the scope."""

    def caller(request: Request) -> str:
        key: Key | None = request.state.key
        if key is None:
            return ""
        if scope not in key.scopes:
            raise Problem(403, f"The key {key.name!r} does not have the scope {scope}; it has {', '.join(key.scopes)}.")
        return key.name

    return caller


def _without_port(host: str) -> str:
    """`[::1]:8600` is `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].casefold()
    return host.partition(":")[0].casefold()


async def _discard_body(receive: Any) -> None:
    while (await receive()).get("more_body", False):
        pass
