"""What a speech encoder teaches: soft answers for rendered windows, from a linear probe on its frozen states.

The probe's answer for a window comes from a fold that did not hold its clip: what is taught is what the encoder can
tell, not what the probe has learnt by heart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.wakeword.data.clips import Label
from pipeline.wakeword.data.rendering import LivePool
from pipeline.wakeword.features import FeatureConfig, settled

SHARES = {Label.POSITIVE: 0.3, Label.NEGATIVE: 0.45, Label.HARD_NEGATIVE: 0.25}
FOLDS = 5
BATCH = 16
LARGEST_LOGIT = 8.0


@dataclass(frozen=True)
class SoftTargets:
    """`windows` [n, frames, bins] as the pools have them, the teacher's `logits` [n]; `right` is the share on which the
    probe agrees with the class, out of fold."""

    windows: NDArray[np.float32]
    logits: NDArray[np.float32]
    right: float


def encoder_soft_targets(
    folder: Path,
    sources: Mapping[Label, LivePool],
    config: FeatureConfig,
    n: int,
    seed: int,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> SoftTargets:
    """`n` windows. Raises ModelError for a folder without an encoder, TrainingError where a class is missing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    draw = np.random.default_rng([seed, 11])
    sounds: list[NDArray[np.float32]] = []
    clips: list[Path] = []
    labels: list[Label] = []
    total = sum(SHARES[label] for label in sources)
    for label, source in sources.items():
        for sound, clip in source.sounds(max(FOLDS, round(n * SHARES[label] / total)), draw):
            sounds.append(sound)
            clips.append(clip)
            labels.append(label)
    truth = np.array([label is Label.POSITIVE for label in labels])
    if truth.all() or not truth.any():
        raise TrainingError(N_("A teacher needs clips of the word and others."))
    states = _states(folder, [sound[config.settling :] for sound in sounds], progress, check_stop)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    groups = np.unique([str(clip) for clip in clips], return_inverse=True)[1]
    logits = cross_val_predict(
        probe, states, truth, groups=groups, cv=GroupKFold(min(FOLDS, len(set(groups)))), method="decision_function"
    )
    clipped = np.clip(logits, -LARGEST_LOGIT, LARGEST_LOGIT).astype(np.float32)
    windows = np.stack([settled(sound, config)[: config.shape[0]] for sound in sounds])
    return SoftTargets(windows, clipped, float(((logits > 0) == truth).mean()))


def _states(
    folder: Path,
    sounds: list[NDArray[np.float32]],
    progress: Progress | None,
    check_stop: Callable[[], None] | None,
) -> NDArray[np.float32]:
    """Mean and deviation over time of the upper half of the layers, [n, 2 * layers * width]."""
    import torch

    from pipeline.scoring.speech.training.encoder import load_encoder

    encoder = load_encoder(folder, dropout=0.0).eval()
    states = []
    for start in range(0, len(sounds), BATCH):
        if check_stop is not None:
            check_stop()
        inputs = torch.from_numpy(np.stack([encoder.front_end(sound) for sound in sounds[start : start + BATCH]]))
        with torch.inference_mode():
            layers = encoder(inputs, None)[encoder.shape.n_states // 2 :]
        pooled = [part for layer in layers for part in (layer.mean(dim=1), layer.std(dim=1, correction=0))]
        states.append(torch.cat(pooled, dim=1).float().numpy())
        if progress is not None:
            progress(min(start + BATCH, len(sounds)), len(sounds), Message(N_("asking the teacher")))
    return np.concatenate(states)
