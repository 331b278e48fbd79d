"""Decoded clips, kept within a bound: rendering draws the same utterances again and again."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import load_audio
from pipeline.records import Seconds

Samples = NDArray[np.float32]
MAX_DURATION_S: Seconds = 3600.0  # of a clip, a noise or a stretch of background


def load_clip(path: Path) -> Samples:
    """float32 [n] at 16 kHz. Raises AudioError for what cannot be read."""
    return load_audio(path, max_duration_s=MAX_DURATION_S).samples


@dataclass(frozen=True)
class CacheUse:
    hits: int
    misses: int
    size_mb: float

    @property
    def hit_rate(self) -> float | None:
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


class SoundCache:
    """Least recently used sounds go first once `max_mb` are held; a single longer one is never kept."""

    def __init__(self, max_mb: float) -> None:
        self._limit = int(max_mb * 1e6)
        self._held: OrderedDict[Path, Samples] = OrderedDict()
        self._bytes = self._hits = self._misses = 0

    def get(self, path: Path) -> Samples:
        """float32 [n] at 16 kHz. Raises AudioError for what cannot be read."""
        sound = self._held.get(path)
        if sound is not None:
            self._hits += 1
            self._held.move_to_end(path)
            return sound
        self._misses += 1
        samples = load_clip(path)
        if samples.nbytes <= self._limit:
            self._held[path] = samples
            self._bytes += samples.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._held.popitem(last=False)[1].nbytes
        return samples

    @property
    def use(self) -> CacheUse:
        return CacheUse(self._hits, self._misses, self._bytes / 1e6)
