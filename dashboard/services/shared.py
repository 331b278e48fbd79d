"""What pages ask for: settings, stores and scorers, made here and cached where making them is slow.

Every import of the pipeline's heavier parts is inside a function, so that the first page stays light. Cached things
are keyed by the settings, so that two installations in one process (tests) never share.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import identity
from dashboard.identity import asks
from pipeline.people.access import Action
from pipeline.records import Problem, Recording, RubricName
from pipeline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.services.label import Labelling
    from pipeline.audio.load import Audio
    from pipeline.corpus.sets import RecordingSet
    from pipeline.evaluation.results_table import ResultRow
    from pipeline.evaluation.saved import Evaluation
    from pipeline.labels.index import Index
    from pipeline.labels.queries import LabelProgress
    from pipeline.labels.ratings_table import RatingsTable
    from pipeline.people.access import Identity
    from pipeline.projects.project import Project
    from pipeline.projects.queue import Compared
    from pipeline.runs import DamagedRun, RunDirectory, RunRecord, RunState
    from pipeline.runs.notes import Notes
    from pipeline.scoring.base import Scorer


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


@asks(Action.RATE)
def labelling(set_name: str, me: Identity, project: Project | None) -> Labelling:
    from dashboard.services.label import Labelling

    return Labelling(settings(), set_name, me, project)


@asks(Action.RATE)
def known_raters() -> list[str]:
    """Names to choose one's own from, where there is no list of people."""
    return _index().evaluators() if identity.is_open() else []


@asks(Action.RATE)
def progress_of(set_name: str, me: Identity) -> LabelProgress:
    """How far somebody has come with rating a set."""
    return _index().progress(set_name, me.name)


@asks(Action.SEE_PROJECTS)
def damaged_projects() -> list[Problem]:
    """Projects that cannot be read, and why."""
    from pipeline.projects.project import damaged_projects as damaged

    return damaged(settings())


@asks(Action.SEE_PROJECTS)
def project_names() -> list[str]:
    from pipeline.projects.project import list_projects

    return [project.name for project in list_projects(settings())]


@asks(Action.RATE)
def calibration_of(project: Project, me: Identity) -> list[Compared]:
    from pipeline.projects.queue import own_calibration

    return own_calibration(settings(), project, me)


@asks(Action.SEE_SETS)
def set_of(project: Project) -> RecordingSet:
    from pipeline.corpus.sets import get_set

    return get_set(settings(), project.set)


@asks(Action.SEE_PROJECTS)
def project(name: str) -> Project:
    from pipeline.projects.project import get_project

    return get_project(settings(), name)


@asks(Action.SEE_RATINGS)
def ratings_of(set_name: str, part: str = "") -> RatingsTable:
    """Everybody's current ratings in a set: people's, and a corpus's own experts'."""
    from pipeline.corpus.sets import get_set
    from pipeline.labels.ratings_table import of_frame

    labels = _index().labels(set_name)
    labels = labels[labels["source"].isin(["human", "corpus"])]
    if part:
        labels = labels[labels["part"] == part]
    return of_frame(labels, get_set(settings(), set_name).rubric)


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


@asks(Action.SEE_RATINGS)
def predictions(set_name: str) -> pd.DataFrame:
    from pipeline.scoring.batch import read_predictions

    return read_predictions(settings(), set_name)


@asks(Action.SCORE_SETS)
def scorer_names(rubric: RubricName) -> list[str]:
    """The scorers that can score such recordings here: the heuristic, and those with a model."""
    from pipeline.scoring.selection import scorer_names

    return scorer_names(settings(), rubric)


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def job(run_id: str) -> RunDirectory:
    """Background work that is no training. Raises JobError where there is none of that id."""
    from pipeline.runs import RunDirectory

    return RunDirectory.open(settings().jobs_root, run_id)


def work_action(run: RunDirectory) -> Action:
    """What it takes to see and end background work."""
    from pipeline.scoring.batch import SCORING_JOB

    return {"import": Action.IMPORT_DATA, SCORING_JOB: Action.SCORE_SETS}.get(run.state.kind, Action.TRAIN)


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def work_state(run: RunDirectory) -> RunState:
    """How background work stands, its place in a cluster's queue asked for."""
    from pipeline.jobs.launcher import check_queue

    identity.allowed(work_action(run))
    check_queue(run)
    return run.state


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def stop_work(run: RunDirectory, *, now: bool = False) -> None:
    """Ask it to end after its current step; `now`, by force."""
    from pipeline.jobs.launcher import end_now

    identity.allowed(work_action(run))
    if now:
        end_now(run)
    else:
        run.request_stop()


@asks(Action.TRAIN)
def resume_work(run: RunDirectory) -> None:
    from pipeline.jobs.launcher import go_on

    go_on(settings(), run, identity.allowed(Action.TRAIN))


@asks(Action.TRAIN)
def delete_run(run: RunDirectory) -> None:
    run.delete()


@asks(Action.TRAIN)
def write_notes(run: RunDirectory, notes: Notes) -> None:
    from pipeline.runs.notes import write_notes

    write_notes(run.path, notes)


@asks(Action.SEE_RESULTS, Action.TRAIN)
def damaged_runs() -> Sequence[DamagedRun]:
    """Folders among the trainings that cannot be read."""
    from pipeline.runs import scan_runs

    return scan_runs(settings().runs_root).damaged


@asks(Action.TRAIN, Action.IMPORT_DATA, Action.SCORE_SETS)
def damaged_jobs() -> Sequence[DamagedRun]:
    """Folders among the background work that cannot be read."""
    from pipeline.runs import scan_runs

    return scan_runs(settings().jobs_root).damaged


@asks(Action.SCORE_SETS)
def launch_scoring(set_name: str, scorer_name: str) -> RunDirectory:
    """Score a set in the background."""
    from pipeline.scoring.batch import launch_scoring

    return launch_scoring(settings(), set_name, [scorer_name], identity.allowed(Action.SCORE_SETS))


@asks(Action.SCORE_SETS)
def active_scoring(set_name: str) -> RunDirectory | None:
    """The scoring of the set that goes on in the background, if any."""
    from pipeline.scoring.batch import active_scoring

    return active_scoring(settings(), set_name)


@asks(Action.PRACTISE)
def scorer(name: str | None, rubric: RubricName, folder: Path | None = None) -> Scorer:
    """The scorer `name`, that of a model folder, or the one in use; loaded once, and again after a deployment."""
    from pipeline.scoring.selection import deployment

    return _loaded_scorer(settings(), name, rubric, deployment(settings(), rubric), folder)


@st.cache_resource(max_entries=8, show_spinner=False)
def _loaded_scorer(
    installation: Settings, name: str | None, rubric: RubricName, deployment: str, folder: Path | None
) -> Scorer:
    from pipeline.scoring.selection import load_scorer

    return load_scorer(installation, name, rubric, model=folder)


@asks(Action.SEE_RESULTS)
def evaluations() -> list[Evaluation]:
    """Evaluations of speech scorers: those run here, newest first, and those of released models."""
    from pipeline.evaluation.saved import read_evaluations

    return read_evaluations(settings())


@asks(Action.SEE_RESULTS)
def results(run_ids: list[str] | None) -> list[ResultRow]:
    """The rows of the results table, with these fine-tuning runs."""
    from pipeline.evaluation.results_table import result_rows

    return result_rows(settings(), run_ids)


@asks(Action.SEE_RESULTS)
def finished_finetunings() -> list[RunRecord]:
    """Fine-tuning runs of the speech language model that left a Table 3."""
    from pipeline.evaluation.results_table import finished_runs

    return finished_runs(settings())
