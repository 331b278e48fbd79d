"""What the check says of a recording: one stable code each, and nothing said of a good one."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.check import check_audio, estimate_snr_db, frame_levels_db, inspect_file
from pipeline.audio.load import Audio, from_samples
from pipeline.records import AudioReport

RATE = 16_000


def word(
    seconds: float = 0.6, amplitude: float = 0.4, pause_s: float = 0.2, noise: float = 1e-3
) -> NDArray[np.float32]:
    """A voiced-like sound between two pauses, over steady noise."""
    rng = np.random.default_rng(0)
    t = np.arange(round(seconds * RATE)) / RATE
    sound = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 20)) * np.sin(np.pi * t / seconds)
    sound *= amplitude / np.abs(sound).max()
    pause = np.zeros(round(pause_s * RATE))
    samples = np.concatenate([pause, sound, pause])
    return (samples + rng.normal(0, noise, len(samples))).astype(np.float32)


def codes(report: AudioReport) -> set[str]:
    return {problem.code for problem in report.problems}


def check(samples: NDArray[np.float32], rate_hz: int = RATE) -> AudioReport:
    return check_audio(from_samples(samples, rate_hz))


def test_a_good_recording_has_no_problem() -> None:
    report = check(word())
    assert report.problems == ()
    assert report.duration_s == pytest.approx(1.0)
    assert report.peak == pytest.approx(0.4, abs=0.01)
    assert 0.2 < report.silence_share < 0.5
    assert report.clipped_share == 0.0


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.zeros(RATE, dtype=np.float32), {"silent"}),
        (np.full(RATE, 0.2, dtype=np.float32), {"silent"}),  # a constant offset is no sound
        (word(amplitude=0.002, noise=0.0), {"silent"}),
        (word(0.1, pause_s=0.0), {"too_short"}),
        (word(0.3, pause_s=2.0), {"mostly_silent"}),
        (word(amplitude=0.03, noise=1e-4), {"low_level"}),
        (np.clip(3 * word(), -0.9, 0.9), {"clipped"}),
        (word(noise=0.1), {"noisy"}),
        (np.tile(word(), 61), {"too_long"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, set) else "",
)
def test_one_trouble_one_code(samples: NDArray[np.float32], expected: set[str]) -> None:
    report = check(samples)
    assert codes(report) == expected
    assert all(problem.message.endswith((".", "!")) and len(problem.message) > 15 for problem in report.problems)


def test_silence_is_an_error_and_says_so_alone() -> None:
    (problem,) = check(np.zeros(RATE, dtype=np.float32)).problems
    assert problem.severity == "error"
    assert "Check the microphone" in problem.message


def test_a_click_is_no_word() -> None:
    samples = np.zeros(RATE, dtype=np.float32)
    samples[8_000:8_040] = 0.5 * np.hanning(40)
    (problem,) = check(samples).problems
    assert (problem.code, problem.severity) == ("mostly_silent", "error")


def test_a_narrow_source_is_named() -> None:
    assert codes(check(word()[::2], 8_000)) == {"low_sample_rate"}


def test_no_samples_at_all() -> None:
    assert codes(check_audio(Audio(np.zeros(0, dtype=np.float32)))) == {"empty"}


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0, 30.0])
def test_snr_estimate_is_near_the_truth(snr_db: float) -> None:
    """A tone half of the time over white noise: the estimate stands within 2 dB, a little high as tenths are picked."""
    rng = np.random.default_rng(3)
    speech = np.where(np.arange(2 * RATE) < RATE, np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE), 0.0) * 0.3
    noise = rng.normal(0, 1.0, 2 * RATE)
    noise *= np.sqrt(np.mean(speech[:RATE] ** 2) / 10 ** (snr_db / 10))
    report = check((speech + noise).astype(np.float32))
    assert report.snr_db == pytest.approx(snr_db, abs=2.0)


def test_no_noise_no_ratio() -> None:
    assert check(word(noise=0.0)).snr_db is None
    assert estimate_snr_db(np.full(9, -20.0)) is None


def test_levels_do_not_depend_on_an_offset() -> None:
    sound = word()
    np.testing.assert_allclose(frame_levels_db(sound, 320), frame_levels_db(sound + np.float32(0.1), 320), atol=0.5)


def test_gain_changes_neither_silence_nor_noise_ratio() -> None:
    loud, soft = check(word()), check(word() * np.float32(0.25))
    assert loud.silence_share == soft.silence_share
    assert loud.snr_db == pytest.approx(soft.snr_db, abs=0.01)


def test_unreadable_files_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("not audio", encoding="utf-8")
    (problem,) = inspect_file(path).problems
    assert (problem.code, problem.severity) == ("unreadable", "error")
    assert "text.wav" in problem.message


def test_long_files_are_reported_with_their_length(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(3 * RATE, dtype=np.int16), RATE)
    report = inspect_file(path, max_duration_s=2.0)
    assert report.duration_s == pytest.approx(3.0)
    assert [(problem.code, problem.severity) for problem in report.problems] == [("too_long", "error")]
