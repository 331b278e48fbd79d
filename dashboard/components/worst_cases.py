"""The recordings on which a scorer and the experts differ most, to read and to hear."""

import pandas as pd
import streamlit as st

from dashboard.components.tables import fitted
from dashboard.services import compare, shared
from pipeline.i18n import _, number


def worst_cases(table: pd.DataFrame, scorer: str) -> None:
    """The ten largest errors of `scorer` in a joined table (see `dashboard.services.compare`), and one of them to play
    at a time."""
    rows = compare.worst(table, scorer)
    numbers = {"expert": _("Expert"), "predicted": _("Predicted"), "error": _("Error (points)")}
    shown = pd.DataFrame({_("Text"): rows["text"], _("Speaker"): rows["speaker"]})
    for column, label in numbers.items():
        sign = "+" if column == "error" else ""
        shown[label] = [f"{sign if value > 0 else ''}{number(value, 1)}" for value in rows[column]]
    fitted(shown, right=numbers.values())
    options = {
        str(id_): _("{text} · {speaker} · expert {expert}, predicted {predicted}").format(
            text=text, speaker=speaker, expert=number(expert), predicted=number(predicted)
        )
        for id_, text, speaker, expert, predicted in zip(
            rows["recording_id"], rows["text"], rows["speaker"], rows["expert"], rows["predicted"], strict=True
        )
    }
    playing = st.selectbox(
        _("Listen to a recording"),
        list(options),
        format_func=options.__getitem__,
        index=None,
        placeholder=_("Choose a recording"),
        key=f"worst-{scorer}",
    )
    if playing is not None:
        st.audio(str(shared.recording_audio(playing)))
