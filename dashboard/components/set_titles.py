"""Titles of sets as a page shows them."""

from collections import Counter
from collections.abc import Mapping
from functools import cache

from pipeline.i18n import _


def shown_title(title: str) -> str:
    """In the reader's language where Pronlab gave the title to a set; one that a person gave as it is."""
    return _(title) if title in _given() else title


def distinct_titles(titles: Mapping[str, str]) -> dict[str, str]:
    """As `shown_title`, by the names of the sets; those of one title have their names behind it."""
    shown = {name: shown_title(title) for name, title in titles.items()}
    n_alike = Counter(shown.values())
    return {name: f"{title} ({name})" if n_alike[title] > 1 else title for name, title in shown.items()}


@cache
def _given() -> frozenset[str]:
    from pipeline.corpus.readers.catalogue import LAYOUTS, ORDER
    from pipeline.importing.demo import TITLE

    return frozenset((TITLE, *(LAYOUTS[name].title for name in ORDER)))
