"""Whether the score is a property of the speech, and whether what is said of a reading is so.

Recordings are changed in ways that leave the reading as it is: each kind of change has a tolerance in points of 100.
They are also cut and spliced, so that words are left out, said twice, or added, and what the scorer says of it is
counted. Draws are seeded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from pipeline.audio.load import load_audio
from pipeline.errors import CorpusError
from pipeline.evaluation.trials import RATE_HZ, audio_of, score_with, spread_over
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.records import ScoreResult, State, Verdict
from pipeline.scoring.batch import Item, ScorerSpec

Samples = NDArray[np.float64]
Change = Callable[[Samples, np.random.Generator], Samples]

MAX_RECORDINGS = 40
FEWEST_WORDS = 4  # of a reading that is cut
FADE = RATE_HZ // 100
STATEMENTS = ("word left out", "said twice", "words added")


@dataclass(frozen=True)
class RobustnessCase:
    """Scores after a change less those before it, in points: how many (`n`), their mean, standard deviation and largest
    size, and the share within the `tolerance`. `n_lost` more had a score and lost it."""

    tolerance: float
    n: int
    mean: float
    sd: float
    worst: float
    share_within: float
    n_lost: int


@dataclass(frozen=True)
class Statement:
    """Of one kind of statement: how often it was made, how often rightly, and how often it would have been right."""

    n_said: int
    n_right: int
    n_true: int

    @property
    def precision(self) -> float | None:
        return self.n_right / self.n_said if self.n_said else None

    @property
    def recall(self) -> float | None:
        return self.n_right / self.n_true if self.n_true else None


@dataclass(frozen=True)
class RobustnessReport:
    """`changes` by kind, `statements` by STATEMENTS, on `n` recordings; `partial_scored` is the share of readings that
    were cut off, begun late or had a word taken out which kept a score."""

    n: int
    changes: dict[str, RobustnessCase] = field(default_factory=dict)
    statements: dict[str, Statement] = field(default_factory=dict)
    partial_scored: float | None = None


def check_robustness(spec: ScorerSpec, items: Sequence[Item], progress: Progress | None = None) -> RobustnessReport:
    """On up to MAX_RECORDINGS of `items` that have a score. Raises CorpusError where none has."""
    some = spread_over(items, MAX_RECORDINGS)
    draw = np.random.default_rng(0)
    differences: dict[str, list[float | None]] = {name: [] for name in CHANGES}
    counted = _Counted()
    n = 0
    for number, item in enumerate(some, start=1):

        def scored(samples: Samples, item: Item = item) -> ScoreResult:
            return score_with(spec, audio_of(samples), item.target)

        samples = load_audio(item.path).samples.astype(np.float64)
        plain = scored(samples)
        if plain.overall is not None and plain.state is State.SCORED:
            n += 1
            for name, (change, _) in CHANGES.items():
                after = scored(change(samples, draw)).overall
                differences[name].append(None if after is None else after - plain.overall)
            if len(plain.words) >= FEWEST_WORDS and all(word.verdict is not Verdict.MISSING for word in plain.words):
                counted.readings(samples, plain, draw, scored)
        if progress is not None:
            progress(number, len(some), Message(N_("Changed recordings")))
    if not n:
        raise CorpusError(N_("None of these recordings gets a score, so there is nothing to compare with."))
    changes = {name: _case(CHANGES[name][1], values) for name, values in differences.items()}
    return RobustnessReport(n, changes, counted.statements(), counted.partial_scored())


class _Counted:
    """What was said of readings that were cut and spliced, beside what is so."""

    def __init__(self) -> None:
        self._counts = {name: np.zeros(3, dtype=np.int64) for name in STATEMENTS}
        self._kept: list[bool] = []

    def readings(
        self, samples: Samples, plain: ScoreResult, draw: np.random.Generator, scored: Callable[[Samples], ScoreResult]
    ) -> None:
        n_words = len(plain.words)
        edges = _edges(plain, len(samples))
        silence = 1e-4 * draw.normal(size=RATE_HZ // 2)
        first, gone, twice = (int(draw.integers(1, n_words)) for _ in range(3))
        none = frozenset[int]()
        cut = {
            "stopped early": (_joined(samples[: edges[first]], silence), frozenset(range(first, n_words))),
            "begun late": (_joined(silence, samples[edges[first] :]), frozenset(range(first))),
            "left out": (_joined(samples[: edges[gone]], samples[edges[gone + 1] :]), frozenset([gone])),
        }
        for changed, left_out in cut.values():
            result = scored(changed)
            self._kept.append(result.state is State.SCORED)
            if result.state is State.SCORED:
                self._count(result, left_out, twice=False, added=False)
        self._count(plain, none, twice=False, added=False)
        again = _joined(samples[: edges[twice]], silence[: RATE_HZ // 8], samples[edges[twice - 1] :])
        self._count(scored(again), none, twice=True, added=False)
        # Backwards, a word is speech, and none of this text.
        word = samples[edges[gone] : edges[gone + 1]][::-1]
        other = _joined(samples[: edges[first]], word, samples[edges[first] :])
        self._count(scored(other), none, twice=False, added=True)

    def _count(self, result: ScoreResult, left_out: frozenset[int], *, twice: bool, added: bool) -> None:
        missing = {number for number, word in enumerate(result.words) if word.verdict is Verdict.MISSING}
        rows = (
            (len(missing), len(missing & left_out), len(left_out)),
            (result.n_repeats > 0, result.n_repeats > 0 and twice, twice),
            (bool(result.added_words), bool(result.added_words) and added, added),
        )
        for name, row in zip(STATEMENTS, rows, strict=True):
            self._counts[name] += np.array(row, dtype=np.int64)

    def statements(self) -> dict[str, Statement]:
        return {name: Statement(*map(int, row)) for name, row in self._counts.items() if row.any()}

    def partial_scored(self) -> float | None:
        return float(np.mean(self._kept)) if self._kept else None


def _edges(result: ScoreResult, n_samples: int) -> list[int]:
    """Where each word begins, and where the last one ends, in samples; a pause between two is halved."""
    middles = [(a.end_s + b.start_s) / 2 for a, b in pairwise(result.words)]
    seconds = [result.words[0].start_s, *middles, result.words[-1].end_s]
    return [min(n_samples, round(RATE_HZ * value)) for value in seconds]


def _joined(*parts: Samples) -> Samples:
    """One after the other, faded into each other over 10 ms, so that no click gives the cut away."""
    whole = parts[0]
    for part in parts[1:]:
        n = min(FADE, len(whole), len(part))
        rise = np.linspace(0.0, 1.0, n)
        both = whole[len(whole) - n :] * (1.0 - rise) + part[:n] * rise
        whole = np.concatenate([whole[: len(whole) - n], both, part[n:]])
    return whole


def _case(tolerance: float, values: Sequence[float | None]) -> RobustnessCase:
    kept = np.array([value for value in values if value is not None])
    if not len(kept):
        return RobustnessCase(tolerance, 0, 0.0, 0.0, 0.0, 0.0, len(values))
    within = float((np.abs(kept) <= tolerance).sum() / len(values))
    worst = float(np.abs(kept).max())
    return RobustnessCase(
        tolerance, len(kept), float(kept.mean()), float(kept.std()), worst, within, len(values) - len(kept)
    )


def _around(seconds: float, level_db: float) -> Change:
    """With `seconds` of white noise so far under the peak before and after."""

    def change(samples: Samples, draw: np.random.Generator) -> Samples:
        scale = np.abs(samples).max() * 10 ** (level_db / 20)
        before, after = (scale * draw.normal(size=round(seconds * RATE_HZ)) for _ in range(2))
        return np.concatenate([before, samples, after])

    return change


def _later(milliseconds: int) -> Change:
    """Begun so much later, in which an encoder's frames lie elsewhere in the speech."""
    return lambda samples, _: np.concatenate([np.zeros(RATE_HZ * milliseconds // 1000), samples])


def _music_after(samples: Samples, _: np.random.Generator) -> Samples:
    """A chord of three seconds, as loud as the speech on average."""
    seconds = np.arange(3 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hz * seconds) for hz in (220.0, 277.2, 329.6))
    return np.concatenate([samples, np.sqrt((samples**2).mean() / 1.5) * np.asarray(chord)])


def _gain(db: float) -> Change:
    return lambda samples, _: np.clip(samples * 10 ** (db / 20), -1.0, 1.0)


def _through_rate(rate_hz: int) -> Change:
    def change(samples: Samples, _: np.random.Generator) -> Samples:
        import soxr

        return np.asarray(soxr.resample(soxr.resample(samples, RATE_HZ, rate_hz), rate_hz, RATE_HZ), dtype=np.float64)

    return change


def _through_codec(format: str, subtype: str, compression: float) -> Change:
    """`compression` as libsndfile counts it: 0 keeps most, 1 least."""

    def change(samples: Samples, _: np.random.Generator) -> Samples:
        import soundfile

        coded = BytesIO()
        soundfile.write(coded, samples, RATE_HZ, format=format, subtype=subtype, compression_level=compression)
        coded.seek(0)
        decoded: Any = soundfile.read(coded, dtype="float64")[0]
        return np.asarray(decoded, dtype=np.float64)

    return change


def _small_room(samples: Samples, draw: np.random.Generator) -> Samples:
    """Reverberation that falls by 60 dB in .3 s, 10 dB under the direct sound."""
    n = round(0.3 * RATE_HZ)
    tail = draw.normal(size=n) * 10 ** (-3.0 * np.arange(n) / n)
    tail *= np.sqrt(0.1 / (tail**2).sum())
    tail[0] = 1.0
    return np.asarray(fftconvolve(samples, tail)[: len(samples)], dtype=np.float64)


def _noise(snr_db: float) -> Change:
    def change(samples: Samples, draw: np.random.Generator) -> Samples:
        noise = draw.normal(size=len(samples)) * np.sqrt((samples**2).mean() / 10 ** (snr_db / 10))
        return np.asarray(samples + noise, dtype=np.float64)

    return change


def _speed(factor: float) -> Change:
    """Pitch moves along."""

    def change(samples: Samples, _: np.random.Generator) -> Samples:
        places = np.arange(0, len(samples) - 1, factor)
        return np.asarray(np.interp(places, np.arange(len(samples)), samples), dtype=np.float64)

    return change


def _clipped(samples: Samples, _: np.random.Generator) -> Samples:
    """One sample in a hundred at the limit."""
    limit = np.quantile(np.abs(samples), 0.99)
    return np.clip(samples, -limit, limit)


def _click(samples: Samples, _: np.random.Generator) -> Samples:
    """Of a button, .2 s before."""
    click = np.zeros(RATE_HZ // 5)
    click[:40] = 0.5 * np.abs(samples).max() * np.hanning(40)
    return np.concatenate([click, samples])


# Each with the points that a score may move by.
CHANGES: Mapping[str, tuple[Change, float]] = {
    "the same again": (lambda samples, _: samples, 0.0),
    "0.5 s of silence around": (_around(0.5, -90.0), 2.0),
    "5 s of silence around": (_around(5.0, -90.0), 2.0),
    "2 s of faint noise around": (_around(2.0, -50.0), 2.0),
    "a chord after it": (_music_after, 2.0),
    "a click before it": (_click, 2.0),
    "20 dB quieter": (_gain(-20.0), 2.0),
    "6 dB louder": (_gain(6.0), 5.0),
    "48 kHz": (_through_rate(48_000), 1.0),
    "44.1 kHz": (_through_rate(44_100), 1.0),
    "22.05 kHz": (_through_rate(22_050), 2.0),
    "8 kHz": (_through_rate(8_000), 10.0),
    "Opus, best": (_through_codec("OGG", "OPUS", 0.0), 2.0),
    "Opus, smallest": (_through_codec("OGG", "OPUS", 1.0), 10.0),
    "MP3": (_through_codec("MP3", "MPEG_LAYER_III", 0.5), 5.0),
    "a small room": (_small_room, 10.0),
    "noise at 20 dB": (_noise(20.0), 5.0),
    "noise at 10 dB": (_noise(10.0), 15.0),
    "speed 0.9": (_speed(0.9), 10.0),
    "speed 1.1": (_speed(1.1), 10.0),
    "clipped": (_clipped, 5.0),
    "begun 10 ms later": (_later(10), 2.0),
    "begun 30 ms later": (_later(30), 2.0),
}
