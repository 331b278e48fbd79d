"""Long mixed sound to try a detector on: background speech, keywords once each at random gaps, noise all along.

Speech and keywords are set to a ratio to the noise by the energy of their loudest frame, as the wake-word benchmark of
Picovoice does. No background file is used twice: where there is less than asked for, the rest is noise alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import duration_of
from pipeline.audio.voice import find_word
from pipeline.errors import AudioError, CorpusError
from pipeline.i18n import N_, NN_, Message, joined
from pipeline.records import Seconds
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.data.noise import coloured, loudest_energy, stretch_of
from pipeline.wakeword.features import RATE_HZ

Samples = NDArray[np.float32]
BLOCK_S: Seconds = 300.0
NOISE_PEAK = 0.02
FADE = round(0.02 * RATE_HZ)
SHORTEST_GAP_S: Seconds = 0.2
SNR_DB = (-40.0, 100.0)
NAMED = 5  # of the files that cannot be read


@dataclass(frozen=True)
class Keyword:
    """Where a word is in the stream, and which clip it came from."""

    clip: Path
    start_s: Seconds
    end_s: Seconds


@dataclass(frozen=True)
class BackgroundClip:
    """Where a background file is."""

    clip: Path
    start_s: Seconds
    end_s: Seconds


@dataclass(frozen=True)
class Block:
    """A part of the stream: float32 [n] at 16 kHz, and what is in it, timed from the start of the stream."""

    samples: Samples
    keywords: tuple[Keyword, ...]
    background: tuple[BackgroundClip, ...]


@dataclass(frozen=True)
class StreamPlan:
    """`hours` in all, of which `speech_hours` are background files."""

    positives: tuple[Path, ...]
    background: tuple[Path, ...]
    noise: tuple[Samples, ...]
    hours: float
    speech_hours: float
    snr_db: float
    seed: int

    def blocks(self) -> Iterator[Block]:
        """Of about five minutes each, with their share of the keywords."""
        draw = np.random.default_rng(self.seed)
        n = max(1, round(self.hours * 3600.0 / BLOCK_S))
        background = np.array_split(draw.permutation(len(self.background)), n)
        positives = np.array_split(draw.permutation(len(self.positives)), n)
        start_s = 0.0
        for some, words in zip(background, positives, strict=True):
            block = _block(
                [self.background[i] for i in some], [self.positives[i] for i in words], self.noise,
                self.hours * 3600.0 / n, self.snr_db, start_s, draw,
            )  # fmt: skip
            yield block
            start_s += len(block.samples) / RATE_HZ


def plan_stream(
    positives: Sequence[Path],
    background: Sequence[Path],
    noise: Sequence[Samples],
    hours: float,
    *,
    snr_db: float = 10.0,
    seed: int = 0,
) -> StreamPlan:
    """Choose the background. Raises CorpusError where there are no keywords or no background, or no time, and for
    files that cannot be read: what was measured is what was named."""
    if not positives or not background:
        raise CorpusError(
            N_("A stream needs files of keywords and of background, got {n_keywords} and {n_background}."),
            n_keywords=len(positives),
            n_background=len(background),
        )
    if not 0.05 <= hours <= 1000:
        raise CorpusError(N_("The stream lasts between 0.05 and 1000 hours, got {hours}."), hours=hours)
    low, high = SNR_DB
    if not low <= snr_db <= high:
        raise CorpusError(
            N_("The signal-to-noise ratio of the stream lies between {low:g} and {high:g} dB, got {snr_db}."),
            low=low,
            high=high,
            snr_db=snr_db,
        )
    durations = _durations([*positives, *background])
    order = np.random.default_rng([seed, 1]).permutation(len(background))
    chosen: list[Path] = []
    total_s = 0.0
    room_s = hours * 3600.0 - sum(durations[path] for path in positives)
    if room_s < 0.5 * hours * 3600.0:
        raise CorpusError(
            NN_(
                "{n} keyword fills more than half of {hours:g} hours. Ask for more hours.",
                "{n} keywords fill more than half of {hours:g} hours. Ask for more hours.",
            ),
            n=len(positives),
            hours=hours,
        )
    for index in order:
        duration_s = durations[background[index]]
        if total_s + duration_s + SHORTEST_GAP_S * (len(chosen) + 1) > room_s:
            break
        chosen.append(background[index])
        total_s += duration_s
    return StreamPlan(tuple(positives), tuple(chosen), tuple(noise), hours, total_s / 3600.0, snr_db, seed)


def _durations(paths: Sequence[Path]) -> dict[Path, Seconds]:
    """Of every file, before hours of sound are made of them. Raises CorpusError naming those that cannot be read."""
    durations: dict[Path, Seconds] = {}
    unreadable: list[str] = []
    for path in paths:
        try:
            durations[path] = duration_of(path)
        except AudioError as error:
            unreadable.append(error.text)
            continue
        if durations[path] <= 0.0:
            unreadable.append(
                Message(N_("{name} holds no audio: it is empty or was cut off. Record it again."), name=path.name)
            )
    if unreadable:
        raise CorpusError(
            N_("{n} of {total} files cannot be measured on: {problems} Take them out of their folders; `pronlab "
               "wakeword scan FOLDER` lists them."),
            n=len(unreadable), total=len(paths), problems=joined(unreadable[:NAMED], ""),
        )  # fmt: skip
    return durations


def _block(
    background: Sequence[Path],
    positives: Sequence[Path],
    noise: Sequence[Samples],
    duration_s: Seconds,
    snr_db: float,
    offset_s: Seconds,
    draw: np.random.Generator,
) -> Block:
    pieces = [(path, False) for path in background] + [(path, True) for path in positives]
    order = draw.permutation(len(pieces))
    sounds = [load_clip(pieces[i][0]) for i in order]
    spoken = sum(len(sound) for sound in sounds)
    n = max(round(duration_s * RATE_HZ), spoken + round(SHORTEST_GAP_S * RATE_HZ) * (len(sounds) + 1))
    n = -(-n // RATE_HZ) * RATE_HZ  # whole seconds, so that frames go on evenly over blocks
    gaps = np.floor(draw.dirichlet(np.ones(len(sounds) + 1)) * (n - spoken)).astype(int)
    bed = stretch_of(noise[int(draw.integers(len(noise)))], n, draw) if noise else coloured(n, 1.0, draw)
    bed = bed * (NOISE_PEAK / np.sqrt(loudest_energy(bed) + 1e-12))
    level = loudest_energy(bed) * 10.0 ** (snr_db / 10.0)
    mixed = bed.astype(np.float32)
    at = 0
    keywords: list[Keyword] = []
    others: list[BackgroundClip] = []
    for number, (index, sound) in enumerate(zip(order, sounds, strict=True)):
        at += int(gaps[number])
        path, is_keyword = pieces[index]
        mixed[at : at + len(sound)] += _faded(sound) * np.float32(np.sqrt(level / (loudest_energy(sound) + 1e-12)))
        if is_keyword:
            start, end = find_word(sound)
            keywords.append(Keyword(path, offset_s + (at + start) / RATE_HZ, offset_s + (at + end) / RATE_HZ))
        else:
            others.append(BackgroundClip(path, offset_s + at / RATE_HZ, offset_s + (at + len(sound)) / RATE_HZ))
        at += len(sound)
    peak = float(np.abs(mixed).max())
    if peak > 1.0:
        mixed /= peak
    return Block(mixed, tuple(keywords), tuple(others))


def _faded(sound: Samples) -> Samples:
    n = min(FADE, len(sound) // 2)
    shaped = sound.copy()
    shaped[:n] *= np.linspace(0.0, 1.0, n, dtype=np.float32)
    shaped[len(shaped) - n :] *= np.linspace(1.0, 0.0, n, dtype=np.float32)
    return shaped
