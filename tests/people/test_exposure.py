"""An installation without a list of people and without sign-in is for this machine, unless somebody says otherwise."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dashboard.navigation import PAGES
from pipeline.api.guard import check_exposure
from pipeline.api.keys import KeyRing, add_key, keys_file, list_keys
from pipeline.cli import dashboard as command
from pipeline.cli.main import main
from pipeline.errors import AccessError
from pipeline.people.access import Action, Role
from pipeline.people.exposure import has_sign_in, is_loopback, require_closed, was_allowed
from pipeline.people.people import People, Person, permit
from pipeline.settings import Settings
from tests.pages import said
from tests.projects.test_projects import ADMIN


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost",
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "[::1]",
        " 127.0.0.1 ",
        "::ffff:127.0.0.1",
        "unix:///run/x",
    ],
)
def test_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "0.0.0.0",
        "::",
        "[::]",
        "0",
        "192.168.1.5",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "pc.invalid",
        "*",
        "localhost.invalid",
    ],
)
def test_others_reach_it_too(host: str | None) -> None:
    assert not is_loopback(host)


def test_a_name_that_stands_for_loopback_and_more_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(name: str, port: None) -> list[Any]:
        return [(0, 0, 0, "", (address, 0)) for address in ("127.0.1.1", "10.0.0.7")]

    monkeypatch.setattr("socket.getaddrinfo", both)
    assert not is_loopback("workstation")


def test_a_list_or_a_sign_in_or_a_word_closes_it(settings: Settings) -> None:
    require_closed(settings, "127.0.0.1", signs_in=False, allowed=False)
    with pytest.raises(AccessError, match="--open-to-network"):
        require_closed(settings, "0.0.0.0", signs_in=False, allowed=False)
    require_closed(settings, "0.0.0.0", signs_in=False, allowed=True)
    require_closed(settings, "0.0.0.0", signs_in=True, allowed=False)
    People(settings).save(Person("Ada", (Role.ADMIN,)), ADMIN)
    require_closed(settings, "0.0.0.0", signs_in=False, allowed=False)


def test_sign_in_is_found_in_the_secrets(tmp_path: Path) -> None:
    assert not has_sign_in(tmp_path)
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    for text, found in (("", False), ("[other]\n", False), ('[auth]\nclient_id = "x"\n', True)):
        secrets.write_text(text, encoding="utf-8")
        assert has_sign_in(tmp_path) is found


AUTH = '[auth]\nredirect_uri = "http://localhost:8501/oauth2callback"\n'


def _written(path: Path, content: bytes | str) -> None:
    """A file, or what stands in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if content == "a folder":
        path.mkdir()
    elif content == "a link to nowhere":
        path.symlink_to("nowhere")
    elif content == "a circle":
        path.symlink_to(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


BROKEN = {
    "an unclosed quote": AUTH + 'cookie_secret = "x\n',
    "an unclosed table": "[auth",
    "a byte order mark": "\ufeff" + AUTH,
    "UTF-16": AUTH.encode("utf-16"),
    "another table twice": AUTH + "[a]\n[a]\n",
    "too deep": "a = " + "[" * 100_000,
    "a folder": "a folder",
    "a link to nowhere": "a link to nowhere",
    "a circle": "a circle",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_the_dashboard_does_not_start_with_secrets_that_cannot_be_read(tmp_path: Path, content: bytes | str) -> None:
    secrets = tmp_path / "broken" / ".streamlit" / "secrets.toml"
    secrets.parent.parent.mkdir()
    _written(secrets, content)
    good = tmp_path / "good" / ".streamlit" / "secrets.toml"
    good.parent.parent.mkdir()
    _written(good, AUTH)
    for folders in ((secrets.parents[1],), (good.parents[1], secrets.parents[1])):
        with pytest.raises(AccessError, match="cannot be read as Streamlit's secrets") as told:
            has_sign_in(*folders)
        assert "\n" not in str(told.value)
        assert str(secrets) in str(told.value)


@pytest.fixture
def secrets_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one file that Streamlit takes its secrets from."""
    import streamlit as st

    path = tmp_path / ".streamlit" / "secrets.toml"
    real = st.get_option
    options = lambda key: [str(path)] if key == "secrets.files" else real(key)  # noqa: E731
    monkeypatch.setattr(st, "get_option", options)
    monkeypatch.setattr("streamlit.config.get_option", options)
    monkeypatch.setattr(st.secrets, "_secrets", None)
    return path


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("listed", [True, False], ids=["with a list", "without one"])
def test_pages_let_nobody_in_with_secrets_that_cannot_be_read(
    open_page: Callable[..., Any], secrets_at: Path, settings: Settings, content: bytes | str, listed: bool
) -> None:
    if listed:
        People(settings).save(Person("Ada", (Role.ADMIN,)), ADMIN)
    _written(secrets_at, content)
    opened = open_page("projects", rater="Ada")
    assert "cannot be read as Streamlit's secrets" in said(opened)
    assert len(opened.error) == 1
    assert not opened.exception
    assert not opened.title
    assert not opened.selectbox
    assert not opened.dataframe


def test_pages_ask_the_list_where_there_are_no_secrets(
    open_page: Callable[..., Any], secrets_at: Path, settings: Settings
) -> None:
    People(settings).save(Person("Ada", (Role.ADMIN,)), ADMIN)
    opened = open_page("projects", rater="Ada")
    assert opened.title[0].value == "Projects"
    assert not opened.error


@pytest.fixture
def start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, dict[str, str]]]:
    """`pronlab dashboard`, without becoming the server: what it says, and the server's environment."""
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.delenv("PRONLAB_OPEN_TO_NETWORK", raising=False)
    monkeypatch.setattr(command, "require_free_port", lambda *_: None)
    monkeypatch.setattr(command, "has_sign_in", lambda: False)
    monkeypatch.setattr(os, "chdir", lambda _: None)

    def start_(*options: str) -> tuple[str, dict[str, str]]:
        started: dict[str, str] = {}
        monkeypatch.setattr(os, "execve", lambda _program, _command, environment: started.update(environment))
        done = CliRunner().invoke(main, ["dashboard", "--no-demo", *options])
        assert (done.exit_code == 0) == bool(started), done.output
        return done.output, started

    return start_


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "pc.invalid"])
def test_the_dashboard_does_not_open_to_a_network_by_itself(
    start: Callable[..., tuple[str, dict[str, str]]], address: str
) -> None:
    output, started = start("--address", address)
    assert "no list of people" in output
    assert len(output.strip().splitlines()) == 1
    assert not started
    _, started = start("--address", address, "--open-to-network")
    assert started["PRONLAB_OPEN_TO_NETWORK"] == "1"


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_the_dashboard_opens_to_this_machine(start: Callable[..., tuple[str, dict[str, str]]], address: str) -> None:
    _, started = start("--address", address)
    assert "PRONLAB_OPEN_TO_NETWORK" not in started


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """As if Streamlit had been started on that address by whatever means."""
    import streamlit as st

    real = st.get_option

    def listen_(address: str | None) -> None:
        monkeypatch.setattr(st, "get_option", lambda key: address if key == "server.address" else real(key))

    return listen_


@pytest.mark.parametrize("address", [None, "0.0.0.0", "::"])
@pytest.mark.parametrize("page", [PAGES[0].name, "practice", "data"])
def test_pages_show_nothing_where_the_server_was_opened_by_other_means(
    open_page: Callable[..., Any], listen: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch,
    page: str, address: str | None,
) -> None:  # fmt: skip
    monkeypatch.delenv("PRONLAB_OPEN_TO_NETWORK", raising=False)
    listen(address)
    opened = open_page(page)
    assert "neither a list of people nor a sign-in" in said(opened)
    assert not opened.title
    assert not opened.dataframe


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_every_page_of_an_open_installation_on_a_network_has_a_banner(
    open_page: Callable[..., Any], listen: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setenv("PRONLAB_OPEN_TO_NETWORK", "1")
    assert was_allowed()
    listen("0.0.0.0")
    opened = open_page(page)
    assert "open to the network" in opened.warning[0].value
    assert opened.title


def test_no_banner_where_people_are_known(
    open_page: Callable[..., Any], listen: Callable[[str | None], None], settings: Settings
) -> None:
    People(settings).save(Person("Ada", (Role.ADMIN,)), ADMIN)
    listen("0.0.0.0")
    opened = open_page("projects", rater="Ada")
    assert not opened.warning
    assert opened.title[0].value == "Projects"


PLACES = ["a folder", "a link to nowhere", "a circle"]


@pytest.mark.parametrize("place", PLACES)
def test_whatever_stands_in_place_of_the_list_of_people_closes_the_installation(
    open_page: Callable[..., Any], settings: Settings, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    _written(settings.data_root / "people.json", place)
    people = People(settings)
    assert not people.is_open
    for ask in (
        people.all,
        people.raters,
        lambda: people.identify("Ada"),
        lambda: permit(settings, None, Action.SEE_SETS),
    ):
        with pytest.raises(AccessError):
            ask()
    with pytest.raises(AccessError, match=r"people\.json is damaged"):
        people.add_or_change("Ada", ADMIN, roles=(Role.ADMIN,))
    done = CliRunner().invoke(main, ["index", "status"])
    assert done.exit_code != 0
    assert len(done.output.strip().splitlines()) == 1
    opened = open_page("projects", rater="Ada")
    assert "people.json is damaged" in said(opened).replace("\\", "")
    assert not opened.title


@pytest.mark.parametrize("place", PLACES)
def test_whatever_stands_in_place_of_the_keys_closes_the_service(settings: Settings, place: str) -> None:
    _written(keys_file(settings), place)
    for ask in (lambda: KeyRing(settings), lambda: list_keys(settings), lambda: add_key(settings, "lab")):
        with pytest.raises(AccessError, match=r"cannot be read as a list of API keys|cannot be followed"):
            ask()
    check_exposure(settings, "0.0.0.0", open_to_network=False)  # nobody is let in without a key


@pytest.mark.parametrize("place", PLACES)
def test_keys_that_give_way_to_something_else_open_nothing(settings: Settings, place: str) -> None:
    add_key(settings, "lab")
    ring = KeyRing(settings)
    assert ring.keys()
    keys_file(settings).unlink()
    _written(keys_file(settings), place)
    with pytest.raises(AccessError, match="cannot be read as a list of API keys"):
        ring.keys()
    keys_file(settings).rmdir() if place == "a folder" else keys_file(settings).unlink()
    assert ring.keys() == []
