"""The tiers that a rater starts from."""

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.corpus.sets import get_set, read_recordings
from pipeline.labels.exchange.textgrid import Alignment
from pipeline.labels.first_segments import (
    TimedPhone,
    TimedWord,
    evenly_divided,
    loud_part,
    tiers_in_time,
    timed_by_corpus,
)
from pipeline.labels.marked_words import MarkedWord
from pipeline.records import PhoneScore, Recording, RubricName, Segment, Verdict, WordScore
from pipeline.scoring import alignment
from pipeline.settings import Settings
from tests.projects.test_projects import words

__all__ = ["words"]


def test_words_and_sounds_are_evenly_divided() -> None:
    text = [MarkedWord("ev", ("e", "v")), MarkedWord("a"), MarkedWord("bir", ("b", "i", "r"))]
    assert tiers_in_time(evenly_divided(text, 0.2, 0.8), 0.9) == (
        Segment("words", 0.2, 0.4, "ev", 0), Segment("words", 0.4, 0.5, "a", 1), Segment("words", 0.5, 0.8, "bir", 2),
        Segment("phones", 0.2, 0.3, "e", 0, 0), Segment("phones", 0.3, 0.4, "v", 0, 1),
        Segment("phones", 0.5, 0.6, "b", 2, 0), Segment("phones", 0.6, 0.7, "i", 2, 1),
        Segment("phones", 0.7, 0.8, "r", 2, 2),
    )  # fmt: skip
    assert evenly_divided([], 0.0, 1.0) == []


def test_silence_at_the_ends_is_not_divided() -> None:
    sound = np.zeros(16000, dtype=np.float32)
    sound[4000:12000] = 0.5
    assert loud_part(sound, 16000) == (0.25, 0.75)
    assert loud_part(np.zeros(16000, dtype=np.float32), 16000) == (0.0, 1.0)
    assert loud_part(np.zeros(3, dtype=np.float32), 16000) == (0.0, 3 / 16000)


def test_overlapping_words_touch_and_lie_inside_the_recording() -> None:
    overlapping = [TimedWord("a", 0.0, 0.5), TimedWord("b", 0.4, 1.2), TimedWord("c", 1.2, 1.2)]
    assert tiers_in_time(overlapping, 1.0) == (Segment("words", 0.0, 0.5, "a", 0), Segment("words", 0.5, 1.0, "b", 1))


def test_a_corpus_s_own_times_come_first() -> None:
    times = [[0.1, 0.2], [0.2, 0.4]]
    word = {"text": "SEE", "start_s": 0.1, "end_s": 0.4, "phones": ["S", "IY1"], "phone_times_s": times}
    recording = Recording("s/1", "s", "1.wav", "a", "SEE", RubricName.SENTENCE, extra={"words": [word]})
    timed = timed_by_corpus(recording)
    assert timed is not None
    phones = (Segment("phones", 0.1, 0.2, "S", 0, 0), Segment("phones", 0.2, 0.4, "IY", 0, 1))
    assert tiers_in_time(timed, 1.0)[1:] == phones
    recording.extra["words"][0].pop("start_s")
    assert timed_by_corpus(recording) is None


def test_of_an_alignment_texts_and_times_are_kept_and_no_score(settings: Settings, words: str) -> None:
    set_, recording = get_set(settings, words), read_recordings(settings, words)[0]
    phone = PhoneScore("A", 12.5, 0.1, 0.2, Verdict.WRONG, "E", confidence=0.9)
    word = WordScore("araba", 33.3, 0.1, 0.4, (phone,), Verdict.WRONG, {"accuracy": 3.3}, "elma")
    assert alignment.kept_alignment(settings, set_, recording) is None
    alignment.align_and_keep(settings, recording, lambda _recording, _audio: Alignment([word]))
    kept = [TimedWord("araba", 0.1, 0.4, (TimedPhone("A", 0.1, 0.2),))]
    assert alignment.kept_alignment(settings, set_, recording) == kept
    (file,) = settings.alignments_root.rglob("*.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["words"] == [
        {"text": "araba", "start_s": 0.1, "end_s": 0.4, "phones": [{"label": "A", "start_s": 0.1, "end_s": 0.2}]}
    ]
    audio = set_.root / recording.path
    audio.write_bytes(audio.read_bytes() + b"\0\0")
    assert alignment.kept_alignment(settings, set_, recording) is None, "of another recording"


def test_a_recording_is_aligned_once_and_nobody_waits_for_ever(
    settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Process:
        stdin = io.BytesIO()

        def __init__(self, *_arguments: Any, **_options: Any) -> None: ...

        def poll(self) -> None:
            return None

    now_s = [100.0]
    monkeypatch.setattr(alignment.subprocess, "Popen", Process)
    monkeypatch.setattr(alignment.time, "monotonic", lambda: now_s[0])
    set_, recording = get_set(settings, words), read_recordings(settings, words)[0]
    alignments = alignment.Alignments(settings)
    assert alignments.is_coming(set_, recording)
    assert alignments.is_coming(set_, recording)
    assert Process.stdin.getvalue() == json.dumps(recording.id).encode() + b"\n"
    now_s[0] += alignment.LONGEST_S
    assert not alignments.is_coming(set_, recording)


def test_only_english_is_aligned(settings: Settings, words: str) -> None:
    set_, recording = get_set(settings, words), read_recordings(settings, words)[0]
    has_model = alignment.can_align(settings, set_, replace(recording, language="en"))
    assert has_model == (settings.released_models / "speech-en").is_dir()
    assert not alignment.can_align(settings, set_, replace(recording, language="tr"))
