"""What a page says where packages of what it starts are not installed."""

from typing import Any

import streamlit as st

from dashboard.markup import message
from pipeline.jobs.requirements import missing_for


def say_missing(kind: str, config: Any = None) -> bool:
    """Name what installs the packages that work of `kind` lacks with the settings `config`; nothing where all are
    there. Returns whether it can start with any settings."""
    sentence = missing_for(kind, config)
    if sentence is not None:
        st.info(message(sentence), icon=":material/download:")
    return missing_for(kind) is None
