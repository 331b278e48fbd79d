"""Features of wake-word clips: as librosa has them, rendered, kept on disk, and refused where they do not fit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile

from pipeline.audio.voice import find_word
from pipeline.errors import CorpusError, FeatureError, TrainingError
from pipeline.parallel import MIN_ITEMS_FOR_PROCESSES
from pipeline.wakeword.config import AugmentConfig
from pipeline.wakeword.data.augment import Renderer, mask, plain
from pipeline.wakeword.data.clips import Clip, Label, scan_folders
from pipeline.wakeword.data.decoded_clips import SoundCache
from pipeline.wakeword.data.feature_cache import Pool, analyse, digest_of, make_pools, open_pools, read_index
from pipeline.wakeword.data.noise import loudest_energy, mixed
from pipeline.wakeword.data.rendering import LivePool, Recipe, context_of, synthetic_passes, tasks_of
from pipeline.wakeword.data.rooms import read_rooms, reverberate, simulate_rooms
from pipeline.wakeword.features import RATE_HZ, Cmvn, FeatureConfig, FrameStream, features
from tests.wakeword_sounds import chirp, write_clips

STILL = AugmentConfig(
    variants=2, negative_variants=1, stretch_chance=0.0, pitch_chance=0.0, simulated_rooms=0, room_chance=0.0
)
RECIPE = Recipe(FeatureConfig(clip_s=0.8), STILL)


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, list[Clip]]:
    words, other, _ = write_clips(tmp_path / "clips", 4, 4)
    scan = scan_folders({Label.POSITIVE: [words], Label.NEGATIVE: [other]})
    return scan.root, list(scan.clips)


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


def test_adaptive_frames_look_at_a_second_and_at_nothing_else() -> None:
    sound = 0.1 * np.random.default_rng(1).standard_normal(4 * RATE_HZ).astype(np.float32)
    config = FeatureConfig(kind="adaptive", window_s=1.03, clip_s=2.5)
    whole = features(sound, config)
    assert len(whole) == config.n_frames(len(sound)) == 298
    assert np.allclose(features(sound[50 * config.hop :], config), whole[50:], atol=1e-4)
    stream = FrameStream(config)
    pieces = [stream.feed(sound[start : start + 9_999]) for start in range(0, len(sound), 9_999)]
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-4)
    assert np.allclose(whole.mean(axis=0)[5:], features(3.0 * sound, config).mean(axis=0)[5:], rtol=0.1), "of any level"
    steady = np.concatenate([sound, sound, sound])
    louder = steady.copy()
    louder[-RATE_HZ // 4 :] *= 10.0
    assert features(louder, config)[-5:].mean() > 2.0 * features(steady, config)[-5:].mean(), "what is new stands out"
    with pytest.raises(TrainingError, match=r"window_s is 1\.03 with kind adaptive"):
        FeatureConfig(kind="adaptive")


def test_dual_frames_are_log_mel_and_adaptive_ones_of_the_same_moment() -> None:
    sound = 0.1 * np.random.default_rng(1).standard_normal(3 * RATE_HZ).astype(np.float32)
    config = FeatureConfig(kind="dual", window_s=1.03, clip_s=2.5)
    whole = features(sound, config)
    assert whole.shape == (config.n_frames(len(sound)), 80) == (198, config.n_bins)
    assert np.array_equal(whole[:, 40:], features(sound, FeatureConfig(kind="adaptive", window_s=1.03, clip_s=2.5)))
    assert np.array_equal(whole[:, :40], features(sound[RATE_HZ:], FeatureConfig())[:198])
    for size in (7, 9_999):
        stream = FrameStream(config)
        pieces = [stream.feed(sound[start : start + size]) for start in range(0, 20_000, size)]
        given = np.concatenate(pieces)
        assert len(given) and np.allclose(given, whole[: len(given)], atol=1e-4)
    with pytest.raises(TrainingError, match=r"window_s is 1\.03 with kind dual"):
        FeatureConfig(kind="dual")


def test_mfcc_are_cepstra_of_it() -> None:
    sound = np.random.default_rng(1).standard_normal(8000).astype(np.float32)
    found = features(sound, FeatureConfig(kind="mfcc", n_mfcc=13))
    expected = librosa.feature.mfcc(S=features(sound, FeatureConfig()).T, n_mfcc=13, norm="ortho").T
    assert np.allclose(found, expected, atol=1e-3)


def test_settings_are_checked_all_at_once() -> None:
    with pytest.raises(TrainingError) as caught:
        FeatureConfig(kind="plp", n_mels=20, n_mfcc=50, clip_s=100)
    for part in ("kind is one of", "n_mels lies in 40-128", "clip_s lies", "n_mfcc is at most n_mels"):
        assert part in str(caught.value)


def test_the_word_is_found_in_its_clip() -> None:
    sound = chirp(np.random.default_rng(0))
    start, end = find_word(sound)
    assert 0.3 * RATE_HZ < start < 0.6 * RATE_HZ
    assert 0.85 * RATE_HZ < end < 1.15 * RATE_HZ


def test_the_word_ends_where_the_window_does() -> None:
    word = chirp(np.random.default_rng(0))[6400:16000]
    rendered = Renderer(plain(AugmentConfig(), None), 1.5).word(word, np.random.default_rng(0))
    assert len(rendered) == round(1.9 * RATE_HZ)
    assert np.array_equal(rendered[24_000 - len(word) : 24_000], word)
    assert not rendered[24_000:].any()


def test_a_seed_gives_the_same_sound_again_and_leaves_the_global_generators_alone() -> None:
    word = chirp(np.random.default_rng(0))
    renderer = Renderer(AugmentConfig(stretch_chance=1.0, pitch_chance=1.0, equaliser_chance=1.0), 1.5)
    before = np.random.get_state()[1].copy()
    one, two, other = (renderer.word(word, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert np.array_equal(before, np.random.get_state()[1])


def test_noise_is_mixed_in_at_its_ratio() -> None:
    draw = np.random.default_rng(0)
    sound, noise = chirp(draw), draw.standard_normal(22_400).astype(np.float32)
    added = mixed(sound, noise, 10.0) - sound
    assert 10 * np.log10(loudest_energy(sound) / loudest_energy(added)) == pytest.approx(10.0, abs=0.05)


def test_masks_hide_bands_and_stretches_and_can_be_switched_off() -> None:
    windows = np.ones((50, 100, 40), dtype=np.float32)
    mask(windows, AugmentConfig(masks=2), np.random.default_rng(0))
    assert 0.5 < windows.mean() < 0.95
    untouched = np.ones((5, 100, 40), dtype=np.float32)
    mask(untouched, AugmentConfig(enabled=False), np.random.default_rng(0))
    assert untouched.all()


def test_files_that_are_no_rooms_are_left_out_and_named(tmp_path: Path) -> None:
    good = np.exp(-np.arange(8000) / 800.0) * np.random.default_rng(0).standard_normal(8000)
    soundfile.write(tmp_path / "good.wav", good / np.abs(good).max(), RATE_HZ)
    assert read_rooms([str(tmp_path)]).left_out == ()
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), RATE_HZ)
    soundfile.write(tmp_path / "short.wav", good[:800], RATE_HZ)
    soundfile.write(tmp_path / "long.wav", np.ones(6 * RATE_HZ), RATE_HZ)
    soundfile.write(tmp_path / "nan.wav", np.full(8000, np.nan), RATE_HZ, subtype="FLOAT")
    rooms = read_rooms([str(tmp_path)])
    assert (rooms.names, len(rooms.responses), len(rooms.left_out)) == (("good",), 1, 4)
    (tmp_path / "good.wav").unlink()
    with pytest.raises(CorpusError) as caught:
        read_rooms([str(tmp_path)])
    for part in ("silent.wav is silent", "short.wav lasts 0.05 s", "long.wav lasts 6.00 s", "nan.wav has samples that"):
        assert part in str(caught.value)
        assert part in " ".join(rooms.left_out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="holds no room impulse responses"):
        read_rooms([str(tmp_path / "empty")])


def test_simulated_rooms_blur_and_keep_the_energy() -> None:
    rooms = simulate_rooms(3, seed=1)
    assert [np.array_equal(a, b) for a, b in zip(rooms, simulate_rooms(3, seed=1), strict=True)] == [True] * 3
    sound = chirp(np.random.default_rng(0))
    wet = reverberate(sound, rooms[0], 1.0)
    assert np.square(wet).sum() == pytest.approx(np.square(sound).sum(), rel=1e-3)
    assert np.allclose(reverberate(sound, rooms[0], 0.0), sound, atol=1e-6)
    assert np.abs(wet[16_200:17_000]).mean() > 3 * np.abs(sound[16_200:17_000]).mean(), "a tail after the word"


def test_the_cache_is_bounded_and_counts(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.wav")
        soundfile.write(paths[-1], np.full(RATE_HZ, 0.1), RATE_HZ)
    cache = SoundCache(0.13)  # two seconds of float32
    for index in (0, 1, 0, 2, 0, 1):
        cache.get(paths[index])
    assert (cache.use.hits, cache.use.misses) == (2, 4)
    assert cache.use.size_mb <= 0.13
    assert cache.use.hit_rate == pytest.approx(1 / 3)


def test_pools_are_kept_and_opened_without_reading_audio(clips: tuple[Path, list[Clip]], tmp_path: Path) -> None:
    root, known = clips
    pools = make_pools(tmp_path / "pools", root, known, RECIPE)
    assert set(pools) == set(Label)
    words = pools[Label.POSITIVE]
    assert isinstance(words.values, np.memmap)
    assert words.lengths == (118,) * 8
    assert words.n_windows == 8 * 41
    assert words.sample(5, np.random.default_rng(0)).shape == (5, *RECIPE.features.shape)
    for clip in known:
        (root / clip.path).unlink()
    again = make_pools(tmp_path / "pools", root, known, RECIPE)
    assert np.array_equal(again[Label.POSITIVE].values, words.values)


def test_rendering_is_the_same_in_one_process_and_in_several(
    clips: tuple[Path, list[Clip]], tmp_path: Path, two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, known = clips
    enough = known * (MIN_ITEMS_FOR_PROCESSES // len(known))
    many = make_pools(tmp_path / "many", root, enough, RECIPE)
    monkeypatch.setattr("pipeline.parallel.cores", lambda: 1)
    one = make_pools(tmp_path / "one", root, enough, RECIPE)
    for label in one:
        assert np.array_equal(one[label].values, many[label].values)


def test_what_does_not_fit_is_refused_with_both_sides(clips: tuple[Path, list[Clip]], tmp_path: Path) -> None:
    root, known = clips
    folder = tmp_path / "pools"
    make_pools(folder, root, known, RECIPE)
    with pytest.raises(FeatureError, match=r"features.n_mels 40 there, 80 here"):
        open_pools(folder, replace(RECIPE, features=FeatureConfig(clip_s=0.8, n_mels=80)))
    with pytest.raises(FeatureError, match=r"augment.variants 2 there, 3 here"):
        open_pools(folder, replace(RECIPE, augment=replace(STILL, variants=3)))
    with pytest.raises(FeatureError, match="8 other clips, noise or rooms than the 5"):
        open_pools(folder, RECIPE, known[:5])
    np.save(folder / "positive.npy", np.zeros((2, 3), dtype=np.float16))
    with pytest.raises(FeatureError, match=r"\(2, 3\) there"):
        open_pools(folder, RECIPE)
    np.save(folder / "positive.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FeatureError, match="cannot be read"):
        open_pools(folder, RECIPE)
    assert make_pools(folder, root, known, RECIPE)[Label.POSITIVE].n_windows == 8 * 41, "made anew"
    assert read_index(folder)["recipe"]["features"]["n_mels"] == 40
    (folder / "pools.json").write_text("[]")
    with pytest.raises(FeatureError, match="holds no features"):
        open_pools(folder, RECIPE)


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("lengths", {"positive": ["a"] * 8}), ("lengths", {"positive": [118.0] * 8}), ("lengths", {"positive": None}),
        ("lengths", {"positive": [-1] + [135] * 7}), ("lengths", {"positive": [1] * 944}), ("lengths", {"../x": [1]}),
        ("words", ["computer"] * 3), ("cache", None), ("recipe", {"features": {"hop_s": "x"}}),
    ],
    ids=str,
)  # fmt: skip
def test_an_index_that_nobody_wrote_so_is_refused_and_kept_features_are_made_anew(
    clips: tuple[Path, list[Clip]], tmp_path: Path, section: str, change: Any
) -> None:
    root, known = clips
    folder = tmp_path / "pools"
    made = make_pools(folder, root, known, RECIPE)[Label.POSITIVE].n_windows
    index = json.loads((folder / "pools.json").read_text())
    index[section] = {**index[section], **change} if isinstance(change, dict) else change
    (folder / "pools.json").write_text(json.dumps(index))
    with pytest.raises(FeatureError):
        open_pools(folder, RECIPE, known)
    assert make_pools(folder, root, known, RECIPE)[Label.POSITIVE].n_windows == made


def test_values_of_another_kind_missing_classes_and_no_numbers_are_refused(
    clips: tuple[Path, list[Clip]], tmp_path: Path
) -> None:
    root, known = clips
    folder = tmp_path / "pools"
    values = make_pools(folder, root, known, RECIPE)[Label.POSITIVE].values
    with pytest.raises(FeatureError, match="no numbers"):
        Cmvn.of([np.asarray(values), np.full((1, values.shape[1]), np.nan, dtype=np.float16)])
    np.save(folder / "positive.npy", np.asarray(values).astype("S3"))
    with pytest.raises(FeatureError, match="float16"):
        open_pools(folder, RECIPE, known)
    index = json.loads((folder / "pools.json").read_text())
    del index["lengths"]["positive"]
    (folder / "pools.json").write_text(json.dumps(index))
    with pytest.raises(FeatureError, match="no window of positive"):
        open_pools(folder, RECIPE, known)


@pytest.mark.parametrize("is_folder", [True, False])
def test_features_with_another_noise_of_the_same_name_and_length_are_others(
    clips: tuple[Path, list[Clip]], tmp_path: Path, is_folder: bool
) -> None:
    _root, known = clips
    noise = tmp_path / "noise" / "hiss.wav"
    noise.parent.mkdir()
    recipe = replace(RECIPE, noise=(str(noise.parent if is_folder else noise),))
    soundfile.write(noise, np.full(RATE_HZ, 0.1), RATE_HZ)
    before = digest_of(known, recipe)
    noise.with_name("notes.txt").touch()
    assert digest_of(known, recipe) == before
    soundfile.write(noise, np.full(RATE_HZ, 0.2), RATE_HZ)
    assert digest_of(known, recipe) != before


def test_existing_feature_files_are_analysed(clips: tuple[Path, list[Clip]], tmp_path: Path) -> None:
    root, known = clips
    folder = tmp_path / "pools"
    make_pools(folder, root, known, RECIPE)
    values = np.load(folder / "positive.npy")
    values[3, 5], values[:, 7] = np.nan, 1.0
    np.save(folder / "positive.npy", values)
    found = analyse(folder)["positive"]
    assert (found.stretches, found.not_finite, found.dead_bins) == (8, 1, 1)
    assert analyse(folder)["negative"].dead_bins == 0
    assert json.loads((folder / "pools.json").read_text())["n_clips"] == 8


def test_live_windows_need_no_disk(clips: tuple[Path, list[Clip]]) -> None:
    root, known = clips
    words = [clip for clip in known if clip.label is Label.POSITIVE]
    live = LivePool(RECIPE, root, words, [], Label.HARD_NEGATIVE)
    assert live.sample(3, np.random.default_rng(0)).shape == (3, *RECIPE.features.shape)


def test_few_recordings_are_rendered_as_often_as_many_synthetic_clips() -> None:
    recorded = [Clip(f"r{i}.wav", Label.POSITIVE, f"r{i}", 1.0, RATE_HZ, 0.5, "d") for i in range(2)]
    spoken = [Clip(f"s{i}.wav", Label.POSITIVE, "joe", 1.0, RATE_HZ, 0.5, "d", synthetic=True) for i in range(10)]

    def variants(clips: list[Clip], augment: AugmentConfig) -> list[int]:
        return [task.variants for task in tasks_of(clips, Recipe(FeatureConfig(), augment))]

    varied = AugmentConfig(variants=4)
    assert variants(recorded + spoken, varied) == [20] * 2 + [4] * 10
    assert variants(recorded[:1] + spoken, varied) == [32] + [4] * 10, "eight times at most"
    assert variants(recorded, varied) == [4] * 2
    assert variants(recorded + spoken, plain(varied, 10.0)) == [1] * 12, "each validates once"


def test_windows_stay_within_their_stretch() -> None:
    pool = Pool(np.arange(30, dtype=np.float16)[:, None], (12, 3, 15), 10)
    assert list(pool.starts) == [0, 1, 2, 15, 16, 17, 18, 19, 20]
    assert pool.narrowed(np.array([16])).sample(4, np.random.default_rng(0))[:, 0, 0].tolist() == [16.0] * 4


def test_mean_and_deviation_of_what_is_given_alone() -> None:
    draw = np.random.default_rng(0)
    values = (3.0 + 2.0 * draw.standard_normal((5000, 40))).astype(np.float16)
    found = Cmvn.of([values[:3000], values[3000:]], chunk=700)
    normal = found(values.astype(np.float32))
    assert np.abs(normal.mean(axis=0)).max() < 1e-2
    assert normal.std(axis=0) == pytest.approx(1.0, abs=1e-2)
    with pytest.raises(CorpusError):
        Cmvn.of([np.zeros((0, 40), dtype=np.float32)])


def test_synthetic_other_speech_is_rendered_until_it_is_a_third_where_the_word_is_synthetic() -> None:
    def clip(name: str, label: Label, *, synthetic: bool, duration_s: float = 6.0) -> Clip:
        return Clip(f"{name}.wav", label, name, duration_s, RATE_HZ, 0.5, "d", synthetic=synthetic)

    speech = [clip(f"n{i}", Label.NEGATIVE, synthetic=False) for i in range(12)]
    other = [clip(f"o{i}", Label.NEGATIVE, synthetic=True) for i in range(2)]
    spoken = [clip(f"s{i}", Label.POSITIVE, synthetic=True) for i in range(10)]
    recorded = [clip(f"r{i}", Label.POSITIVE, synthetic=False) for i in range(10)]
    assert synthetic_passes(speech + other + spoken) == 3
    assert synthetic_passes(speech + other + recorded) == 1
    assert synthetic_passes(speech + other + spoken + recorded) == 1
    assert synthetic_passes(6 * speech + other + spoken) == 8, "eight times at most"
    assert synthetic_passes(other + spoken) == 1, "there is no other speech of people"
    recipe = Recipe(FeatureConfig(), AugmentConfig(negative_variants=1))
    tasks = [task for task in tasks_of(speech + other + spoken, recipe) if task.label is Label.NEGATIVE]
    synthetic = [task for task in tasks if set(task.paths) <= {"o0.wav", "o1.wav"}]
    assert (len(tasks) - len(synthetic), len(synthetic)) == (6, 3), "stretches of the one or of the other"
    assert context_of(speech + other) == [clip.path for clip in speech]
    assert context_of(other) == [clip.path for clip in other]
