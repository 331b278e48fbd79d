"""`pronlab serve` and `serve-key`."""

import logging
import sys
from pathlib import Path

import click

from pipeline.cli._output import emit, json_option
from pipeline.settings import Settings

PORT = 8600


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=PORT, show_default=True)
@click.option("--workers", type=int, help="Processes that score (default 2).")
@click.option("--queue", type=int, help="Requests that may wait for them (default 64).")
@click.option("--detector", help="A wake-word run for /verify.")
@json_option
def serve(host: str, port: int, workers: int | None, queue: int | None, detector: str | None, as_json: bool) -> None:
    """Serve scores over HTTP: POST /analyze, /analyze/batch, /verify, /feedback; GET /models, /health, /metrics."""
    run(host, port, workers, queue, detector, as_json)


def run(host: str, port: int, workers: int | None, queue: int | None, detector: str | None, as_json: bool) -> None:
    """Until it is ended; `detector` is a wake-word run or a folder with its model."""
    import uvicorn

    from pipeline.api.app import make_app
    from pipeline.api.limits import Limits

    settings = Settings.from_env()
    given = {"workers": workers, "queue": queue}
    limits = Limits(**{name: value for name, value in given.items() if value is not None})
    folder: Path | None = None
    if detector:
        from pipeline.wakeword.trained import trained  # heavy, and most services have no detector

        folder = trained(settings, detector).folder
    app = make_app(settings, limits, folder)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    url = f"http://{host}:{port}"
    emit({"url": url}, as_json, f"Pronlab answers on {url} (Ctrl+C ends it); {url}/openapi.json says what.")
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_keep_alive=10)


@click.group("serve-key")
def serve_key() -> None:
    """API keys of the service. Once there is one, every request needs one."""


@serve_key.command()
@click.argument("name")
@json_option
def add(name: str, as_json: bool) -> None:
    """Make a key and show it, this once."""
    from pipeline.api.keys import add_key

    secret = add_key(Settings.from_env(), name)
    emit({"name": name, "key": secret}, as_json, f"{secret}\nKeep it: only its hash is kept here.")


@serve_key.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The names of the keys."""
    from pipeline.api.keys import list_keys

    keys = list_keys(Settings.from_env())
    text = "\n".join(f"{key.name}  since {key.created_at[:10]}" for key in keys) or "No keys: nobody is asked for one."
    emit([{"name": key.name, "created_at": key.created_at} for key in keys], as_json, text)


@serve_key.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Take a key back; from the next start on it opens nothing."""
    from pipeline.api.keys import remove_key

    remove_key(Settings.from_env(), name)
    emit({"removed": name}, as_json, f"{name} is removed.")
