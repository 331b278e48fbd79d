"""Clips of similar phrases, to measure a detector on: which phrase each says."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline import jsonl
from pipeline.errors import CorpusError
from pipeline.settings import Settings
from pipeline.wakeword.data.clip_library import ClipLibrary, add_folders, open_library
from pipeline.wakeword.data.near_clips import phrases_in
from pipeline.wakeword.features import RATE_HZ


def write_clips(folder: Path, levels: list[float]) -> None:
    folder.mkdir(parents=True)
    for number, level in enumerate(levels):
        soundfile.write(folder / f"{number}.wav", np.full(RATE_HZ, level, dtype=np.float32), RATE_HZ)


def counted(library: ClipLibrary) -> dict[str, int]:
    return {phrase: len(files) for phrase, files in phrases_in(library.folder("evaluation/near")).items()}


def test_near_phrases_are_told_by_what_the_synthesisers_said_or_by_their_folder(tmp_path: Path) -> None:
    voices = [tmp_path / "hard_negative" / voice for voice in ("amy", "bob")]
    for number, voice in enumerate(voices):
        write_clips(voice, [0.0, 0.0])
        write_clips(tmp_path / "positive" / voice.name, [number / 2])
    by_voice = phrases_in(tmp_path / "hard_negative")
    assert {phrase: len(files) for phrase, files in by_voice.items()} == {"amy": 2, "bob": 2}
    clips = sorted(path for voice in voices for path in voice.iterdir())
    said = zip(clips, ("toy", "bye", "toy", "ploy"), strict=True)
    jsonl.write(
        tmp_path / "spoken.jsonl", [{"path": str(path.relative_to(tmp_path)), "text": text} for path, text in said]
    )
    for folder in (tmp_path, tmp_path / "hard_negative"):
        phrases = phrases_in(folder)
        assert list(phrases) == ["bye", "ploy", "toy"]
        assert phrases["toy"] == [clips[0], clips[2]], "the word itself is no phrase near it"


def test_clips_in_no_folder_of_a_phrase_are_similar_phrases_too(settings: Settings, tmp_path: Path) -> None:
    write_clips(tmp_path / "new_day", [0.1])
    write_clips(tmp_path / "was deleted", [])
    write_clips(tmp_path / "flat", [0.2, 0.3])
    library = open_library(settings, "no day", create=True)
    for name in ("0.wav", "1.wav"):  # as the page keeps uploads
        library.add("evaluation/near", name, (tmp_path / "flat" / name).read_bytes())
    assert counted(library) == {"similar phrases": 2}
    add_folders(settings, "no day", {"evaluation/near": [tmp_path]})
    assert counted(library) == {"new day": 1, "similar phrases": 2}, "and those of `flat` it has already"
    library.remove("evaluation/near", ["new day/0.wav"])
    assert counted(library) == {"similar phrases": 2}, "an empty folder is no phrase"
    with pytest.raises(CorpusError, match="There is no audio"):
        phrases_in(tmp_path / "was deleted")


def test_spoken_phrases_are_added_by_what_they_say_and_without_the_word(settings: Settings, tmp_path: Path) -> None:
    write_clips(tmp_path / "positive" / "amy", [0.1])
    write_clips(tmp_path / "hard_negative" / "amy", [0.2, 0.3, 0.4])
    texts = ("it's day", "new day", "../../new day")
    rows = [{"path": f"hard_negative/amy/{number}.wav", "text": text} for number, text in enumerate(texts)]
    jsonl.write(tmp_path / "spoken.jsonl", rows)
    assert add_folders(settings, "no day", {"evaluation/near": [tmp_path]}).added == {"evaluation/near": 3}
    assert counted(open_library(settings, "no day")) == {"it's day": 1, "new day": 2}
