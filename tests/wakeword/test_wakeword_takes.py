"""Takes of a word: what is kept, what is refused and why."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.audio.encode import to_wav
from pipeline.audio.load import load_audio
from pipeline.cli.main import main
from pipeline.errors import CorpusError
from pipeline.settings import CHECKOUT, Settings
from pipeline.wakeword.data.clip_library import open_library
from pipeline.wakeword.data.takes import problems_of_take
from pipeline.wakeword.features import RATE_HZ


def spoken() -> np.ndarray:
    return load_audio(sorted((CHECKOUT / "data" / "demo" / "participant_01").rglob("*.wav"))[0]).samples


def test_a_spoken_word_is_kept() -> None:
    assert problems_of_take(to_wav(spoken(), RATE_HZ)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda word: word * 0.0, "Nothing can be heard"),
        (lambda word: word * (0.03 / np.abs(word).max()), "very quiet"),
        (lambda word: np.clip(word * (20.0 / np.abs(word).max()), -1.0, 1.0), "clipped"),
        (lambda word: np.tile(word, 4), "Say the word alone"),
        (lambda word: 0.3 * np.sin(np.arange(RATE_HZ) / 3.0), "Nobody speaks"),
        (lambda word: word[:800], "is only 0.05 s long"),
    ],
    ids=["silent", "quiet", "clipped", "too long", "no speech", "too short"],
)
def test_what_is_no_good_take_is_refused_in_words(change: object, words: str) -> None:
    sound = np.asarray(change(spoken()), dtype=np.float32)  # type: ignore[operator]
    assert words in " ".join(problems_of_take(to_wav(sound, RATE_HZ)))


def test_clips_that_a_word_has_are_not_copied_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained twice on a clip, or on one that is measured on."""
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(tmp_path / "data"))
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(2):
        (clips / f"take {number}.wav").write_bytes(to_wav(spoken() * (1.0 - number / 2), RATE_HZ))
    (clips / "copy.wav").write_bytes((clips / "take 0.wav").read_bytes())

    def add(*options: str) -> dict[str, object]:
        done = CliRunner().invoke(main, ["wakeword", "add", "computer", *options, "--json"])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    first = add("--positive", str(clips))
    assert (first["added"], first["known"]) == ({"positive": 2}, {"positive": 1})
    again = add("--positive", str(clips), "--test-positive", str(clips))
    assert again["added"] == {"positive": 0, "evaluation/positive": 0}
    assert again["known"] == {"positive": 3, "evaluation/positive": 3}
    library = open_library(Settings(tmp_path / "data", tmp_path / "models"), "computer")
    assert (len(library.files("positive")), len(library.files("evaluation/positive"))) == (2, 0)


def test_a_take_is_removed_and_nothing_else(tmp_path: Path) -> None:
    clips = open_library(Settings(tmp_path / "data", tmp_path / "models"), "computer", create=True)
    first, second = (clips.add("positive", "take-001.wav", to_wav(spoken(), RATE_HZ)) for _ in range(2))
    clips.remove("positive", [second.name])
    assert clips.files("positive") == [first]
    for name in ("../take-001.wav", second.name, ""):
        with pytest.raises(CorpusError, match="There is no clip"):
            clips.remove("positive", [name])


def test_clips_of_a_speaker_are_set_aside_together(tmp_path: Path) -> None:
    clips = open_library(Settings(tmp_path / "data", tmp_path / "models"), "computer", create=True)
    for part in ("negative", "noise"):
        clips.folder(part).mkdir()
        for n in range(12):
            (clips.folder(part) / f"speaker{n % 4}_{n}.wav").touch()
    assert clips.set_aside(0.25, "negative", r"(speaker\d)_") == 3
    held = {file.name[:8] for file in clips.files("evaluation/background")}
    assert len(held) == 1
    assert not held & {file.name[:8] for file in clips.files("negative")}
    assert clips.set_aside(0.25, "noise") == 3
    assert (clips.take_back("negative"), len(clips.files("negative"))) == (3, 12)
    assert len(clips.files("evaluation/noise")) == 3
    with pytest.raises(CorpusError, match="at least 2 speakers"):
        clips.set_aside(0.25, "negative", "(speaker)")
    with pytest.raises(CorpusError, match="no clips of this kind"):
        clips.set_aside(0.25)
    assert len(clips.files("negative")) == 12
