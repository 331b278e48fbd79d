"""Clips of a wake word: found, checked, set aside, and divided so that no source is on two sides."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from pipeline import artifacts
from pipeline.audio.load import audio_files, distinct_names, stray_links
from pipeline.cli.main import main
from pipeline.errors import CorpusError
from pipeline.i18n import Message
from pipeline.records import Problem
from pipeline.wakeword.data.clips import Clip, Label, quarantine, scan_clips, scan_folders
from pipeline.wakeword.data.noise import read_noise
from pipeline.wakeword.data.rooms import read_rooms
from pipeline.wakeword.data.splits import folded, hold_out, read_manifest, sources_known_in, split_clips, write_manifest
from pipeline.wakeword.evaluation.evaluate import files_of
from pipeline.wakeword.evaluation.robustness import conditions
from pipeline.wakeword.evaluation.stream_metrics import StreamFrames
from pipeline.wakeword.evaluation.stream_synthesis import BackgroundClip, Keyword
from pipeline.wakeword.owner.enrolment import takes_in
from tests.bench.wakeword_typed import keep_clip, keep_stream, kept_clip, kept_stream

RATE = 16_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Twelve speakers with two clips a class each; one clip silent, one no audio, two with the same sound."""
    draw = np.random.default_rng(0)
    for label in Label:
        for speaker in range(12):
            for take in range(2):
                file = tmp_path / "clips" / label / f"s{speaker:02}" / f"s{speaker:02}_{take}.wav"
                file.parent.mkdir(parents=True, exist_ok=True)
                n = round(RATE * (0.6 + 0.05 * speaker))
                soundfile.write(file, 0.3 * draw.standard_normal(n) * np.hanning(n), RATE)
    clips = tmp_path / "clips"
    soundfile.write(clips / "negative" / "s00" / "s00_silent.flac", np.zeros(RATE), RATE)
    (clips / "positive" / "s00" / "s00_broken.wav").write_bytes(b"RIFF nothing")
    (clips / "positive" / "s00" / "notes.txt").write_text("not audio")
    samples, _ = soundfile.read(clips / "positive" / "s01" / "s01_0.wav", dtype="int16")
    soundfile.write(clips / "hard_negative" / "s11" / "s11_copy.flac", samples, RATE)
    return clips


def test_clips_are_found_and_checked(root: Path) -> None:
    found = scan_clips(root, source_pattern=r"(s\d\d)_")
    assert len(found.clips) == 3 * 24 + 3
    assert {clip.path for clip in found.bad} == {"negative/s00/s00_silent.flac", "positive/s00/s00_broken.wav"}
    assert found.duplicates == (("hard_negative/s11/s11_copy.flac", "positive/s01/s01_0.wav"),)
    positive = found.statistics[Label.POSITIVE]
    assert (positive.clips, positive.sources) == (24, 12)
    assert (positive.shortest_s, positive.longest_s) == (pytest.approx(0.6), pytest.approx(1.15))
    assert found.sources_known
    assert not scan_clips(root).sources_known


def test_a_clip_of_the_word_that_lasts_longer_than_any_word_is_named(root: Path) -> None:
    sound = 0.01 * np.random.default_rng(0).standard_normal(11 * RATE)  # quiet, too, which alone would do
    for label in Label:
        soundfile.write(root / label / "s01" / "s01_long.wav", sound, RATE)
    long = [clip for clip in scan_clips(root).bad if clip.path.endswith("long.wav")]
    assert [clip.path for clip in long] == ["positive/s01/s01_long.wav"], "other speech may be long"
    assert long[0].reasons == ("The clip lasts 11 s, longer than 10 s. Cut the word out of it.",)
    result = CliRunner().invoke(main, ["wakeword", "scan", str(root)])
    assert "bad: positive/s01/s01_long.wav: The clip lasts 11 s" in result.stdout


def test_a_file_counts_once_though_it_is_found_more_than_once(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root / "positive")
    loop = root / "positive" / "s01" / "loop"
    loop.symlink_to(root / "positive")
    (root / "positive" / "s02" / "again.wav").symlink_to(root / "positive" / "s02" / "s02_0.wav")
    given = [root / "positive", root / "positive", root / "positive" / "s01", root / "negative" / ".." / "positive"]
    found = scan_folders({Label.POSITIVE: [*given, link], Label.NEGATIVE: [root / "negative"]})
    assert found.statistics[Label.POSITIVE].clips == 24
    assert not found.duplicates
    assert [Path(path).name for path in found.left_out] == ["notes.txt"]
    for other in (link, root / "negative" / ".." / "positive"):
        with pytest.raises(CorpusError, match="is given as negative and"):
            scan_folders({Label.POSITIVE: [root / "positive"], Label.NEGATIVE: [other]})


def test_a_folder_that_is_named_may_be_a_link_and_links_out_of_it_are_said(root: Path, tmp_path: Path) -> None:
    linked = tmp_path / "elsewhere" / "computer"
    linked.parent.mkdir()
    linked.symlink_to(root / "positive")
    others = tmp_path / "mine" / "other speech"
    others.mkdir(parents=True)
    shutil.copy(root / "negative" / "s01" / "s01_0.wav", others / "own.wav")
    (others / "link.wav").symlink_to(root / "negative" / "s02" / "s02_0.wav")
    (others / "folder").symlink_to(root / "negative" / "s03")
    found = scan_folders({Label.POSITIVE: [linked], Label.NEGATIVE: [others]})
    assert {label: n.clips for label, n in found.statistics.items() if n.clips} == {
        Label.POSITIVE: 24, Label.NEGATIVE: 1,
    }  # fmt: skip
    assert [Path(path).name for path in found.left_out] == ["notes.txt", "folder", "link.wav"]
    (others / "own.wav").unlink()
    with pytest.raises(CorpusError, match=r"2 links that lead out of it, e.g. folder: name the folder"):
        scan_folders({Label.NEGATIVE: [others]})
    (others / "link.wav").unlink()
    (others / "notes.md").touch()
    with pytest.raises(CorpusError, match=r"1 other file, notes.md. It holds 1 link that leads out of it, folder:"):
        scan_folders({Label.NEGATIVE: [others]})
    by_class = tmp_path / "by class"
    by_class.mkdir()
    for label in Label:
        (by_class / label).symlink_to(root / label)
    assert len(scan_clips(by_class).clips) == len(scan_clips(root).clips)


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    files = [
        Path(name) for name in ("/a/cafe/01.wav", "/a/street/01.wav", "/a/cafe/02.wav", "/a/cafe/02.flac", "/a/x.wav")
    ]
    assert distinct_names(files) == ("cafe/01.wav", "street/01.wav", "02.wav", "02.flac", "x")
    assert distinct_names([]) == ()


def test_a_recording_called_as_a_made_noise_is_a_condition_of_its_own() -> None:
    sound = np.ones(8_000, dtype=np.float32)
    names = [name for kind, name, _change in conditions([("white", sound), ("white", sound)], []) if kind == "noise"]
    assert names.count("white, 10 dB") == 3


def test_links_that_lead_out_of_a_folder_are_followed_nowhere_and_said(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder from elsewhere would make this installation mix in, measure on or copy any file of the machine."""
    private = tmp_path / "private.wav"
    shutil.copy(root / "negative" / "s01" / "s01_0.wav", private)
    shared = tmp_path / "shared"
    (shared / "phrase").mkdir(parents=True)
    shutil.copy(root / "negative" / "s02" / "s02_0.wav", shared / "phrase" / "own.wav")
    (shared / "within.wav").symlink_to(shared / "phrase" / "own.wav")
    for name, target in (("a link.wav", private), ("gone.wav", tmp_path / "gone"), ("loop.wav", shared / "loop.wav")):
        (shared / name).symlink_to(target)
    (shared / "phrase" / "out.wav").symlink_to(private)
    kept = [shared / "phrase" / "own.wav", shared / "within.wav"]
    assert audio_files(shared) == kept
    assert [path.name for path in stray_links(shared)] == ["a link.wav", "gone.wav", "loop.wav", "out.wav"]
    assert files_of((shared,)) == kept
    assert len(read_noise((str(shared),))) == 2
    assert read_rooms((str(shared),)).names == ("own", "within")
    assert [take.name for take in takes_in((shared,))] == ["own.wav", "within.wav"]
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(tmp_path / "data"))
    done = CliRunner().invoke(main, ["wakeword", "add", "computer", "--noise", str(shared)])
    assert done.exit_code == 0
    assert "4 links that lead out of it, or nowhere, are left out, e.g. a link.wav" in done.stderr
    copied = tmp_path / "data" / "wakewords" / "computer" / "noise"
    assert {path.name for path in copied.rglob("*.wav")} <= {"own.wav", "within.wav"}


def test_hidden_files_and_names_of_damaged_ones_do_not_matter(root: Path) -> None:
    before = scan_clips(root, source_pattern=r"(s\d\d)_")
    (root / "positive" / "._s01_0.wav").write_bytes(b"what a Mac leaves beside a file")
    (root / "negative" / ".ipynb_checkpoints").mkdir()
    (root / "negative" / ".ipynb_checkpoints" / "notes.txt").touch()
    (root / "positive" / "damaged.wav").write_bytes(b"RIFF")
    found = scan_clips(root, source_pattern=r"(s\d\d)_")
    assert found.usable == before.usable
    assert {clip.path for clip in found.bad} - {clip.path for clip in before.bad} == {"positive/damaged.wav"}
    assert found.left_out == before.left_out


def test_folders_are_mapped_or_refused(root: Path) -> None:
    (root / "hard_negative").rename(root / "hard_negatives")
    (root / ".hidden").mkdir()
    with pytest.raises(
        CorpusError, match=r"without a class: hard_negatives \(hard_negative\?\).*--map hard_negatives="
    ):
        scan_clips(root)
    assert Label.HARD_NEGATIVE in scan_clips(root, {"hard_negatives": "hard_negative"}).statistics
    with pytest.raises(CorpusError, match="Classes are positive"):
        scan_clips(root, {"hard_negatives": "other"})
    for pattern, message in (("(", "no regular expression"), (r"s\d", "needs a group"), (r"(x\d)", "finds no speaker")):
        with pytest.raises(CorpusError, match=message):
            scan_clips(root, {"hard_negatives": "hard_negative"}, source_pattern=pattern)
    for wrong in (root / "none", root / ".hidden"):
        with pytest.raises(CorpusError):
            scan_clips(wrong)


def test_bad_clips_are_set_aside_and_nothing_is_lost(root: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    moved = quarantine(scan_clips(root), aside)
    assert {path.relative_to(aside).as_posix() for path in moved} == {
        "negative/s00/s00_silent.flac", "positive/s00/s00_broken.wav",
    }  # fmt: skip
    lines = [json.loads(line) for line in (aside / "reasons.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(line["reasons"] for line in lines)
    assert (aside / "positive/s00/s00_broken.wav").read_bytes() == b"RIFF nothing"
    assert scan_clips(root).bad == ()
    assert quarantine(scan_clips(root), aside) == []
    (root / "positive" / "s00" / "s00_broken.wav").write_bytes(b"again")
    with pytest.raises(CorpusError, match="there already"):
        quarantine(scan_clips(root), aside)


def test_no_source_is_in_two_parts(root: Path, tmp_path: Path) -> None:
    found = scan_clips(root, source_pattern=r"(s\d\d)_")
    placed = split_clips(found, validation=0.2, test=0.2, folds=3)
    sources = {
        part: {one.clip.source for one in placed if one.part == part} for part in ("train", "validation", "test")
    }
    assert all(sources.values())
    assert not sources["train"] & sources["test"]
    assert not sources["train"] & sources["validation"]
    assert not sources["validation"] & sources["test"]
    assert len(placed) == len(found.usable)
    by_fold: dict[int, set[str]] = {}
    for one in placed:
        assert (one.fold is None) == (one.part != "train")
        if one.fold is not None:
            by_fold.setdefault(one.fold, set()).add(one.clip.source)
    assert set(by_fold) == {0, 1, 2}
    assert sum(map(len, by_fold.values())) == len(sources["train"])
    assert split_clips(found, validation=0.2, test=0.2, folds=3) == placed
    assert split_clips(found, validation=0.2, test=0.2, seed=1) != placed

    write_manifest(tmp_path / "split", placed, root, 0, sources_known=True)
    where, again = read_manifest(tmp_path / "split")
    assert where == root and sources_known_in(tmp_path / "split")
    about = artifacts.read_json(tmp_path / "split" / "split.json")
    artifacts.write_json(tmp_path / "split" / "split.json", {name: about[name] for name in ("root", "seed", "n")})
    assert not sources_known_in(tmp_path / "split"), "a split of an earlier release does not say"
    assert [(one.clip.path, one.part, one.fold) for one in again] == [(o.clip.path, o.part, o.fold) for o in placed]


def test_the_same_sound_is_on_one_side_without_a_pattern(root: Path) -> None:
    placed = split_clips(scan_clips(root))
    twins = {one.part for one in placed if one.clip.path.endswith(("s11_copy.flac", "positive/s01/s01_0.wav"))}
    assert len(twins) == 1


def test_a_fold_validates_and_the_others_are_trained_on(root: Path) -> None:
    placed = split_clips(scan_clips(root, source_pattern=r"(s\d\d)_"), validation=0.2, test=0.2, folds=3)
    training = {clip.clip.path for clip in placed if clip.part == "train"}
    validated = []
    for fold in range(3):
        within = folded(placed, fold, "split")
        assert {clip.clip.path for clip in within} == training, "validation and test parts rest"
        held = {clip.clip.source for clip in within if clip.part == "validation"}
        assert held.isdisjoint({clip.clip.source for clip in within if clip.part == "train"})
        validated += [clip.clip.path for clip in within if clip.part == "validation"]
    assert sorted(validated) == sorted(training)
    with pytest.raises(CorpusError, match="no fold 3: there are the folds 0 to 2"):
        folded(placed, 3, "split")
    with pytest.raises(CorpusError, match="no folds"):
        folded(split_clips(scan_clips(root)), 0, "split")


def test_splits_that_cannot_be(root: Path, tmp_path: Path) -> None:
    found = scan_clips(root)
    for shares in ({"test": 0.0}, {"validation": 0.5, "test": 0.5}):
        with pytest.raises(CorpusError, match="shares for validation and test"):
            split_clips(found, **shares)
    with pytest.raises(CorpusError, match="positive has 1 source; a split needs"):
        split_clips(scan_clips(root, source_pattern=r"(s)\d"))
    with pytest.raises(CorpusError, match="no split of clips"):
        read_manifest(tmp_path)


def test_from_the_command_line(root: Path, tmp_path: Path) -> None:
    def call(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["wakeword", *words])
        return done.exit_code, done.output

    code, text = call("scan", str(root), "--json")
    assert (code, len(json.loads(text)["bad"])) == (0, 2)
    assert "bad: positive/s00/s00_broken.wav" in call("scan", str(root))[1]
    code, text = call("quarantine", str(root), "--yes")
    assert (code, "2 clips moved to" in text) == (0, True)
    assert (root.parent / "clips_quarantine" / "reasons.jsonl").is_file()
    elsewhere = tmp_path / "aside"
    assert call("quarantine", str(root), "--to", str(elsewhere)) == (0, "No clip is unusable: none was moved.\n")
    assert not elsewhere.exists()
    code, text = call("split", str(root), "--source", r"(s\d\d)_", "--out", str(tmp_path / "split"), "--json")
    assert (code, set(json.loads(text)["parts"])) == (0, {"positive", "negative", "hard_negative"})
    assert call("scan", str(root), "--map", "x")[0] == 1


@pytest.mark.parametrize("seed", range(8))
def test_a_voice_that_speaks_half_of_the_clips_is_trained_on(seed: int) -> None:
    sources = ["joe"] * 20 + [f"espeak-{i}" for i in range(20)]
    clips = [
        Clip(f"{i}.wav", Label.POSITIVE, source, 1.0, 16_000, 0.5, "d", synthetic=True)
        for i, source in enumerate(sources)
    ]
    train, held = hold_out(clips, 0.15, seed)
    assert len(held) == 3 and sum(clip.source == "joe" for clip in train) == 20


def test_voices_of_several_classes_are_held_back_once() -> None:
    clips = [
        Clip(f"{label}-{voice}.wav", label, f"voice{voice}", 1.0, 16_000, 0.5, "d", synthetic=True)
        for label in Label
        for voice in range(100)
    ]
    _, held = hold_out(clips, 0.15, seed=0)
    assert len(held) == 3 * 15


def test_a_study_keeps_clips_and_streams_as_they_were(tmp_path: Path) -> None:
    problem = Problem("too_long", Message("The clip lasts {seconds:.0f} s.", seconds=31.0), "error")
    clip = Clip("a/b.wav", Label.HARD_NEGATIVE, "s1", 1.5, 16_000, 0.25, "abc", (problem,), "word", True)
    keep_clip(tmp_path / "clip", clip)
    assert kept_clip(tmp_path / "clip") == clip
    word, other = Keyword(Path("/w/ş.wav"), 1.25, 2.5), BackgroundClip(Path("b.wav"), 0.0, 1.0)
    stream = StreamFrames(np.arange(6, dtype=np.float32).reshape(3, 2), (word,), (other,), 3.0)
    keep_stream(tmp_path / "s.json", stream)
    kept = kept_stream(tmp_path / "s.json")
    assert (kept.keywords, kept.background, kept.hours) == ((word,), (other,), 3.0)
    assert kept.frames.dtype == np.float32 and np.array_equal(kept.frames, stream.frames)
