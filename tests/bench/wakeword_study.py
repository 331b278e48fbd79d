"""The study behind the figures in docs/results/wake-words.md: four keywords, three seeds, every technique on and off.

    python -m tests.bench.wakeword_study FOLDER SHARED default ablation compare near
    python -m tests.bench.wakeword_study FOLDER SHARED typed
    python -m tests.bench.wakeword_study FOLDER SHARED reach
    python -m tests.bench.wakeword_study FOLDER SHARED table

`typed` (see wakeword_typed.py) trains from a typed word, `reach` (wakeword_reach.py) asks the judge of phones. Trains
on at most 250 clips of a keyword (drawn by the seed), the speech of 95 speakers, three noises and four measured rooms;
reports on the other clips, 93 other speakers and three other noises. Two utterances of the corpus hold COMPUTER and are
left out. What is done already is not done again. Not part of `make bench`: it takes hours.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

KEYWORDS = ("computer", "jarvis", "smart_mirror", "snowboy")
SEEDS = (0, 1, 2)
HOURS = 3.0
N_POSITIVES = 250
SPOKEN_AS = {"smart_mirror": "smart mirror", "snowboy": "snow boy"}  # as PocketSphinx's dictionary has them
SPOT_THRESHOLDS = (1e-20, 1e-10, 1e-30)
HELD_SPEAKERS = 30  # of the corpus's training part, beside all of its other part
WITH_KEYWORD = {"001570212", "015030115"}
TRAINING_NOISE = {"doing_the_dishes", "pink_noise", "running_tap"}
NEAR = {
    "computer": ("commuter", "compute", "computing", "compete", "come here", "the pewter cup"),
    "jarvis": ("jar", "service", "harvest", "drivers", "jars of this", "charge it"),
    "smart_mirror": ("smart", "mirror", "smart manner", "start mirror", "smart meter", "smart mirage"),
    "snowboy": ("snow", "boy", "snowball", "no boy", "show boy", "snow day"),
}
# Half as wide and shorter than the default, so that 24 trainings take half an hour; its teacher is the default model.
SHORT = ("model.width=0.5", "train.steps=800", "mining.rounds=2", "mining.steps=200", "train.validate_every=200")
ABLATED = "snowboy"
ABLATION = {
    "all": (),
    "without CMVN": ("train.cmvn=false",),
    "without EMA": ("train.ema=false",),
    "without balancing": ("train.balanced=false",),
    "without augmentation": ("augment.enabled=false",),
    "without pieces of the word": ("augment.partials=0.0",),
    "without mining": ("mining.rounds=0", "train.steps=1200"),
    "with distillation": ("distil.teacher=TEACHER",),
}


@dataclass(frozen=True)
class Case:
    name: str
    keyword: str
    seed: int = 0
    settings: tuple[str, ...] = ()
    threshold: float = 0.0  # of PocketSphinx

    @property
    def id(self) -> str:
        return f"{self.name.replace(' ', '_')}-{self.keyword}-{self.seed}"


def prepare(folder: Path, shared: Path) -> None:
    """Copies, as a folder is what the command line is given."""
    if (folder / "prepared").exists():
        return
    rows = [json.loads(line) for line in (shared / "speechocean762" / "manifest.jsonl").open(encoding="utf-8")]
    speakers = sorted({row["speaker"] for row in rows if row["part"] == "train"})
    held = set(np.random.default_rng(0).permutation(speakers)[:HELD_SPEAKERS])
    for row in rows:
        if row["id"] not in WITH_KEYWORD:
            reported = row["part"] == "dev" or row["speaker"] in held
            target = folder / ("speech_test" if reported else "speech_train") / f"{row['speaker']}_{row['id']}.opus"
            _copy(shared / "speechocean762" / row["audio"], target)
    for path in (shared / "noise").iterdir():
        _copy(path, folder / ("noise_train" if path.stem in TRAINING_NOISE else "noise_test") / path.name)
    for path in (shared / "rir").iterdir():
        _copy(path, folder / "rir" / path.name)
    for keyword in KEYWORDS:
        files = sorted((shared / "wakeword" / keyword).iterdir())
        for seed in SEEDS:
            for number, index in enumerate(np.random.default_rng([seed, 5]).permutation(len(files))):
                part = "train" if number < N_POSITIVES else "test"
                _copy(files[index], folder / "kw" / keyword / str(seed) / part / files[index].name)
    (folder / "prepared").touch()


def cases(what: str) -> list[Case]:
    if what == "default":
        return [Case("default", keyword, seed) for seed in SEEDS for keyword in KEYWORDS]
    if what == "compare":
        return [Case("PocketSphinx", keyword, threshold=one) for one in SPOT_THRESHOLDS for keyword in KEYWORDS]
    if what == "ablation":
        return [Case(name, ABLATED, seed, (*SHORT, *own)) for seed in SEEDS for name, own in ABLATION.items()]
    return []


def train(folder: Path, case: Case) -> Any:
    """The finished run, by the functions of the command line."""
    from pipeline.presets import build, merged, overrides
    from pipeline.runs import RunDirectory, list_runs
    from pipeline.settings import Settings
    from pipeline.wakeword.config import WakewordConfig, load_preset
    from pipeline.wakeword.finished_run import open_finished_run
    from pipeline.wakeword.run import train_wakeword

    # A models root each: one training a device, and here each has a core of its own.
    settings = Settings(folder / "data", folder / "models" / case.id)
    own = folder / "kw" / case.keyword / str(case.seed)
    data = {
        "positive": [str(own / "train")], "negative": [str(folder / "speech_train")],
        "noise": [str(folder / "noise_train")], "rir": [str(folder / "rir")],
    }  # fmt: skip
    own_runs = [run for run in list_runs(settings.runs_root) if run.state.name == case.id]
    done = [run for run in own_runs if run.state.status == "finished"]
    if not done:
        if "TEACHER" in "".join(case.settings):
            teacher = replace(case, name="default").id
            (source,) = list_runs(folder / "models" / teacher / "runs")
            shutil.copytree(source.path, settings.runs_root / source.id, dirs_exist_ok=True)
            case = replace(case, settings=tuple(s.replace("TEACHER", source.id) for s in case.settings))
        given = merged(
            load_preset("default"), {"name": case.id, "seed": case.seed, "data": data}, overrides(case.settings)
        )
        config = build(WakewordConfig, given)
        run = RunDirectory.create(settings.runs_root, kind="wakeword", name=case.id, config=config, seed=case.seed)
        train_wakeword(settings, config, run)
        done = [run]
    return open_finished_run(settings, str(done[0].path))


def one(folder: Path, case: Case) -> dict[str, Any]:
    """Train and report; both by the functions of the command line."""
    import torch

    from pipeline.runs import RunDirectory

    torch.set_num_threads(1)
    finished = train(folder, case)
    report = json.loads((finished.home / "report.json").read_text(encoding="utf-8"))
    wanted = ("torch", "int8") if case.name == "default" else ("torch",)
    return {
        **asdict(case), "parameters": report["parameters"], "training_s": report["training_s"],
        "total_s": _lasted_s(RunDirectory(finished.home)), "validation": report["validation"],
        "run": str(finished.home), **{runtime: heard_of(folder, case, finished, runtime) for runtime in wanted},
    }  # fmt: skip


def heard_of(folder: Path, case: Case, found: Any, runtime: str) -> dict[str, Any]:
    from pipeline.wakeword.evaluation.evaluate import EvaluationTask, evaluate
    from pipeline.wakeword.file_names import EXPORTS
    from pipeline.wakeword.finished_run import classifier_for
    from pipeline.wakeword.packaging.export import export

    if runtime == "int8":
        export(found.folder, found.home / EXPORTS)
    near = folder / "near" / case.keyword
    task = EvaluationTask(
        (folder / "kw" / case.keyword / str(case.seed) / "test",), (folder / "speech_test",),
        (str(folder / "noise_test"),), near if near.is_dir() else None, HOURS,
    )  # fmt: skip
    info = found.info
    result, _ = evaluate(
        task, classifier_for(found, runtime), info.features, info.detector, threshold=info.threshold,
        temperature=info.temperature,
    )  # fmt: skip
    stream = result.stream
    return {
        "miss": {target: point.miss_rate for target, point in stream.at_fah.items()},
        "misses": {target: point.misses for target, point in stream.at_fah.items()},
        "n": stream.n_keywords, "hours": stream.hours, "speech_hours": stream.speech_hours, "eer": stream.eer,
        "real_time_factor": stream.real_time_factor, "latency_s": stream.latency_s,
        "near": [[row.phrase, row.accepted, row.n] for row in result.near], "alarms": [a for a, _ in stream.alarms],
    }  # fmt: skip


def speak_near_phrases(folder: Path) -> None:
    """Near phrases by espeak-ng, in eight voices each: synthetic, so a hint and no measurement of people."""
    voices = ("en-us", "en-gb", "en-us+f3", "en-gb+f2", "en-us+m3", "en-gb-scotland", "en-us+m7", "en-gb+f4")
    for keyword, phrases in NEAR.items():
        for phrase in phrases:
            target = folder / "near" / keyword / phrase.replace(" ", "_")
            target.mkdir(parents=True, exist_ok=True)
            for number, voice in enumerate(voices):
                command = ["espeak-ng", "-v", voice, "-s", str(130 + 12 * number), "-w", str(target / f"{number}.wav")]
                subprocess.run([*command, phrase], check=True)


def spot(folder: Path, keyword: str, threshold: float) -> dict[str, Any]:
    """PocketSphinx's keyword spotting on the stream of seed 0, and our detector there at as many false alarms."""
    import pocketsphinx

    from pipeline.runs import list_runs
    from pipeline.settings import Settings
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.evaluation.evaluate import files_of
    from pipeline.wakeword.evaluation.stream_metrics import GRACE_S, measure, score_stream
    from pipeline.wakeword.evaluation.stream_synthesis import plan_stream
    from pipeline.wakeword.features import RATE_HZ
    from pipeline.wakeword.finished_run import classifier_for, open_finished_run

    words = files_of((folder / "kw" / keyword / "0" / "test",))
    noise = read_noise((str(folder / "noise_test"),))
    plan = plan_stream(words, files_of((folder / "speech_test",)), noise, HOURS)
    found = alarms = n = 0
    at_s = 0.0
    begun = time.process_time()
    for block in plan.blocks():
        decoder = pocketsphinx.Decoder(
            keyphrase=SPOKEN_AS.get(keyword, keyword), kws_threshold=threshold, lm=None, loglevel="FATAL"
        )
        times = [at_s + t for t in _spotted(decoder, block.samples, RATE_HZ)]
        own = set()
        for word in block.keywords:
            n += 1
            hits = [t for t in times if word.start_s <= t <= word.end_s + GRACE_S and t not in own]
            found += bool(hits)
            own |= set(hits[:1])
        alarms += len(times) - len(own)
        at_s += len(block.samples) / RATE_HZ
    spent_s = time.process_time() - begun
    settings = Settings(folder / "data", folder / "models" / Case("default", keyword, 0).id)
    (run,) = list_runs(settings.runs_root)
    ours = open_finished_run(settings, str(run.path))
    stream_scores = score_stream(plan, classifier_for(ours, "torch"), ours.info.features, ours.info.detector.hop_s)
    point = measure(stream_scores, ours.info.detector, (3600.0 * alarms / at_s,)).at_fah.popitem()[1]
    return {
        "name": "PocketSphinx", "keyword": keyword, "seed": 0, "threshold": threshold, "n": n, "found": found,
        "alarms": alarms, "hours": at_s / 3600.0, "real_time_factor": spent_s / at_s, "our_misses": point.misses,
        "our_alarms": point.false_alarms,
    }  # fmt: skip


def _spotted(decoder: Any, samples: np.ndarray, rate_hz: int) -> list[float]:
    times = []
    sound = (samples * 32767).astype(np.int16)
    decoder.start_utt()
    step = rate_hz // 10
    for start in range(0, len(sound), step):
        decoder.process_raw(sound[start : start + step].tobytes())
        if decoder.hyp() is not None:
            times.append((start + step) / rate_hz)
            decoder.end_utt()
            decoder.start_utt()
    decoder.end_utt()
    return times


def table(results: Sequence[dict[str, Any]]) -> str:
    """Means over the seeds with the smallest and the largest, as Markdown."""
    lines = ["| what | keyword | n | ≤ 0.1 FAH | ≤ 0.5 FAH | ≤ 1 FAH | EER |", "|---|---|---|---|---|---|---|"]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in results:
        for runtime in ("torch", "int8"):
            if runtime in row:
                name = row["name"] + (" INT8" if runtime == "int8" else "")
                groups.setdefault((name, row["keyword"]), []).append(row[runtime])
    for (name, keyword), rows in groups.items():
        cells = [_mean([100 * row["miss"][target] for row in rows]) for target in ("0.1", "0.5", "1.0")]
        cells.append(_mean([100 * row["eer"] for row in rows]))
        lines.append(f"| {name} | {keyword} | {len(rows)} x {rows[0]['n']} | {' | '.join(cells)} |")
    for row in results:
        if row["name"] == "PocketSphinx":
            lines.append(
                f"| PocketSphinx {row['threshold']:.0e} | {row['keyword']} | {row['n']} | "
                f"{1 - row['found'] / row['n']:.1%} missed | {row['alarms']} alarms in {row['hours']:.2f} h | "
                f"ours {row['our_misses'] / row['n']:.1%} | {row['our_alarms']} |"
            )
    return "\n".join(lines)


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _lasted_s(run: Any) -> float:
    from datetime import datetime

    state = run.state
    return (datetime.fromisoformat(state.ended_at) - datetime.fromisoformat(state.created_at)).total_seconds()


def _key(case: Case) -> tuple[str, str, int, float]:
    return case.name, case.keyword, case.seed, case.threshold


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main() -> None:
    folder, shared, tasks = Path(sys.argv[1]).absolute(), Path(sys.argv[2]), sys.argv[3:]
    store = folder / "results.jsonl"
    if tasks[0] == "one":
        case = Case(**json.loads(tasks[1]))
        line = spot(folder, case.keyword, case.threshold) if case.name == "PocketSphinx" else one(folder, case)
        with store.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return
    if tasks[0] == "typed":
        from tests.bench import wakeword_typed

        wakeword_typed.main(folder, shared, tasks[1:])
        return
    if tasks[0] == "reach":
        from tests.bench import wakeword_reach

        wakeword_reach.main(folder, shared, tasks[1:])
        return
    prepare(folder, shared)
    known = [json.loads(line) for line in store.open(encoding="utf-8")] if store.is_file() else []
    if tasks == ["table"]:
        print(table(known))
        return
    if "near" in tasks:
        speak_near_phrases(folder)
    done = {(row["name"], row["keyword"], row["seed"], row.get("threshold", 0.0)) for row in known}
    left = [case for what in tasks for case in cases(what) if _key(case) not in done]
    command = [sys.executable, "-m", "tests.bench.wakeword_study", str(folder), str(shared), "one"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [
            pool.submit(subprocess.run, [*command, json.dumps(asdict(c))], env=environment, check=True) for c in left
        ]
        for case, found in zip(left, runs, strict=True):
            found.result()
            print("done:", case.id, flush=True)


if __name__ == "__main__":
    main()
