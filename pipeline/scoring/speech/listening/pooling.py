"""The encoder's states under each canonical phone and over the speech, in numpy."""

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.speech.listening.evidence import Evidence

SPREAD_FLOOR = 1e-5  # variance


def pool(layers: NDArray[np.float32], evidence: Evidence) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of the states of all layers [n_states, T, W]: means over each phone [L, len(POOLS), n_states, W], and mean and
    spread over the speech [2, n_states, W]."""
    states = np.matmul(evidence.pooling[:, None], layers)  # [n_pools, n_states, L, W]
    first, last = np.flatnonzero(evidence.speech)[[0, -1]]
    speech = layers[:, first : last + 1]
    stats = np.stack([speech.mean(axis=1), np.sqrt(speech.var(axis=1) + SPREAD_FLOOR)])
    return np.ascontiguousarray(states.transpose(2, 0, 1, 3)), stats
