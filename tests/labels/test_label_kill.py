"""A process killed at any instant of a save loses nothing that was called saved, and damages nothing."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from pipeline.corpus.sets import get_set, read_recordings, result_path
from pipeline.labels.index import Index
from pipeline.labels.result_file import read_result
from pipeline.labels.save_marks import SAVE_LASTS_AT_MOST_S
from pipeline.labels.store import LabelStore
from pipeline.settings import Settings

# Saves without end, and says so after each; forked again and again so that a kill costs milliseconds.
WRITER = """
import os, sys
from pathlib import Path
from pipeline.corpus.sets import read_recordings
from pipeline.labels.store import LabelStore
from pipeline.records import RatingAction, RatingEvent
from pipeline.settings import Settings

settings = Settings(Path(sys.argv[1]), Path(sys.argv[2]))
recordings = read_recordings(settings, "tiny")
store = LabelStore(settings)
store.add(recordings[0], RatingEvent("warm", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=50))
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        number = 0
        while True:
            recording = recordings[number % 3]
            event = RatingEvent(f"w{line.strip()}-{number}", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=50)
            store.add(recording, event)
            os.write(1, f"{recording.id} {event.evaluator}\\n".encode())
            number += 1
    os.write(1, f"pid {child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"dead\\n")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kills", [40, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_kills_in_the_middle_of_saves(settings: Settings, tiny_set: str, kills: int) -> None:
    index = Index(settings)
    index.rebuild()
    recordings = read_recordings(settings, tiny_set)[:3]
    set_ = get_set(settings, tiny_set)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(settings.data_root), str(settings.models_root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    draw = random.Random(7)
    acknowledged: set[tuple[str, str]] = set()
    interrupted, span_s = 0, 0.03
    for number in range(kills):
        writer.stdin.write(f"{number}\n")
        writer.stdin.flush()
        pid, before = None, len(acknowledged)
        while pid is None:
            words = writer.stdout.readline().split()
            if words[0] == "pid":
                pid = int(words[1])
            else:
                acknowledged.add((words[0], words[1]))
        time.sleep(draw.uniform(0.0, span_s))
        os.kill(pid, signal.SIGKILL)
        while (line := writer.stdout.readline().strip()) != "dead":
            acknowledged.add((line.split()[0], line.split()[1]))
        interrupted += len(acknowledged) == before
        # Some saves get through and some do not, however long one takes on this machine now.
        span_s = max(0.01, min(1.0, span_s * (1.5 if len(acknowledged) == before else 0.8)))
        # Each file is whole after each kill; a long history makes saves slower, so they start afresh.
        for recording in recordings:
            path = result_path(set_, recording)
            result = read_result(path)
            said = {event.evaluator for event in result.ratings} if result is not None else set()
            assert {who for where, who in acknowledged if where == recording.id} <= said
            if len(said) > 40:
                path.unlink()
                acknowledged = {(where, who) for where, who in acknowledged if where != recording.id}
    writer.stdin.close()
    writer.wait(timeout=30)
    assert interrupted < kills, "no save ever got through: the kills came too early to test anything"
    # What a dead process left behind is in nobody's way: the next save works, and the index finds everything.
    store = LabelStore(settings)
    for mark in (settings.data_root / "locks" / "saving").iterdir():
        old = time.time() - 2 * SAVE_LASTS_AT_MOST_S
        os.utime(mark, (old, old))
    index.ensure()
    indexed = set(map(tuple, index.labels(tiny_set)[["recording_id", "evaluator"]].to_numpy().tolist()))
    for recording in recordings:
        assert {(recording.id, who) for who in store.current(recording)} <= indexed
    assert not list((settings.data_root / "locks" / "saving").iterdir())
