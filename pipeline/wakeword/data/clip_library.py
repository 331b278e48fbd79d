"""The clips that an installation has for a word, in one place that the dashboard and the command line share.

<data root>/wakewords/<word>/
    positive/ negative/ hard_negative/     to learn from
    noise/ rir/                            to mix in
    evaluation/positive/ background/ noise/ near/    never learnt from; near has a folder a phrase
    spoken/                                what synthesisers said, as `pronlab wakeword speak` writes it
    quarantine/                            what nothing can be learnt from, with the reasons
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import artifacts
from pipeline.audio.load import AUDIO_SUFFIXES, audio_files, load_audio
from pipeline.corpus.splits import speaker_holdout
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.wakeword.data.clips import (
    SPOKEN,
    ClipScan,
    Label,
    files_in,
    quarantine,
    scan_folders,
    source_in,
    source_regex,
)
from pipeline.wakeword.wake_words import wake_word

LEARNING = (*Label, "noise", "rir")
EVALUATION = ("positive", "background", "noise", "near")
PARTS = (*map(str, LEARNING), *(f"evaluation/{name}" for name in EVALUATION))
NEAR = "evaluation/near"
# What is learnt from, and where clips of it wait for the evaluation. Similar phrases there have a folder a phrase.
SET_ASIDE = {
    str(Label.POSITIVE): "evaluation/positive", str(Label.NEGATIVE): "evaluation/background",
    "noise": "evaluation/noise",
}  # fmt: skip


@dataclass(frozen=True)
class ClipLibrary:
    """One word's folder."""

    name: str
    root: Path

    def folder(self, part: str) -> Path:
        """Raises CorpusError for a part that there is not."""
        if part not in PARTS:
            raise CorpusError(N_("Clips are {known}; got {part!r}."), known=", ".join(PARTS), part=part)
        return self.root / part

    @property
    def spoken(self) -> Path:
        """Where `pronlab wakeword speak` writes clips of this word for the page; a folder of positives for training."""
        return self.root / "spoken"

    @property
    def has_spoken(self) -> bool:
        return (self.spoken / SPOKEN).is_file()

    def files(self, part: str) -> list[Path]:
        return audio_files(self.folder(part))

    def learnt_from(self, label: Label) -> list[Path]:
        """What a training learns the class from: what somebody gave, then what synthesisers said."""
        return self.files(label) + (audio_files(self.spoken / label) if self.has_spoken else [])

    @property
    def counts(self) -> dict[str, int]:
        return {part: len(self.files(part)) for part in PARTS}

    def add(self, part: str, name: str, content: bytes) -> Path:
        """Keep an upload; of the same name, both are kept. Raises AudioError for what cannot be read as audio,
        CorpusError for a name that is none."""
        safe = Path(name).name
        if safe.startswith(".") or Path(safe).suffix.lower() not in AUDIO_SUFFIXES:
            raise CorpusError(
                N_("{name!r} is no clip; expected a file ending in {endings}."),
                name=name,
                endings=", ".join(AUDIO_SUFFIXES),
            )
        load_audio(content, name=safe)
        target = _free(self.folder(part) / safe)
        artifacts.write_bytes(target, content)
        return target

    def remove(self, part: str, names: Sequence[str]) -> None:
        """Delete clips, by their paths in the part's folder. Raises CorpusError, before any is deleted, for one that is
        not there."""
        folder = self.folder(part)
        files = {file.relative_to(folder).as_posix(): file for file in self.files(part)}
        for name in names:
            if name not in files:
                raise CorpusError(N_("There is no clip {name!r}."), name=name)
        for name in names:
            files[name].unlink()

    def scan(self, source_pattern: str | None = None, progress: Progress | None = None) -> ClipScan:
        """What there is to learn from, with what synthesisers said. Raises CorpusError where there is nothing."""
        folders: dict[Label, list[Path]] = {
            label: [self.folder(label)] for label in Label if self.folder(label).is_dir()
        }
        if self.has_spoken:  # brings class folders of its own
            folders.setdefault(Label.POSITIVE, []).append(self.spoken)
        return scan_folders(folders, source_pattern=source_pattern, progress=progress)

    def quarantine(self, scan: ClipScan) -> list[Path]:
        """Move the bad clips of a scan aside, with the reasons."""
        return quarantine(scan, _free(self.root / "quarantine"))

    def set_aside(
        self, share: float, part: str = Label.POSITIVE, source_pattern: str | None = None, seed: int = 0
    ) -> int:
        """Move a share of the clips of a part of SET_ASIDE to the evaluation; returns how many. With the pattern of a
        speaker (see `scan_folders`), all clips of one go or stay. Raises CorpusError for no clips, a pattern that finds
        no speaker, and one speaker alone."""
        source, files = self.folder(part), self.files(part)
        if not files:
            raise CorpusError(N_("There are no clips of this kind yet."))
        if not 0.0 < share < 1.0:
            raise CorpusError(N_("The share lies between 0 and 1, got {share}."), share=share)
        pattern = source_regex(source_pattern)
        if pattern is None:
            order = np.random.default_rng(seed).permutation(len(files))[: max(1, round(share * len(files)))]
            chosen = [files[i] for i in order]
        else:
            speakers = [source_in(file.relative_to(source).as_posix(), pattern) for file in files]
            held = speaker_holdout(speakers, share, seed)
            chosen = [file for file, is_held in zip(files, held, strict=True) if is_held]
        return _move(chosen, source, self.folder(SET_ASIDE[part]))

    def take_back(self, part: str = Label.POSITIVE) -> int:
        """Move all of a part of SET_ASIDE that was set aside back to what is learnt from; returns how many."""
        aside = SET_ASIDE[part]
        return _move(self.files(aside), self.folder(aside), self.folder(part))


def library_names(settings: Settings) -> list[str]:
    root = _root(settings)
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def open_library(settings: Settings, name: str, *, create: bool = False) -> ClipLibrary:
    """Raises CorpusError for what cannot be a wake word, or one that is not there."""
    word = name if name in library_names(settings) else wake_word(name)
    library = ClipLibrary(word, _root(settings) / word)
    if not create and not library.root.is_dir():
        known = ", ".join(library_names(settings)) or Message(N_("none yet"))
        raise CorpusError(
            N_("There are no clips of {word!r}; words here: {known}. `pronlab wakeword add` brings some."),
            word=word,
            known=known,
        )
    library.root.mkdir(parents=True, exist_ok=True)
    return library


class KnownClips:
    """Which clips a word has, by what is in them: no file is kept twice, under another name or in another part, where
    it would be trained on and measured on."""

    def __init__(self, library: ClipLibrary) -> None:
        self._by_size: dict[int, list[tuple[str, Path]]] = {}
        for part in PARTS:
            for path in library.files(part):
                self.note(part, path)

    def note(self, part: str, path: Path) -> None:
        self._by_size.setdefault(path.stat().st_size, []).append((part, path))

    def part_of(self, content: bytes) -> str | None:
        """The part that has a file with this content; None where none has."""
        alike = self._by_size.get(len(content), [])
        return next((part for part, path in alike if path.read_bytes() == content), None)


@dataclass(frozen=True)
class AddedClips:
    """How many files of each part were copied, and how many the word had already, in whatever part."""

    added: dict[str, int]
    known: dict[str, int]


def add_folders(
    settings: Settings, name: str, folders: Mapping[str, Sequence[Path]], progress: Progress | None = None
) -> AddedClips:
    """Copy the audio of `folders` (by part) into the collection, but for files that it has. Folders within a part are
    kept; similar phrases come into a folder for each phrase (see `phrases_in`). Raises CorpusError for a folder without
    audio."""
    given = [(part, place, file) for part, sources in folders.items() for place, file in _placed(part, sources)]
    collection = open_library(settings, name, create=True)
    clips = KnownClips(collection)
    outcome = AddedClips(dict.fromkeys(folders, 0), {})
    for number, (part, place, file) in enumerate(given, start=1):
        content = file.read_bytes()
        if clips.part_of(content) is not None:
            outcome.known[part] = outcome.known.get(part, 0) + 1
        else:
            target = _free(collection.folder(part) / place)
            artifacts.write_bytes(target, content)
            clips.note(part, target)
            outcome.added[part] += 1
        if progress is not None:
            progress(number, len(given), "copying clips")
    return outcome


def _placed(part: str, sources: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The audio of folders, each file after the place that it gets in a part. Raises CorpusError for a folder without
    audio."""
    from pipeline.wakeword.data.near_clips import folder_of, phrases_in

    placed: list[tuple[Path, Path]] = []
    for source in sources:
        if part == NEAR:
            phrases = phrases_in(source).items()
            placed += [(folder_of(phrase) / file.name, file) for phrase, files in phrases for file in files]
            continue
        placed += [(file.relative_to(source), file) for file in files_in(source)]
    return placed


def _root(settings: Settings) -> Path:
    return settings.data_root / "wakewords"


def _move(files: Sequence[Path], source: Path, target: Path) -> int:
    for file in files:
        destination = _free(target / file.relative_to(source))
        destination.parent.mkdir(parents=True, exist_ok=True)
        file.rename(destination)
    return len(files)


def _free(path: Path) -> Path:
    """`path`, or the same name with a number that is not taken."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free
