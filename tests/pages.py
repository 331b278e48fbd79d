"""What tests look for on a page that `open_page` opened."""

from typing import Any

KINDS = ("title", "caption", "markdown", "error", "warning", "info", "success", "header", "subheader", "metric")


def said(page: Any) -> str:
    """Everything that the page says, in one string."""
    assert not page.exception, page.exception
    return "\n".join(str(element.value) for kind in KINDS for element in getattr(page, kind))


def button(page: Any, label: str) -> Any:
    return next(found for found in page.button if found.label == label)
