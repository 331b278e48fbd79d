"""A learner's attempts are saved whole, kept apart, read back in order and deleted only where asked."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline import artifacts
from pipeline.audio.load import Audio, load_audio
from pipeline.errors import AttemptError
from pipeline.practice.attempts import delete_attempts, read_attempts, save_attempt
from pipeline.records import ScoreResult, Target
from pipeline.settings import Settings

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def result_of(overall: float | None) -> ScoreResult:
    method = "none" if overall is None else "heuristic"
    return ScoreResult(overall, None if overall is None else "fair", method, "heuristic", "rule", Target("araba"))


def save(settings: Settings, audio: Audio, learner: str, text: str, overall: float | None, minute: int = 0):
    return save_attempt(settings, learner, text, audio, result_of(overall), at=START + timedelta(minutes=minute))


@pytest.fixture
def audio() -> Audio:
    seconds = np.arange(8000) / 16000
    return load_audio(wav_bytes(0.3 * np.sin(2 * np.pi * 220 * seconds)))


def wav_bytes(samples: np.ndarray) -> bytes:
    import io

    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def test_an_attempt_comes_back_as_it_was_saved(settings: Settings, audio: Audio) -> None:
    saved = save(settings, audio, "Ayşe", "çiçek", 72.5)
    log = read_attempts(settings, "Ayşe", "çiçek")
    assert log.attempts == (saved,)
    assert log.problems == ()
    assert log.attempts[0].overall == 72.5
    np.testing.assert_allclose(load_audio(saved.audio).samples, audio.samples, atol=1e-4)


def test_not_scored_is_not_zero(settings: Settings, audio: Audio) -> None:
    save(settings, audio, "Ayşe", "araba", None)
    assert read_attempts(settings, "Ayşe").attempts[0].overall is None


def test_attempts_come_oldest_first_over_all_words(settings: Settings, audio: Audio) -> None:
    save(settings, audio, "Ayşe", "ev", 50, minute=2)
    save(settings, audio, "Ayşe", "araba", 60, minute=1)
    save(settings, audio, "Can", "araba", 70, minute=0)
    assert [attempt.text for attempt in read_attempts(settings, "Ayşe").attempts] == ["araba", "ev"]


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "a\x00b", "..", ".hidden", "a" * 300, "𠀀" * 200, "a/b"])
def test_awkward_names_stay_inside_the_root(settings: Settings, audio: Audio, name: str) -> None:
    saved = save(settings, audio, name, name, 50)
    assert saved.audio.resolve().is_relative_to(settings.attempts_root.resolve())
    assert len(saved.audio.relative_to(settings.attempts_root).parts) == 3
    assert read_attempts(settings, name, name).attempts[0].overall == 50


def test_names_that_look_alike_in_a_folder_are_kept_apart(settings: Settings, audio: Audio) -> None:
    save(settings, audio, "a/b", "ev", 10)
    save(settings, audio, "a:b", "ev", 20)
    assert [attempt.overall for attempt in read_attempts(settings, "a/b").attempts] == [10]


@pytest.mark.parametrize("name", ["", "   ", "a" * 301])
def test_an_unusable_name_is_refused_in_words(settings: Settings, audio: Audio, name: str) -> None:
    with pytest.raises(AttemptError, match="1 to 300 characters"):
        save(settings, audio, name, "ev", 10)


def test_a_save_cut_short_is_not_shown_and_a_broken_record_is_listed(settings: Settings, audio: Audio) -> None:
    good = save(settings, audio, "Ayşe", "ev", 50)
    folder = good.audio.parent
    (folder / "20260101T000000.000000Z.wav").write_bytes(wav_bytes(np.zeros(10)))
    (folder / f"{artifacts.TEMPORARY_PREFIX}x.json").write_text("{")
    (folder / "20260101T000001.000000Z.json").write_text('{"learner": "Ay')
    log = read_attempts(settings, "Ayşe", "ev")
    assert log.attempts == (good,)
    assert [problem.code for problem in log.problems] == ["unreadable"]


def test_a_full_disk_is_told_in_words_and_leaves_nothing_shown(
    settings: Settings, audio: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: object, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(artifacts, "write_bytes", full)
    with pytest.raises(AttemptError, match=r"the disk is full.*Free some space"):
        save(settings, audio, "Ayşe", "ev", 50)
    assert read_attempts(settings, "Ayşe").attempts == ()


def test_deleting_one_word_leaves_the_others(settings: Settings, audio: Audio) -> None:
    for minute in range(3):
        save(settings, audio, "Ayşe", "ev", 50, minute)
    save(settings, audio, "Ayşe", "araba", 60)
    assert delete_attempts(settings, "Ayşe", "ev") == 3
    assert [attempt.text for attempt in read_attempts(settings, "Ayşe").attempts] == ["araba"]
    assert delete_attempts(settings, "Ayşe") == 1
    assert delete_attempts(settings, "Ayşe") == 0
