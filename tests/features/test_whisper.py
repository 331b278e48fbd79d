"""Whispers are told from voices, in words as in sentences, and beside the score."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.audio.load import Audio, load_audio
from pipeline.features.whisper import WHISPERED, is_whispered
from pipeline.records import RubricName, Target
from pipeline.scoring.attempt import score_attempt
from pipeline.scoring.selection import HEURISTIC, load_scorer
from pipeline.settings import CHECKOUT, Settings
from tests.bench.whisper_study import voiceless

REFERENCES = CHECKOUT / "data" / "demo" / "references"


@pytest.fixture
def masa() -> Audio:
    return load_audio(REFERENCES / "masa.wav")


@pytest.mark.parametrize("word", ["masa", "süt", "şeker", "kitap"])
def test_a_voice_is_no_whisper_and_the_same_without_a_voice_is_one(word: str) -> None:
    audio = load_audio(REFERENCES / f"{word}.wav")
    assert not is_whispered(audio)
    assert is_whispered(voiceless(audio, np.random.default_rng(1)))


def test_silence_is_no_whisper(masa: Audio) -> None:
    assert not is_whispered(replace(masa, samples=np.zeros(0, np.float32)))
    assert not is_whispered(replace(masa, samples=np.zeros(16_000, np.float32)))


def test_a_whisper_is_told_before_everything_else_and_no_voice_is(settings: Settings, masa: Audio) -> None:
    scorer = load_scorer(settings, HEURISTIC, RubricName.WORD)
    target = Target("masa", "tr", RubricName.WORD)
    assert WHISPERED not in score_attempt(scorer, masa, target).warnings
    whispered = score_attempt(scorer, voiceless(masa, np.random.default_rng(1)), target)
    assert whispered.overall is not None
    assert (whispered.warnings[0], whispered.confidence) == (WHISPERED, None)
