"""Features of wake-word clips: as librosa has them, kept on disk, and refused where they do not fit."""

import json
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from pipeline.errors import CorpusError, FeatureError
from pipeline.wakeword.clips import Clip, Label
from pipeline.wakeword.features import (
    RATE_HZ,
    Cmvn,
    FeatureConfig,
    features,
    fitted,
    make_features,
    open_features,
)

CONFIG = FeatureConfig(clip_s=0.8)


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, list[Clip]]:
    draw = np.random.default_rng(0)
    found = []
    for number in range(6):
        sound = 0.1 * (number + 1) * draw.standard_normal(RATE_HZ)
        soundfile.write(tmp_path / f"{number}.flac", np.clip(sound, -1, 1), RATE_HZ)
        found.append(Clip(f"{number}.flac", Label.POSITIVE, str(number), 1.0, RATE_HZ, 0.5, f"d{number}"))
    return tmp_path, found


@pytest.mark.parametrize("n_mels", [40, 80, 128])
def test_log_mel_as_librosa_has_it(n_mels: int) -> None:
    sound = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32)
    config = FeatureConfig(n_mels=n_mels)
    mel = librosa.feature.melspectrogram(
        y=sound, sr=RATE_HZ, n_fft=512, hop_length=160, win_length=400, window=np.hanning(400), center=False,
        n_mels=n_mels, fmin=60.0, fmax=7600.0, htk=True, norm=None,
    )  # fmt: skip
    ours = features(sound, config)
    # librosa puts its window into the middle of 512 samples, ours begins with it: 56 samples earlier.
    theirs = features(sound[56:], config)
    n = min(len(theirs), mel.shape[1])
    assert np.allclose(theirs[:n], np.log(mel.T[:n] + 1e-6), atol=0.05)
    assert ours.shape == (1 + (RATE_HZ - 400) // 160, n_mels)


def test_mfcc_are_cepstra_of_it() -> None:
    sound = np.random.default_rng(1).standard_normal(8000).astype(np.float32)
    found = features(sound, FeatureConfig(kind="mfcc", n_mfcc=13))
    expected = librosa.feature.mfcc(S=features(sound, FeatureConfig()).T, n_mfcc=13, norm="ortho").T
    assert np.allclose(found, expected, atol=1e-3)


def test_a_clip_is_brought_to_one_length() -> None:
    short = np.ones(1000, dtype=np.float32)
    assert len(fitted(short, CONFIG)) == CONFIG.n_samples
    assert fitted(short, CONFIG)[1000:].sum() == 0
    long = np.zeros(4 * RATE_HZ, dtype=np.float32)
    long[40_000:44_000] = 1.0
    assert fitted(long, CONFIG).sum() == 4000
    assert features(fitted(long, CONFIG), CONFIG).shape == CONFIG.shape
    assert features(np.zeros(10, dtype=np.float32), CONFIG).shape == (1, 40)


def test_features_are_kept_and_opened_without_reading_audio(clips: tuple[Path, list[Clip]], tmp_path: Path) -> None:
    root, known = clips
    store = make_features(tmp_path / "store", root, known, CONFIG)
    assert store.values.shape == (6, *CONFIG.shape)
    assert isinstance(store.values, np.memmap)
    samples, _ = soundfile.read(root / "3.flac", dtype="float32")
    assert np.allclose(store.values[3], features(fitted(samples, CONFIG), CONFIG), atol=1e-3)
    (root / "3.flac").unlink()
    again = make_features(tmp_path / "store", root, known, CONFIG)
    assert np.array_equal(again.values, store.values)
    assert list(again.rows([known[4], known[0]])) == [4, 0]
    with pytest.raises(FeatureError, match=r"1 clips have no features, first x\.wav"):
        again.rows([replace(known[0], path="x.wav")])


def test_what_does_not_fit_is_refused_with_both_sides(clips: tuple[Path, list[Clip]], tmp_path: Path) -> None:
    root, known = clips
    folder = tmp_path / "store"
    make_features(folder, root, known, CONFIG)
    with pytest.raises(FeatureError, match="n_mels 40 there, 80 here"):
        open_features(folder, replace(CONFIG, n_mels=80))
    with pytest.raises(FeatureError, match="6 other clips than these 5"):
        open_features(folder, CONFIG, known[:5])
    np.save(folder / "features.npy", np.zeros((2, 3, 4), dtype=np.float32))
    with pytest.raises(FeatureError, match=r"\(2, 3, 4\) there"):
        open_features(folder, CONFIG)
    (folder / "features.npy").write_bytes(b"no array")
    with pytest.raises(FeatureError, match="holds no features"):
        open_features(folder, CONFIG)
    np.save(folder / "features.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FeatureError, match="holds no features"):
        open_features(folder, CONFIG)
    assert make_features(folder, root, known, CONFIG).values.shape[0] == 6, "made anew"
    assert json.loads((folder / "features.json").read_text())["config"]["n_mels"] == 40


def test_mean_and_deviation_of_the_training_part_alone(clips: tuple[Path, list[Clip]], tmp_path: Path) -> None:
    root, known = clips
    store = make_features(tmp_path / "store", root, known, CONFIG)
    rows = store.rows(known[:3])
    found = Cmvn.of(store, rows, chunk=2)
    normal = found(store.values[rows])
    assert np.abs(normal.reshape(-1, 40).mean(axis=0)).max() < 1e-3
    assert normal.reshape(-1, 40).std(axis=0) == pytest.approx(1.0, abs=1e-3)
    assert abs(found(store.values[store.rows(known[3:])]).mean()) > 0.3
    with pytest.raises(CorpusError):
        Cmvn.of(store, store.rows([]))


def test_settings_are_checked_all_at_once() -> None:
    with pytest.raises(FeatureError) as caught:
        FeatureConfig(kind="plp", n_mels=20, n_mfcc=50, clip_s=100)
    for part in ("kind is one of", "n_mels lies in 40-128", "clip_s lies", "n_mfcc is at most n_mels"):
        assert part in str(caught.value)
