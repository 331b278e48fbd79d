"""The index: the same state step by step and made anew, and fair answers to what pages ask."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.corpus.sets import read_recordings
from pipeline.errors import UnknownNameError
from pipeline.labels.exchange.files import export_table
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.records import RatingAction, RatingEvent
from pipeline.settings import Settings

NOW = "2026-05-01T10:00:00.000+00:00"


def content(settings: Settings) -> dict[str, list[Any]]:
    with sqlite3.connect(settings.index_path) as database:
        tables = ("sets", "recordings", "ratings", "problems")
        return {table: sorted(database.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in tables}


step = st.tuples(
    st.integers(0, 4), st.sampled_from(["ann", "bo", "çiğdem"]), st.sampled_from(["rate", "skip", "flag", "undo"]),
    st.integers(0, 100),
)  # fmt: skip


@given(steps=st.lists(step, max_size=12))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_single_saves_and_a_rebuild_lead_to_the_same_index(
    settings: Settings, tiny_set: str, steps: list[tuple[int, str, str, int]]
) -> None:
    store, index = LabelStore(settings), Index(settings)
    index.ensure()
    recordings = read_recordings(settings, tiny_set)
    for number, evaluator, kind, score in steps:
        event = RatingEvent(evaluator, RatingAction(kind), NOW, score=float(score), reason="why")
        if kind == "undo":
            if evaluator in store.current(recordings[number]):
                store.undo(recordings[number], evaluator)
        else:
            store.add(recordings[number], event)
    before = content(settings)
    index.rebuild()
    assert content(settings) == before


def test_each_expert_sees_every_recording_once_and_then_nothing(settings: Settings, tiny_set: str) -> None:
    index, store = Index(settings), LabelStore(settings)
    orders = []
    for evaluator in ("first", "second"):
        seen = []
        while (recording := index.next_recording(tiny_set, evaluator)) is not None:
            seen.append(recording.id)
            store.add(recording, RatingEvent(evaluator, RatingAction.RATE, NOW, score=50))
        orders.append(seen)
        assert len(seen) == len(set(seen)) == 24
        assert index.progress(tiny_set, evaluator).left == 0
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


def test_progress_tells_ratings_skips_and_flags_apart(settings: Settings, tiny_set: str) -> None:
    store, recordings = LabelStore(settings), read_recordings(settings, tiny_set)
    store.add(recordings[0], RatingEvent("x", RatingAction.RATE, NOW, score=1))
    store.add(recordings[1], RatingEvent("x", RatingAction.SKIP, NOW, reason="r"))
    store.add(recordings[2], RatingEvent("x", RatingAction.FLAG, NOW, reason="r"))
    progress = Index(settings).progress(tiny_set, "x")
    assert (progress.rated, progress.skipped, progress.flagged, progress.left) == (1, 1, 1, 21)


def test_the_newest_acts_come_first(settings: Settings, tiny_set: str) -> None:
    store, recordings = LabelStore(settings), read_recordings(settings, tiny_set)
    for minute, number in enumerate((3, 1, 2)):
        at = f"2026-05-01T10:0{minute}:00.000+00:00"
        store.add(recordings[number], RatingEvent("x", RatingAction.RATE, at, score=50))
    recent = Index(settings).recent(tiny_set, "x", 2)
    assert [recording.id for recording, _ in recent] == [recordings[2].id, recordings[1].id]


@pytest.mark.parametrize("damage", [b"", b"not a database at all", None])
def test_a_damaged_or_missing_index_is_made_again(settings: Settings, tiny_set: str, damage: bytes | None) -> None:
    index = Index(settings)
    index.ensure()
    before = content(settings)
    for file in settings.data_root.glob("index.sqlite*"):
        file.unlink()
    if damage is not None:
        settings.index_path.write_bytes(damage)
    index.ensure()
    assert content(settings) == before


def test_two_indexes_rebuilding_at_once_do_no_harm(settings: Settings, tiny_set: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: Index(settings).rebuild(), range(8)))
    assert {report.n_ratings for report in reports} == {48}


def test_the_overview_counts_what_is_there(settings: Settings, tiny_set: str) -> None:
    found = Index(settings)
    found.ensure()
    overview = found.overview()[0]
    assert (overview.n_recordings, overview.n_speakers, overview.n_labelled) == (24, 4, 24)
    assert overview.ratings_by_evaluator == {"ayşe": 24, "can": 24}
    assert overview.hours == pytest.approx(24 * 0.6 / 3600)
    assert found.texts(tiny_set) == sorted({"araba", "çiçek", "ev", "güneş", "kitap", "su"})


def test_an_unknown_recording_is_named(settings: Settings, tiny_set: str) -> None:
    index = Index(settings)
    index.ensure()
    with pytest.raises(UnknownNameError, match="tiny/nowhere"):
        index.recording("tiny/nowhere")


def test_a_set_whose_audio_has_gone_still_has_its_ratings(settings: Settings, tiny_set: str, tmp_path: Path) -> None:
    for audio in (tmp_path / "tiny").rglob("*.wav"):
        audio.unlink()
    assert Index(settings).rebuild().n_ratings == 48


def test_exports_open_in_a_spreadsheet_and_run_nothing_there(settings: Settings, tiny_set: str) -> None:
    recording = read_recordings(settings, tiny_set)[0]
    LabelStore(settings).add(recording, RatingEvent("x", RatingAction.RATE, NOW, score=50, notes='=HYPERLINK("evil")'))
    text = export_table(settings, tiny_set, "csv").content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert ",=HYPERLINK" not in text
    exported = export_table(settings, tiny_set, "jsonl", "consensus")
    assert exported.n == len(exported.content.splitlines()) == 24
    with pytest.raises(UnknownNameError, match="none"):
        export_table(settings, "none", "csv")
    index = Index(settings)
    shutil.rmtree(settings.sets_root)
    assert index.rebuild().n_recordings == 0
