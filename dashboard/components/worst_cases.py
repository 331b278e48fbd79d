"""The recordings on which a scorer and the experts differ most, to read and to hear."""

import pandas as pd
import streamlit as st

from dashboard.services import compare as comparison
from dashboard.services import shared as services


def worst_cases(table: pd.DataFrame, scorer: str) -> None:
    """The ten worst of `scorer` in a joined table (see `dashboard.services.compare`), one of them to play at a time."""
    rows = comparison.worst(table, scorer)
    st.dataframe(
        rows[["text", "speaker", "expert", "predicted", "error"]],
        hide_index=True,
        column_config={
            "text": "Text",
            "speaker": "Participant",
            "expert": st.column_config.NumberColumn("Expert", format="%.1f"),
            "predicted": st.column_config.NumberColumn("Predicted", format="%.1f"),
            "error": st.column_config.NumberColumn("Error (points)", format="%+.1f"),
        },
    )
    labels = {
        row.recording_id: f"{row.text} · {row.speaker} · expert {row.expert:.0f}, predicted {row.predicted:.0f}"
        for row in rows.itertuples()
    }
    playing = st.selectbox(
        "Listen to one of them",
        list(labels),
        format_func=labels.__getitem__,
        index=None,
        placeholder="Choose one",
        key=f"worst-{scorer}",
    )
    if playing is not None:
        st.audio(str(services.recording_audio(playing)))
