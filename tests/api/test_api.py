"""The HTTP service: its answers, its errors, its limits, and its own description of itself."""

import asyncio
import io
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import soundfile

from pipeline.api import work
from pipeline.api.client import Client, ServiceError
from pipeline.api.problems import Problem
from pipeline.deployment.model_registry import add_candidate
from pipeline.deployment.prediction_log import SAMPLED_A_DAY, FeedbackError, LogError, PredictionLog
from pipeline.deployment.routing import IN_USE, begin, end, set_shadow, side
from pipeline.importing.demo import install_demo
from pipeline.records import ScoreResult, Target
from pipeline.runs import RunDirectory
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.data import load_training_data
from pipeline.scoring.feature_based.train import run_training
from pipeline.settings import Settings
from tests.serving import CLIP, LIMITS, Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("service")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    install_demo(settings)
    found = Service(settings)
    yield found
    found.close()


def test_a_word_is_scored_logged_and_commented_on(service: Service) -> None:
    answer = service.analyze(word="araba", participant="Deniz")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert 0 <= found["overall"] <= 100
    assert found["result"]["target"] == {"text": "araba", "language": "tr", "rubric": "word", "phones": None}
    log = PredictionLog(service.settings)
    (newest, *_) = log.newest(found["result"]["model_id"], 1)
    assert (newest.id, newest.participant, newest.overall) == (found["prediction"], "Deniz", found["overall"])
    said = service.client.post(
        "/feedback", json={"prediction": found["prediction"], "score": 70, "comment": "zu streng"}
    )
    assert said.status_code == 204
    assert log.newest(found["result"]["model_id"], 1)[0].people == 70
    assert log.days()[-1].n >= 1


@pytest.mark.parametrize(
    ("fields", "content", "status", "words"),
    [
        ({}, None, 422, "Give the text that was to be said"),
        ({"word": "ev", "text": "a house"}, None, 422, "Give the text that was to be said"),
        ({"word": "ev", "scorer": "magic"}, None, 422, "Unknown scorer 'magic'"),
        ({"word": "ev", "language": "xx"}, None, 422, "“xx” is not known here. Known are en (English), tr (Turkish)"),
        ({"word": "ev"}, b"no audio at all", 422, "cannot be read as audio"),
        ({"word": "ev"}, b"", 422, "is empty"),
        ({"word": "ev" * 600}, None, 422, "word: String should have at most"),
        ({"word": "ev"}, bytes(500_000), 413, "At most 0.4 MB"),
    ],
)
def test_what_cannot_be_used_is_refused_in_problem_details(
    service: Service, fields: dict[str, str], content: bytes | None, status: int, words: str
) -> None:
    answer = service.analyze(content, **fields)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_written_prompt_is_analysed_logged_and_commented_on(service: Service) -> None:
    text = "Explain fractions to beginners. Use at most 90 words."
    as_json = service.client.post("/analyze", json={"prompt": text, "participant": "Deniz"})
    as_form = service.client.post("/analyze", data={"prompt": text})
    assert (as_json.status_code, as_form.status_code) == (200, 200), as_json.text
    answer = as_json.json()
    assert answer["overall"] == as_form.json()["overall"] == answer["rule"]
    assert 0 < answer["specificity"] < answer["clarity"] <= 100
    assert answer["improvements"][0]["aspect"] in ("clarity", "specificity")
    assert (answer["scoring_method"], answer["model_id"]) == ("heuristic", "level-0")
    log = PredictionLog(service.settings)
    logged = next(row for row in log.newest("level-0") if row.id == answer["prediction"])
    assert logged.participant == "Deniz"
    comment = {"prediction": answer["prediction"], "score": 70, "kind": "expert"}
    assert service.client.post("/feedback", json=comment).status_code == 204
    for refused in (
        service.client.post("/analyze", json={"prompt": ""}),
        service.client.post("/analyze", json={"text": "x"}),
        service.client.post("/analyze", content=b"{", headers={"content-type": "application/json"}),
        service.client.post("/analyze", data={"prompt": "x" * 8001}),
        service.client.post("/analyze", data={"prompt": "x", "word": "y"}),
        service.client.post("/analyze", data={"word": "y"}),
    ):
        assert refused.status_code == 422, refused.text
        assert refused.headers["content-type"] == "application/problem+json"


def test_a_process_is_ready_once_the_model_of_prompts_is_loaded_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first prompt would wait for PyTorch, and be ended on a busy machine, as would the first after that."""
    asked: list[str] = []
    monkeypatch.setattr("pipeline.audio.voice.surest_voice", lambda _: None)
    monkeypatch.setattr(work, "answer", lambda *_: None)
    monkeypatch.setattr(work, "load_sounds", lambda *_: None)
    monkeypatch.setattr(work, "answer_prompt", lambda _, text: asked.append(text))
    assert work._loaded(settings, None) == ""
    assert len(asked) == 1


def test_a_small_file_of_long_silence_is_refused_before_it_is_decoded(service: Service) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(16_000 * 600, dtype=np.float32), 16_000, format="FLAC")
    assert len(buffer.getvalue()) < LIMITS.max_bytes
    answer = service.analyze(buffer.getvalue(), word="ev")
    assert answer.status_code == 422
    assert "lasts 600 s; at most 6 s" in answer.json()["detail"]


def test_a_batch_is_answered_line_by_line_and_errors_stay_in_their_line(service: Service) -> None:
    files = [("files", (f"{n}.wav", content, "audio/wav")) for n, content in enumerate((CLIP.read_bytes(), b"x"))]
    answer = service.client.post("/analyze/batch", files=files, data={"words": ["araba", "ev"]})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0]["overall"] is not None
    assert (lines[1]["status"], lines[1]["title"]) == (422, "Unprocessable content")
    short = service.client.post("/analyze/batch", files=files, data={"words": ["araba"]})
    assert short.status_code == 422
    assert "got 2 files and 1 words" in short.json()["detail"]


def test_the_rest_of_it(service: Service) -> None:
    health = service.client.get("/health").json()
    assert (health["status"], health["predictions_lost"]) == ("ok", 0)
    models = service.client.get("/models").json()
    assert {"scorer": "heuristic", "rubric": "word", "default": False} in models
    assert len([m for m in models if m["default"]]) == 2
    service.analyze(word="araba")
    text = service.client.get("/metrics").text
    assert 'pronlab_requests_total{path="/analyze",status="200"}' in text
    assert "pronlab_scoring_seconds_count" in text
    missing = service.client.post("/verify", files={"audio": ("a.wav", CLIP.read_bytes(), "audio/wav")})
    assert missing.status_code == 404
    assert "pronlab serve --detector" in missing.json()["detail"]
    unknown = service.client.post("/feedback", json={"prediction": "nothing", "agrees": True})
    assert (unknown.status_code, unknown.json()["title"]) == (422, "Unprocessable content")
    given = service.client.get("/health", headers={"x-request-id": "abc123"})
    assert given.headers["x-request-id"] == "abc123"
    forged = service.client.get("/health", headers={"x-request-id": "a\tb{"})
    assert forged.headers["x-request-id"] != "a\tb{"


def test_the_client_in_one_file(service: Service) -> None:
    client = Client(f"http://127.0.0.1:{service.port}")
    answer = client.analyze(CLIP, word="araba", participant="Deniz")
    client.feedback(answer["prediction"], agrees=True)
    lines = list(client.analyze_batch([(CLIP, "araba"), (b"nothing", "ev")]))
    assert lines[0]["overall"] == answer["overall"]
    assert lines[1]["status"] == 422
    assert client.analyze_prompt("Explain fractions.")["improvements"]
    assert client.health()["status"] == "ok"
    assert client.models()
    with pytest.raises(ServiceError, match="422: Give the text that was to be said") as caught:
        client.analyze(CLIP)
    assert caught.value.request_id
    with pytest.raises(ServiceError, match="404"):
        client.verify(CLIP)


def test_a_client_that_drips_is_told_so(service: Service) -> None:
    head = (
        "POST /analyze HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: 1000\r\n\r\n--b\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert " 408 " in answer.splitlines()[0]
    assert "did not arrive within 1 s" in answer


def test_a_client_that_lies_about_the_length_is_cut_off(service: Service) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(20):
            yield bytes(50_000)

    answer = service.client.post(
        "/analyze", content=endless(), headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 413


def test_more_than_can_wait_are_told_to_come_back(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int] = []
    headers: list[str] = []

    def ask() -> None:
        with httpx2.Client(base_url=str(service.client.base_url), timeout=60.0) as client:
            found = client.post(
                "/analyze", files={"file": ("a.wav", CLIP.read_bytes(), "audio/wav")}, data={"word": "araba"}
            )
            answers.append(found.status_code)
            headers.extend([found.headers["retry-after"]] if found.status_code == 429 else [])

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 429}
    assert answers.count(200) >= 3
    assert headers == ["1"] * answers.count(429)
    assert service.analyze(word="araba").status_code == 200, "and afterwards it answers again"


@pytest.mark.parametrize(("kind", "timeout_s", "statuses"), [("hanging", 1.0, {504}), ("bloating", 60.0, {413, 503})])
def test_a_clip_that_hangs_or_bloats_ends_its_process_and_not_the_service(
    settings: Settings, kind: str, timeout_s: float, statuses: set[int]
) -> None:
    workers = work.Workers(settings, replace(LIMITS, timeout_s=timeout_s))
    task = _Hanging() if kind == "hanging" else _Bloating()
    try:
        with pytest.raises(Problem) as caught:
            _alone(workers.run(task))
        assert caught.value.status in statuses
        with pytest.raises(Problem, match="cannot be read as audio"):
            _alone(workers.run(work.Task(b"no audio")))
    finally:
        workers.close()


def _alone(task: Any) -> Any:
    """In a thread with a loop of its own: the browser's tests leave one running in theirs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, task).result()


class _Hanging(work.Task):
    """Sleeps where its content is asked for."""

    def __init__(self) -> None:
        super().__init__(b"")

    def __getattribute__(self, name: str) -> Any:
        if name == "content":
            time.sleep(60)
        return super().__getattribute__(name)


class _Bloating(_Hanging):
    def __getattribute__(self, name: str) -> Any:
        if name == "content":
            return np.ones(10**10).tobytes()
        return object.__getattribute__(self, name)


def test_it_is_as_its_own_description_says(service: Service) -> None:
    """Every operation of the OpenAPI document with made-up input: no crash, and only answers that it describes."""
    import schemathesis

    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json")
    tried = [_tried(service, result.ok()) for result in schema.get_all_operations()]
    assert len(tried) == 8
    assert sum(tried) > 50


def _tried(service: Service, operation: Any) -> int:
    """How many cases of one operation were answered as described."""
    from hypothesis import HealthCheck, given
    from hypothesis import settings as hypothesis_settings

    described = {str(code) for code in operation.definition.raw["responses"]} | {"405"}
    n = 0

    @hypothesis_settings(
        max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        nonlocal n
        n += 1
        answer = case.call(base_url=f"http://127.0.0.1:{service.port}")
        assert answer.status_code < 500, answer.text
        assert str(answer.status_code) in described, f"{operation.label} answers {answer.status_code}"

    check()
    return n


def _result(overall: float | None, ms: float = 12.0, model: str = "m1") -> ScoreResult:
    return ScoreResult(overall, "good", "ml_model", "acoustic57", model, Target("ev"), milliseconds=ms)


def test_rollups_say_what_the_rows_say(settings: Settings) -> None:
    log = PredictionLog(settings)
    day = 86_400.0
    for number in range(40):
        log.add(_result(number * 2.5 if number % 4 else None, ms=3.0 * number), at=day * (number // 20) + 5)
    log.add(_result(100.0, model="m2"), at=5)
    days = log.days()
    assert [(d.day, d.model_id, d.n, d.n_scored) for d in days] == [
        ("1970-01-01", "m1", 20, 15), ("1970-01-01", "m2", 1, 1), ("1970-01-02", "m1", 20, 15),
    ]  # fmt: skip
    scored = [number * 2.5 for number in range(20) if number % 4]
    assert days[0].mean_score == pytest.approx(np.mean(scored))
    assert days[0].scores == tuple(np.histogram(scored, bins=20, range=(0, 100))[0])
    assert sum(days[2].latencies) == 20
    assert days[1].scores[-1] == 1, "a full score is in the last bin"
    assert log.days(since="1970-01-02") == days[2:]


def test_feature_vectors_are_sampled_and_come_back(settings: Settings) -> None:
    log = PredictionLog(settings)
    for number in range(3):
        log.add(_result(50.0), features=[number, 2.0, 3.0], at=5.0)
    assert log.sampled_features("m1")[:, 0].tolist() == [0, 1, 2]
    assert log.sampled_features("m2").shape == (0, 0)
    assert SAMPLED_A_DAY == 1000


def test_a_log_that_cannot_be_written_fails_no_prediction(settings: Settings, tmp_path: Path) -> None:
    (settings.data_root / "predictions.sqlite").mkdir(parents=True)
    log = PredictionLog(settings)
    assert len(log.add(_result(50.0))) == 32
    assert log.lost == 1
    with pytest.raises(LogError, match="cannot be used now"):
        log.feedback("5f0c", agrees=True)


def test_feedback_to_a_damaged_log_is_answered_in_words(settings: Settings) -> None:
    settings.data_root.mkdir(parents=True)
    (settings.data_root / "predictions.sqlite").write_bytes(b"no database" * 500)
    service = Service(settings)
    try:
        answer = service.client.post("/feedback", json={"prediction": "5f0c", "agrees": True})
        assert answer.status_code == 503
        assert "a new one is created" in answer.json()["detail"]
        assert service.client.get("/health").status_code == 200
    finally:
        service.close()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "feedback is empty"),
        ({"score": 101.0}, "between 0 and 100"),
        ({"comment": "x" * 2001}, "at most"),
        ({"agrees": True}, "no prediction"),
    ],
)
def test_feedback_that_cannot_be_kept(settings: Settings, given: dict[str, Any], message: str) -> None:
    log = PredictionLog(settings)
    log.add(_result(50.0))
    with pytest.raises(FeedbackError, match=message):
        log.feedback("unknown", **given)


def test_two_sides_are_compared_and_one_answers_in_the_shadow(settings: Settings) -> None:
    """A learner stays on their side, the shadow is logged and shown to nobody, and a side whose files go away between
    two requests is answered by the model in use."""
    install_demo(settings)
    config = TrainConfig(set="demo", model="forest", trees=8, folds=2, name="tried")
    run = RunDirectory.create(settings.runs_root, kind="word", name="tried", config=config)
    with run.start() as writer:
        run_training(load_training_data(settings, config), config, writer)
    add_candidate(settings, run.path / "model", "Rita", run.id)
    compared = begin(settings, "word", IN_USE, run.id, 0.5, "Rita")
    names = [f"learner {n}" for n in range(20)]
    on_b = next(name for name in names if side(compared, name) == "b")
    on_a = next(name for name in names if side(compared, name) == "a")
    service = Service(settings)
    try:
        answers = {name: service.analyze(word="araba", participant=name).json() for name in (on_a, on_b)}
        assert answers[on_b]["result"]["model_id"] == run.id
        assert answers[on_a]["result"]["model_id"] != run.id
        log = PredictionLog(settings)
        assert log.arm_counts(compared.id) == {"a": 1, "b": 1}
        assert log.sampled_features(run.id).shape == (1, 57)
        shutil.rmtree(run.path / "model")
        after = service.analyze(word="araba", participant=on_b)
        assert after.status_code == 200, after.text
        assert after.json()["result"]["model_id"] == answers[on_a]["result"]["model_id"]
        end(settings, compared.id)
    finally:
        service.close()


def test_a_shadow_is_logged_and_shown_to_nobody(settings: Settings) -> None:
    install_demo(settings)
    config = TrainConfig(set="demo", model="forest", trees=8, folds=2, name="hidden")
    run = RunDirectory.create(settings.runs_root, kind="word", name="hidden", config=config)
    with run.start() as writer:
        run_training(load_training_data(settings, config), config, writer)
    add_candidate(settings, run.path / "model", "Rita", run.id)
    set_shadow(settings, "word", run.id)
    service = Service(settings)
    try:
        shown = service.analyze(word="araba").json()
        assert shown["result"]["model_id"] != run.id
        log = PredictionLog(settings)
        end_at = time.monotonic() + 30
        while not log.newest(run.id) and time.monotonic() < end_at:
            time.sleep(0.1)
        assert len(log.newest(run.id)) == 1
        (day,) = (day for day in log.days() if day.model_id == run.id)
        assert day.scorer.endswith(" (shadow)")
    finally:
        service.close()
