"""What an upload holds and what would become of it: shown to the person before anything is imported."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from posixpath import basename, splitext
from typing import Any

from pipeline import artifacts
from pipeline.corpus.manifest_writer import manifest_row
from pipeline.corpus.readers.catalogue import LAYOUTS, opened, recognised
from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.readers.transcripts import AUDIO_FOLDERS, PARTS
from pipeline.errors import CorpusError
from pipeline.importing.uploads.file_names import NameRule, likely_rule, read_name
from pipeline.importing.uploads.ledger import Kind, StagedFile
from pipeline.importing.uploads.staging import Staging
from pipeline.records import NO_SPEAKER, Problem, RubricName, Seconds
from pipeline.text import composed

# Layouts that say no more than a text and a speaker for each recording, so that both can be filled in by hand.
EDITABLE = ("manifest", "transcripts")


class Source(StrEnum):
    TABLE = "table"
    BESIDE = "beside"
    NAME = "name"
    FOLDER = "folder"
    TYPED = "typed"
    CORPUS = "corpus"
    NOWHERE = ""


@dataclass(frozen=True)
class Choices:
    """What the person chose for what the files do not say. `names` is None until somebody chose a rule; `typed` holds
    the text and the speaker that were typed for a recording, by its path."""

    names: NameRule | None = None
    language: str = ""
    speaker: str = ""
    rubric: RubricName | None = None
    typed: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Corpus:
    """What the readers of corpora find in the files: `layout` by name ("" for none), `place` what of the files is read,
    `items` by the path of their audio. `n_absent` are rows of tables that name recordings which did not come; `n_clips`
    recordings that are no files of their own."""

    layout: str = ""
    place: Path | None = None
    items: dict[str, CorpusItem] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    n_absent: int = 0
    n_clips: int = 0
    clip_speakers: frozenset[str] = frozenset()

    @property
    def is_editable(self) -> bool:
        return not self.n_clips and self.layout in ("", *EDITABLE)


@dataclass(frozen=True)
class Row:
    """A recording as it would be imported; `text` and `speaker` are "" where nothing says them."""

    path: str
    text: str
    text_source: Source
    speaker: str
    speaker_source: Source
    language: str
    duration_s: Seconds


@dataclass(frozen=True)
class Contents:
    """Of the files that came: what is kept, what is wrong with which of them, and how many are used for nothing."""

    n_recordings: int
    seconds: Seconds
    by_suffix: dict[str, int]
    n_tables: int
    n_texts: int
    n_data: int
    n_labels: int
    problems: tuple[tuple[str, Problem], ...]
    n_refused: int


def contents_of(files: Iterable[StagedFile]) -> Contents:
    files = list(files)
    kept = [file for file in files if file.path]
    recordings = [file for file in kept if file.kind is Kind.RECORDING]
    kinds = Counter(file.kind for file in kept)
    return Contents(
        n_recordings=len(recordings),
        seconds=sum(file.report.duration_s for file in recordings if file.report is not None),
        by_suffix=dict(Counter(splitext(file.path)[1].lower() for file in recordings).most_common()),
        n_tables=kinds[Kind.TABLE],
        n_texts=kinds[Kind.TEXT],
        n_data=kinds[Kind.DATA],
        n_labels=kinds[Kind.LABELS],
        problems=tuple(
            (file.path or file.name, problem) for file in files for problem in file.problems if problem.code != "hidden"
        ),
        n_refused=sum(bool(file.faults) for file in files),
    )


def read_corpus(staging: Staging) -> Corpus:
    """Read what lies in the upload as a corpus, as far as it is laid out as any."""
    root = staging.files
    try:
        layout, place = recognised(root)
    except CorpusError:
        return Corpus()
    corpus = _read(root, layout, place)
    if layout == "manifest" and not corpus.n_clips:  # recordings that no table names may have a text beside them
        paths = [file.path for file in _recordings(staging)]
        folder = paths[0].split("/")[: _top_folder(paths)] if paths else []
        beside = _read(root, "transcripts", root.joinpath(*folder))
        further = {path: item for path, item in beside.items.items() if path not in corpus.items}
        corpus = replace(
            corpus,
            items={**corpus.items, **further},
            sources={**corpus.sources, **dict.fromkeys(further, Source.BESIDE)},
        )
    return corpus


def rows_of(staging: Staging, corpus: Corpus, choices: Choices) -> list[Row]:
    """A row for each recording, by path: what was typed, else what files say, else what names and folders say by the
    chosen rule."""
    recordings = _recordings(staging)
    if not corpus.is_editable:
        recordings = [file for file in recordings if file.path in corpus.items]
    rule = choices.names if choices.names is not None else guessed_rule(staging, corpus)
    top = _top_folder([file.path for file in recordings])
    return [_row(file, corpus, choices, rule, top) for file in recordings]


def guessed_rule(staging: Staging, corpus: Corpus) -> NameRule:
    """For the names of the recordings of which no file says anything."""
    return likely_rule([_stem(file.path) for file in _recordings(staging) if file.path not in corpus.items])


def manifest_rows(rows: Iterable[Row], corpus: Corpus, choices: Choices) -> list[dict[str, Any]]:
    """The rows with a text as lines of a manifest, with all else that the files say of them."""
    rows = [row for row in rows if row.text]
    is_words = all(len(row.text.split()) == 1 for row in rows)
    rubric = choices.rubric or (RubricName.WORD if is_words else RubricName.SENTENCE)
    return [manifest_row(_item(row, corpus, rubric, chosen=choices.rubric is not None)) for row in rows]


def load_choices(staging: Staging) -> Choices:
    try:
        raw = artifacts.read_json(staging.folder / "choices.json")
        return Choices(
            names=None if raw["names"] is None else NameRule(raw["names"]),
            language=str(raw["language"]),
            speaker=str(raw["speaker"]),
            rubric=None if raw["rubric"] is None else RubricName(raw["rubric"]),
            typed=raw["typed"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Choices()


def save_choices(staging: Staging, choices: Choices) -> None:
    artifacts.write_json(staging.folder / "choices.json", choices)


def _read(root: Path, layout: str, place: Path) -> Corpus:
    """Every entry, without the sound that lies in tables."""
    items: dict[str, CorpusItem] = {}
    problems: list[Problem] = []
    n_absent = n_clips = 0
    speakers: set[str] = set()
    try:
        reading = opened(layout, place)
        below = reading.root.relative_to(root)
        for entry in reading.entries:
            if isinstance(entry, Problem):
                if entry.code != "no_text":  # such recordings are rows without a text
                    problems.append(entry)
            elif entry.clip is not None:
                n_clips += 1
                speakers.add(entry.speaker)
            elif (reading.root / entry.audio).is_file():
                items[composed((below / entry.audio).as_posix())] = entry
            else:
                n_absent += 1
    except CorpusError as error:
        problems.append(Problem("bad_row", error.text, "error"))
    source = {"manifest": Source.TABLE, "transcripts": Source.BESIDE}.get(layout, Source.CORPUS)
    return Corpus(
        layout, place, items, dict.fromkeys(items, source), tuple(problems), n_absent, n_clips, frozenset(speakers)
    )


def _recordings(staging: Staging) -> list[StagedFile]:
    kept = {file.path: file for file in staging.staged.values() if file.path and file.kind is Kind.RECORDING}
    return [kept[path] for path in sorted(kept)]


def _row(file: StagedFile, corpus: Corpus, choices: Choices, rule: NameRule, top: int) -> Row:
    item = corpus.items.get(file.path)
    typed = choices.typed.get(file.path, {})
    text, text_source = ("", Source.NOWHERE)
    speaker, speaker_source = ("", Source.NOWHERE)
    named_text, named_speaker = read_name(_stem(file.path), rule)
    if item is not None:
        text, text_source = item.text, corpus.sources[file.path]
        if item.speaker != NO_SPEAKER:
            speaker, speaker_source = item.speaker, text_source
    elif named_text:
        text, text_source = named_text, Source.NAME
        if named_speaker:
            speaker, speaker_source = named_speaker, Source.NAME
    if not speaker and (folder := _folder_of_speaker(file.path, top)):
        speaker, speaker_source = folder, Source.FOLDER
    if not speaker and choices.speaker:
        speaker, speaker_source = choices.speaker, Source.TYPED
    if "text" in typed:
        text, text_source = typed["text"], Source.TYPED
    if "speaker" in typed:
        speaker, speaker_source = typed["speaker"], Source.TYPED
    language = item.language if item is not None and item.language != "und" else choices.language or "und"
    duration_s = file.report.duration_s if file.report is not None else 0.0
    return Row(file.path, text, text_source, speaker, speaker_source, language, duration_s)


def _stem(path: str) -> str:
    return splitext(basename(path))[0]


def _folder_of_speaker(path: str, top: int) -> str:
    """The nearest folder that is not named for what is in it, below the one that holds everything."""
    folders = path.split("/")[top:-1]
    return next((folder for folder in reversed(folders) if folder.casefold() not in (*AUDIO_FOLDERS, *PARTS)), "")


def _top_folder(paths: list[str]) -> int:
    """How many folders all recordings lie in."""
    parents = [path.split("/")[:-1] for path in paths]
    depth = 0
    while parents and all(len(parts) > depth and parts[depth] == parents[0][depth] for parts in parents):
        depth += 1
    return depth


def _item(row: Row, corpus: Corpus, rubric: RubricName, *, chosen: bool) -> CorpusItem:
    item = corpus.items.get(row.path)
    speaker = row.speaker or NO_SPEAKER
    if item is None:
        return CorpusItem(splitext(row.path)[0], row.path, row.text, speaker, rubric, row.language)
    is_rated = bool(item.experts or item.median or item.released)
    return replace(
        item,
        audio=row.path,
        text=row.text,
        speaker=speaker,
        language=row.language,
        rubric=rubric if chosen and not is_rated else item.rubric,
    )


def layout_words(layout: str) -> str:
    """What the layout looks like, to be translated where it is shown."""
    return LAYOUTS[layout].expected
