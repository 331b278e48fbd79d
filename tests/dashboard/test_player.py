"""What the player's JavaScript is given."""

import numpy as np
import pytest

from dashboard import identity, state
from dashboard.components.player import sound
from pipeline.audio.load import Audio


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "present", lambda: None)


def tone(frequency_hz: float) -> Audio:
    time_s = np.arange(8000) / 16_000
    return Audio((0.3 * np.sin(2.0 * np.pi * frequency_hz * time_s)).astype(np.float32))


@pytest.mark.usefixtures("nobody")
def test_tracks_are_measured_only_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "component_value", lambda key, name: None)
    assert "tracks" not in sound(tone(200.0), None, key="player")
    monkeypatch.setattr(state, "component_value", lambda key, name: 5500)
    tracks = sound(tone(200.0), tone(120.0), key="player")["tracks"]
    assert tracks["ceiling_hz"] == 5500
    for name, frequency_hz in (("recording", 200.0), ("reference", 120.0)):
        middle = len(tracks[name]["f0_hz"]) // 2
        assert tracks[name]["f0_hz"][middle] == pytest.approx(frequency_hz, abs=0.5)
        assert tracks[name]["intensity_db"][middle] == pytest.approx(80.5, abs=0.1)
        assert len(tracks[name]["formants_hz"][middle]) == 5


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("asked", ["5500; drop", 1e9, -5500, float("nan"), [5500]])
def test_a_ceiling_that_nobody_can_choose_measures_nothing(monkeypatch: pytest.MonkeyPatch, asked: object) -> None:
    monkeypatch.setattr(state, "component_value", lambda key, name: asked)
    assert "tracks" not in sound(tone(200.0), None, key="player")
