"""What a scorer says where it should not praise: other texts, noise, silence, words of another language.

Totals are on 0-10; a refusal counts as 0, as a person gets no score. Draws are seeded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio, load_audio
from pipeline.corpus.sets import audio_path, list_sets, read_recordings
from pipeline.errors import CorpusError
from pipeline.evaluation.trials import RATE_HZ, audio_of, score_with, spread_over
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.records import RubricName, ScoreResult, State, Target
from pipeline.scoring.batch import Item, ScorerSpec
from pipeline.settings import Settings

MAX_RECORDINGS = 200
N_SOUNDS = 20


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
    scored = partial(score_with, spec)
    some = spread_over(items, MAX_RECORDINGS)
    if len({item.target.text for item in some}) < 2:
        raise CorpusError(N_("The rejection test shuffles texts, so it needs recordings of at least two texts."))
    draw = np.random.default_rng(0)
    results: dict[str, list[ScoreResult]] = {"matching text": [], "another text": [], "noise": [], "silence": []}
    for number, item in enumerate(some, start=1):
        audio = load_audio(item.path)
        others = [other for other in some if other.target.text != item.target.text]
        other = others[int(draw.integers(len(others)))].target
        results["matching text"].append(scored(audio, item.target))
        results["another text"].append(scored(audio, other))
        if progress is not None:
            progress(number, len(some), Message(N_("Shuffled texts")))
    for number in range(N_SOUNDS):
        target = some[number % len(some)].target
        results["noise"].append(scored(_noise(draw, number), target))
        results["silence"].append(scored(audio_of(np.zeros(3 * RATE_HZ)), target))
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
    return audio_of(0.15 * kinds[number % 3]() * envelope)


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
