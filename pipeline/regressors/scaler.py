"""Features to mean 0 and standard deviation 1, as every regressor on a table sees them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Features beyond five standard deviations say "unlike anything seen in training", not how good the item is.
Z_CLIP = 5.0


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation [d] of each feature in the training data."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    @classmethod
    def fit(cls, x: NDArray[np.float32]) -> "Scaler":
        """A constant feature gets standard deviation 1, so that it stays out of play instead of dividing by zero."""
        std = x.std(axis=0, dtype=np.float64)
        return cls(x.mean(axis=0, dtype=np.float64), np.where(std > 1e-9, std, 1.0))

    def z(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Standard deviations from the mean [n, d], not clipped."""
        return np.asarray((x - self.mean) / self.std)

    def standardise(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standard deviations from the mean [n, d], clipped to -5..5."""
        return np.clip(self.z(x), -Z_CLIP, Z_CLIP).astype(np.float32)
