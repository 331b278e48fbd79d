"""Titles of sets on pages."""

import pytest

from dashboard.components.set_titles import distinct_titles, shown_title
from pipeline.importing.demo import TITLE


def test_only_titles_that_pronlab_gave_are_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.components.set_titles._", lambda text: f"<{text}>")
    assert shown_title(TITLE) == f"<{TITLE}>"
    assert shown_title("speechocean762: English read by Mandarin speakers").startswith("<")
    assert shown_title("Recordings") == "Recordings", "somebody's own, though the word is in the catalogue"


def test_sets_of_one_title_have_their_names_behind_it() -> None:
    titles = distinct_titles({"a": "Recordings", "b": "Recordings", "c": "School"})
    assert titles == {"a": "Recordings (a)", "b": "Recordings (b)", "c": "School"}
