"""The field that says how the path of a clip names its speaker."""

from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pipeline.i18n import _

EXAMPLE = "(speaker[0-9]+)_"  # not shown


def speaker_field(
    where: DeltaGenerator | None = None, key: str | None = None, width: int | Literal["stretch"] = "stretch"
) -> str:
    """A regular expression whose first group is the speaker; "" where each file is one."""
    text = (where or st).text_input(
        _("Speaker in the file names"), key=key, placeholder=_("each file is a speaker"), width=width,
        help=_(
            "A pattern (regular expression) whose first group is the speaker: `{example}` takes speaker07 from "
            "speaker07_take1.wav. All clips of a speaker stay on one side of a split. If empty, each file counts as "
            "one."
        ).format(example=EXAMPLE),
    )  # fmt: skip
    return text.strip()
