"""Sounds of Turkish words: where they are in a recording, which are wrong, and that it is called experimental."""

import json
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.audio.load import from_samples, load_audio
from pipeline.cli.main import main
from pipeline.corpus.sets import read_recordings
from pipeline.errors import ModelError, TrainingError
from pipeline.features import dtw
from pipeline.labels.store import LabelStore
from pipeline.practice.advice import advise
from pipeline.practice.sounds import TURKISH
from pipeline.records import Mark, RatingAction, RatingEvent, RubricName, ScoreResult, State, Target, Verdict
from pipeline.scoring.base import LEARNED_FROM_SYNTHETIC
from pipeline.scoring.sounds.alignment import forced, spans_in_recording
from pipeline.scoring.sounds.judging import (
    ALL_EXPERIMENTAL,
    EXPERIMENTAL,
    experimental_note,
    judged_word,
    whole_verdict,
    with_sounds,
)
from pipeline.scoring.sounds.listening import sound_listener
from pipeline.scoring.sounds.model_files import (
    INFO_FILE,
    SoundModel,
    SoundsInfo,
    find_sounds_model,
    load,
    one_hot,
    save,
)
from pipeline.scoring.sounds.training import evaluation
from pipeline.scoring.sounds.training.evaluation import auc, chosen_threshold, figures, probabilities
from pipeline.scoring.sounds.training.fit import fit_frames, fit_judge
from pipeline.scoring.sounds.training.marked import marked_samples, wrong_sounds
from pipeline.scoring.sounds.training.samples import Part, Sample, trials_of
from pipeline.scoring.sounds.training.spoken_words import SpokenWord, by_letters, spoken_words, with_fault
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
    path = dtw.path(slower, reference)
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


def test_a_model_finds_the_wrong_sound_in_voices_it_has_not_heard(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "DRAWS", 20)
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
    words = set(trials.recordings[trials.clean].tolist())
    marked = set(trials.recordings[trials.clean & (wrong >= threshold)].tolist())
    assert 0 < len(marked) <= 0.25 * len(words)


def test_a_soft_g_has_a_column_of_its_own() -> None:
    assert one_hot(("a", "ğ"), ("a", "b")).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def rated(*marks: Mark) -> RatingEvent:
    return RatingEvent("Ayşe", RatingAction.RATE, "2026-11-26T10:00:00.000+00:00", score=70.0, marks=marks)


def test_half_of_the_raters_make_a_sound_wrong_and_an_accent_does_not_count() -> None:
    ratings = [
        rated(Mark(0, 0, "mispronounced"), Mark(0, 1, "accent")),
        rated(Mark(0, None, "missing"), Mark(1, 2, "missing")),
    ]  # fmt: skip
    assert wrong_sounds(ratings, 4) == (True, None, False, False)


def test_too_few_marks_are_told(demo: Settings) -> None:
    with pytest.raises(TrainingError, match="sounds: 0, speakers: "):
        marked_samples(demo, "demo", lambda audio: np.zeros((40, 8), dtype=np.float32))


def test_experts_marks_become_samples_whose_speakers_are_apart(demo: Settings) -> None:
    store = LabelStore(demo)
    for recording in (one for one in read_recordings(demo, "demo") if one.text in ("masa", "kedi", "süt")):
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


def test_the_command_shows_how_far_it_is_with_its_recordings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Thousands of them take minutes, in which it must not look dead."""

    def begun(_config: Any, _encode: Any, progress: Any) -> None:
        progress(1, 2524)
        raise TrainingError("enough")

    training = "pipeline.scoring.sounds.training.train"
    monkeypatch.setattr("pipeline.cli._output.LOG_EVERY_S", -1.0)
    monkeypatch.setattr(f"{training}.ListenerRuntime", lambda folder: SimpleNamespace(info=None))
    monkeypatch.setattr(f"{training}.listener_name", lambda info: "listener")
    monkeypatch.setattr(f"{training}.synthetic_samples", begun)
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    done = CliRunner().invoke(main, ["train", "sounds", "--out", str(tmp_path / "model")])
    assert done.stderr.splitlines() == ["Synthetic recordings: 1 of 2524", "pronlab: enough"]


def word_of(path: str) -> Target:
    return Target(Path(path).stem.partition("_")[2], "tr", RubricName.WORD)


def verdicts(settings: Settings, path: str) -> str:
    """Of each letter of a demo recording, whose words and voices the released model was not trained on: X for wrong."""
    word = judged_word(settings, load_audio(DEMO / path), word_of(path), 90.0)
    assert word is not None
    assert word.experimental
    assert [phone.phone for phone in word.phones] == list(sounds_of(word.text))
    return "".join("X" if phone.verdict is Verdict.WRONG else "." for phone in word.phones)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("participant_03/kelimeler/12_kalem.wav", "..X.."),  # l said as s
        ("participant_05/kelimeler/22_pencere.wav", "....X.."),  # another vowel
        ("participant_07/kelimeler/20_gözlük.wav", "X....."),  # g left out
    ],
)
def test_a_wrong_sound_is_marked_and_its_neighbours_are_not(settings: Settings, path: str, expected: str) -> None:
    assert verdicts(settings, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "participant_03/kelimeler/05_şeker.wav", "participant_05/kelimeler/17_bebek.wav",
        "participant_07/kelimeler/02_çiçek.wav", "participant_07/kelimeler/19_süt.wav",
        "participant_03/kelimeler/07_yıldız.wav",
    ],
)  # fmt: skip
def test_a_clean_word_in_a_voice_that_was_not_heard_has_no_mark(settings: Settings, path: str) -> None:
    assert "X" not in verdicts(settings, path)


def test_a_word_that_was_scored_without_its_sounds_has_the_mean_of_theirs(settings: Settings) -> None:
    path = "participant_03/kelimeler/11_masa.wav"
    word = judged_word(settings, load_audio(DEMO / path), word_of(path), None)
    assert word is not None
    assert word.score == pytest.approx(np.mean([phone.score for phone in word.phones]), abs=0.1)
    assert word.verdict is whole_verdict(word.score)


def test_each_sound_has_its_time_in_the_recording(settings: Settings) -> None:
    """The hiss of `masa` is where its s is said, also where silence was recorded before it."""
    path = "participant_03/kelimeler/11_masa.wav"
    audio = load_audio(DEMO / path)
    later = from_samples(np.r_[np.zeros(16_000, dtype=np.float32), audio.samples], audio.sample_rate_hz)
    for recording, start_s in ((audio, 0.0), (later, 1.0)):
        word = judged_word(settings, recording, word_of(path), 90.0)
        assert word is not None
        s = word.phones[2]
        frames = recording.samples[: len(recording.samples) // 160 * 160].reshape(-1, 160)
        crossings = (np.diff(np.signbit(frames), axis=1).sum(axis=1) > 40) & (np.abs(frames).max(axis=1) > 0.02)
        hiss_s = np.flatnonzero(crossings).mean() / 100
        assert s.start_s < hiss_s < s.end_s
        assert word.phones[0].start_s >= start_s
        assert all(before.end_s <= after.end_s for before, after in zip(word.phones, word.phones[1:], strict=False))


def result_of(path: str, **values: Any) -> ScoreResult:
    return replace(ScoreResult(88.0, "good", "ml_model", "model", "m", word_of(path)), **values)


MASA = "participant_04/kelimeler/11_masa.wav"


def test_a_scored_word_gets_its_sounds_and_a_note_that_they_are_experimental(settings: Settings) -> None:
    result = with_sounds(settings, load_audio(DEMO / MASA), result_of(MASA))
    (word,) = result.words
    assert (word.text, word.score, word.verdict, result.overall) == ("masa", 88.0, Verdict.RIGHT, 88.0)
    assert result.warnings == (EXPERIMENTAL,)
    assert all(phone.confidence is None for phone in word.phones), "agreement with synthetic labels says nothing"


def test_one_note_tells_that_score_and_sounds_have_learned_from_synthetic_voices(settings: Settings) -> None:
    scored = result_of(MASA, warnings=("a", LEARNED_FROM_SYNTHETIC))
    result = with_sounds(settings, load_audio(DEMO / MASA), scored)
    assert result.warnings == ("a", ALL_EXPERIMENTAL)
    assert experimental_note(result) == ALL_EXPERIMENTAL
    assert experimental_note(scored) is None


@pytest.mark.parametrize(
    "values",
    [
        {"overall": None, "state": State.NO_SPEECH},
        {"target": Target("masa", "und", RubricName.WORD)},
        {"target": Target("masa masa", "tr", RubricName.WORD)},
        {"target": Target("masa", "tr", RubricName.SENTENCE)},
        {"target": Target("1", "tr", RubricName.WORD)},
    ],
)
def test_other_results_stay_as_they_are(settings: Settings, values: dict[str, Any]) -> None:
    result = result_of(MASA, **values)
    assert with_sounds(settings, load_audio(DEMO / MASA), result) == result


def test_a_broken_model_costs_nobody_the_score(settings: Settings) -> None:
    folder = settings.deployed_root / "sounds-tr"
    folder.mkdir(parents=True)
    (folder / INFO_FILE).write_text("{", encoding="utf-8")
    assert find_sounds_model(settings, "tr") == folder
    assert with_sounds(settings, load_audio(DEMO / MASA), result_of(MASA)) == result_of(MASA)


def test_a_model_of_another_encoder_is_not_asked(settings: Settings) -> None:
    released = find_sounds_model(settings, "tr")
    assert released is not None
    model = load(released)
    save(settings.deployed_root / "sounds-tr", SoundModel(replace(model.info, listener="another"), model.weights))
    assert sound_listener(settings, "tr") is None


def test_the_command_prints_the_sounds_and_says_that_they_are_experimental(settings: Settings) -> None:
    path = DEMO / "participant_03/kelimeler/12_kalem.wav"
    done = CliRunner().invoke(main, ["score", str(path), "--word", "kalem"])
    assert done.exit_code == 0, done.output
    assert "k a l! e m" in done.output
    assert done.output.count("synthetic voices") == 1
    assert ALL_EXPERIMENTAL in done.output
    answer = json.loads(CliRunner().invoke(main, ["score", str(path), "--word", "kalem", "--json"]).output)
    assert [phone["verdict"] for phone in answer["words"][0]["phones"]] == ["right", "right", "wrong", "right", "right"]
    assert answer["words"][0]["experimental"] is True


def test_hints_on_synthetic_marks_are_questions(settings: Settings) -> None:
    path = "participant_03/kelimeler/12_kalem.wav"
    result = with_sounds(settings, load_audio(DEMO / path), result_of(path))
    hint = next(advice for advice in advise(result, result, None) if advice.sound)
    assert hint.title == "Is the sound l right in “kalem”?"
    assert hint.text == TURKISH["l"]
    assert not hint.sure


@needs_espeak
def test_espeak_says_every_letter_of_a_word() -> None:
    assert [word.phones for word in spoken_words(["kapı", "ağaç"])] == [
        ("k", "a", "p", "'@"), ("'a", ":", "", "tS"),
    ]  # fmt: skip
