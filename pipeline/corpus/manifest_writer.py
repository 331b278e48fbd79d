"""Utterances as rows of a manifest that `corpus.readers.manifest` reads back, value for value."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.corpus.readers.items import CorpusItem


def manifest_row(
    item: CorpusItem, *, audio: str | None = None, ratings: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """All that is known of an utterance; what is empty is left out. `audio` stands in place of the relative path;
    `ratings` are events as in label files."""
    row: dict[str, Any] = {
        "audio": audio or item.audio,
        "text": item.text,
        "speaker": item.speaker,
        "part": item.part,
        "language": item.language,
        "rubric": str(item.rubric),
        "experts": item.experts,
        "median": item.median,
        "released": item.released,
        "score": item.score,
        **item.extra,
        "ratings": list(ratings or item.ratings),
    }
    return {key: value for key, value in row.items() if value not in (None, {}, [], "")}
