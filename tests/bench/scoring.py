"""Milliseconds from a file to a score, by scorer, beside the recording's own length."""

import tempfile
from pathlib import Path

from pipeline.audio.load import load_audio
from pipeline.records import RubricName, Target
from pipeline.scoring.base import score_file
from pipeline.scoring.selection import load_scorer
from pipeline.settings import CHECKOUT, Settings
from tests.bench import BenchResult, best_s

WORDS = ("masa", "pencere", "yıldız", "elma", "kitap")


def run() -> list[BenchResult]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder) / "data", Path(folder) / "models")
        files = [(CHECKOUT / "data" / "demo" / "references" / f"{word}.wav", word) for word in WORDS]
        length_s = sum(load_audio(path).duration_s for path, _ in files) / len(files)
        results = []
        for name in ("heuristic", "acoustic57", "reference"):
            scorer = load_scorer(settings, name, RubricName.WORD)
            took_s = best_s(lambda s=scorer: [score_file(s, path, Target(word, "tr")) for path, word in files])
            each_s = took_s / len(files)
            results.append(
                BenchResult(f"{name}, one word", 1000 * each_s, "ms", "< 1000", "real time", length_s / each_s)
            )
        return results
