"""Which clips a training uses: found in the folders that its configuration names, or placed by a split, each with the
word that it holds, and enough of each kind."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.errors import CorpusError
from pipeline.i18n import N_, NN_, Message
from pipeline.parallel import Progress
from pipeline.wakeword.config import FEWEST, DataConfig, WakewordConfig
from pipeline.wakeword.data.clips import Clip, ClipScan, Label, scan_folders, source_regex
from pipeline.wakeword.data.splits import AssignedClip, folded, hold_out, read_manifest, sources_known_in

TOO_FEW = {
    Label.POSITIVE: NN_(
        "{where}{n} clip of the word can be used and {n_bad} cannot; at least {fewest} are needed. *Check clips* and "
        "`pronlab wakeword scan` say what is wrong.",
        "{where}{n} clips of the word can be used and {n_bad} cannot; at least {fewest} are needed. *Check clips* and "
        "`pronlab wakeword scan` say what is wrong.",
    ),
    Label.NEGATIVE: NN_(
        "{where}{n} clip of other speech can be used and {n_bad} cannot; at least {fewest} are needed. *Check clips* "
        "and `pronlab wakeword scan` say what is wrong.",
        "{where}{n} clips of other speech can be used and {n_bad} cannot; at least {fewest} are needed. *Check clips* "
        "and `pronlab wakeword scan` say what is wrong.",
    ),
}
OF_A_SPLIT = {"train": N_("{split}, to train on: "), "validation": N_("{split}, to validate on: ")}


@dataclass(frozen=True)
class SelectedClips:
    """Clips by what they are for, their paths relative to `root`; `bad` ones are left out, and the files `left_out`
    of the scan."""

    root: Path
    train: list[Clip]
    held: list[Clip]
    bad: tuple[Clip, ...]
    sources_known: bool
    left_out: tuple[str, ...] = ()


def find_clips(config: WakewordConfig, progress: Progress | None = None) -> SelectedClips:
    """Where the clips are, those to train on and those to validate on. Raises CorpusError where no detector can be
    learnt from them."""
    data = config.data
    if data.split:
        root, placed = _split_clips(data)
        selected = {
            part: [placement.clip for placement in placed if placement.part == part] for part in ("train", "validation")
        }
        for part, clips in selected.items():
            where = Message(OF_A_SPLIT[part], split=data.split)
            _check_enough(clips, (), where, FEWEST if part == "train" else 2)
        return SelectedClips(root, selected["train"], selected["validation"], (), sources_known_in(Path(data.split)))
    check_given(data)
    folders = {label: [Path(f) for f in getattr(data, label.value)] for label in Label}
    scan = scan_folders(folders, source_pattern=data.source or None, progress=progress)
    _check_each([folder for given in folders.values() for folder in given], scan)
    usable = _with_words(scan, data)
    _check_enough(usable, scan.bad)
    if data.max_positives:
        kept: set[str] = set()
        for name in data.names or ("",):
            words = [clip for clip in usable if clip.label is Label.POSITIVE and clip.word == name]
            chosen = np.random.default_rng([config.seed, 7]).permutation(len(words))[: data.max_positives]
            kept |= {words[i].path for i in chosen}
        usable = [clip for clip in usable if clip.label is not Label.POSITIVE or clip.path in kept]
    parts = hold_out(usable, data.validation, config.seed)
    return SelectedClips(scan.root, *parts, scan.bad, scan.sources_known, scan.left_out)


def _split_clips(data: DataConfig) -> tuple[Path, list[AssignedClip]]:
    root, placed = read_manifest(Path(data.split))
    return root, folded(placed, data.fold, data.split) if data.fold >= 0 else placed


def check_given(data: DataConfig) -> None:
    """Raises CorpusError where there is no folder of the word, or none of other speech (what `pronlab wakeword speak`
    wrote brings its own, and a split all), where a split cannot be read, or the pattern of the speakers is none."""
    if data.split:
        _split_clips(data)
        return
    source_regex(data.source or None)
    if not data.positive:
        raise CorpusError(
            N_("No clips of the word are given. Add or speak some under 1 Data, or name a folder with {option}."),
            option="--positive",
        )
    if not data.negative and not any((Path(folder) / Label.NEGATIVE).is_dir() for folder in data.positive):
        raise CorpusError(
            N_(
                "No other speech is given: a detector learns the word and what is not the word. Add some under 1 Data, "
                "choose a recording set under 2 Configuration, or name a folder with {option}."
            ),
            option="--negative",
        )


def _check_each(folders: Sequence[Path], scan: ClipScan) -> None:
    """Raises CorpusError for a folder that was named and brings nothing, which the others would hide."""
    paths = [(scan.root / clip.path).resolve() for clip in scan.clips]
    for folder in folders:
        if not any(path.is_relative_to(folder.resolve()) for path in paths):
            raise CorpusError(
                N_(
                    "There is no audio ({endings}) in {folder}, or only links that lead out of it. Name the folder "
                    "that holds the files."
                ),
                endings=", ".join(AUDIO_SUFFIXES), folder=str(folder),
            )  # fmt: skip


def _with_words(scan: ClipScan, data: DataConfig) -> list[Clip]:
    """The usable clips; of several words, each positive one with its word, in the order of the words. Raises
    CorpusError for a word with too few clips."""
    if not data.words:
        return list(scan.usable)
    named: list[Clip] = []
    for name in data.names:
        folders = [Path(f).absolute() for f, word in zip(data.positive, data.words, strict=True) if word == name]
        clips = [
            replace(clip, word=name)
            for clip in scan.usable
            if clip.label is Label.POSITIVE and any((scan.root / clip.path).is_relative_to(f) for f in folders)
        ]
        if len(clips) < FEWEST:
            raise CorpusError(
                NN_(
                    "{n} clip of {word!r} can be used; at least {fewest} are needed.",
                    "{n} clips of {word!r} can be used; at least {fewest} are needed.",
                ),
                n=len(clips), word=name, fewest=FEWEST,
            )  # fmt: skip
        named += clips
    of_words: dict[str, str] = {}
    for clip in named:
        if (other := of_words.setdefault(clip.digest, clip.word)) != clip.word:
            raise CorpusError(
                N_("{path} is given as a clip of {word!r} and of {other!r}: a clip is of one word."),
                path=clip.path, word=clip.word, other=other,
            )  # fmt: skip
    return named + [clip for clip in scan.usable if clip.label is not Label.POSITIVE]


def _check_enough(usable: Sequence[Clip], bad: Sequence[Clip], where: Message | str = "", words: int = FEWEST) -> None:
    n_usable, n_bad = (Counter(clip.label for clip in clips) for clips in (usable, bad))
    for label, fewest in ((Label.POSITIVE, words), (Label.NEGATIVE, 2)):
        if n_usable[label] < fewest:
            raise CorpusError(TOO_FEW[label], where=where, n=n_usable[label], n_bad=n_bad[label], fewest=fewest)
