"""A bundle in use on this machine: checked, unpacked where it is a zip, and its runner's detector."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.records import to_json
from pipeline.wakeword.file_names import (
    BUNDLE_DETECTOR,
    BUNDLE_MODEL,
    ESP32_MODEL,
    JUDGE_MODEL,
    JUDGE_WEIGHTS,
    LEARNT_INFO,
    LEARNT_WEIGHTS,
)
from pipeline.wakeword.runtime.model_files import read_info
from pipeline.wakeword.runtime.runner import Detector
from pipeline.zips import ZIP_ERRORS

NEEDED = (BUNDLE_MODEL, BUNDLE_DETECTOR)
LEARNT = (LEARNT_INFO, LEARNT_WEIGHTS)
WITH_JUDGE = {*LEARNT, JUDGE_MODEL, JUDGE_WEIGHTS}
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


def is_as_now(path: Path, folder: Path) -> bool:
    """Whether the zip at `path` was made of the detector in `folder` as it is: its thresholds, how it votes, and what a
    judge of phones has learnt. False for a zip that cannot be read. Raises ModelError for a folder without a
    detector."""
    info = read_info(folder)
    learnt_now = [(folder / name).read_bytes() if (folder / name).is_file() else b"" for name in LEARNT]
    votes: dict[str, Any] = to_json(info.detector)
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            about = artifacts.loads(archive.read(BUNDLE_DETECTOR))
            learnt = [archive.read(name) if name in names else b"" for name in LEARNT]
        if ESP32_MODEL in names:  # the threshold is in its weights, and no judge goes with it
            return bool(about["threshold_logit"] == info.threshold)
        thresholds = [word["threshold"] for word in about.get("words", [about])]
        voted_so = all(about[name] == votes[name] for name in ("votes", "of", "hysteresis", "lockout_s"))
    except (OSError, KeyError, TypeError, AttributeError, *ZIP_ERRORS):
        return False
    return thresholds == [word.threshold for word in info.words or (info,)] and voted_so and learnt == learnt_now


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
