"""Names that came from elsewhere (an archive, somebody's folder) as paths below a folder of ours, or not at all."""

import re
import unicodedata
from pathlib import PurePosixPath

from pipeline.i18n import N_, Message
from pipeline.importing.uploads.limits import Limits
from pipeline.importing.uploads.refusal import Refused
from pipeline.text import composed, is_writable

OF_THE_SYSTEM = frozenset({"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir"})
_DRIVE = re.compile(r"[A-Za-z]:")


def safe_path(name: str, limits: Limits) -> PurePosixPath | None:
    """Where a file of that name is kept, relative to the folder of the upload, in composed Unicode; None for what
    systems put beside people's files (hidden files, `__MACOSX`). Raises Refused for a name that leads elsewhere or that
    no file can have here."""
    path = composed(name.replace("\\", "/"))
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or _DRIVE.match(path):
        raise Refused(
            "bad_name", Message(N_("Its path leads out of the folder. Pack the files again, from within their folder."))
        )
    if any(part.startswith(".") or part.casefold() in OF_THE_SYSTEM for part in parts):
        return None
    if not parts or not is_writable(path) or any(unicodedata.category(sign) == "Cc" for sign in path):
        raise Refused("bad_name", Message(N_("Its name has characters that no file name may have. Rename it.")))
    if any(len(part.encode()) > limits.name_bytes for part in parts):
        raise Refused(
            "bad_name", Message(N_("Its name is longer than {most} bytes. Rename it."), most=limits.name_bytes)
        )
    if len(parts) > limits.depth:
        raise Refused(
            "bad_name",
            Message(N_("It lies in more than {most} folders within one another. Move it up."), most=limits.depth),
        )
    return PurePosixPath(*parts)
