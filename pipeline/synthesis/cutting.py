"""What a synthesiser said, without the silence that it leaves around it."""

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, Message
from pipeline.records import Seconds

AUDIBLE = 0.01  # of the peak: -40 dB


def trimmed(samples: NDArray[np.float32], rate_hz: int, edge_s: Seconds, peak: float) -> NDArray[np.float32]:
    """From `edge_s` before the first sound to `edge_s` after the last, with that peak; ValueError for silence."""
    loudest = np.abs(samples).max(initial=0.0)
    if not loudest:
        raise ValueError(Message(N_("it is silent")))
    heard = np.flatnonzero(np.abs(samples) > AUDIBLE * loudest)
    edge = round(edge_s * rate_hz)
    part = samples[max(0, heard[0] - edge) : heard[-1] + edge]
    return np.asarray(part * (peak / np.abs(part).max()), dtype=np.float32)
