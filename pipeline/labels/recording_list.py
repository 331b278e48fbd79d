"""A list of the recordings of a set, a page at a time from the index: filtered, searched and sorted there.

Whoever may see others' ratings sees the team's state of each recording. Everybody else sees their own rating and no
more; which recordings have known answers, or came to them as repeats, their list does not tell: while one is open as a
repeat, it looks as if they had not dealt with it.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline import artifacts
from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.labels.leases import Leases
from pipeline.labels.result_file import event_from_json
from pipeline.people.access import Action, Identity
from pipeline.people.names import name_key
from pipeline.records import RatingAction, Seconds


class Filter(StrEnum):
    """Those of `TEAM` need the right to see others' ratings. `CHOSEN` are those of `ListQuery.chosen`."""

    ALL = "all"
    OPEN = "open"
    RATED = "rated"
    SKIPPED = "skipped"
    FLAGGED = "flagged"
    COMMENTED = "commented"
    CHOSEN = "chosen"
    UNRATED = "unrated"
    DISPUTED = "disputed"
    SET_ASIDE = "set aside"
    DECIDED = "decided"
    EXCLUDED = "excluded"
    KNOWN = "known"


class Sort(StrEnum):
    """`MINE` is the newest of one's own first, `MY_SCORE` and `SCORE` the lowest first, `SPREAD` the largest first. The
    first two list only what the reader has dealt with."""

    RECORDING = "recording"
    SPEAKER = "speaker"
    TEXT = "text"
    MINE = "mine"
    MY_SCORE = "my score"
    SCORE = "score"
    SPREAD = "spread"


MOST_WORDS = 20  # of a search
TEAM_FILTERS = (
    Filter.UNRATED, Filter.DISPUTED, Filter.SET_ASIDE, Filter.DECIDED, Filter.EXCLUDED, Filter.KNOWN,
)  # fmt: skip
TEAM_SORTS = (Sort.SCORE, Sort.SPREAD)
OWN_SORTS = (Sort.MINE, Sort.MY_SCORE)


@dataclass(frozen=True)
class ListQuery:
    """What to list. Every word of `search` must stand in the speaker, the text or the id, in either case. `known` are
    the recordings with known answers; `chosen` are those that `Filter.CHOSEN` lists. Ratings that differ by more than
    `disputed_from` points (0-100) are disputed."""

    set: str
    search: str = ""
    speakers: tuple[str, ...] = ()
    part: str = ""
    filter: Filter = Filter.ALL
    sort: Sort = Sort.RECORDING
    offset: int = 0
    limit: int = 50
    disputed_from: float = 0.0
    known: frozenset[str] = frozenset()
    chosen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OwnRating:
    """What the reader last did with a recording; `score` is 0-100."""

    action: RatingAction
    score: float | None
    reason: str


@dataclass(frozen=True)
class TeamState:
    """What everybody did with a recording: `score` is the consensus and `spread` the difference of the ratings (0-100),
    `verdict` a reviewer's ("" for none), `n_set_aside` how many skipped or flagged it."""

    n_ratings: int
    score: float | None
    spread: float | None
    verdict: str
    n_set_aside: int
    is_known: bool


@dataclass(frozen=True)
class ListedRecording:
    """One row. `team` is None for who may not see others' ratings; `n_comments` counts those that the reader sees."""

    id: str
    speaker: str
    text: str
    part: str
    duration_s: Seconds | None
    mine: OwnRating | None
    n_comments: int
    team: TeamState | None


@dataclass(frozen=True)
class ListPage:
    """`rows` from `ListQuery.offset` on, of `total` recordings that match."""

    rows: tuple[ListedRecording, ...]
    total: int


# What the reader last did with each recording.
_MINE = """
    SELECT recording_id, max(number) AS number, action FROM events
    WHERE evaluator = :me AND set_name = :set AND stands AND action IN ('rate', 'skip', 'flag')
    AND recording_id NOT IN (SELECT value FROM json_each(:again)) GROUP BY recording_id
"""
_OPEN = """
    NOT EXISTS (
        SELECT 1 FROM events WHERE evaluator = :me AND set_name = :set AND recording_id = r.id AND stands
        AND action IN ('rate', 'skip', 'flag') AND recording_id NOT IN (SELECT value FROM json_each(:again))
    )
"""
_SET_ASIDE = """
    SELECT recording_id FROM ratings WHERE set_name = :set AND action IN ('skip', 'flag') AND reason <> :later
"""
_COMMENTED = """
    SELECT recording_id FROM comments WHERE set_name = :set AND (:all OR begun_by = :me OR audience = :me)
"""
_OWN = {Filter.RATED: "rate", Filter.SKIPPED: "skip", Filter.FLAGGED: "flag"}
_CONDITIONS = {
    Filter.ALL: "1",
    Filter.OPEN: _OPEN,
    **{own: f"mine.action = '{action}'" for own, action in _OWN.items()},
    Filter.COMMENTED: f"r.id IN ({_COMMENTED})",
    Filter.CHOSEN: "r.id IN (SELECT value FROM json_each(:chosen))",
    Filter.UNRATED: "r.n_raters = 0 AND r.review = ''",
    Filter.DISPUTED: "r.spread > :disputed AND r.review = ''",
    Filter.SET_ASIDE: f"r.review = '' AND r.id IN ({_SET_ASIDE})",
    Filter.DECIDED: "r.review = 'decide'",
    Filter.EXCLUDED: "r.review = 'exclude'",
    Filter.KNOWN: "r.id IN (SELECT value FROM json_each(:known))",
}
# CROSS JOIN keeps SQLite to this order: a person's own ratings are fewer than the recordings of a set.
_FROM_MINE = f"""
    ({_MINE}) mine CROSS JOIN recordings r ON r.id = mine.recording_id
    CROSS JOIN events e ON e.recording_id = mine.recording_id AND e.number = mine.number
"""
_ORDERS = {
    Sort.RECORDING: "r.id",
    Sort.SPEAKER: "r.speaker, r.id",
    Sort.TEXT: "r.text, r.id",
    Sort.MINE: "e.at DESC, r.id",
    Sort.MY_SCORE: "json_extract(e.body, '$.score') NULLS LAST, r.id",
    Sort.SCORE: "r.score NULLS LAST, r.id",
    Sort.SPREAD: "r.spread DESC, r.id",
}


def list_recordings(index: Index, query: ListQuery, identity: Identity) -> ListPage:
    """Raises AccessError for who may not see recordings, and for filters and orders that tell of others' ratings."""
    identity.require(Action.SEE_SETS)
    if query.filter in TEAM_FILTERS or query.sort in TEAM_SORTS:
        identity.require(Action.SEE_RATINGS)
    sort = query.sort
    if query.filter is Filter.OPEN and sort in OWN_SORTS:
        sort = Sort.RECORDING
    again = Leases(index.settings).repeats_of(identity.name).keys()
    words = name_key(query.search).split()[:MOST_WORDS]
    values: dict[str, Any] = {
        "set": query.set, "me": identity.name, "all": int(identity.may(Action.SEE_RATINGS)), "part": query.part,
        "speakers": json.dumps(list(query.speakers)), "disputed": query.disputed_from,
        "known": json.dumps(sorted(query.known)), "chosen": json.dumps(sorted(query.chosen)),
        "limit": query.limit, "offset": query.offset, "later": LATER, "again": json.dumps(sorted(again)),
        **{f"word{n}": word for n, word in enumerate(words)},
    }  # fmt: skip
    conditions = ["r.set_name = :set", *(f"instr(r.folded, :word{n})" for n in range(len(words)))]
    if query.part:
        conditions.append("r.part = :part")
    if query.speakers:
        conditions.append("r.speaker IN (SELECT value FROM json_each(:speakers))")
    conditions.append(_CONDITIONS[query.filter])
    source = _FROM_MINE if query.filter in _OWN or sort in OWN_SORTS else "recordings r"
    where = " AND ".join(conditions)
    counting = f"SELECT count(*) AS n FROM {source} WHERE {where}"  # noqa: S608
    # What goes through all texts, or all of one's own ratings, does so once for the rows and their number.
    in_one = bool(words) or source is _FROM_MINE
    n = "count(*) OVER ()" if in_one else "0"
    listing = f"SELECT r.id, {n} AS n FROM {source} WHERE {where} ORDER BY {_ORDERS[sort]} LIMIT :limit OFFSET :offset"  # noqa: S608
    listed = index.rows(listing, values)
    total = listed[0]["n"] if in_one and listed else index.rows(counting, values)[0]["n"]
    return ListPage(tuple(_rows(index, query, [row["id"] for row in listed], identity, again)), total)


def speakers_of(index: Index, set_name: str) -> list[str]:
    sql = "SELECT DISTINCT speaker FROM recordings WHERE set_name = ? ORDER BY speaker"
    return [row["speaker"] for row in index.rows(sql, [set_name])]


def ids_of(index: Index, set_name: str) -> list[str]:
    return [row["id"] for row in index.rows("SELECT id FROM recordings WHERE set_name = ?", [set_name])]


def _rows(
    index: Index, query: ListQuery, ids: Sequence[str], identity: Identity, again: Collection[str]
) -> list[ListedRecording]:
    everything = identity.may(Action.SEE_RATINGS)
    sql = f"""
        SELECT r.*,
            (SELECT e.body FROM events e WHERE e.recording_id = r.id AND e.evaluator = :me AND e.stands
                AND e.action IN ('rate', 'skip', 'flag') ORDER BY e.number DESC LIMIT 1) AS mine,
            (SELECT count(*) FROM ({_COMMENTED}) c WHERE c.recording_id = r.id) AS n_comments,
            (SELECT count(*) FROM ({_SET_ASIDE}) s WHERE s.recording_id = r.id) AS n_set_aside
        FROM recordings r WHERE r.id IN (SELECT value FROM json_each(:ids))
    """  # noqa: S608
    values = {
        "me": identity.name,
        "set": query.set,
        "all": int(everything),
        "ids": json.dumps(list(ids)),
        "later": LATER,
    }
    rows = {row["id"]: row for row in index.rows(sql, values)}
    return [_row(rows[key], everything, key in query.known, key in again) for key in ids if key in rows]


def _row(row: dict[str, Any], everything: bool, is_known: bool, is_again: bool) -> ListedRecording:
    mine = None if row["mine"] is None or is_again else event_from_json(artifacts.loads(row["mine"]))
    team = TeamState(row["n_raters"], row["score"], row["spread"], row["review"], row["n_set_aside"], is_known)
    return ListedRecording(
        id=row["id"], speaker=row["speaker"], text=row["text"], part=row["part"] or "", duration_s=row["duration_s"],
        mine=None if mine is None else OwnRating(mine.action, mine.score, mine.reason),
        n_comments=row["n_comments"], team=team if everything else None,
    )  # fmt: skip
