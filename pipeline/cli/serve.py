"""`pronlab serve` and `serve-key`."""

import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipeline.cli._output import emit, json_option
from pipeline.errors import said_by
from pipeline.i18n import N_
from pipeline.settings import Settings

PORT = 8600
WAITING_CONNECTIONS = 512  # that the operating system holds until they are taken
KEEP_ALIVE_S = 10


def exposure_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a server: its address, and who may use it."""
    options = (
        click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.option("--open-to-network", is_flag=True, help="Serve other machines without an API key."),
        click.option(
            "--allowed-host", "allowed_hosts", multiple=True, metavar="NAME",
            help="Answer requests for this host name, e.g. of a proxy; repeatable. The loopback address also answers "
            "to this machine's own names; other addresses answer to any name if none is given.",
        ),
        click.option(
            "--openapi/--no-openapi", default=None,
            help="Serve /openapi.json, which needs no key (default: on the loopback address only).",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@exposure_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Number of scoring processes (default 2).")
@click.option("--queue", type=click.IntRange(0, 10_000), help="Maximum number of waiting requests (default 64).")
@click.option("--detector", help="Wake-word run that answers /verify.")
@json_option
def serve(**options: Any) -> None:
    """Serve scores over HTTP: POST /analyze, /analyze/batch, /verify, /feedback; GET /models, /health, /ready,
    /metrics."""
    run(**options)


def run(
    host: str,
    port: int,
    as_json: bool,
    *,
    workers: int | None = None,
    queue: int | None = None,
    detector: str | None = None,
    open_to_network: bool = False,
    allowed_hosts: tuple[str, ...] = (),
    openapi: bool | None = None,
) -> None:
    """Until it is ended; `detector` is a wake-word run or a folder with its model. Raises AccessError where it would be
    open to a network without `open_to_network`."""
    import uvicorn

    from pipeline.api.app import make_app
    from pipeline.api.guard import LOCAL_NAMES, check_exposure
    from pipeline.api.limits import Limits
    from pipeline.api.protocol import patient
    from pipeline.people.exposure import is_loopback

    settings = Settings.from_env()
    check_exposure(settings, host, open_to_network)
    given = {"workers": workers, "queue": queue}
    limits = Limits(**{name: value for name, value in given.items() if value is not None})
    folder: Path | None = None
    if detector:
        from pipeline.wakeword.finished_run import open_finished_run  # heavy, and most services have no detector

        folder = open_finished_run(settings, detector).folder
    local = is_loopback(host)
    hosts = {*allowed_hosts, *((host, *LOCAL_NAMES) if local else ())}
    app = make_app(settings, limits, folder, hosts=hosts or None, openapi=local if openapi is None else openapi)
    listener = _listening(host, port)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    emit({"url": url}, as_json, f"Pronlab answers on {url} (Ctrl+C stops it).")
    config = uvicorn.Config(
        app, http=patient(limits), ws="none", log_config=None, access_log=False, proxy_headers=False,
        server_header=False, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=round(limits.answer_s),
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """Raises ServiceError where the address cannot be had."""
    from pipeline.errors import ServiceError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=WAITING_CONNECTIONS)
    except OSError as error:
        raise ServiceError(
            N_("The service cannot listen on {host}:{port} ({reason}). Choose another --port or --host."),
            host=host,
            port=str(port),
            reason=said_by(error),
        ) from error


@click.group("serve-key")
def serve_key() -> None:
    """Manage the API keys of the HTTP service. Once a key exists, every request needs one; changes apply at once."""


@serve_key.command()
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(["score", "feedback", "metrics"]),
    help="What the key allows; repeatable (default: everything).",
)  # fmt: skip
@json_option
def add(name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Create a key and show it once."""
    from pipeline.api.keys import EVERYTHING, Scope, add_key

    allowed = tuple(map(Scope, scopes)) or EVERYTHING
    secret = add_key(Settings.from_env(), name, allowed)
    shown = {"name": name, "key": secret, "scopes": allowed}
    emit(shown, as_json, f"{secret}\nKeep it safe: only its hash is stored. It allows {', '.join(allowed)}.")


@serve_key.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the keys and what they allow."""
    from pipeline.api.keys import keys_file, list_keys
    from pipeline.artifacts import is_missing

    settings = Settings.from_env()
    keys = list_keys(settings)
    closed = not is_missing(keys_file(settings))
    none = _closed(settings) if closed else "There are no keys: requests need none."
    text = "\n".join(f"{key.name}  since {key.created_at[:10]}  {', '.join(key.scopes)}" for key in keys) or none
    emit([{"name": key.name, "created_at": key.created_at, "scopes": key.scopes} for key in keys], as_json, text)


@serve_key.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Remove a key; it stops working at once."""
    from pipeline.api.keys import remove_key

    settings = Settings.from_env()
    left = remove_key(settings, name)
    text = f"Removed {name}." + ("" if left else f" {_closed(settings)}")
    emit({"removed": name, "keys_left": left}, as_json, text)


@serve_key.command()
@click.argument("name")
@json_option
def rotate(name: str, as_json: bool) -> None:
    """Give a key a new secret and show it once; the old one stops working at once."""
    from pipeline.api.keys import rotate_key

    secret = rotate_key(Settings.from_env(), name)
    emit({"name": name, "key": secret}, as_json, f"{secret}\nKeep it safe: only its hash is stored.")


def _closed(settings: Settings) -> str:
    from pipeline.api.keys import keys_file

    return (
        f"No key is left, so the service refuses every request until one is added. To serve this machine without keys "
        f"again, remove {keys_file(settings)} and restart the service."
    )
