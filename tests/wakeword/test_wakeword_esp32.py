"""The bundle for a microcontroller: its front end, the 8-bit model step by step, ESPHome's manifest."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import FeatureError, ModelError, TrainingError
from pipeline.presets import build
from pipeline.wakeword.config import AugmentConfig, WakewordConfig, load_preset
from pipeline.wakeword.data.clips import Label, scan_folders
from pipeline.wakeword.data.feature_cache import make_pools
from pipeline.wakeword.data.rendering import LivePool, Recipe
from pipeline.wakeword.features import RATE_HZ, Cmvn, FeatureConfig, FrameStream, features, settled
from pipeline.wakeword.models import make_model
from pipeline.wakeword.models.budget import budget_of
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.esp32 import _c_array
from pipeline.wakeword.packaging.export import save_windows
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model, save_model
from tests.wakeword.random_detector import save_random_detector, sound
from tests.wakeword_sounds import chirp, hum, write_clips

pytest.importorskip("pymicro_features", reason="the package pymicro-features is not installed")
pytest.importorskip("tflite_micro", reason="the package tflite-micro is not installed")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights with batch statistics of real frames, and those frames as the windows kept with the model."""
    folder = tmp_path_factory.mktemp("esp32")
    config = build(WakewordConfig, load_preset("esp32"))
    frames = features(np.concatenate([sound(), sound()[::-1]]), config.features)
    size = config.features.shape[0]
    windows = np.stack([frames[start : start + size] for start in range(0, len(frames) - size, size)])
    torch.manual_seed(0)
    network = make_model(config.model, config.features, Cmvn.of([frames])).train()
    with torch.no_grad():
        for _ in range(50):
            network(torch.from_numpy(windows))
        logits = network.eval()(torch.from_numpy(windows)).numpy()
    spread = float(logits.std())
    threshold = float(logits.max()) + spread  # of random weights, too many answers would lie near another one
    info = DetectorInfo("Hey Kapı", config.features, config.model, config.detector, threshold, spread, 1, {})
    save_model(folder, network, info)
    save_windows(folder, [windows])
    return folder


def test_frames_that_come_in_pieces_are_those_of_the_whole() -> None:
    config = FeatureConfig(kind="micro", window_s=0.03)
    stream, samples = FrameStream(config), sound()
    pieces = [stream.feed(samples[start : start + 777]) for start in range(0, len(samples), 777)]
    whole = features(samples, config)
    assert whole.shape == (config.n_frames(len(samples)), 40)
    assert np.array_equal(np.concatenate(pieces), whole)
    assert 0.0 <= whole.min() < whole.max() < 26.0, "what a byte of ESPHome's holds"
    with pytest.raises(TrainingError, match=r"window_s is 0\.03 with kind micro"):
        FeatureConfig(kind="micro")


def test_adaptive_features_follow_those_of_the_microcontroller() -> None:
    draw = np.random.default_rng(4)
    other = np.concatenate([hum(draw, 6.0), chirp(draw), hum(draw, 6.0)])
    samples = (other + 0.003 * draw.standard_normal(len(other))).astype(np.float32)
    micro = features(samples, FeatureConfig(kind="micro", window_s=0.03))
    adaptive = features(
        samples, FeatureConfig(kind="adaptive", window_s=1.03, clip_s=2.5, low_hz=125.0, high_hz=7500.0)
    )
    micro = micro[-len(adaptive) :]
    together = [np.corrcoef(micro[:, band], adaptive[:, band])[0, 1] for band in range(40)]
    assert np.mean(together) > 0.9
    mel = features(samples, FeatureConfig(low_hz=125.0, high_hz=7500.0))[-len(adaptive) :]
    assert np.mean([np.corrcoef(micro[:, band], mel[:, band])[0, 1] for band in range(40)]) < np.mean(together)


def test_windows_are_rendered_as_the_front_end_hears_them_in_a_stream(tmp_path: Path) -> None:
    config = FeatureConfig(kind="micro", window_s=0.03)
    heard_before = (0.05 * np.random.default_rng(2).standard_normal(4 * RATE_HZ)).astype(np.float32)
    stream = features(heard_before, config)
    last = settled(heard_before[-config.settling - 16_000 :], config)
    from_its_start = features(heard_before[-16_000:], config)
    assert np.abs(last - stream[-len(last) :])[:10].mean() < 0.3
    assert np.abs(from_its_start - stream[-len(last) :])[:10].mean() > 10.0

    words, other, _ = write_clips(tmp_path / "clips", 2, 2)
    scan = scan_folders({Label.POSITIVE: [words], Label.NEGATIVE: [other]})
    augment = AugmentConfig(variants=2, negative_variants=1, simulated_rooms=0, context=0.0, noise_chance=1.0)
    recipe = Recipe(config, augment)
    pools = make_pools(tmp_path / "pools", scan.root, scan.clips, recipe)
    assert set(pools[Label.POSITIVE].lengths) == {config.n_frames(round((config.clip_s + augment.shift_s) * RATE_HZ))}
    live = LivePool(recipe, scan.root, scan.clips[:1], scan.clips[2:], Label.POSITIVE)
    window = live.sample(1, np.random.default_rng(3))[0]
    (rendered, _), *_ = live.sounds(1, np.random.default_rng(3))
    in_a_stream = features(np.concatenate([rendered[: config.settling], rendered]), config)[-len(window) :]
    assert window.shape == config.shape
    assert np.abs(window - in_a_stream).mean() < 0.2


def test_the_8_bit_model_answers_step_by_step_as_pytorch(model: Path, tmp_path: Path) -> None:
    from pipeline.wakeword.packaging.esp32 import reference, steps_of, write_esp32_bundle

    made = write_esp32_bundle(model, tmp_path / "o.zip")
    assert made.same_side >= 0.98
    assert made.mean_difference < 0.02
    network, info = load_model(model)
    assert made.macs_per_step == budget_of(info.model, info.features).macs
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files["model.tflite"][4:8] == b"TFL3"
    frames = features(sound(), info.features)
    answers = np.array(list(steps_of(files["model.tflite"], frames)))
    expected = reference(network, info, frames)
    assert len(expected) > 100
    assert np.abs(answers[-len(expected) :] - expected).mean() < 0.02
    again = np.array(list(steps_of(files["model.tflite"], frames)))
    assert np.array_equal(answers, again), "each interpreter begins at the same state"


def test_a_sure_detector_leaves_room_for_a_stricter_cut_off(model: Path) -> None:
    """Its 8-bit answers to words and to what is like them would all be the highest."""
    from pipeline.wakeword.packaging.esp32 import reference

    network, info = load_model(model)
    frames = features(sound(), info.features)
    sure = reference(cast(Any, network), replace(info, threshold=info.threshold - 8.0, temperature=0.01), frames)
    assert sure.min() > 0.5 and sure.max() < 255 / 256


def test_the_bundle_has_what_esphome_and_others_need(model: Path, tmp_path: Path) -> None:
    from tflite_micro.python.tflite_micro import runtime

    command = ["wakeword", "export", str(model), "--bundle", str(tmp_path / "o.zip"), "--esp32", "--json"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert (manifest["type"], manifest["version"], manifest["wake_word"]) == ("micro", 2, "Hey Kapı")
    assert manifest["model"] == "model.tflite"
    arena = manifest["micro"]["tensor_arena_size"]
    assert arena / 1024 == made["arena_kb"]
    interpreter = runtime.Interpreter.from_bytes(files["model.tflite"], arena_size=arena)
    assert list(interpreter.get_input_details(0)["shape"]) == [1, 3, 40]
    assert interpreter.get_input_details(0)["dtype"] == np.int8
    assert interpreter.get_output_details(0)["dtype"] == np.uint8
    array = files["model.cc"].decode().split("{")[1].split("}")[0]
    assert bytes(int(byte, 16) for byte in array.replace("\n", "").split(",") if byte.strip()) == files["model.tflite"]
    assert "extern const uint8_t hey_kap_model[];" in files["model.h"].decode()


@pytest.mark.parametrize(
    ("word", "name"), [("7 Eleven", "word_7_eleven"), ("İstanbul", "i_stanbul"), ("привет", "wake_word")]
)
def test_the_array_has_a_name_that_c_takes(word: str, name: str) -> None:
    files = _c_array(b"\1", word)
    assert f"extern const uint8_t {name}_model[];" in files["model.h"].decode()
    assert f"const size_t {name}_model_size = sizeof({name}_model);" in files["model.cc"].decode()


def test_a_detector_that_no_microcontroller_can_hear_is_refused(model: Path, tmp_path: Path) -> None:
    from pipeline.wakeword.packaging.esp32 import write_esp32_bundle

    with pytest.raises(ModelError, match="--preset esp32"):
        write_esp32_bundle(save_random_detector(tmp_path), tmp_path / "o.zip")
    with pytest.raises(ModelError, match="Add --esp32"):
        write_bundle(model, tmp_path / "o.zip")


def test_a_front_end_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.optional.is_there", lambda name: False)
    with pytest.raises(FeatureError, match=r"needs pymicro_features: `\S*pip install 'pronlab\[esp32\]'`"):
        FrameStream(FeatureConfig(kind="micro", window_s=0.03))
