"""A bundle's detector in the visitor's browser: onnxruntime-web on the microphone, no sound leaves the machine.

The runtime (`dashboard/static/onnxruntime-web`, MIT) is served by the dashboard itself. A Components v2 component in
the page; its detector does what the bundle's runner.py does.
"""

import base64
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pipeline import artifacts
from pipeline.i18n import N_, _
from pipeline.wakeword.file_names import BUNDLE_DETECTOR, BUNDLE_MODEL
from pipeline.wakeword.packaging.detector_graph import BEFORE, without_empty

FOLDER = Path(__file__).parent
NAME = "pronlab_browser_detector"
OF_ALL = ("window_samples", "hop_samples", "frame_hop_samples")  # a bundle of before 2026-11-28 keeps no frames
OF_WORD = ("word", "votes", "of", "threshold", "hysteresis", "lockout_s", "temperature")
STRINGS = {
    "start": N_("Listen in this browser"),
    "stop": N_("Stop"),
    "loading": N_("Loading the detector …"),
    "listening": N_("Listening. Say the word."),
    "score": N_("Score"),
    "detected": N_("Detected at {at} s (score {score})"),
    "detected_word": N_("{word} detected at {at} s (score {score})"),
    "failed": N_("The detector cannot run in this browser ({reason})."),
    "microphone": N_("The microphone cannot be used ({reason}). Allow it in the site settings beside the address."),
}


def browser_detector(bundle: Path, threshold: float | None, *, key: str) -> None:
    """Draw it, for the detector of a zip of `pronlab wakeword export --bundle`; `threshold` in place of its own."""
    with zipfile.ZipFile(bundle) as archive:
        model, about = archive.read(BUNDLE_MODEL), artifacts.loads(archive.read(BUNDLE_DETECTOR))
    shared = {name: about[name] for name in OF_ALL if name in about}
    of_words = [{**about, **word} for word in about.get("words") or [{}]]
    words = [{name: word[name] for name in OF_WORD} for word in of_words]
    if threshold is not None:
        words = [{**word, "threshold": threshold} for word in words]
    settings = {**shared, "words": words}
    strings = {name: _(text) for name, text in STRINGS.items()}
    graph = base64.b64encode(without_empty(model, BEFORE)).decode("ascii")
    data = {"model": graph, "about": settings, "strings": strings}
    _component()(key=key, data=data)


@cache
def _sources() -> tuple[str, str]:
    script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("detector.js", "index.js"))
    return script, (FOLDER / "browser_detector.css").read_text(encoding="utf-8")


def _component() -> Any:
    js, css = _sources()
    return st.components.v2.component(NAME, html='<div class="browser-detector"></div>', css=css, js=js)  # not shown
