"""Titles of sets as a page shows them."""

from functools import cache

from pipeline.i18n import _


def shown_title(title: str) -> str:
    """In the reader's language where Pronlab gave the title to a set; one that a person gave as it is."""
    return _(title) if title in _given() else title


@cache
def _given() -> frozenset[str]:
    from pipeline.corpus.readers.catalogue import LAYOUTS, ORDER
    from pipeline.importing.demo import TITLE

    return frozenset((TITLE, *(LAYOUTS[name].title for name in ORDER)))
