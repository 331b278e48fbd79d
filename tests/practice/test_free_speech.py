"""Speaking without a given text: pauses, syllables, fillers, and what is no speech."""

import numpy as np
import pytest

from pipeline.audio.load import from_samples, load_audio
from pipeline.i18n import Message
from pipeline.practice.free_speech import FreeSpeech, listen_freely, pauses
from pipeline.settings import CHECKOUT, Settings
from tests.audio.whisper import whispered
from tests.practice.test_practice import RATE_HZ, chords

WORDS = sorted((CHECKOUT / "data" / "demo" / "references").glob("*.wav"))


def test_silences_between_sounds_are_pauses_and_the_ends_are_none() -> None:
    active = np.zeros(400, dtype=bool)
    for start, end in ((50, 100), (120, 150), (230, 300)):
        active[start:end] = True
    assert pauses(active) == pytest.approx((0.8,)), "20 frames are too short, and what is around says nothing"


def test_turkish_speech_is_measured_without_a_text(settings: Settings) -> None:
    gap = np.zeros(RATE_HZ, dtype=np.float32)
    read = [load_audio(WORDS[n]).samples for n in (0, 4, 9)]
    spoken = np.concatenate([read[0], read[1], gap, read[2]])
    heard = listen_freely(settings, from_samples(spoken, RATE_HZ), "tr")
    assert isinstance(heard, FreeSpeech)
    assert heard.words is None
    assert len(heard.pauses_s) == 1
    assert heard.pauses_s[0] == pytest.approx(1.0, abs=0.15)
    assert heard.n_syllables is not None
    assert 4 <= heard.n_syllables <= 9
    assert heard.syllables_per_run == heard.n_syllables / 2


def test_a_held_sound_is_a_filler() -> None:
    from pipeline.practice.free_speech import _n_held

    steady, moving = np.full(60, 120.0), np.linspace(110.0, 160.0, 60)
    unvoiced = np.zeros(10)
    assert _n_held(np.concatenate([moving, unvoiced, steady, unvoiced, moving, unvoiced, steady])) == 2


def test_nothing_is_counted_in_a_whisper(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.practice.free_speech.LEAST_VOICE", 0.0)
    heard = listen_freely(settings, from_samples(whispered(load_audio(WORDS[0]).samples), RATE_HZ), "tr")
    assert isinstance(heard, FreeSpeech)
    assert (heard.n_syllables, heard.syllables_per_s, heard.syllables_per_run, heard.n_fillers) == (None,) * 4


def test_music_and_silence_are_no_speech(settings: Settings) -> None:
    for samples in (chords(), np.zeros(RATE_HZ, dtype=np.float32)):
        assert isinstance(listen_freely(settings, from_samples(samples, RATE_HZ), "tr"), Message)
