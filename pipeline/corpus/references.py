"""Reference recordings: how a text sounds when it is said well.

Recordings that a reviewer marked come first (`<data root>/references.json`), then a set's own `references/` folder,
then the demo's. Below such a folder, at any depth, every audio file is a reference of the word it is named after:
`references/araba.wav`, `references/voice_two/araba.flac`.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.audio.load import audio_files, load_audio
from pipeline.corpus.sets import audio_path, get_set, language_of, list_sets, read_recordings
from pipeline.errors import CorpusError, PronlabError, said_by
from pipeline.i18n import N_, Message
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.records import Problem, Recording, RubricName
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.text.words import text_key

FOLDER = "references"
DEMO_LANGUAGE = "tr"


def find_references(settings: Settings, language: str) -> dict[str, tuple[Path, ...]]:
    """Files by word (see `text_key`), for words of `language`, those of this installation's own sets first."""
    found: dict[str, list[Path]] = {}
    chosen: list[Recording] = []
    with suppress(CorpusError):  # a damaged list is told where it is edited, and stops no scoring
        chosen = marked(settings)
    for one in chosen:
        if one.language == language:
            with suppress(PronlabError):  # told where references are chosen
                found.setdefault(text_key(one.text, language), []).append(_file_of(settings, one))
    for folder in _folders(settings, language):
        for path in audio_files(folder):
            found.setdefault(text_key(path.stem, language), []).append(path)
    return {word: tuple(paths) for word, paths in found.items()}


def references_to(settings: Settings, text: str, language: str) -> tuple[Path, ...]:
    """The reference recordings of `text`, in the order of `find_references`; none where there are none."""
    return find_references(settings, language).get(text_key(text, language), ())


def is_synthetic(settings: Settings, path: Path) -> bool:
    """Whether a reference is a synthesiser's: the demo's are, and those of sets that say so."""
    synthetic = [set_.root for set_ in list_sets(settings) if set_.synthetic] + [settings.demo_source]
    return any(path.resolve().is_relative_to(root.resolve()) for root in synthetic)


def marked(settings: Settings) -> list[Recording]:
    """The recordings that reviewers chose as references, in the order in which they did."""
    return [_recording(entry) for entry in _read(settings)]


def unusable(settings: Settings) -> list[Problem]:
    """What is wrong with marked references that are left out: their set or file is gone, or the file cannot be read.
    Raises CorpusError where the list is damaged."""
    problems: list[Problem] = []
    for one in marked(settings):
        try:
            load_audio(_file_of(settings, one))
        except PronlabError as error:
            message = Message(
                N_("{recording} is left out as a reference of “{text}”: {reason}"),
                recording=one.id, text=one.text, reason=error.text,
            )  # fmt: skip
            problems.append(Problem("broken_reference", message, "error", one.id))
    return problems


def mark(settings: Settings, recording_id: str, by: Identity) -> Recording:
    """Make a recording a reference of its text. Raises CorpusError for an unknown recording, AccessError for somebody
    who may not choose references."""
    by.require(Action.MANAGE_REFERENCES)
    recording = _find(settings, recording_id)
    entry = {
        "id": recording.id, "set": recording.set, "path": recording.path, "speaker": recording.speaker,
        "text": recording.text, "rubric": str(recording.rubric),
        "language": language_of(get_set(settings, recording.set), recording),
        "by": by.name,
    }  # fmt: skip
    with locked(settings, _file(settings), CorpusError):
        others = [one for one in _read(settings) if one["id"] != recording.id]
        artifacts.write_json(_file(settings), [entry, *others])
    return _recording(entry)


def unmark(settings: Settings, recording_id: str, by: Identity) -> None:
    """Raises CorpusError where it is no marked reference."""
    by.require(Action.MANAGE_REFERENCES)
    with locked(settings, _file(settings), CorpusError):
        entries = _read(settings)
        left = [one for one in entries if one["id"] != composed(recording_id)]
        if len(left) == len(entries):
            raise CorpusError(N_("{recording!r} is not marked as a reference."), recording=recording_id)
        artifacts.write_json(_file(settings), left)


def _file_of(settings: Settings, one: Recording) -> Path:
    """Raises PronlabError where the set or the file is gone."""
    path = audio_path(get_set(settings, one.set), one)
    if not path.is_file():
        raise CorpusError(N_("There is no audio file {path}."), path=str(path))
    return path


def _folders(settings: Settings, language: str) -> Iterator[Path]:
    for set_ in list_sets(settings):
        if set_.language == language and (set_.root / FOLDER).is_dir():
            yield set_.root / FOLDER
    if language == DEMO_LANGUAGE and (settings.demo_source / FOLDER).is_dir():
        yield settings.demo_source / FOLDER


def _find(settings: Settings, recording_id: str) -> Recording:
    recording_id = composed(recording_id)
    name = recording_id.partition("/")[0]
    found = next((one for one in read_recordings(settings, name) if one.id == recording_id), None)
    if found is None:
        raise CorpusError(
            N_("There is no recording {recording!r}; ids are SET/PATH without the file extension."),
            recording=recording_id,
        )
    return found


def _recording(entry: dict[str, Any]) -> Recording:
    return Recording(
        entry["id"], entry["set"], entry["path"], entry["speaker"], entry["text"], RubricName(entry["rubric"]),
        entry["language"],
    )  # fmt: skip


def _read(settings: Settings) -> list[dict[str, Any]]:
    """Raises CorpusError where the list is damaged."""
    if not _file(settings).is_file():
        return []
    try:
        entries: list[dict[str, Any]] = artifacts.read_json(_file(settings))
        for entry in entries:
            _recording(entry)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(
            N_("{file} is damaged ({reason}). Remove it; the recordings are safe."),
            file=str(_file(settings)), reason=said_by(error),
        ) from error  # fmt: skip
    return entries


def _file(settings: Settings) -> Path:
    return settings.data_root / "references.json"
