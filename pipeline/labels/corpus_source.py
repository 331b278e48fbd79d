"""A corpus to train on or to evaluate against, of an imported set or of a manifest: one form, whichever it came from.

A set has what its corpus says (`corpus.jsonl`) and the ratings that people gave here. Where the corpus has no scores of
a recording, those ratings take their place; recordings that a reviewer excluded are left out.
"""

import hashlib
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.corpus.manifest_writer import manifest_row
from pipeline.corpus.readers.items import SENTENCE_KEYS, CorpusItem
from pipeline.corpus.readers.manifest import read_manifest
from pipeline.corpus.sets import RecordingSet, confined, corpus_file, get_set, list_sets, read_recordings
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.labels.index import Index
from pipeline.records import Problem, RatingAction, RatingSource, Recording, RubricName
from pipeline.settings import Settings

AUTO = "auto"  # a part that is found, and told
TRAIN_PARTS = ("train", "training")
HELD_OUT_PARTS = ("dev", "validation", "valid", "val", "test", "eval")


@dataclass(frozen=True)
class CorpusSource:
    """`name` is what a model is said to be trained on, the set's where there is one; `title` names the source in
    messages."""

    name: str
    title: str
    root: Path
    items: tuple[CorpusItem, ...]
    problems: tuple[Problem, ...] = ()

    def path_of(self, item: CorpusItem) -> Path:
        """Raises CorpusError for a path that leaves the root."""
        return confined(self.root, item.audio)

    def parts(self) -> list[str]:
        return sorted({item.part for item in self.items if item.part is not None})

    def of_part(self, part: str) -> list[CorpusItem]:
        """All for "". Raises CorpusError for a part that is not there, naming those that are."""
        if part and part not in self.parts():
            there = Message(N_("It has no parts; leave --part out"))
            if self.parts():
                there = Message(N_("It has the parts {parts}"), parts=", ".join(self.parts()))
            raise CorpusError(
                N_("{title} has no recordings in part {part!r}. {there}."), title=self.title, part=part, there=there
            )
        return [item for item in self.items if part in ("", item.part)]

    def digest(self, *also: Any) -> str:
        """Changes with the recordings and whatever is said of them."""
        digest = hashlib.sha256(repr((str(self.root), also)).encode())
        for item in self.items:
            digest.update(jsonl.dumps(manifest_row(item)))
        return digest.hexdigest()[:16]


def open_source(settings: Settings, *, set: str = "", manifest: str | Path = "") -> CorpusSource:
    """Of a set or a manifest. Raises CorpusError or UnknownNameError where it cannot be read."""
    if bool(set) == bool(manifest):
        raise CorpusError(N_("Give either a set or a manifest."))
    return of_set(settings, set) if set else of_manifest(settings, Path(manifest))


def of_manifest(settings: Settings | None, path: Path, *, with_audio: bool = True) -> CorpusSource:
    """A manifest that was imported goes by its set's name, so that a model trained on that set is recognised. Raises
    CorpusError where it cannot be read, or `with_audio`, where it names pieces of longer recordings, which an import
    makes files."""
    scan = read_manifest(path)
    if with_audio and any(item.clip is not None for item in scan.items):
        raise CorpusError(
            N_("{path} names pieces of longer recordings. Import it with `pronlab import`, and give the set instead."),
            path=str(path),
        )
    set_ = None if settings is None else set_of_manifest(settings, path)
    name = path.parent.name if set_ is None else set_.name
    items = scan.items if set_ is None else tuple(_spoken(set_, scan.items))
    return CorpusSource(name, str(path), path.parent, items, scan.problems)


def set_of_manifest(settings: Settings, path: Path) -> RecordingSet | None:
    """The set that a manifest was imported as."""
    path = path.absolute()
    sets = [set_ for set_ in list_sets(settings) if set_.kind == "manifest"]
    exact = [set_ for set_ in sets if set_.source == str(path)]
    return next(iter(exact or [set_ for set_ in sets if set_.root == path.parent]), None)


def of_set(settings: Settings, name: str) -> CorpusSource:
    """What the corpus says of the recordings of a set, and what people rated here."""
    set_ = get_set(settings, name)
    index = Index(settings)
    index.refresh_set(name)  # label files may have been edited by hand
    excluded = _excluded(index, name)
    items = [item for item in corpus_items(settings, set_) if f"{name}/{item.key}" not in excluded]
    return CorpusSource(name, f"The set {name!r}", set_.root, tuple(_spoken(set_, _rated(index, set_, items))))


def has_human_ratings(settings: Settings, name: str) -> bool:
    """Whether people rated or reviewed here, beyond what came with the corpus."""
    sql = "SELECT 1 FROM events WHERE set_name = ? AND source = ? AND stands LIMIT 1"
    return bool(Index(settings).rows(sql, [name, str(RatingSource.HUMAN)]))


def chosen_part(source: CorpusSource, part: str) -> str:
    """The part to train on: as given, else `train` where there is one, all where there are no parts. Raises CorpusError
    where somebody has to say."""
    if part != AUTO:
        source.of_part(part)
        return part
    parts = source.parts()
    if not parts:
        return ""
    known = [p for p in parts if p.casefold() in TRAIN_PARTS] or [p for p in parts if p.casefold().startswith("train")]
    if len(known) == 1:
        return known[0]
    raise CorpusError(
        N_("{title} has the parts {parts}. Say which to train on with --part."),
        title=source.title,
        parts=", ".join(parts),
    )


def chosen_evaluation_part(source: CorpusSource, part: str, train: str) -> str:
    """The part to measure on: as given, else the one that is held out by its name; "" for some of the training
    speakers, where there is none."""
    if part != AUTO:
        source.of_part(part)
        return part
    if not train:
        return ""
    others = {p.casefold(): p for p in source.parts() if p != train}
    return next((others[name] for name in HELD_OUT_PARTS if name in others), "")


def corpus_items(settings: Settings, set_: RecordingSet) -> Sequence[CorpusItem]:
    """What the corpus of a set says of its recordings, without what was rated here."""
    file = corpus_file(settings, set_.name)
    if file.is_file():
        return read_manifest(file, set_.root).items
    return [_of_recording(recording) for recording in read_recordings(settings, set_.name)]


def _of_recording(recording: Recording) -> CorpusItem:
    """Of a set that was imported before there was a `corpus.jsonl`: without scores of words and phones."""
    extra = {key: value for key, value in recording.extra.items() if key not in ("stat", "median", "released")}
    return CorpusItem(
        key=recording.id.split("/", 1)[1],
        audio=recording.path,
        text=recording.text,
        speaker=recording.speaker,
        rubric=recording.rubric,
        language=recording.language,
        part=recording.part,
        median=recording.extra.get("median") or {},
        released=recording.extra.get("released") or {},
        extra=extra,
    )


def _spoken(set_: RecordingSet, items: Iterable[CorpusItem]) -> Iterable[CorpusItem]:
    return (item if item.language != "und" else replace(item, language=set_.language) for item in items)


def _excluded(index: Index, name: str) -> set[str]:
    sql = "SELECT id FROM recordings WHERE set_name = ? AND review = ?"
    return {row["id"] for row in index.rows(sql, [name, str(RatingAction.EXCLUDE)])}


def _rated(index: Index, set_: RecordingSet, items: Sequence[CorpusItem]) -> Iterable[CorpusItem]:
    """With the ratings given here where the corpus has no scores of its own."""
    if all(item.experts or item.released or item.median or item.score is not None for item in items):
        return items
    labels = index.labels(set_.name)
    labels = labels[(labels["action"] == "rate") & (labels["source"] != str(RatingSource.MOCK))]
    rows: dict[str, list[tuple[dict[str, float], float]]] = {}
    columns = (labels[name] for name in ("recording_id", "dimensions", "score", "rubric"))
    for key, dimensions, score, reference in zip(*columns, strict=True):
        shipped = reference.partition("@")[0] in ("", RubricName.SENTENCE)  # another's dimensions have other scales
        rows.setdefault(key, []).append((artifacts.loads(dimensions) if shipped else {}, float(score)))
    return [_with(item, rows.get(f"{set_.name}/{item.key}", [])) for item in items]


def _with(item: CorpusItem, ratings: list[tuple[dict[str, float], float]]) -> CorpusItem:
    if not ratings or item.experts or item.released or item.median or item.score is not None:
        return item
    whole = [values for values, _ in ratings if all(key in values for key in SENTENCE_KEYS)]
    if item.rubric is RubricName.SENTENCE and whole:
        experts = {key: [float(values[key]) for values in whole] for key in SENTENCE_KEYS}
        return replace(item, experts=experts, median={key: statistics.median(v) for key, v in experts.items()})
    scores = [score for _, score in ratings if not math.isnan(score)]
    return replace(item, score=statistics.median(scores)) if scores else item
