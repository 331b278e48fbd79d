"""Fixtures shared by all tests. Nothing here touches the checkout's own data or models."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.settings import CHECKOUT, Settings

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh, empty installation."""
    return Settings(data_root=tmp_path / "data", models_root=tmp_path / "models")


@pytest.fixture
def open_page(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "Callable[..., AppTest]":
    """Opens a page of the dashboard on this installation: `open_page("data", section="Problems")`, then runs it."""
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))

    def open_(view: str, **query: str) -> "AppTest":
        from streamlit.testing.v1 import AppTest

        page = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=60)
        page.switch_page(f"views/{view}.py")
        for name, value in query.items():
            page.query_params[name] = value
        return page.run()

    return open_


@pytest.fixture
def tiny_set(settings: Settings, tmp_path: Path) -> str:
    """The set `tiny`: 4 participants read 6 words (as tones of a rising pitch), 2 people have rated all of them."""
    import numpy as np
    import soundfile

    from pipeline.corpus.importer import import_path
    from pipeline.corpus.sets import read_recordings
    from pipeline.labels.store import LabelStore
    from pipeline.records import RatingAction, RatingEvent

    seconds = np.arange(9600) / 16000
    for speaker in range(4):
        folder = tmp_path / "tiny" / f"participant_{speaker + 1:03}" / "kelimeler"
        folder.mkdir(parents=True)
        for number, word in enumerate(("araba", "çiçek", "ev", "güneş", "kitap", "su")):
            pitch_hz = 110 * (1 + speaker / 3) * (1 + 0.4 * seconds * (number + 1))
            tone = 0.4 * np.sin(2 * np.pi * np.cumsum(pitch_hz) / 16000) * np.hanning(len(seconds))
            soundfile.write(folder / f"{number + 1:02}_{word}.wav", tone, 16000)
    import_path(settings, tmp_path / "tiny", name="tiny")
    store = LabelStore(settings)
    for number, recording in enumerate(read_recordings(settings, "tiny")):
        for evaluator, lenience in (("ayşe", 0), ("can", 4)):
            score = 50.0 + number * 2 + lenience * (-1) ** number
            event = RatingEvent(evaluator, RatingAction.RATE, f"2026-01-01T00:{number:02}:00.000+00:00", score=score)
            store.add(recording, event)
    return "tiny"
