"""What the service bears: silent and slow clients, mistakes of all kinds, batches, broken models; and what it says of
itself."""

import asyncio
import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from pipeline.api import work
from pipeline.api.limits import Limits
from pipeline.api.problems import Problem
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.importing.demo import install_demo
from pipeline.settings import Settings
from tests.serving import CLIP, PATIENCE_S, Service, wait_for

SOON = Limits(max_bytes=400_000, batch=3, workers=1, header_s=0.5, body_s=1.0, send_s=0.5, connections=20)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("limits")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    install_demo(settings)
    found = Service(settings, SOON)
    wait_for(lambda: found.client.get("/ready").status_code == 200)
    yield found
    found.close()


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE_S)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    content = b""
    with suppress(ConnectionResetError, BrokenPipeError):
        while piece := connection.recv(65536):
            content += piece
    return content


HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /analyze HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"


@pytest.mark.parametrize("begun", [b"", b"G", HEAD, HEAD + b"X-Long: " + b"y" * 5000])
def test_a_client_whose_headers_do_not_come_is_closed(service: Service, begun: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(begun)
        assert rest(connection) == b""


def test_headers_that_drip_in_are_not_waited_for(service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD)
        connection.settimeout(0.05)
        closed = False
        while not closed:
            with suppress(TimeoutError):
                try:
                    connection.sendall(b"X: y\r\n")
                    closed = connection.recv(1) == b""
                except (ConnectionResetError, BrokenPipeError):
                    closed = True


def test_a_second_request_that_is_never_finished_is_closed_too(service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD + b"\r\n" + HEAD)
        answer = rest(connection)
    assert answer.count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 1000\r\n\r\n--b\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n\r\n",
        b"Content-Length: 9\r\n\r\n",
    ],
)  # fmt: skip
def test_half_a_body_is_answered_and_closed(service: Service, body: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(POST + body)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer


def test_a_client_that_takes_no_answers_is_closed(service: Service) -> None:
    with connected(service) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while True:
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100)


def test_more_connections_than_are_allowed_are_closed_at_once(service: Service) -> None:
    open_ones = []
    try:
        for _ in range(SOON.connections + 5):
            open_ones.append(connected(service))
        assert rest(open_ones[-1]) == b""
    finally:
        for connection in open_ones:
            connection.close()
    wait_for(lambda: _answers(service))


def _answers(service: Service) -> bool:
    with connected(service) as connection:
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
        return rest(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n", HEAD + b"X" * 100_000, b"GET / HTTP/1.1\r\n\r\n", HEAD + b"Host: y\r\n\r\n",
        POST + b"Content-Length: x\r\n\r\n", POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\nz\r\n",
        POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", HEAD + b"X: \0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_a_bad_request(service: Service, sent: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(sent)
        answer = rest(connection)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), answer[:200]
    assert b"application/problem+json" in answer


def part(name: bytes, content: bytes, extra: bytes = b"") -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="' + name + b'"' + extra + b"\r\n\r\n" + content + b"\r\n"


FILE = part(b"file", b"no audio", b'; filename="a.wav"')
END = b"--b--\r\n"
FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        *((f"{FORM}; charset={charset}", FILE + part(b"word", b"+2AA-\\ud800\xff") + END)
          for charset in ("undefined", "punycode", "unicode_escape", "utf-7", "utf-16", "idna", "hex")),
        ("multipart/form-data", FILE), ("multipart/form-data; boundary=", FILE), (FORM, b""), (FORM, FILE),
        (FORM, b"--b\r\n\r\nx\r\n--b--\r\n"), (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (FORM, FILE + part(b"word", b"\xff\x00") + END), (FORM, FILE + part(b"word", b"a\x00b") + END),
        (FORM, FILE + part(b"word", b"ev") + part(b"participant", b"\x1b[2J") + END),
        (FORM, FILE + part(b"word", b"ev", b'; filename="w"') + END),
        (FORM, part(b"file", b"x") + part(b"word", b"ev") + END),
        (FORM, FILE + b"".join(part(b"x", b"y") for _ in range(3000)) + END),
        (FORM, FILE + part(b"word", b"x" * 390_000) + END),
        (FORM, b"--b\r\n" + b"X: y\r\n" * 20_000 + b"\r\nx\r\n" + END),
        ("application/x-www-form-urlencoded", b"word=ev&file=x"), ("application/json", b'{"word": "ev"}'), ("", b"x"),
    ],
)  # fmt: skip
def test_a_form_that_is_none_is_the_clients_mistake(service: Service, content_type: str, body: bytes) -> None:
    answer = service.client.post("/analyze", content=body, headers={"content-type": content_type})
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "!!!"}, "contains no words"), ({"text": "Lеt's go"}, "CYRILLIC"),
        ({"text": "a" * 200}, "a word can have at most"), ({"text": "\U0001f600"}, "contains no words"),
        ({"text": "a house", "scorer": "reference"}, "has no model for a sentence here"),
        ({"word": "  ", "text": " \u2028"}, "Give the text that was to be said"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_judged_is_the_clients_mistake(
    service: Service, fields: dict[str, str], words: str
) -> None:
    answer = service.analyze(**fields)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]


def test_blank_words_beside_a_text_are_no_word(service: Service) -> None:
    target = service.analyze(word="  ", text="a house").json()["result"]["target"]
    assert (target["text"], target["rubric"]) == ("a house", "sentence")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[" * 100_000, b'{"prediction": "x", "score": NaN}',
        b'{"prediction": "x", "score": 1e999}',
        b'{"prediction": "x", "score": ' + b"9" * 5000 + b"}", b'{"prediction": "\\ud800", "agrees": true}',
        b'{"prediction": "x", "comment": "\\ud800"}', b"\xff\xfe{", b'{"prediction": "x\\u0000", "agrees": true}',
    ],
)  # fmt: skip
def test_feedback_that_is_none_is_the_clients_mistake(service: Service, body: bytes) -> None:
    answer = service.client.post("/feedback", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def post_batch(service: Service, clips: list[bytes], words: list[str], **fields: str) -> Any:
    files = [("files", ("a.wav", clip)) for clip in clips]
    return service.client.post("/analyze/batch", files=files, data={"words": words, **fields})


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.split(b"\n")[:-1]]


def test_a_batch_is_bounded_as_one_request_is(service: Service) -> None:
    clip = CLIP.read_bytes()
    assert post_batch(service, [clip] * 4, ["ev"] * 4).status_code == 422, "too many"
    assert post_batch(service, [bytes(150_000)] * 3, ["ev"] * 3).status_code == 413, "too large together"
    assert post_batch(service, [clip], ["e" * 1001]).status_code == 422, "a word too long"
    assert post_batch(service, [clip, clip], ["ev", " "]).status_code == 422, "a word of nothing"


def test_the_audio_of_a_batch_is_bounded_in_each_file_and_together(settings: Settings) -> None:
    """Of .6 s each: after the first one, .4 s are left."""
    clip = CLIP.read_bytes()
    for limits, expected in (
        (Limits(workers=1, batch_max_s=1.0), [None, 422, 422]),
        (Limits(workers=1, max_s=0.5), [422, 422, 422]),
        (Limits(workers=1, batch_timeout_s=0.0), [504, 504, 504]),
    ):
        service = Service(settings, limits)
        try:
            lines = lines_of(post_batch(service, [clip] * 3, ["araba"] * 3))
            assert [line.get("status") for line in lines] == expected, lines
        finally:
            service.close()


def test_lines_of_a_batch_end_at_line_feeds_only(service: Service) -> None:
    answer = post_batch(service, [CLIP.read_bytes()] * 2, ["ara\u2028ba", "ara\u0085\u2029ba"])
    assert len(answer.text.splitlines()) == 2
    assert [line["result"]["target"]["text"] for line in lines_of(answer)] == ["ara\u2028ba", "ara\u0085\u2029ba"]


def test_a_batch_that_finds_no_place_is_told_before_it_begins(settings: Settings) -> None:
    service = Service(settings, replace(SOON, workers=1, queue=-1))  # a queue that is full whatever comes
    try:
        answer = post_batch(service, [b"x"], ["ev"])
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert "pronlab_requests_refused_total 1.0" in service.client.get("/metrics").text
    finally:
        service.close()


def test_readiness_tells_what_is_broken_and_heals_with_it(settings: Settings) -> None:
    broken = settings.deployed_root / "word"
    shutil.copytree(settings.released_models / "word-demo", broken)
    (broken / "model_info.json").write_text("{")
    service = Service(settings, Limits(workers=1))
    try:
        wait_for(lambda: "model_info.json" in service.client.get("/ready").text)
        answer = service.client.get("/ready")
        assert answer.status_code == 503
        assert str(settings.models_root) not in answer.text
        for asked in (service.analyze(word="araba"), service.client.get("/models")):
            assert asked.status_code == 503, asked.text
            assert str(settings.models_root) not in asked.text
        shutil.rmtree(broken)
        wait_for(lambda: service.client.get("/ready").status_code == 200)
        assert service.analyze(word="araba").status_code == 200
    finally:
        service.close()


def test_a_service_that_can_start_no_process_says_so_and_heals(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise OSError("no process can be forked")

    monkeypatch.setattr(work, "Process", refused)
    service = Service(settings, Limits(workers=1, wait_s=0.2))
    try:
        wait_for(lambda: "could not be started" in service.client.get("/ready").text)
        assert service.client.get("/ready").status_code == 503
        health = service.client.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "recovering"), "it is alive, and needs no restart"
        answer = service.analyze(word="araba")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "No process was free within 0.2 s" in answer.json()["detail"]
        monkeypatch.undo()
        wait_for(lambda: service.client.get("/ready").status_code == 200)
        assert service.client.get("/health").json()["status"] == "ok"
    finally:
        service.close()


def test_a_defect_is_answered_without_its_insides(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def defect(*_: Any) -> None:
        raise RuntimeError("secret in /srv/pronlab/app.py")

    monkeypatch.setattr(work.Workers, "run", defect)
    answer = service.analyze(word="araba")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-request-id"] in caplog.text, "the log has it under the request's id"
    (line,) = lines_of(post_batch(service, [b"x"], ["ev"]))
    assert line["status"] == 500
    for text in (answer.text, json.dumps(line)):
        assert "secret" not in text
        assert "Traceback" not in text
    assert service.client.get("/health").status_code == 200


def test_a_task_that_breaks_in_a_worker_is_a_defect_and_costs_nobody_else(settings: Settings) -> None:
    workers = work.Workers(settings, Limits(workers=1))
    try:
        for broken in (work.Task("no bytes"), work.Task(lambda: None)):  # type: ignore[arg-type]  # cannot be sent
            with pytest.raises(RuntimeError, match="In a process that scores"):
                asyncio_run(workers.run(broken))
        with pytest.raises(Problem, match="cannot be read as audio"):
            asyncio_run(workers.run(work.Task(b"no audio")))
        assert workers.replaced == 0
    finally:
        workers.close()


def asyncio_run(task: Any) -> Any:
    """In a thread with a loop of its own: the browser's tests leave one running in theirs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, task).result()


def test_a_log_that_another_program_holds_keeps_nobody_waiting_for_long(service: Service) -> None:
    assert service.analyze(word="araba").status_code == 200
    lost = PredictionLog(service.settings)
    holder = sqlite3.connect(service.settings.data_root / "predictions.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert service.analyze(word="araba").status_code == 200
        assert service.client.get("/health").json()["predictions_lost"] == 1
        said = service.client.post("/feedback", json={"prediction": "x", "agrees": True})
        assert said.status_code == 503
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert lost.days()


def test_metrics_are_what_they_are_said_to_be(service: Service) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    service.analyze(word="araba")
    answer = service.client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family.type for family in text_string_to_metric_families(answer.text)}
    described = service.client.get("/openapi.json").json()["paths"]["/metrics"]["get"]
    assert list(described["responses"]["200"]["content"]) == ["text/plain"]
    names = {line.split("`")[1].split("{")[0] for line in described["description"].splitlines() if line[:1] == "-"}
    assert names == {
        name + "_total" * (kind == "counter") for name, kind in families.items() if name[-8:] != "_created"
    }
    assert families["pronlab_predictions_lost"] == "counter"


def test_unknown_paths_are_counted_together(service: Service) -> None:
    for n in range(5):
        service.client.get(f"/nowhere/{n}")
    text = service.client.get("/metrics").text
    assert 'path="other"' in text
    assert "/nowhere" not in text
