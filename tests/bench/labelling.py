"""An installation with 100,000 recordings: making the index, asking it, and one expert's save-and-next.

Beside it, what the index is there to avoid: reading the label files themselves.
"""

import json
import tempfile
import time
from pathlib import Path

from pipeline.corpus.sets import RecordingSet, read_recordings, save_set
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.records import AudioReport, RatingAction, RatingEvent, Recording, RubricName
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.bench import BenchResult, best_s

N = 100_000
LABELLED = 20_000
SAVES = 20


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "data", Path(folder) / "models")
        root = installation(settings, Path(folder) / "corpus")
        index, store = Index(settings), LabelStore(settings)
        started = time.perf_counter()
        index.rebuild()
        rebuild_s = time.perf_counter() - started
        scan_s = best_s(lambda: index.overview(), 3) + best_s(lambda: index.progress("big", "Ada"), 3)
        files_s = best_s(lambda: [json.loads(path.read_text()) for path in root.rglob("*_result.json")], 1)
        took: list[float] = []
        for _ in range(SAVES):
            recording = index.next_recording("big", "Ada")
            if recording is None:
                raise RuntimeError("the queue is empty")
            began = time.perf_counter()
            store.add(recording, RatingEvent("Ada", RatingAction.RATE, now_iso(), score=70))
            index.next_recording("big", "Ada")
            index.progress("big", "Ada")
            took.append(time.perf_counter() - began)
        return [
            BenchResult(f"index of {N:,} made from {LABELLED:,} label files", rebuild_s, "s"),
            BenchResult(
                f"overview and progress of {N:,}", scan_s, "s", "< 5", "reading the label files", files_s / scan_s
            ),
            BenchResult("save to next, median", 1000 * sorted(took)[SAVES // 2], "ms", "< 150"),
            BenchResult("save to next, slowest of 20", 1000 * max(took), "ms", "< 150"),
        ]


def installation(settings: Settings, root: Path) -> Path:
    report = AudioReport(1.0, 16000, 1, 0.5, 0.0, 0.1, 40.0)
    recordings = [
        Recording(
            f"big/participant_{n // 100:04}/kelimeler/{n % 100:02}_word", "big",
            f"participant_{n // 100:04}/kelimeler/{n % 100:02}_word.wav", f"participant_{n // 100:04}",
            f"word {n % 100}", RubricName.WORD, report=report,
        )
        for n in range(N)
    ]  # fmt: skip
    set_ = RecordingSet("big", "Big", "folder", root, root, RubricName.WORD, imported_at=now_iso())
    save_set(settings, set_, recordings)
    body = {"score": 70.0, "labeled": True, "evaluator": "old", "notes": ""}
    for recording in read_recordings(settings, "big")[:LABELLED]:
        path = (root / recording.path).with_name(f"{Path(recording.path).stem}_result.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"word": recording.text, **body}), encoding="utf-8")
    return root
