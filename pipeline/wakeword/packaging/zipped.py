"""A bundle as one file: a zip of what a device needs, with the model's card."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipeline import artifacts
from pipeline.wakeword.file_names import CARD


def write_zip(out: Path, files: Mapping[str, bytes], folder: Path) -> int:
    """Write `files` by their names, and the card of the model in `folder` where it has one; the zip's size in bytes."""
    card = {CARD: (folder / CARD).read_bytes()} if (folder / CARD).is_file() else {}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, **card}.items():
            archive.writestr(name, data)
    artifacts.write_bytes(out, packed.getvalue())
    return len(packed.getvalue())
