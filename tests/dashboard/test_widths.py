"""The room of select boxes."""

from dashboard.components.widths import CLEAR, NARROWEST, WIDEST, box_width, pixels


def test_a_box_has_room_for_its_longest_text() -> None:
    assert box_width(["demo", "Abdurrahman"]) == box_width(["Abdurrahman"]) > pixels("Abdurrahman")
    assert box_width(["Abdurrahman"], clears=True) == box_width(["Abdurrahman"]) + CLEAR


def test_a_box_is_neither_tiny_nor_wider_than_a_phone() -> None:
    assert box_width([]) == NARROWEST
    assert box_width(["W" * 64]) == WIDEST
