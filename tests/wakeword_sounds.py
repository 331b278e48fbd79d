"""Made-up clips to walk the way of a wake word with: the word is a rising chirp, other speech is hums of any pitch."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.settings import Settings
from pipeline.wakeword.data.clip_library import add_folders

RATE_HZ = 16_000


def chirp(draw: np.random.Generator, low_hz: float = 300.0) -> NDArray[np.float32]:
    """.6 s from about 300 to 2,400 Hz, after and before silence."""
    n = round(0.6 * RATE_HZ)
    pitch = np.geomspace(low_hz * draw.uniform(0.9, 1.1), 2400.0 * draw.uniform(0.9, 1.1), n)
    sound = np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ) * np.hanning(n) * draw.uniform(0.2, 0.8)
    return np.pad(sound, (round(0.4 * RATE_HZ), round(0.4 * RATE_HZ))).astype(np.float32)


def hum(draw: np.random.Generator, seconds: float = 2.5) -> NDArray[np.float32]:
    """Falling and steady tones with pauses."""
    parts = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        n = round(draw.uniform(0.2, 0.5) * RATE_HZ)
        start, end = draw.uniform(200, 3000), draw.uniform(100, 800)
        pitch = np.geomspace(max(start, end), min(start, end), n)
        parts += [
            np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ) * np.hanning(n) * draw.uniform(0.1, 0.6), np.zeros(n // 3),
        ]  # fmt: skip
    return np.concatenate(parts).astype(np.float32)


def write_clips(root: Path, n_words: int = 16, n_other: int = 16, seed: int = 0) -> tuple[Path, Path, Path]:
    """Folders of words, of other speech, and of noise."""
    draw = np.random.default_rng(seed)
    words, other, noise = root / "words", root / "other", root / "noise"
    for folder in (words, other, noise):
        folder.mkdir(parents=True)
    for number in range(n_words):
        soundfile.write(words / f"word{number:03}.flac", chirp(draw), RATE_HZ)
    for number in range(n_other):
        soundfile.write(other / f"other{number:03}.flac", hum(draw), RATE_HZ)
    soundfile.write(noise / "hiss.flac", 0.05 * draw.standard_normal(8 * RATE_HZ).clip(-4, 4), RATE_HZ)
    return words, other, noise


def collect_chirps(settings: Settings, root: Path, n_words: int = 16, n_other: int = 12) -> None:
    """Clips of the word `chirp` as a collection, with some for evaluation."""
    words, other, noise = write_clips(root / "train", n_words, n_other)
    new_words, new_other, _ = write_clips(root / "new", 8, 10, seed=1)
    add_folders(
        settings, "chirp",
        {"positive": [words], "negative": [other], "noise": [noise], "evaluation/positive": [new_words],
         "evaluation/background": [new_other]},
    )  # fmt: skip
