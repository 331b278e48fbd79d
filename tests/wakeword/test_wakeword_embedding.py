"""A detector on frozen speech embeddings: what it hears, where its network lies, and its bundle."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline.audio.encode import to_wav
from pipeline.cli.main import main
from pipeline.errors import FeatureError, ModelError, TrainingError
from pipeline.presets import build, merged
from pipeline.wakeword.config import WakewordConfig, load_preset
from pipeline.wakeword.embedding import HOP, MEL, N_BINS, NETWORK, WINDOW, embedding_of, log_mel
from pipeline.wakeword.features import Cmvn, FeatureConfig, FrameStream, are_same, check_embedding, features
from pipeline.wakeword.models import make_model
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.sound_graph import graph_of
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model, save_model
from tests.wakeword.random_detector import expected, sound
from tests.wakeword_sounds import write_clips


class _Network(torch.nn.Module):
    """Of the shapes that openWakeWord's has: [n, 76, 32, 1] to [n, 1, 1, 96]."""

    def __init__(self, n_bins: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(76 * 32, n_bins)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.layer(mel.flatten(1)) / 4.0)[:, None, None]


class _OtherFrontEnd(torch.nn.Module):
    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return samples[:, : 76 * 32] * 10.0


def save_network(folder: Path, n_bins: int = N_BINS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    mel = np.zeros((1, 76, 32, 1), dtype=np.float32)
    (folder / NETWORK).write_bytes(graph_of(_Network(n_bins), {"mel": mel}, {"embedding": 0}, opset=13))
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx", reason="the package onnx is not installed")
    return save_network(tmp_path_factory.mktemp("embedding") / "network")


@pytest.fixture(scope="module")
def config(network: Path) -> WakewordConfig:
    return build(WakewordConfig, merged(load_preset("embedding"), {"features.embedding": str(network)}))


@pytest.fixture(scope="module")
def model(config: WakewordConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    torch.manual_seed(1)
    heard = features(sound(), config.features)
    detector = make_model(config.model, config.features, Cmvn.of([heard])).eval()
    size = config.features.shape[0]
    with torch.no_grad():
        logits = detector(torch.from_numpy(np.stack([heard[i : i + size] for i in range(len(heard) - size + 1)])))
    threshold = float(logits.quantile(0.6))
    info = DetectorInfo("word", config.features, config.model, config.detector, threshold, 1.0, 1, {})
    save_model(folder, detector, info)
    return folder


def test_log_mel_as_librosa_has_it() -> None:
    samples = sound()[: WINDOW + HOP]
    mel = librosa.feature.melspectrogram(
        y=samples * 32_767, sr=16_000, n_fft=512, hop_length=160, win_length=400, center=False, n_mels=32, fmin=60.0,
        fmax=3800.0,
    )  # fmt: skip
    theirs = librosa.power_to_db(mel[:, :76], ref=1.0, amin=1e-10, top_db=80.0).T / 10.0 + 2.0
    ours = log_mel(samples)
    assert ours.shape == (2, 76, 32)
    assert np.abs(ours[0] - theirs).max() < 1e-3


def test_a_frame_looks_at_its_own_sound_and_nothing_else(config: WakewordConfig) -> None:
    assert config.features.shape == (16, N_BINS)
    samples = sound()
    samples[: len(samples) // 2] *= 1e-4  # a range of loudness that a common floor would cut
    whole = features(samples, config.features)
    assert len(whole) == config.features.n_frames(len(samples))
    assert np.allclose(features(samples[5 * HOP :], config.features), whole[5:], atol=1e-6)
    stream = FrameStream(config.features)
    pieces = [stream.feed(samples[start : start + 9_999]) for start in range(0, len(samples), 9_999)]
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_a_folder_without_the_network_or_with_another_is_refused(network: Path, tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"holds no speech embedding .* needs embedding_model\.onnx"):
        embedding_of(str(tmp_path))
    with pytest.raises(FeatureError, match=r"\(2, 50\) instead of \(2, 96\)"):
        embedding_of(str(save_network(tmp_path / "narrow", 50)))
    (tmp_path / NETWORK).write_bytes(b"no network")
    with pytest.raises(FeatureError, match="holds no speech embedding"):
        embedding_of(str(tmp_path))
    other = shutil.copytree(network, tmp_path / "other")
    samples = np.zeros((1, WINDOW), dtype=np.float32)
    (other / MEL).write_bytes(graph_of(_OtherFrontEnd(), {"samples": samples}, {"mel": 0}, opset=13))
    with pytest.raises(FeatureError, match="another front end"):
        embedding_of(str(other))


def test_settings_that_do_not_go_together_are_refused(network: Path) -> None:
    own = {"features.embedding": str(network)}
    for changes, reason in (
        ({"features.kind": "mel"}, r"is for kind embedding"),
        ({"features.window_s": 0.5}, r"window_s is 0\.782"),
        ({"features.clip_s": 0.5}, r"clip_s is at least window_s, got 0\.5 and 0\.782"),
        ({"model.target": "esp32_s3"}, r"more than a microcontroller"),
    ):
        with pytest.raises(TrainingError, match=reason):
            build(WakewordConfig, merged(load_preset("embedding"), own, changes))
    with pytest.raises(FeatureError, match="Name the folder"):
        check_embedding(build(WakewordConfig, load_preset("embedding")).features)


def test_a_model_keeps_the_network_that_it_hears_through(
    model: Path, config: WakewordConfig, network: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(model, tmp_path / "moved"))
    _, info = load_model(moved)
    assert Path(info.features.embedding).parent == moved
    assert (Path(info.features.embedding) / NETWORK).read_bytes() == (network / NETWORK).read_bytes()
    assert are_same(info.features, config.features), "the same network elsewhere"
    assert str(network) not in (moved / "model.json").read_text(encoding="utf-8")
    assert not are_same(info.features, FeatureConfig())


def test_its_bundle_goes_off_where_the_detector_does(model: Path, tmp_path: Path) -> None:
    written = write_bundle(model, tmp_path / "b.zip")
    assert written.largest_difference < 0.01
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "b")
    samples = (np.round(sound() * 32_767) / 32_768).astype(np.float32)
    (tmp_path / "s.wav").write_bytes(to_wav(samples))
    found = expected(model, np.round(samples * 32_767) / np.float32(32_768))
    assert found
    done = subprocess.run(
        [sys.executable, "-I", "runner.py", "../s.wav"], cwd=tmp_path / "b", capture_output=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["at_s"] for line in lines] == pytest.approx([at_s for at_s, _ in found], abs=1e-3)
    assert [line["score"] for line in lines] == pytest.approx([score for _, score in found], abs=2e-3)


def test_a_network_that_no_graph_can_take_is_refused(model: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "damaged"))
    (damaged / "embedding" / NETWORK).write_bytes(b"no network")
    with pytest.raises(ModelError, match="cannot be taken into a graph"):
        write_bundle(damaged, tmp_path / "b.zip")


def test_a_detector_is_trained_on_embeddings_by_the_command_line(network: Path, tmp_path: Path) -> None:
    words, other, noise = write_clips(tmp_path / "clips", 8, 8)
    env = {"PRONLAB_DATA_ROOT": str(tmp_path / "data"), "PRONLAB_MODELS_ROOT": str(tmp_path / "models")}
    given = [
        "wakeword", "train", "--preset", "embedding", "--embedding", str(network), "--positive", str(words),
        "--negative", str(other), "--noise", str(noise), "--steps", "20", "--name", "chirp", "--json",
        "--override", "mining.rounds=0", "--override", "augment.variants=2", "--override", "augment.simulated_rooms=0",
    ]  # fmt: skip
    result = CliRunner().invoke(main, given, env=env)
    assert result.exit_code == 0, result.output
    written = Path(json.loads(result.stdout)["directory"]) / "model" / "model.json"
    assert json.loads(written.read_text(encoding="utf-8"))["features"]["embedding"] == "embedding"
