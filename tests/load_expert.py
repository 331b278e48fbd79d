"""One expert of the load test: rates until there are enough, noting each rating once its save has returned.

python -m tests.load_expert NAME JOURNAL N
"""

import json
import os
import sys
import time
from pathlib import Path

from pipeline.people.access import Identity, Role
from pipeline.projects.project import get_project
from pipeline.projects.queue import Queue, QueueItem
from pipeline.records import RatingAction, RatingEvent
from pipeline.settings import Settings
from pipeline.times import now_iso


def main(name: str, journal: Path, wanted: int) -> None:
    settings = Settings.from_env()
    queue = Queue(settings, get_project(settings, "load"), Identity(name, frozenset({Role.EXPERT})))
    done = journal.read_text().count("\n") if journal.exists() else 0
    with journal.open("a") as file:
        while done < wanted:
            task = queue.next()
            if not isinstance(task, QueueItem):
                if task.reason == "done":
                    return
                time.sleep(0.05)
                continue
            score = float(hash((name, task.recording.id)) % 101)
            begun = time.perf_counter()
            queue.save(task, RatingEvent(name, RatingAction.RATE, now_iso(), score=score))
            row = {
                "item": task.recording.id, "score": score, "save_ms": 1e3 * (time.perf_counter() - begun),
                "leased_at": task.lease.taken_at, "saved_at": time.time() - (time.perf_counter() - begun),
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
            done += 1


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
