"""Pictures of the mouth: one for every sound of both languages, each with a description."""

from xml.etree import ElementTree

import pytest

from pipeline.practice.mouth import MOUTHS, mouth_svg
from pipeline.practice.sounds import how_to_say, sounds_of
from pipeline.text.turkish import SOUNDS


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_sound_has_a_picture_and_a_description(language: str) -> None:
    assert set(MOUTHS[language]) == set(sounds_of(language))
    assert set(sounds_of("tr")) == set(SOUNDS)
    for sound in sounds_of(language):
        assert ElementTree.fromstring(mouth_svg(language, sound)).tag.endswith("svg")
        assert how_to_say(language, sound)
    assert mouth_svg(language, "?") == ""
