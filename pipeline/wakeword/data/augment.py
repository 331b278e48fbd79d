"""Render clips as a detector will hear them: words and pieces of them among speech, in rooms, with noise.

Stretching, pitch and equaliser are audiomentations'. All draws come from the generator given, so that a seed gives the
same sound again.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Seconds
from pipeline.wakeword.config import AugmentConfig
from pipeline.wakeword.data.noise import coloured, loudest_energy, mixed, stretch_of
from pipeline.wakeword.data.rooms import reverberate
from pipeline.wakeword.features import RATE_HZ

Samples = NDArray[np.float32]
PLAIN_SNR_DB = 10.0
NOISE_ALONE = 0.1  # of the stretches without the word
BABBLERS = (3, 6)
CONTEXT_DB = (-12.0, 3.0)
LONGEST_GAP_S: Seconds = 0.4
KINDS = ("recorded", "coloured", "babble")
KIND_SHARES = (0.6, 0.2, 0.2)


def plain(config: AugmentConfig, snr_db: float | None) -> AugmentConfig:
    """Nothing varied; with noise at one ratio where it is given. For validation, and for training without
    augmentation."""
    off: dict[str, Any] = dict.fromkeys(
        ("stretch_chance", "pitch_chance", "equaliser_chance", "room_chance", "context", "mask_bins", "mask_frames"),
        0.0,
    )
    level = 0.0 if snr_db is None else snr_db
    return replace(
        config, **off, masks=0, variants=1, negative_variants=1, simulated_rooms=0, gain_low_db=0.0, gain_high_db=0.0,
        noise_chance=0.0 if snr_db is None else 1.0, snr_low_db=level, snr_high_db=level,
    )  # fmt: skip


class Renderer:
    """`noise`, `rooms` and `speech` are what there is to mix in; without recorded noise it is coloured, without speech
    there is none around the word. All that is rendered has so many more samples before it as the front end settles in.
    """

    def __init__(
        self,
        config: AugmentConfig,
        clip_s: Seconds,
        noise: Sequence[Samples] = (),
        rooms: Sequence[Samples] = (),
        speech: Sequence[Samples] = (),
        settling: int = 0,
    ) -> None:
        self.config = config
        self._noise, self._rooms, self._speech, self._settling = noise, rooms, speech, settling
        self._before, self._after = round(clip_s * RATE_HZ), round(config.shift_s * RATE_HZ)

    def word(self, word: Samples, draw: np.random.Generator) -> Samples:
        """[settling + clip_s + shift_s]: the word ends at clip_s, other speech or silence around it."""
        config = self.config
        word = self._varied(word, draw)[-self._before :]
        before = np.zeros(self._settling + self._before - len(word), dtype=np.float32)
        after = np.zeros(self._after, dtype=np.float32)
        energy = loudest_energy(word)
        for side, at_end in ((before, True), (after, False)):
            if draw.random() < config.context:
                self._put_speech(side, energy, at_end, draw)
        return self._heard(np.concatenate([before, word, after]), energy, draw)

    def piece(self, word: Samples, draw: np.random.Generator) -> Samples:
        """As `word`, of what must not set the detector off: its beginning, its end, or its halves exchanged."""
        n, kind = len(word), draw.integers(3)
        if kind == 0:
            part = word[: int(n * draw.uniform(0.35, 0.65))]
        elif kind == 1:
            part = word[int(n * draw.uniform(0.4, 0.65)) :]
        else:
            cut = int(n * draw.uniform(0.4, 0.6))
            part = np.concatenate([word[cut:], word[:cut]])
        return self.word(part, draw)

    def speech(self, utterances: Sequence[Samples], draw: np.random.Generator) -> Samples:
        """One stretch of the utterances after each other, gaps between, or (one time in ten, where there is noise) as
        long a stretch of noise alone."""
        config = self.config
        parts: list[Samples] = [np.zeros(self._settling, dtype=np.float32)]
        for utterance in utterances:
            gap = np.zeros(int(draw.uniform(0.0, LONGEST_GAP_S) * RATE_HZ), dtype=np.float32)
            parts += [self._varied(utterance, draw, share=0.5), gap]
        stretch = np.concatenate(parts)
        shortest = self._settling + self._before + self._after
        if len(stretch) < shortest:
            stretch = np.pad(stretch, (0, shortest - len(stretch)))
        if config.noise_chance and draw.random() < NOISE_ALONE:
            return self._levelled(self._some_noise(len(stretch), draw), draw)
        return self._heard(stretch, loudest_energy(stretch), draw)

    def _varied(self, samples: Samples, draw: np.random.Generator, share: float = 1.0) -> Samples:
        config = self.config
        for effect, chance in zip(
            self._effects, (config.stretch_chance, config.pitch_chance, config.equaliser_chance), strict=True
        ):
            if draw.random() < share * chance:
                with _seeded(int(draw.integers(2**31))):
                    samples = np.asarray(effect(samples, sample_rate=RATE_HZ), dtype=np.float32)
        return samples

    @cached_property
    def _effects(self) -> tuple[Any, Any, Any]:
        import audiomentations

        stretch, pitch = self.config.stretch, self.config.pitch
        return (
            audiomentations.TimeStretch(1.0 - stretch, 1.0 + stretch, leave_length_unchanged=False, p=1.0),
            audiomentations.PitchShift(-pitch, pitch, p=1.0),
            audiomentations.SevenBandParametricEQ(-8.0, 8.0, p=1.0),
        )

    def _put_speech(self, side: Samples, energy: float, at_end: bool, draw: np.random.Generator) -> None:
        if not self._speech or len(side) < RATE_HZ // 10:
            return
        gap = min(len(side) - 1, int(draw.uniform(0.0, LONGEST_GAP_S) * RATE_HZ))
        other = self._speech[int(draw.integers(len(self._speech)))]
        other = stretch_of(other, len(side) - gap, draw) if len(other) > len(side) - gap else other
        scale = np.sqrt(energy / (loudest_energy(other) + 1e-12) * 10.0 ** (draw.uniform(*CONTEXT_DB) / 10.0))
        if at_end:
            side[len(side) - gap - len(other) : len(side) - gap] = scale * other
        else:
            side[gap : gap + len(other)] = scale * other

    def _heard(self, samples: Samples, energy: float, draw: np.random.Generator) -> Samples:
        config = self.config
        if self._rooms and draw.random() < config.room_chance:
            room = self._rooms[int(draw.integers(len(self._rooms)))]
            samples = reverberate(samples, room, float(draw.uniform(config.wet_low, config.wet_high)))
        if draw.random() < config.noise_chance:
            snr_db = float(draw.uniform(config.snr_low_db, config.snr_high_db))
            samples = mixed(samples, self._some_noise(len(samples), draw), snr_db, energy)
        return self._levelled(samples, draw)

    def _levelled(self, samples: Samples, draw: np.random.Generator) -> Samples:
        config = self.config
        if config.gain_low_db == config.gain_high_db == 0.0:
            return samples
        peak = 10.0 ** (draw.uniform(config.gain_low_db, config.gain_high_db) / 20.0)
        return np.asarray(samples * (peak / (np.abs(samples).max() + 1e-9)), dtype=np.float32)

    def _some_noise(self, n: int, draw: np.random.Generator) -> Samples:
        shares = np.array(KIND_SHARES) * [bool(self._noise), True, len(self._speech) >= BABBLERS[1]]
        kind = KINDS[int(draw.choice(len(KINDS), p=shares / shares.sum()))]
        if kind == "recorded":
            return stretch_of(self._noise[int(draw.integers(len(self._noise)))], n, draw)
        if kind == "coloured":
            return coloured(n, float(draw.uniform(0.0, 2.0)), draw)
        voices = draw.choice(len(self._speech), size=int(draw.integers(*BABBLERS)), replace=False)
        babble = np.sum([stretch_of(self._speech[int(voice)], n, draw) for voice in voices], axis=0)
        return np.asarray(babble, dtype=np.float32)


def mask(windows: NDArray[np.float32], config: AugmentConfig, draw: np.random.Generator) -> None:
    """SpecAugment (Park et al. 2019) in place on normalised windows [n, frames, bins]: bands of bins and stretches of
    frames are set to 0, the mean."""
    n, n_frames, n_bins = windows.shape
    if not config.enabled:
        return
    for _ in range(config.masks):
        for axis, size, extent in ((2, n_bins, config.mask_bins), (1, n_frames, config.mask_frames)):
            widest = int(extent * size)
            if not widest:
                continue
            width = draw.integers(0, widest + 1, n)
            start = (draw.random(n) * (size - width + 1)).astype(np.int64)
            positions = np.arange(size)
            hidden = (positions >= start[:, None]) & (positions < (start + width)[:, None])
            windows *= ~(hidden[:, None, :] if axis == 2 else hidden[:, :, None])


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """audiomentations draws from the two global generators; theirs are put back afterwards."""
    before, before_numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)
