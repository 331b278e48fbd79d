"""Clips rendered to features as training needs them: a clip of the word many times, other speech joined to stretches;
in many processes, or one window at a time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.voice import find_word
from pipeline.records import Seconds
from pipeline.wakeword.config import AugmentConfig
from pipeline.wakeword.data.augment import Renderer
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.decoded_clips import SoundCache
from pipeline.wakeword.data.noise import read_noise
from pipeline.wakeword.data.rooms import read_rooms, simulate_rooms
from pipeline.wakeword.features import RATE_HZ, FeatureConfig, settled

STRETCH_S: Seconds = 12.0  # utterances are joined up to about so long
MOST_CONTEXT = 400  # utterances kept at hand to surround words and to babble
MOST_REPEATED = 8  # times as many renderings of a recording as of a synthetic clip
MOST_SYNTHETIC = 1 / 3  # of the other speech, where the word is synthetic alone
Windows = NDArray[np.float32]
Values = NDArray[np.float16]


@dataclass(frozen=True)
class Recipe:
    """All that decides what is rendered, besides the clips."""

    features: FeatureConfig
    augment: AugmentConfig
    noise: tuple[str, ...] = ()
    rir: tuple[str, ...] = ()
    seed: int = 0
    cache_mb: int = 512


class LivePool:
    """Windows rendered from the clips each time they are drawn: nothing on disk, and as many variations as windows.
    `lead` samples come before each window, as many as the front end settles in unless more are asked for."""

    def __init__(
        self,
        recipe: Recipe,
        root: Path,
        clips: Sequence[Clip],
        context: Sequence[Clip],
        label: Label,
        *,
        synthetic_passes: int = 1,
        lead: int = 0,
    ) -> None:
        self._recipe, self._label = recipe, label
        self._lead = max(lead, recipe.features.settling)
        repeated = _repeated(clips)
        if label is Label.NEGATIVE:
            repeated = dict.fromkeys((clip.path for clip in clips if clip.synthetic), synthetic_passes)
        self._clips = [(root / clip.path, clip.label) for clip in clips for _ in range(repeated.get(clip.path, 1))]
        self._context = tuple(root / clip.path for clip in context)

    @property
    def n_windows(self) -> int:
        return len(self._clips) * 100  # each clip in so many places and noises; what a share of them means is free

    def sample(self, n: int, draw: np.random.Generator) -> Windows:
        return np.stack([self.window_of(sound) for sound, _ in self.sounds(n, draw)])

    def window_of(self, sound: NDArray[np.float32]) -> Windows:
        """[frames, bins] of what `sounds` gives."""
        config = self._recipe.features
        return settled(sound[self._lead - config.settling :], config)[: config.shape[0]]

    def sounds(self, n: int, draw: np.random.Generator) -> Iterator[tuple[NDArray[np.float32], Path]]:
        """`n` windows as sound [lead + clip_s], and the clips they were rendered from."""
        workspace = _workspace(self._recipe, self._context, self._lead)
        size = self._lead + round(self._recipe.features.clip_s * RATE_HZ)
        for index in draw.integers(0, len(self._clips), n):
            path, label = self._clips[int(index)]
            sound = workspace.sound_of(path, label, self._label, draw)
            start = int(draw.integers(0, len(sound) - size + 1))
            yield sound[start : start + size], path


@dataclass(frozen=True)
class RenderTask:
    """One clip of a word to render `variants` times, or utterances to join."""

    paths: tuple[str, ...]
    label: Label
    seed: tuple[int, ...]
    variants: int = 1


class _Workspace:
    """What one process renders with, `lead` samples before each clip."""

    def __init__(self, recipe: Recipe, context: tuple[Path, ...], lead: int) -> None:
        self.recipe = recipe
        self.sounds = SoundCache(recipe.cache_mb)
        self._places: dict[Path, tuple[int, int]] = {}
        augment = recipe.augment
        rooms = (
            [*read_rooms(recipe.rir).responses, *simulate_rooms(augment.simulated_rooms, recipe.seed)]
            if augment.room_chance
            else []
        )
        needs_noise, needs_speech = augment.noise_chance > 0, augment.noise_chance + augment.context > 0
        self.renderer = Renderer(
            augment,
            recipe.features.clip_s,
            read_noise(recipe.noise) if needs_noise else [],
            rooms,
            [self.sounds.get(path) for path in context] if needs_speech else [],
            lead,
        )

    def render(self, task: RenderTask, root: Path) -> dict[str, list[Values]]:
        draw = np.random.default_rng(task.seed)
        if task.label is Label.NEGATIVE:
            sounds = [self.sounds.get(root / path) for path in task.paths]
            return {task.label: [self._frames(self.renderer.speech(sounds, draw))]}
        word, augment = self._word(root / task.paths[0]), self.recipe.augment
        stretches_by_class = {task.label: [self._frames(self.renderer.word(word, draw)) for _ in range(task.variants)]}
        if task.label is Label.POSITIVE and augment.partials:
            n = max(1, round(augment.partials * task.variants))
            stretches_by_class[Label.HARD_NEGATIVE] = [self._frames(self.renderer.piece(word, draw)) for _ in range(n)]
        return {str(label): stretches for label, stretches in stretches_by_class.items()}

    def sound_of(self, path: Path, label: Label, wanted: Label, draw: np.random.Generator) -> NDArray[np.float32]:
        """The sound of a clip of the class `label`, rendered as one of the class `wanted`."""
        if wanted is Label.NEGATIVE:
            return self.renderer.speech([self.sounds.get(path)], draw)
        render = self.renderer.word if label is wanted else self.renderer.piece
        return render(self._word(path), draw)

    def _word(self, path: Path) -> NDArray[np.float32]:
        sound = self.sounds.get(path)
        if path not in self._places:
            self._places[path] = find_word(sound)
        start, end = self._places[path]
        return sound[start:end]

    def _frames(self, samples: NDArray[np.float32]) -> Values:
        return settled(samples, self.recipe.features).astype(np.float16)


@cache
def _workspace(recipe: Recipe, context: tuple[Path, ...], lead: int) -> _Workspace:
    return _Workspace(recipe, context, lead)


def rendered(
    recipe: Recipe, root: Path, context: tuple[Path, ...], task: RenderTask
) -> tuple[dict[str, list[Values]], int, int]:
    workspace = _workspace(recipe, context, recipe.features.settling)
    before = workspace.sounds.use
    stretches_by_class = workspace.render(task, root)
    after = workspace.sounds.use
    return stretches_by_class, after.hits - before.hits, after.misses - before.misses


def context_of(clips: Sequence[Clip]) -> list[str]:
    """Speech at hand: spread evenly over the negatives, those of people where there are any."""
    negatives = [clip for clip in clips if clip.label is Label.NEGATIVE]
    speech = [clip.path for clip in negatives if not clip.synthetic] or [clip.path for clip in negatives]
    return speech[:: max(1, -(-len(speech) // MOST_CONTEXT))]


def tasks_of(clips: Sequence[Clip], recipe: Recipe) -> list[RenderTask]:
    variants = recipe.augment.variants
    repeated = _repeated(clips) if variants > 1 else {}
    tasks = [
        RenderTask((clip.path,), clip.label, (recipe.seed, number), variants * repeated.get(clip.path, 1))
        for number, clip in enumerate(clips)
        if clip.label is not Label.NEGATIVE
    ]
    for synthetic in (False, True):
        speech = [clip for clip in clips if clip.label is Label.NEGATIVE and clip.synthetic is synthetic]
        passes = recipe.augment.negative_variants * (synthetic_passes(clips) if synthetic else 1)
        for variant in range(passes):
            tasks += _joined(speech, recipe.seed, variant, synthetic)
    return tasks


def _joined(speech: Sequence[Clip], seed: int, variant: int, synthetic: bool) -> Iterator[RenderTask]:
    """Each utterance once, several to a stretch."""
    order = np.random.default_rng([seed, variant]).permutation(len(speech))
    joined: list[str] = []
    duration_s = 0.0
    for number, index in enumerate(order):
        joined.append(speech[index].path)
        duration_s += speech[index].duration_s
        if duration_s >= STRETCH_S or number == len(order) - 1:
            drawn = (seed, variant + 1, number, *([1] if synthetic else []))
            yield RenderTask(tuple(joined), Label.NEGATIVE, drawn)
            joined, duration_s = [], 0.0


def synthetic_passes(clips: Sequence[Clip]) -> int:
    """How often as much synthetic other speech is rendered as recorded, so that what is not the word is about as often
    synthetic as the word is: near phrases and pieces of the word are mostly synthetic, too."""
    words = [clip for clip in clips if clip.label is Label.POSITIVE]
    repeated = _repeated(clips)
    synthetic_words = sum(clip.synthetic for clip in words)
    share = synthetic_words / max(1, synthetic_words + sum(repeated.values()))
    wanted = MOST_SYNTHETIC * share
    recorded_s, synthetic_s = (
        sum(clip.duration_s for clip in clips if clip.label is Label.NEGATIVE and clip.synthetic is synthetic)
        for synthetic in (False, True)
    )
    if not recorded_s or not synthetic_s:
        return 1
    return max(1, min(MOST_REPEATED, round(wanted / (1.0 - wanted) * recorded_s / synthetic_s)))


def _repeated(clips: Sequence[Clip]) -> dict[str, int]:
    """How much more often each recording is rendered than a synthetic clip of the same word, so that a few recordings
    among hundreds of synthetic clips count: until there are about as many renderings of both."""
    words = [clip for clip in clips if clip.label is Label.POSITIVE]
    n_synthetic = Counter(clip.word for clip in words if clip.synthetic)
    n_recorded = Counter(clip.word for clip in words if not clip.synthetic)
    return {
        clip.path: max(1, min(MOST_REPEATED, round(n_synthetic[clip.word] / n_recorded[clip.word])))
        for clip in words
        if not clip.synthetic
    }
