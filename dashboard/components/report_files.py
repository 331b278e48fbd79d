"""Reports as files: JSON for programs, and tables as CSV in the dialect that the reader chose on any page."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard.components.csv_dialect import current_dialect
from pipeline import csvfile
from pipeline.i18n import _
from pipeline.records import to_json


def download_json(value: Any, name: str) -> None:
    """A button that saves `value` as `name`.json."""
    import json

    content = json.dumps(to_json(value), ensure_ascii=False, indent=2)
    st.download_button(
        _("Download JSON"), content, f"{name}.json", "application/json",  # not shown
        icon=":material/download:", key=f"download-{name}.json",
    )  # fmt: skip


def download_table(columns: Iterable[str], rows: Iterable[Iterable[Any]], name: str) -> None:
    """A button that saves rows as `name`.csv."""
    content = csvfile.download(csvfile.text(columns, rows, current_dialect()))
    st.download_button(
        _("Download CSV"), content, f"{name}.csv", "text/csv",
        icon=":material/download:", key=f"download-{name}.csv",
    )  # fmt: skip
