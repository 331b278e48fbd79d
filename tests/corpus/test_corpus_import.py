"""Bringing corpora in: layouts, formats, bad input, importing again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.cli.corpus import _import_text
from pipeline.corpus.sets import (
    audio_path,
    check_name,
    confined,
    get_set,
    list_sets,
    read_recordings,
    remove_set,
    result_path,
)
from pipeline.corpus.splits import speaker_folds, speaker_holdout
from pipeline.errors import CorpusError, UnknownNameError
from pipeline.importing.importer import import_path
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.locks import locked
from pipeline.records import Problem, RatingAction, RatingEvent, RubricName
from pipeline.settings import CHECKOUT, Settings

SPOKEN = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
Write = Callable[..., Path]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "my corpus" / "participant_001" / "kelimeler"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def speech() -> np.ndarray:
    samples, _ = soundfile.read(SPOKEN, dtype="float32")
    return np.asarray(samples)


def codes(problems: tuple[Problem, ...]) -> dict[str, str]:
    return {Path(problem.path or "").name: problem.code for problem in problems}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("01_masa.wav", {"subtype": "PCM_16"}),
        ("01_masa.wav", {"subtype": "PCM_24"}),
        ("01_masa.WAV", {"subtype": "FLOAT", "format": "WAV"}),
        ("01_masa.flac", {}),
        ("01_masa.ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("01_masa.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("01_masa.mp3", {"format": "MP3"}),
    ],
)
def test_every_audio_format_of_the_contract_is_taken(
    settings: Settings, corpus: Path, speech: np.ndarray, name: str, form: dict[str, str]
) -> None:
    soundfile.write(corpus / name, speech, 16000, **form)
    report = import_path(settings, corpus.parent.parent, name="s")
    assert (report.n_recordings, report.problems) == (1, ())
    recording = read_recordings(settings, "s")[0]
    assert (recording.text, recording.speaker, recording.rubric) == ("masa", "participant_001", RubricName.WORD)
    assert recording.report is not None
    assert recording.report.duration_s == pytest.approx(len(speech) / 16000, abs=0.08)


def test_bad_recordings_are_listed_and_nothing_else_is_affected(
    settings: Settings, corpus: Path, speech: np.ndarray
) -> None:
    soundfile.write(corpus / "01_masa.wav", speech, 16000)
    (corpus / "02_empty.wav").touch()
    (corpus / "03_cut.wav").write_bytes((corpus / "01_masa.wav").read_bytes()[:30])
    (corpus / "04_text.wav").write_text("this is no audio at all")
    soundfile.write(corpus / "05_silent.wav", np.zeros(16000), 16000)
    soundfile.write(corpus / "06_clipped.wav", np.clip(4 * speech, -1, 1), 16000)
    soundfile.write(corpus / "07_phone.wav", speech[::2], 8000)
    soundfile.write(corpus / "08_studio.wav", np.repeat(speech, 6), 96000, subtype="PCM_24")
    soundfile.write(corpus / "09_stereo.wav", np.stack([speech, speech], 1), 16000)
    bad = speech.copy()
    bad[100] = np.nan
    soundfile.write(corpus / "10_nan.wav", bad, 16000, subtype="FLOAT")
    (corpus / "notes.txt").write_text("notes")
    (corpus / "Thumbs.db").write_bytes(b"x")
    report = import_path(settings, corpus.parent.parent, name="s")
    found = codes(report.problems)
    assert report.n_recordings == 10
    assert found["02_empty.wav"] == found["03_cut.wav"] == found["04_text.wav"] == found["10_nan.wav"] == "unreadable"
    assert found["05_silent.wav"] == "silent"
    assert found["06_clipped.wav"] == "clipped"
    assert found["07_phone.wav"] == "low_sample_rate"
    assert found["notes.txt"] == found["Thumbs.db"] == "not_audio"
    assert {"01_masa.wav", "08_studio.wav", "09_stereo.wav"}.isdisjoint(found)
    listed = {problem.code for problem in Index(settings).problems("s")}
    assert {"unreadable", "silent", "clipped", "low_sample_rate"} <= listed


def test_an_hour_is_told_from_its_header_without_decoding_it(settings: Settings, corpus: Path) -> None:
    with soundfile.SoundFile(corpus / "01_long.flac", "w", 8000, 1, format="FLAC") as file:
        for _ in range(60):
            file.write(np.zeros(8000 * 60, dtype=np.float32))
    report = import_path(settings, corpus.parent.parent, name="s")
    assert codes(report.problems) == {"01_long.flac": "too_long"}
    recording = read_recordings(settings, "s")[0].report
    assert recording is not None
    assert recording.duration_s == pytest.approx(3600)


def test_words_keep_turkish_letters_and_spaces(settings: Settings, corpus: Path) -> None:
    for name in ("01_çiçek.wav", "2 - ağaç evi.wav", "ığdır.wav"):
        shutil.copy(SPOKEN, corpus / name)
    report = import_path(settings, corpus.parent.parent, name="s")
    assert {recording.text for recording in read_recordings(settings, "s")} == {"çiçek", "ağaç evi", "ığdır"}
    assert codes(report.problems) == {"ığdır.wav": "odd_name"}


def test_the_same_name_in_two_formats_would_share_labels_and_is_refused(settings: Settings, corpus: Path) -> None:
    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    samples, rate = soundfile.read(SPOKEN)
    soundfile.write(corpus / "01_masa.flac", samples, rate)
    report = import_path(settings, corpus.parent.parent, name="s")
    assert report.n_recordings == 1
    assert [problem.code for problem in report.problems] == ["duplicate"]


def test_links_out_of_the_root_are_not_followed(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    shutil.copy(SPOKEN, secret)
    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    (corpus / "02_link.wav").symlink_to(secret)
    report = import_path(settings, corpus.parent.parent, name="s")
    assert codes(report.problems) == {"02_link.wav": "outside_root"}
    (corpus / "01_masa.wav").unlink()
    (corpus / "01_masa.wav").symlink_to(secret)
    set_ = get_set(settings, "s")
    with pytest.raises(CorpusError, match="outside"):
        audio_path(set_, read_recordings(settings, "s")[0])


def manifest(folder: Path, *rows: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(SPOKEN, folder / "a.wav")
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_manifest_of_the_smallest_kind(settings: Settings, tmp_path: Path) -> None:
    path = manifest(tmp_path / "m", {"audio": "a.wav", "text": "masa", "speaker": "s1", "score": 88})
    report = import_path(settings, path)
    assert (report.n_recordings, report.n_labels) == (1, 1)
    set_ = list_sets(settings)[0]
    assert set_.kind == "manifest"
    assert not list((tmp_path / "m").glob("*_result.json")), "a published corpus is not written into"
    recording = read_recordings(settings, set_.name)[0]
    assert LabelStore(settings).current(recording)["corpus"].score == 88
    assert result_path(set_, recording).is_relative_to(settings.data_root)


@pytest.mark.parametrize(
    "row",
    [
        "not json",
        "[1]",
        {"text": "x"},
        {"audio": "a.wav"},
        {"audio": "a.wav", "text": " "},
        {"audio": "../a.wav", "text": "x"},
        {"audio": "/etc/passwd", "text": "x"},
        {"audio": "a.wav", "text": "x", "score": 101},
        {"audio": "a.wav", "text": "x", "words": "x"},
        {"audio": "a.wav", "text": "x", "words": [{"phones": []}]},
        {"audio": "a.wav", "text": "x", "score": "NaN"},
        {"audio": "a.wav", "text": "x y", "released": {"total": 11}},
    ],
)
def test_bad_lines_are_named_and_the_others_used(settings: Settings, tmp_path: Path, row: Any) -> None:
    path = manifest(tmp_path / "m", row, {"audio": "a.wav", "text": "masa"})
    report = import_path(settings, path, name="m")
    assert report.n_recordings == 1
    assert [problem.code for problem in report.problems] == ["bad_row"]
    assert report.problems[0].message.startswith("Line 1: ")
    with pytest.raises(CorpusError, match=r"no recording that can be used. First problem: Line 1: "):
        import_path(settings, manifest(tmp_path / "n", row), name="n")
    assert not (settings.sets_root / "n").exists(), "nothing stays of a set that did not come about"


@pytest.mark.parametrize(
    ("given", "offered"), [("Benim Sınıfım 7b", "Benim-Sınıfım-7b"), ("../x", "x"), ("!", "lab1"), ("a" * 80, "a" * 56)]
)
def test_a_name_that_no_set_can_have_is_answered_with_one_that_it_can(given: str, offered: str) -> None:
    with pytest.raises(CorpusError, match=rf"e\.g\. {offered}\.$"):
        check_name(given)
    assert check_name(offered) == offered


def test_recordings_without_a_speaker_are_counted(settings: Settings, tmp_path: Path) -> None:
    named = {"audio": "a.wav", "text": "masa", "speaker": "s01"}
    assert import_path(settings, manifest(tmp_path / "m", named), name="m").n_unnamed == 0
    report = import_path(settings, manifest(tmp_path / "n", {"audio": "a.wav", "text": "masa"}), name="n")
    assert report.n_unnamed == 1
    assert "\nRecordings without a speaker: 1. " in _import_text(report)


def published(folder: Path) -> Path:
    """A corpus of two utterances in speechocean762's own layout, its files in different orders."""
    words = [{"text": "TABLE", "accuracy": 10, "phones": ["T", "EY1"], "mispronunciations": []}]
    score = {"text": "A TABLE", "accuracy": 8, "completeness": 10, "fluency": 9, "prosodic": 9, "total": 8}
    detail = {key: [value, value, value, value, min(10, value + 1)] for key, value in score.items() if key != "text"}
    for part, utterance, speaker in (("train", "u1", "s1"), ("test", "u2", "s2")):
        (folder / part).mkdir(parents=True)
        (folder / "WAVE" / speaker).mkdir(parents=True)
        shutil.copy(SPOKEN, folder / "WAVE" / speaker / f"{utterance}.WAV")
        (folder / part / "wav.scp").write_text(f"{utterance}\tWAVE/{speaker}/{utterance}.WAV\n")
        (folder / part / "utt2spk").write_text(f"{utterance}\t{speaker}\n")
        (folder / part / "spk2age").write_text(f"{speaker}\t9\n")
        (folder / part / "spk2gender").write_text(f"{speaker}\tf\n")
    (folder / "resource").mkdir()
    both = {"u2": {**score, "words": words}, "u1": {**score, "total": 5, "words": words}}
    (folder / "resource" / "scores.json").write_text(json.dumps(both))
    (folder / "resource" / "scores-detail.json").write_text(json.dumps({"u1": detail, "u2": detail}))
    return folder


def test_the_published_layout_of_speechocean762(settings: Settings, tmp_path: Path) -> None:
    report = import_path(settings, published(tmp_path / "speechocean762"))
    assert (report.set, report.n_recordings, report.n_speakers, report.n_labels) == ("speechocean762", 2, 2, 10)
    by_part = {recording.part: recording for recording in read_recordings(settings, "speechocean762")}
    assert by_part["train"].extra["released"]["total"] == 5
    assert by_part["test"].extra["released"]["total"] == 8
    assert (by_part["test"].speaker, by_part["test"].extra["age"]) == ("s2", 9)
    ratings = LabelStore(settings).current(by_part["test"])
    assert [ratings[f"expert_{n}"].score for n in range(1, 6)] == [80, 80, 80, 80, 90]


def test_a_published_utterance_without_a_score_is_listed(settings: Settings, tmp_path: Path) -> None:
    folder = published(tmp_path / "speechocean762")
    (folder / "resource" / "scores.json").write_text(json.dumps({"u1": {"text": "A", "total": 5, "words": []}}))
    (folder / "resource" / "scores-detail.json").unlink()
    report = import_path(settings, folder, fmt="speechocean762")
    assert report.n_recordings == 1
    assert "u2" in report.problems[0].message


def test_importing_again_keeps_labels_and_finds_what_is_new(settings: Settings, corpus: Path) -> None:
    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    assert import_path(settings, corpus.parent.parent, name="s").n_added == 1
    recording = read_recordings(settings, "s")[0]
    LabelStore(settings).add(recording, RatingEvent("a", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=70))
    shutil.copy(SPOKEN, corpus / "02_kedi.wav")
    assert import_path(settings, corpus.parent.parent, name="s").n_added == 1
    assert Index(settings).consensus_scores("s")["score"].tolist() == [70]
    (corpus / "02_kedi.wav").unlink()
    assert import_path(settings, corpus.parent.parent, name="s").n_recordings == 1


def test_a_name_stands_for_one_corpus(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    import_path(settings, corpus.parent.parent, name="s")
    other = tmp_path / "other"
    shutil.copytree(corpus.parent.parent, other)
    with pytest.raises(CorpusError, match="already"):
        import_path(settings, other, name="s")
    with pytest.raises(CorpusError, match="is already the set 's'"):
        import_path(settings, corpus.parent.parent, name="t")
    remove_set(settings, "s")
    assert (corpus / "01_masa.wav").is_file()
    with pytest.raises(UnknownNameError):
        get_set(settings, "s")


@pytest.mark.parametrize("name", ["..", "a/b", "/abs", ".hidden", "x" * 65])
def test_a_sets_name_is_a_plain_folder_name(settings: Settings, corpus: Path, name: str) -> None:
    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    with pytest.raises(CorpusError):
        import_path(settings, corpus.parent.parent, name=name)


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_a_path_without_recordings_is_refused_in_words(settings: Settings, tmp_path: Path, missing: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=missing):
        import_path(settings, tmp_path / missing)


def test_folds_keep_speakers_apart_are_balanced_and_never_change() -> None:
    draw = np.random.default_rng(0)
    speakers = [f"s{number}" for number in draw.integers(0, 40, 1000)]
    folds = speaker_folds(speakers, 5, seed=3)
    for speaker in set(speakers):
        assert len({int(fold) for fold, name in zip(folds, speakers, strict=True) if name == speaker}) == 1
    assert max(np.bincount(folds)) - min(np.bincount(folds)) <= max(speakers.count(s) for s in set(speakers))
    assert (folds == speaker_folds(speakers, 5, seed=3)).all()
    assert (folds != speaker_folds(speakers, 5, seed=4)).any()
    held = speaker_holdout(speakers, 0.2, seed=3)
    inside = {name for name, out in zip(speakers, held, strict=True) if not out}
    assert inside.isdisjoint({name for name, out in zip(speakers, held, strict=True) if out})
    assert 0.2 <= held.mean() < 0.3
    with pytest.raises(CorpusError):
        speaker_folds(["a", "b"], 3, seed=0)
    with pytest.raises(CorpusError):
        speaker_folds(["a", "a "], 2, seed=0)
    with pytest.raises(CorpusError):
        speaker_holdout(["a", "a"], 0.2, seed=0)


def test_spellings_of_one_speaker_stay_on_one_side_of_a_split() -> None:
    alike = [["Ayşe", " Ayşe", "Ays\u0327e ", "ayşe"], ["S1", "s1"], ["IŞIK", "Işık"], ["0"], ["x"], ["y"], ["z"]]
    speakers = [name for names in alike for name in names for _ in range(5)]
    folds = dict(zip(speakers, speaker_folds(speakers, 4, seed=1).tolist(), strict=True))
    held = dict(zip(speakers, speaker_holdout(speakers, 0.3, seed=1).tolist(), strict=True))
    for names in alike:
        assert len({folds[name] for name in names}) == len({held[name] for name in names}) == 1


def test_the_same_name_in_two_unicode_forms_is_one_name(settings: Settings, corpus: Path) -> None:
    import unicodedata

    for form in ("NFC", "NFD"):
        shutil.copy(SPOKEN, corpus / unicodedata.normalize(form, "02_çiçek.wav"))
    report = import_path(settings, corpus.parent.parent, name="s")
    assert report.n_recordings == 1
    assert [problem.code for problem in report.problems] == ["duplicate"]


def test_names_that_are_no_text_and_links_to_themselves_are_listed(settings: Settings, corpus: Path) -> None:
    import os

    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    shutil.copy(SPOKEN, os.fsencode(corpus) + b"/02_g\xfcne\xfe.wav")
    (corpus / "03_loop.wav").symlink_to("03_loop.wav")
    (corpus.parent.parent / "participant_002").symlink_to(corpus.parent)
    report = import_path(settings, corpus.parent.parent, name="s")
    assert (report.n_recordings, report.n_speakers) == (1, 1)
    assert sorted(problem.code for problem in report.problems) == ["odd_name", "outside_root"]
    assert "02_g\\xfcne\\xfe" in "".join(problem.message for problem in report.problems)


@pytest.mark.parametrize(
    "line",
    [
        '{"audio": "a.wav", "text": "x", "score": 1%s}' % ("0" * 400),
        '{"audio": "%s.wav", "text": "x"}' % ("a" * 300),
        "[" * 100_000,
        '{"audio": "a.wav", "text": "\\ud800"}',
        '{"audio": "deep/../a.wav", "text": "x"}',
    ],
)
def test_one_impossible_line_does_not_stop_an_import(settings: Settings, tmp_path: Path, line: str) -> None:
    report = import_path(settings, manifest(tmp_path / "m", line, {"audio": "a.wav", "text": "masa"}), name="m")
    assert report.n_recordings == 1
    assert len(report.problems) == 1


def test_corrected_scores_come_in_with_the_next_import(settings: Settings, tmp_path: Path) -> None:
    row = {"audio": "a.wav", "text": "masa", "speaker": "s1", "score": 48}
    import_path(settings, manifest(tmp_path / "m", row), name="m")
    recording = read_recordings(settings, "m")[0]
    store = LabelStore(settings)
    store.add(recording, RatingEvent("Ada", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=70))
    import_path(settings, manifest(tmp_path / "m", {**row, "score": 1}), name="m")
    import_path(settings, manifest(tmp_path / "m", {**row, "score": 1}), name="m")
    assert [event.score for event in store.history(recording)] == [48, 70, 1]
    assert Index(settings).consensus_scores("m")["score"].tolist() == [35.5]


def test_experts_alone_are_enough(settings: Settings, tmp_path: Path) -> None:
    from pipeline.evaluation.reference import reference_of_manifest

    path = manifest(tmp_path / "m", {"audio": "a.wav", "text": "a b", "experts": {"total": [6, 7, 9]}})
    assert reference_of_manifest(path).experts == (70.0,)


def test_a_damaged_registration_stops_nothing_else_and_is_mended_by_importing(
    settings: Settings, corpus: Path, tiny_set: str
) -> None:
    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    for file in ("set.json", "recordings.jsonl"):
        import_path(settings, corpus.parent.parent, name="s")
        (settings.sets_root / "s" / file).write_text("{", encoding="utf-8")
        report = Index(settings).rebuild()
        assert report.n_ratings == 48
        import_path(settings, corpus.parent.parent, name="s")
        assert Index(settings).rebuild().n_recordings == 25


def test_what_a_killed_import_left_in_the_registration_is_deleted(settings: Settings, corpus: Path) -> None:
    import os
    import time

    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    import_path(settings, corpus.parent.parent, name="s")
    (settings.sets_root / "s" / "audio").mkdir()
    left = [settings.sets_root / "s" / name for name in (".tmp-a.jsonl", "audio/.tmp-b.wav", ".tmp-fresh.jsonl")]
    for file in left:
        file.write_text("x")
    for file in left[:2]:
        os.utime(file, (time.time() - 7200, time.time() - 7200))
    import_path(settings, corpus.parent.parent, name="s")
    assert [file.exists() for file in left] == [False, False, True]


def test_only_old_leftovers_of_saves_are_deleted(settings: Settings, corpus: Path) -> None:
    import os
    import time

    shutil.copy(SPOKEN, corpus / "01_masa.wav")
    old, fresh, mine = (corpus / name for name in (".tmp-old.json", ".tmp-fresh.json", ".tmp-notes.txt"))
    for file in (old, fresh, mine):
        file.write_text("x")
    for file in (old, mine):
        os.utime(file, (time.time() - 7200, time.time() - 7200))
    import_path(settings, corpus.parent.parent, name="s")
    assert (old.exists(), fresh.exists(), mine.exists()) == (False, True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"name": None}, {"synthetic": None}, {"synthetic": "x"}, {"synthetic": 1e308}, {"title": "\ud800"},
        {"title": ["a"]}, {"kind": "table"}, {"n_recordings": "many"}, {"root": 5}, {"name": "other"}, {"licence": {}},
    ],
    ids=str,
)  # fmt: skip
def test_a_set_whose_values_are_of_another_type_is_named_as_damaged(
    settings: Settings, tiny_set: str, change: dict[str, Any]
) -> None:
    file = settings.sets_root / tiny_set / "set.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **change}))
    with pytest.raises(CorpusError, match="is damaged"):
        get_set(settings, tiny_set)
    assert not list_sets(settings)
    (problem,) = Index(settings).rebuild().problems
    assert (problem.code, problem.path) == ("broken_set", tiny_set)


@pytest.mark.parametrize("line", ["null", "[]", '"x"', "5", "{}"])
def test_a_line_that_is_no_recording_makes_the_list_damaged(settings: Settings, tiny_set: str, line: str) -> None:
    file = settings.sets_root / tiny_set / "recordings.jsonl"
    whole = file.read_text(encoding="utf-8")
    first = json.loads(whole.splitlines()[0])
    for odd in (line, *(json.dumps({**first, **change}) for change in ({"text": None}, {"id": 5}, {"part": []}))):
        file.write_text(whole + odd + "\n", encoding="utf-8")
        with pytest.raises(CorpusError, match="is damaged"):
            read_recordings(settings, tiny_set)
    assert [problem.code for problem in Index(settings).rebuild().problems] == ["broken_set"]


def test_a_link_to_itself_is_told_in_words(settings: Settings, tmp_path: Path) -> None:
    link = tmp_path / "loop.json"
    link.symlink_to(link.name)
    with pytest.raises(CorpusError, match="cannot be followed"):
        confined(tmp_path, link.name)
    with pytest.raises(CorpusError, match="cannot be followed"), locked(settings, link, CorpusError):
        pass
