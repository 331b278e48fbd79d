"""Experts' scores to evaluate against, of a manifest or of a set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.corpus.readers.items import CorpusItem
from pipeline.errors import CorpusError
from pipeline.evaluation.pairing import target_of_item
from pipeline.i18n import N_, NN_, Message
from pipeline.labels.corpus_source import CorpusSource, has_human_ratings, of_manifest, of_set
from pipeline.labels.index import Index
from pipeline.metrics.human_ceiling import leave_one_out
from pipeline.scoring.batch import Item
from pipeline.settings import Settings

Kind = Literal["released", "median", "consensus"]


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
    4 points of 100 under the medians). Raises CorpusError where the manifest is unusable, or mixes words and sentences,
    which no one scorer scores.
    """
    return _of_corpus(of_manifest(settings, path), part, prefer_median)


def reference_of_set(settings: Settings, set_name: str, part: str = "", kind: Kind | None = None) -> ExpertReference:
    """Every scored recording of a set: against the scores that the corpus came with, as its manifest would be, or
    against the consensus (0-100) of all ratings as the label files are now. The latter is the default where people
    rated here, or the corpus has no scores. Raises CorpusError for a part that is not there."""
    source = of_set(settings, set_name)
    if kind is None:
        has_scores = any(item.released or item.median for item in source.items)
        kind = "released" if has_scores and not has_human_ratings(settings, set_name) else "consensus"
    if kind != "consensus":
        return _of_corpus(source, part, kind == "median")
    scores = Index(settings).consensus_scores(set_name).set_index("recording_id")["score"].to_dict()
    chosen = [item for item in source.of_part(part) if f"{source.name}/{item.key}" in scores]
    items = _scored(source, chosen)
    return ExpertReference("consensus", items, tuple(float(scores[i.recording_id]) for i in items), {}, tuple(chosen))


def _of_corpus(source: CorpusSource, part: str, prefer_median: bool) -> ExpertReference:
    items = [
        replace(item, released={} if prefer_median and item.median else item.released) for item in source.of_part(part)
    ]
    chosen = [item for item in items if item.reference is not None]
    if len({item.rubric for item in chosen}) > 1:
        raise CorpusError(N_("{title} mixes words and sentences. Give each its own manifest."), title=source.title)
    # One kind of reference for all: figures against a mixture could not be compared with anybody's.
    kinds = {item.reference[0] for item in chosen if item.reference is not None}
    if len(kinds) == 1:
        name = kinds.pop()
    else:
        name = "median" if all("total" in item.median for item in chosen) else "mixed"
    values = [_value(item, name) for item in chosen]
    n_bad = len(source.problems)
    warnings: list[str] = []
    if n_bad:
        text = NN_("{n} line could not be used: {first}", "{n} lines could not be used. First: {first}")
        warnings.append(Message(text, n=n_bad, first=source.problems[0].message))
    if name == "mixed":
        warnings.append("The manifest mixes kinds of reference scores; the figures mix them, too.")
    return ExpertReference(
        name, _scored(source, chosen), tuple(values), _ceiling(chosen), tuple(chosen), tuple(warnings)
    )


def _scored(source: CorpusSource, chosen: Sequence[CorpusItem]) -> tuple[Item, ...]:
    return tuple(
        Item(f"{source.name}/{item.key}", source.path_of(item), item.speaker, target_of_item(item)) for item in chosen
    )


def _value(item: CorpusItem, name: str) -> float:
    if name == "median":
        return 10.0 * item.median["total"]
    reference = item.reference
    if reference is None:
        raise CorpusError(N_("{key} has no reference score."), key=item.key)
    return reference[1]


def _ceiling(items: Sequence[CorpusItem]) -> dict[str, float]:
    """The experts among themselves, on total x 10; empty unless every item has the same number of experts. Items that
    an expert left out are left out."""
    rows = [(item.speaker, item.experts.get("total", [])) for item in items]
    if not rows or len({len(totals) for _, totals in rows}) != 1 or len(rows[0][1]) < 2:
        return {}
    whole = [(speaker, totals) for speaker, totals in rows if not any(map(math.isnan, totals))]
    if not whole:
        return {}
    ceiling = leave_one_out(
        10.0 * np.asarray([totals for _, totals in whole]), speakers=[speaker for speaker, _ in whole]
    )
    return {} if ceiling is None else ceiling.mean
