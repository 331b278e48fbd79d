"""Learn and measure the model of voices: `python -m tests.bench.owner_study CORPUS WORK OUT [--takes 10]`.

CORPUS is speechocean762 as a folder with manifest.jsonl, WORK keeps the statistics of the listener's states (an hour of
one core for all takes), OUT is the model folder to write. Which states and how many dimensions is chosen on speakers of
the part train that the projection did not learn from; the part dev is looked at once, for the report.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.load import load_audio
from pipeline.audio.voice import find_word
from pipeline.metrics.detection import equal_error_rate, roc
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.settings import CHECKOUT
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.owner.enrolment import WANTED
from pipeline.wakeword.owner.projection import Projection, Trials, learn_projection, threshold_at_equal_error, trials
from pipeline.wakeword.owner.voice import FORMAT, HEARD_S, INFO_FILE, WEIGHTS_FILE

LISTENER = CHECKOUT / "models" / "speech-en"
CHOOSING_SPEAKERS, CUTS = 31, 2  # of 125, twice
STATES = ((0, 1), (1, 2), (2, 3), (1, 2, 3), (4, 5, 6))
DIMENSIONS = ((200, 60), (100, 40), (200, 30), (400, 60))  # after PCA, and after LDA
BOOTSTRAPS = 1000
ALL_TAKES = 20  # of a speaker
SHORTEST = 4800  # samples
Statistics = NDArray[np.float32]


def statistics(corpus: Path, part: str, n_takes: int, kept: Path) -> tuple[Statistics, NDArray[np.str_]]:
    """Mean and deviation of all states [n, n_states, 2 W] of a random stretch of speech of each take, and the
    speakers."""
    if not kept.is_file():
        by_speaker: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in (corpus / "manifest.jsonl").read_text(encoding="utf-8").split("\n"):
            row = json.loads(line) if line else {}
            if row.get("part") == part:
                by_speaker[row["speaker"]].append(row)
        listener = ListenerRuntime(LISTENER)
        rows, speakers = [], []
        for row in (row for takes in by_speaker.values() for row in islice(takes, n_takes)):
            sound = load_audio(corpus / row["audio"]).samples
            start, end = find_word(sound)
            speech, n = sound[start:end], round(HEARD_S * RATE_HZ)
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


def error_rate(tested: Trials) -> float:
    return equal_error_rate(tested.curve)


def choose(x: Statistics, speakers: NDArray[np.str_]) -> tuple[tuple[int, ...], tuple[int, int], float, float]:
    """States, then dimensions, with the lowest equal error rate over the cuts, that rate, and its threshold."""

    def measured(states: tuple[int, ...], dimensions: tuple[int, int]) -> tuple[float, float]:
        rates, limits = [], []
        for cut in range(CUTS):
            held = np.random.default_rng(cut).permutation(np.unique(speakers))[:CHOOSING_SPEAKERS]
            is_held, chosen = np.isin(speakers, held), of_states(x, states)
            projection = learn_projection(chosen[~is_held], speakers[~is_held], *dimensions)
            tested = trials(projection(chosen[is_held]), speakers[is_held], WANTED)
            rates.append(error_rate(tested))
            limits.append(threshold_at_equal_error(tested.curve))
        print(f"states {states}, {dimensions[0]} to {dimensions[1]}: {np.mean(rates):.2%}", flush=True)
        return float(np.mean(rates)), float(np.mean(limits))

    _, states = min((measured(states, DIMENSIONS[0])[0], states) for states in STATES)
    (rate, threshold), dimensions = min((measured(states, dimensions), dimensions) for dimensions in DIMENSIONS)
    return states, dimensions, rate, threshold


def report(x: Statistics, speakers: NDArray[np.str_], projection: Projection, threshold: float) -> dict[str, Any]:
    """On speakers that nothing was learnt from; the interval is a bootstrap over them, both as owners and as others."""
    tested = trials(projection(x), speakers, WANTED)
    names = np.unique(speakers)
    draw = np.random.default_rng(0)
    place = {name: number for number, name in enumerate(names)}
    owner = np.array([place[name] for name in tested.enrolled])
    other = np.array([place[name] for name in tested.tested])
    rates = []
    for _ in range(BOOTSTRAPS):
        times = np.bincount(draw.integers(0, len(names), len(names)), minlength=len(names))
        weights = np.where(tested.same, times[owner], times[owner] * times[other])
        repeated = np.repeat(np.arange(len(weights)), weights)
        rates.append(equal_error_rate(roc(tested.scores[repeated], tested.same[repeated])))
    accepted = tested.scores >= threshold
    return {
        "eer": error_rate(tested), "interval": [float(v) for v in np.percentile(rates, [2.5, 97.5])],
        "n_speakers": len(names), "n_own": int(tested.same.sum()), "n_others": int((~tested.same).sum()),
        "own_refused": float((~accepted[tested.same]).mean()), "others_accepted": float(accepted[~tested.same].mean()),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--takes", type=int, default=ALL_TAKES, help="of each speaker to learn from")
    given = parser.parse_args()
    x, speakers = statistics(given.corpus, "train", given.takes, given.work / "train.npz")
    states, (n_pca, n_out), chosen_rate, threshold = choose(x, speakers)
    projection = learn_projection(of_states(x, states), speakers, n_pca, n_out)
    new, new_speakers = statistics(given.corpus, "dev", ALL_TAKES, given.work / "dev.npz")
    figures = {
        **report(of_states(new, states), new_speakers, projection, threshold), "chosen_at": chosen_rate,
        "n_train_speakers": len(np.unique(speakers)), "n_train": len(x), "takes": WANTED, "heard_s": HEARD_S,
    }  # fmt: skip
    from safetensors.numpy import save_file

    given.out.mkdir(parents=True, exist_ok=True)
    tensors = {"mean": projection.mean.astype(np.float16), "matrix": projection.matrix.astype(np.float16)}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, given.out / WEIGHTS_FILE)
    info = {
        "format": FORMAT, "states": states, "listener_sha256": artifacts.sha256_of(LISTENER / LISTENER_FILE),
        "threshold": round(threshold, 3), "n_pca": n_pca, "n_out": n_out, "figures": figures,
    }  # fmt: skip
    artifacts.write_json(given.out / INFO_FILE, info)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
