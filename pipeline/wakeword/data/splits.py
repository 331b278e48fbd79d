"""Which clips to learn from, to choose on and to report on: by source, kept as a manifest so that it stays so."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline import artifacts, jsonl
from pipeline.corpus.sets import spelled
from pipeline.corpus.splits import speaker_folds, speaker_holdout
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, NN_
from pipeline.records import to_json
from pipeline.wakeword.data.clips import Clip, ClipScan, Label

PARTS = ("train", "validation", "test")
MANIFEST, ABOUT = "clips.jsonl", "split.json"


@dataclass(frozen=True)
class AssignedClip:
    """A clip in its `part`; `fold` within the training part, where folds were asked for, else None."""

    clip: Clip
    part: str
    fold: int | None = None


def split_clips(
    scan: ClipScan, *, validation: float = 0.15, test: float = 0.15, folds: int = 0, seed: int = 0
) -> list[AssignedClip]:
    """The usable clips of a scan in three parts that share no source, each class with its share in each.

    Raises CorpusError for shares that leave nothing, and for a class with too few sources.
    """
    if not (0.0 < validation < 1.0 and 0.0 < test < 1.0 and validation + test < 0.9):
        raise CorpusError(
            N_("The shares for validation and test lie between 0 and .9 together, got {validation}, {test}."),
            validation=validation,
            test=test,
        )
    part_of = dict.fromkeys({clip.source for clip in scan.usable}, "train")
    for label in Label:
        sources = [clip.source for clip in scan.usable if clip.label is label]
        if not sources:
            continue
        if len(set(sources)) < len(PARTS):
            raise CorpusError(
                NN_(
                    "The class {label} has {n} source; a split needs at least {n_parts}.",
                    "The class {label} has {n} sources; a split needs at least {n_parts}.",
                ),
                label=label,
                n=len(set(sources)),
                n_parts=len(PARTS),
            )
        held = _held(sources, test, seed)
        part_of.update(dict.fromkeys(held, "test"))
        rest = [source for source in sources if source not in held]
        part_of.update(dict.fromkeys(_held(rest, validation / (1.0 - test), seed + 1), "validation"))
    training = [clip.source for clip in scan.usable if part_of[clip.source] == "train"]
    fold_of: dict[str, int] = {}
    if folds:
        fold_of = dict(zip(training, map(int, speaker_folds(training, folds, seed)), strict=True))
    return [AssignedClip(clip, part_of[clip.source], fold_of.get(clip.source)) for clip in scan.usable]


def hold_out(clips: Sequence[Clip], share: float, seed: int) -> tuple[list[Clip], list[Clip]]:
    """To train on and to validate on: of each class about `share` held back, by source. A synthetic voice that speaks
    more than that of a class is trained on, where there are others. Raises CorpusError for a class with a single
    source."""
    held: set[str] = set()
    words = dict.fromkeys(clip.word for clip in clips if clip.label is Label.POSITIVE)
    classes = [(label, word) for label in Label for word in (words if label is Label.POSITIVE else ("",))]
    for label, word in classes:
        sources = [clip.source for clip in clips if clip.label is label and clip.word == word]
        if sources and len(set(sources)) < 2:
            raise CorpusError(
                N_("The class {label} has one source; one to train on and one to validate on are needed."),
                label=word or label,
            )
        spoken = Counter(clip.source for clip in clips if clip.synthetic and (clip.label, clip.word) == (label, word))
        others = [source for source in sources if spoken[source] <= share * len(sources)]
        pool = others if len(set(others)) > 1 else sources
        # A voice speaks clips of several classes: what is held back of it already counts.
        left = [source for source in pool if source not in held]
        wanted = share * len(pool) - (len(pool) - len(left))
        if wanted > 0 and len(set(left)) > 1:
            held |= _held(left, wanted / len(left), seed)
    return [c for c in clips if c.source not in held], [c for c in clips if c.source in held]


def folded(placed: Sequence[AssignedClip], fold: int, name: str) -> list[AssignedClip]:
    """The training part of a split for cross-validation: the clips of `fold` validate, the others are trained on, and
    the other parts rest. Raises CorpusError for a split (of that `name`) that has no such fold."""
    training = [clip for clip in placed if clip.part == "train"]
    folds = sorted({clip.fold for clip in training if clip.fold is not None})
    if fold not in folds:
        if not folds:
            raise CorpusError(
                N_("{name} has no fold {fold}: there are no folds (`pronlab wakeword split --folds N`)."),
                name=name,
                fold=fold,
            )
        raise CorpusError(
            N_("{name} has no fold {fold}: there are the folds {first} to {last}."),
            name=name,
            fold=fold,
            first=folds[0],
            last=folds[-1],
        )
    return [replace(clip, part="validation" if clip.fold == fold else "train") for clip in training]


def write_manifest(folder: Path, placed: Sequence[AssignedClip], root: Path, seed: int, *, sources_known: bool) -> Path:
    """`clips.jsonl`, one object a clip, and `split.json` with where the clips are and how they were split.
    `sources_known` is that of the scan."""
    jsonl.write(
        folder / MANIFEST,
        ({**to_json(placement.clip), "part": placement.part, "fold": placement.fold} for placement in placed),
    )
    about = {"root": root.absolute(), "seed": seed, "n": len(placed), "sources_known": sources_known}
    artifacts.write_json(folder / ABOUT, about)
    return folder / MANIFEST


def read_manifest(folder: Path) -> tuple[Path, list[AssignedClip]]:
    """The clips' root, and the clips as they were split. Raises CorpusError for what is no such manifest."""
    try:
        root = Path(artifacts.read_json(folder / ABOUT)["root"])
        placed = []
        for raw in jsonl.read(folder / MANIFEST):
            part, fold = raw.pop("part"), raw.pop("fold")
            raw.pop("problems", None)
            raw["path"] = spelled(root, raw["path"])
            placed.append(AssignedClip(Clip(**{**raw, "label": Label(raw["label"])}), part, fold))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            N_("{folder} holds no split of clips ({reason}). `pronlab wakeword split` makes one."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    return root, placed


def sources_known_in(folder: Path) -> bool:
    """Whether the speakers of all clips of a split are known; splits of earlier releases do not say so."""
    return artifacts.read_json(folder / ABOUT).get("sources_known") is True


def reported_part(folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Clips of the word and others that a split keeps for the report. Raises CorpusError where one is missing."""
    root, placed = read_manifest(folder)
    clips = [placement.clip for placement in placed if placement.part == "test"]
    words = tuple(root / clip.path for clip in clips if clip.label is Label.POSITIVE)
    others = tuple(root / clip.path for clip in clips if clip.label is not Label.POSITIVE)
    if not words or not others:
        raise CorpusError(
            N_(
                "The test part of {folder} needs clips of the word and others; it has {n_words} of the word and "
                "{n_others} of others."
            ),
            folder=str(folder),
            n_words=len(words),
            n_others=len(others),
        )
    return words, others


def _held(sources: Sequence[str], share: float, seed: int) -> set[str]:
    chosen = speaker_holdout(sources, share, seed)
    return set(np.asarray(sources)[chosen].tolist())
