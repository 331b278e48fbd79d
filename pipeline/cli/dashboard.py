"""`pronlab dashboard`: install the demo if it is missing, then start the Streamlit server."""

import os
import socket
import sys

import click

from pipeline.cli._output import say
from pipeline.errors import CorpusError, JobError, said_by
from pipeline.i18n import N_
from pipeline.people.access import SYSTEM
from pipeline.people.exposure import FLAG, VARIABLE, has_sign_in, is_loopback, require_closed, was_allowed
from pipeline.people.people import People
from pipeline.settings import CHECKOUT, HOME, Settings

# What the Compare page shows of the demo on a first visit.
DEMO_SCORERS = ("heuristic", "acoustic57", "reference")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="The port to listen on.")
@click.option("--address", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(FLAG, "open_to_network", is_flag=True, help="Give everyone on the network access, with every role.")
@click.option("--demo/--no-demo", default=True, help="Install the synthetic demo set if it is missing.")
def dashboard(port: int, address: str, open_to_network: bool, demo: bool) -> None:
    """Open the dashboard in the browser.

    It listens on this machine only, unless --address says otherwise. To open it to a network, set up a list of people
    or a sign-in (docs/how-to/sign-in.md), or give --open-to-network: everyone there can then do everything, and every
    page says so.
    """
    settings = Settings.from_env()
    allowed = open_to_network or was_allowed()
    require_closed(settings, address, signs_in=has_sign_in(), allowed=allowed)
    require_free_port(address, port)
    if demo:
        ensure_demo(settings)
    host = "localhost" if is_loopback(address) else address
    say(f"Pronlab starts on http://{host}:{port} (Ctrl+C stops it).")
    sys.stdout.flush()
    environment = absolute_roots(settings) | ({VARIABLE: "1"} if allowed else {})
    HOME.mkdir(parents=True, exist_ok=True)
    os.chdir(HOME)  # where .streamlit/secrets.toml may be
    os.execve(sys.executable, server_command(address, port), os.environ | environment)  # noqa: S606


def absolute_roots(settings: Settings) -> dict[str, str]:
    """The settings as environment variables that hold from any working folder."""
    roots = {"PRONLAB_DATA_ROOT": settings.data_root, "PRONLAB_MODELS_ROOT": settings.models_root}
    if settings.encoder_path is not None:
        roots["PRONLAB_ENCODER_PATH"] = settings.encoder_path
    return {name: str(path) for name, path in roots.items()}


def server_command(address: str, port: int) -> list[str]:
    """The command line of the Streamlit server; beyond loopback it answers to any host name."""
    options = {"server.address": address, "server.port": str(port)}
    if not is_loopback(address):
        options["server.allowedHosts"] = "*"
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(CHECKOUT / "dashboard" / "app.py"), *arguments]


def require_free_port(address: str, port: int) -> None:
    """Raises JobError where the port is taken or the address is not one of this machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise JobError(
                N_(
                    "The dashboard cannot listen on {address}:{port} ({reason}). Another program may be using the "
                    "port, perhaps a dashboard that is still running: stop it, or choose another port with `pronlab "
                    "dashboard --port {other_port}`."
                ),
                address=address,
                port=str(port),
                reason=said_by(error),
                other_port=str(port % 65535 + 1),
            ) from error


def ensure_demo(settings: Settings) -> None:
    """Copy the committed synthetic corpus into this installation and have it scored in the background, once; an
    unreadable demo does not stop the start."""
    from pipeline.corpus.sets import list_sets
    from pipeline.importing.demo import install_demo
    from pipeline.scoring.batch import launch_scoring

    if any(set_.name == "demo" for set_ in list_sets(settings)):
        return
    say("Installing the synthetic demo recordings ...")
    try:
        install_demo(settings, by=SYSTEM)
        if People(settings).is_open:  # else somebody of the list starts it, on the Compare page
            launch_scoring(settings, "demo", DEMO_SCORERS)
    except (CorpusError, JobError) as error:
        say(f"pronlab: the demo could not be installed completely: {error}", err=True)
