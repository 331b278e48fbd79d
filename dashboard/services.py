"""What pages ask for: settings, stores and scorers, made here and cached where making them is slow.

Every import of the pipeline's heavier parts is inside a function, so that the first page stays light. Cached things
are keyed by the settings, so that two installations in one process (tests) never share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.corpus.sets import RecordingSet
    from pipeline.labels.index import Index
    from pipeline.labels.store import LabelStore


def settings() -> Settings:
    return Settings.from_env()


def index() -> Index:
    """The index over recordings and labels, built first where it is missing."""
    from pipeline.labels.index import Index

    opened = Index(settings())
    opened.ensure()
    return opened


def label_store() -> LabelStore:
    from pipeline.labels.store import LabelStore

    return LabelStore(settings())


def sets() -> list[RecordingSet]:
    from pipeline.corpus.sets import list_sets

    return list_sets(settings())
