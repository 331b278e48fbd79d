"""The bundle for a device: from sound to detections by its runner alone, as the detector here goes off."""

import ast
import json
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline.audio.encode import to_wav
from pipeline.cli.main import main
from pipeline.wakeword.config import DetectorConfig, ModelConfig
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.models import make_model
from pipeline.wakeword.packaging.bundle import RUNNER, write_bundle
from pipeline.wakeword.runtime.detector import StreamingDetector
from pipeline.wakeword.runtime.inference import classifier_of
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model, save_model

RATE_HZ = 16_000


@pytest.fixture(scope="module", params=["mel", "mfcc"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector of random weights that goes off now and then in `sound`."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    config, features = ModelConfig(), FeatureConfig(kind=request.param, clip_s=0.6)
    network = make_model(config, features.shape, Cmvn.none(features.n_bins)).eval()
    info = DetectorInfo("merhaba", features, config, DetectorConfig(lockout_s=0.5, hysteresis=0.0), 0.0, 1.5, 1, {})
    scores = [r.score for r in StreamingDetector(classifier_of(network), features, info.detector, 0.0).feed(sound())]
    save_model(folder, network, DetectorInfo(**{**vars(info), "threshold": float(np.quantile(scores, 0.6))}))
    return folder


def sound() -> np.ndarray:
    draw = np.random.default_rng(1)
    loudness = np.repeat(draw.uniform(0.001, 0.3, 40), RATE_HZ // 5)
    return (loudness * draw.standard_normal(len(loudness))).clip(-1, 1).astype(np.float32)


def expected(folder: Path, samples: np.ndarray) -> list[tuple[float, float]]:
    network, info = load_model(folder)
    detector = StreamingDetector(classifier_of(network), info.features, info.detector, info.threshold)
    results = [result for start in range(0, len(samples), 7_000) for result in detector.feed(samples[start:][:7_000])]
    chance = 1.0 / (1.0 + np.exp(-np.array([result.vote for result in results if result.detected]) / info.temperature))
    return list(zip([result.end_s for result in results if result.detected], chance, strict=True))


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


def test_the_runner_goes_off_where_the_detector_does(model: Path, tmp_path: Path) -> None:
    written = write_bundle(model, tmp_path / "b.zip")
    folder = unpacked(tmp_path / "b.zip", tmp_path / "b")
    assert written.largest_difference < 0.01
    about = json.loads((folder / "detector.json").read_text(encoding="utf-8"))
    assert (about["word"], about["votes"], about["of"], about["lockout_s"]) == ("merhaba", 2, 3, 0.5)
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
    (tmp_path / "s.wav").write_bytes(b"RIFF")
    command = [sys.executable, "-I", "runner.py", "../s.wav"]
    for reason in ("cannot be read as a WAV file", "holds no bundle"):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert reason in done.stderr
        (folder / "detector.json").unlink(missing_ok=True)


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
    from pipeline.wakeword.packaging import runner

    times = np.arange(rate_hz) / rate_hz
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
    samples = runner.read_wav(str(tmp_path / "w.wav"))
    middle = slice(2_000, 14_000)
    truth = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(len(samples)) / RATE_HZ)
    assert abs(len(samples) - RATE_HZ) <= 1
    assert np.abs(samples[middle] - truth[middle]).max() < (0.02 if width == 1 else 0.005)


def test_a_bundle_from_the_command_line(model: Path, tmp_path: Path) -> None:
    command = ["wakeword", "export", str(model), "--bundle", str(tmp_path / "out.zip"), "--json"]
    answer = json.loads(CliRunner().invoke(main, command, catch_exceptions=False).stdout)
    assert answer["file"] == str(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {"model.onnx", "detector.json", "runner.py"} <= set(archive.namelist())
