"""Imports as a whole: audio that has to be written, stopping and going on, from any set to every training, and back."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline import jsonl
from pipeline.audio.load import duration_of
from pipeline.corpus.readers import manifest_pieces
from pipeline.corpus.sets import audio_path, corpus_file, get_set, read_recordings, recordings_file, result_path
from pipeline.errors import CorpusError
from pipeline.evaluation.reference import reference_of_manifest, reference_of_set
from pipeline.importing import registering
from pipeline.importing.importer import ImportReport, import_path
from pipeline.labels.corpus_source import AUTO, chosen_evaluation_part, chosen_part, of_manifest, open_source
from pipeline.labels.index import Index
from pipeline.labels.manifest_export import write_manifest
from pipeline.labels.result_file import read_result
from pipeline.labels.store import LabelStore
from pipeline.records import Mark, RatingAction, RatingEvent
from pipeline.runs import StopRequested
from pipeline.scoring.speech.training.data import read_utterances
from pipeline.settings import Settings
from tests.corpus.test_layouts import parquet, published, sound, text

AT = "2026-01-01T00:00:00.000+00:00"


def manifest(folder: Path, rows: list[dict[str, Any]]) -> Path:
    for row in rows:
        sound(folder / row["audio"])
    jsonl.write(folder / "manifest.jsonl", rows)
    return folder / "manifest.jsonl"


def long_recording(folder: Path, name: str = "long.wav") -> Path:
    """A recording of one second."""
    file = sound(folder / name)
    soundfile.write(file, np.tile(soundfile.read(file)[0], 4), 16_000)
    return file


def errors(report: ImportReport) -> list[str]:
    return [problem.message for problem in report.problems if problem.severity == "error"]


def plain(n: int) -> list[dict[str, Any]]:
    return [{"audio": f"{k}.wav", "text": "one two", "speaker": f"s{k}", "score": 50 + k} for k in range(n)]


def test_pieces_and_whole_recordings_of_one_manifest_are_all_imported(settings: Settings, tmp_path: Path) -> None:
    rows = [{"audio": f"{n}.flac", "text": "one two"} for n in range(101)] + [{"audio": "long.wav", "text": "three"}]
    rows.append({"audio": "long.wav", "text": "four", "offset": 0.05, "duration": 0.1})
    short = sound(tmp_path / "m" / "0.flac")
    sound(tmp_path / "m" / "long.wav")
    for row in rows[1:101]:
        shutil.copyfile(short, tmp_path / "m" / row["audio"])
    jsonl.write(tmp_path / "m" / "manifest.jsonl", rows)
    assert import_path(settings, tmp_path / "m").n_recordings == 103
    set_ = get_set(settings, "m")
    whole = next(recording for recording in read_recordings(settings, "m") if recording.text == "one two")
    assert audio_path(set_, whole).read_bytes() == short.read_bytes()
    assert set_.root.is_relative_to(settings.data_root)
    assert sorted(path.name for path in (tmp_path / "m").glob("long*")) == ["long.wav"]


def test_a_piece_from_the_start_is_a_piece_and_an_offset_of_0_over_all_is_the_file(
    settings: Settings, tmp_path: Path
) -> None:
    length_s = duration_of(long_recording(tmp_path / "m"))
    rows = [
        {"audio": "long.wav", "text": "one two", "offset": 0.0, "duration": length_s / 2},
        {"audio": "long.wav", "text": "three four", "offset": length_s / 2, "duration": length_s / 2},
        {"audio": "long.wav", "text": "all of it", "offset": 0, "duration": round(length_s, 1)},
        {"audio": "long.wav", "text": "five six", "offset": -1},
        {"audio": "long.wav", "text": "five six", "offset": "0:01"},
        {"audio": "long.wav", "text": "five six", "offset": 0.5, "duration": 5.0},
        {"audio": "long.wav", "text": "five six", "offset": 0, "duration": 5.0},
        {"audio": "long.wav", "text": "five six", "offset": 5.0, "duration": 0.5},
    ]
    jsonl.write(tmp_path / "m" / "manifest.jsonl", rows)
    report = import_path(settings, tmp_path / "m")
    lengths = {recording.text: recording.report.duration_s for recording in read_recordings(settings, "m")}
    assert lengths == pytest.approx({"one two": length_s / 2, "three four": length_s / 2, "all of it": length_s})
    assert errors(report) == [
        "Line 4: offset is a number of seconds from 0 on, got -1",
        "Line 5: offset is a number of seconds from 0 on, got '0:01'",
        "Line 6: long.wav ends at 1.00 s, within the piece from 0.5 s to 5.5 s",
        "Line 7: long.wav ends at 1.00 s, within the piece from 0 s to 5 s",
        "Line 8: long.wav ends at 1.00 s, before the piece, which begins at 5 s",
    ]
    jsonl.write(tmp_path / "m" / "manifest.jsonl", rows[2:3])
    import_path(settings, tmp_path / "m", name="whole")
    assert get_set(settings, "whole").root == tmp_path / "m", "used where it lies"


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_start_and_an_end_are_a_piece_as_an_offset_and_a_duration_are(
    settings: Settings, tmp_path: Path, ending: str
) -> None:
    long_recording(tmp_path / "m")
    sound(tmp_path / "m" / "cut.wav")
    rows = [
        {"audio": "long.wav", "text": "one two", "start": 0.25, "end": 0.5},
        {"audio": "long.wav", "text": "three four", "start": 0.5, "duration": 0.3},
        {"audio": "long.wav", "text": "five six", "offset": 0.625, "end": 0.875},
        {"audio": "long.wav", "text": "seven", "end": 0.5},
        {"audio": "long.wav", "text": "eight", "start": 0.75},
        {"audio": "long.wav", "text": "all of it", "start": 0, "end": 1.0},
        {"audio": "cut.wav", "text": "cut out before", "start": 12.0, "end": 12.25},
    ]
    refused = [
        {"audio": "long.wav", "text": "nine", "start": 0.2, "end": 0.4, "duration": 1.0},
        {"audio": "long.wav", "text": "nine", "start": 0.2, "offset": 0.3, "end": 0.4},
        {"audio": "long.wav", "text": "nine", "start": 0.4, "end": 0.2},
        {"audio": "long.wav", "text": "nine", "start": "2026-01-01", "end": 0.2},
    ]
    if ending == "jsonl":
        jsonl.write(tmp_path / "m" / "manifest.jsonl", rows + refused)
    else:
        names = ("audio", "text", "Start", "end", "offset", "duration")
        cells = [[str(row.get(name.lower(), "")) for name in names] for row in rows + refused]
        text(tmp_path / "m" / "rows.csv", "".join(f"{','.join(line)}\n" for line in [names, *cells]))
    report = import_path(settings, tmp_path / "m", name="m")
    recordings = read_recordings(settings, "m")
    assert {recording.text: recording.report.duration_s for recording in recordings} == pytest.approx({
        "one two": 0.25, "three four": 0.3, "five six": 0.25, "seven": 0.5, "eight": 0.25, "all of it": 1.0,
        "cut out before": 0.25,
    })  # fmt: skip
    assert [message.partition(": ")[2] for message in errors(report)] == [
        "a piece from 0.2 s that lasts 1 s does not end at 0.4 s; leave out what is wrong",
        "offset 0.3 and start 0.2 contradict each other; leave one of them out",
        "a piece ends after it begins, got 0.4 s to 0.2 s",
        "start is a number of seconds from 0 on, got '2026-01-01'",
    ]


def test_a_set_of_pieces_is_learnt_from_and_exported_as_its_own_recordings(settings: Settings, tmp_path: Path) -> None:
    long_recording(tmp_path / "m")
    rows = [{"audio": "long.wav", "text": "one two", "offset": start, "duration": 0.25} for start in (0.25, 0.5)]
    jsonl.write(tmp_path / "m" / "manifest.jsonl", rows)
    import_path(settings, tmp_path / "m")
    set_ = get_set(settings, "m")
    source = open_source(settings, set="m")
    assert [(item.audio, item.clip) for item in source.items] == [
        ("long_0000250.wav", None),
        ("long_0000500.wav", None),
    ]
    assert all((set_.root / item.audio).is_file() for item in source.items)
    with pytest.raises(CorpusError, match=r"names pieces of longer recordings\. Import it"):
        open_source(settings, manifest=tmp_path / "m" / "manifest.jsonl")
    assert len(of_manifest(None, tmp_path / "m" / "manifest.jsonl", with_audio=False).items) == 2, "for ratings alone"
    assert source.items[1].extra["cut_from"] == {"offset": 0.5, "duration": 0.25}
    write_manifest(settings, "m", tmp_path / "out" / "again.jsonl")
    assert import_path(settings, tmp_path / "out", name="again").n_recordings == 2
    again = get_set(settings, "again")
    assert again.root == set_.root, "used where it lies"


def test_the_header_of_a_file_is_read_once(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def noted(path: Path) -> float:
        looked_at.append(path.name)
        return duration_of(path)

    monkeypatch.setattr(manifest_pieces, "duration_of", noted)
    for name in ("a.wav", "b.wav", "c.wav"):
        long_recording(tmp_path / "m", name)
    rows = [{"audio": name, "text": "one", "offset": 0.0, "duration": 1.0} for name in ("a.wav", "b.wav")]
    rows += [{"audio": "c.wav", "text": "two", "offset": 0.25 * n, "duration": 0.25} for n in range(4)]
    jsonl.write(tmp_path / "m" / "manifest.jsonl", rows)
    assert import_path(settings, tmp_path / "m", audio_root=tmp_path / "m").n_recordings == 6
    assert sorted(looked_at) == ["a.wav", "b.wav", "c.wav"]


def test_whole_files_elsewhere_are_used_where_they_lie(settings: Settings, tmp_path: Path) -> None:
    length_s = duration_of(sound(tmp_path / "audio" / "a.wav"))
    (tmp_path / "m").mkdir()
    jsonl.write(
        tmp_path / "m" / "manifest.jsonl", [{"audio": "a.wav", "text": "one", "offset": 0.0, "duration": length_s}]
    )
    import_path(settings, tmp_path / "m", audio_root=tmp_path / "audio")
    assert get_set(settings, "m").root == tmp_path / "audio"


def test_pieces_of_recordings_and_sphere_become_files(settings: Settings, tmp_path: Path) -> None:
    sound(tmp_path / "k" / "long.wav")
    text(tmp_path / "k" / "wav.scp", "long long.wav\n")
    text(tmp_path / "k" / "segments", "u1 long 0.05 0.2\nu2 long 0.9 1.0\nu3 long 0.1 0.9\n")
    text(tmp_path / "k" / "text", "u1 ONE TWO\nu2 THREE\nu3 FOUR\n")
    text(tmp_path / "k" / "utt2spk", "u1 s\nu2 s\nu3 s\n")
    report = import_path(settings, tmp_path / "k")
    assert (report.set, report.layout, report.n_recordings) == ("k", "kaldi", 1)
    assert [problem.message for problem in report.problems if problem.code == "unreadable"] == [
        "audio/u2: long.wav ends at 0.25 s, before the piece, which begins at 0.9 s",
        "audio/u3: long.wav ends at 0.25 s, within the piece from 0.1 s to 0.9 s",
    ]
    set_ = get_set(settings, "k")
    samples, rate = soundfile.read(audio_path(set_, read_recordings(settings, "k")[0]), dtype="float32")
    whole, _ = soundfile.read(tmp_path / "k" / "long.wav", dtype="float32")
    assert rate == 16000
    assert np.allclose(samples, whole[800:3200], atol=1e-4)
    assert set_.root.is_relative_to(settings.data_root)

    folder = tmp_path / "timit" / "TRAIN" / "DR1" / "FCJF0"
    sound(folder / "SA1.WAV", format="NIST", subtype="PCM_16")
    text(folder / "SA1.TXT", "0 4000 She had.\n")
    text(folder / "SA1.PHN", "0 160 h#\n")
    assert import_path(settings, tmp_path / "timit").n_recordings == 1
    recording = read_recordings(settings, "timit")[0]
    with soundfile.SoundFile(audio_path(get_set(settings, "timit"), recording)) as file:
        assert (file.format, int(file.frames)) == ("WAV", 4000)


def test_an_utterance_that_leads_out_of_the_set_is_refused_and_nothing_there_is_touched(
    settings: Settings, tmp_path: Path
) -> None:
    outside = settings.sets_root / "demo" / "01.wav"
    ids = ("../../../demo/01", "a/../b", "a//b", "/b", "linked", "good")
    sound(tmp_path / "k" / "long.wav")
    text(tmp_path / "k" / "wav.scp", "long long.wav\n")
    text(tmp_path / "k" / "segments", "".join(f"{utterance} long 0.05 0.2\n" for utterance in ids))
    text(tmp_path / "k" / "text", "".join(f"{utterance} ONE TWO\n" for utterance in ids))
    (settings.sets_root / "k" / "audio" / "audio").mkdir(parents=True)
    (settings.sets_root / "k" / "audio" / "audio" / "linked.wav").symlink_to(sound(tmp_path / "k" / "other.wav"))
    report = import_path(settings, tmp_path / "k")
    assert [recording.path for recording in read_recordings(settings, "k")] == ["audio/good.wav"]
    assert [problem.code for problem in report.problems if problem.severity == "error"] == ["bad_row"] * 5
    assert not outside.exists()


def test_an_id_that_is_used_twice_is_told_and_the_first_is_kept(settings: Settings, tmp_path: Path) -> None:
    for part in ("train", "test"):
        sound(tmp_path / "k" / "a.wav")
        text(tmp_path / "k" / part / "wav.scp", "u1 a.wav\n")
        text(tmp_path / "k" / part / "text", f"u1 OF {part}\n")
    report = import_path(settings, tmp_path / "k")
    assert [(recording.id, recording.text) for recording in read_recordings(settings, "k")] == [("k/a", "OF test")]
    assert [problem.code for problem in report.problems if problem.severity == "error"] == ["bad_row"]
    assert "a: the id is used twice; this one ('OF train')" in errors(report)[0]


def test_a_registration_with_an_id_twice_is_named_and_stops_no_other(
    settings: Settings, tmp_path: Path, tiny_set: str
) -> None:
    import_path(settings, manifest(tmp_path / "m", plain(2)), name="m")
    n_before = Index(settings).rebuild().n_recordings
    file = recordings_file(settings, "m")
    file.write_bytes(file.read_bytes() * 2)
    report = Index(settings).rebuild()
    assert report.n_recordings == n_before - 2
    assert [(problem.code, problem.path) for problem in report.problems] == [("broken_set", "m")]
    assert "the id 'm/0' is used twice" in report.problems[0].message
    import_path(settings, tmp_path / "m", name="m")
    assert Index(settings).rebuild().n_recordings == n_before


def test_a_table_with_other_sounds_than_before_is_followed(settings: Settings, tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("a.wav", "b.wav"))
    for k, path in enumerate((first, second)):
        soundfile.write(path, np.full(4000, 0.1 * k), 16000)
    for path in (first, second):
        row = {"audio": {"bytes": path.read_bytes(), "path": None}, "text": "one"}
        parquet(tmp_path / "hub" / "0.parquet", row)
        import_path(settings, tmp_path / "hub", name="h")
        recording = read_recordings(settings, "h")[0]
        assert audio_path(get_set(settings, "h"), recording).read_bytes() == path.read_bytes()


def test_a_pipe_is_no_recording(settings: Settings, tmp_path: Path) -> None:
    words = tmp_path / "c" / "participant_1" / "kelimeler"
    sound(words / "01_masa.wav")
    os.mkfifo(words / "02_kapi.wav")
    report = import_path(settings, tmp_path / "c")
    assert report.n_recordings == 1
    assert errors(report) == ["participant_1/kelimeler/02_kapi: it is no file"]


@pytest.mark.parametrize("end_s", ["1e400", "1e308"])
def test_pieces_with_times_beyond_all_numbers_stop_no_import(settings: Settings, tmp_path: Path, end_s: str) -> None:
    sound(tmp_path / "k" / "long.wav")
    text(tmp_path / "k" / "wav.scp", "long long.wav\n")
    text(tmp_path / "k" / "segments", f"u1 long 0.05 0.2\nu2 long 0.05 {end_s}\nu3 long nan -1\n")
    text(tmp_path / "k" / "text", "u1 ONE\nu2 TWO\nu3 THREE\n")
    report = import_path(settings, tmp_path / "k")
    no_number = "the piece's begin and end must be numbers of seconds"
    beyond = {"1e400": no_number, "1e308": "long.wav ends at 0.25 s, within the piece from 0.05 s to 1e+308 s"}[end_s]
    assert errors(report) == [f"audio/u2: {beyond}", f"audio/u3: {no_number}"]
    assert report.n_recordings == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, StopRequested])
def test_an_import_that_is_stopped_goes_on_where_it_was(
    settings: Settings, tmp_path: Path, stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = manifest(tmp_path / "c", plain(5))
    told: list[tuple[int, int]] = []

    def stopping(done: int, total: int, _: str) -> None:
        told.append((done, total))
        if done == 3:
            raise stop

    with pytest.raises(CorpusError if stop is KeyboardInterrupt else StopRequested):
        import_path(settings, path, progress=stopping)
    assert told == [(1, 5), (2, 5), (3, 5)]
    assert len(read_recordings(settings, "c")) == 2
    assert Index(settings).label_counts("c") == {"corpus": 2}
    inspected: list[Path] = []
    real = registering.inspect_file
    monkeypatch.setattr(registering, "inspect_file", lambda path: inspected.append(path) or real(path))
    report = import_path(settings, path)
    assert (report.n_recordings, report.n_added, report.n_labels) == (5, 3, 5)
    assert [path.name for path in inspected] == ["2.wav", "3.wav", "4.wav"]


def test_what_was_imported_before_stays_where_an_import_is_stopped(settings: Settings, tmp_path: Path) -> None:
    path = manifest(tmp_path / "c", plain(3))
    import_path(settings, path)
    before = corpus_file(settings, "c").read_bytes()

    def stopping(done: int, total: int, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(CorpusError, match=r"Stopped after 0 of 3 .* has 3; the same command"):
        import_path(settings, path, progress=stopping)
    assert len(read_recordings(settings, "c")) == 3
    assert corpus_file(settings, "c").read_bytes() == before


def test_two_manifests_of_one_folder_are_two_sets(settings: Settings, tmp_path: Path) -> None:
    path = manifest(tmp_path / "c", plain(2))
    shutil.copyfile(path, tmp_path / "c" / "other.jsonl")
    names = [import_path(settings, tmp_path / "c" / name).set for name in ("manifest.jsonl", "other.jsonl")]
    assert names == ["c", "c-other"]
    assert import_path(settings, path).n_added == 0


def test_label_files_that_cannot_be_read_are_told_at_import(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "c" / "participant_1" / "kelimeler"
    for n in (1, 2):
        sound(folder / f"0{n}_masa.wav")
    text(folder / "01_masa_result.json", '{"word": "masa", "score": "85,5"}')
    report = import_path(settings, tmp_path / "c")
    assert [problem.code for problem in report.problems if problem.severity == "error"] == ["broken_label"]


def test_problems_name_file_line_value_and_reason(settings: Settings, tmp_path: Path) -> None:
    path = manifest(tmp_path / "c", plain(1))
    path.write_text(path.read_text() + '{"audio": "x.wav", "text": "a b", "score": 101}\n')
    problem = import_path(settings, path).problems[0]
    assert (problem.path, problem.line) == ("manifest.jsonl", 2)
    assert json.loads(str(problem.value))["score"] == 101
    assert problem.message == "Line 2: 101 lies outside 0-100"


def test_language_is_given_where_a_corpus_does_not_say(settings: Settings, tmp_path: Path) -> None:
    import_path(settings, manifest(tmp_path / "c", plain(1)), language="tr")
    assert (get_set(settings, "c").language, read_recordings(settings, "c")[0].language) == ("tr", "tr")


def test_a_row_in_an_unknown_language_is_named(settings: Settings, tmp_path: Path) -> None:
    path = manifest(tmp_path / "c", plain(1))
    row = json.loads(path.read_text().splitlines()[0])
    rows = [row, {**row, "id": "2", "language": "xx"}, {**row, "id": "3", "language": "Turkish"}]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    problems = [problem for problem in import_path(settings, path).problems if problem.severity == "error"]
    assert [problem.line for problem in problems] == [2, 3]
    assert problems[0].message.startswith("Line 2: The language “xx” is not known here. Known are en (English)")


def test_audio_of_a_manifest_may_lie_in_a_folder_that_is_named(settings: Settings, tmp_path: Path) -> None:
    path = manifest(tmp_path / "audio", plain(1)).rename(tmp_path / "m.jsonl")
    assert errors(import_path(settings, path, audio_root=tmp_path / "audio")) == []


def test_the_published_corpus_goes_to_every_training(settings: Settings, tmp_path: Path) -> None:
    report = import_path(settings, published(tmp_path / "so"))
    assert (report.set, report.parts) == ("speechocean762", {"test": 1, "train": 1})
    source = open_source(settings, set="speechocean762")
    part = chosen_part(source, AUTO)
    assert (part, chosen_evaluation_part(source, AUTO, part)) == ("train", "test")
    utterance = read_utterances(source, part)[0]
    assert utterance.verdict_phones == ("AH", "B", "IY", "R")
    assert utterance.mean.tolist() == pytest.approx([8.2, 9.0, 9.0, 8.3])
    assert utterance.reference.tolist() == [8.0, 9.0, 9.0, 8.0]
    with pytest.raises(CorpusError, match=r"no recordings in part 'dev'. It has the parts test, train"):
        source.of_part("dev")


def test_parts_are_found_or_asked_for(settings: Settings, tmp_path: Path) -> None:
    rows = [{**row, "part": part} for row, part in zip(plain(2), ("lab", "field"), strict=True)]
    source = open_source(settings, manifest=manifest(tmp_path / "c", rows))
    with pytest.raises(CorpusError, match=r"parts field, lab. Say which to train on"):
        chosen_part(source, AUTO)
    without = open_source(settings, manifest=manifest(tmp_path / "d", plain(2)))
    assert (chosen_part(without, AUTO), chosen_evaluation_part(without, AUTO, "")) == ("", "")


def test_a_set_is_measured_as_its_manifest_is(settings: Settings, tmp_path: Path, speech_manifest: Path) -> None:
    import_path(settings, speech_manifest, name="ocean")
    of_manifest = reference_of_manifest(speech_manifest, settings=settings)
    of_set = reference_of_set(settings, "ocean")
    assert (of_set.name, of_set.experts, of_set.ceiling) == (of_manifest.name, of_manifest.experts, of_manifest.ceiling)
    assert of_set.corpus == of_manifest.corpus
    recording = read_recordings(settings, "ocean")[0]
    scores = {"accuracy": 1.0, "fluency": 1.0, "prosodic": 1.0, "total": 1.0}
    LabelStore(settings).add(recording, RatingEvent("ayşe", RatingAction.RATE, AT, dimensions=scores))
    assert reference_of_set(settings, "ocean").name == "consensus"


def test_ratings_given_here_are_learnt_from(settings: Settings, tmp_path: Path) -> None:
    rows = [{"audio": f"{n}.wav", "text": "one two", "speaker": f"s{n}"} for n in range(2)]
    import_path(settings, manifest(tmp_path / "c", rows))
    store, recordings = LabelStore(settings), read_recordings(settings, "c")
    for who, value in (("ayşe", 6.0), ("can", 8.0)):
        scores = dict.fromkeys(("accuracy", "fluency", "prosodic", "total"), value)
        store.add(recordings[0], RatingEvent(who, RatingAction.RATE, AT, dimensions=scores))
    first, second = open_source(settings, set="c").items
    assert (first.experts["total"], first.median["total"], second.reference) == ([6.0, 8.0], 7.0, None)
    store.add(recordings[0], RatingEvent("ayşe", RatingAction.EXCLUDE, AT, reason="noise"))
    assert [item.key for item in open_source(settings, set="c").items] == ["1"]


def test_an_exported_manifest_imports_again_value_for_value(settings: Settings, tmp_path: Path) -> None:
    published(tmp_path / "so")
    import_path(settings, tmp_path / "so")
    recording = next(r for r in read_recordings(settings, "speechocean762") if r.part == "test")
    scores = {"accuracy": 7.5, "fluency": 8.0, "prosodic": 6.0, "total": 7.0}
    marks = (Mark(1, 1, "substitution", "IY"), Mark(0, None, "stress"))
    event = RatingEvent(
        'Ayşe "Çelik"',
        RatingAction.RATE,
        AT,
        dimensions=scores,
        notes="bir\n=1+1 🎧",
        marks=marks,
        project="p",
        took_s=4.5,
    )
    LabelStore(settings).add(recording, event)
    LabelStore(settings).add(recording, RatingEvent("can", RatingAction.EXCLUDE, AT, reason="gürültü"))
    n, problems = write_manifest(settings, "speechocean762", tmp_path / "out" / "so.jsonl")
    assert (n, problems) == (2, [])
    report = import_path(settings, tmp_path / "out" / "so.jsonl", name="again")
    assert errors(report) == []

    def told(name: str) -> dict[str, Any]:
        set_ = get_set(settings, name)
        return {
            r.path: (r.text, r.speaker, r.part, r.language, r.rubric, r.extra, read_result(result_path(set_, r)))
            for r in read_recordings(settings, name)
        }

    assert told("again") == told("speechocean762")
    assert corpus_file(settings, "again").read_bytes() == corpus_file(settings, "speechocean762").read_bytes()
    assert get_set(settings, "again").root == tmp_path / "so"


def test_the_hub_that_cannot_be_reached_says_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def unreachable(*_: Any, **__: Any) -> str:
        raise OSError("Name or service not known")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(CorpusError, match=r"cannot be fetched .* `hf download mispeech/speechocean762"):
        import_path(settings, Path("mispeech/speechocean762"))
