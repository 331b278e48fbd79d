"""What a scorer says where it should not praise: other texts, noise, silence, words of another language.

Totals are on 0-10; a refusal counts as 0, as a person gets no score. Draws are seeded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio, load_audio
from pipeline.corpus.sets import audio_path, list_sets, read_recordings
from pipeline.errors import CorpusError
from pipeline.parallel import Progress
from pipeline.records import RubricName, ScoreResult, State, Target
from pipeline.scoring.base import score_audio
from pipeline.scoring.batch import Item, ScorerSpec, selection_of
from pipeline.scoring.selection import load
from pipeline.settings import Settings

MAX_RECORDINGS = 200
N_SOUNDS = 20
RATE_HZ = 16_000


@dataclass(frozen=True)
class RejectionCase:
    """One kind of recording: how many, their mean total with refusals as 0, the highest, and how often each state."""

    n: int
    mean_total: float
    highest_total: float
    states: dict[str, int]


@dataclass(frozen=True)
class RejectionReport:
    """`gap` is the mean total of matching texts less that of shuffled ones."""

    gap: float
    cases: dict[str, RejectionCase] = field(default_factory=dict)


def check_rejection(spec: ScorerSpec, items: Sequence[Item], progress: Progress | None = None) -> RejectionReport:
    """On up to 200 recordings of `items`, with their own text and with another speaker's, on made noises, and on the
    Turkish demo words where they are installed. Raises CorpusError for fewer than two texts."""

    def scored(audio: Audio, target: Target) -> ScoreResult:
        selection = selection_of(spec, target)
        return score_audio(load(spec.settings, selection), audio, selection.target)

    step = max(1, len(items) // MAX_RECORDINGS)
    some = list(items)[::step][:MAX_RECORDINGS]
    if len({item.target.text for item in some}) < 2:
        raise CorpusError("The rejection test shuffles texts, so it needs recordings of at least two texts.")
    draw = np.random.default_rng(0)
    results: dict[str, list[ScoreResult]] = {"matching text": [], "another text": [], "noise": [], "silence": []}
    for number, item in enumerate(some, start=1):
        audio = load_audio(item.path)
        others = [other for other in some if other.target.text != item.target.text]
        other = others[int(draw.integers(len(others)))].target
        results["matching text"].append(scored(audio, item.target))
        results["another text"].append(scored(audio, other))
        if progress is not None:
            progress(number, len(some), "Shuffled texts")
    for number in range(N_SOUNDS):
        target = some[number % len(some)].target
        results["noise"].append(scored(_noise(draw, number), target))
        results["silence"].append(scored(_audio(np.zeros(3 * RATE_HZ)), target))
    words = _turkish(spec.settings)
    if words:
        results["Turkish words"] = [scored(audio, _shortest(some, number)) for number, audio in enumerate(words)]
    cases = {name: _case(rows) for name, rows in results.items()}
    return RejectionReport(cases["matching text"].mean_total - cases["another text"].mean_total, cases)


def _case(results: Sequence[ScoreResult]) -> RejectionCase:
    totals = [0.0 if r.overall is None else r.overall / 10.0 for r in results]
    states = {str(state): sum(r.state is state for r in results) for state in State}
    return RejectionCase(len(totals), float(np.mean(totals)), max(totals), {name: n for name, n in states.items() if n})


def _noise(draw: np.random.Generator, number: int) -> Audio:
    """White, low-pass or humming noise, in turn, rising and falling as speech does."""
    seconds = np.arange(3 * RATE_HZ) / RATE_HZ
    kinds: tuple[Callable[[], NDArray[np.float64]], ...] = (
        lambda: draw.normal(size=len(seconds)),
        lambda: np.convolve(draw.normal(size=len(seconds)), np.ones(30) / 5, mode="same"),
        lambda: np.sin(2 * np.pi * 110 * seconds) + np.sin(2 * np.pi * 330 * seconds),
    )
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * (1 + number % 4) * seconds)
    return _audio(0.15 * kinds[number % 3]() * envelope)


def _audio(samples: NDArray[np.float64]) -> Audio:
    return Audio(samples.astype(np.float32), RATE_HZ, RATE_HZ, 1, float(np.abs(samples).max()))


def _turkish(settings: Settings) -> list[Audio]:
    for set_ in list_sets(settings):
        if set_.language == "tr" and set_.rubric is RubricName.WORD:
            recordings = read_recordings(settings, set_.name)[::9][:N_SOUNDS]
            return [load_audio(audio_path(set_, r)) for r in recordings]
    return []


def _shortest(items: Sequence[Item], number: int) -> Target:
    """One of the shortest texts: a single word fits those best."""
    ordered = sorted({item.target for item in items}, key=lambda target: (len(target.text), target.text))
    return ordered[number % max(1, len(ordered) // 10)]
