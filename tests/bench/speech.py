"""The speech scorer: latency, memory, loading, and throughput of a folder; beside PocketSphinx's forced
alignment of the words.

The clips are eSpeak NG's, about 3 s each, so that the benchmark needs no corpus; a synthetic voice takes as long to
score as a person's.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import soundfile
import soxr

from pipeline.audio.load import load_audio
from pipeline.records import RubricName, Target
from pipeline.scoring.base import score_audio
from pipeline.scoring.batch import Item, ScorerSpec, score_items
from pipeline.scoring.selection import load_scorer
from pipeline.settings import Settings
from tests.bench import BenchResult

TEXTS = (
    "she sells fresh bread and cheese at the market",
    "my brother usually drinks three cups of tea",
    "could you choose a good book for the journey",
    "the young girl heard a strange noise outside",
    "they saw five small boats on the quiet river",
)
REPEATS = 6
_ALONE = """
import json, resource, sys, time
from pathlib import Path
started = time.perf_counter()
from pipeline.audio.load import load_audio
from pipeline.records import RubricName, Target
from pipeline.scoring.base import score_audio
from pipeline.scoring.selection import load_scorer
from pipeline.settings import Settings
scorer = load_scorer(Settings.from_env(), "speech", RubricName.SENTENCE)
loaded = time.perf_counter() - started
audio, target = load_audio(Path(sys.argv[1])), Target(sys.argv[2], "en", RubricName.SENTENCE)
started = time.perf_counter()
score_audio(scorer, audio, target)
first = time.perf_counter() - started
threads = []
if len(sys.argv) > 3:
    for _ in range(5):
        started = time.perf_counter()
        score_audio(scorer, audio, target)
        threads.append(time.perf_counter() - started)
print(json.dumps([loaded, first, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, threads]))
"""


def run() -> list[BenchResult]:
    if shutil.which("espeak-ng") is None:
        sys.exit("The speech benchmark makes its clips with espeak-ng: install it.")
    settings = Settings.from_env()
    with tempfile.TemporaryDirectory() as folder:
        clips = [_speak(Path(folder) / f"{n}.wav", text) for n, text in enumerate(TEXTS)]
        length_s = statistics.mean(load_audio(path).duration_s for path in clips)
        loaded_s, first_s, memory_mb, _ = _alone(clips[0], TEXTS[0])
        one_core = _alone(clips[0], TEXTS[0], "taskset", "-c", "0")[3]
        scorer = load_scorer(settings, "speech", RubricName.SENTENCE)
        recordings = [load_audio(path) for path in clips]
        targets = [Target(text, "en", RubricName.SENTENCE) for text in TEXTS]
        ours, theirs = [], []
        align = _pocketsphinx()
        for _ in range(REPEATS):  # in turn, so that both see the same machine
            for audio, target in zip(recordings, targets, strict=True):
                started = time.perf_counter()
                score_audio(scorer, audio, target)
                ours.append(time.perf_counter() - started)
                started = time.perf_counter()
                align(audio.samples, target.text)
                theirs.append(time.perf_counter() - started)
        ours_s, theirs_s = statistics.median(ours), statistics.median(theirs)
        items = [Item(f"bench/{n}", clips[n % 5], "b", targets[n % 5]) for n in range(40)]
        started = time.perf_counter()
        list(score_items(ScorerSpec(settings, "speech"), items))
        folder_s = time.perf_counter() - started
    sphinx = "PocketSphinx aligning words"
    one_core_s = statistics.median(one_core)
    return [
        BenchResult(f"{length_s:.1f} s of speech, median", 1000 * ours_s, "ms", "< 250", sphinx, theirs_s / ours_s),
        BenchResult("the slowest of them", 1000 * max(ours), "ms"),
        BenchResult("real-time factor, one core", one_core_s / length_s, "", "< 0.12"),
        BenchResult("loading, imports included", loaded_s, "s", "< 1.5"),
        BenchResult("the first sentence", 1000 * first_s, "ms"),
        BenchResult("memory of the process", memory_mb, "MB", "< 500"),
        BenchResult("a folder of 40 files", 40 * length_s / folder_s, "x real time"),
    ]


def _speak(path: Path, text: str) -> Path:
    raw = path.with_suffix(".raw.wav")
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", str(raw), text], check=True)
    samples, rate = soundfile.read(raw, dtype="float32")
    soundfile.write(path, soxr.resample(samples, rate, 16_000), 16_000)
    return path


def _alone(clip: Path, text: str, *prefix: str) -> tuple[float, float, float, list[float]]:
    """Seconds to load and for the first score, peak MB, and seconds of five more, in a process of its own."""
    command = [*prefix, sys.executable, "-c", _ALONE, str(clip), text, *(["more"] if prefix else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded, first, memory, more = json.loads(done.stdout.splitlines()[-1])
    return loaded, first, memory, more


def _pocketsphinx():  # type: ignore[no-untyped-def]
    from pocketsphinx import Decoder

    decoder = Decoder(loglevel="FATAL")

    def align(samples, text):  # type: ignore[no-untyped-def]
        """Words only: its second pass, for phones, breaks off on some of these clips."""
        decoder.set_align_text(text)
        decoder.start_utt()
        decoder.process_raw((samples * 32767).astype("int16").tobytes(), full_utt=True)
        with suppress(RuntimeError):
            decoder.end_utt()

    return align
