"""The room of select boxes, and of tables."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard.components.widths import CLEAR, NARROWEST, WIDEST, box_width, pixels


def test_a_box_has_room_for_its_longest_text() -> None:
    assert box_width(["demo", "Abdurrahman"]) == box_width(["Abdurrahman"]) > pixels("Abdurrahman")
    assert box_width(["Abdurrahman"], clears=True) == box_width(["Abdurrahman"]) + CLEAR


def test_a_box_is_neither_tiny_nor_wider_than_a_phone() -> None:
    assert box_width([]) == NARROWEST
    assert box_width(["W" * 64]) == WIDEST


def test_the_last_column_of_a_table_that_scrolls_has_room_for_the_scrollbar() -> None:
    def page() -> None:
        from dashboard.components.tables import fitted

        rows = [{"Phrase": "beginning", "95% interval": "15.8% to 100.0%"}] * 3
        fitted(rows, most_rows=3)
        fitted(rows, most_rows=2)

    def widths(table: Any) -> list[int]:
        columns = json.loads(table.proto.columns)
        return [columns[label]["width"] for label in ("Phrase", "95% interval")]

    whole, scrolling = map(widths, AppTest.from_function(page).run().dataframe)
    assert scrolling[0] == whole[0]
    assert scrolling[1] >= whole[1] + 10
