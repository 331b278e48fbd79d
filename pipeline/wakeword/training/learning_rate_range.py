"""Which learning rate: a short run whose rate rises from step to step (Smith 2017)."""

from dataclasses import dataclass

import numpy as np

from pipeline.wakeword.planned_steps import Stage
from pipeline.wakeword.training.train import Trainer

LOWEST, HIGHEST, STEPS = 1e-5, 1.0, 120
SMOOTHING = 0.9
DIVERGED = 4.0  # times the lowest loss


@dataclass(frozen=True)
class RateRange:
    """Smoothed losses at rising `rates`; `suggested` is a third of the rate at which the loss was lowest, where it
    still falls."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggested: float


def rate_range(trainer: Trainer, low: float = LOWEST, high: float = HIGHEST, steps: int = STEPS) -> RateRange:
    """Spends the trainer: its weights are worth nothing afterwards. Ends where the loss has diverged."""
    rates, losses = [], []
    smooth = 0.0
    for step, rate in enumerate(np.geomspace(low, high, steps)):
        loss, _, _ = trainer.step(Stage("range", steps, float(rate)), round(0.5 * steps))
        smooth = SMOOTHING * smooth + (1.0 - SMOOTHING) * loss
        rates.append(float(rate))
        losses.append(smooth / (1.0 - SMOOTHING ** (step + 1)))
        if not np.isfinite(loss) or losses[-1] > DIVERGED * min(losses):
            break
    return RateRange(tuple(rates), tuple(losses), rates[int(np.argmin(losses))] / 3.0)
