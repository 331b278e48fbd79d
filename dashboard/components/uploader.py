"""A field for files. What it takes is told below it, in the reader's language and with room for every kind; Streamlit's
own line, in English and cut where it is long, is hidden by `style.css`, which also says that a file was not
accepted."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pipeline.i18n import _, number


def upload(
    label: str,
    kinds: Sequence[str],
    *,
    most_mb: int,
    key: str | None = None,
    help_: str | None = None,
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> UploadedFile | None:
    """Draw a field for one file of these kinds ("csv") and of at most `most_mb` MB; None while there is none."""
    file = st.file_uploader(
        label, list(kinds), key=key, help=help_, max_upload_size=most_mb, label_visibility=label_visibility
    )
    _tell(kinds, most_mb)
    return file


def upload_several(label: str, kinds: Sequence[str], *, most_mb: int, key: str | None = None) -> list[UploadedFile]:
    """As `upload`, for any number of files."""
    files = st.file_uploader(label, list(kinds), key=key, accept_multiple_files=True, max_upload_size=most_mb)
    _tell(kinds, most_mb)
    return files


def _tell(kinds: Sequence[str], most_mb: int) -> None:
    st.caption(
        _("{kinds}; at most {mb} MB per file.").format(
            kinds=", ".join(kind.upper() for kind in kinds), mb=number(most_mb)
        )
    )
