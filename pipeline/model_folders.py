"""Folders of deployed models: one is put in the place of another, which is kept for the way back."""

import shutil
from collections.abc import Sequence
from pathlib import Path


def put_in_place(source: Path, names: Sequence[str], target: Path) -> None:
    """Copy those of the files `names` that `source` has; whatever `target` was is kept beside it."""
    incoming, previous = _beside(target, "incoming"), _beside(target, "previous")
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, incoming / name)
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    incoming.rename(target)


def take_back(target: Path) -> bool:
    """Remove `target` and bring back what it replaced; False where there was nothing before it."""
    previous = _beside(target, "previous")
    if target.exists():
        shutil.rmtree(target)
    if not previous.exists():
        return False
    previous.rename(target)
    return True


def _beside(target: Path, role: str) -> Path:
    return target.with_name(f".{target.name}.{role}")
