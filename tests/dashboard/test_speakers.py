"""Names of speakers on pages."""

import pytest

from dashboard.components.speakers import shown_speaker


def test_that_a_corpus_names_no_speaker_is_told_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.components.speakers._", lambda text: f"<{text}>")
    assert shown_speaker("unknown") == "<unknown speaker>"
    assert shown_speaker("Ayşe") == "Ayşe"
