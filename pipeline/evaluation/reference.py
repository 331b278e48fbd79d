"""Experts' scores to evaluate against, of a manifest or of a set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.readers.manifest import read_manifest
from pipeline.corpus.sets import RecordingSet, audio_path, get_set, language_of, sets_at
from pipeline.errors import CorpusError
from pipeline.evaluation.pairing import item_of_recording, target_of_item
from pipeline.labels.index import Index
from pipeline.metrics.human_ceiling import leave_one_out
from pipeline.scoring.batch import Item
from pipeline.settings import Settings


@dataclass(frozen=True)
class ExpertReference:
    """Experts' scores (0-100) of the recordings to be scored."""

    name: str
    items: tuple[Item, ...]
    experts: tuple[float, ...]
    ceiling: dict[str, float]
    corpus: tuple[CorpusItem, ...] = ()
    warnings: tuple[str, ...] = ()


def reference_of_manifest(
    path: Path, part: str = "", *, prefer_median: bool = False, settings: Settings | None = None
) -> ExpertReference:
    """Every scored utterance of a manifest: the released score where there is one, else the experts' median, else the
    single score.

    With `prefer_median` the median comes first: released scores may lie on another level (those of speechocean762 are
    4 points of 100 under the medians). With `settings`, a manifest that was imported goes by its set's name, so that a
    model trained on that set is recognised. Raises CorpusError where the manifest is unusable, or mixes words and
    sentences, which no one scorer scores.
    """
    scan = read_manifest(path)
    set_ = _set_of(settings, path)
    name_of_set = path.parent.name if set_ is None else set_.name
    language = "und" if set_ is None else set_.language
    items = [
        replace(
            item,
            released={} if prefer_median and item.median else item.released,
            language=language if item.language == "und" else item.language,
        )
        for item in scan.items
    ]
    chosen = [item for item in items if part in ("", item.part) and item.reference is not None]
    if len({item.rubric for item in chosen}) > 1:
        raise CorpusError(f"{path} mixes words and sentences. Give each its own manifest.")
    # One kind of reference for all: figures against a mixture could not be compared with anybody's.
    kinds = {item.reference[0] for item in chosen if item.reference is not None}
    if len(kinds) == 1:
        name = kinds.pop()
    else:
        name = "median" if all("total" in item.median for item in chosen) else "mixed"
    values = [_value(item, name) for item in chosen]
    scored = tuple(
        Item(f"{name_of_set}/{item.key}", path.parent / item.audio, item.speaker, target_of_item(item))
        for item in chosen
    )  # fmt: skip
    warnings = (
        [f"{len(scan.problems)} lines could not be used. First: {scan.problems[0].message}"] if scan.problems else []
    )
    if name == "mixed":
        warnings.append("The manifest mixes kinds of reference scores; the figures mix them, too.")
    return ExpertReference(name, scored, tuple(values), _ceiling(chosen), tuple(chosen), tuple(warnings))


def reference_of_set(settings: Settings, set_name: str, part: str = "") -> ExpertReference:
    """Every recording of a set with a consensus score, from the label files as they are now."""
    set_ = get_set(settings, set_name)
    index = Index(settings)
    index.refresh_set(set_name)
    scores = index.consensus_scores(set_name).set_index("recording_id")["score"].to_dict()
    recordings = [r for r in index.recordings(set_name) if r.id in scores and part in ("", r.part)]
    corpus = tuple(replace(item_of_recording(r), language=language_of(set_, r)) for r in recordings)
    items = tuple(
        Item(r.id, audio_path(set_, r), r.speaker, target_of_item(item))
        for r, item in zip(recordings, corpus, strict=True)
    )
    return ExpertReference("consensus", items, tuple(float(scores[r.id]) for r in recordings), {}, corpus)


def _set_of(settings: Settings | None, manifest: Path) -> RecordingSet | None:
    sets = [] if settings is None else sets_at(settings, manifest.absolute().parent)
    return next((set_ for set_ in sets if set_.kind == "manifest"), None)


def _value(item: CorpusItem, name: str) -> float:
    if name == "median":
        return 10.0 * item.median["total"]
    reference = item.reference
    if reference is None:
        raise CorpusError(f"{item.key} has no reference score.")
    return reference[1]


def _ceiling(items: Sequence[CorpusItem]) -> dict[str, float]:
    """The experts among themselves, on total x 10; empty unless every item has the same number of experts."""
    totals = [item.experts.get("total", []) for item in items]
    if not totals or len({len(row) for row in totals}) != 1 or len(totals[0]) < 2:
        return {}
    ceiling = leave_one_out(10.0 * np.asarray(totals), speakers=[item.speaker for item in items])
    return {} if ceiling is None else ceiling.mean
