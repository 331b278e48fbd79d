"""A recording laid over a reference recording by dynamic time warping, whatever the speakers' voices.

Frames are compared by cepstral coefficients 2-13 of mel levels no deeper than 45 dB under the peak, the recording's
own mean taken out: level, microphone and much of the noise leave no trace. What a longer or shorter vocal tract does
is undone by stretching the mel axis (vocal tract length normalisation, Lee & Rose 1996), by the factor at which the
two agree best. Without it a woman's faultless word lies as far from a man's as a wrong word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio, load_audio
from pipeline.corpus.references import find_references
from pipeline.errors import AudioError
from pipeline.features import dtw
from pipeline.features.acoustic57 import cepstra_from_mel
from pipeline.features.frames import HOP, N_MELS, Frames, mel_centres_hz
from pipeline.settings import Settings
from pipeline.spans import runs_of

FLOOR_DB = 45.0
STRETCHES = tuple(round(0.76 + 0.06 * step, 2) for step in range(11))  # .76 to 1.36
FRAME_S = HOP / 16_000
EDGE = 3  # frames
LOUDEST_RMS = 0.1  # at which Frames counts what lies within 40 dB of the loudest frame as speech, and no more
# A click of up to 20 ms is in so many frames of 40 ms. It is none of the word where more silence follows than between
# the burst of a stop and its vowel, or comes before it than in the closure of a stop at the word's end.
CLICK_FRAMES, QUIET_BEFORE_WORD, QUIET_AFTER_WORD = 6, 10, 20


@dataclass(frozen=True)
class SpeechPart:
    """The part of a recording where somebody speaks: mel levels [n, 40] in dB, which frames count, F0 (0 where
    unvoiced) and level of each; it begins `offset_s` into the recording."""

    log_mel_db: NDArray[np.float32]
    active: NDArray[np.bool_]
    f0_hz: NDArray[np.float32]
    level_db: NDArray[np.float32]
    offset_s: float = 0.0

    @property
    def duration_s(self) -> float:
        return len(self.active) * FRAME_S


@dataclass(frozen=True)
class Match:
    """How a recording lies over a reference. `distance` is the mean cepstral distance a step of the best path, in dB;
    `length_ratio` the recording's length over the reference's; `level_difference_db` and `pitch_difference_semitones`
    the root mean square differences of the contours along the path, each about its own mean (pitch None where fewer
    than five steps are voiced in both). `voiced_share` is how much of the reference's voiced frames were voiced in the
    recording too, 0-1."""

    distance: float
    stretch: float
    length_ratio: float
    level_difference_db: float
    pitch_difference_semitones: float | None
    voiced_share: float


def speech_part(audio: Audio) -> SpeechPart | None:
    """None where nobody speaks. Neither the microphone's gain nor how tightly the recording is cut changes it."""
    heard = Frames(audio)
    if not heard.active.any():
        return None
    frames = Frames(_alike(audio, float(heard.rms.max())))
    part = _without_clicks(frames.active)
    level_db = 20.0 * np.log10(np.maximum(frames.rms[part], 1e-5))
    return SpeechPart(
        frames.log_mel_db[part], frames.active[part], frames.pitch.f0_hz[part], level_db.astype(np.float32),
        max(0, part.start - EDGE) * FRAME_S,
    )  # fmt: skip


def _alike(audio: Audio, loudest_rms: float) -> Audio:
    """At one level, with EDGE frames of silence at both ends: frames that hold some of the first and last sound are
    then there as in a recording with a pause around it."""
    return replace(audio, samples=np.pad(audio.samples * np.float32(LOUDEST_RMS / loudest_rms), EDGE * HOP))


def _without_clicks(active: NDArray[np.bool_]) -> slice:
    """From the first frame that counts to the last, but for clicks apart from the rest: of a mouse or a key, as the
    recording is begun and ended."""
    runs = runs_of(active).tolist()
    while len(runs) > 1 and _is_click(runs[0]) and runs[1][0] - runs[0][1] >= QUIET_BEFORE_WORD:
        del runs[0]
    while len(runs) > 1 and _is_click(runs[-1]) and runs[-1][0] - runs[-2][1] >= QUIET_AFTER_WORD:
        del runs[-1]
    return slice(runs[0][0], runs[-1][1])


def _is_click(run: Sequence[int]) -> bool:
    return run[1] - run[0] <= CLICK_FRAMES


class References:
    """The reference recordings of this installation, read when first asked for and again when a file changes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def of_language(self, language: str) -> dict[str, tuple[SpeechPart, ...]]:
        """What could be read, by word (see `text_key`)."""
        references: dict[str, tuple[SpeechPart, ...]] = {}
        for word, paths in find_references(self._settings, language).items():
            usable = tuple(part for path in paths if (part := _reference(path, stamp(path))) is not None)
            if usable:
                references[word] = usable
        return references


@dataclass(frozen=True)
class WordMatch:
    """The best match over a word's references, and the other word that comes nearest (None where there is none)."""

    match: Match
    other_word: str | None
    other_distance: float | None


def match_word(speech: SpeechPart, word: str, references: dict[str, tuple[SpeechPart, ...]]) -> WordMatch:
    """`word` must be one of the `references`."""
    best = min((match(speech, reference) for reference in references[word]), key=lambda candidate: candidate.distance)
    # Each at a stretch of its own, on a coarser grid: the one that suits the wrong word need not suit the right one.
    tried = np.stack([dtw.thinned(cepstra(speech, stretch)) for stretch in STRETCHES[::2]])
    spellings = [other for other, parts in references.items() if other != word for _ in parts]
    recordings = [dtw.thinned(cepstra(part)) for other, parts in references.items() if other != word for part in parts]
    nearest_by_recording = dtw.distances(tried, recordings).min(axis=0) if recordings else np.zeros(0)
    if not len(nearest_by_recording):
        return WordMatch(best, None, None)
    nearest = int(nearest_by_recording.argmin())
    return WordMatch(best, spellings[nearest], float(nearest_by_recording[nearest]))


def match(speech: SpeechPart, reference: SpeechPart) -> Match:
    """The best match over all stretches of the mel axis."""
    distance, stretch, path, _ = _best_path(speech, reference)
    level, pitch, voiced_share = _contours(speech, reference, path)
    return Match(
        distance=distance,
        stretch=stretch,
        length_ratio=speech.duration_s / reference.duration_s,
        level_difference_db=level,
        pitch_difference_semitones=pitch,
        voiced_share=voiced_share,
    )


def aligned(speech: SpeechPart, reference: SpeechPart) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of frames [n, 2] of both in time order, and the cepstral distance (dB) of each pair [n]."""
    _, _, path, costs = _best_path(speech, reference)
    return path, costs


def _best_path(
    speech: SpeechPart, reference: SpeechPart
) -> tuple[float, float, NDArray[np.int64], NDArray[np.float64]]:
    """Mean distance, stretch of the mel axis, path and the cost of each of its steps."""
    fixed = dtw.thinned(cepstra(reference))
    variants = np.stack([dtw.thinned(cepstra(speech, stretch)) for stretch in STRETCHES])
    distances = dtw.distances(variants, [fixed])[:, 0]
    best = int(distances.argmin())
    path = dtw.path(variants[best], fixed)
    costs = np.linalg.norm(variants[best][path[:, 0]] - fixed[path[:, 1]], axis=1)
    # Contours are compared frame by frame, so that the path must lead back to the frames before any thinning.
    scale = np.array([_thinning(speech), _thinning(reference)], dtype=np.int64)
    return float(distances[best]), STRETCHES[best], path * scale, np.asarray(costs, dtype=np.float64)


def cepstra(part: SpeechPart, stretch: float = 1.0) -> NDArray[np.float32]:
    """Coefficients 2-13 [n, 12] about their mean over the frames that count."""
    floored = np.maximum(part.log_mel_db, part.log_mel_db.max() - FLOOR_DB)
    coefficients = cepstra_from_mel(floored @ _stretching(stretch).T)[:, 1:]
    return np.asarray(coefficients - coefficients[part.active].mean(axis=0), dtype=np.float32)


def _thinning(part: SpeechPart) -> int:
    return -(-len(part.active) // dtw.MAX_FRAMES)


def _contours(speech: SpeechPart, reference: SpeechPart, path: NDArray[np.int64]) -> tuple[float, float | None, float]:
    """Differences of level (dB) and of pitch (semitones), and the share of the reference's voiced frames compared."""
    mine, theirs = path[:, 0], path[:, 1]
    level_a = np.maximum(speech.level_db[mine], speech.level_db.max() - FLOOR_DB)
    level_b = np.maximum(reference.level_db[theirs], reference.level_db.max() - FLOOR_DB)
    level = float(((level_a - level_a.mean()) - (level_b - level_b.mean())).std())
    f0_a, f0_b = speech.f0_hz[mine], reference.f0_hz[theirs]
    both = (f0_a > 0) & (f0_b > 0)
    share = len(np.unique(theirs[both])) / max(1, len(np.unique(theirs[f0_b > 0])))
    if both.sum() < 5:
        return level, None, share
    return level, float((12.0 * np.log2(f0_a[both] / f0_b[both])).std()), share


def stamp(path: Path) -> str:
    """Changes whenever the file does; "missing" for one that cannot be reached."""
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    return f"{stat.st_size}:{stat.st_mtime_ns}"


@lru_cache(maxsize=4096)
def _reference(path: Path, stamp: str) -> SpeechPart | None:
    """None for a file that cannot be read: one bad reference must not stop scoring."""
    try:
        return speech_part(load_audio(path))
    except AudioError:
        return None


@lru_cache(maxsize=len(STRETCHES))
def _stretching(factor: float) -> NDArray[np.float32]:
    """[40, 40]: each band takes the level found at `factor` times its centre frequency, linearly interpolated."""
    centres_hz = mel_centres_hz()
    source = np.interp(np.minimum(centres_hz * factor, centres_hz[-1]), centres_hz, np.arange(N_MELS))
    low = np.floor(source).astype(int)
    share = source - low
    matrix = np.zeros((N_MELS, N_MELS), dtype=np.float32)
    matrix[np.arange(N_MELS), low] += 1.0 - share
    matrix[np.arange(N_MELS), np.minimum(low + 1, N_MELS - 1)] += share
    return matrix
