"""Whose voice it is: the projection that tells speakers apart, enrolment, and listening for the owner alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.encode import to_wav
from pipeline.audio.load import load_audio
from pipeline.errors import AudioError, CorpusError
from pipeline.metrics.detection import equal_error_rate
from pipeline.settings import CHECKOUT, Settings
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.listening import Heard, listen
from pipeline.wakeword.owner.enrolment import OwnerMatch, compare, enrol, forget_owner, owners, read_owner, takes_in
from pipeline.wakeword.owner.projection import (
    Trials,
    learn_projection,
    likeness,
    statistics_of,
    threshold_at_equal_error,
    trials,
)
from pipeline.wakeword.owner.same_word import TakeComparison, compare_takes
from pipeline.wakeword.owner.voice import VoiceEncoder

DEMO = CHECKOUT / "data" / "demo"


def made_up(n_speakers: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Ten takes of each speaker, who differ in ten of sixty numbers; the others are much larger and change from take
    to take."""
    draw = np.random.default_rng(seed)
    voices = draw.standard_normal((n_speakers, 10))
    takes = np.repeat(voices, 10, axis=0) + 0.3 * draw.standard_normal((10 * n_speakers, 10))
    x = np.concatenate([takes, 20.0 * draw.standard_normal((10 * n_speakers, 50))], axis=1).astype(np.float32)
    return x, np.repeat([f"s{n}" for n in range(n_speakers)], 10)


def test_the_projection_keeps_what_tells_speakers_apart() -> None:
    x, speakers = made_up(60, 0)
    new, new_speakers = made_up(30, 1)
    projection = learn_projection(x, speakers, 60, 10)
    vectors = projection(new)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    raw = new / np.linalg.norm(new, axis=1, keepdims=True)
    before, after = (equal_error_rate(trials(v, new_speakers, 5).curve) for v in (raw, vectors))
    assert before > 0.3
    assert after < 0.1


def test_trials_compare_each_owner_with_all_other_takes() -> None:
    x, speakers = made_up(4, 0)
    tested = trials(x / np.linalg.norm(x, axis=1, keepdims=True), speakers, 5)
    assert (int(tested.same.sum()), int((~tested.same).sum())) == (4 * 5, 4 * 5 * 3)
    assert (tested.same == (tested.enrolled == tested.tested)).all()


def test_the_threshold_lies_where_both_errors_are_equal() -> None:
    names = np.full(8, "a")
    scores = np.array([0.9, 0.8, 0.7, 0.3, 0.6, 0.2, 0.1, 0.0])
    same = np.array([True] * 4 + [False] * 4)
    limit = threshold_at_equal_error(Trials(scores, same, names, names).curve)
    assert (scores[same] < limit).mean() == (scores[~same] >= limit).mean() == 0.25


def test_statistics_are_means_and_deviations_of_the_chosen_states() -> None:
    layers = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    expected = np.concatenate([layers[2].mean(axis=0), layers[2].std(axis=0)])
    assert np.allclose(statistics_of(layers, (2,)), expected)


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """Five takes of one voice of the demo."""
    folder = tmp_path / "takes"
    folder.mkdir()
    for file in sorted((DEMO / "participant_01").rglob("*.wav"))[:5]:
        (folder / file.name).write_bytes(to_wav(load_audio(file).samples, RATE_HZ))
    return folder


def level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A made-up voice: of any sound of the demo the same, of silence another."""
    return np.array([1.0, 0.0] if np.abs(samples).max() > 0.01 else [0.0, 1.0], dtype=np.float32)


def alike(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Made-up states: of any sound the same word."""
    return np.ones((10, 4), dtype=np.float32)


def test_a_voice_is_enrolled_compared_and_forgotten(settings: Settings, takes: Path) -> None:
    owner = enrol(settings, " Ayşe ", takes_in([takes]), level, alike, "m").owner
    assert (owner.name, owner.n_takes, owner.agreement) == ("Ayşe", 5, pytest.approx(1.0))
    assert owners(settings) == ["Ayşe"]
    assert read_owner(settings, "Ayşe", "m") == owner
    sound = np.full(RATE_HZ, 0.1, dtype=np.float32)
    assert compare(owner, sound, level, 0.5) == OwnerMatch("Ayşe", 1.0, True)
    assert not compare(owner, 0 * sound, level, 0.5).is_owner
    assert enrol(settings, " AYŞE", takes_in([takes]), level, alike, "m").owner.name == "Ayşe", (
        "one person in any capitals"
    )
    assert owners(settings) == ["Ayşe"]
    assert read_owner(settings, "Ays\u0327e", "m").name == "Ayşe"
    assert enrol(settings, "हिन्दी", takes_in([takes]), level, alike, "m").owner.name == "हिन्दी"
    forget_owner(settings, "हिन्दी")
    with pytest.raises(CorpusError, match="another model of voices"):
        read_owner(settings, "Ayşe", "other")
    file = settings.data_root / "owners" / "Ayşe.json"
    for voice in ([], ["nan", 1.0], [1.0], [3.0, 4.0]):
        artifacts.write_json(file, {**artifacts.read_json(file), "voice": voice})
        with pytest.raises(CorpusError, match=r"no vector of length one.*Enrol 'Ayşe' again"):
            read_owner(settings, "Ayşe", "m")
    forget_owner(settings, "Ayşe")
    with pytest.raises(CorpusError, match="enrolled here: nobody yet"):
        read_owner(settings, "Ayşe", "m")


def test_a_take_that_may_be_of_another_person_is_named(settings: Settings, takes: Path) -> None:
    files, numbers = takes_in([takes]), iter(range(5))

    def voice(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.array([1.0, 0.0] if next(numbers) else [0.1, 0.995], dtype=np.float32)

    enrolment = enrol(settings, "can", files, voice, alike, "m")
    assert enrolment.other_voices == (files[0].name,)
    assert enrol(settings, "can", files, level, alike, "m").other_voices == ()


def test_how_alike_takes_are_does_not_grow_with_their_number() -> None:
    """As the word and the room are common to all voices of a crowd, the mean of many is like each of them."""
    draw = np.random.default_rng(0)
    crowd = np.concatenate([np.full((40, 1), 4.0), draw.standard_normal((40, 30))], axis=1).astype(np.float32)
    crowd /= np.linalg.norm(crowd, axis=1, keepdims=True)
    few, many = likeness(crowd[:8]).mean(), likeness(crowd).mean()
    assert few == pytest.approx(many, abs=0.05)
    assert many == pytest.approx(float((crowd @ crowd.T)[np.triu_indices(40, 1)].mean()), abs=1e-5)


def test_too_few_and_bad_takes_are_refused_by_name(settings: Settings, takes: Path) -> None:
    files = sorted(takes.iterdir())
    for n in (1, 4):
        with pytest.raises(CorpusError, match=f"'can' needs at least 5 takes of the same word, got {n}"):
            enrol(settings, "can", takes_in(files[:n]), level, alike, "m")
    with pytest.raises(AudioError, match=f"more than once: {files[0].name}. Say the word anew"):
        enrol(settings, "can", takes_in([*files[:4], files[0]]), level, alike, "m")
    assert owners(settings) == []
    files[2].write_bytes(to_wav(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ))
    with pytest.raises(AudioError, match=f"1 of 5 takes cannot be used: {files[2].name}: Nothing can be heard"):
        enrol(settings, "can", takes_in(files), level, alike, "m")
    empty = takes.parent / "others" / files[0].name
    empty.parent.mkdir()
    empty.write_bytes(b"")
    with pytest.raises(AudioError, match=f"2 of 6 takes .* others/{empty.name}: The recording is empty"):
        enrol(settings, "can", takes_in([*files, empty]), level, alike, "m")
    for name in ("", "../can", "a/b"):
        with pytest.raises(CorpusError, match="cannot be the name"):
            enrol(settings, name, takes_in(files), level, alike, "m")


def sounds_of(*words: int) -> list[NDArray[np.float32]]:
    """Made-up states: a word is a way through four corners of a space; each take has its own length."""
    corners = np.eye(12, dtype=np.float32)
    return [
        np.repeat(corners[[word, word + 1, word + 2, word + 3]], 5 + place, axis=0) for place, word in enumerate(words)
    ]


def test_a_take_of_another_word_is_named_and_five_words_are_refused() -> None:
    assert compare_takes(sounds_of(0, 0, 0, 0, 0)) == TakeComparison((), False)
    assert compare_takes(sounds_of(0, 0, 8, 0, 0)) == TakeComparison((2,), False)
    assert compare_takes(sounds_of(0, 0, 0, 8, 8)).odd == (3, 4), "not sure which: told, not refused"
    assert compare_takes(sounds_of(0, 4, 8, 2, 6)).other_words


def test_different_words_enrol_nobody(settings: Settings, takes: Path) -> None:
    """The demo's takes are of five words, as the released listener hears."""
    encoder = VoiceEncoder(settings)
    with pytest.raises(CorpusError, match="No two of the 5 takes sound like the same word"):
        enrol(settings, "can", takes_in([takes]), level, encoder.states_of, "m")
    assert owners(settings) == []


def test_the_released_model_tells_voices_of_the_demo_apart(settings: Settings) -> None:
    """Synthetic voices saying Turkish words: neither was learnt from."""
    encoder = VoiceEncoder(settings)
    one, other = (
        np.stack([encoder.voice_of(load_audio(file).samples) for file in sorted((DEMO / name).rglob("*.wav"))[:3]])
        for name in ("participant_01", "participant_02")
    )
    within = [float(side[i] @ side[j]) for side in (one, other) for i in range(3) for j in range(i)]
    assert np.mean(within) > np.mean(one @ other.T) + 0.2
    assert 0.0 < encoder.info.threshold < 1.0
    assert encoder.info.figures["measured"]["1.5 s"]["n_speakers"] == 63


class GoesOff:
    """In place of a bundle's detector: at two times, as the block with each comes."""

    def __init__(self) -> None:
        self.n = 0

    def feed(self, block: NDArray[np.float32]) -> Iterator[tuple[float, float, str]]:
        before, self.n = self.n / RATE_HZ, self.n + len(block)
        return iter([(t, 0.9, "word") for t in (1.0, 3.0) if before < t <= self.n / RATE_HZ])


def test_the_sound_before_a_detection_is_verified() -> None:
    sound = np.arange(4 * RATE_HZ, dtype=np.float32)
    given: list[NDArray[np.float32]] = []

    def verify(samples: NDArray[np.float32]) -> OwnerMatch:
        given.append(samples)
        return OwnerMatch("a", 0.5, len(given) > 1)

    blocks = iter(np.split(sound, 40))
    heard = list(listen(GoesOff(), blocks, verify))  # type: ignore[arg-type]
    assert [(one.at_s, one.owner.is_owner) for one in heard if one.owner] == [(1.0, False), (3.0, True)]
    assert [(samples[0], samples[-1] + 1) for samples in given] == [(0, RATE_HZ), (RATE_HZ, 3 * RATE_HZ)]
    assert heard[0].as_json()["owner"] == {"name": "a", "similarity": 0.5, "is_owner": False}
    assert "owner" not in replace(heard[0], owner=None).as_json()
    assert Heard("word", 1.0, 0.9).as_json() == {"word": "word", "at_s": 1.0, "score": 0.9}
