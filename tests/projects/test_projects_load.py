"""Many experts at once, as processes, some of them killed: nothing confirmed is lost, nothing is rated twice."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from pipeline.corpus.sets import RecordingSet, get_set, read_recordings, result_path
from pipeline.labels.history import current_ratings
from pipeline.labels.index import TABLES, Index
from pipeline.labels.result_file import read_result
from pipeline.people.access import Identity, Role
from pipeline.projects.project import Project, save_project
from pipeline.records import Recording, RubricName
from pipeline.settings import CHECKOUT, Settings
from tests.prepared import save_set

OVERLAP = 4


@dataclass(frozen=True)
class Outcome:
    """`confirmed` has (recording, score) by expert, `saves_ms` each save, `leases` (recording, from, until)."""

    confirmed: dict[str, dict[str, float]]
    saves_ms: list[float]
    leases: list[tuple[str, float, float]]
    n_kills: int


def prepared(settings: Settings, n_items: int) -> None:
    """A set without audio: nothing here listens."""
    root = settings.data_root / "corpus"
    root.mkdir(parents=True)
    recordings = [
        Recording(f"load/{n:05}", "load", f"{n:05}.wav", f"s{n % 50}", "ev", RubricName.WORD) for n in range(n_items)
    ]
    save_set(settings, RecordingSet("load", "Load", "folder", root, root, RubricName.WORD), recordings)
    Index(settings).rebuild()
    save_project(settings, Project("load", "load", overlap=OVERLAP), Identity("Ada", frozenset(Role)))


def rated_by(settings: Settings, n_experts: int, n_ratings: int, n_kills: int) -> Outcome:
    names = [f"expert {k}" for k in range(n_experts)]
    journals = {name: settings.data_root / f"{name}.journal" for name in names}
    environment = {**os.environ, "PRONLAB_DATA_ROOT": str(settings.data_root), "OMP_NUM_THREADS": "1"}

    def start(name: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.load_expert", name, str(journals[name]), str(n_ratings)]
        return subprocess.Popen(command, cwd=CHECKOUT, env=environment)

    running = {name: start(name) for name in names}
    draw, kills, deadline = random.Random(0), 0, time.monotonic() + 280
    while running and time.monotonic() < deadline:
        time.sleep(0.1)
        for name, process in list(running.items()):
            if process.poll() is None:
                continue
            if process.returncode == 0:
                del running[name]
            else:  # killed: back again, as after a restart of the server
                running[name] = start(name)
        saved = sum(path.read_bytes().count(b"\n") for path in journals.values() if path.exists())
        if running and kills < n_kills and saved > (kills + 1) * n_experts * n_ratings / (n_kills + 2):
            running[draw.choice(list(running))].send_signal(signal.SIGKILL)
            kills += 1
    assert not running, "not done in time"
    lines = {name: [json.loads(line) for line in path.read_text().splitlines()] for name, path in journals.items()}
    return Outcome(
        {name: {row["item"]: row["score"] for row in rows} for name, rows in lines.items()},
        [row["save_ms"] for rows in lines.values() for row in rows],
        [(row["item"], row["leased_at"], row["saved_at"]) for rows in lines.values() for row in rows],
        kills,
    )


def dump(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    with Index(settings).connect() as database:
        return {
            table: sorted(map(tuple, database.execute(f"SELECT * FROM {table}").fetchall()), key=repr)
            for table in TABLES
        }


def checked(settings: Settings, outcome: Outcome, n_kills: int) -> None:
    set_ = get_set(settings, "load")
    on_disk: dict[str, dict[str, float | None]] = {}
    for recording in read_recordings(settings, "load"):
        result = read_result(result_path(set_, recording))
        ratings = () if result is None else result.ratings
        who = [event.evaluator for event in ratings]
        assert len(who) == len(set(who)), f"{recording.id} was rated twice by one expert"
        assert len(who) <= OVERLAP, f"{recording.id} has {len(who)} ratings"
        for name, event in current_ratings(ratings).items():
            on_disk.setdefault(name, {})[recording.id] = event.score
    for name, own in outcome.confirmed.items():
        lost = {item for item, score in own.items() if on_disk[name].get(item) != score}
        assert not lost, f"{name} lost {sorted(lost)[:3]}"
    n_confirmed = sum(map(len, outcome.confirmed.values()))
    # A process killed between the save and its note of it leaves a rating that was never confirmed.
    assert 0 <= sum(map(len, on_disk.values())) - n_confirmed <= n_kills
    by_item: dict[str, list[tuple[float, float]]] = {}
    for item, begun, ended in outcome.leases:
        by_item.setdefault(item, []).append((begun, ended))
    for item, spans in by_item.items():
        spans.sort()
        assert all(a[1] <= b[0] + 1e-3 for a, b in itertools.pairwise(spans)), f"{item} was leased twice at once"
    Index(settings).ensure()
    before = dump(settings)
    Index(settings).rebuild()
    assert before == dump(settings)


def test_experts_at_once(settings: Settings) -> None:
    prepared(settings, 40)
    outcome = rated_by(settings, 5, 24, 3)
    assert outcome.n_kills == 3
    checked(settings, outcome, outcome.n_kills)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_experts_with_two_hundred_ratings_each_and_twenty_kills(settings: Settings) -> None:
    prepared(settings, 20 * 200 // OVERLAP + 60)
    outcome = rated_by(settings, 20, 200, 20)
    assert outcome.n_kills == 20
    checked(settings, outcome, outcome.n_kills)
