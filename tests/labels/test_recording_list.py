"""The list of recordings: what it finds, in which order, and what it keeps from whom."""

import pytest

from pipeline.corpus.sets import read_recordings
from pipeline.errors import AccessError
from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.labels.recording_list import Filter, ListQuery, OwnRating, Sort, list_recordings, speakers_of
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.records import Purpose, RatingAction, RatingEvent
from pipeline.settings import Settings

EVE = Identity("Eve", frozenset({Role.EXPERT}))
RITA = Identity("Rita", frozenset({Role.REVIEWER}))
AT = "2026-05-01T10:00:0{}.000+00:00"


@pytest.fixture
def index(settings: Settings, tiny_set: str) -> Index:
    """Of `tiny`: Eve rated the first as gold and the second twice, skipped the third, flagged the fourth."""
    store, recordings = LabelStore(settings), read_recordings(settings, tiny_set)
    rated = RatingAction.RATE
    for number, event in (
        (0, RatingEvent("Eve", rated, AT.format(0), score=10, purpose=Purpose.GOLD)),
        (1, RatingEvent("Eve", rated, AT.format(1), score=70)),
        (1, RatingEvent("Eve", rated, AT.format(2), score=60, purpose=Purpose.REPEAT)),
        (2, RatingEvent("Eve", RatingAction.SKIP, AT.format(3), reason=LATER)),
        (3, RatingEvent("Eve", RatingAction.FLAG, AT.format(4), reason="Too noisy")),
    ):
        store.add(recordings[number], event)
    index = Index(settings)
    index.ensure()
    return index


def ids(index: Index, identity: Identity = EVE, **changed: object) -> list[str]:
    return [row.id for row in list_recordings(index, ListQuery("tiny", **changed), identity).rows]  # type: ignore[arg-type]


def test_filters_by_what_the_reader_did(index: Index) -> None:
    every = ids(index)
    assert len(every) == 24
    assert ids(index, filter=Filter.RATED) == every[:2]
    assert ids(index, filter=Filter.SKIPPED) == [every[2]]
    assert ids(index, filter=Filter.FLAGGED) == [every[3]]
    assert ids(index, filter=Filter.OPEN) == every[4:]
    assert ids(index, filter=Filter.CHOSEN, chosen=frozenset(every[5:7])) == every[5:7]


def test_searches_in_either_case_for_every_word(index: Index) -> None:
    assert len(ids(index, search="KITAP")) == 4
    assert len(ids(index, search="kıtap")) == 4, "every i is alike, as in names"
    assert ids(index, search="002 çiçek") == [key for key in ids(index) if "participant_002" in key and "çiçek" in key]
    assert ids(index, search="%") == []
    assert len(ids(index, speakers=("participant_001", "participant_003"))) == 12


def test_pages_and_orders(index: Index) -> None:
    page = list_recordings(index, ListQuery("tiny", offset=20, limit=3), EVE)
    assert (len(page.rows), page.total) == (3, 24)
    every = ids(index)
    assert ids(index, sort=Sort.MINE)[:4] == [every[3], every[2], every[1], every[0]]
    assert ids(index, sort=Sort.MY_SCORE)[:2] == [every[0], every[1]]
    spreads = [
        row.team.spread or 0
        for row in list_recordings(index, ListQuery("tiny", sort=Sort.SPREAD), RITA).rows
        if row.team
    ]
    assert spreads == sorted(spreads, reverse=True)
    assert speakers_of(index, "tiny") == [f"participant_00{n}" for n in range(1, 5)]


def test_an_expert_sees_their_own_rating_and_nothing_of_others(index: Index) -> None:
    rows = list_recordings(index, ListQuery("tiny", known=frozenset({ids(index)[0]})), EVE).rows
    assert all(row.team is None for row in rows)
    assert rows[0].mine == OwnRating(RatingAction.RATE, 10.0, ""), "a known answer looks like any other rating"
    assert rows[1].mine == OwnRating(RatingAction.RATE, 60.0, "")
    for hidden in (Filter.UNRATED, Filter.DISPUTED, Filter.SET_ASIDE, Filter.DECIDED, Filter.KNOWN):
        with pytest.raises(AccessError):
            ids(index, filter=hidden)
    for order in (Sort.SCORE, Sort.SPREAD):
        with pytest.raises(AccessError):
            ids(index, sort=order)


def test_a_reviewer_sees_what_the_team_did(index: Index) -> None:
    every = ids(index)
    assert ids(index, RITA, filter=Filter.SET_ASIDE) == [every[3]], "what was left for later comes back by itself"
    assert every[0] in ids(index, RITA, filter=Filter.DISPUTED, disputed_from=20.0)
    assert ids(index, RITA, filter=Filter.KNOWN, known=frozenset({every[4]})) == [every[4]]
    row = list_recordings(index, ListQuery("tiny", known=frozenset({every[0]})), RITA).rows[0]
    assert row.team is not None
    assert (row.team.n_ratings, row.team.is_known, row.mine) == (3, True, None)
    LabelStore(index.settings).add(
        index.recording(every[0]), RatingEvent("Rita", RatingAction.DECIDE, AT.format(9), score=50)
    )
    assert ids(index, RITA, filter=Filter.DECIDED) == [every[0]]
    assert every[0] not in ids(index, RITA, filter=Filter.DISPUTED)
