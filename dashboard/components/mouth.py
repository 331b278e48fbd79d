"""How a sound is made: a picture of the mouth, and a line beside it."""

import base64

import streamlit as st

from dashboard.markup import plain
from pipeline.i18n import _
from pipeline.practice.contrasts import shown_sound
from pipeline.practice.mouth import mouth_svg
from pipeline.practice.sounds import how_to_say

WIDTH_PX = 96


def how_to_make(language: str, sound: str, *, named: bool = True) -> None:
    """The picture, and the description beside it; with the sound's name before it where it has not been said."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        picture(language, sound)
        text = _(how_to_say(language, sound))
        name = f"**{plain(shown_sound(language, sound))}** " if named and language == "en" else ""  # not shown
        st.markdown(name + plain(text))


def picture(language: str, sound: str) -> None:
    """Nothing for a sound that is not known. Screen readers pass over it and read the description."""
    svg = mouth_svg(language, sound)
    if svg:
        source = base64.b64encode(svg.encode()).decode("ascii")
        # `st.image` knows no empty alternative text, and `st.html` takes no SVG.
        image = (
            f'<img alt="" width="{WIDTH_PX}" height="{WIDTH_PX}" src="data:image/svg+xml;base64,{source}">'  # not shown
        )
        st.html(image, width="content")
