"""What reviewers do with a project: disputes, decisions, consensus, and the reliability of each expert."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline import artifacts
from pipeline.errors import ProjectError
from pipeline.i18n import N_
from pipeline.labels.history import LATER, current_ratings, review, standing_events
from pipeline.labels.index import Index
from pipeline.labels.ratings_table import RatingsTable, of_frame
from pipeline.labels.result_file import ResultFile, event_from_json
from pipeline.labels.store import LabelStore
from pipeline.people.access import Action, Identity
from pipeline.people.names import name_key, same_person, spelled_as
from pipeline.people.people import People
from pipeline.projects.consensus import consensus_table
from pipeline.projects.project import Project, known_scores, rubric_of
from pipeline.projects.quality import ExpertQuality, quality_of
from pipeline.records import REVIEWS, RatingAction, RatingEvent, RatingSource, Recording
from pipeline.rubrics import Rubric
from pipeline.rubrics.library import RubricLibrary
from pipeline.rubrics.rubric import SCORE
from pipeline.settings import Settings
from pipeline.times import now_iso

if TYPE_CHECKING:
    import pandas as pd

DISPUTED_FROM = 20.0
RATERS = (RatingSource.HUMAN, RatingSource.CORPUS)


@dataclass(frozen=True)
class SetAside:
    """A recording that experts skipped or flagged, by their names, and that no reviewer has dealt with."""

    recording: Recording
    events: dict[str, RatingEvent]


@dataclass(frozen=True)
class Dispute:
    """A recording whose current ratings differ by `spread` points (0-100). `requested` counts the extra ratings that
    reviewers requested; `verdict` is the current decision or exclusion, if any."""

    recording: Recording
    spread: float
    ratings: dict[str, RatingEvent]
    requested: int
    verdict: RatingEvent | None


class ProjectReview:
    """Raises AccessError for somebody who may not see others' ratings, and on deciding for who may not review."""

    def __init__(self, settings: Settings, project: Project, identity: Identity) -> None:
        identity.require(Action.SEE_RATINGS)
        self._settings, self._project, self._me = settings, project, identity
        self._index = Index(settings)
        self._index.ensure()
        self._store = LabelStore(settings)
        self._library = RubricLibrary(settings)
        self.rubric = rubric_of(settings, project)

    def ratings(self) -> RatingsTable:
        """The current ratings of people; a corpus's own experts too, where nobody has rated here."""
        labels = self._index.labels(self._project.set)
        if self._project.part:
            labels = labels[labels["part"] == self._project.part]
        people = labels[labels["source"] == "human"]
        return of_frame(labels if people.empty else people, self.rubric, self._library)

    def disputes(self, threshold: float | None = None, *, open_only: bool = True) -> list[Dispute]:
        """Recordings whose ratings differ by more than `threshold` points (the project's, else 20), the largest
        difference first; `open_only` leaves out those that were decided or excluded."""
        limit = threshold if threshold is not None else self._project.max_spread or DISPUTED_FROM
        sql = """
            SELECT recording_id, max(r.score) - min(r.score) AS spread FROM ratings r
            JOIN recordings ON id = recording_id
            WHERE r.set_name = ? AND (? = '' OR part = ?) AND action = 'rate' AND r.source IN ('human', 'corpus')
            AND (? = 0 OR review = '') GROUP BY recording_id HAVING spread > ? ORDER BY spread DESC, recording_id
        """
        part = self._project.part
        rows = self._index.rows(sql, [self._project.set, part, part, int(open_only), limit])
        disputes = (self.look(row["recording_id"]) for row in rows)
        return [dispute for dispute in disputes if dispute.spread > limit]

    def set_aside(self) -> list[SetAside]:
        """Recordings of the project that somebody skipped or flagged, the flagged ones first, then the latest first.
        What an expert left for later comes back to them by itself, and is not among them."""
        sql = """
            SELECT r.recording_id FROM ratings r JOIN recordings ON id = r.recording_id
            WHERE r.set_name = ? AND (? = '' OR part = ?) AND review = ''
            AND (action = 'flag' OR action = 'skip' AND reason <> ?)
            GROUP BY r.recording_id ORDER BY max(action = 'flag') DESC, max(at) DESC, r.recording_id
        """
        part = self._project.part
        listed = []
        for row in self._index.rows(sql, [self._project.set, part, part, LATER]):
            recording = self._index.recording(row["recording_id"])
            events = {
                name: event
                for name, event in current_ratings(self._store.history(recording)).items()
                if event.action in (RatingAction.SKIP, RatingAction.FLAG) and event.reason != LATER
            }
            if events:
                listed.append(SetAside(recording, events))
        return listed

    def look(self, recording_id: str) -> Dispute:
        """One recording with its ratings and the reviewers' decisions. Raises ProjectError for one that is not in the
        project."""
        recording = self._index.recording(recording_id)
        if recording.set != self._project.set or (self._project.part and recording.part != self._project.part):
            raise ProjectError(N_("“{text}” is not in this project."), text=recording.text)
        events = self._store.history(recording)
        self._heal(recording, events)
        decisions = review(events)
        ratings = {name: e for name, e in current_ratings(events).items() if e.source in RATERS}
        scores = [e.score for e in ratings.values() if e.score is not None]
        spread = max(scores) - min(scores) if scores else 0.0
        return Dispute(recording, spread, ratings, decisions.requested, decisions.verdict)

    def history(self, recording_id: str) -> tuple[RatingEvent, ...]:
        """Every event, including those that were undone."""
        return self._store.history(self._index.recording(recording_id))

    def decide(self, recording_id: str, values: dict[str, float], notes: str = "") -> ResultFile:
        """Set the score: a value for every dimension of the project's rubric, for words `{"score": 0-100}`. The ratings
        stay as they are."""
        rubric = rubric_of(self._settings, self._project, self._index.recording(recording_id).rubric)
        return self._save(
            recording_id,
            RatingAction.DECIDE,
            score=values.get(SCORE) if rubric.is_score else None,
            dimensions={} if rubric.is_score else values,
            notes=notes,
            rubric=rubric.reference,
        )

    def values_of(self, event: RatingEvent) -> dict[str, float] | None:
        """What a rating or decision says in the values of the project's rubric, on its scales of now; None where it
        lacks some of them."""
        values = self.rubric.values_of(event)
        if not self.rubric.is_score:
            values = self._library.values_on(self.rubric, values, event.rubric)
        keys = [dimension.key for dimension in self.rubric.dimensions]
        return {key: values[key] for key in keys} if values.keys() >= set(keys) else None

    def rubric_of(self, event: RatingEvent, recording: Recording) -> Rubric | None:
        """The version with which a rating was given; None where it is not kept here."""
        return self._library.of_event(event, recording.rubric)

    def exclude(self, recording_id: str, reason: str) -> ResultFile:
        """Leave the recording out of consensus and export; its ratings stay."""
        return self._save(recording_id, RatingAction.EXCLUDE, reason=reason)

    def request(self, recording_id: str, notes: str = "") -> ResultFile:
        """Request a rating by one more expert."""
        return self._save(recording_id, RatingAction.REQUEST, notes=notes)

    def hand_back(self, recording_id: str, notes: str = "") -> ResultFile:
        """End all skips and flags of the recording: it comes back to those who gave them, and to the others."""
        return self._save(recording_id, RatingAction.RETURN, notes=notes)

    def reassign(self, recording_id: str, experts: Sequence[str], notes: str = "") -> ResultFile:
        """End all skips and flags of the recording, and give it to these experts alone. Raises ProjectError for who is
        no expert of the project."""
        people = People(self._settings)
        names = tuple(dict.fromkeys(map(people.spelling, experts)))
        known = None if people.is_open else people.raters()
        for name in names:
            if not self._project.includes(name) or (known is not None and spelled_as(name, known) is None):
                raise ProjectError(
                    N_("{name} is not among the experts of {project}."), name=name,
                    project=self._project.title or self._project.name,
                )  # fmt: skip
        return self._save(recording_id, RatingAction.REASSIGN, notes=notes, experts=names)

    def experts(self) -> list[str]:
        """To whom a recording can be reassigned: the project's experts, else all who may rate, else all who have."""
        people = People(self._settings)
        names = self._project.experts or (self._index.evaluators() if people.is_open else people.raters() or ())
        return sorted(names, key=name_key)

    def undo(self, recording_id: str) -> ResultFile:
        """Undo this reviewer's last decision, exclusion, request, return or reassignment. Raises ProjectError where
        there is none."""
        self._me.require(Action.REVIEW)
        recording = self._index.recording(recording_id)
        standing = standing_events(self._store.history(recording))
        if not any(e.action in REVIEWS and same_person(e.evaluator, self._me.name) for e in standing):
            raise ProjectError(
                N_("{name} has no decision on “{text}” to undo."), name=self._me.name, text=recording.text
            )
        return self._store.undo_review(recording, self._me.name, self._me)

    def consensus(self, method: str | None = None) -> "pd.DataFrame":
        """One row per recording, by the project's method or another; decisions override it, exclusions are left out."""
        ratings = self.ratings()
        if not ratings.ids:
            raise ProjectError(N_("There are no ratings in this project yet."))
        ranges = {d.key: (float(d.low), float(d.high)) for d in self.rubric.dimensions}
        table = consensus_table(ratings, method or self._project.consensus, {"score": (0.0, 100.0), **ranges})
        verdicts = self._verdicts()
        excluded = [key for key, event in verdicts.items() if event.action is RatingAction.EXCLUDE]
        table = table[~table["recording_id"].isin(excluded)].reset_index(drop=True)
        for key, event in verdicts.items():
            row = table["recording_id"] == key
            if event.action is RatingAction.DECIDE and row.any():
                given = self._library.values_on(self.rubric, event.dimensions, event.rubric)
                values: dict[str, float | None] = {**given} if event.dimensions else {SCORE: event.score}
                for name, value in values.items():
                    if name in table:
                        table.loc[row, name] = value
                table.loc[row, "method"] = f"decided by {event.evaluator}"
        return table

    def quality(self) -> list[ExpertQuality]:
        """One entry per expert who rated in the project, by name."""
        sql = """
            SELECT e.recording_id, e.body, r.duration_s FROM events e JOIN recordings r ON r.id = e.recording_id
            WHERE e.project = ? AND e.stands ORDER BY e.at
        """
        rows = self._index.rows(sql, [self._project.name])
        durations = {row["recording_id"]: row["duration_s"] for row in rows}
        by_name: dict[str, list[tuple[str, RatingEvent]]] = {}
        for row in rows:
            event = event_from_json(artifacts.loads(row["body"]))
            if event.action in REVIEWS:
                continue
            by_name.setdefault(event.evaluator, []).append((row["recording_id"], event))
        answers = known_scores(self._project, self.rubric)
        current: dict[str, dict[str, float]] = {}
        for name, events in by_name.items():
            for key, event in events:
                if event.score is not None and not event.purpose and event.action is RatingAction.RATE:
                    current.setdefault(key, {})[name] = event.score
        return [
            quality_of(
                self._project, name, events, durations,
                {
                    key: float(np.median([score for who, score in scores.items() if who != name]))
                    for key, scores in current.items()
                    if any(who != name for who in scores)
                },
                answers,
            )
            for name, events in sorted(by_name.items())
        ]  # fmt: skip

    def _heal(self, recording: Recording, events: tuple[RatingEvent, ...]) -> None:
        """The file is the truth: where somebody edited or removed it under the running server, the index follows."""
        sql = "SELECT number FROM events WHERE recording_id = ?"
        if len(self._index.rows(sql, [recording.id])) != len(events):
            self._store.tell_index(recording)

    def _verdicts(self) -> dict[str, RatingEvent]:
        sql = "SELECT id FROM recordings WHERE set_name = ? AND review NOT IN ('', 'damaged')"
        verdicts = {}
        for row in self._index.rows(sql, [self._project.set]):
            verdict = self.look(row["id"]).verdict
            if verdict is not None:
                verdicts[row["id"]] = verdict
        return verdicts

    def _save(self, recording_id: str, action: RatingAction, **values: object) -> ResultFile:
        self._me.require(Action.REVIEW)
        event = RatingEvent(self._me.name, action, now_iso(), project=self._project.name, **values)  # type: ignore[arg-type]
        return self._store.add(self._index.recording(recording_id), event, self._me)
