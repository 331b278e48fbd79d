"""A disk that is full in the middle of something: one line, what was there stays, and nothing half is left."""

import errno
import math
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors import SafetensorError

from pipeline import artifacts
from pipeline.cli.main import main
from pipeline.database import forget
from pipeline.errors import AccessError, JobError, LabelError
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import SYSTEM, Role
from pipeline.people.people import People, Person
from pipeline.records import RatingAction, RatingEvent
from pipeline.runs import list_runs
from pipeline.runs.failures import in_words
from pipeline.scoring.batch import read_predictions
from pipeline.settings import CHECKOUT, Settings

Call = Callable[..., Result]


@pytest.fixture
def call(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    monkeypatch.setattr("pipeline.cli._output.LOG_EVERY_S", math.inf)  # no line of progress on a slow machine
    return lambda *words, **given: CliRunner().invoke(main, list(words), **given)


def full(*_: Any, **__: Any) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def one_line(done: Result) -> str:
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit), done.exception
    told = [line for line in done.output.splitlines() if "do not know which word was said" not in line]
    assert len(told) == 1, done.output
    assert "disk is full" in done.output or "No space left" in done.output
    return done.output


@pytest.mark.parametrize("what", ["pipeline.jsonl.append", "pipeline.artifacts.write_json"])
def test_people_and_the_log_of_their_changes_are_written_both_or_neither(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    people = People(settings)
    people.save(Person("Ada", (Role.ADMIN,)), SYSTEM)
    before = people.all(), people.changes()
    with monkeypatch.context() as patch:
        patch.setattr(what, full)
        with pytest.raises(AccessError, match=r"the disk is full.*nobody was changed"):
            people.save(Person("Eve", (Role.EXPERT,)), SYSTEM)
    assert (people.all(), people.changes()) == before
    people.save(Person("Eve", (Role.EXPERT,)), SYSTEM)
    assert [change["after"]["name"] for change in people.changes()] == ["Ada", "Eve"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
    ids=str,
)  # fmt: skip
def test_a_training_says_so_and_keeps_its_run(
    call: Call, settings: Settings, tiny_set: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise error

    monkeypatch.setattr("pipeline.scoring.feature_based.train.save_model", refuse)
    words = one_line(call("train", "word", "--set", tiny_set, "--epochs", "1", "--folds", "2"))
    assert "Completed files are kept" in words
    (run,) = list_runs(settings.runs_root)
    assert run.state.status == "failed"
    assert "disk is full" in str(run.state.error)
    assert not list(run.path.rglob(f"{artifacts.TEMPORARY_PREFIX}*"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "The disk is full: /x/y could not be written."),
        (RuntimeError("I/O error: Disk quota exceeded (os error 122)"), "The disk quota is used up."),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded", "/x/y"),
            "The disk quota is used up: /x/y could not be written.",
        ),
        (
            OSError(errno.EFBIG, "File too large", "/x/y"),
            "/x/y could not be written: it is larger than a file may be there.",
        ),
        (SafetensorError("I/O error: File too large (os error 27)"), "A file is larger than a file may be there."),
    ],
    ids=str,
)
def test_a_run_tells_which_room_it_lacked_and_what_to_do(error: Exception, words: str) -> None:
    size = "Raise the limit on file sizes (`ulimit -f`), then resume or retry."
    space = "Free space, for instance by deleting old runs, then resume or retry."
    advice = size if "larger" in words else space
    assert str(in_words(error)) == f"{words} Completed files are kept. {advice}"


def test_what_the_datasets_library_says_of_a_full_disk_is_a_full_disk() -> None:
    words = in_words(OSError("Not enough disk space. Needed: Unknown size (download: Unknown size)"))
    assert str(words).startswith("The disk is full.")


@pytest.mark.parametrize(
    "error",
    [SafetensorError("I/O error"), RuntimeError("unexpected pos 64 vs 0"), OSError("40 requested and 0 written")],
)  # fmt: skip
def test_what_libraries_make_of_a_full_disk_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = tmp_path / "x"
    path.write_text("before")
    with pytest.raises(type(error)), artifacts.replacing(path):
        raise error
    usage = os.statvfs(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0, "total": usage.f_blocks})())
    with pytest.raises(OSError, match="No space left") as found, artifacts.replacing(path):
        raise error
    assert (found.value.errno, found.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]
    assert "disk is full" in str(in_words(found.value))


def test_commands_keep_what_was_there(
    call: Call, settings: Settings, tiny_set: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("score-set", tiny_set, "--scorer", "heuristic").exit_code == 0
    before = read_predictions(settings, tiny_set)
    recording = f"{tiny_set}/participant_001/kelimeler/01_araba"
    monkeypatch.setattr(artifacts, "_fsync", full)
    for words in (
        ("score-set", tiny_set, "--scorer", "heuristic"),
        ("export", "--set", tiny_set, "--out", str(tmp_path / "a.csv")),
        ("label", "rate", recording, "--evaluator", "eve", "--score", "50"),
        ("evaluate", "--set", tiny_set, "--scorer", "heuristic", "--out", str(tmp_path / "p.jsonl")),
        ("import", str(CHECKOUT / "data" / "demo"), "--name", "again"),
        ("train", "word", "--set", tiny_set),
    ):  # fmt: skip
        one_line(call(*words))
    monkeypatch.undo()
    assert read_predictions(settings, tiny_set).equals(before)
    assert not (tmp_path / "a.csv").exists()
    assert not (tmp_path / "p.jsonl").exists()


def test_the_memory_that_is_full_is_told_as_well(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("pipeline.runs.scan_runs", refuse)
    done = call("runs", "list")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "memory is full" in done.output


def test_defects_keep_their_traceback_and_so_does_everything_for_developers(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = call("--debug", "runs", "show", "nothing")
    assert isinstance(done.exception, JobError)
    monkeypatch.setenv("PRONLAB_DEBUG", "1")
    assert isinstance(call("runs", "show", "nothing").exception, JobError)
    monkeypatch.delenv("PRONLAB_DEBUG")
    assert isinstance(call("runs", "show", "nothing").exception, SystemExit)

    def wrong(*_: Any) -> NoReturn:
        raise KeyError("a defect")

    monkeypatch.setattr("pipeline.runs.scan_runs", wrong)
    assert isinstance(call("runs", "list").exception, KeyError)


def test_folders_that_may_not_be_read_are_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", "/x/y")

    monkeypatch.setattr("pipeline.runs.scan_runs", refuse)
    assert call("runs", "list").output == "pronlab: /x/y: permission denied. Give Pronlab access to /x/y.\n"


def test_pages_say_it_in_words(open_page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.services.runs.scan_runs", full)
    page = open_page("runs")
    assert not page.exception
    (error,) = page.error
    assert "The disk is full" in error.value


def test_a_checkpoint_that_could_not_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.jobs.checkpoints import Checkpoint, load_checkpoint, save_checkpoint

    path = tmp_path / "last.safetensors"
    save_checkpoint(path, Checkpoint({"now": {"x": torch.ones(2)}}, {"epoch": 1}))
    monkeypatch.setattr(artifacts, "_fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, Checkpoint({"now": {"x": torch.zeros(2)}}, {"epoch": 2}))
    found = load_checkpoint(path, ("now",))
    assert found.state == {"epoch": 1}
    assert torch.equal(found.parts["now"]["x"], torch.ones(2))


class NoRoom(sqlite3.Connection):
    """As on a disk without room: SQLite can neither make its log nor write, and says so by its codes."""

    code = sqlite3.SQLITE_FULL

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = self.code  # type: ignore[misc]
        raise error


@pytest.fixture(params=[sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR | 19 << 8], ids=["full", "input and output"])
def no_room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def fill() -> None:
        monkeypatch.setattr(NoRoom, "code", request.param)
        monkeypatch.setattr("pipeline.labels.index.connected", lambda path: sqlite3.connect(path, factory=NoRoom))

    return fill


def test_a_full_disk_is_not_taken_for_a_damaged_index(
    call: Call, settings: Settings, tiny_set: str, no_room: Callable[[], None]
) -> None:
    index = Index(settings)
    index.ensure()
    forget(index.path)
    before = call("index", "status")
    content = index.path.read_bytes()
    no_room()
    told = one_line(call("index", "rebuild"))
    assert "Nothing was changed in it; sets and ratings on disk stay as they are." in told
    assert "rebuilds it" not in told
    assert index.path.read_bytes() == content, "it is not thrown away"
    assert call("index", "status").output == before.output, "to look needs no room"


def test_a_rating_on_a_full_disk_says_that_nothing_was_saved(
    call: Call, settings: Settings, tiny_set: str, no_room: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(settings)
    index.ensure()
    forget(index.path)
    no_room()
    monkeypatch.setattr(Path, "write_text", lambda path, *_, **__: (path.touch(), full()))
    recording = f"{tiny_set}/participant_001/kelimeler/01_araba"
    said = one_line(call("label", "rate", recording, "--by", "eve", "--score", "50"))
    assert said.startswith(f"pronlab: {settings.data_root} cannot be written (the disk is full); nothing was saved. ")
    assert f"Free some space on the disk of {settings.data_root}" in said
    assert not list((settings.data_root / "locks" / "saving").iterdir()), "no mark that wants the index made anew"


def test_a_rating_that_the_index_cannot_be_told_is_said_to_be_saved(
    settings: Settings, tiny_set: str, no_room: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    index, store = Index(settings), LabelStore(settings)
    index.ensure()
    forget(index.path)
    recording = index.recordings(tiny_set)[0]
    n_before = len(store.history(recording))
    no_room()
    event = RatingEvent("eve", RatingAction.RATE, "2026-01-01T00:00:00.000+00:00", 50.0)
    store.add(recording, event)
    assert settings.index_path.with_name("index.sqlite-stale").exists(), "the next command reads the files again"
    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(LabelError, match=r"labels of .* are saved, but the index"):
        store.add(recording, event)
    assert len(store.history(recording)) == n_before + 2
