"""What follows from the answers of a pair project: the scale, scores beside anchors, and each rater's consistency."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.corpus.sets import get_set
from pipeline.errors import ProjectError
from pipeline.i18n import N_
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.metrics import bradley_terry
from pipeline.metrics.anchored_scores import anchored
from pipeline.metrics.bradley_terry import Comparisons, Scale
from pipeline.metrics.pair_consistency import RaterConsistency, consistency
from pipeline.people.access import Action, Identity
from pipeline.people.names import name_key
from pipeline.projects.pairs.judgements import PREFERENCE, Answer, Judgement, Judgements
from pipeline.projects.pairs.plan import Item, plan_of
from pipeline.projects.project import PAIRS, Project, known_scores
from pipeline.records import Purpose, RatingAction, RatingEvent, RatingSource
from pipeline.rubrics import Rubric
from pipeline.rubrics.library import RubricLibrary
from pipeline.rubrics.rubric import MEAN
from pipeline.settings import Settings
from pipeline.times import now_iso

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Place:
    """One recording on the scale: `value` in logits with its 95 % interval, from `n` comparisons. `score` (0-100) and
    its interval follow from the anchors, None without them; `outside` says that it lies beyond all anchors. `known` is
    the recording's own known score, where it is an anchor."""

    recording_id: str
    text: str
    speaker: str
    value: float
    low: float
    high: float
    n: int
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    outside: bool = False
    known: float | None = None


@dataclass(frozen=True)
class PairScale:
    """The scale of a project, the best recording first. `why_no_scores` says what scores lack, "" where there are some;
    `anchor_error` is the anchors' mean absolute distance from their known scores, in points."""

    places: tuple[Place, ...]
    scale: Scale
    n_raters: int
    n_anchors: int
    anchor_error: float | None
    why_no_scores: str


class PairResults:
    """Raises AccessError for somebody who may not see others' ratings, and ProjectError for a project of ratings."""

    def __init__(self, settings: Settings, project: Project, identity: Identity) -> None:
        identity.require(Action.SEE_RATINGS)
        if project.kind != PAIRS:
            raise ProjectError(N_("{name} is not a pair project."), name=project.name)
        Index(settings).ensure()
        self._settings, self._project, self._me = settings, project, identity
        self.standing: tuple[Judgement, ...] = tuple(Judgements(settings, project.name).standing())

    def scale(self, *, method: str = "linear", n_resamples: int = 0) -> PairScale:
        """By maximum likelihood; with `n_resamples`, intervals of the places allow for the choice of raters. Raises
        ProjectError where the comparisons do not make one scale."""
        items = self._items()
        data = self._comparisons(items)
        scale = _fitted(_hashable(data))
        low, high = (
            bradley_terry.rater_bootstrap(data, n_resamples=n_resamples) if n_resamples else (scale.low, scale.high)
        )
        known = self.known_scores()
        places = [
            Place(
                recording_id=key, text=items[key].text, speaker=items[key].speaker, value=float(scale.value[k]),
                low=float(low[k]), high=float(high[k]), n=int(scale.n[k]), known=known.get(key),
            )
            for k, key in enumerate(scale.items)
        ]  # fmt: skip
        n_anchors, error, why = sum(key in known for key in scale.items), None, ""
        try:
            scores = anchored(scale, known, method)
        except ProjectError as problem:
            why = problem.text
        else:
            error = scores.error
            places = [
                replace(
                    place, score=float(scores.score[k]), score_low=float(scores.low[k]),
                    score_high=float(scores.high[k]), outside=bool(scores.outside[k]),
                )
                for k, place in enumerate(places)
            ]  # fmt: skip
        ordered = tuple(sorted(places, key=lambda place: (-place.value, place.recording_id)))
        return PairScale(ordered, scale, len(data.raters), n_anchors, error, why)

    def raters(self) -> list[RaterConsistency]:
        """Consistency of everybody who answered, by name."""
        data = self._comparisons(self._items())
        return consistency(data, self._repeats()) if len(data) else []

    def skipped(self) -> list[Judgement]:
        """Pairs that somebody skipped, the latest first."""
        return [j for j in reversed(self.standing) if j.answer is Answer.SKIP]

    def known_scores(self) -> dict[str, float]:
        """The scores (0-100) of the anchors, by recording."""
        rubric = self._rubric()
        return known_scores(self._project, rubric)

    def table(self) -> "pd.DataFrame":
        """One row per answer or skip that stands: at, evaluator, left, right, answer, better (the recording), reason,
        purpose, took_s, heard_left, heard_right."""
        import pandas as pd

        columns = [
            "at", "evaluator", "left", "right", "answer", "better", "reason", "purpose", "took_s", "heard_left",
            "heard_right",
        ]  # fmt: skip
        rows = [
            (
                j.at, j.evaluator, j.left, j.right, str(j.answer), j.better or "", j.reason, str(j.purpose), j.took_s,
                *(j.heard or (None, None)),
            )
            for j in self.standing
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)

    def save_as_ratings(self, *, method: str = "linear") -> int:
        """Add the scores to the label files, as ratings by `rater_name`; how many were new or changed. The anchors keep
        their known scores and get none.

        Raises ProjectError where there are no scores, AccessError for who may not import ratings.
        """
        self._me.require(Action.IMPORT_DATA)
        result = self.scale(method=method)
        if result.why_no_scores:
            raise ProjectError(result.why_no_scores)
        rubric = self._rubric()
        RubricLibrary(self._settings).keep(rubric)
        index, store, n = Index(self._settings), LabelStore(self._settings), 0
        for place in result.places:
            if place.score is None or place.known is not None:
                continue
            event = self._event(place, rubric)
            n += store.add_from_corpus(index.recording(place.recording_id), [event], self._me) is not None
        if n:
            index.refresh_set(self._project.set)
        return n

    @property
    def rater_name(self) -> str:
        """Under which the scale's scores stand among the ratings."""
        return f"pairs {self._project.name}"

    def _rubric(self) -> Rubric:
        library = RubricLibrary(self._settings)
        return library.rating(get_set(self._settings, self._project.set).rubric, self._project.rubric)

    def _event(self, place: Place, rubric: Rubric) -> RatingEvent:
        """A rating of the whole: of several dimensions those that the score follows from, and no other."""
        score = round(float(place.score or 0.0), 1)
        values = {
            dimension.key: round(dimension.at(score / 100.0), 2)
            for dimension in rubric.dimensions
            if rubric.overall in (MEAN, dimension.key)
        }
        return RatingEvent(
            self.rater_name, RatingAction.RATE, now_iso(), score=score,
            dimensions={} if rubric.is_score else values, rubric=rubric.reference,
            notes=f"{place.n} comparisons; 95 % interval {place.score_low:.1f} to {place.score_high:.1f}",
            source=RatingSource.CORPUS, project=self._project.name,
        )  # fmt: skip

    def _items(self) -> Mapping[str, Item]:
        return plan_of(self._settings, self._project).items

    def _comparisons(self, items: Mapping[str, Item]) -> Comparisons:
        """First answers about recordings that are still there; repeats tell about raters alone."""
        names: dict[str, str] = {}
        rows = [
            (j.left, j.right, PREFERENCE[j.answer], names.setdefault(name_key(j.evaluator), j.evaluator))
            for j in self.standing
            if j.answer in PREFERENCE and j.purpose is Purpose.WORK and j.left in items and j.right in items
        ]
        return bradley_terry.comparisons(rows)

    def _repeats(self) -> list[tuple[str, bool]]:
        """Of each repeat, who gave it and whether the answer was the one they gave before."""
        names: dict[str, str] = {}
        first: dict[tuple[str, frozenset[str]], str | None] = {}
        pairs = []
        for judgement in self.standing:
            if judgement.answer not in PREFERENCE:
                continue
            key = name_key(judgement.evaluator)
            name = names.setdefault(key, judgement.evaluator)
            if judgement.purpose is Purpose.WORK:
                first[key, judgement.pair] = judgement.better
            elif (key, judgement.pair) in first:
                pairs.append((name, first[key, judgement.pair] == judgement.better))
        return pairs


def scale_table(result: PairScale) -> "pd.DataFrame":
    """One row per recording, the best first, with the columns of `Place`."""
    import pandas as pd

    return pd.DataFrame([vars(place) for place in result.places])


_Key = tuple[tuple[str, ...], tuple[str, ...], bytes, bytes, bytes, bytes]


def _hashable(data: Comparisons) -> _Key:
    arrays = (data.left, data.right, data.preferred, data.rater)
    left, right, preferred, rater = (array.tobytes() for array in arrays)
    return data.items, data.raters, left, right, preferred, rater


@lru_cache(maxsize=8)
def _fitted(key: _Key) -> Scale:
    """A page asks for the same scale whenever it is drawn."""
    items, raters, left, right, preferred, rater = key
    return bradley_terry.fit(
        Comparisons(
            items, raters, np.frombuffer(left, np.intp), np.frombuffer(right, np.intp),
            np.frombuffer(preferred, np.float64), np.frombuffer(rater, np.intp),
        )
    )  # fmt: skip
