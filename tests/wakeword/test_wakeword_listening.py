"""Listening with a bundle: files, standard input, programs and addresses on detection, Home Assistant's protocol."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.audio.encode import to_wav
from pipeline.cli.main import main
from pipeline.errors import AudioError, ModelError, ServiceError
from pipeline.settings import Settings
from pipeline.wakeword import listening
from pipeline.wakeword.cascade import remote_verifier
from pipeline.wakeword.listening import Heard, Reaction, sound_of
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.opened_bundle import open_bundle
from pipeline.wakeword.phone_judge import PhoneJudge
from pipeline.wakeword.runtime.runner import Word, false_alarms_at
from tests.wakeword.random_detector import RATE_HZ, expected, save_random_detector, sound


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_detector(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def bundle(model: Path) -> Path:
    write_bundle(model, model / "b.zip")
    return model / "b.zip"


@pytest.fixture(scope="module")
def pcm() -> bytes:
    return np.round(sound() * 32_767).astype("<i2").tobytes()


def times(model: Path, pcm: bytes) -> list[float]:
    return [at_s for at_s, _ in expected(model, np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32_768)]


@pytest.mark.parametrize(
    "figures",
    [[1], "x", {"threshold": []}, {"threshold": {"hours": 1.0}}, {"threshold": {"hours": None}}, {"threshold": "x"}],
    ids=str,
)
def test_figures_of_a_bundle_that_are_none_are_not_told(bundle: Path, pcm: bytes, tmp_path: Path, figures: Any) -> None:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    about = json.loads((tmp_path / "detector.json").read_text(encoding="utf-8"))
    (tmp_path / "detector.json").write_text(json.dumps(about | {"figures": figures}), encoding="utf-8")
    assert listened(str(tmp_path), "-", given=pcm) == listened(str(bundle), "-", given=pcm)


def listened(*arguments: str, given: bytes = b"") -> list[dict[str, Any]]:
    done = CliRunner().invoke(main, ["wakeword", "listen", *arguments, "--json"], input=given)
    assert done.exit_code == 0, done.output
    assert "Listening for 'merhaba', " in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_and_standard_input_give_the_detections_of_the_detector(
    model: Path, bundle: Path, pcm: bytes, tmp_path: Path
) -> None:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32_768
    (tmp_path / "s.wav").write_bytes(to_wav(samples))
    for lines in (listened(str(bundle), str(tmp_path / "s.wav")), listened(str(bundle), "-", given=pcm)):
        assert [line["at_s"] for line in lines] == pytest.approx(times(model, pcm), abs=1e-3)
        assert {line["word"] for line in lines} == {"merhaba"}
    less = listened(str(bundle), "-", "--sensitivity", "0", given=pcm)
    assert len(less) < len(times(model, pcm))


def test_the_lowest_score_that_is_told_is_on_the_scale_of_the_scores(bundle: Path, pcm: bytes) -> None:
    about = {"word": "x", "of": 1, "threshold": 2.0, "temperature": 2.0, "target_false_alarms_per_hour": 0.5}
    assert Word(about, 0.5).lowest_score == pytest.approx(0.731, abs=1e-3)
    done = CliRunner().invoke(main, ["wakeword", "listen", str(bundle), "-"], input=pcm)
    (lowest,) = re.findall(r"from a score of (\S+) on: set for ", done.stderr)
    scores = [float(score) for score in re.findall(r"score (\S+)", done.stdout)]
    assert scores and min(scores) >= float(lowest) - 0.01


def test_what_the_listener_does_not_hear_as_the_word_is_no_detection(
    model: Path, bundle: Path, pcm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Judge(PhoneJudge):
        def __init__(self, _settings: Settings, word: str, folder: Path) -> None:
            assert (folder / "detector.json").is_file()
            self.word, self.learnt = word, None

        def __call__(self, samples: np.ndarray) -> float:
            asked.append(len(samples))
            return -99.0 if len(asked) == 1 else 99.0

    monkeypatch.setattr("pipeline.wakeword.phone_judge.PhoneJudge", Judge)
    monkeypatch.setattr("pipeline.wakeword.runtime.runner.Detector.aim", lambda *_: None)
    first, *rest = times(model, pcm)
    found = [line["at_s"] for line in listened(str(bundle), "-", "--phones", "merhaba", given=pcm)]
    assert first + 0.1 < found[0] <= rest[0] + 1e-3, "asked again while the score is high, or at the next"
    assert len(asked) == len(found) + 1 and max(asked) <= 2 * RATE_HZ
    monkeypatch.setattr(Judge, "__call__", lambda *_: -99.0)
    assert listened(str(bundle), "-", "--phones", "merhaba", given=pcm) == []
    asked.clear()
    high = SimpleNamespace(first_threshold=99.0, learnt_from=SimpleNamespace(recordings=1, synthetic=0))
    monkeypatch.setattr(Judge, "learnt", property(lambda _self: high, lambda *_: None), raising=False)
    assert listened(str(bundle), "-", "--phones", "merhaba", given=pcm) == [] and not asked, "asked from there on"


def test_what_listening_rests_on_and_that_it_heard_nothing_is_said(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "silence.wav").write_bytes(to_wav(np.zeros(RATE_HZ, dtype=np.float32)))
    done = CliRunner().invoke(
        main, ["wakeword", "listen", str(bundle), str(tmp_path / "silence.wav"), "--phones", "lion"]
    )
    assert done.exit_code == 0 and not done.stdout
    assert "by the dictionary alone: 'lion' has not been learnt" in done.stderr
    assert f"Nothing was detected in {tmp_path / 'silence.wav'}." in done.stderr
    done = CliRunner().invoke(
        main, ["wakeword", "listen", str(bundle), "-", "--phones", "lion"], input=bytes(2 * RATE_HZ)
    )
    assert "Nothing was detected in standard input." in done.stderr


def test_a_file_goes_on_in_silence(tmp_path: Path) -> None:
    (tmp_path / "s.wav").write_bytes(to_wav(np.full(RATE_HZ // 2, 0.1, dtype=np.float32)))
    samples = np.concatenate(list(sound_of(str(tmp_path / "s.wav"))))
    assert len(samples) == RATE_HZ and not samples[RATE_HZ // 2 :].any()


def test_a_recording_shorter_than_a_window_is_answered_as_by_detect(model: Path, bundle: Path, tmp_path: Path) -> None:
    with open_bundle(bundle) as detector:
        longest = detector.about["window_samples"]
    pieces = [sound()[start : start + longest // 2] for start in range(0, 6 * RATE_HZ, RATE_HZ // 3)]
    piece = next(piece for piece in pieces if expected(model, piece))
    (tmp_path / "s.wav").write_bytes(to_wav(piece))
    command = ["wakeword", "detect", str(model), str(tmp_path / "s.wav"), "--json"]
    detected = json.loads(CliRunner().invoke(main, command, catch_exceptions=False).stdout)["detections"]
    heard = listened(str(bundle), str(tmp_path / "s.wav"))
    assert [one["at_s"] for one in heard] == pytest.approx([one["at_s"] for one in detected], abs=1e-3)
    assert detected and min(one["at_s"] for one in detected) > 0


def test_a_recording_without_a_detection_is_told_by_how_much(model: Path, tmp_path: Path) -> None:
    (tmp_path / "s.wav").write_bytes(to_wav(sound()[: 2 * RATE_HZ]))
    command = ["wakeword", "detect", str(model), str(tmp_path / "s.wav"), "--threshold", "99"]
    said = CliRunner().invoke(main, command, catch_exceptions=False).stdout
    near = re.fullmatch(
        r"Nothing was detected in s\.wav \(2\.0 s\)\. Highest score \(logit\): (.+), below its threshold of 99\.00\.\n",
        said,
    )
    assert near and 0 < float(near[1]) < 99, said


def test_a_detector_aims_at_a_rate_of_false_alarms(bundle: Path) -> None:
    with open_bundle(bundle) as detector, open_bundle(bundle, 1.0) as sensitive:
        target = false_alarms_at(detector.about, 0.5)
        detector.aim(10.0 * target)
        assert detector.threshold == pytest.approx(sensitive.threshold)
        detector.aim(100.0 * target)
        assert detector.threshold < sensitive.threshold


def test_a_program_runs_without_a_shell_on_each_detection(bundle: Path, pcm: bytes, tmp_path: Path) -> None:
    script = tmp_path / "note it.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write('|'.join(sys.argv[2:]) + chr(10))\n")
    out = tmp_path / "out.txt"
    command = f"{sys.executable} '{script}' '{out}' '{{word}} $HOME; echo' {{score}}"
    lines = listened(str(bundle), "-", "--do", command, given=pcm)
    noted = sorted(out.read_text().splitlines())
    assert noted == sorted(f"merhaba $HOME; echo|{line['score']:.4f}" for line in lines)


def test_a_program_or_address_that_fails_is_named_and_listening_goes_on(bundle: Path, pcm: bytes) -> None:
    command = ["wakeword", "listen", str(bundle), "-", "--do", "/nowhere/x", "--post", "http://127.0.0.1:9/", "--json"]
    done = CliRunner().invoke(main, command, input=pcm)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == done.stderr.count("/nowhere/x cannot be run")
    assert "http://127.0.0.1:9/ did not take the detection" in done.stderr


def test_programs_that_fail_or_hang_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard("merhaba", 1.0, 0.9)
    fails = Reaction((sys.executable, "-c", "raise SystemExit(3)"))
    assert (fails(heard), fails.finish()) == ([], [f"{sys.executable} ended with status 3."])
    monkeypatch.setattr(listening, "MOST_RUNNING", 2)
    hangs = Reaction((sys.executable, "-c", "import time; time.sleep(60)"))
    assert hangs(heard) == hangs(heard) == []
    assert hangs(heard) == [f"{sys.executable} still runs 2 times and is not started again."]
    for process in hangs._running:
        process.kill()
    assert len(hangs.finish()) == 2


def test_each_detection_is_posted(bundle: Path, pcm: bytes) -> None:
    posted: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lines = listened(str(bundle), "-", "--post", f"http://127.0.0.1:{server.server_port}/woken", given=pcm)
        server.shutdown()
    assert posted == lines
    with pytest.raises(ServiceError, match="no address to post to"):
        Reaction(url="file:///etc/passwd")


@contextlib.contextmanager
def answering(content: bytes) -> Iterator[str]:
    """The address of a server that answers one request with this."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(content)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "content",
    [b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, b"HTTP/1.1 302 x\r\nLocation: http://[x/\r\n\r\n"],
)
def test_an_address_that_answers_what_is_no_http_is_named(content: bytes) -> None:
    with answering(content) as url:
        (problem,) = Reaction(url=url)(Heard("merhaba", 1.0, 0.9))
    assert "did not take the detection" in problem


@pytest.mark.parametrize("url", ["http://[::1", "http://x:y/", "http://a b/", "http://x/ğ", "ftp://x/", "http://:80/"])
def test_what_is_no_address_is_refused_before_listening(url: str) -> None:
    with pytest.raises(ServiceError, match="no address to post to"):
        Reaction(url=url)


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", "[" * 5000, '{"prediction": true, "confidence": NaN, "label": "a"}',
     '{"prediction": "false", "confidence": 0.5, "label": "a"}'],
)  # fmt: skip
def test_a_judge_that_gives_no_verdict_is_named(body: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with answering((head + body).encode()) as url, pytest.raises(ModelError, match="is no judge"):
        remote_verifier(url)(np.zeros(1600, dtype=np.float32))


def test_an_address_or_key_that_cannot_be_a_judges_is_refused() -> None:
    for url, key in (("http://[::1", None), ("http://127.0.0.1", "ğ")):
        with pytest.raises(ModelError, match="cannot be asked"):
            remote_verifier(url, key=key)


@pytest.mark.parametrize("option", ["--sensitivity", "--owner-threshold"])
def test_what_is_no_number_is_refused(bundle: Path, option: str) -> None:
    done = CliRunner().invoke(main, ["wakeword", "listen", str(bundle), "-", option, "nan"], input=b"")
    assert (done.exit_code, "nan is no number" in done.stderr) == (1, True), done.output


def test_a_listener_that_is_terminated_leaves_no_files(bundle: Path, tmp_path: Path) -> None:
    command = "import sys; from pipeline.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", command, "wakeword", "listen", str(bundle), "-"], stdin=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert "Listening for" in process.stderr.readline()
        assert len(list(tmp_path.glob("pronlab-*"))) == 1
        process.terminate()
        assert process.wait(30) == 0
    assert not list(tmp_path.glob("pronlab-*"))


def test_a_bundle_that_is_none_is_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK")
    with pytest.raises(ModelError, match="is no bundle"), open_bundle(tmp_path / "x.zip"):
        pass
    with zipfile.ZipFile(tmp_path / "esp32.zip", "w") as archive:
        archive.writestr("model.tflite", b"")
    zipfile.ZipFile(tmp_path / "esp32.zip").extractall(tmp_path / "esp32")
    for esp32 in (tmp_path / "esp32.zip", tmp_path / "esp32"):
        with pytest.raises(ModelError, match="is a bundle for an ESP32"), open_bundle(esp32):
            pass
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "b")
    with open_bundle(tmp_path / "b") as detector:
        assert detector.about["word"] == "merhaba"
    (tmp_path / "b" / "model.onnx").write_bytes(b"another")
    with pytest.raises(ModelError, match="not the file that"), open_bundle(tmp_path / "b"):
        pass


def test_a_microphone_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.optional.is_there", lambda name: False)
    with pytest.raises(AudioError, match=r"needs sounddevice: `\S*pip install 'pronlab\[microphone\]'`"):
        next(sound_of(""))


def test_home_assistants_client_is_answered(model: Path, bundle: Path, pcm: bytes) -> None:
    pytest.importorskip("wyoming", reason="the package wyoming is not installed")
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncTcpClient
    from wyoming.info import Describe, Info
    from wyoming.wake import Detect, Detection, NotDetected

    from pipeline.wakeword.wyoming_server import serve

    async def streamed(client: Any, data: bytes) -> list[float]:
        await client.write_event(Detect(names=["merhaba"]).event())
        await client.write_event(AudioStart(rate=RATE_HZ, width=2, channels=1).event())
        size = 2 * RATE_HZ // 10
        for start in range(0, len(data), size):
            chunk = AudioChunk(RATE_HZ, 2, 1, data[start : start + size], timestamp=start * 1000 // (2 * RATE_HZ))
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        await client.write_event(Describe().event())
        at: list[float] = []
        while not Info.is_type((event := await client.read_event()).type):
            at.append(Detection.from_event(event).timestamp / 1000 if Detection.is_type(event.type) else -1.0)
            assert Detection.is_type(event.type) or NotDetected.is_type(event.type)
        return at

    pieces = [pcm[start : start + RATE_HZ // 2] for start in range(0, 12 * RATE_HZ, RATE_HZ // 2)]  # .25 s each
    short = next(piece for piece in pieces if times(model, piece))

    async def whole() -> None:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with open_bundle(bundle) as detector:
            server = asyncio.create_task(serve(detector.again, "127.0.0.1", 0, "tr", port.set_result))
            async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                await client.write_event(Describe().event())
                info = Info.from_event(await client.read_event())
                assert [(m.name, m.languages) for m in info.wake[0].models] == [("merhaba", ["tr"])]
                for _ in range(2):  # a stream begins anew
                    # The chunk in which a window ends is up to .1 s long.
                    assert await streamed(client, pcm) == pytest.approx(
                        [at_s - 0.05 for at_s in times(model, pcm) if at_s <= len(pcm) / 2 / RATE_HZ], abs=0.06
                    )
                assert len(times(model, short)) == len(await streamed(client, short)) > 0, "shorter than a window"
            detector.words[0].threshold = 1e9
            async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                assert await streamed(client, pcm) == [-1.0]
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server

    with ThreadPoolExecutor(1) as own_thread:  # playwright leaves a loop running in the one of the tests
        own_thread.submit(asyncio.run, whole()).result()


def test_what_a_client_sends_wrong_ends_its_own_connection_alone(
    bundle: Path, pcm: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wyoming", reason="the package wyoming is not installed")
    from wyoming.audio import AudioChunk
    from wyoming.client import AsyncTcpClient
    from wyoming.error import Error
    from wyoming.event import Event
    from wyoming.info import Describe, Info
    from wyoming.wake import Detect, Detection

    from pipeline.wakeword import wyoming_server
    from pipeline.wakeword.wyoming_server import serve

    raw = (
        b"[1]\n",
        b"{}\n",
        b'{"type": "audio-chunk", "payload_length": 1000000000000}\n' + b"x" * 1000,
        b'{"type": "describe", "payload_length": Infinity}\n',
        b"x" * 100_000,
    )
    formats = ((1, 2, 1), (16_000, 5, 1), (16_000, 2, 0), (16_000.0, 2.0, 1.0), (16_000, True, True))
    bad = [AudioChunk(rate, width, channels, b"\1" * 96) for rate, width, channels in formats]
    fine = [AudioChunk(rate, width, channels, b"\1" * 97) for rate, width, channels in ((8_000, 1, 1), (96_000, 3, 2))]

    async def whole() -> None:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with open_bundle(bundle) as detector:
            server = asyncio.create_task(serve(detector.again, "127.0.0.1", 0, "tr", port.set_result))
            for content in raw:
                reader, writer = await asyncio.open_connection("127.0.0.1", await port)
                writer.write(content)
                with contextlib.suppress(ConnectionError):
                    assert await asyncio.wait_for(reader.read(), 30) == b""
                writer.close()
            for event in (*(chunk.event() for chunk in (*bad, *fine)), Event("audio-chunk", {"rate": "x"})):
                async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                    await client.write_event(event)
                    await client.write_event(Describe().event())
                    answer = await client.read_event()
                    is_bad = event in [chunk.event() for chunk in bad]
                    assert answer is None if event.data["rate"] == "x" else Error.is_type(answer.type) == is_bad
            async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                await client.write_event(Detect(names=["selam"]).event())
                assert "merhaba" in Error.from_event(await client.read_event()).text, "it says which words there are"
                assert await client.read_event() is None
            async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                odd: Any = {"not": "a time"}
                await client.write_event(AudioChunk(RATE_HZ, 2, 1, pcm, timestamp=odd).event())
                assert Detection.from_event(await client.read_event()).timestamp is None
            _, writer = await asyncio.open_connection("127.0.0.1", await port)
            writer.write(b'{"type": "audio-chunk", "payload_length": 1000}\nx')
            writer.close()  # in the middle of an event
            async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                await client.write_event(Describe().event())
                assert Info.is_type((await client.read_event()).type)
            monkeypatch.setattr(wyoming_server, "MOST_CLIENTS", 2)
            connections = [await asyncio.open_connection("127.0.0.1", await port) for _ in range(3)]
            assert await asyncio.wait_for(connections[2][0].read(), 30) == b"", "turned away"
            for _, writer in connections:
                writer.close()
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server

    with ThreadPoolExecutor(1) as own_thread:
        own_thread.submit(asyncio.run, whole()).result()
    assert [record.exc_info for record in caplog.records] == [None] * 7, "a line each, no traceback"


def test_a_client_that_sends_or_takes_nothing_is_disconnected(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wyoming", reason="the package wyoming is not installed")
    from wyoming.client import AsyncTcpClient
    from wyoming.info import Describe, Info

    from pipeline.wakeword import wyoming_server

    monkeypatch.setattr(wyoming_server, "IDLE_S", 0.5)
    monkeypatch.setattr(wyoming_server, "MOST_CLIENTS", 4)

    async def whole() -> None:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        with open_bundle(bundle) as detector:
            server = asyncio.create_task(wyoming_server.serve(detector.again, "127.0.0.1", 0, "tr", port.set_result))
            silent = [await asyncio.open_connection("127.0.0.1", await port) for _ in range(3)]
            silent[1][1].write(b'{"type": "desc')  # an event that never ends
            silent[2][1].write(b'{"type": "audio-chunk", "payload_length": 1000}\nx')
            for reader, _ in silent:
                assert await asyncio.wait_for(reader.read(), 30) == b""
            deaf = await asyncio.open_connection("127.0.0.1", await port)
            with contextlib.suppress(ConnectionError, TimeoutError):
                for _ in range(300):  # it reads no answer, until the server waits for it
                    deaf[1].write(b'{"type": "describe"}\n' * 1000)
                    await asyncio.wait_for(deaf[1].drain(), 1.0)
            with pytest.raises(ConnectionError):
                for _ in range(100):
                    deaf[1].write(b"\n")
                    await asyncio.sleep(0.1)
                    await deaf[1].drain()
            async with AsyncTcpClient("127.0.0.1", await port, read_timeout=30) as client:
                for _ in range(4):  # that lives
                    await asyncio.sleep(0.2)
                    await client.write_event(Describe().event())
                    assert Info.is_type((await client.read_event()).type)
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server

    with ThreadPoolExecutor(1) as own_thread:
        own_thread.submit(asyncio.run, whole()).result()


def test_the_protocol_without_keys_stays_on_this_machine(bundle: Path) -> None:
    pytest.importorskip("wyoming", reason="the package wyoming is not installed")
    done = CliRunner().invoke(main, ["wakeword", "wyoming", str(bundle), "--host", "0.0.0.0"])
    assert (done.exit_code, "--open-to-network" in done.stderr) == (1, True)
