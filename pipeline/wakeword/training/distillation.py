"""Soft answers for rendered windows, by a teacher that hears the same sound in another way: a detector on other
features, or a linear probe on the frozen states of a speech encoder.

The probe's answer for a window comes from a fold that did not hold its clip: what is taught is what the encoder can
tell, not what the probe has learnt by heart.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.records import Seconds
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.rendering import LivePool
from pipeline.wakeword.features import RATE_HZ, FeatureConfig, features

SHARES = {Label.POSITIVE: 0.3, Label.NEGATIVE: 0.45, Label.HARD_NEGATIVE: 0.25}
FOLDS = 5
BATCH = 16
LARGEST_LOGIT = 8.0


@dataclass(frozen=True)
class SoftTargets:
    """`windows` [n, frames, bins] as the pools have them, the teacher's `logits` [n]; `right` is the share on which the
    teacher agrees with the class (a probe, out of fold)."""

    windows: NDArray[np.float32]
    logits: NDArray[np.float32]
    right: float


@dataclass(frozen=True)
class _Lessons:
    """Rendered sound as the pools give it, the `windows` that are learnt from, the clips that they were rendered from,
    and whether each is of the word."""

    sounds: list[NDArray[np.float32]]
    windows: NDArray[np.float32]
    clips: list[str]
    is_word: NDArray[np.bool_]

    def taught(self, logits: NDArray[np.floating]) -> SoftTargets:
        """Of the teacher's logits [n]."""
        clipped = np.clip(logits, -LARGEST_LOGIT, LARGEST_LOGIT).astype(np.float32)
        return SoftTargets(self.windows, clipped, float(((logits > 0) == self.is_word).mean()))

    def batches(self, progress: Progress | None, check_stop: Callable[[], None] | None) -> Iterator[list[Any]]:
        """The sounds, a few at a time."""
        n = len(self.sounds)
        for start in range(0, n, BATCH):
            if check_stop is not None:
                check_stop()
            yield self.sounds[start : start + BATCH]
            if progress is not None:
                progress(min(start + BATCH, n), n, Message(N_("asking the teacher")))


def detector_soft_targets(
    model: Any,
    heard: FeatureConfig,
    sources: Mapping[Label, LivePool],
    n: int,
    seed: int,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> SoftTargets:
    """Of `n` windows, by a detector of one word that hears them through features of its own; the sources lead so far
    that its window ends with theirs. Raises TrainingError where a class is missing."""
    import torch

    lessons, logits = _lessons(sources, n, seed), []
    size = round(heard.clip_s * RATE_HZ)
    for sounds in lessons.batches(progress, check_stop):
        frames = np.stack([features(sound[-size:], heard)[: heard.shape[0]] for sound in sounds])
        with torch.inference_mode():
            logits.append(model(torch.from_numpy(frames)).numpy().reshape(len(frames)))
    return lessons.taught(np.concatenate(logits))


def lead_for(heard: FeatureConfig, clip_s: Seconds) -> int:
    """Samples before windows of `clip_s` that a teacher hears, too."""
    return max(0, round((heard.clip_s - clip_s) * RATE_HZ))


def encoder_soft_targets(
    folder: Path,
    sources: Mapping[Label, LivePool],
    config: FeatureConfig,
    n: int,
    seed: int,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> SoftTargets:
    """Of `n` windows. Raises ModelError for a folder without an encoder, TrainingError where a class is missing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    lessons = _lessons(sources, n, seed)
    states = _states(folder, lessons, config.settling, progress, check_stop)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    groups = np.unique(lessons.clips, return_inverse=True)[1]
    folds = GroupKFold(min(FOLDS, len(set(groups))))
    return lessons.taught(
        cross_val_predict(probe, states, lessons.is_word, groups=groups, cv=folds, method="decision_function")
    )


def _lessons(sources: Mapping[Label, LivePool], n: int, seed: int) -> _Lessons:
    draw = np.random.default_rng([seed, 11])
    sounds, windows, clips, labels = [], [], [], []
    total = sum(SHARES[label] for label in sources)
    for label, source in sources.items():
        for sound, clip in source.sounds(max(FOLDS, round(n * SHARES[label] / total)), draw):
            sounds.append(sound)
            windows.append(source.window_of(sound))
            clips.append(str(clip))
            labels.append(label)
    is_word = np.array([label is Label.POSITIVE for label in labels])
    if is_word.all() or not is_word.any():
        raise TrainingError(N_("A teacher needs clips of the word and others."))
    return _Lessons(sounds, np.stack(windows), clips, is_word)


def _states(
    folder: Path,
    lessons: _Lessons,
    settling: int,
    progress: Progress | None,
    check_stop: Callable[[], None] | None,
) -> NDArray[np.float32]:
    """Mean and deviation over time of the upper half of the layers, [n, 2 * layers * width]."""
    import torch

    from pipeline.scoring.speech.training.encoder import load_encoder

    encoder = load_encoder(folder, dropout=0.0).eval()
    states = []
    for sounds in lessons.batches(progress, check_stop):
        inputs = torch.from_numpy(np.stack([encoder.front_end(sound[settling:]) for sound in sounds]))
        with torch.inference_mode():
            layers = encoder(inputs, None)[encoder.shape.n_states // 2 :]
        pooled = [part for layer in layers for part in (layer.mean(dim=1), layer.std(dim=1, correction=0))]
        states.append(torch.cat(pooled, dim=1).float().numpy())
    return np.concatenate(states)
