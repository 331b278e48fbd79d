"""What a batch holds: shares of the classes, windows to hear and to see, and figures of the validation clips."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.wakeword.evaluation import _evaluation_text
from pipeline.errors import CorpusError
from pipeline.presets import build
from pipeline.wakeword.config import DetectorConfig, WakewordConfig, load_preset
from pipeline.wakeword.data.batch_shares import batch_sizes
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.example_batch import example_batch
from pipeline.wakeword.data.feature_cache import Pool
from pipeline.wakeword.evaluation.folder_scores import score_folder
from pipeline.wakeword.features import FeatureConfig
from pipeline.wakeword.training.validate import validate
from tests.wakeword_sounds import write_clips


def test_a_batch_is_divided_by_shares() -> None:
    shares = {Label.POSITIVE: 1.0, Label.NEGATIVE: 3.0, Label.HARD_NEGATIVE: 1.0}
    assert batch_sizes(8, shares) == {Label.POSITIVE: 2, Label.NEGATIVE: 4, Label.HARD_NEGATIVE: 2}
    assert batch_sizes(256, shares) == {Label.POSITIVE: 51, Label.NEGATIVE: 154, Label.HARD_NEGATIVE: 51}
    assert batch_sizes(4, {Label.POSITIVE: 0.0, Label.NEGATIVE: 1.0}) == {Label.NEGATIVE: 4}


def test_an_example_batch_has_sounds_pictures_and_classes(tmp_path: Path) -> None:
    words, other, noise = write_clips(tmp_path, 3, 3)
    files = {Label.POSITIVE: sorted(words.iterdir()), Label.NEGATIVE: sorted(other.iterdir())}
    drawn = example_batch(files, [str(noise)], [], 8, seed=1)
    assert [window.label for window in drawn.windows] == ["positive"] * 2 + ["negative"] * 4 + ["hard_negative"] * 2
    shape = build(WakewordConfig, load_preset("default")).features.shape
    assert {window.frames.shape for window in drawn.windows} == {shape}
    assert {len(window.sound) for window in drawn.windows} == {40_000}, "2.5 s"
    assert {window.clip[:4] for window in drawn.windows if window.label == "hard_negative"} == {"word"}, "pieces of it"
    assert any((window.frames == 0.0).all(axis=0).any() for window in drawn.windows), "some bins are masked"
    assert drawn.statistics[Label.NEGATIVE].mean.shape == (shape[1],)
    with pytest.raises(CorpusError, match="needs clips of the word and of other speech"):
        example_batch({Label.POSITIVE: files[Label.POSITIVE]}, [], [], 8, 0)


def test_validation_counts_words_and_others_at_one_half() -> None:
    """Each clip is one window whose only value is its score."""
    features, config = FeatureConfig(), DetectorConfig(votes=1, of=1)
    size, n_bins = features.shape

    def pool(scores: list[float]) -> Pool:
        values = np.repeat(np.array(scores, dtype=np.float16), size)[:, None] * np.ones((1, n_bins), dtype=np.float16)
        return Pool(values, (size,) * len(scores), size)

    pools = {Label.POSITIVE: pool([2.0, 1.0, -1.0]), Label.NEGATIVE: pool([-2.0, 0.5, -3.0, -1.0])}
    counted = validate(pools, lambda windows: windows.mean(axis=(1, 2)), features, config).counts
    assert (counted.true_positives, counted.false_negatives, counted.false_positives) == (2, 1, 1)
    assert (counted.f1, counted.fpr, counted.fnr) == pytest.approx((4 / 6, 1 / 4, 1 / 3))


def test_every_clip_of_a_folder_is_scored(tmp_path: Path) -> None:
    words, _other, _noise = write_clips(tmp_path, 4, 1)
    features, told = FeatureConfig(), []
    scores = score_folder(
        words, lambda windows: windows.max(axis=(1, 2)), features, DetectorConfig(), 0.0,
        lambda done, n, _text: told.append((done, n)),
    )  # fmt: skip
    assert [clip.clip for clip in scores.clips] == [f"word{n:03}.flac" for n in range(4)]
    assert (scores.n, scores.detected) == (4, sum(clip.score >= 0.0 for clip in scores.clips))
    assert scores.clips[0].duration_s == pytest.approx(1.4)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    (words / "empty.wav").touch()
    with_one = score_folder(words, lambda windows: windows.max(axis=(1, 2)), features, DetectorConfig(), 0.0)
    assert (with_one.n, [problem.path for problem in with_one.left_out]) == (4, ["empty.wav"])
    for clip in words.glob("*.flac"):
        clip.unlink()
    with pytest.raises(CorpusError, match=r"The only audio file in .* cannot be read\. empty\.wav is empty"):
        score_folder(words, lambda windows: windows.max(axis=(1, 2)), features, DetectorConfig(), 0.0)
    with pytest.raises(CorpusError, match="There is no audio"):
        (tmp_path / "empty").mkdir()
        score_folder(tmp_path / "empty", lambda windows: windows.max(axis=(1, 2)), features, DetectorConfig(), 0.0)


@pytest.mark.parametrize(("hours", "alike"), [(0.3, "0.1, 0.5, 1.0"), (3.0, "0.1"), (20.0, "")])
def test_what_a_short_stream_cannot_say_is_told(hours: float, alike: str) -> None:
    point = {"miss_rate": 0.2, "miss_interval": (0.1, 0.3), "false_alarms": 0, "threshold": 1.0, "fah": 0.0}
    stream = {
        "n_keywords": 5, "hours": hours, "speech_hours": 0.1,
        "at_fah": dict.fromkeys(("0.1", "0.5", "1.0"), point),
    }  # fmt: skip
    report = {
        "stream": stream, "as_set": {**point, "miss_rate": 1.0}, "snr_db": 10.0, "near": [], "judged": None,
        "eer": 0.1, "real_time_factor": 0.01,
    }  # fmt: skip
    text = _evaluation_text(report)
    assert (f"too short for {alike} per hour" in text) if alike else "too short" not in text
    assert "its threshold was set on other sound. Here noise is mixed in at 10 dB" in text
    assert "other sound" not in _evaluation_text({**report, "as_set": point})
