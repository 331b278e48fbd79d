"""The curve from a typed word in docs/results/typed-word.md: synthetic clips alone, with few recordings, and few
recordings alone, on the protocol of `wakeword_study` with its shorter training.

    python -m tests.bench.wakeword_study FOLDER SHARED typed [ROUTE [NAME, KEYWORD or SEED ...]]
    python -m tests.bench.wakeword_study FOLDER SHARED typed table

Each is measured alone and with the judge of phones, which learns the word from the clips of the training.

FOLDER/voices may hold voices of Kokoro, FOLDER/embedding the network of openWakeWord's speech embedding, which the rows
with "embedding" hear through; those with "taught" learn from the speech encoder that lies beside SHARED, too. The clips
that `pronlab wakeword speak` writes, the renderings of each clip, and the features and the sound of each stream are
kept under FOLDER and shared by the trainings.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.records import problem_from, problem_row, to_json
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.evaluation.stream_metrics import StreamFrames, frames_of_stream
from pipeline.wakeword.evaluation.stream_synthesis import BackgroundClip, Keyword
from tests.bench.wakeword_study import HOURS, KEYWORDS, NEAR, SEEDS, SHORT, prepare

WRITTEN = {"smart_mirror": "smart mirror"}  # as a person would type it
N_SPOKEN, N_NEAR_REPORTED = 240, 24
SETTINGS = (*SHORT, "augment.variants=10")  # half as many renderings of a clip as the default
# Voices that `speak` does not use, for near phrases to report on.
OTHER_VOICES = ("en-us+adam", "en-gb+aunty", "en-us+Zac", "en-gb+quincy", "en-us+shelby", "en-gb+victor")
# What a training gets, first what matters most.
AMOUNTS = {
    "real 100": (100, False, False),
    "spoken": (0, True, True),
    "spoken + 25": (25, True, True),
    "spoken + 10": (10, True, True),
    "real 25": (25, False, False),
    "spoken + 50": (50, True, True),
    "real 50": (50, False, False),
    "real 250": (250, False, False),
    "spoken + 250": (250, True, True),
    "real 250 + near": (250, False, True),
    "spoken + 25, no near": (25, True, False),
    "spoken, taught": (0, True, True),
    "spoken + 25, taught": (25, True, True),
    "real 250, taught": (250, False, False),
    "embedding, real 25": (25, False, False),
    "embedding, real 100": (100, False, False),
    "embedding, spoken": (0, True, True),
    "embedding, spoken + 25": (25, True, True),
}
EMBEDDING = "embedding"  # the preset, and the start of such names
TAUGHT = ", taught"  # the end of names of trainings that learn from the speech encoder, too
FIRST = ("real 100", "spoken", "spoken + 25")
# What `speak` is given beside the word; SPEECH is the other speech that the training gets, VOICES a folder of voices.
ROUTES: dict[str, tuple[str, ...]] = {
    "espeak": ("--other", "0"),
    "other": (),
    "voices": ("--voices", "VOICES"),
    "joined": ("--voices", "VOICES", "--from-speech", "SPEECH", "--source", r"/([0-9]+)_[0-9]+\.opus"),
}


@dataclass(frozen=True)
class Case:
    """`n_real` recordings of the word, spoken clips of it or not, and spoken near phrases as hard negatives or not;
    `route` names the state of `speak` and of the training that it was measured with, whose clips are kept apart."""

    name: str
    keyword: str
    seed: int
    n_real: int
    spoken: bool
    near: bool
    route: str = "joined"
    settings: tuple[str, ...] = SETTINGS

    @property
    def preset(self) -> str:
        return EMBEDDING if self.name.startswith(EMBEDDING) else "default"

    @property
    def id(self) -> str:
        return "-".join([self.route, *self.name.replace(",", "").split(), self.keyword, str(self.seed)]).replace(
            "+", "and"
        )


def cases(route: str, names: Sequence[str], seeds: Sequence[int], keywords: Sequence[str]) -> list[Case]:
    """The first three of every keyword and seed come before the rest of the curve."""
    order = [[name for name in names if name in FIRST], [name for name in names if name not in FIRST]]
    return [
        Case(name, keyword, seed, *AMOUNTS[name], route=route)
        for part in order
        for seed in seeds
        for keyword in keywords
        for name in part
    ]


def speak(folder: Path, keyword: str, route: str) -> Path:
    """The word and near phrases, by the command line."""
    out = folder / f"spoken_{route}" / keyword
    if not (out / "spoken.jsonl").is_file():
        word = WRITTEN.get(keyword, keyword)
        command = [sys.executable, "-m", "pipeline.cli", "wakeword", "speak", word, "--out", str(out)]
        places = {"VOICES": str(folder / "voices"), "SPEECH": str(every_other_speaker(folder))}
        options = [places.get(option, option) for option in ROUTES[route]]
        subprocess.run([*command, "--clips", str(N_SPOKEN), *options], check=True)
    return out


def every_other_speaker(folder: Path) -> Path:
    """Of the speech that is trained on: listening to all of it would take as long as the training."""
    out, everything = folder / "speech_joined", folder / "speech_train"
    if not out.is_dir():
        speakers = sorted({file.name.partition("_")[0] for file in everything.iterdir()})[::2]
        out.mkdir()
        for file in everything.iterdir():
            if file.name.partition("_")[0] in speakers:
                (out / file.name).hardlink_to(file)
    return out


def without_near(spoken: Path) -> Path:
    out = spoken.with_name(f"{spoken.name}_no_near")
    if not out.is_dir():
        shutil.copytree(spoken, out, ignore=shutil.ignore_patterns("hard_negative"))
    return out


def speak_reported(folder: Path, keyword: str) -> Path:
    """Near phrases in voices that nothing is trained on: those of the study, and some of the product's, which are
    hard negatives in other voices."""
    from pipeline.wakeword.data.near_phrases import near_phrases

    out = folder / "near_other_voices" / keyword
    listed = near_phrases(WRITTEN.get(keyword, keyword), "en", N_SPOKEN // 4)
    chosen = [listed[i] for i in np.linspace(0, len(listed) - 1, N_NEAR_REPORTED).round().astype(int)]
    for phrase in dict.fromkeys([*NEAR[keyword], *chosen]):
        for number, voice in enumerate(OTHER_VOICES):
            target = out / phrase.replace(" ", "_") / f"{number}.wav"
            if not target.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                options = ["-v", voice, "-s", str(130 + 14 * number), "-w", str(target)]
                subprocess.run(["espeak-ng", *options, phrase], check=True)
    return out


def recordings(folder: Path, keyword: str, seed: int, n: int) -> Path:
    """The first `n` of the clips that the study trains on."""
    out = folder / "kw" / keyword / str(seed) / f"first{n}"
    everything = folder / "kw" / keyword / str(seed) / "train"
    names = sorted(path.name for path in everything.iterdir())
    chosen = np.random.default_rng([seed, 6]).permutation(len(names))[:n]
    out.mkdir(exist_ok=True)
    for index in chosen:
        if not (out / names[index]).exists():
            (out / names[index]).hardlink_to(everything / names[index])
    return out


def _kept_at(folder: Path, kind: str, *parts: str) -> Path:
    return folder / kind / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def keep_clip(file: Path, clip: Clip) -> None:
    artifacts.write_json(file, {**to_json(clip), "problems": list(map(problem_row, clip.problems))})


def kept_clip(file: Path) -> Clip:
    raw = artifacts.read_json(file)
    return Clip(**{**raw, "label": Label(raw["label"]), "problems": tuple(map(problem_from, raw["problems"]))})


def keep_stream(file: Path, stream: StreamFrames) -> None:
    """`file` has what is in the stream, and the features lie beside it; it is written last."""
    with artifacts.replacing(file.with_suffix(".npy")) as temporary, temporary.open("wb") as opened:
        np.save(opened, stream.frames)
    named = {"keywords": stream.keywords, "background": stream.background, "hours": stream.hours}
    artifacts.write_json(file, named)


def kept_stream(file: Path) -> StreamFrames:
    raw = artifacts.read_json(file)
    keywords = tuple(Keyword(Path(row["clip"]), row["start_s"], row["end_s"]) for row in raw["keywords"])
    background = tuple(BackgroundClip(Path(row["clip"]), row["start_s"], row["end_s"]) for row in raw["background"])
    return StreamFrames(np.load(file.with_suffix(".npy"), mmap_mode="r"), keywords, background, raw["hours"])


def keep_what_is_checked(folder: Path) -> None:
    """Trainings find what was checked of a clip where another has done so; each works on one core."""
    from pipeline.parallel import map_ordered
    from pipeline.wakeword.data import clips, feature_cache

    check = clips._clip

    def checked(root: Path, labelled: Any) -> Any:
        path, label = labelled
        of_file = path.stat()
        file = _kept_at(folder, "checked_clips", str(path), str(of_file.st_size), str(of_file.st_mtime_ns), label)
        if not file.is_file():
            keep_clip(file, check(root, labelled))
        return replace(kept_clip(file), path=path.relative_to(root).as_posix())

    clips._clip = checked
    clips.map_ordered = feature_cache.map_ordered = partial(map_ordered, workers=1)


def keep_what_is_made(folder: Path) -> None:
    """As `keep_what_is_checked`, and what was rendered of a clip, whatever the training's seed and the place of the
    clip among the others."""
    from io import BytesIO

    from pipeline.wakeword.data import feature_cache, rendering

    keep_what_is_checked(folder)

    def rendered(recipe: Any, root: Path, context: Any, task: Any) -> Any:
        of_all_seeds = recipe if task.label is Label.NEGATIVE else replace(recipe, seed=0)
        sounds = [hashlib.sha256((root / path).read_bytes()).hexdigest() for path in task.paths]
        # The first route was measured before tasks had `variants` of their own.
        variants = [str(n) for n in [getattr(task, "variants", 1)] if n not in (1, recipe.augment.variants)]
        of_task = json.dumps(feature_cache.written(of_all_seeds), sort_keys=True), task.label, *sounds, *variants
        file = _kept_at(folder, "renderings", *of_task)
        if not file.is_file():
            stretches, _, _ = rendering.rendered(recipe, root, context, task)
            flat = {f"{label} {i}": one for label, several in stretches.items() for i, one in enumerate(several)}
            np.savez(buffer := BytesIO(), **flat)
            artifacts.write_bytes(file, buffer.getvalue())
        kept: dict[str, list[Any]] = {}
        with np.load(file) as arrays:
            for name in arrays.files:
                kept.setdefault(name.split()[0], []).append(arrays[name])
        return kept, 0, 0

    feature_cache.rendered = rendered


def train(folder: Path, case: Case, encoder: Path) -> Any:
    """The finished run, by the functions of the command line."""
    from pipeline.presets import build, merged, overrides
    from pipeline.runs import RunDirectory, list_runs
    from pipeline.settings import Settings
    from pipeline.wakeword.config import WakewordConfig, load_preset
    from pipeline.wakeword.finished_run import open_finished_run
    from pipeline.wakeword.run import train_wakeword

    settings = Settings(folder / "data", folder / "models" / case.id)
    done = [run for run in list_runs(settings.runs_root) if run.state.status == "finished"]
    if not done:
        spoken = speak(folder, case.keyword, case.route) if case.spoken or case.near else None
        positive = [recordings(folder, case.keyword, case.seed, case.n_real)] if case.n_real else []
        hard = []
        if spoken is not None:
            positive += [spoken if case.near else without_near(spoken)] if case.spoken else []
            hard = [spoken / "hard_negative"] if not case.spoken else []
        data = {
            "positive": list(map(str, positive)), "negative": [str(folder / "speech_train")],
            "hard_negative": list(map(str, hard)), "noise": [str(folder / "noise_train")], "rir": [str(folder / "rir")],
        }  # fmt: skip
        named: dict[str, Any] = {"name": case.id, "seed": case.seed, "data": data}
        if case.preset == EMBEDDING:
            named["features"] = {"embedding": str(folder / EMBEDDING)}
        if case.name.endswith(TAUGHT):
            named["distil"] = {"teacher": str(encoder)}
        config = build(WakewordConfig, merged(load_preset(case.preset), named, overrides(case.settings)))
        run = RunDirectory.create(settings.runs_root, kind="wakeword", name=case.id, config=config, seed=case.seed)
        train_wakeword(settings, config, run)
        done = [run]
    return open_finished_run(settings, str(done[0].path))


@dataclass(frozen=True)
class _Recorded:
    """A planned stream whose sound is kept as it is made, 16-bit at 16 kHz."""

    plan: Any
    file: Path

    @property
    def hours(self) -> float:
        return float(self.plan.hours)

    def blocks(self) -> Iterator[Any]:
        with self.file.open("wb") as kept:
            for block in self.plan.blocks():
                kept.write((block.samples * 32_767).astype("<i2").tobytes())
                yield block


def stream_of(folder: Path, keyword: str, seed: int, config: Any) -> tuple[Any, np.ndarray]:
    """The study's stream of the clips that no training sees: its features and its sound, both kept."""
    from filelock import FileLock

    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.evaluation.evaluate import files_of
    from pipeline.wakeword.evaluation.stream_synthesis import plan_stream

    kind = "" if config.kind == "mel" else f"-{config.kind}"
    file = folder / "streams" / f"{keyword}-{seed}{kind}.json"
    sound = folder / "streams" / f"{keyword}-{seed}.pcm"
    file.parent.mkdir(exist_ok=True)
    with FileLock(sound.with_suffix(".lock")):  # whoever comes second waits for it
        if not file.is_file():
            words = files_of((folder / "kw" / keyword / str(seed) / "test",))
            noise = read_noise((str(folder / "noise_test"),))
            plan = _Recorded(plan_stream(words, files_of((folder / "speech_test",)), noise, HOURS), sound)
            keep_stream(file, frames_of_stream(plan, config))  # type: ignore[arg-type]
    return kept_stream(file), np.memmap(sound, dtype="<i2", mode="r")


def scores_of(finished: Any, stream: Any) -> Any:
    """Of every window of a stream."""
    from pipeline.wakeword.evaluation.stream_metrics import BATCH, StreamScores
    from pipeline.wakeword.features import RATE_HZ
    from pipeline.wakeword.finished_run import classifier_for

    info, classifier = finished.info, classifier_for(finished, "torch")
    size, every = info.features.shape[0], info.features.frames_in(info.detector.hop_s)
    starts = np.arange(0, len(stream.frames) - size + 1, every)
    scores = np.concatenate(
        [classifier(stream.frames[starts[i : i + BATCH, None] + np.arange(size)]) for i in range(0, len(starts), BATCH)]
    )
    ends_s = ((starts + size - 1) * info.features.hop + info.features.window) / RATE_HZ
    return StreamScores(scores, ends_s, stream.keywords, stream.background, stream.hours, 0.0)


def learnt(finished: Any, word: str) -> Any:
    """The judge of the word, learnt from the run's clips."""
    from pipeline.settings import Settings
    from pipeline.wakeword.learnt_word import read_learnt_word
    from pipeline.wakeword.phone_judge import PhoneJudge
    from pipeline.wakeword.training.word_learning import learn_word

    settings = Settings.from_env()
    if read_learnt_word(finished.folder, word) is None:
        learn_word(settings, finished, word)
    return PhoneJudge(settings, word, finished.folder)


def sound_in(sound: np.ndarray) -> Any:
    """What a judge is asked about at a time in kept sound."""
    from pipeline.wakeword.evaluation.judged_stream import HEARD
    from pipeline.wakeword.features import RATE_HZ

    def before(end_s: float) -> np.ndarray:
        end = round(end_s * RATE_HZ)
        return np.asarray(sound[max(0, end - HEARD) : end] / np.float32(32_767), dtype=np.float32)

    return before


def near_answers(
    folder: Path, keyword: str, finished: Any, judge: Any, first: float, threshold: float, limit: float
) -> dict[str, dict[str, list[int]]]:
    """Of each near phrase how many clips set it off, and how many there are: the detector alone at `threshold`, with
    the judge at `limit` and as it is set, asked from `first` on."""
    from pipeline.wakeword.data.decoded_clips import load_clip
    from pipeline.wakeword.evaluation.evaluate import files_of
    from pipeline.wakeword.evaluation.judged_stream import highest_answer
    from pipeline.wakeword.finished_run import classifier_for
    from pipeline.wakeword.runtime.clip_votes import highest_vote

    info, classifier = finished.info, classifier_for(finished, "torch")
    near: dict[str, dict[str, list[int]]] = {"alone": {}, "judged": {}, "as_set": {}}
    for phrase in sorted(speak_reported(folder, keyword).iterdir()):
        clips = [load_clip(file) for file in files_of((phrase,))]
        heard = (classifier, info.features, info.detector)
        votes = np.array([highest_vote(clip, *heard) for clip in clips])
        answers = np.array([highest_answer(clip, *heard, judge, first, info.temperature) for clip in clips])
        name = phrase.name.replace("_", " ")
        for kind, accepted in (
            ("alone", votes >= threshold), ("judged", answers >= limit), ("as_set", answers >= judge.limit)
        ):  # fmt: skip
            near[kind][name] = [int(accepted.sum()), len(clips)]
    return near


def one(folder: Path, case: Case, encoder: Path) -> dict[str, Any]:
    import torch

    from pipeline.records import to_json
    from pipeline.wakeword.evaluation.judged_stream import ask, measure_judged
    from pipeline.wakeword.evaluation.stream_metrics import measure

    torch.set_num_threads(1)
    finished = train(folder, case, encoder)
    info = finished.info
    judge = learnt(finished, WRITTEN.get(case.keyword, case.keyword))
    stream, sound = stream_of(folder, case.keyword, case.seed, info.features)
    scored = scores_of(finished, stream)
    result = measure(scored, info.detector)
    questions = ask(scored, info.detector, info.temperature, sound_in(sound), judge)
    judged = measure_judged(scored, info.detector, questions, judge.limit)
    # For half a false alarm per hour, and the judge's limit as it is set.
    threshold, limit = result.at_fah["0.5"].threshold, judged.at_fah["0.5"].threshold
    near = near_answers(folder, case.keyword, finished, judge, questions.threshold, threshold, limit)
    report = json.loads((finished.home / "report.json").read_text(encoding="utf-8"))
    return {
        "name": case.name, "keyword": case.keyword, "seed": case.seed, "route": case.route, "n": result.n_keywords,
        "misses": {target: point.misses for target, point in result.at_fah.items()}, "eer": result.eer,
        "hours": result.hours, "near": near["alone"], "training_s": report["training_s"],
        "validation": report["validation"],
        "judged": {
            **to_json(judged), "learnt_from": to_json(judge.learnt.learnt_from), "near": near["judged"],
            "near_as_set": near["as_set"], "misses": {t: point.misses for t, point in judged.at_fah.items()},
        },
    }  # fmt: skip


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Missed words over all keywords and seeds with exact intervals, and near phrases that set it off."""
    from pipeline.metrics.detection import share_interval

    def cell(k: int, n: int) -> str:
        low, high = share_interval(k, n)
        return f"{100 * k / n:.1f} ({100 * low:.1f} to {100 * high:.1f})"

    lines = [
        "| route | trained on | trainings | clips | ≤ 0.1 FAH | ≤ 0.5 FAH | ≤ 1 FAH | by keyword at 0.5 | near |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    judged = [{**row, **row["judged"], "name": f"{row['name']}, judged"} for row in rows if "judged" in row]
    rows = [*rows, *judged]
    for route, name in dict.fromkeys((row["route"], row["name"]) for row in rows):
        group = [row for row in rows if (row["route"], row["name"]) == (route, name)]
        n = sum(row["n"] for row in group)
        cells = [cell(sum(row["misses"][target] for row in group), n) for target in ("0.1", "0.5", "1.0")]
        each = []
        for keyword in KEYWORDS:
            shares = [100 * row["misses"]["0.5"] / row["n"] for row in group if row["keyword"] == keyword]
            each += [f"{keyword} {np.mean(shares):.1f} ({min(shares):.1f} to {max(shares):.1f})"] if shares else []
        near = np.sum([counts for row in group for counts in row["near"].values()], axis=0)
        cells += ["; ".join(each), cell(*map(int, near))]
        lines.append(f"| {route} | {name} | {len(group)} | {n} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(folder: Path, shared: Path, arguments: Sequence[str]) -> None:
    """`arguments`: `table`, or a route, then names of AMOUNTS, keywords and seeds to confine it to."""
    store = folder / "typed.jsonl"
    rows = [json.loads(line) for line in store.open(encoding="utf-8")] if store.is_file() else []
    if list(arguments) == ["table"]:
        print(table(rows))
        return
    prepare(folder, shared)
    keep_what_is_made(folder)
    route, *rest = arguments or ["joined"]
    names = [name for name in rest if name in AMOUNTS] or list(AMOUNTS)
    seeds = [int(seed) for seed in rest if seed.isdigit()] or list(SEEDS)
    keywords = [keyword for keyword in rest if keyword in KEYWORDS] or list(KEYWORDS)
    done = {(row["route"], row["name"], row["keyword"], row["seed"]) for row in rows}
    for case in cases(route, names, seeds, keywords):
        if (case.route, case.name, case.keyword, case.seed) in done:
            continue
        row = one(folder, case, shared.absolute().parent / "models" / "whisper-base-encoder")
        with store.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print("done:", case.id, row["misses"], row["n"], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]), sys.argv[3:])
