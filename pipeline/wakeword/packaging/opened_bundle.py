"""A bundle in use on this machine: checked, unpacked where it is a zip, and its runner's detector."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.wakeword.file_names import (
    BUNDLE_DETECTOR,
    BUNDLE_MODEL,
    JUDGE_MODEL,
    JUDGE_WEIGHTS,
    LEARNT_INFO,
    LEARNT_WEIGHTS,
)
from pipeline.wakeword.runtime.runner import Detector
from pipeline.zips import ZIP_ERRORS

NEEDED = (BUNDLE_MODEL, BUNDLE_DETECTOR)
WITH_JUDGE = {LEARNT_INFO, LEARNT_WEIGHTS, JUDGE_MODEL, JUDGE_WEIGHTS}
MOST_BYTES = 200_000_000  # of one file of a bundle


@contextmanager
def open_bundle(path: Path, sensitivity: float = 0.5) -> Iterator[Detector]:
    """The detector of a bundle, a zip or the folder it was unpacked to. Raises ModelError for what is none, and for a
    model that is not the one which detector.json was written for."""
    with TemporaryDirectory(prefix="pronlab-bundle-") as temporary:
        folder = path if path.is_dir() else _unpacked(path, Path(temporary))
        _check(folder, path)
        yield _detector(folder, path, sensitivity)


def _unpacked(path: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in (*NEEDED, *(WITH_JUDGE & set(archive.namelist()))):
                if archive.getinfo(name).file_size > MOST_BYTES:
                    raise ModelError(f"{name} in {path} is larger than {MOST_BYTES // 1_000_000} MB.")
                (folder / name).write_bytes(archive.read(name))
    except (OSError, KeyError, *ZIP_ERRORS) as error:
        raise ModelError(f"{path} is no bundle ({error}). `pronlab wakeword export RUN --bundle` makes one.") from error
    return folder


def _check(folder: Path, path: Path) -> None:
    try:
        about = artifacts.read_json(folder / BUNDLE_DETECTOR)
        digests = {BUNDLE_MODEL: about["sha256"]}
        if about.get("judge") is not None:
            digests |= {name: about["judge"]["sha256"][name] for name in (JUDGE_MODEL, JUDGE_WEIGHTS)}
        changed = [name for name, expected in digests.items() if artifacts.sha256_of(folder / name) != expected]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} holds no bundle ({error}). `pronlab wakeword export RUN --bundle` makes one."
        ) from error
    if changed:
        raise ModelError(f"{changed[0]} in {path} is not the file that {BUNDLE_DETECTOR} was written for.")


def _detector(folder: Path, path: Path, sensitivity: float) -> Detector:
    try:
        return Detector(folder, sensitivity)
    except Exception as error:  # onnxruntime raises types of its own
        raise ModelError(f"The bundle {path} cannot be used ({error}). Export it again.") from error
