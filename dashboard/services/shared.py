"""What pages ask for: settings, stores and scorers, made here and cached where making them is slow.

Every import of the pipeline's heavier parts is inside a function, so that the first page stays light. Cached things
are keyed by the settings, so that two installations in one process (tests) never share.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard import identity
from dashboard.identity import asks
from pipeline.errors import CorpusError
from pipeline.people.access import Action
from pipeline.records import Problem, Recording
from pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.audio.load import Audio
    from pipeline.corpus.sets import RecordingSet
    from pipeline.labels.exchange.incoming import Incoming
    from pipeline.labels.index import Index, Progress
    from pipeline.labels.queries import SetOverview
    from pipeline.projects.project import Project
    from pipeline.runs import RunDirectory


def settings() -> Settings:
    return Settings.from_env()


@asks(Action.SEE_RATINGS)
def index() -> Index:
    """The index over recordings and labels, built first where it is missing: everything that anybody rated."""
    return _index()


def _index() -> Index:
    from pipeline.labels.index import Index

    opened = Index(settings())
    opened.ensure()
    return opened


@asks(Action.SEE_SETS)
def overview() -> list[SetOverview]:
    """What is in each set; who rated how much of it only for who may see that."""
    found = _index().overview()
    if identity.allowed(Action.SEE_SETS).may(Action.SEE_NAMES):
        return found
    return [replace(one, ratings_by_evaluator={}) for one in found]


@asks(Action.SEE_SETS)
def problems() -> list[Problem]:
    """What is wrong with recordings and label files."""
    return _index().problems()


@asks(Action.SEE_PROJECTS)
def project_names() -> list[str]:
    from pipeline.projects.project import list_projects

    return [project.name for project in list_projects(settings())]


@asks(Action.SEE_PROJECTS)
def project(name: str) -> Project:
    from pipeline.projects.project import get_project

    return get_project(settings(), name)


@asks(Action.SEE_SETS)
def damaged_sets() -> list[Problem]:
    """Sets whose registration cannot be read, and why."""
    from pipeline.corpus.sets import damaged_sets as damaged

    return damaged(settings())


@asks(Action.SEE_SETS)
def sets() -> list[RecordingSet]:
    from pipeline.corpus.sets import list_sets

    return list_sets(settings())


@asks(Action.LISTEN)
def recording_audio(recording_id: str) -> Path:
    return audio_of(_index().recording(recording_id))


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


@asks(Action.SEE_RATINGS)
def expert_scores(set_name: str, rater: str | None) -> pd.DataFrame:
    """recording_id, speaker, text, part, score, source: of one rater, or the consensus where `rater` is None."""
    if rater is None:
        return _index().consensus_scores(set_name)
    labels = _index().labels(set_name)
    rated = labels[(labels["action"] == "rate") & (labels["evaluator"] == rater)]
    return rated[["recording_id", "speaker", "text", "part", "score", "source"]]


@asks(Action.IMPORT_DATA)
def launch_import(path: str, name: str, format_: str) -> RunDirectory:
    """Start `pronlab import` in the background. Raises CorpusError for a path that this machine does not have."""
    from pipeline.corpus.sets import check_name
    from pipeline.jobs.launcher import launch

    source = Path(path.strip()).expanduser()
    if not path.strip() or not source.is_absolute():
        raise CorpusError(f"{path!r} is no full path. Give one that starts at the root, such as /home/me/corpus.")
    if not source.exists():
        raise CorpusError(f"There is no {source} on the machine that runs this dashboard.")
    named = ["--name", check_name(name)] if name else []
    return launch(
        settings(),
        kind="import",
        name=f"import-{source.name}",
        argv=["import", *([] if format_ == "auto" else [format_]), str(source), *named],
        root=settings().jobs_root,
        config={"path": source, "name": name, "format": format_},
        by=identity.allowed(Action.IMPORT_DATA),
    )


@asks(Action.EXPORT)
def exported_labels(set_name: str, format_: str) -> bytes:
    """As csv, jsonl, label-studio, or textgrid (a zip of one file a recording)."""
    from pipeline.labels.exchange import export_labels
    from pipeline.labels.exchange.recordings import label_studio, rated_recordings, zipped_textgrids

    me = identity.allowed(Action.EXPORT)
    if format_ == "label-studio":
        return label_studio(rated_recordings(settings(), set_name, me))
    if format_ == "textgrid":
        return zipped_textgrids(rated_recordings(settings(), set_name, me))
    return export_labels(_index(), set_name, format_, by=me)[1]


@asks(Action.IMPORT_DATA)
def checked_ratings(set_name: str, name: str, content: bytes) -> Incoming:
    """What importing this file would do; nothing is written."""
    from pipeline.labels.exchange.incoming import check, from_csv
    from pipeline.labels.exchange.label_studio import from_label_studio
    from pipeline.people.people import People

    rows = from_label_studio(content) if name.endswith(".json") else from_csv(content)
    return check(settings(), set_name, rows, People(settings()).raters())


@asks(Action.IMPORT_DATA)
def import_ratings(set_name: str, incoming: Incoming) -> int:
    """How many recordings got something new."""
    from pipeline.labels.exchange.incoming import apply

    return apply(settings(), set_name, incoming, identity.allowed(Action.IMPORT_DATA))


@asks(Action.IMPORT_DATA)
def rebuild_index(progress: Progress) -> str:
    """Make the index anew; returns what it holds now, in words."""
    from pipeline.labels.index import Index

    report = Index(settings()).rebuild(progress)
    return (
        f"{report.n_recordings:,} recordings in {report.n_sets} sets, {report.n_ratings:,} ratings from "
        f"{report.n_label_files:,} label files; {len(report.problems)} label files could not be read."
    )


@asks(Action.IMPORT_DATA)
def reset_demo(progress: Progress) -> None:
    from pipeline.importing.demo import install_demo

    install_demo(settings(), reset=True, progress=progress, by=identity.allowed(Action.IMPORT_DATA))


@asks(Action.IMPORT_DATA)
def remove_set(name: str) -> None:
    from pipeline.importing.importer import take_away

    take_away(settings(), name, identity.allowed(Action.IMPORT_DATA))
