"""What cannot be written, and how to mend it: a folder without the right to write, a disk that is read-only, or no
room."""

import errno
import os
from pathlib import Path
from typing import Any

from pipeline.errors import said_by
from pipeline.i18n import N_, Message
from pipeline.reasons import no_space, system_number
from pipeline.settings import Settings

# How to mend it, and how else where a setting says which folder it is.
_MENDED_BY = {
    errno.EACCES: (
        N_("Give Pronlab the right to write in {folder}."),
        N_("Give Pronlab the right to write in {folder}, or set {setting} to another folder."),
    ),
    errno.EROFS: (
        N_("Mount the disk of {folder} for writing."),
        N_("Mount the disk of {folder} for writing, or set {setting} to another folder."),
    ),
    errno.ENOSPC: (
        N_("Free some space on the disk of {folder}."),
        N_("Free some space on the disk of {folder}, or set {setting} to another folder."),
    ),
    errno.EDQUOT: (
        N_("Delete some of your files on the disk of {folder}, or ask for more quota."),
        N_(
            "Delete some of your files on the disk of {folder}, ask for more quota, or set {setting} to another folder."
        ),
    ),
    errno.EFBIG: (
        N_("Raise the limit on file sizes (`ulimit -f`), or move {folder} to a disk that takes larger files."),
        N_("Raise the limit on file sizes (`ulimit -f`), or set {setting} to a disk that takes larger files."),
    ),
}
_ACCESS = (
    N_("Give Pronlab access to {folder}."),
    N_("Give Pronlab access to {folder}, or set {setting} to another folder."),
)


def not_written(text: str, path: Path, error: BaseException, *, otherwise: str = "", **values: Any) -> Message:
    """`text`, a msgid with {path}, {reason} and the names in `values`, and behind it how to mend it. `otherwise` is one
    more sentence on that, where no setting moves the folder."""
    what = Message(text, path=str(path), reason=said_by(error), **values)
    mended = remedy(error, path, otherwise=otherwise)
    return what if mended is None else Message("{what} {advice}", what=what, advice=mended)


def remedy(error: BaseException, path: Path, *, writing: bool = True, otherwise: str = "") -> Message | None:
    """How to mend that `path` could not be used: for writing, or in whatever way it was tried. None where the failure
    tells no way."""
    number = system_number(error)
    if number not in _MENDED_BY:
        return Message(otherwise) if otherwise else None
    path = path.absolute()
    folder = next((place for place in (path, *path.parents) if os.path.isdir(place)), path)  # noqa: PTH112  never raises
    if number == errno.EACCES and not writing:
        (alone, with_setting), folder = _ACCESS, path
    else:
        alone, with_setting = _MENDED_BY[number]
    setting = _setting_of(path)
    if setting is not None:
        return Message(with_setting, folder=str(folder), setting=setting)
    mended = Message(alone, folder=str(folder))
    return Message("{what} {advice}", what=mended, advice=Message(otherwise)) if otherwise else mended


def to_name(data_root: Path, folder: Path, error: OSError) -> Path:
    """Which folder an error of writing in `folder`, of locks and marks, should name: the data folder where there is
    no room, as nobody else knows of locks; else that folder, whose permissions have to be mended."""
    return data_root if no_space(error) is not None else folder


def _setting_of(path: Path) -> str | None:
    """The setting that moves what lies at `path` elsewhere."""
    settings = Settings.from_env()
    roots = {"PRONLAB_DATA_ROOT": settings.data_root, "PRONLAB_MODELS_ROOT": settings.models_root}
    return next((name for name, root in roots.items() if path.is_relative_to(root)), None)
