"""A bundle in use on this machine: checked, unpacked where it is a zip, and its runner's detector."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.wakeword.file_names import (
    BUNDLE_DETECTOR,
    BUNDLE_MODEL,
    ESP32_MODEL,
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
        if path.is_dir():
            folder = path
            _check_runtime({file.name for file in path.iterdir()}, path)
        else:
            folder = _unpacked(path, Path(temporary))
        _check(folder, path)
        yield _detector(folder, path, sensitivity)


def _unpacked(path: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_runtime(set(archive.namelist()), path)
            for name in (*NEEDED, *(WITH_JUDGE & set(archive.namelist()))):
                if archive.getinfo(name).file_size > MOST_BYTES:
                    raise ModelError(
                        N_("{name} in {path} is larger than {most} MB."),
                        name=name,
                        path=str(path),
                        most=MOST_BYTES // 1_000_000,
                    )
                (folder / name).write_bytes(archive.read(name))
    except (OSError, KeyError, *ZIP_ERRORS) as error:
        raise ModelError(
            N_("{path} is no bundle ({reason}). `pronlab wakeword export RUN --bundle` makes one."),
            path=str(path),
            reason=said_by(error),
        ) from error
    return folder


def _check_runtime(names: set[str], path: Path) -> None:
    if ESP32_MODEL in names:
        raise ModelError(
            N_(
                "{path} is a bundle for an ESP32, which ESPHome runs. To listen here, train with another preset, for "
                "instance default, and export that run with --bundle alone."
            ),
            path=str(path),
        )


def _check(folder: Path, path: Path) -> None:
    try:
        about = artifacts.read_json(folder / BUNDLE_DETECTOR)
        digests = {BUNDLE_MODEL: about["sha256"]}
        if about.get("judge") is not None:
            digests |= {name: about["judge"]["sha256"][name] for name in (JUDGE_MODEL, JUDGE_WEIGHTS)}
        changed = [name for name, expected in digests.items() if artifacts.sha256_of(folder / name) != expected]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            N_("{path} holds no bundle ({reason}). `pronlab wakeword export RUN --bundle` makes one."),
            path=str(path),
            reason=said_by(error),
        ) from error
    if changed:
        raise ModelError(
            N_("{file} in {path} is not the file that {detector} was written for."),
            file=changed[0],
            path=str(path),
            detector=BUNDLE_DETECTOR,
        )


def _detector(folder: Path, path: Path, sensitivity: float) -> Detector:
    try:
        return Detector(folder, sensitivity)
    except Exception as error:  # onnxruntime raises types of its own
        raise ModelError(
            N_("The bundle {path} cannot be used ({reason}). Export it again."), path=str(path), reason=said_by(error)
        ) from error
