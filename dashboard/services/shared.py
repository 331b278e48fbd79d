"""What pages ask for: settings, stores and scorers, made here and cached where making them is slow.

Every import of the pipeline's heavier parts is inside a function, so that the first page stays light. Cached things
are keyed by the settings, so that two installations in one process (tests) never share.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.identity import asks
from pipeline.people.access import Action
from pipeline.records import Recording
from pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.audio.load import Audio
    from pipeline.corpus.sets import RecordingSet
    from pipeline.labels.index import Index
    from pipeline.projects.project import Project


def settings() -> Settings:
    return Settings.from_env()


@asks(Action.SEE_RATINGS)
def index() -> Index:
    """The index over recordings and labels, built first where it is missing: everything that anybody rated."""
    return open_index()


def open_index() -> Index:
    """As `index`, for the other services, which have asked what whoever sits here may do; no page calls it."""
    from pipeline.labels.index import Index

    opened = Index(settings())
    opened.ensure()
    return opened


@asks(Action.SEE_PROJECTS)
def project_names() -> list[str]:
    from pipeline.projects.project import list_projects

    return [project.name for project in list_projects(settings())]


@asks(Action.SEE_PROJECTS)
def project(name: str) -> Project:
    from pipeline.projects.project import get_project

    return get_project(settings(), name)


@asks(Action.SEE_SETS)
def sets() -> list[RecordingSet]:
    from pipeline.corpus.sets import list_sets

    return list_sets(settings())


@asks(Action.LISTEN)
def recording_audio(recording_id: str) -> Path:
    return audio_of(open_index().recording(recording_id))


@asks(Action.PRACTISE)
def loaded_audio(path: Path) -> Audio:
    """Raises AudioError where the recording cannot be read."""
    from pipeline.audio.load import load_audio

    return load_audio(path)


@asks(Action.LISTEN)
def audio_of(recording: Recording) -> Path:
    """Where the recording's audio lies, confined to its set's root."""
    from pipeline.corpus.sets import audio_path, get_set

    return audio_path(get_set(settings(), recording.set), recording)


@asks(Action.LISTEN)
def reference_of(recording: Recording) -> Audio | None:
    """How the recording's text sounds when it is said well: the first reference that can be read and is not the
    recording itself; None where there is none."""
    from pipeline.audio.load import load_audio
    from pipeline.corpus.references import references_to
    from pipeline.corpus.sets import get_set, language_of
    from pipeline.errors import AudioError

    language = language_of(get_set(settings(), recording.set), recording)
    for path in references_to(settings(), recording.text, language):
        if path.resolve() != audio_of(recording).resolve():
            with suppress(AudioError):  # told where references are chosen
                return load_audio(path)
    return None


@asks(Action.SEE_RATINGS)
def expert_scores(set_name: str, rater: str | None) -> pd.DataFrame:
    """recording_id, speaker, text, part, score, source: of one rater, or the consensus where `rater` is None."""
    if rater is None:
        return open_index().consensus_scores(set_name)
    labels = open_index().labels(set_name)
    rated = labels[(labels["action"] == "rate") & (labels["evaluator"] == rater)]
    return rated[["recording_id", "speaker", "text", "part", "score", "source"]]
