"""A bundle as one file: a zip of what a device needs, with the model's card, which says how it is used."""

import io
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipeline import artifacts
from pipeline.wakeword.file_names import CARD
from pipeline.wakeword.packaging.card import card_in_bundle

READABLE = 0o644  # as `unzip` leaves the files, where a zip's own default is for their owner alone


def write_zip(out: Path, files: Mapping[str, bytes], folder: Path, use: str) -> int:
    """Write `files` by their names, and the card of the model in `folder` where it has one, with the text `use`; the
    zip's size in bytes."""
    has_card = (folder / CARD).is_file()
    card = {CARD: card_in_bundle((folder / CARD).read_text(encoding="utf-8"), use).encode()} if has_card else {}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, **card}.items():
            about = zipfile.ZipInfo(name, time.localtime()[:6])
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, READABLE << 16
            archive.writestr(about, data)
    artifacts.write_bytes(out, packed.getvalue())
    return len(packed.getvalue())
