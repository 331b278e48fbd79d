"""Learn the model of voices, and measure how often it errs: the figures of its card and of docs/results/wake-words.md.

    python -m tests.bench.owner_study learn CORPUS WORK OUT [--takes 10]
    python -m tests.bench.owner_study measure SHARED MODEL [--takes 20]

CORPUS is speechocean762 as a folder with manifest.jsonl, WORK keeps the statistics of the listener's states (an hour of
one core for all takes), OUT is the model folder to write. Which states and how many dimensions is chosen on speakers of
the part train that the projection did not learn from.

SHARED holds speechocean762/ and wakeword/ (crowd-sourced clips, a folder per keyword, without speakers), MODEL is the
folder to measure and gets the figures. Sound is heard as it is at enrolment and after a detection. Of the part dev come
the equal error rate and the errors at the threshold; of each keyword's clips, how many pairs pass for one person; of
groups of both, how often enrolment names a take. Four minutes of one core. Not part of `make bench`.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, jsonl
from pipeline.audio.load import audio_files, load_audio
from pipeline.audio.voice import find_word
from pipeline.metrics.bootstrap import N_RESAMPLES, interval, resample_weights
from pipeline.metrics.detection import equal_error_rate, roc
from pipeline.records import Seconds
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.settings import CHECKOUT, Settings
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.owner.enrolment import ANOTHER_VOICE, WANTED
from pipeline.wakeword.owner.projection import (
    Vectors,
    learn_projection,
    likeness,
    threshold_at_equal_error,
    trials,
)
from pipeline.wakeword.owner.voice import FORMAT, HEARD_S, INFO_FILE, WEIGHTS_FILE, VoiceEncoder

LISTENER = CHECKOUT / "models" / "speech-en"
CHOOSING_SPEAKERS, CUTS = 31, 2  # of 125, twice
STATES = ((0, 1), (1, 2), (2, 3), (1, 2, 3), (4, 5, 6))
DIMENSIONS = ((200, 60), (100, 40), (200, 30), (400, 60))  # after PCA, and after LDA
ALL_TAKES = 20  # of a speaker
SHORTEST = 4800  # samples
WORD_S: Seconds = 0.7  # of speech, as long as a word
N_GROUPS = 1000
SPEAKERS_OF_GROUP = {  # whose takes are enrolled as one person's
    "five of one": (5,), "one of five another's": (4, 1), "two of five another's": (3, 2),
    "five of ten another's": (5, 5), "five of five people": (1,) * 5,
}  # fmt: skip
CROWD_GROUPS = (5, 31)  # clips enrolled as one person's
Statistics = NDArray[np.float32]


def takes_of(corpus: Path, part: str, n_takes: int) -> Iterator[dict[str, Any]]:
    """Rows of the first `n_takes` takes of each speaker of a part."""
    by_speaker: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in jsonl.read(corpus / "manifest.jsonl"):
        if row["part"] == part:
            by_speaker[row["speaker"]].append(row)
    for takes in by_speaker.values():
        yield from islice(takes, n_takes)


def speech_of(file: Path) -> Vectors:
    sound = load_audio(file).samples
    start, end = find_word(sound)
    return sound[start:end]


def statistics(corpus: Path, n_takes: int, kept: Path) -> tuple[Statistics, NDArray[np.str_]]:
    """Mean and deviation of all states [n, n_states, 2 W] of a random stretch of speech of each take of the part
    train, and the speakers."""
    if not kept.is_file():
        listener = ListenerRuntime(LISTENER)
        rows, speakers = [], []
        for row in takes_of(corpus, "train", n_takes):
            speech, n = speech_of(corpus / row["audio"]), round(HEARD_S * RATE_HZ)
            if len(speech) > n:
                first = int(np.random.default_rng(int(row["id"])).integers(0, len(speech) - n + 1))
                speech = speech[first : first + n]
            if len(speech) < SHORTEST:
                continue
            layers = listener.listen(np.resize(speech, n)).layers  # as long for all: see VoiceEncoder.of_speech
            rows.append(np.concatenate([layers.mean(axis=1), layers.std(axis=1)], axis=1).astype(np.float16))
            speakers.append(row["speaker"])
        np.savez(kept, x=np.array(rows), speakers=np.array(speakers))
    with np.load(kept) as content:
        return content["x"].astype(np.float32), content["speakers"]


def of_states(x: Statistics, states: Sequence[int]) -> Statistics:
    return x[:, list(states)].reshape(len(x), -1)


def choose(x: Statistics, speakers: NDArray[np.str_]) -> tuple[tuple[int, ...], tuple[int, int], float, float]:
    """States, then dimensions, with the lowest equal error rate over the cuts, that rate, and its threshold."""

    def measured(states: tuple[int, ...], dimensions: tuple[int, int]) -> tuple[float, float]:
        rates, limits = [], []
        for cut in range(CUTS):
            held = np.random.default_rng(cut).permutation(np.unique(speakers))[:CHOOSING_SPEAKERS]
            is_held, chosen = np.isin(speakers, held), of_states(x, states)
            projection = learn_projection(chosen[~is_held], speakers[~is_held], *dimensions)
            tested = trials(projection(chosen[is_held]), speakers[is_held], WANTED)
            rates.append(equal_error_rate(tested.curve))
            limits.append(threshold_at_equal_error(tested.curve))
        print(f"states {states}, {dimensions[0]} to {dimensions[1]}: {np.mean(rates):.2%}", flush=True)
        return float(np.mean(rates)), float(np.mean(limits))

    _, states = min((measured(states, DIMENSIONS[0])[0], states) for states in STATES)
    (rate, threshold), dimensions = min((measured(states, dimensions), dimensions) for dimensions in DIMENSIONS)
    return states, dimensions, rate, threshold


def voices(corpus: Path, n_takes: int, encoder: VoiceEncoder) -> tuple[Vectors, Vectors, NDArray[np.str_]]:
    """Vectors [n, n_out] of each take of the part dev, of as much speech as is heard and of a word's length, and the
    speakers."""
    heard, word, speakers = [], [], []
    for row in takes_of(corpus, "dev", n_takes):
        speech = speech_of(corpus / row["audio"])
        if len(speech) >= SHORTEST:
            heard.append(encoder.of_speech(speech))
            word.append(encoder.of_speech(speech[: round(WORD_S * RATE_HZ)]))
            speakers.append(row["speaker"])
    return np.stack(heard), np.stack(word), np.array(speakers)


def errors(vectors: Vectors, speakers: NDArray[np.str_], threshold: float) -> dict[str, Any]:
    """Equal error rate, and shares of the owner's takes refused and of others' accepted at the threshold; intervals by
    a bootstrap over speakers, as owners and as others at once."""
    tested = trials(vectors, speakers, WANTED)
    names = np.unique(speakers)
    owner, other = np.searchsorted(names, tested.enrolled), np.searchsorted(names, tested.tested)
    accepted, same = tested.scores >= threshold, tested.same

    def rates(weights: NDArray[np.int64]) -> tuple[float, float, float]:
        drawn = np.repeat(np.arange(len(weights)), weights)
        return (
            equal_error_rate(roc(tested.scores[drawn], same[drawn])),
            float(np.average(~accepted[same], weights=weights[same])),
            float(np.average(accepted[~same], weights=weights[~same])),
        )

    resampled = np.array([
        rates(np.where(same, times[owner], times[owner] * times[other]))
        for times in resample_weights(len(names), None).astype(np.int64)
    ])  # fmt: skip
    return {
        name: {"share": share, "interval": interval(resampled[:, place])}
        for place, (name, share) in enumerate(
            zip(("eer", "own_refused", "others_accepted"), rates(np.ones(len(same), dtype=np.int64)), strict=True)
        )
    } | {"n_speakers": len(names), "n_own": int(same.sum()), "n_others": int((~same).sum())}


def crowd_pairs(vectors: Vectors, threshold: float) -> dict[str, Any]:
    """The share of pairs of one keyword's clips that pass for one person, its interval by a bootstrap over clips (a
    clip makes no pair with itself), and their mean cosine."""
    n = len(vectors)
    cosines = vectors @ vectors.T
    passes = (cosines >= threshold).astype(np.float64)
    np.fill_diagonal(passes, 0.0)
    times = np.concatenate([np.ones((1, n)), resample_weights(n, None)])
    shares = np.einsum("bi,bi->b", times @ passes, times) / (times.sum(axis=1) ** 2 - (times**2).sum(axis=1))
    return {
        "n_clips": n, "n_pairs": n * (n - 1) // 2, "share": float(shares[0]), "interval": interval(shares[1:]),
        "mean_cosine": float(cosines[np.triu_indices(n, 1)].mean()),
    }  # fmt: skip


def share_named(group: Callable[[np.random.Generator], Vectors]) -> float:
    """The share of groups of takes, enrolled as one person's, of which a take is named as another's."""
    draw = np.random.default_rng(0)
    return float(np.mean([(likeness(group(draw)) < ANOTHER_VOICE).any() for _ in range(N_GROUPS)]))


def groups_of(vectors: Vectors, speakers: NDArray[np.str_], sizes: Sequence[int]) -> float:
    """Of groups with so many takes of each of so many people."""

    def group(draw: np.random.Generator) -> Vectors:
        people = draw.choice(np.unique(speakers), len(sizes), replace=False)
        takes = [
            draw.choice(np.flatnonzero(speakers == name), n, replace=False)
            for name, n in zip(people, sizes, strict=True)
        ]
        return np.asarray(vectors[np.concatenate(takes)])

    return share_named(group)


def crowd_groups(vectors: Vectors, n: int) -> float:
    """Of groups of so many clips."""

    def group(draw: np.random.Generator) -> Vectors:
        return np.asarray(vectors[draw.choice(len(vectors), n, replace=False)])

    return share_named(group)


def measure(shared: Path, model: Path, n_takes: int) -> dict[str, Any]:
    encoder = VoiceEncoder(Settings.from_env(), model)
    threshold = encoder.info.threshold
    heard, word, speakers = voices(shared / "speechocean762", n_takes, encoder)
    clips = {
        folder.name: np.stack([encoder.voice_of(load_audio(file).samples) for file in audio_files(folder)])
        for folder in sorted((shared / "wakeword").iterdir())
    }
    keywords = list(clips)
    between = [clips[a] @ clips[b].T for place, a in enumerate(keywords) for b in keywords[:place]]
    others = speakers[:, None] != speakers
    names = np.unique(speakers)
    chosen_on = np.isin(speakers, names[::2])  # every other speaker: ANOTHER_VOICE was chosen on them
    return {
        f"{HEARD_S} s": errors(heard, speakers, threshold),
        f"{WORD_S} s": errors(word, speakers, threshold),
        "crowd_pairs": {name: crowd_pairs(vectors, threshold) for name, vectors in clips.items()},
        "mean_cosine": {
            "different keywords": float(np.concatenate([part.ravel() for part in between]).mean()),
            "different speakers": float((heard @ heard.T)[others].mean()),
        },
        "a_take_is_named": {
            f"{length} s, {which} speakers": {
                name: groups_of(vectors[those], speakers[those], sizes) for name, sizes in SPEAKERS_OF_GROUP.items()
            }
            for length, vectors in ((HEARD_S, heard), (WORD_S, word))
            for which, those in (("chosen on", chosen_on), ("other", ~chosen_on))
        } | {
            f"{n} clips of {name}": crowd_groups(vectors, n) for name, vectors in clips.items() for n in CROWD_GROUPS
        },
        "n_groups": N_GROUPS, "n_resamples": N_RESAMPLES, "takes": WANTED,
    }  # fmt: skip


def learn(corpus: Path, work: Path, out: Path, n_takes: int) -> None:
    from safetensors.numpy import save_file

    x, speakers = statistics(corpus, n_takes, work / "train.npz")
    states, (n_pca, n_out), chosen_rate, threshold = choose(x, speakers)
    projection = learn_projection(of_states(x, states), speakers, n_pca, n_out)
    out.mkdir(parents=True, exist_ok=True)
    tensors = {"mean": projection.mean.astype(np.float16), "matrix": projection.matrix.astype(np.float16)}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, out / WEIGHTS_FILE)
    info = {
        "format": FORMAT, "states": states, "listener_sha256": artifacts.sha256_of(LISTENER / LISTENER_FILE),
        "threshold": round(threshold, 3), "n_pca": n_pca, "n_out": n_out,
        "figures": {
            "chosen_at": chosen_rate, "n_train_speakers": len(np.unique(speakers)), "n_train": len(x),
            "heard_s": HEARD_S,
        },
    }  # fmt: skip
    artifacts.write_json(out / INFO_FILE, info)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    of_learning, of_measuring = modes.add_parser("learn"), modes.add_parser("measure")
    for mode, folders in ((of_learning, ("corpus", "work", "out")), (of_measuring, ("shared", "model"))):
        for folder in folders:
            mode.add_argument(folder, type=Path)
        mode.add_argument("--takes", type=int, default=ALL_TAKES, help="of each speaker")
    given = parser.parse_args()
    if given.mode == "learn":
        learn(given.corpus, given.work, given.out, given.takes)
        return
    figures = measure(given.shared, given.model, given.takes)
    info = artifacts.read_json(given.model / INFO_FILE)
    artifacts.write_json(given.model / INFO_FILE, {**info, "figures": {**info["figures"], "measured": figures}})
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
