"""The bundle for a device: from sound to detections by its runner alone, as the detector here goes off."""

import ast
import json
import os
import shutil
import struct
import subprocess
import sys
import wave
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from pipeline.audio.encode import to_wav
from pipeline.cli.main import main
from pipeline.errors import ModelError
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.packaging.bundle import RUNNER, write_bundle
from pipeline.wakeword.packaging.opened_bundle import is_as_now, open_bundle
from pipeline.wakeword.runtime.model_files import read_info, save_info
from tests.wakeword.random_detector import CURVE, RATE_HZ, expected, save_random_detector, sound
from tests.zip_entries import with_entries


@pytest.fixture(scope="module", params=["mel", "mfcc", "adaptive", "dual"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_detector(tmp_path_factory.mktemp(request.param), request.param)


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def opened_once(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(model, folder / "b.zip")
    return unpacked(folder / "b.zip", folder / "b")


def test_the_runner_goes_off_where_the_detector_does(model: Path, tmp_path: Path) -> None:
    written = write_bundle(model, tmp_path / "b.zip")
    folder = unpacked(tmp_path / "b.zip", tmp_path / "b")
    assert written.largest_difference < 0.01
    about = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
    assert "arecord" in (folder / "README.md").read_text(encoding="utf-8")
    assert (about["word"], about["votes"], about["of"], about["lockout_s"]) == ("merhaba", 2, 3, 0.5)
    assert (about["curve"], about["figures"]["threshold"]["hours"]) == (CURVE, 10.0)
    samples = np.round(sound() * 32_767) / 32_768
    (tmp_path / "s.wav").write_bytes(to_wav(samples.astype(np.float32)))
    with wave.open(str(tmp_path / "s.wav")) as file:
        exact = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32_768
    found = expected(model, exact)
    assert len(found) > 2
    # -I: neither this checkout nor the user's packages; what it imports is held by the next test.
    for arguments, given in ((["../s.wav"], b""), (["-"], (exact * 32_768).astype("<i2").tobytes())):
        done = subprocess.run(
            [sys.executable, "-I", "runner.py", *arguments], cwd=folder, input=given, capture_output=True, check=True
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line["at_s"] for line in lines] == pytest.approx([at_s for at_s, _ in found], abs=1e-3)
        assert [line["score"] for line in lines] == pytest.approx([score for _, score in found], abs=2e-3)


def test_the_runner_says_what_it_cannot_use(model: Path, tmp_path: Path) -> None:
    write_bundle(model, tmp_path / "b.zip")
    folder = unpacked(tmp_path / "b.zip", tmp_path / "b")
    wav = to_wav(sound())
    command = [sys.executable, "-I", "runner.py", "../s.wav"]
    for content, reason in (
        (b"RIFF", "cannot be read (it is no WAV file)"), (wav[:30], "cannot be read (it ends too early)"),
        (wav[:20] + b"\x02" + wav[21:], "cannot be read (samples of kind 2 with 16 bits in 1 channels at 16000 Hz)"),
        (None, "cannot be read (No such file or directory).\n"), (wav, "holds no bundle"),
    ):  # fmt: skip
        (tmp_path / "s.wav").unlink(missing_ok=True)
        if content is not None:
            (tmp_path / "s.wav").write_bytes(content)
        if reason == "holds no bundle":
            (folder / "detector.json").unlink()
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert reason in done.stderr


def test_the_runner_ends_without_a_word_when_nobody_reads_on(opened_once: Path, tmp_path: Path) -> None:
    (tmp_path / "s.wav").write_bytes(to_wav(sound()))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-I", "runner.py", str(tmp_path / "s.wav")]
    done = subprocess.run(command, cwd=opened_once, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_the_runner_needs_numpy_and_onnxruntime_only() -> None:
    names = {
        alias.name.split(".")[0] if isinstance(node, ast.Import) else str(node.module).split(".")[0]
        for node in ast.walk(ast.parse(RUNNER.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names - set(sys.stdlib_module_names) == {"numpy", "onnxruntime"}


@pytest.mark.parametrize(
    ("width", "channels", "rate_hz"), [(1, 1, 16_000), (2, 2, 44_100), (3, 1, 8_000), (4, 1, 48_000)]
)
def test_the_runner_reads_wav_of_any_width_and_rate(tmp_path: Path, width: int, channels: int, rate_hz: int) -> None:
    from pipeline.wakeword.runtime import runner

    n = 5 * rate_hz // 2 + 7
    times = np.arange(n) / rate_hz
    values = 0.5 * np.sin(2 * np.pi * 440.0 * times)
    whole = np.round(values * (2.0 ** (8 * width - 1) - 1)).astype(np.int64)
    raw = (
        (whole + 128).astype(np.uint8)[:, None]
        if width == 1
        else whole.astype("<i8")[:, None].view(np.uint8)[:, :width]
    )
    with wave.open(str(tmp_path / "w.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.tile(raw, (1, channels)).tobytes())
    with (tmp_path / "w.wav").open("ab") as cut:
        cut.truncate(cut.tell() - 1)  # in the middle of a sample
    samples = np.concatenate(list(runner.read_wav(str(tmp_path / "w.wav"))))
    middle = slice(2_000, -2_000)  # over the ends of two seconds
    truth = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(len(samples)) / RATE_HZ)
    assert abs(len(samples) - (n - 1) * RATE_HZ / rate_hz) <= 1
    assert np.abs(samples[middle] - truth[middle]).max() < (0.02 if width == 1 else 0.005)


@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF])
def test_the_runner_hears_the_sound_alone_and_not_what_is_written_after_it(tmp_path: Path, size: int | None) -> None:
    from pipeline.wakeword.runtime import runner

    content = bytearray(to_wav(sound()[:RATE_HZ], RATE_HZ))
    start = content.index(b"data") + 8
    if size is None:
        content += b"LIST" + struct.pack("<I", 8_000) + b"\x7f" * 8_000
    else:  # who wrote it knew no size
        content[start - 4 : start] = struct.pack("<I", size)
    (tmp_path / "w.wav").write_bytes(content)
    read = np.concatenate(list(runner.read_wav(str(tmp_path / "w.wav"))))
    assert len(read) == RATE_HZ
    assert np.allclose(read, sound()[:RATE_HZ], atol=1e-4)


def test_a_header_that_promises_gigabytes_a_second_takes_no_memory(tmp_path: Path) -> None:
    from pipeline.wakeword.runtime import runner

    about = struct.pack("<HHIIHH", 3, 65_535, 384_000, 0, 0, 64)
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(about)) + about + b"data" + struct.pack("<I", 2**31)
    (tmp_path / "w.wav").write_bytes(head + bytes(100))
    assert sum(map(len, runner.read_wav(str(tmp_path / "w.wav")))) == 0


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_the_runner_reads_wav_of_floats(tmp_path: Path, subtype: str, container: str) -> None:
    from pipeline.wakeword.runtime import runner

    samples = sound()[: 2 * RATE_HZ]
    samples[100:103] = np.nan, np.inf, -3.0
    soundfile.write(tmp_path / "f.wav", np.column_stack([samples, samples]), RATE_HZ, subtype, format=container)
    read = np.concatenate(list(runner.read_wav(str(tmp_path / "f.wav"))))
    assert np.array_equal(read[100:103], [0.0, 1.0, -1.0])
    assert np.allclose(np.delete(read, [100, 101, 102]), np.delete(samples, [100, 101, 102]), atol=1e-6)


def test_sound_is_heard_the_same_in_pieces_of_any_length(opened_once: Path) -> None:
    with open_bundle(opened_once) as whole:
        expected = whole.feed(sound())
    assert len(expected) > 2
    for n in (160, 1_600, 9_999):
        with open_bundle(opened_once) as detector:
            found = [one for start in range(0, len(sound()), n) for one in detector.feed(sound()[start:][:n])]
        assert [(at_s, word) for at_s, _, word in found] == [(at_s, word) for at_s, _, word in expected]
        assert [score for _, score, _ in found] == pytest.approx([score for _, score, _ in expected], abs=2e-4)


def test_the_front_end_does_not_hear_sound_again(opened_once: Path) -> None:
    lengths = []
    with open_bundle(opened_once) as detector:
        session, hop = detector.session, detector.about["hop_samples"]

        def run(outputs: None, inputs: dict[str, np.ndarray]) -> Any:
            lengths.append(len(inputs["sound"]))
            return session.run(outputs, inputs)

        detector.session = SimpleNamespace(run=run)
        detector.feed(sound()[:RATE_HZ])
        for start in range(RATE_HZ, RATE_HZ + 3 * hop, hop):
            detector.feed(sound()[start:][:hop])
    assert max(lengths[1:]) < hop + 600, "new sound, and what a frame looks back"


def test_a_model_that_answers_no_numbers_is_refused(opened_once: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_outputs: None, _inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [np.full(2, np.nan, dtype=np.float32), np.zeros((9, 1), dtype=np.float32)]

    monkeypatch.setattr("pipeline.wakeword.runtime.runner.opened", lambda _file: SimpleNamespace(run=run))
    with pytest.raises(ModelError, match="what are no numbers"), open_bundle(opened_once):
        pass


def test_a_bundle_that_keeps_no_frames_is_heard_as_before(opened_once: Path, tmp_path: Path) -> None:
    shutil.copytree(opened_once, tmp_path / "b")
    about = json.loads((tmp_path / "b" / "detector.json").read_text(encoding="utf-8"))
    del about["frame_hop_samples"]
    (tmp_path / "b" / "detector.json").write_text(json.dumps(about), encoding="utf-8")
    with open_bundle(opened_once) as now, open_bundle(tmp_path / "b") as before:
        assert before.feed(sound()) == pytest.approx(now.feed(sound()))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"word": None}, {"word": "hey\x1b[2J"}, {"votes": None}, {"votes": -1}, {"hysteresis": "x"},
        {"votes": 9, "of": 3}, {"hop_samples": 2**20},
        {"lockout_s": float("nan")}, {"temperature": 0}, {"threshold": float("inf")}, {"window_samples": 2**40},
        {"hop_samples": 800}, {"frame_hop_samples": 0}, {"frame_hop_samples": 7}, {"frame_hop_samples": 80},
        {"words": [{"word": "a"}, {"word": "b"}]}, {"curve": [{"fah": float("nan")}]},
        {"target_false_alarms_per_hour": float("inf")}, {"judge": {}}, {"judge": []},
    ],
    ids=str,
)  # fmt: skip
def test_a_description_that_does_not_fit_the_model_is_refused_before_anything_is_heard(
    model: Path, tmp_path: Path, change: dict[str, Any], opened_once: Path
) -> None:
    shutil.copytree(opened_once, tmp_path / "b")
    about = json.loads((tmp_path / "b" / "detector.json").read_text(encoding="utf-8"))
    (tmp_path / "b" / "detector.json").write_text(json.dumps(about | change), encoding="utf-8")
    with pytest.raises(ModelError, match=str(tmp_path / "b")), open_bundle(tmp_path / "b"):
        pass


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"temperature": 0.0}, "temperature is above 0"), ({"words": "x"}, "does not describe a detector"),
        ({"words": {"a": 1}}, "does not describe a detector"), ({"sha256": None}, "is not the file that"),
        ({"name": "a\nb"}, "The runner would refuse"), ({"metrics": {"threshold": {"curve": [1]}}}, "The runner would"),
    ],
)  # fmt: skip
def test_no_bundle_is_made_of_a_model_that_its_runner_cannot_use(
    model: Path, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    shutil.copytree(model, tmp_path / "m")
    info = json.loads((model / "model.json").read_text(encoding="utf-8")) | change
    (tmp_path / "m" / "model.json").write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(ModelError, match=reason):
        write_bundle(tmp_path / "m", tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_an_archive_that_cannot_be_unpacked_is_no_bundle(model: Path, tmp_path: Path) -> None:
    write_bundle(model, tmp_path / "b.zip")
    content = (tmp_path / "b.zip").read_bytes()
    for flags, method in ((1, zipfile.ZIP_DEFLATED), (0, 99), (0, zipfile.ZIP_LZMA)):  # a password, and two methods
        (tmp_path / "b.zip").write_bytes(with_entries(content, flags, method))
        with pytest.raises(ModelError, match="is no bundle"), open_bundle(tmp_path / "b.zip"):
            pass


def test_a_bundle_is_of_the_detector_that_it_was_made_of(tmp_path: Path) -> None:
    folder, bundle = save_random_detector(tmp_path / "m"), tmp_path / "b.zip"
    write_bundle(folder, bundle)
    info = read_info(folder)
    assert is_as_now(bundle, folder)
    save_info(folder, replace(info, metrics={**info.metrics, "stream": {"hours": 2.0}}))
    assert is_as_now(bundle, folder), "figures change nothing that it does"
    for changed in (replace(info, threshold=info.threshold + 0.1), replace(info, detector=DetectorConfig(votes=3))):
        save_info(folder, changed)
        assert not is_as_now(bundle, folder)
    save_info(folder, info)
    assert is_as_now(bundle, folder)
    (folder / "phones.json").write_text("{}", encoding="utf-8")
    assert not is_as_now(bundle, folder), "what the judge has learnt since is not in it"
    bundle.write_bytes(bundle.read_bytes()[:-50])
    assert not is_as_now(bundle, folder)


def test_a_bundle_from_the_command_line(model: Path, tmp_path: Path) -> None:
    command = ["wakeword", "export", str(model), "--bundle", str(tmp_path / "out.zip"), "--json"]
    answer = json.loads(CliRunner().invoke(main, command, catch_exceptions=False).stdout)
    assert answer["file"] == str(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {"model.onnx", "detector.json", "runner.py"} <= set(archive.namelist())
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes == {0o644}, "whoever runs the device's service can read what is unpacked"


def test_a_sensitivity_is_a_number_of_false_alarms_by_the_curve() -> None:
    from pipeline.wakeword.runtime.runner import false_alarms_at, threshold_at

    about = {"threshold": 3.0, "target_false_alarms_per_hour": 1.0, "curve": CURVE}  # 1 logit for a factor of ten
    assert [round(false_alarms_at(about, s), 3) for s in (0.0, 0.5, 1.0)] == [0.1, 1.0, 10.0]
    assert [threshold_at(about, s) for s in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([4.0, 3.5, 3.0, 2.0])
    beyond = {**about, "target_false_alarms_per_hour": 0.1}
    assert threshold_at(beyond, 0.0) == pytest.approx(4.0), "goes on as the line through the curve"
    assert threshold_at({**about, "curve": CURVE[:1]}, 1.0) == 0.0, "without a curve, six logits from end to end"
