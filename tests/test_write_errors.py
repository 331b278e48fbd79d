"""What cannot be written is told with how to mend it: the same words for labels, learners, exports and commands."""

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import artifacts
from pipeline.database import failure
from pipeline.errors import LabelError, PronlabError
from pipeline.i18n import N_
from pipeline.labels.exchange.files import write_export
from pipeline.labels.result_file import derive, write_result
from pipeline.locks import locked
from pipeline.practice.consent import Keep, give_consent
from pipeline.reasons import NO_SPACE
from pipeline.records import RubricName
from pipeline.runs.failures import of_the_system
from pipeline.settings import Settings
from pipeline.write_errors import not_written, to_name


def refusal(number: int, path: Path | None = None) -> OSError:
    return OSError(number, os.strerror(number), None if path is None else str(path))


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation as the environment names it."""
    settings = Settings(tmp_path / "data", tmp_path / "models")
    for name, root in (("DATA", settings.data_root), ("MODELS", settings.models_root)):
        root.mkdir()
        monkeypatch.setenv(f"PRONLAB_{name}_ROOT", str(root))
    return settings


@pytest.mark.parametrize(
    ("number", "reason", "mended"),
    [
        (errno.EACCES, "permission denied", "Give Pronlab the right to write in {folder}"),
        (errno.EPERM, "permission denied", "Give Pronlab the right to write in {folder}"),
        (errno.EROFS, "the disk is read-only", "Mount the disk of {folder} for writing"),
        (errno.ENOSPC, "the disk is full", "Free some space on the disk of {folder}"),
    ],
)
def test_every_refusal_says_how_to_mend_it(
    roots: Settings, tmp_path: Path, number: int, reason: str, mended: str
) -> None:
    def told(path: Path, otherwise: str = "") -> str:
        text = N_("{path} cannot be written ({reason}).")
        message = not_written(text, path, refusal(number), otherwise=otherwise)
        start = f"{path} cannot be written ({reason}). "
        assert message.startswith(start)
        return message.removeprefix(start)

    for root, setting in ((roots.data_root, "PRONLAB_DATA_ROOT"), (roots.models_root, "PRONLAB_MODELS_ROOT")):
        expected = f"{mended.format(folder=root)}, or set {setting} to another folder."
        assert told(root / "new" / "file.json") == told(root / "new", "Or name another place.") == expected
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    assert told(corpus / "a.json") == f"{mended.format(folder=corpus)}."
    assert told(corpus / "a.json", "Or copy it.") == f"{mended.format(folder=corpus)}. Or copy it."


@pytest.mark.parametrize(
    ("number", "reason", "alone", "with_setting"),
    [
        (
            errno.EDQUOT, "the disk quota is used up",
            "Delete some of your files on the disk of {folder}, or ask for more quota.",
            "Delete some of your files on the disk of {folder}, ask for more quota, or set PRONLAB_DATA_ROOT to "
            "another folder.",
        ),
        (
            errno.EFBIG, "it is larger than a file may be there",
            "Raise the limit on file sizes (`ulimit -f`), or move {folder} to a disk that takes larger files.",
            "Raise the limit on file sizes (`ulimit -f`), or set PRONLAB_DATA_ROOT to a disk that takes larger "
            "files.",
        ),
    ],
)  # fmt: skip
def test_a_quota_and_a_limit_on_file_sizes_are_told_apart_from_a_full_disk(
    roots: Settings, tmp_path: Path, number: int, reason: str, alone: str, with_setting: str
) -> None:
    for folder, mended in ((tmp_path, alone), (roots.data_root, with_setting)):
        path = folder / "a.json"
        message = not_written(N_("{path} cannot be written ({reason})."), path, refusal(number))
        assert message == f"{path} cannot be written ({reason}). {mended.format(folder=folder)}"


@pytest.mark.parametrize("number", NO_SPACE)
def test_every_want_of_room_names_the_data_folder_instead_of_its_locks(roots: Settings, number: int) -> None:
    locks = roots.data_root / "locks"
    assert to_name(roots.data_root, locks, refusal(number)) == roots.data_root
    assert to_name(roots.data_root, locks, refusal(errno.EACCES)) == locks


def test_a_failure_that_tells_no_way_is_told_alone(tmp_path: Path) -> None:
    text = N_("{path} cannot be written ({reason}).")
    error = refusal(errno.EIO)
    expected = "/x cannot be written (the disk or network drive reports an error)."
    assert not_written(text, Path("/x"), error) == expected
    assert not_written(text, Path("/x"), error, otherwise="Name another.") == f"{expected} Name another."


def test_labels_locks_exports_and_answers_are_told_alike(
    roots: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise refusal(errno.EROFS, path)

    monkeypatch.setattr(artifacts, "write_bytes", refuse)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    labels = derive("masa", RubricName.WORD, (), {})
    works: list[tuple[Callable[[], object], str]] = [
        (
            lambda: write_result(corpus / "a_result.json", labels),
            "Or copy the corpus to a folder where",
        ),
        (lambda: write_export(corpus / "a.csv", b""), "Or name another place."),
        (lambda: give_consent(roots, "Ayşe", Keep.SCORES), "or set PRONLAB_DATA_ROOT to another folder."),
    ]
    for work, advice in works:
        with pytest.raises(PronlabError, match=r"\(the disk is read-only\).* Mount the disk of ") as told:
            work()
        assert advice in str(told.value)
    (roots.data_root / "locks").write_text("")
    with (
        pytest.raises(LabelError, match=r"cannot be written \(.*; a was not saved"),
        locked(roots, corpus / "a", LabelError),
    ):
        pytest.fail("there is no lock")


def test_pages_and_commands_say_how_to_mend_what_nobody_else_told(roots: Settings) -> None:
    path = roots.models_root / "runs" / "x"
    assert of_the_system(refusal(errno.EROFS, path)) == (
        f"{path}: the disk is read-only. Mount the disk of {roots.models_root} for writing, or set PRONLAB_MODELS_ROOT "
        "to another folder."
    )
    assert of_the_system(refusal(errno.EACCES, path)) == (
        f"{path}: permission denied. Give Pronlab access to {path}, or set PRONLAB_MODELS_ROOT to another folder."
    )
    assert of_the_system(refusal(errno.EIO, path)) == f"{path}: the disk or network drive reports an error."
    assert of_the_system(refusal(errno.EACCES)) == "A file: permission denied."


def test_an_index_that_may_not_be_written_is_told_as_that(roots: Settings, tmp_path: Path) -> None:
    file = tmp_path / "index.sqlite"
    sqlite3.connect(file).close()
    with pytest.raises(sqlite3.OperationalError) as refused:
        sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True).execute("CREATE TABLE a (b)")
    assert str(failure("The index x", file, refused.value, "Rebuild it.")) == (
        f"The index x cannot be written (permission denied). Give Pronlab the right to write in {tmp_path}."
    )
