"""A word as the listener hears it, learnt from clips, and what a judge of phones does to a detector on a stream."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from pipeline import artifacts, jsonl
from pipeline.cli.main import main
from pipeline.errors import CorpusError, ModelError
from pipeline.locks import locked
from pipeline.records import to_json
from pipeline.scoring.speech.labels import LABELS, encode
from pipeline.scoring.speech.listening.runtime import ListenerOutput
from pipeline.settings import Settings
from pipeline.wakeword.cascade import Verify
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.evaluation.evaluate import EvaluationTask, evaluate
from pipeline.wakeword.evaluation.judged_stream import (
    HEARD,
    Questions,
    ask,
    first_threshold,
    judged_point,
    measure_judged,
    sound_of,
)
from pipeline.wakeword.evaluation.stream_metrics import StreamScores, operate
from pipeline.wakeword.evaluation.stream_synthesis import Keyword, plan_stream
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.finished_run import FinishedRun
from pipeline.wakeword.learnt_word import (
    LearntFrom,
    LearntWord,
    read_learnt_word,
    save_learnt_word,
    states_of,
    ways_of_one_length,
)
from pipeline.wakeword.listening import listen
from pipeline.wakeword.packaging.bundle import write_bundle
from pipeline.wakeword.packaging.opened_bundle import open_bundle
from pipeline.wakeword.phone_judge import LEARNT_LIMIT, LIMIT, PhoneJudge
from pipeline.wakeword.phones import shared_phones, ways_of, word_score
from pipeline.wakeword.runtime.model_files import read_info
from pipeline.wakeword.runtime.runner import Detector, WordWeights, all_of, best_place, place_of, silence_after
from pipeline.wakeword.training import word_learning
from pipeline.wakeword.training.word_learning import learn_word
from pipeline.wakeword.training.word_regression import Example, fitted
from tests.wakeword.random_detector import save_random_detector
from tests.wakeword.random_detector import sound as random_sound

WIDTH = 6
BOY = tuple(encode(["B", "OY"]))
CONFIG = DetectorConfig(hop_s=0.1, votes=1, of=1, hysteresis=1.0, lockout_s=0.5)


def write_clips(folder: Path, sounds: list[np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for number, samples in enumerate(sounds):
        soundfile.write(folder / f"{number}.wav", samples, RATE_HZ, subtype="PCM_16")


def heard(phones: str, states: float = 0.0) -> ListenerOutput:
    """Each phone sure for a frame, four blanks after it; every state is the frame's number, and `states` more."""
    rows = [row for label in encode(phones.split()) for row in (label, 0, 0, 0, 0)]
    log_probs = np.full((len(rows), len(LABELS)), np.log(0.1 / (len(LABELS) - 1)))
    log_probs[np.arange(len(rows)), rows] = np.log(0.9)
    layers = np.tile(np.arange(len(rows), dtype=np.float32)[None, :, None], (7, 1, WIDTH)) + np.float32(states)
    return ListenerOutput(log_probs, layers)


def learnt_word(word: str = "boy", listener: str = "x", recordings: int = 1) -> LearntWord:
    draw = np.random.default_rng(0)
    mean, weights = (draw.standard_normal(2 * WIDTH).astype(np.float32) for _ in range(2))
    values = WordWeights(mean, weights, 0.5, mean, np.array([1.0, -0.5], dtype=np.float32))
    return LearntWord(word, (BOY,), values, LearntFrom(recordings, 2, 3, 4), listener, -1.5)


def of_this_listener(first_threshold: float) -> LearntWord:
    """Of as many states as the listener here has; on `random_sound`, its scores are 1.7 and more from the limit."""
    draw = np.random.default_rng(3)
    mean, whole, each = (scale * draw.standard_normal(2 * 512).astype(np.float32) for scale in (0.1, 0.3, 0.01))
    values = WordWeights(mean, whole, 0.0, each, np.array([3.0, 3.0], dtype=np.float32))
    sha256 = artifacts.sha256_of(PhoneJudge(Settings.from_env(), "boy").source / "listener.onnx")
    return LearntWord("boy", (BOY,), values, LearntFrom(1, 0, 0, 1), sha256, first_threshold)


def test_the_place_of_a_word_is_where_its_phones_are() -> None:
    output = heard("S IY B OY N")
    place = place_of(output.log_probs, BOY)
    assert place is not None and (place.starts.tolist(), place.end) == ([10, 15], 16)
    assert place.score == word_score(output.log_probs, BOY) == pytest.approx(0.0)
    assert place_of(output.log_probs[:1], BOY) is None, "too few frames"
    better = best_place(output.log_probs, [encode(["B", "AY"]), BOY])
    assert better is not None and better.starts.tolist() == [10, 15]


def test_states_are_averaged_around_each_phone() -> None:
    output = heard("S IY B OY N")
    place = place_of(output.log_probs, BOY)
    assert place is not None
    states = states_of(output, place)
    assert states.shape == (2, WIDTH)
    assert states[0] == pytest.approx(np.mean(np.arange(6, 13))), "from 4 frames before to halfway to the next"
    assert states[1] == pytest.approx(np.mean(np.arange(13, 20)))


def test_pronunciations_of_other_lengths_are_left_out() -> None:
    assert ways_of_one_length([[1, 2], [3], [2, 2]]) == ((1, 2), (2, 2))


def test_a_learnt_word_is_read_as_it_was_saved(tmp_path: Path) -> None:
    saved = learnt_word()
    assert read_learnt_word(tmp_path, "boy") is None
    save_learnt_word(tmp_path, saved)
    read = read_learnt_word(tmp_path, "boy")
    assert read is not None and replace(read, weights=saved.weights) == saved
    assert all(np.array_equal(value, getattr(saved.weights, name)) for name, value in vars(read.weights).items())
    assert read_learnt_word(tmp_path, "toy") is None, "of another word"
    assert read_learnt_word(tmp_path, "Boy") is not None
    (tmp_path / "phones.safetensors").write_bytes(b"none")
    with pytest.raises(ModelError, match="cannot be read"):
        read_learnt_word(tmp_path, "boy")


def test_a_word_whose_learning_was_cut_off_is_not_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: Any) -> None:
        raise KeyboardInterrupt

    save_learnt_word(tmp_path, learnt_word())
    monkeypatch.setattr("pipeline.artifacts.write_json", cut_off)
    with pytest.raises(KeyboardInterrupt):
        save_learnt_word(tmp_path, replace(learnt_word(), word="toy"))
    assert read_learnt_word(tmp_path) is None, "the weights are of toy"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ways": []}, "pronunciations have"),
        ({"ways": ["B OY", "B"]}, "pronunciations have"),
        ({"ways": ["B QQ"]}, "QQ"),
        ({"word": 3}, "cannot be read"),
        ({"learnt_from": {"recordings": "many"}}, "many"),
        ({"learnt_from": []}, "cannot be read"),
        ({"first_threshold": "low"}, "low"),
        ({"first_threshold": "nan"}, "threshold is nan"),
        ({"format": 99}, "format is 99"),
    ],
)
def test_a_damaged_description_is_said_in_words(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    save_learnt_word(tmp_path, learnt_word())
    raw = artifacts.read_json(tmp_path / "phones.json")
    artifacts.write_json(tmp_path / "phones.json", {**raw, **changes})
    with pytest.raises(ModelError, match=says) as error:
        read_learnt_word(tmp_path, "boy")
    assert "learn-phones" in str(error.value)


def test_weights_of_the_wrong_shape_are_said_in_words(tmp_path: Path) -> None:
    saved = learnt_word()
    weights = saved.weights
    wrong = np.zeros(2 * WIDTH - 1, dtype=np.float32)
    for damaged in (
        replace(weights, mean=wrong, weights=wrong),
        replace(weights, mean=wrong),
        replace(weights, weights=weights.weights.reshape(2, WIDTH)),
        replace(weights, mean=weights.mean[:0], weights=weights.weights[:0]),
        replace(weights, weights=np.full_like(weights.weights, np.nan)),
        replace(weights, phone_weights=wrong),
        replace(weights, phone_bias=weights.phone_bias[:1]),
    ):
        save_learnt_word(tmp_path, replace(saved, weights=damaged))
        with pytest.raises(ModelError, match="cannot be read") as error:
            read_learnt_word(tmp_path, "boy")
        assert "learn-phones" in str(error.value)
    output = heard("S IY B OY N")
    place = place_of(output.log_probs, BOY)
    narrow = replace(saved, weights=replace(weights, mean=weights.mean[:2], weights=weights.weights[:2]))
    assert place is not None
    with pytest.raises(ModelError, match="has 2 values, and the listener gives 12"):
        narrow.logit(output, place)


def test_the_judge_adds_what_was_learnt_to_what_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_env()
    output = heard("S IY B AY N")
    monkeypatch.setattr(PhoneJudge, "_listener", SimpleNamespace(listen=lambda _: output))
    plain = PhoneJudge(settings, "boy", tmp_path)
    sound = np.zeros(RATE_HZ, dtype=np.float32)
    phones = plain(sound)
    assert phones < -1.0 and plain.limit == LIMIT
    save_learnt_word(tmp_path, learnt_word())
    with pytest.raises(ModelError, match="another listener"):
        PhoneJudge(settings, "boy", tmp_path)
    sha256 = artifacts.sha256_of(plain.source / "listener.onnx")
    for recordings in (0, 1):
        saved = learnt_word(listener=sha256, recordings=recordings)
        save_learnt_word(tmp_path, saved)
        judge = PhoneJudge(settings, "boy", tmp_path)
        place = place_of(output.log_probs, BOY)
        assert place is not None
        weights = saved.weights
        apart = states_of(output, place).ravel() - weights.mean
        each = (apart * weights.phone_weights).reshape(2, WIDTH).sum(axis=1) + weights.phone_bias
        logit = float(apart @ weights.weights) + 0.5 + float(all_of(each.astype(np.float64)))
        assert saved.logit(output, place) == pytest.approx(logit)
        assert judge(sound) == pytest.approx({0: phones + 0.5 * logit, 1: logit}[recordings], rel=1e-4)
        assert judge.limit == LEARNT_LIMIT[recordings > 0]
    assert PhoneJudge(settings, "toy", tmp_path).learnt is None


def test_a_bundle_carries_the_learnt_word(tmp_path: Path) -> None:
    model = save_random_detector(tmp_path / "model")
    save_learnt_word(model, learnt_word())
    write_bundle(model, tmp_path / "b.zip")
    with open_bundle(tmp_path / "b.zip") as detector:
        read = read_learnt_word(detector.folder, "boy")
    assert read is not None and np.array_equal(read.weights.weights, learnt_word().weights.weights)


def test_a_bundle_with_its_judge_decides_as_the_judge_here(tmp_path: Path) -> None:
    """By its runner alone: numpy and onnxruntime."""
    model = save_random_detector(tmp_path / "model")
    settings = Settings.from_env()
    with pytest.raises(ModelError, match="learn-phones RUN boy"):
        write_bundle(model, tmp_path / "b.zip", PhoneJudge(settings, "boy", model))
    first = read_info(model).threshold
    save_learnt_word(model, of_this_listener(first))
    judge = PhoneJudge(settings, "boy", model)
    samples = np.round(random_sound() * 32_767).astype("<i2")

    def heard_by(detector: Detector, confirm: Verify | None) -> list[float]:
        exact = samples.astype(np.float32) / 32_768
        blocks = [exact[at : at + 1600] for at in range(0, len(exact), 1600)]
        return [one.at_s for one in listen(detector, iter([*blocks, silence_after()]), confirm=confirm)]

    write_bundle(model, tmp_path / "alone.zip")
    with open_bundle(tmp_path / "alone.zip") as detector:
        detector.ask_from(first)
        everything = heard_by(detector, None)
        expected = heard_by(detector.again(), judge.verifier())
    assert 1 < len(expected) != len(everything)
    write_bundle(model, tmp_path / "b.zip", judge)
    with open_bundle(tmp_path / "b.zip") as detector:
        assert heard_by(detector, None) == pytest.approx(expected)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path / "b")
    command = [sys.executable, "-I", "runner.py", "-"]
    done = subprocess.run(command, cwd=tmp_path / "b", input=samples.tobytes(), capture_output=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["at_s"] for line in lines] == pytest.approx(expected)
    assert all(line["score"] >= 0.5 for line in lines), "as sure as the judge"
    for name in ("judge.f32", "judge.onnx"):
        (tmp_path / "b" / name).write_bytes(b"other values")
        with pytest.raises(ModelError, match=rf"{name} in .* is not the file"), open_bundle(tmp_path / "b"):
            pass
    done = subprocess.run(command, cwd=tmp_path / "b", input=b"", capture_output=True, check=False)
    assert done.returncode == 1 and b"holds no bundle that can be used" in done.stderr


def test_a_judge_goes_into_the_bundle_of_one_word(tmp_path: Path) -> None:
    for command in (["--phones", "boy"], ["--phones", "boy", "--esp32", "--bundle", str(tmp_path / "b.zip")]):
        result = CliRunner().invoke(main, ["wakeword", "export", str(save_random_detector(tmp_path / "m")), *command])
        assert result.exit_code == 1 and "--phones is for a bundle with a runner" in result.output


def test_the_log_odds_that_all_are_true() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [40.0, 40.0, 40.0], [-40.0, 40.0, 40.0]])
    chances = np.prod(1.0 / (1.0 + np.exp(-logits)), axis=1)
    assert all_of(logits)[0] == pytest.approx(np.log(chances[0] / (1.0 - chances[0])))
    assert all_of(logits)[1] == pytest.approx(13.8, abs=0.1), "never quite sure"
    assert all_of(logits)[2] == pytest.approx(-40.0), "one that is not decides"


def test_a_phrase_shares_the_phones_that_it_has_in_their_place() -> None:
    (way,) = ways_of_one_length(ways_of("computing"))[:1]  # K AH M P Y UW T IH NG
    for phrase, shared in (("compute", "111111100"), ("pewter", "000111100"), ("some pewter", "011111100")):
        assert "".join(map(str, shared_phones([way], phrase).astype(int))) == shared
    assert shared_phones([way], "the computing cup").all(), "with more around it"


def test_weights_tell_the_word_from_each_kind_of_other_sound() -> None:
    """Two phones of two states each, of which the first is high where the phone is there."""
    draw = np.random.default_rng(0)
    there = {"recordings": (1, 1), "synthetic": (1, 1), "near": (1, 0), "spoken near": (0, 1), "other": (0, 0)}

    def example(kind: str, shared: bool = True) -> Example:
        states = np.stack([2.0 * np.array(there[kind]), draw.standard_normal(2)], axis=1).astype(np.float32)
        return Example(
            states + 0.3 * draw.standard_normal((2, 2)).astype(np.float32),
            np.array(there[kind], dtype=bool) if shared and "near" in kind else None,
        )

    examples = {kind: [example(kind) for _ in range(40)] for kind in there}
    fit = fitted(examples)

    def logits(kind: str) -> tuple[float, float]:
        apart = np.stack([one.states.ravel() for one in examples[kind]]) - fit.mean
        each = (apart * fit.phone_weights).reshape(-1, 2, 2).sum(axis=2) + fit.phone_bias
        return float((apart @ fit.weights + fit.bias).mean()), float(all_of(each.astype(np.float64)).mean())

    word, whole_near, other = (logits(kind) for kind in ("recordings", "near", "other"))
    assert word[0] > whole_near[0] > other[0] and word[1] > whole_near[1]
    of_phones = fit.phone_weights.reshape(2, 2)
    assert (of_phones[:, 0] > abs(of_phones[:, 1])).all()
    unknown = fitted({kind: [example(kind, shared=False) for _ in range(40)] for kind in there})
    assert unknown.phone_bias.shape == (2,), "recorded near phrases, of which nobody knows the phones"
    with pytest.raises(CorpusError, match="there are 80 and 0"):
        fitted({**examples, "near": [], "spoken near": [], "other": []})


class _Listener:
    """Hears a boy in a tone, and something like it in anything else."""

    def __init__(self, _folder: Path) -> None:
        pass

    def listen(self, samples: np.ndarray) -> ListenerOutput:
        spectrum = np.abs(np.fft.rfft(samples))
        is_word = spectrum.max() > 30 * np.median(spectrum)
        return heard("B OY" if is_word else "B AY", 1.0 if is_word else 0.0)


def test_a_word_is_learnt_from_the_training_clips_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    tone = [np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32) * 0.3 for _ in range(4)]
    other = [0.1 * draw.standard_normal(2 * RATE_HZ).astype(np.float32) for _ in range(5)]
    write_clips(tmp_path / "clips" / "word", tone)
    write_clips(tmp_path / "clips" / "other", other)
    rows = []
    for folder, label in (("word", Label.POSITIVE), ("other", Label.NEGATIVE)):
        for number, path in enumerate(sorted((tmp_path / "clips" / folder).iterdir())):
            clip = Clip(f"{folder}/{path.name}", label, path.stem, 1.0, RATE_HZ, 0.3, path.stem, synthetic=number == 0)
            rows.append({**to_json(clip), "part": "validation" if number == 1 else "train", "fold": None})
    home = tmp_path / "run"
    artifacts.write_json(home / "split" / "split.json", {"root": str(tmp_path / "clips")})
    jsonl.write(home / "split" / "clips.jsonl", rows)
    run = FinishedRun(home, home / "model")
    (home / "model").mkdir()
    monkeypatch.setattr(word_learning, "ListenerRuntime", _Listener)
    monkeypatch.setattr(
        word_learning, "config_of", lambda _run: SimpleNamespace(seed=0, data=SimpleNamespace(noise=()))
    )
    monkeypatch.setattr(word_learning, "first_threshold_of", lambda _run: -1.5)
    monkeypatch.setattr(word_learning, "find_word", lambda sound: (0, len(sound)))
    near = [("bye", other[0]), ("toy", other[1])]
    monkeypatch.setattr(word_learning, "near_in_many_voices", lambda word, *_: near if word == "boy" else [])
    told: list[tuple[int, int]] = []
    learnt = learn_word(Settings.from_env(), run, "boy", lambda done, total, _: told.append((done, total)))
    assert learnt.learnt_from == LearntFrom(recordings=3, synthetic=1, near=2, other=4), "but the other that is held"
    assert told[-1] == (10, 10)
    output, place = heard("B OY", 1.0), place_of(heard("B OY").log_probs, BOY)
    assert place is not None and learnt.logit(output, place) > learnt.logit(heard("B OY"), place)
    read = read_learnt_word(home / "model", "boy")
    assert read is not None and read.first_threshold == -1.5
    with locked(Settings.from_env(), run.folder, ModelError), pytest.raises(ModelError, match="run is learning a word"):
        learn_word(Settings.from_env(), run, "boy")
    for word, reason in (("", "Write the word first"), ("42", "no letters"), ("günaydın", "no English word")):
        with pytest.raises(CorpusError, match=reason):
            learn_word(Settings.from_env(), run, word)
    jsonl.write(
        home / "split" / "clips.jsonl", [{**row, "word": "Boy" if "word/" in row["path"] else ""} for row in rows]
    )
    assert learn_word(Settings.from_env(), run, "boy").learnt_from == learnt.learnt_from, "one word of a run of several"
    with pytest.raises(CorpusError, match=r"was not trained on 'lion'\. Its words: 'Boy'"):
        learn_word(Settings.from_env(), run, "lion")
    jsonl.write(home / "split" / "clips.jsonl", rows)
    (tmp_path / "clips" / "word" / sorted(p.name for p in (tmp_path / "clips" / "word").iterdir())[0]).unlink()
    with pytest.raises(CorpusError, match="1 training clip of run is gone"):
        learn_word(Settings.from_env(), run, "boy")
    shutil.rmtree(home / "split")
    with pytest.raises(CorpusError, match="does not say which clips"):
        learn_word(Settings.from_env(), run, "boy")


def test_another_word_than_the_spoken_clips_say_is_not_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for label in (Label.POSITIVE, Label.NEGATIVE):
        path = f"spoken/{label}/voice/0.wav"
        write_clips((tmp_path / path).parent, [np.zeros(RATE_HZ)])
        clip = Clip(path, label, "voice", 1.0, RATE_HZ, 0.3, path, synthetic=True)
        rows.append({**to_json(clip), "part": "train", "fold": None})
    home = tmp_path / "run"
    artifacts.write_json(home / "split" / "split.json", {"root": str(tmp_path)})
    jsonl.write(home / "split" / "clips.jsonl", rows)
    run = FinishedRun(home, home / "model")
    for said, language, refused in (("boy", "en", True), ("Li-on", "en", False), ("oğlan", "tr", False)):
        artifacts.write_json(tmp_path / "spoken" / "spoken.json", {"word": said, "language": language})
        if refused:
            with pytest.raises(CorpusError, match=r"trained on say 'boy', not 'lion'\. Learn 'boy' instead"):
                word_learning._clips_of(run, "lion")
        else:
            assert len(word_learning._clips_of(run, "lion")["synthetic"]) == 1
    monkeypatch.setattr(word_learning, "config_of", lambda _run: SimpleNamespace(word="lioness"))
    assert word_learning.other_words(run, "lion") == ("oğlan",), "spelled for an English listener, or another word"
    assert word_learning.other_words(run, "oğlan") == ()
    jsonl.write(home / "split" / "clips.jsonl", [row | {"synthetic": False} for row in rows])
    assert word_learning.other_words(run, "lion") == ("lioness",)
    jsonl.write(home / "split" / "clips.jsonl", [row | {"synthetic": False, "word": "lion"} for row in rows])
    assert word_learning.other_words(run, "lion") == ()


@pytest.mark.parametrize("word", ["", "  ", "42", "günaydın", "спасибо", "hey!"])
def test_what_is_no_english_word_has_no_judge(tmp_path: Path, word: str) -> None:
    with pytest.raises(CorpusError):
        PhoneJudge(Settings.from_env(), word, tmp_path)


def test_a_word_that_english_borrowed_has_a_judge(tmp_path: Path) -> None:
    assert PhoneJudge(Settings.from_env(), "café", tmp_path).ways


def test_a_missing_listener_is_said_with_where_it_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.wakeword.phones.find_speech_model", lambda _settings: None)
    with pytest.raises(ModelError, match=r"listener of English is missing: .*speech-en"):
        PhoneJudge(Settings.from_env(), "boy", tmp_path)


def stream(scores: list[float]) -> StreamScores:
    """A window every .1 s; a word ends at .5 s and at 2 s."""
    ends = np.arange(1, len(scores) + 1, dtype=np.float64) / 10
    words = tuple(Keyword(Path(f"{end}.wav"), end - 0.3, end) for end in (0.5, 2.0))
    return StreamScores(np.array(scores, dtype=np.float32), ends, words, (), len(scores) / 36_000, 0.0)


def test_a_judge_is_asked_about_every_second_window_that_is_high() -> None:
    scores = stream([-9.0, -9.0, -9.0, 2.0, 2.0, 2.0, -9.0, -9.0, -9.0, -9.0, 4.0, -9.0] + 10 * [-9.0])
    asked_at: list[float] = []

    def sound_before(end_s: float) -> np.ndarray:
        asked_at.append(round(end_s, 3))
        return np.zeros(10, dtype=np.float32)

    questions = ask(scores, CONFIG, 2.0, sound_before, lambda _: -1.0)
    high = [index for index, score in enumerate(scores.scores) if score >= questions.threshold]
    assert questions.threshold <= 4.0 and high
    asked = [index for index, _ in questions.asked]
    assert asked_at == pytest.approx([scores.ends_s[index] for index in asked])
    assert all(b - a >= 2 for a, b in pairwise(asked) if b - a < 6)
    values = dict(questions.asked)
    assert values == {index: pytest.approx(-1.0 + float(scores.scores[index]) / 2.0) for index in asked}


def test_a_weak_detector_does_not_ask_all_the_time() -> None:
    """Its false alarms run together at low thresholds, and are few again."""
    draw = np.random.default_rng(0)
    scores = stream(list(draw.normal(size=2_000)))
    few = replace(scores, hours=1.0)  # as if they were rare enough at any threshold
    threshold = first_threshold(few, CONFIG)
    assert 0.08 < (scores.scores >= threshold).mean() <= 0.1
    high = np.flatnonzero(scores.scores >= threshold)
    asked = ask(few, CONFIG, 1.0, lambda _: np.zeros(1, np.float32), lambda _: 0.0).asked
    assert len(high) / 2 <= len(asked) <= len(high)


def test_the_words_of_a_short_stream_do_not_count_as_asking_all_the_time() -> None:
    """A validation stream of few clips: a word every five seconds, and nothing else that is like it."""
    ends = np.arange(1, 4_001, dtype=np.float64) / 10
    words = tuple(Keyword(Path(f"{end}.wav"), end - 0.5, end) for end in np.arange(5.0, 400.0, 5.0))
    high = np.any([(ends > word.start_s) & (ends <= word.end_s + 0.4) for word in words], axis=0)
    heights = np.repeat([3.0, 4.0, 5.0, 6.0], 1_000)  # of one word after another
    scores = np.where(high, heights, np.random.default_rng(0).normal(-5.0, size=len(ends))).astype(np.float32)
    few = StreamScores(scores, ends, words, (), len(ends) / 36_000, 0.0)
    assert high.mean() > 0.15
    threshold = first_threshold(few, CONFIG)
    assert threshold < 3.0 and operate(few, CONFIG, threshold)[0].misses == 0


def test_what_the_judge_rejects_is_neither_found_nor_a_false_alarm() -> None:
    scores = stream(50 * [0.0])
    # Two seconds after the first word, nothing of it is in what the judge hears; the score has not fallen.
    questions = Questions(0.0, ((3, 1.0), (5, 3.0), (19, 0.5), (24, 0.5), (46, 2.0)))
    points = {limit: judged_point(scores, CONFIG, questions, limit) for limit in (0.0, 0.8, 2.5, 9.0)}
    assert {limit: (p.misses, p.false_alarms) for limit, p in points.items()} == {
        0.0: (0, 1), 0.8: (1, 1), 2.5: (1, 0), 9.0: (2, 0)
    }  # fmt: skip
    result = measure_judged(scores, CONFIG, questions, 2.5, (0.5,))
    assert (result.at_fah["0.5"].misses, result.at_fah["0.5"].false_alarms) == (1, 0)
    assert 2.0 <= result.at_fah["0.5"].threshold <= 3.0
    assert result.as_set == points[2.5]
    assert result.questions_per_hour == pytest.approx(5 / scores.hours)
    nothing = measure_judged(scores, CONFIG, Questions(9.0, ()), 2.5, (0.5,))
    assert nothing.at_fah["0.5"].misses == 2, "nothing was asked"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    draw = np.random.default_rng(0)
    words = [0.5 * np.sin(2 * np.pi * 800 * np.arange(RATE_HZ // 2) / RATE_HZ).astype(np.float32) for _ in range(4)]
    write_clips(folder / "words", words)
    write_clips(folder / "other", [0.05 * draw.standard_normal(3 * RATE_HZ).astype(np.float32) for _ in range(40)])
    write_clips(folder / "near" / "some_phrase", words[:2])
    return folder


def test_the_sound_of_a_stream_is_the_same_the_second_time(folders: Path) -> None:
    plan = plan_stream(sorted((folders / "words").iterdir()), sorted((folders / "other").iterdir()), [], 0.17, seed=1)
    whole = np.concatenate([block.samples for block in plan.blocks()])
    before = sound_of(plan)
    for end_s in (0.5, 1.0, 2.0, 299.0, 300.5, 301.0, 450.0, len(whole) / RATE_HZ):
        end = round(end_s * RATE_HZ)
        assert np.array_equal(before(end_s), whole[max(0, end - HEARD) : end])


class _LoudJudge:
    """Takes for the word what is loud."""

    limit = 0.0

    def __call__(self, samples: np.ndarray) -> float:
        return 100.0 if np.abs(samples).max() > 0.15 else -100.0


def test_an_evaluation_measures_with_the_judge(folders: Path) -> None:
    config = FeatureConfig(clip_s=0.8)
    task = EvaluationTask((folders / "words",), (folders / "other",), (), folders / "near", 0.06, phones="boy")

    def loudness(windows: np.ndarray) -> np.ndarray:
        return np.asarray(windows[:, 20:60].mean(axis=(1, 2)), dtype=np.float32)

    alone, _ = evaluate(replace(task, phones=""), loudness, config, CONFIG, threshold=0.0)
    told: dict[str, list[tuple[int, int]]] = {}
    both, _ = evaluate(
        task, loudness, config, CONFIG, threshold=0.0, judge=_LoudJudge(),
        progress=lambda done, total, message: told.setdefault(message, []).append((done, total)),
    )  # fmt: skip
    n_pieces = 3 * 4 + 2  # three of each word, and the near phrases
    assert told["pieces and near phrases"] == 2 * [(n + 1, n_pieces) for n in range(n_pieces)], "without and with it"
    assert [done for done, _ in told["asking the judge"]] == list(range(1, told["asking the judge"][0][1] + 1))
    assert alone.judged is None and both.judged is not None
    assert both.stream.at_fah == alone.stream.at_fah, "the detector alone is measured as before"
    assert set(both.judged.stream.at_fah) == set(both.stream.at_fah)
    assert both.judged.stream.as_set.threshold == 0.0
    assert [(row.phrase, row.n) for row in both.judged.near][-1] == ("some phrase", 2)


@pytest.mark.parametrize(("recordings", "warns"), [(0, True), (3, False)])
def test_what_a_run_has_learnt_is_said_to_be_asked_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recordings: int, warns: bool
) -> None:
    model = save_random_detector(tmp_path / "model")
    saved = SimpleNamespace(learnt_from=LearntFrom(recordings, synthetic=1, near=2, other=4))
    monkeypatch.setattr(word_learning, "learn_word", lambda *_: saved)
    monkeypatch.setattr(word_learning, "other_words", lambda *_: [])
    text = CliRunner().invoke(main, ["wakeword", "learn-phones", str(model), "boy"], catch_exceptions=False).output
    assert "`evaluate`, `detect` and `export --bundle` ask the judge from now on" in text
    assert ("add recordings of people" in text) == warns


def test_words_need_one_judge_each(tmp_path: Path) -> None:
    given: list[Any] = ["wakeword", "evaluate", "none", "--positive", f"a={tmp_path}", "--background", str(tmp_path)]
    result = CliRunner().invoke(main, [*given, "--positive", f"b={tmp_path}", "--phones", "boy"])
    assert result.exit_code == 1 and "--phones is of one word" in result.output


@pytest.mark.parametrize("word", ["", " ", "42", "x1", "günaydın"])
@pytest.mark.parametrize(
    "command", [["detect", "none", "s.wav"], ["evaluate", "none"], ["listen", "FOLDER"], ["learn-phones", "none"]]
)
def test_what_is_no_word_is_refused_before_anything_is_opened(tmp_path: Path, command: list[str], word: str) -> None:
    asked = [word] if command[0] == "learn-phones" else ["--phones", word]
    given = [str(tmp_path) if part == "FOLDER" else part for part in command]
    result = CliRunner().invoke(main, ["wakeword", *given, *asked])
    assert result.exit_code == 1 and "There is no detector" not in result.output and "bundle" not in result.output
    assert any(reason in result.output for reason in ("Write", "no letters", "no English word"))


@pytest.mark.parametrize("option", ["--judge", "--owner"])
def test_an_empty_option_does_not_switch_off_what_it_asks_for(option: str) -> None:
    result = CliRunner().invoke(main, ["wakeword", "detect", "none", "s.wav", option, ""])
    assert result.exit_code == 1 and f"{option}" in result.output and "It is empty" in result.output


def test_that_the_word_was_not_learnt_is_said(folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = str(save_random_detector(tmp_path / "model"))
    monkeypatch.setattr(PhoneJudge, "__call__", lambda *_: -99.0)
    recording = str(sorted((folders / "words").iterdir())[0])
    sides = ["--positive", str(folders / "words"), "--background", str(folders / "other"), "--hours", "0.06"]
    for command, of_judge in ((["detect", model, recording], "phones"), (["evaluate", model, *sides], "judged")):
        result = CliRunner().invoke(main, ["wakeword", *command, "--phones", "lion", "--json"], catch_exceptions=False)
        assert json.loads(result.stdout)[of_judge]["learnt_from"] is None
        assert "by the dictionary alone: 'lion' has not been learnt" in result.stderr


def test_detect_asks_from_the_learnt_threshold_on(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(save_random_detector(tmp_path / "model"))
    recording = str(sorted((folders / "words").iterdir())[0])
    learnt = SimpleNamespace(first_threshold=-77.0, learnt_from=LearntFrom(1, 0, 0, 1))
    monkeypatch.setattr(PhoneJudge, "learnt", property(lambda _self: learnt, lambda *_: None), raising=False)
    monkeypatch.setattr(PhoneJudge, "__init__", lambda self, *_: setattr(self, "word", "lion"))
    monkeypatch.setattr(PhoneJudge, "__call__", lambda *_: -99.0)
    for given, threshold in (([], -77.0), (["--threshold", "1.5"], 1.5)):
        command = ["wakeword", "detect", model, recording, "--phones", "lion", "--json", *given]
        result = CliRunner().invoke(main, command, catch_exceptions=False)
        assert json.loads(result.stdout)["threshold"] == threshold


def test_the_word_that_a_run_has_learnt_is_asked_for_unless_told_otherwise(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save_random_detector(tmp_path / "model")
    save_learnt_word(model, of_this_listener(0.0))
    monkeypatch.setattr(PhoneJudge, "__call__", lambda *_: -99.0)
    recording = str(sorted((folders / "words").iterdir())[0])

    def answered(command: str, *options: str) -> dict[str, Any]:
        given = ["wakeword", command, str(model), *options, "--json"]
        return dict(json.loads(CliRunner().invoke(main, given, catch_exceptions=False).stdout))

    assert answered("detect", recording)["phones"]["word"] == "boy"
    assert "phones" not in answered("detect", recording, "--no-phones")
    sides = ["--positive", str(folders / "words"), "--background", str(folders / "other"), "--hours", "0.06"]
    report = answered("evaluate", *sides)
    assert report["task"]["phones"] == "boy" and report["judged"]["learnt_from"]["recordings"] == 1
    assert read_info(model).metrics["judged"]["word"] == "boy"
    assert answered("evaluate", *sides, "--no-phones")["judged"] is None
    assert "judged" not in read_info(model).metrics, "of another evaluation"
    for option, has_judge in (((), True), (("--no-phones",), False)):
        out = tmp_path / f"judged-{has_judge}.zip"
        answered("export", "--bundle", str(out), "--keep-threshold", *option)
        with zipfile.ZipFile(out) as archive:
            assert ("judge.onnx" in archive.namelist()) == has_judge
    both = ["wakeword", "detect", str(model), recording, "--phones", "boy", "--no-phones"]
    assert "or leave the judge away" in CliRunner().invoke(main, both).output
    monkeypatch.setattr("pipeline.wakeword.phones.find_speech_model", lambda _settings: None)
    assert "phones" not in answered("detect", recording, "--no-phones")
    said = CliRunner().invoke(main, ["wakeword", "detect", str(model), recording]).output
    assert "is missing" in said and "leave the judge of 'boy' away with --no-phones" in said


def test_a_run_is_read_and_a_word_refused_without_pytorch() -> None:
    script = "import sys, pipeline.wakeword.training.word_learning; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
