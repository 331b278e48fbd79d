"""The list of 100,000 recordings: one page of it, filtered, searched and sorted, for a rater and for a reviewer.

Beside it, what the index is there to avoid: going through the recordings in Python.
"""

import tempfile
from pathlib import Path

from pipeline.labels.index import Index
from pipeline.labels.recording_list import Filter, ListQuery, Sort, list_recordings
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.people.names import name_key
from pipeline.records import RatingAction, RatingEvent
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.bench import BenchResult, best_s
from tests.bench.labelling import N, installation

EXPERT = Identity("old", frozenset({Role.EXPERT}))
REVIEWER = Identity("Rita", frozenset({Role.REVIEWER}))
QUERIES = {
    "searched": (EXPERT, ListQuery("big", search="word 77")),
    "not rated by me": (EXPERT, ListQuery("big", filter=Filter.OPEN, search="participant_09")),
    "rated by me, lowest first": (EXPERT, ListQuery("big", filter=Filter.RATED, sort=Sort.MY_SCORE)),
    "my latest first": (EXPERT, ListQuery("big", sort=Sort.MINE)),
    "largest difference first": (REVIEWER, ListQuery("big", sort=Sort.SPREAD)),
    "not rated by anybody, by text": (REVIEWER, ListQuery("big", filter=Filter.UNRATED, sort=Sort.TEXT)),
    "last page": (REVIEWER, ListQuery("big", offset=N - 50)),
}


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "data", Path(folder) / "models")
        installation(settings, Path(folder) / "corpus")
        index = Index(settings)
        index.rebuild()
        first = index.recordings("big", limit=1)[0]
        LabelStore(settings).add(first, RatingEvent("Ada", RatingAction.RATE, now_iso(), score=20))
        in_python_s = best_s(lambda: _searched_in_python(index), 1)
        return [_measured(index, name, *asked, in_python_s) for name, asked in QUERIES.items()]


def _measured(index: Index, name: str, identity: Identity, query: ListQuery, in_python_s: float) -> BenchResult:
    took_s = best_s(lambda: list_recordings(index, query, identity), 5)
    return BenchResult(
        f"a page of {N:,}, {name}", 1000 * took_s, "ms", "< 200", "a search in Python", in_python_s / took_s
    )


def _searched_in_python(index: Index) -> int:
    return sum("word 77" in name_key(f"{r.speaker} {r.text}") for r in index.recordings("big"))
