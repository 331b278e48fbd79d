"""A folder with all that is below it, or many files, handed to a file drop of Streamlit's as zip archives.

Streamlit's own uploader takes minutes for a few hundred files, forgets the folders of what is dropped, and keeps
nothing before the last file has come. Here the browser packs a few hundred files at a time, leaves out what was
received before, and goes on once the server has kept them. A Components v2 component in the page itself: no network.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pipeline.i18n import N_, _

FOLDER = Path(__file__).parent
NAME = "pronlab_folder_drop"
STRINGS = {
    "choose": N_("Choose a folder"),
    "drop": N_("or drop folders and files here"),
    "looking": N_("Looking through the folder …"),
    "sending": N_("Files: {done} of {total}. Keep this page open."),
    "sent": N_("Files: {done} of {total}."),
    "known": N_("Already received: {n}."),
    "left": N_("Not sent, because they are too large or cannot be read: {names}."),
    "empty": N_("The folder has no files."),
    "stop": N_("Stop"),
}


def folder_drop(file_drop_key: str, received: Mapping[str, str], *, largest_bytes: int, key: str) -> None:
    """Draw it. `file_drop_key` is the key of the file drop that archives are handed to, a new one whenever it was
    emptied; `received` holds the hash (SHA-256, or how it begins) of what came before, by path."""
    strings = {name: _(text) for name, text in STRINGS.items()}
    data = {"uploader": file_drop_key, "received": dict(received), "largest": largest_bytes, "strings": strings}
    _component()(key=key, data=data)


@cache
def _sources() -> tuple[str, str]:
    script, style = ((FOLDER / name).read_text(encoding="utf-8") for name in ("folder_drop.js", "folder_drop.css"))
    return script, style


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="folder-drop"></div>', css=css, js=js)  # not shown
