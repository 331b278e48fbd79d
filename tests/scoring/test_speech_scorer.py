"""The speech scorer on recordings: results, named refusals, other texts and how it is found."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.load import Audio, load_audio
from pipeline.errors import CorpusError, ModelError
from pipeline.phones import UNKNOWN
from pipeline.records import RubricName, State, Target, Verdict
from pipeline.scoring.base import score_audio
from pipeline.scoring.selection import load_scorer
from pipeline.scoring.speech.frontend import FrameSound, frame_sound
from pipeline.scoring.speech.labels import INDEX, LABELS
from pipeline.scoring.speech.listening.evidence import RHYTHM, CanonicalPhones, gather_evidence, n_phone_features
from pipeline.scoring.speech.listening.pooling import pool
from pipeline.scoring.speech.listening.runtime import HeadOutput
from pipeline.scoring.speech.model_files import MatchRule, SpeechInfo
from pipeline.scoring.speech.scorer import SpeechScorer
from pipeline.scoring.speech.verdicts import (
    PhoneVerdict,
    calibrated,
    is_gone,
    judge_phones,
    match_probability,
)
from pipeline.settings import CHECKOUT, Settings

MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"


def sure(labels: list[str], frames: int = 3) -> np.ndarray:
    """Posteriors in which each label is heard for some frames, with blanks between."""
    path = [INDEX[label] for label in labels for _ in range(frames)]
    path = [0, *(step for n, step in enumerate(path) for step in ((step, 0) if n % frames == frames - 1 else (step,)))]
    share = np.full((len(path), len(LABELS)), 1e-4 / len(LABELS))
    share[np.arange(len(path)), path] += 1.0 - 1e-4
    return np.log(share)


def spoken(words: list[list[str]]) -> CanonicalPhones:
    return CanonicalPhones(
        np.array([INDEX[p] for word in words for p in word]),
        np.array([n for n, word in enumerate(words) for _ in word]),
    )


def level(log_probs: np.ndarray) -> FrameSound:
    return FrameSound(*np.zeros((3, len(log_probs))))


def verdicts_on(text: CanonicalPhones, judged: HeadOutput, said: list[str]) -> list[PhoneVerdict]:
    log_probs = sure(said)
    return judge_phones(SpeechInfo("m"), text, judged, gather_evidence(log_probs, text, level(log_probs)), log_probs)


def test_evidence_speaks_for_what_was_said() -> None:
    text = spoken([["K", "AE", "T"]])
    said = gather_evidence(sure(["K", "AE", "T"]), text, level(np.zeros(13)))
    other = gather_evidence(sure(["K", "AH", "T"]), text, level(np.zeros(13)))
    assert said.phones.shape == (3, n_phone_features(len(LABELS)))
    assert said.rhythm.shape == (len(RHYTHM),)
    assert np.isfinite(said.phones).all()
    assert not is_gone(INDEX["AE"], other.substituted[1], float(other.deleted[1]))
    without = sure(["K", "T"])
    gone = gather_evidence(without, text, level(without))
    assert is_gone(INDEX["AE"], gone.substituted[1], float(gone.deleted[1]))
    assert other.substituted[1, INDEX["AH"]] > 0 > said.substituted[1, INDEX["AH"]]
    names = dict(zip(RHYTHM, other.rhythm.tolist(), strict=True))
    assert names["free_errors"] == pytest.approx(1 / 3)


def test_evidence_says_nothing_of_what_was_recorded_before_and_after() -> None:
    text = spoken([["K", "AE", "T"], ["S", "IY"]])
    said, draw = sure(["K", "AE", "T", "S", "IY"]), np.random.default_rng(0)
    sound = draw.normal(size=(3, len(said)))
    plain = gather_evidence(said, text, FrameSound(*sound))
    around = np.repeat(sure([])[:1], 60, axis=0)
    loud = 40.0 + draw.normal(size=(3, 60))
    noisy = gather_evidence(
        np.concatenate([around, said, around]), text, FrameSound(*np.concatenate([loud, sound, loud], axis=1))
    )
    edge = gather_evidence(
        np.concatenate([around[:5], said, around[:5]]), text,
        FrameSound(*np.concatenate([loud[:, -5:], sound, loud[:, :5]], axis=1)),
    )  # fmt: skip
    assert np.array_equal(noisy.alignment.start - 60, plain.alignment.start)
    np.testing.assert_allclose(noisy.phones, edge.phones, atol=1e-5)
    np.testing.assert_allclose(noisy.rhythm, edge.rhythm, atol=1e-5)
    assert np.flatnonzero(noisy.speech)[[0, -1]].tolist() == [56, len(said) + 63]
    assert noisy.pooling.sum(axis=2) == pytest.approx(1.0)


def test_the_pitch_of_a_sound_is_that_of_its_fundamental() -> None:
    seconds = np.arange(16_000) / 16_000
    voice = sum(np.sin(2 * np.pi * 200 * k * seconds) / k for k in range(1, 10))
    sound = frame_sound(np.asarray(voice, dtype=np.float32), 50)
    assert 2 ** sound.log2_pitch[5:-5] == pytest.approx(200.0)
    assert sound.periodicity[5:-5].min() > 0.95
    noise = frame_sound(np.random.default_rng(0).normal(size=16_000).astype(np.float32), 50)
    assert np.median(noise.periodicity) < 0.5


def test_states_are_averaged_over_phones_and_speech() -> None:
    text = spoken([["K", "AE", "T"]])
    said = sure(["K", "AE", "T"])
    evidence = gather_evidence(said, text, level(said))
    layers = np.random.default_rng(0).normal(size=(2, len(said), 4)).astype(np.float32)
    states, stats = pool(layers, evidence)
    assert states.shape == (3, 2, 2, 4)
    frames = np.flatnonzero(evidence.pooling[1, 2])
    np.testing.assert_allclose(states[2, 1], layers[:, frames].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(stats[0], layers.mean(axis=1), atol=1e-6)  # so short that all of it is speech
    np.testing.assert_allclose(stats[1], layers.std(axis=1), atol=1e-4)


def test_a_phone_that_is_left_out_is_told_from_one_that_is_wrong() -> None:
    text = spoken([["K", "AE", "T", "S"]])
    judged = HeadOutput(np.array([2.0, 1.2, 2.0, 0.1]), np.array([0.0, 0.1, 0.0, 0.9]), np.ones((1, 3)), np.ones(4))
    verdicts = verdicts_on(text, judged, ["K", "AE", "T"])
    right, accented = Verdict.RIGHT, Verdict.ACCENTED
    assert [v.verdict for v in verdicts] == [right, accented, right, Verdict.MISSING]
    assert verdicts[3].confidence == pytest.approx(0.9)
    verdicts = verdicts_on(text, judged, ["K", "AE", "T", UNKNOWN])
    assert (verdicts[3].verdict, verdicts[3].heard) == (Verdict.WRONG, UNKNOWN)
    verdicts = verdicts_on(text, judged, ["K", "AE", "T", "Z"])
    assert (verdicts[3].verdict, verdicts[3].heard) == (Verdict.WRONG, UNKNOWN), "what was said there is not named"


def test_a_phone_that_was_added_is_reported() -> None:
    text = spoken([["B", "IH", "G"]])
    judged = HeadOutput(np.full(3, 2.0), np.zeros(3), np.ones((1, 3)), np.ones(4))
    assert [v.before for v in verdicts_on(text, judged, ["B", "IH", "AH", "G"])] == [(), (), ("AH",)]
    # Greedy decoding hears it, too, where it is hardly likelier than silence; that is not sure enough.
    log_probs = sure(["B", "IH", "AH", "G"])
    log_probs[[9, 11]] = log_probs[0]
    log_probs[10] = np.log(1e-6)
    log_probs[10, [0, INDEX["AH"]]] = np.log([0.45, 0.55])
    evidence = gather_evidence(log_probs, text, level(log_probs))
    assert INDEX["AH"] in evidence.free
    found = judge_phones(SpeechInfo("m"), text, judged, evidence, log_probs)
    assert [v.before for v in found] == [(), (), ()]


def test_the_match_rule_and_the_tables() -> None:
    text = spoken([["K", "AE", "T"]])
    evidence = gather_evidence(sure(["K", "AE", "T"]), text, level(np.zeros(13)))
    assert match_probability(MatchRule(), evidence) == 1.0
    assert match_probability(MatchRule(("free_errors",), (-9.0,), 3.0), evidence) == pytest.approx(
        1 / (1 + np.exp(-3.0))
    )
    assert calibrated((), 0.3) == 0.3
    assert calibrated(((0.0, 0.0), (1.0, 0.5)), 0.5) == 0.25


@pytest.fixture
def scorer(speech_run: Path) -> SpeechScorer:
    return SpeechScorer(speech_run / "model")


def sentence(text: str, language: str = "en") -> Target:
    return Target(text, language, RubricName.SENTENCE)


def test_a_result_has_every_level(scorer: SpeechScorer) -> None:
    # The network knows nothing; whatever it answers must be whole and in range.
    scorer.info = replace(scorer.info, match=MatchRule())
    scorer.runtime.info = scorer.info
    result = score_audio(scorer, load_audio(MASA), Target("cat", "en", RubricName.SENTENCE, (("K", "AE1", "T"),)))
    if result.state is State.NO_SPEECH:
        assert result.overall is None
        return
    assert result.overall is not None
    assert set(result.dimensions) == {"accuracy", "fluency", "prosodic", "total", "completeness"}
    assert all(0 <= value <= 10 for value in result.dimensions.values())
    (word,) = result.words
    assert [phone.phone for phone in word.phones] == ["K", "AE", "T"]
    starts = [phone.start_s for phone in word.phones]
    assert starts == sorted(starts)
    assert 0 <= word.start_s < word.end_s <= result.audio.duration_s  # type: ignore[union-attr]
    assert result.heard_phones is not None
    assert result.milliseconds > 0


def test_what_cannot_be_scored_has_a_named_state(scorer: SpeechScorer) -> None:
    short = Audio(np.random.default_rng(0).normal(size=3200, scale=0.1).astype(np.float32), 16_000, 16_000, 1, 0.5)
    short = replace(short, samples=short.samples * np.repeat([1.0, 0.01], 1600).astype(np.float32))
    assert score_audio(scorer, short, sentence("one two three four five six seven")).state is State.TOO_SHORT
    long = Audio(np.tile(load_audio(MASA).samples, 60), 16_000, 16_000, 1, 0.5)
    refused = score_audio(scorer, long, sentence("the cat"))
    assert (refused.state, refused.overall) == (State.TOO_LONG, None)
    silent = score_audio(scorer, Audio(np.zeros(16000, dtype=np.float32), 16_000, 16_000, 1, 0.0), sentence("the cat"))
    assert (silent.state, silent.overall) == (State.REFUSED, None)
    with pytest.raises(CorpusError, match=r"English \(en\) only, not 'de'"):
        scorer.score(load_audio(MASA), sentence("the cat", "de"))
    with pytest.raises(CorpusError, match="Write “1/2” in words"):
        scorer.score(load_audio(MASA), sentence("1/2 cats"))


def test_a_sentence_is_scored_by_the_speech_model_unless_told_otherwise(settings: Settings, speech_run: Path) -> None:
    folder = speech_run / "model"
    assert load_scorer(settings, None, RubricName.SENTENCE, model=folder).name == "speech"
    assert load_scorer(settings, "speech", RubricName.SENTENCE, model=folder).name == "speech"
    with pytest.raises(ModelError, match=r"holds no complete|no speech model"):
        load_scorer(settings, "speech", RubricName.SENTENCE, model=settings.data_root)


def test_scoring_needs_neither_torch_nor_transformers(speech_run: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.records import *\n"
        "from pipeline.audio.load import load_audio\nfrom pipeline.scoring.speech.scorer import SpeechScorer\n"
        f"s = SpeechScorer(Path({str(speech_run / 'model')!r}))\n"
        f"s.score(load_audio(Path({str(MASA)!r})), Target('the cat', 'en', RubricName.SENTENCE))\n"
        "print([m for m in ('torch', 'transformers', 'sklearn', 'librosa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
