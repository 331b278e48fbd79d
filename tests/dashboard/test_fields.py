"""What fields say in the reader's language: formats, kinds of files and their limits."""

import ast
from collections.abc import Callable
from typing import Any

from dashboard.components.formats import date_format, percent_format
from pipeline.audio.load import AUDIO_SUFFIXES, KINDS_IN_WORDS
from pipeline.i18n import speaking
from pipeline.settings import CHECKOUT


def test_percents_and_dates_are_written_as_the_language_writes_them() -> None:
    with speaking("en"):
        assert (percent_format() % 48, date_format()) == ("48%", "YYYY-MM-DD")
    with speaking("tr"):
        assert (percent_format() % 48, date_format()) == ("%48", "DD.MM.YYYY")


def test_every_kind_of_audio_is_named_where_a_file_is_chosen(open_page: Callable[..., Any]) -> None:
    page = open_page("practice", lesson="free-en", text="See the car.")
    page.segmented_control(key="recorder-way").set_value("file").run()
    assert not page.exception
    assert any(KINDS_IN_WORDS in caption.value for caption in page.caption)
    assert all(suffix[1:].upper() in KINDS_IN_WORDS for suffix in AUDIO_SUFFIXES)


def test_enter_in_a_field_of_no_form_starts_a_training() -> None:
    starting = [
        (path, function)
        for path in sorted((CHECKOUT / "dashboard").rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        and any(
            "form_submit_button" in ast.unparse(call.func) and "play_arrow" in ast.unparse(call)
            for call in ast.walk(function)
            if isinstance(call, ast.Call)
        )
    ]
    assert starting
    for path, function in starting:
        assert "st.form(" not in ast.unparse(function), f"{path}: {function.name} draws no run_form"


def test_every_choice_of_one_row_breaks_into_lines_on_a_phone() -> None:
    choices = [
        call
        for path in sorted((CHECKOUT / "dashboard").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".segmented_control")
    ]
    assert len(choices) > 10
    rigid = [ast.unparse(call) for call in choices if "wrap=True" not in ast.unparse(call)]
    assert not rigid, "Streamlit's own way is to scroll them out of sight"
