"""What the dashboard remembers about one visitor: the only module that touches session state and the URL's query.

Choices that should survive a reload or be shared as a link (the set, the rater, the learner, the word) are widgets
bound to the URL: give the widget the key from here and `bind="query-params"`. Streamlit then fills it from the URL and
keeps it over page changes. Where what is shown is not what the link should say (runs by their short names, parts of a
page in the reader's language), `components.choices` keeps it there by `watch`. Everything else lives in the session
and dies with it; work worth keeping is on disk before it is shown as done.
"""

from typing import Any

import streamlit as st

# Keys of bound widgets, which are also the names in the URL.
SET = "set"
RATER = "rater"
LEARNER = "learner"
LESSON = "lesson"
TEXT = "text"
PRACTICE = "practise"
MONITOR = "monitor"
TABLE = "table"
RUN = "run"
RUNS = "runs"
PROJECT = "project"
SEARCH = "search"
JOB = "job"
UPLOAD = "upload"
WAKE_WORD = "wake-word"
PRESET = "preset"
STEP = "step"
DRILL = "drill"
CLASS = "class"
RECORDING = "recording"

_PRIVATE = "pronlab."  # not shown


def chosen(key: str) -> str | None:
    """The value of a bound choice, from its widget if it has been drawn, else from the URL; None where neither has."""
    value = st.session_state.get(key) or st.query_params.get(key)
    return str(value) if value else None


def choose(key: str, value: Any) -> None:
    """Set a choice from code, before its widget is drawn in this run (or in a widget's callback)."""
    st.session_state[key] = value


def offer(key: str, value: Any) -> None:
    """Give a widget its first value, before it is drawn in this run, unless it has one."""
    st.session_state.setdefault(key, value)


def chosen_several(key: str) -> list[str]:
    """As `chosen`, of a widget that takes several."""
    return [str(value) for value in st.session_state.get(key) or ()]


def watched(key: str) -> str | None:
    """What this page follows (a run, a job, a lesson), kept in the URL so that a reload goes on with it."""
    return st.query_params.get(key)


def watch(key: str, value: str | None) -> None:
    if value is None:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = value


def watched_all(key: str) -> list[str]:
    """As `watched`, several."""
    return st.query_params.get_all(key)


def watch_all(key: str, values: list[str]) -> None:
    if values:
        st.query_params[key] = values
    else:
        st.query_params.pop(key, None)


def reset(key: str) -> None:
    """Give a widget its first value again, before it is drawn in this run."""
    st.session_state.pop(key, None)


def component_value(key: str, name: str) -> Any:
    """What the component `key` last sent under `name`; None where it has not."""
    return (st.session_state.get(key) or {}).get(name)


def recall(name: str, default: Any = None) -> Any:
    """A value this session kept by `remember`."""
    return st.session_state.get(_PRIVATE + name, default)


def remember(name: str, value: Any) -> None:
    st.session_state[_PRIVATE + name] = value


def restore(key: str, default: Any) -> None:
    """Give a widget the value that `remember` kept under its key, before it is drawn: Streamlit forgets the widgets of
    a page that is left."""
    st.session_state.setdefault(key, recall(key, default))


def forget(name: str) -> None:
    st.session_state.pop(_PRIVATE + name, None)
