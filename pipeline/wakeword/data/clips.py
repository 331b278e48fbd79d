"""The clips of a wake word: found in class folders, checked, counted, and what is wrong with them set aside.

    <root>/positive/        the word
    <root>/negative/        other speech, noise, music
    <root>/hard_negative/   what sounds like the word

Folders of other names are mapped (`computer=positive`) or refused: a class that is silently left out would be missed
only in the detector.
"""

import difflib
import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial, reduce
from pathlib import Path

import numpy as np

from pipeline import jsonl
from pipeline.audio.check import check_audio
from pipeline.audio.load import AUDIO_SUFFIXES, audio_files, load_audio, other_files, stray_links
from pipeline.errors import AudioError, CorpusError, said_by
from pipeline.i18n import N_, NN_, Message, joined
from pipeline.parallel import Progress, map_ordered
from pipeline.records import Problem, Seconds
from pipeline.wakeword.data.decoded_clips import MAX_DURATION_S
from pipeline.write_errors import not_written

SPOKEN = (
    "spoken.jsonl"  # what the clips of a folder are that `pronlab wakeword speak` wrote, each in its voice's folder
)
ABOUT = "spoken.json"  # which word they say; written first
QUARANTINE_REASONS = "reasons.jsonl"
LONGEST_S: Seconds = 10.0  # of a clip of the word, with what is silent around it
BAD = ("unreadable", "silent", "too_short", "too_long", "empty")


class Label(StrEnum):
    POSITIVE = "positive"
    NEGATIVE = "negative"
    HARD_NEGATIVE = "hard_negative"


@dataclass(frozen=True)
class Clip:
    """One file. `path` is relative to the root; `source` names the speaker, or the file it was cut from, whose clips
    must stay on one side of a split; `digest` is of the decoded sound, the same for two files with the same. `word` is
    which word a positive clip holds, where a detector learns several; `synthetic` is what a synthesiser spoke."""

    path: str
    label: Label
    source: str
    duration_s: Seconds
    sample_rate_hz: int
    peak: float
    digest: str
    problems: tuple[Problem, ...] = ()
    word: str = ""
    synthetic: bool = False

    @property
    def is_bad(self) -> bool:
        """Whether nothing can be learnt from it."""
        return bool(self.reasons)

    @property
    def reasons(self) -> tuple[str, ...]:
        """In words, why nothing can be learnt from it."""
        return tuple(p.message for p in self.problems if p.severity == "error" or p.code in BAD)


@dataclass(frozen=True)
class ClassStatistics:
    clips: int
    hours: float
    shortest_s: Seconds
    median_s: Seconds
    longest_s: Seconds
    sources: int


@dataclass(frozen=True)
class ClipScan:
    """`clips` in the order of their paths, bad ones included. `duplicates` are groups of paths with the same sound;
    `sources_known` says whether a pattern or the voices that spoke name all sources, or files count as their own.
    `left_out` are the paths of files in the folders that are no audio by their names, and of links that lead out of the
    folders or nowhere."""

    root: Path
    clips: tuple[Clip, ...]
    duplicates: tuple[tuple[str, ...], ...]
    sources_known: bool
    statistics: dict[Label, ClassStatistics] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def bad(self) -> tuple[Clip, ...]:
        return tuple(clip for clip in self.clips if clip.is_bad)

    @property
    def usable(self) -> tuple[Clip, ...]:
        return tuple(clip for clip in self.clips if not clip.is_bad)


def files_in(folder: Path) -> list[Path]:
    """The audio under a folder, or the file itself. Raises CorpusError where there is none."""
    files = audio_files(folder)
    if not files:
        raise CorpusError(
            N_("There is no audio ({endings}) in {folder}."), endings=", ".join(AUDIO_SUFFIXES), folder=str(folder)
        )
    return files


def scan_clips(
    root: Path,
    mapping: Mapping[str, str] | None = None,
    *,
    source_pattern: str | None = None,
    progress: Progress | None = None,
) -> ClipScan:
    """All clips under the class folders of `root`, checked in processes.

    `mapping` names the class of other folders; `source_pattern` is a regular expression whose first group, found in a
    clip's path, is its source. Without it the source of a spoken clip is its voice; each other file is its own, and
    files with the same sound share one. Raises CorpusError for a folder without a class or one that is still spoken
    into, a pattern that is none, or where there is no clip.
    """
    _require_finished([root])
    folders = _class_folders(root, mapping or {})
    return _with_voices(_scan(root, folders, source_pattern, progress), [root], source_pattern)


def scan_folders(
    folders: Mapping[Label, Sequence[Path]], *, source_pattern: str | None = None, progress: Progress | None = None
) -> ClipScan:
    """As `scan_clips`, of folders (or single files) that were named for each class; the paths are relative to what they
    have in common. A folder of positives that has class folders of its own (`pronlab wakeword speak` writes such)
    gives each of them to its class; without a pattern, the source of a spoken clip is its voice. Raises CorpusError for
    one that is not there, lies in two classes or is still spoken into."""
    named = [(path.absolute(), label) for label, paths in folders.items() for path in paths]
    _require_finished([path for path, _ in named])
    given = [pair for path, label in named for pair in _with_class_folders(path, label)]
    missing = [str(path) for path, _ in given if not path.exists()]
    if missing:
        raise CorpusError(
            N_("There is no {missing}."),
            missing=reduce(lambda names, name: Message(N_("{names} and no {name}"), names=names, name=name), missing),
        )
    for path, label in given:
        for other, second in given:
            if label is not second and other.resolve().is_relative_to(path.resolve()):  # one may be a link to the other
                raise CorpusError(
                    N_("{other} is given as {second} and, within {path}, as {label}."),
                    other=str(other),
                    second=str(second),
                    path=str(path),
                    label=str(label),
                )
    root = Path(os.path.commonpath([path for path, _ in given] or [Path("/")]))
    scan = _scan(root, given, source_pattern, progress)
    return _with_voices(scan, [path for path, _ in named], source_pattern)


def _require_finished(folders: Sequence[Path]) -> None:
    """Raises CorpusError for a folder that was not spoken to its end: its clips would pass for recordings."""
    for folder in folders:
        if (folder / ABOUT).is_file() and not (folder / SPOKEN).is_file():
            raise CorpusError(
                N_(
                    "{folder} is still being spoken into, or `pronlab wakeword speak` was interrupted there. Wait, or "
                    "run it again: it begins anew."
                ),
                folder=str(folder),
            )


def _with_voices(scan: ClipScan, folders: Sequence[Path], source_pattern: str | None) -> ClipScan:
    """The scan with the clips marked that `pronlab wakeword speak` wrote into some of the folders; without a pattern,
    the source of each is its voice."""
    spoken = [folder for folder in folders if (folder / SPOKEN).is_file()]
    if source_pattern is not None or not spoken:
        return scan
    clips = tuple(
        replace(clip, source=(scan.root / clip.path).parent.name, synthetic=True)
        if any((scan.root / clip.path).is_relative_to(folder) for folder in spoken)
        else clip
        for clip in scan.clips
    )
    known = all(clip.synthetic for clip in clips)
    return replace(scan, clips=clips, sources_known=known, statistics=_statistics(clips))


def _with_class_folders(path: Path, label: Label) -> list[tuple[Path, Label]]:
    if label is not Label.POSITIVE or not (path / Label.POSITIVE).is_dir():
        return [(path, label)]
    return [(path / own, own) for own in Label if (path / own).is_dir()]


def _scan(
    root: Path, folders: Sequence[tuple[Path, Label]], source_pattern: str | None, progress: Progress | None
) -> ClipScan:
    pattern = source_regex(source_pattern)
    within = [folder.resolve() for folder, _ in folders]  # a folder that is named may be a link itself

    found: dict[Path, tuple[Path, Label]] = {}  # each once, though its folder is named twice, or lies within another
    links: dict[Path, Path] = {}
    for folder, label in folders:
        for path in audio_files(folder):
            found.setdefault(path.resolve(), (path, label))
        for link in stray_links(folder):
            target = Path(os.path.realpath(link))
            is_brought = target.exists() and any(target.is_relative_to(one) for one in within)  # by another folder
            if not is_brought:
                links.setdefault(target, link)
    entries = list(found.values())
    others = list({path.resolve(): path for folder, _ in folders for path in other_files(folder)}.values())
    left_out = tuple(os.path.relpath(path, root) for path in [*others, *links.values()])
    if not entries:
        where = ", ".join(str(folder) for folder, _ in folders) or str(root)
        seen: list[str] = []
        if others:
            files = NN_("It holds {n} other file, {first}.", "It holds {n} other files, e.g. {first}.")
            seen.append(Message(files, n=len(others), first=others[0].name))
        if links:
            seen.append(
                Message(
                    NN_(
                        "It holds {n} link that leads out of it, {first}: name the folder that it leads to.",
                        "It holds {n} links that lead out of it, e.g. {first}: name the folder that they lead to.",
                    ),
                    n=len(links),
                    first=next(iter(links.values())).name,
                )
            )
        nothing = Message(
            N_("There is no audio ({endings}) in {folder}."), endings=", ".join(AUDIO_SUFFIXES), folder=where
        )
        raise CorpusError(joined([nothing, *seen], ""))
    clips = list(map_ordered(partial(_clip, root), entries, progress=progress, message=Message(N_("checking clips"))))
    by_digest: dict[str, list[str]] = {}
    for clip in clips:
        if clip.digest:
            by_digest.setdefault(clip.digest, []).append(clip.path)
    placed = tuple(clip if clip.is_bad else replace(clip, source=_source(clip, pattern)) for clip in clips)
    duplicates = tuple(tuple(paths) for paths in by_digest.values() if len(paths) > 1)
    return ClipScan(root, placed, duplicates, pattern is not None, _statistics(placed), left_out)


def quarantine(scan: ClipScan, folder: Path) -> list[Path]:
    """Move the bad clips to `folder`, at the same relative paths, with the reasons in `reasons.jsonl` there; nothing
    is deleted or overwritten. Returns where they are now. Raises CorpusError where one cannot be moved."""
    moved: list[Path] = []
    for clip in scan.bad:
        target = folder / clip.path
        if target.exists():
            raise CorpusError(N_("{target} is there already. Choose another quarantine folder."), target=str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.move(scan.root / clip.path, target)
        except OSError as error:
            raise CorpusError(
                not_written(
                    N_("{file} cannot be moved to {path} ({reason})."), folder, error, file=clip.path,
                    otherwise=N_("Or name another place."),
                )
            ) from error  # fmt: skip
        moved.append(target)
        reasons = [problem.message for problem in clip.problems]
        jsonl.append(folder / QUARANTINE_REASONS, {"path": clip.path, "reasons": reasons})
    return moved


def _class_folders(root: Path, mapping: Mapping[str, str]) -> list[tuple[Path, Label]]:
    if not root.is_dir():
        raise CorpusError(N_("There is no folder {root}."), root=str(root))
    wrong = [f"{name}={label}" for name, label in mapping.items() if label not in list(Label)]
    if wrong:
        raise CorpusError(N_("Classes are {labels}; got {wrong}."), labels=", ".join(Label), wrong=", ".join(wrong))
    folders: list[tuple[Path, Label]] = []
    unknown: list[str] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        name = mapping.get(folder.name, folder.name)
        if name in list(Label):
            folders.append((folder, Label(name)))
        else:
            near = difflib.get_close_matches(folder.name, list(Label), n=1)
            unknown.append(f"{folder.name}{f' ({near[0]}?)' if near else ''}")
    if unknown:
        raise CorpusError(
            N_(
                "{root} has folders without a class: {unknown}. Name them {labels}, or map them, for instance --map "
                "{first}=positive."
            ),
            root=str(root),
            unknown=", ".join(unknown),
            labels=", ".join(Label),
            first=unknown[0].split(" ")[0],
        )
    if not folders:
        raise CorpusError(
            N_(
                "{root} has none of the folders {labels}. Put the clips of the word into {positive}, other speech into "
                "{negative}."
            ),
            root=str(root),
            labels=", ".join(Label),
            positive=str(root / Label.POSITIVE),
            negative=str(root / Label.NEGATIVE),
        )
    return folders


def _clip(root: Path, labelled: tuple[Path, Label]) -> Clip:
    path, label = labelled
    relative = path.relative_to(root).as_posix()
    try:
        audio = load_audio(path, max_duration_s=MAX_DURATION_S)
    except AudioError as error:
        problem = Problem("unreadable", error.text, "error", relative)
        return Clip(relative, label, "", 0.0, 0, 0.0, "", (problem,))
    report = check_audio(audio)
    sound = np.round(audio.samples * 32767.0).astype(np.int16).tobytes()
    digest = hashlib.sha256(sound).hexdigest()[:16]
    problems = report.problems + _too_long(label, report.duration_s)
    return Clip(relative, label, "", report.duration_s, report.sample_rate_hz, report.peak, digest, problems)


def _too_long(label: Label, duration_s: Seconds) -> tuple[Problem, ...]:
    """Of a clip that must hold something else than the word: what was learnt from it would not be the word."""
    if label is not Label.POSITIVE or duration_s <= LONGEST_S:
        return ()
    text = N_("The clip lasts {seconds:.0f} s, longer than {longest:.0f} s. Cut the word out of it.")
    return (Problem("too_long", Message(text, seconds=duration_s, longest=LONGEST_S), "error"),)


def source_regex(text: str | None) -> "re.Pattern[str] | None":
    """Raises CorpusError for what is no regular expression with a group."""
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise CorpusError(
            N_("{text!r} is no regular expression: {reason}."), text=text, reason=said_by(error)
        ) from error
    if pattern.groups < 1:
        raise CorpusError(
            N_("{text!r} needs a group in round brackets that is the speaker, e.g. {example}."),
            text=text, example="'(speaker[0-9]+)_'",
        )  # fmt: skip
    return pattern


def source_in(path: str, pattern: "re.Pattern[str]") -> str:
    """Raises CorpusError for a path in which the pattern finds none."""
    match = pattern.search(path)
    if match is None or not match.group(1):
        raise CorpusError(N_("The pattern {pattern!r} finds no speaker in {path}."), pattern=pattern.pattern, path=path)
    return match.group(1)


def _source(clip: Clip, pattern: "re.Pattern[str] | None") -> str:
    return source_in(clip.path, pattern) if pattern is not None else clip.digest or clip.path


def _statistics(clips: Sequence[Clip]) -> dict[Label, ClassStatistics]:
    statistics: dict[Label, ClassStatistics] = {}
    counts = Counter(clip.label for clip in clips if not clip.is_bad)
    for label in Label:
        if not counts[label]:
            continue
        of_class = [clip for clip in clips if clip.label is label and not clip.is_bad]
        durations = np.array([clip.duration_s for clip in of_class])
        statistics[label] = ClassStatistics(
            len(of_class), float(durations.sum() / 3600.0), float(durations.min()), float(np.median(durations)),
            float(durations.max()), len({clip.source for clip in of_class}),
        )  # fmt: skip
    return statistics
