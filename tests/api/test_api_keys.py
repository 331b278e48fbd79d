"""Who may use the service: keys that change while it runs, scopes, names of hosts, and where it is open."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from pipeline.api.app import make_app
from pipeline.api.guard import OPEN_PATHS
from pipeline.api.keys import Scope, add_key, key_of, keys_file, list_keys, remove_key, rotate_key
from pipeline.cli.main import main
from pipeline.errors import AccessError
from pipeline.settings import Settings
from tests.serving import CLIP, Service

# Every endpoint that asks for a key, with its scope and a request whose answer depends on the key alone.
ENDPOINTS: dict[tuple[str, str], Scope] = {
    ("POST", "/analyze"): Scope.SCORE,
    ("POST", "/analyze/batch"): Scope.SCORE,
    ("POST", "/verify"): Scope.SCORE,
    ("GET", "/models"): Scope.SCORE,
    ("POST", "/feedback"): Scope.FEEDBACK,
    ("GET", "/metrics"): Scope.METRICS,
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("keys")
    found = Service(Settings(data_root=root / "data", models_root=root / "models"))
    yield found
    found.close()


@pytest.fixture
def closed(service: Service) -> Iterator[Service]:
    """With one key that no test has."""
    add_key(service.settings, "somebody")
    yield service
    for key in list_keys(service.settings):
        remove_key(service.settings, key.name)


def ask(service: Service, method: str, path: str, secret: str = "", **headers: str) -> httpx2.Response:
    given: dict[str, Any] = {}
    if path in ("/analyze", "/verify"):
        given = {"files": {"file" if path == "/analyze" else "audio": ("a.wav", b"no audio")}, "data": {"word": "ev"}}
    elif path == "/analyze/batch":
        given = {"files": [("files", ("a.wav", b"no audio"))], "data": {"words": ["ev"]}}
    elif path == "/feedback":
        given = {"json": {"prediction": "unknown", "agrees": True}}
    sent = {"Authorization": f"Bearer {secret}"} if secret else {}
    return service.client.request(method, path, headers={**sent, **headers}, **given)


def test_keys_are_added_rotated_and_removed_while_the_service_runs(service: Service) -> None:
    assert ask(service, "GET", "/models").status_code == 200, "no key was ever added"
    first = add_key(service.settings, "phone app")
    assert ask(service, "GET", "/models").status_code == 401
    assert ask(service, "GET", "/models", first).status_code == 200
    second = rotate_key(service.settings, "Phone  App")
    assert ask(service, "GET", "/models", first).status_code == 401
    assert ask(service, "GET", "/models", second).status_code == 200
    assert remove_key(service.settings, "phone app") == 0
    refused = ask(service, "GET", "/models")
    assert refused.status_code == 401, "removing the last key does not open the door"
    assert "None is set" in refused.json()["detail"]
    assert refused.headers["www-authenticate"] == "Bearer"
    keys_file(service.settings).unlink()
    assert ask(service, "GET", "/models").status_code == 401, "nor does taking the file away"
    third = add_key(service.settings, "phone app")
    assert ask(service, "GET", "/models", third).status_code == 200
    remove_key(service.settings, "phone app")


def test_a_file_of_keys_that_cannot_be_read_lets_nobody_in(settings: Settings) -> None:
    secret = add_key(settings, "lab")
    good = keys_file(settings).read_bytes()
    service = Service(settings)
    try:
        for damaged in (
            b"{",
            b"null",
            b'[{"name": "lab"}]',
            b'[{"name": "lab", "sha256": "", "created_at": ""}]',
            b"[1]",
        ):
            keys_file(settings).write_bytes(damaged)
            answer = ask(service, "GET", "/models", secret)
            assert answer.status_code == 503, damaged
            assert str(settings.data_root) not in answer.text
            assert service.client.get("/health").status_code == 200
        keys_file(settings).write_bytes(good)
        assert ask(service, "GET", "/models", secret).status_code == 200
        keys_file(settings).write_bytes(b"{")
        with pytest.raises(AccessError, match="cannot be read as a list of API keys"):
            make_app(settings)
    finally:
        service.close()


@pytest.mark.parametrize("scope", Scope)
def test_a_key_opens_what_its_scopes_say(closed: Service, scope: Scope) -> None:
    secret = add_key(closed.settings, f"only {scope}", [scope])
    for (method, path), needed in ENDPOINTS.items():
        answer = ask(closed, method, path, secret)
        assert (answer.status_code == 403) == (needed != scope), (path, answer.text)
        if needed != scope:
            assert answer.headers["content-type"] == "application/problem+json"
            assert f"does not have the scope {needed}" in answer.json()["detail"]


def test_every_path_but_the_open_ones_asks_for_a_key(closed: Service) -> None:
    routes = {(m, r.path) for r in make_app(closed.settings).routes for m in r.methods if m != "HEAD"}  # type: ignore[attr-defined]
    assert {(m, p) for m, p in routes if p not in OPEN_PATHS} == set(ENDPOINTS), "each has its scope in this test"
    for method, path in routes:
        assert (ask(closed, method, path).status_code == 401) == (path not in OPEN_PATHS), path
    for path in (
        "/models/",
        "//models",
        "/models%0A",
        "/Models",
        "/health/../models",
        "/health%0A",
        "/docs",
        "/nowhere",
    ):
        assert ask(closed, "GET", path).status_code == 401, path


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(closed: Service, scheme: str) -> None:
    secret = add_key(closed.settings, "cased")
    assert ask(closed, "GET", "/models", Authorization=f"{scheme} {secret}").status_code == 200


def test_no_trick_with_headers_opens_the_door(closed: Service) -> None:
    secret = add_key(closed.settings, "tricked", [Scope.METRICS])
    for value in ("", "Bearer", f"Basic {secret}", secret, f"Bearer {secret}x", f"Bearer {secret} {secret}",
                  "Bearer caf\u00e9"):  # fmt: skip
        assert ask(closed, "GET", "/metrics", Authorization=value.encode("latin-1")).status_code == 401, value  # type: ignore[arg-type]
    twice = [("Authorization", "Bearer x"), ("Authorization", f"Bearer {secret}")]
    assert closed.client.get("/metrics", headers=twice).status_code == 400
    for header in ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "X-Original-URL", "X-Rewrite-URL"):
        assert ask(closed, "GET", "/metrics", **{header: "127.0.0.1"}).status_code == 401, header
    assert closed.client.get("/metrics", params={"key": secret, "access_token": secret}).status_code == 401
    assert closed.client.get("/metrics", headers={"Cookie": f"Authorization=Bearer {secret}"}).status_code == 401


def test_a_key_is_asked_for_before_the_body_is_read_as_a_form(closed: Service) -> None:
    answer = closed.client.post("/analyze", content=b"x" * 300_000, headers={"content-type": "multipart/form-data"})
    assert answer.status_code == 401
    large = closed.client.post("/analyze", content=iter([bytes(50_000)] * 20))
    assert large.status_code == 413, "a refused body is bounded too"


def test_other_names_in_the_host_header_are_refused(settings: Settings) -> None:
    service = Service(settings, hosts={"localhost", "127.0.0.1", "::1", "Scores.Example.ORG"})
    try:
        for good in ("localhost", "LOCALHOST:1", "127.0.0.1:8600", "[::1]:8600", "[::1]", "scores.example.org"):
            assert service.client.get("/health", headers={"Host": good}).status_code == 200, good
        for bad in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::2]", "", "a@localhost"):
            answer = service.client.get("/health", headers={"Host": bad, "X-Forwarded-Host": "localhost"})
            assert answer.status_code == 400, bad
            assert answer.headers["content-type"] == "application/problem+json"
    finally:
        service.close()


def test_openapi_is_served_by_choice(settings: Settings) -> None:
    service = Service(settings, openapi=False)
    try:
        assert service.client.get("/openapi.json").status_code == 404
        assert service.client.get("/docs").status_code == 404
    finally:
        service.close()


@pytest.fixture
def command(settings: Settings) -> Any:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    return lambda *arguments: CliRunner().invoke(main, list(arguments), env=env)


def test_serving_a_network_without_keys_needs_a_flag(command: Any, settings: Settings) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        for what in (["serve"], ["wakeword", "judge", "RUN"]):
            refused = command(*what, "--host", host, "--port", "0")
            assert refused.exit_code == 1
            assert refused.output.count("\n") == 1
            assert "--open-to-network" in refused.output
    # 192.0.2.1 is nobody's address: with the flag, or a key, it is tried and cannot be had.
    for prepared in (["--open-to-network"], []):
        if not prepared:
            add_key(settings, "lab")
            remove_key(settings, "lab")
        tried = command("serve", "--host", "192.0.2.1", "--port", "0", *prepared)
        assert tried.exit_code == 1
        assert "cannot listen on" in tried.output
        assert "Traceback" not in tried.output


def test_keys_by_the_command_line(command: Any) -> None:
    made = json.loads(command("serve-key", "add", "lab", "--scope", "score", "--scope", "metrics", "--json").output)
    assert made["key"].startswith("pronlab_")
    assert made["scopes"] == ["score", "metrics"]
    assert "lab" in command("serve-key", "list").output
    turned = json.loads(command("serve-key", "rotate", "lab", "--json").output)
    assert turned["key"] != made["key"]
    (listed,) = json.loads(command("serve-key", "list", "--json").output)
    assert (listed["name"], listed["scopes"]) == ("lab", ["score", "metrics"])
    assert command("serve-key", "add", "Lab").exit_code == 1
    removed = command("serve-key", "remove", "lab")
    assert removed.exit_code == 0
    assert "refuses every request" in removed.output
    assert "refuses every request" in command("serve-key", "list").output
    for arguments in (["remove", "lab"], ["rotate", "lab"], ["add", " "], ["add", "a\tb\x00"], ["add", "x" * 81]):
        failed = command("serve-key", *arguments)
        assert failed.exit_code == 1
        assert failed.output.count("\n") == 1


def test_secrets_are_kept_as_hashes_in_a_private_file(settings: Settings) -> None:
    secret = add_key(settings, "lab")
    path = keys_file(settings)
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = key_of(list_keys(settings), secret)
    assert key is not None
    assert key.name == "lab"
    assert key_of(list_keys(settings), secret + "x") is None
    before = path.read_bytes()
    with pytest.raises(AccessError, match="A key named 'LAB' already exists"):
        add_key(settings, "LAB")
    assert path.read_bytes() == before


def test_keys_of_an_earlier_version_open_everything(settings: Settings) -> None:
    secret = add_key(settings, "old")
    (raw,) = json.loads(keys_file(settings).read_text())
    del raw["scopes"]
    keys_file(settings).write_text(json.dumps([raw]))
    key = key_of(list_keys(settings), secret)
    assert key is not None
    assert key.scopes == tuple(Scope)


def test_forty_keys_by_eight_processes_are_forty_keys(settings: Settings) -> None:
    code = (
        "import sys, pathlib; from pipeline.api.keys import add_key; from pipeline.settings import Settings\n"
        "root = pathlib.Path(sys.argv[1])\n"
        "for n in range(5): add_key(Settings(root, root), f'key {sys.argv[2]} {n}')"
    )
    command = [sys.executable, "-c", code, str(settings.data_root)]
    processes = [subprocess.Popen([*command, str(n)]) for n in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    assert {key.name for key in list_keys(settings)} == {f"key {n} {m}" for n in range(8) for m in range(5)}


def test_no_key_is_in_the_log(closed: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    secret = add_key(closed.settings, "private")
    ask(closed, "GET", "/models", secret)
    ask(closed, "GET", f"/models?key={secret}", secret)
    closed.client.post("/analyze", files={"file": ("a.wav", CLIP.read_bytes())}, data={"word": "gizli"})
    logged = [record.getMessage() for record in caplog.records if record.name == "pronlab.api"]
    assert any('"/models"' in line for line in logged)
    assert not any(secret in line or "gizli" in line for line in logged)
