"""Sounds of Turkish words: where they are in a recording, which are wrong, and that it is called experimental."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.audio.load import load_audio
from pipeline.cli.main import main
from pipeline.errors import ModelError, TrainingError
from pipeline.labels.store import LabelStore
from pipeline.records import Mark, RatingAction, RatingEvent, RubricName, ScoreResult, Target
from pipeline.scoring.sounds.alignment import forced, laid_over, spans_in_recording
from pipeline.scoring.sounds.model_files import INFO_FILE, SoundsInfo, load, one_hot, save
from pipeline.scoring.sounds.training.evaluation import auc, chosen_threshold, figures, probabilities
from pipeline.scoring.sounds.training.fit import fit_frames, fit_judge
from pipeline.scoring.sounds.training.marked import marked_samples, wrong_sounds
from pipeline.scoring.sounds.training.samples import Part, Sample, trials_of
from pipeline.scoring.sounds.training.spoken_words import SpokenWord, by_letters, with_fault
from pipeline.settings import CHECKOUT, Settings
from pipeline.synthesis import espeak
from pipeline.text.turkish import pronounced, sounds_of

DEMO = CHECKOUT / "data" / "demo"
needs_espeak = pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")


def shown(word: str) -> str:
    return " ".join(("ˈ" if sound.stressed else "") + (sound.ipa or "-") for sound in pronounced(word))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("kapı", "k a p ˈɯ"),
        ("göl", "ɟ ˈø l"),
        ("kâr", "c ˈaː ɾ"),
        ("dağ", "d ˈa ː"),
        ("değil", "d e - ˈi l"),
        ("öğretmen", "ø ː ɾ e t m ˈe n"),
        ("lokanta", "ɫ o k ˈa n t a"),
        ("ANKARA", "ˈa n k a ɾ a"),
        ("nadir", "n ˈaː d i ɾ"),
        ("taxi", "t ˈa k s i"),
    ],
)
def test_letters_are_said_as_their_word_wants_it(word: str, expected: str) -> None:
    assert shown(word) == expected


@pytest.mark.parametrize("word", ["ağaç", "hâlâ", "İstanbul'u", "x", "ğ", "bir şey", "123", "", "ooo", "WC"])
def test_there_is_one_pronunciation_for_each_letter(word: str) -> None:
    assert tuple(sound.letter for sound in pronounced(word)) == sounds_of(word)


def likely(labels: list[int], n_classes: int = 4) -> Any:
    """Log posteriors of frames that are surely of these classes."""
    probs = np.full((len(labels), n_classes), 0.02)
    probs[np.arange(len(labels)), labels] = 1.0 - 0.02 * (n_classes - 1)
    return np.log(probs).astype(np.float32)


def test_each_sound_gets_its_frames_and_silence_none() -> None:
    spans = forced(likely([0, 0, 1, 1, 1, 2, 3, 3, 0]), [1, 2, 3])
    assert spans is not None
    assert spans.tolist() == [[2, 5], [5, 6], [6, 8]]


def test_a_soft_g_shares_the_frames_of_its_vowel() -> None:
    spans = forced(likely([0, 1, 1, 1, 1, 2, 2]), [1, 1, 2])
    assert spans is not None
    assert spans.tolist() == [[1, 3], [3, 5], [5, 7]]


def test_fewer_frames_than_sounds_have_no_alignment() -> None:
    assert forced(likely([1, 2]), [1, 2, 3]) is None


def test_a_slower_recording_has_its_sounds_where_the_reference_has_them() -> None:
    reference = np.array([[0.0], [0.0], [5.0], [5.0], [9.0]], dtype=np.float32)
    slower = np.repeat(reference, 2, axis=0)
    path = laid_over(slower, reference)
    assert spans_in_recording(path, np.array([[0, 2], [2, 4], [4, 5]])).tolist() == [[0, 4], [4, 8], [8, 10]]


@pytest.mark.parametrize(
    ("word", "mnemonics", "expected"),
    [
        ("ağaç", "'a:tS", ("'a", ":", "", "tS")),
        ("değil", "d'ejIl", ("d", "'e", "", "I", "l")),
        ("soğuk", "so:'Uk", ("s", "o", ":", "'U", "k")),
        ("kapı", "kap'@", ("k", "a", "p", "'@")),
        ("kapı", "kap'@n", None),
    ],
)
def test_a_synthesisers_phonemes_are_laid_on_letters(
    word: str, mnemonics: str, expected: tuple[str, ...] | None
) -> None:
    assert by_letters(sounds_of(word), mnemonics) == expected


def test_faults_are_known_to_the_sound() -> None:
    import random

    word = SpokenWord("kalem", tuple("kalem"), ("k", "a", "l", "'&", "m"), (False,) * 5)
    draw = random.Random(0)
    for _ in range(50):
        faulty = with_fault(word, draw)
        changed = [before != after for before, after in zip(word.phones, faulty.phones, strict=True)]
        assert [wrong is True for wrong in faulty.wrong] == changed
        assert sum(changed) == 1
        assert faulty.said[0] in "kgtm" or faulty.phones[0] == ""


def made_up(part: Part, voice: str, said: str, seed: int, *, reference: bool = False) -> Sample:
    """A recording of `abc` whose states are those of its sounds and some noise; `said` are the sounds."""
    draw = np.random.default_rng(seed)
    labels = [0, 0, *np.repeat(["abc".index(sound) + 1 for sound in said], 4).tolist(), 0, 0]
    states = 4.0 * np.eye(8)[labels] + 0.3 * draw.standard_normal((len(labels), 8))
    wrong = tuple(sound != expected for sound, expected in zip(said, "abc", strict=True))
    return Sample(
        part, "abc", tuple("abc"), tuple(said), wrong, voice, states.astype(np.float16), reference,
        fault="" if said == "abc" else "another sound: x",
    )  # fmt: skip


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    made = [made_up(Part.FIT, "reference", "abc", 0, reference=True)]
    for number in range(60):
        part = (Part.FIT, Part.FIT, Part.VALIDATION, Part.HELD_OUT)[number % 4]
        said = ("abc", "abb", "acc", "abc", "cbc")[number % 5]
        made.append(made_up(part, f"{part}-{number % 3}", said, number + 1))
    return made


def test_a_model_finds_the_wrong_sound_in_voices_it_has_not_heard(samples: list[Sample], tmp_path: Path) -> None:
    info = SoundsInfo("sounds-xx", "xx", ("a", "b", "c"), "listener", 4, threshold=0.5)
    frames = fit_frames(info, [sample for sample in samples if sample.part is Part.FIT], lambda _: None)
    model = fit_judge(frames, trials_of(frames, [one for one in samples if one.part is Part.FIT]))
    held_out = trials_of(model, [one for one in samples if one.is_reference or one.part is Part.HELD_OUT])
    wrong = probabilities(model, held_out)
    assert auc(held_out.wrong == 1, wrong) == 1.0
    measured: Any = figures(held_out, wrong, chosen_threshold(held_out, wrong))
    assert measured["n"] == {"voices": 3, "sounds": 45, "wrong": 9, "clean_words": 6}
    assert measured["recall"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert measured["false_words"]["value"] == 0.0

    save(tmp_path, model)
    again = load(tmp_path)
    assert again.info == model.info
    assert np.allclose(probabilities(again, held_out), wrong, atol=1e-6)
    broken = json.loads((tmp_path / INFO_FILE).read_text(encoding="utf-8")) | {"format": 99}
    (tmp_path / INFO_FILE).write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(ModelError, match="Train it again"):
        load(tmp_path)


def test_the_threshold_spares_clean_words(samples: list[Sample]) -> None:
    info = SoundsInfo("sounds-xx", "xx", ("a", "b", "c"), "listener", 4, threshold=0.5)
    frames = fit_frames(info, [sample for sample in samples if sample.part is Part.FIT], lambda _: None)
    trials = trials_of(frames, samples)
    wrong = np.linspace(0.0, 1.0, len(trials.wrong))
    threshold = chosen_threshold(trials, wrong, most_false=0.25)
    words = {number for number in trials.recordings[trials.clean].tolist()}
    marked = {number for number in trials.recordings[trials.clean & (wrong >= threshold)].tolist()}
    assert 0 < len(marked) <= 0.25 * len(words)


def test_a_soft_g_has_a_column_of_its_own() -> None:
    assert one_hot(("a", "ğ"), ("a", "b")).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def rated(*marks: Mark) -> RatingEvent:
    return RatingEvent("Ayşe", RatingAction.RATE, "2026-11-26T10:00:00.000+00:00", score=70.0, marks=marks)


def test_half_of_the_raters_make_a_sound_wrong_and_an_accent_does_not_count() -> None:
    ratings = [
        rated(Mark(0, 0, "mispronounced"), Mark(0, 1, "accent")), rated(Mark(0, None, "missing"), Mark(1, 2, "missing")),
    ]  # fmt: skip
    assert wrong_sounds(ratings, 4) == (True, None, False, False)


def test_too_few_marks_are_told(demo: Settings) -> None:
    with pytest.raises(TrainingError, match="0 sounds marked as wrong"):
        marked_samples(demo, "demo", lambda audio: np.zeros((40, 8), dtype=np.float32))


def test_experts_marks_become_samples_whose_speakers_are_apart(demo: Settings) -> None:
    from pipeline.corpus.sets import read_recordings

    store, chosen = (
        LabelStore(demo),
        [one for one in read_recordings(demo, "demo") if one.text in ("masa", "kedi", "süt")],
    )
    for recording in chosen:
        marks = (Mark(0, 0, "mispronounced"),)
        store.add(recording, replace(rated(*marks), dimensions={"score": 70.0}))
    samples = marked_samples(demo, "demo", lambda audio: np.zeros((40, 8), dtype=np.float32))
    spoken = [sample for sample in samples if not sample.is_reference]
    assert len(spoken) == 24
    assert all(sample.wrong[0] is True and not any(sample.wrong[1:]) for sample in spoken)
    assert {sample.word for sample in samples if sample.is_reference} == {"masa", "kedi", "süt"}
    voices = {part: {sample.voice for sample in spoken if sample.part is part} for part in Part}
    assert not voices[Part.FIT] & voices[Part.HELD_OUT] and not voices[Part.FIT] & voices[Part.VALIDATION]
    assert all(voices.values())


def test_other_languages_need_marks() -> None:
    done = CliRunner().invoke(main, ["train", "sounds", "--language", "de", "--out", "x"])
    assert done.exit_code == 1
    assert "--set" in done.output


def attempt(word: str, path: str) -> Any:
    return load_audio(DEMO / path), Target(word, "tr", RubricName.WORD)


@pytest.fixture
def scored(settings: Settings) -> ScoreResult:
    return ScoreResult(88.0, "good", "ml_model", "model", "m", Target("kitap", "tr", RubricName.WORD))
