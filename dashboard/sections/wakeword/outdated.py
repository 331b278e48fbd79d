"""Whether a bundle is still that of its detector, in words."""

from pathlib import Path

import streamlit as st

from dashboard.services import wakeword_detectors
from pipeline.i18n import _
from pipeline.runs import RunDirectory


def say_outdated(bundle: Path, run: RunDirectory) -> None:
    """Nothing for one that is."""
    if not wakeword_detectors.is_as_now(bundle, run):
        st.warning(
            _(
                "The detector was changed after this bundle was made: its threshold, how it votes, or what its judge "
                "of phones has learnt. Make the bundle again under 5 Export."
            ),
            icon=":material/update:",
        )
