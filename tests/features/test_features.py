"""Features: right beside independent implementations, defined for any input, quick to notice what changed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.audio.load import Audio, from_samples, load_audio
from pipeline.corpus.sets import audio_path, get_set, read_recordings
from pipeline.errors import ModelError, UnknownNameError
from pipeline.features.acoustic57 import FEATURE_NAMES, acoustic57, delta, mfcc, spectral_shape, tempo_bpm
from pipeline.features.base import EXTRACTORS
from pipeline.features.catalogue import load_extractor
from pipeline.features.frames import HOP, N_MELS, WINDOW, Frames
from pipeline.features.table import build_table
from pipeline.features.timing import FEATURE_NAMES as TIMING_NAMES
from pipeline.features.timing import syllable_nuclei, timing
from pipeline.records import Target
from pipeline.settings import CHECKOUT, Settings

DEMO = CHECKOUT / "data" / "demo"
WORDS = ("masa", "çiçek", "yıldız", "pencere", "gözlük")
REGRESSION = CHECKOUT / "tests" / "regression" / "acoustic57.json"


def recording(word: str) -> Audio:
    return load_audio(DEMO / "references" / f"{word}.wav")


def named(values: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, values.tolist(), strict=True))


def tone(frequency_hz: float, seconds: float = 1.0, level: float = 0.3) -> Audio:
    time = np.arange(round(16000 * seconds)) / 16000
    return from_samples((level * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32), 16000)


def test_there_are_57_in_the_order_of_the_contract() -> None:
    groups = [name.split("_")[0] for name in FEATURE_NAMES]
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 57
    assert groups[:39] == ["mfcc"] * 39
    assert list(FEATURE_NAMES[39:]) == [
        "f0_mean_hz", "f0_std_hz", "f0_range_hz",
        "f1_mean_hz", "f1_std_hz", "f2_mean_hz", "f2_std_hz", "f3_mean_hz",
        "rms_mean", "rms_std", "rms_max",
        "spectral_centroid_hz", "spectral_rolloff_hz", "spectral_bandwidth_hz", "spectral_flatness",
        "zero_crossing_rate", "tempo_bpm", "harmonic_ratio",
    ]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_mfcc_agree_with_librosa(word: str) -> None:
    import librosa

    audio = recording(word)
    mel = librosa.feature.melspectrogram(
        y=audio.samples, sr=16000, n_fft=1024, win_length=WINDOW, hop_length=HOP, n_mels=N_MELS, window="hann",
        pad_mode="constant",
    )  # fmt: skip
    # Our spectrum is scaled to a full-scale sine; a constant factor moves the first coefficient alone.
    level_db = librosa.power_to_db(mel / (0.25 * WINDOW) ** 2, ref=1.0, amin=1e-10, top_db=80.0)
    theirs = librosa.feature.mfcc(S=level_db, n_mfcc=13).T
    ours = mfcc(Frames(audio))
    n = min(len(ours), len(theirs))
    assert abs(len(ours) - len(theirs)) <= 1
    for column in range(13):
        assert np.corrcoef(ours[2 : n - 2, column], theirs[2 : n - 2, column])[0, 1] > 0.98
    assert np.abs(ours[2 : n - 2].mean(0) - theirs[2 : n - 2].mean(0)).max() < 3.0


def test_deltas_agree_with_librosa_inside() -> None:
    import librosa

    values = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    theirs = librosa.feature.delta(values.T, width=9).T
    np.testing.assert_allclose(delta(values)[4:-4], theirs[4:-4], atol=1e-5)


@pytest.mark.parametrize("word", WORDS)
def test_pitch_agrees_with_praat(word: str) -> None:
    import parselmouth

    audio = recording(word)
    praat = parselmouth.Sound(audio.samples.astype(np.float64), 16000).to_pitch_ac(0.01, 75, pitch_ceiling=500)
    pitch = Frames(audio).pitch
    times = np.arange(len(pitch.f0_hz)) * HOP / 16000
    theirs = np.array([praat.get_value_at_time(time) or 0.0 for time in times])
    theirs = np.nan_to_num(theirs)
    both = (theirs > 0) & (pitch.f0_hz > 0)
    assert ((theirs > 0) == (pitch.f0_hz > 0)).mean() > 0.85
    assert np.median(np.abs(pitch.f0_hz[both] / theirs[both] - 1)) < 0.01
    assert (np.abs(pitch.f0_hz[both] / theirs[both] - 1) > 0.2).mean() < 0.1


def test_formants_agree_with_praat_in_rank() -> None:
    """Means over a word; the two differ in window and analysis, so they are held to order the words alike."""
    import parselmouth

    ours, theirs = [], []
    for path in sorted((DEMO / "references").glob("*.wav")):
        audio = load_audio(path)
        frames = Frames(audio)
        sound = parselmouth.Sound(audio.samples.astype(np.float64), 16000)
        burg = sound.to_formant_burg(0.01, 5, 5500, 0.025, 50)
        voiced = np.flatnonzero(frames.pitch.voiced) * HOP / 16000
        found = np.array([[burg.get_value_at_time(k, t) for k in (1, 2)] for t in voiced])
        theirs.append(np.nanmean(found, axis=0))
        ours.append(frames.formants_hz.mean(axis=0)[:2])
    for k in (0, 1):
        assert np.corrcoef(np.array(ours)[:, k], np.array(theirs)[:, k])[0, 1] > 0.8


@pytest.mark.parametrize("frequency_hz", [110.0, 220.0, 440.0])
def test_a_tone_has_its_own_pitch_and_no_spread(frequency_hz: float) -> None:
    features = named(acoustic57(Frames(tone(frequency_hz))))
    assert features["f0_mean_hz"] == pytest.approx(frequency_hz, rel=0.005)
    assert features["f0_std_hz"] < 0.02 * frequency_hz
    assert features["harmonic_ratio"] > 0.95
    assert features["rms_max"] == pytest.approx(0.3 / np.sqrt(2), rel=0.02)
    assert features["zero_crossing_rate"] == pytest.approx(2 * frequency_hz / 16000, rel=0.1)


def test_brightness_is_heard_in_the_spectrum() -> None:
    low, high = (spectral_shape(Frames(tone(hz))) for hz in (300.0, 3000.0))
    assert low[0] == pytest.approx(300, rel=0.15)
    assert high[0] == pytest.approx(3000, rel=0.05)
    noise = from_samples(0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32), 16000)
    assert spectral_shape(Frames(noise))[3] > 10 * high[3]


def test_beats_give_their_tempo() -> None:
    samples = np.zeros(16000 * 5, dtype=np.float32)
    burst = 0.5 * np.random.default_rng(0).standard_normal(800).astype(np.float32)
    for start in range(0, len(samples) - 800, 8000):
        samples[start : start + 800] = burst
    assert tempo_bpm(Frames(from_samples(samples, 16000))) == pytest.approx(120, rel=0.02)


def test_loudness_changes_level_features_only() -> None:
    audio = recording("masa")
    loud, soft = (named(acoustic57(Frames(from_samples(gain * audio.samples, 16000)))) for gain in (1.0, 0.5))
    for name in ("f0_mean_hz", "f1_mean_hz", "spectral_centroid_hz", "harmonic_ratio"):
        assert soft[name] == pytest.approx(loud[name], rel=0.02, abs=0.05)
    assert soft["rms_mean"] == pytest.approx(loud["rms_mean"] / 2, rel=0.01)


strange = st.one_of(
    hnp.arrays(np.float32, st.integers(0, 4000), elements=st.floats(-1, 1, width=32)),
    st.integers(0, 20000).map(lambda n: np.zeros(n, dtype=np.float32)),
    st.tuples(st.integers(1, 8000), st.sampled_from([1.0, -1.0, 1e-7, 1e-30])).map(
        lambda pair: np.full(pair[0], pair[1], dtype=np.float32)
    ),
)


@given(samples=strange)
@hypothesis_settings(max_examples=60, deadline=None)
def test_every_feature_is_defined_for_anything(samples: np.ndarray) -> None:
    frames = Frames(Audio(samples, 16000, 16000, 1, 0.0, 0.0))
    assert np.isfinite(acoustic57(frames)).all()
    assert np.isfinite(timing(frames, len(samples) / 16000, "")).all()


def test_syllables_are_counted() -> None:
    samples = np.zeros(16000 * 2, dtype=np.float32)
    time = np.arange(3200) / 16000
    for start in (2000, 9000, 16000, 23000):
        samples[start : start + 3200] = 0.4 * np.sin(2 * np.pi * 150 * time) * np.hanning(3200)
    frames = Frames(from_samples(samples, 16000))
    level_db = 20 * np.log10(np.maximum(frames.rms, 1e-6))
    assert len(syllable_nuclei(level_db, frames.pitch.voiced)) == 4
    values = dict(zip(TIMING_NAMES, timing(frames, 2.0, "ba ba ba ba"), strict=True))
    assert (values["n_nuclei"], values["n_words"], values["n_vowels"]) == (4, 4, 4)
    assert values["n_pauses"] == 3
    assert values["nuclei_per_vowel"] == 1


@pytest.mark.parametrize("word", WORDS[:3])
def test_the_numbers_have_not_changed_unnoticed(word: str) -> None:
    """A change here changes every model trained before: raise the extractor's version and release models anew."""
    known = json.loads(REGRESSION.read_text(encoding="utf-8"))
    assert load_extractor(Settings(Path(), Path()), "acoustic57").version == known["version"]
    np.testing.assert_allclose(acoustic57(Frames(recording(word))), known["values"][word], rtol=2e-3, atol=2e-3)


def test_a_table_is_cached_and_follows_changes(settings: Settings, tiny_set: str, monkeypatch: Any) -> None:
    recordings = read_recordings(settings, tiny_set)
    first = build_table(settings, recordings, "acoustic57")
    assert first.values.shape == (24, 57)
    calls: list[int] = []
    from pipeline.features import table

    real = table._extract
    monkeypatch.setattr(table, "_extract", lambda *args: calls.append(1) or real(*args))
    again = build_table(settings, recordings, "acoustic57")
    assert not calls
    np.testing.assert_array_equal(again.values, first.values)
    changed = audio_path(get_set(settings, tiny_set), recordings[3])
    import soundfile

    soundfile.write(changed, np.zeros(8000), 16000)
    after = build_table(settings, recordings, "acoustic57")
    assert len(calls) == 1
    assert (after.values[3] != first.values[3]).any()
    np.testing.assert_array_equal(np.delete(after.values, 3, 0), np.delete(first.values, 3, 0))


def test_what_cannot_be_read_is_listed_and_left_out(settings: Settings, tiny_set: str) -> None:
    recordings = read_recordings(settings, tiny_set)
    audio_path(get_set(settings, tiny_set), recordings[0]).write_bytes(b"broken")
    table = build_table(settings, recordings, "acoustic57")
    assert len(table.recording_ids) == 23
    assert recordings[0].id in table.problems[0].message


def test_a_damaged_cache_is_made_again(settings: Settings, tiny_set: str) -> None:
    recordings = read_recordings(settings, tiny_set)[:3]
    first = build_table(settings, recordings, "timing")
    cache = next(settings.features_root.iterdir())
    cache.write_bytes(b"rubbish")
    np.testing.assert_array_equal(build_table(settings, recordings, "timing").values, first.values)


def test_every_extractor_describes_itself_and_unknown_ones_are_named(settings: Settings) -> None:
    from pipeline.features import acoustic57, encoder, reference, timing  # noqa: F401

    assert set(EXTRACTORS) == {"acoustic57", "reference", "timing", "encoder"}
    with pytest.raises(UnknownNameError, match="acoustic57"):
        load_extractor(settings, "acoustic58")
    with pytest.raises(ModelError, match="PRONLAB_ENCODER_PATH"):
        load_extractor(settings, "encoder")


def test_the_encoder_reads_a_local_folder_and_agrees_with_transformers(tmp_path: Path) -> None:
    """A tiny random Whisper encoder; our short-input forward against the model's own on a full 30 s window."""
    import torch
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from pipeline.features.encoder import encode
    from pipeline.features.log_mel import log_mel

    torch.manual_seed(0)
    config = WhisperConfig(d_model=16, encoder_layers=6, encoder_attention_heads=2, encoder_ffn_dim=32, num_mel_bins=80)
    WhisperEncoder(config).save_pretrained(tmp_path / "encoder")
    settings = Settings(tmp_path, tmp_path, encoder_path=tmp_path / "encoder")
    extractor = load_extractor(settings, "encoder")
    audio = recording("masa")
    features = extractor.extract(audio, Target("masa", "tr"))
    assert features.shape == (len(extractor.feature_names),) == (4 * 2 * 16 + 32,)
    assert np.isfinite(features).all()
    whole = np.zeros(16000 * 30, dtype=np.float32)
    whole[: len(audio.samples)] = audio.samples
    theirs = WhisperFeatureExtractor(feature_size=80)(whole, sampling_rate=16000, return_tensors="pt").input_features
    ours = log_mel(whole)
    assert np.abs(theirs[0].numpy() - ours).max() < 0.02
    model = extractor._model  # type: ignore[attr-defined]
    with torch.inference_mode():
        mine = encode(model, theirs)
        reference = model(theirs, output_hidden_states=True)
    assert torch.allclose(mine[3], reference.hidden_states[3], atol=1e-4)
    assert torch.allclose(mine[-1], reference.last_hidden_state, atol=1e-4)


def test_an_encoder_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError):
        load_extractor(Settings(tmp_path, tmp_path, encoder_path=tmp_path), "encoder")


@pytest.mark.parametrize("seed", range(4))
def test_warping_many_pairs_agrees_with_librosa_one_by_one(seed: int) -> None:
    import librosa

    from pipeline.features import dtw

    draw = np.random.default_rng(seed)
    variants = draw.standard_normal((3, int(draw.integers(1, 40)), 5)).astype(np.float32)
    references = [draw.standard_normal((int(draw.integers(1, 60)), 5)).astype(np.float32) for _ in range(4)]
    found = dtw.distances(variants, references)
    for row, variant in enumerate(variants):
        for column, reference in enumerate(references):
            cost, path = librosa.sequence.dtw(variant.T, reference.T)
            assert found[row, column] == pytest.approx(cost[-1, -1] / (len(variant) + len(reference)), rel=1e-5)
            ours = dtw.path(variant, reference)
            steps = np.linalg.norm(variant[ours[:, 0]] - reference[ours[:, 1]], axis=1).sum()
            assert steps == pytest.approx(cost[-1, -1], rel=1e-5)
            assert (np.diff(ours, axis=0) >= 0).all()
            assert tuple(ours[0]) == (0, 0) == tuple(path[-1])


def test_a_very_long_recording_is_thinned_before_it_is_warped() -> None:
    from pipeline.features import dtw

    frames = np.arange(2000, dtype=np.float32)[:, None]
    assert len(dtw.thinned(frames)) <= dtw.MAX_FRAMES
    assert len(dtw.thinned(frames[:600])) == 600
    assert len(dtw.thinned(frames[:0])) == 0


def test_warping_in_blocks_gives_the_same_and_holds_little(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.features import dtw

    draw = np.random.default_rng(0)
    variants = draw.standard_normal((2, 30, 3)).astype(np.float32)
    references = [draw.standard_normal((int(n), 3)).astype(np.float32) for n in draw.integers(2, 80, 20)]
    whole = dtw.distances(variants, references)
    monkeypatch.setattr(dtw, "MAX_CELLS", 5000)
    assert len(list(dtw._blocks([len(reference) for reference in references], 60))) > 5
    np.testing.assert_allclose(dtw.distances(variants, references), whole)
