"""Words joined of the sounds of recordings, and the judge that listens for a word's phones."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import CorpusError
from pipeline.scoring.speech.labels import encode
from pipeline.settings import Settings
from pipeline.synthesis.manner import Manner
from pipeline.wakeword.data import joining
from pipeline.wakeword.data.joining import HeardPhones, JoinedVoice, SpeakerSounds, crossfaded, recordings_to_join
from pipeline.wakeword.data.speaking import speak
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.phones import spellings_of, ways_of, word_score

EVERY = 1_600  # samples between the middles of two phones


def heard(phones: str, sure: float = 0.9) -> HeardPhones:
    """Each phone is a stretch of one value, its label."""
    labels = np.array(encode(phones.split()), dtype=np.int64)
    samples = np.repeat(labels.astype(np.float32), EVERY)
    middles = EVERY // 2 + EVERY * np.arange(len(labels))
    return HeardPhones(lambda: samples, labels, middles, np.full(len(labels), sure))


def labels_in(samples: np.ndarray) -> list[int]:
    """The values that last, in their order, whatever their level."""
    lasting = [samples[i] for i in range(200, len(samples) - 200, 50) if np.ptp(samples[i - 200 : i + 200]) < 1e-3]
    return [round(float(value)) for n, value in enumerate(lasting) if n == 0 or abs(value - lasting[n - 1]) > 0.5]


def test_a_word_is_joined_within_phones_that_two_recordings_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MOST_LOUDER_DB", 0.0)
    speaker = SpeakerSounds([heard("S AH N OW"), heard("B OY N OW")])
    samples = speaker.say(encode(["S", "AH", "N", "OW"]), np.random.default_rng(0))
    assert labels_in(samples) == encode(["S", "AH", "N", "OW"])
    samples = speaker.say(encode(["N", "OW", "B", "OY"]), np.random.default_rng(0))
    assert labels_in(samples) == encode(["N", "OW", "B", "OY"]), "nobody said OW and B in a row"
    assert speaker.can_say(encode(["B", "OY"])) and not speaker.can_say(encode(["K"]))
    assert not SpeakerSounds([heard("K", sure=0.2)]).can_say(encode(["K"])), "nobody is sure of it"


def test_pieces_meet_in_phase_and_at_one_level() -> None:
    times = np.arange(RATE_HZ // 4) / RATE_HZ
    first, second = (np.sin(2 * np.pi * 200 * times + phase).astype(np.float32) for phase in (0.0, 1.3))
    joined = crossfaded(first, 0.5 * second)
    n = round(joining.CROSSFADE_S * RATE_HZ)
    around = joined[len(first) - 2 * n : len(first) + 2 * n]
    assert np.abs(np.diff(around)).max() < 0.09, "a tone goes on as a tone"
    assert np.abs(joined[-1_000:]).max() == pytest.approx(1.0, abs=0.05)


def test_recordings_speak_beside_synthesisers(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds = SpeakerSounds([heard("K AH M P Y UW T ER")])
    listener = SimpleNamespace(listen=lambda _: SimpleNamespace(log_probs=posteriors("K AH M")))
    voice = JoinedVoice("ann", sounds, None, np.random.default_rng(0), lambda: listener)
    monkeypatch.setattr("pipeline.synthesis.voices.voices_of", lambda _settings, _language, _folders: [voice])
    monkeypatch.setattr("pipeline.wakeword.data.speaking.joined_voices", lambda *_: [voice])
    (tmp_path / "a-speaker.wav").write_bytes(b"")
    spoken = speak(settings, "computer", tmp_path / "a", n_clips=3, n_near=0, n_other=0, speech=[tmp_path])
    assert (spoken.clips, spoken.voices) == (3, ("joined-ann",))
    with pytest.raises(CorpusError, match="in English alone"):
        speak(settings, "bilgisayar", tmp_path / "b", language="tr", speech=[tmp_path])
    with pytest.raises(CorpusError, match="lack some of its sounds"):
        speak(settings, "banana", tmp_path / "c", n_clips=1, n_near=0, n_other=0)
    slow, quick = (len(voice.say("computer", Manner(rate)).samples) for rate in (0.7, 1.2))
    assert slow > 1.5 * quick


def posteriors(phones: str, n_frames: int = 4) -> np.ndarray:
    """Each phone sure for a frame, blanks between."""
    rows = []
    for label in encode(phones.split()):
        rows += [label, *[0] * n_frames]
    log_probs = np.full((len(rows), 41), np.log(0.1 / 40))
    log_probs[np.arange(len(rows)), rows] = np.log(0.9)
    return log_probs


def test_a_word_is_heard_where_its_phones_are_and_not_where_some_are() -> None:
    (word,) = ways_of("boy")
    assert word_score(posteriors("S IY B OY N OW"), word) == pytest.approx(0.0)
    near, far = word_score(posteriors("B AY"), word), word_score(posteriors("S IY"), word)
    assert far < near < -1.0
    assert word_score(posteriors("B")[:1], word) < -1e9, "too short for any path"


def test_a_word_made_of_two_is_said_as_both() -> None:
    assert spellings_of("snowboy") == ["snow boy"]
    assert encode(["S", "N", "OW", "B", "OY"]) in ways_of("snowboy")
    assert spellings_of("computer") == ["computer"]


def test_recordings_are_checked_before_anything_is_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "speech" / "ali").mkdir(parents=True)
    with pytest.raises(CorpusError, match="no audio"):
        recordings_to_join(settings, [tmp_path / "speech"])
    file = tmp_path / "speech" / "ali" / "1.wav"
    file.write_bytes(b"")
    assert recordings_to_join(settings, [tmp_path / "speech"]) == [("everybody", file)]
    assert recordings_to_join(settings, [tmp_path / "speech"], "([^/]+)/[^/]+$") == [("ali", file)]
    for pattern, problem in (("[", "no regular expression"), ("x", "needs a group"), ("(x+)y", "finds no speaker")):
        with pytest.raises(CorpusError, match=problem):
            recordings_to_join(settings, [tmp_path / "speech"], pattern)
    made = tmp_path / "made"
    speak(settings, "computer", made, n_clips=1, n_near=0, n_other=0)
    with pytest.raises(CorpusError, match="finds no speaker"):
        speak(settings, "computer", made, speech=[tmp_path / "speech"], source_pattern="(x+)y")
    (tmp_path / "speech" / "ali" / "1.wav").write_bytes(b"")
    for text in ({"word": "ten km"}, {"word": "computer", "pronunciations": ["km"]}):
        with pytest.raises(CorpusError, match="abbreviation"):
            speak(settings, out=made, speech=[tmp_path / "speech"], **text)
    assert (made / "spoken.jsonl").is_file(), "what was there stays"
