"""What noise, rooms, distance, level and codecs do to a detector: one table, a row for each condition.

Every condition is applied to the same words and the same other speech; the threshold stays that of the stream.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_
from pipeline.metrics.detection import share_interval
from pipeline.parallel import Progress
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.data.noise import coloured, mixed, stretch_of
from pipeline.wakeword.data.rooms import reverberate, simulate_at
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.runtime.clip_votes import highest_vote
from pipeline.wakeword.runtime.detector import Classifier

Samples = NDArray[np.float32]
Named = tuple[str, Samples]
Change = Callable[[Samples, np.random.Generator], Samples]
SNRS_DB = (20.0, 10.0, 5.0, 0.0)
GAINS_DB = (-40.0, -20.0, 12.0)
DISTANCES_M = (0.5, 1.0, 3.0, 5.0)
CODECS = (("OGG", "OPUS", "Opus"), ("OGG", "VORBIS", "Vorbis"), ("MP3", "MPEG_LAYER_III", "MP3"))
ROOM_NOISE_SNR_DB_AT_1_M = 25.0


@dataclass(frozen=True)
class ConditionResult:
    """`found` of `n_words` words, `taken` of `n_other` other clips; shares with exact 95 % intervals."""

    kind: str
    condition: str
    n_words: int
    found: int
    recall: float
    recall_interval: tuple[float, float]
    n_other: int
    taken: int
    false_share: float
    false_interval: tuple[float, float]


def conditions(noise: Sequence[Named], rooms: Sequence[Named]) -> Iterator[tuple[str, str, Change]]:
    """Kind, condition and what it does to a sound."""
    yield "none", N_("as recorded"), _same
    recorded = [(name, partial(_noisy, sound)) for name, sound in noise]
    made = [(N_("white"), partial(_hissing, 0.0)), (N_("pink"), partial(_hissing, 1.0))]
    for name, noisy in (*recorded, *made):
        for snr_db in SNRS_DB:
            yield "noise", f"{name.replace('_', ' ')}, {snr_db:g} dB", partial(noisy, snr_db)
    for name, room in rooms:
        yield "reverberation", name, partial(_in_room, room)
    for distance_m in DISTANCES_M:
        yield "distance", f"{distance_m:g} m", partial(_at, distance_m, simulate_at(distance_m))
    for gain_db in GAINS_DB:
        clipped = ", " + N_("clipped") if gain_db > 0 else ""
        yield "gain", f"{gain_db:+g} dB{clipped}", partial(_louder, gain_db)
    for container, codec, title in CODECS:
        yield "codec", title, partial(_coded, container, codec)
    yield "codec", N_("telephone") + ", 8 kHz μ-law", _telephone


def robustness(
    words: Sequence[Path],
    others: Sequence[Path],
    classifier: Classifier,
    features: FeatureConfig,
    detector: DetectorConfig,
    threshold: float,
    *,
    noise: Sequence[Named],
    rooms: Sequence[Named],
    seed: int = 0,
    progress: Progress | None = None,
) -> list[ConditionResult]:
    every = list(conditions(noise, rooms))
    sounds = [[load_clip(path) for path in paths] for paths in (words, others)]
    rows = []
    for number, (kind, name, change) in enumerate(every):
        hits = []
        for side in sounds:
            draw = np.random.default_rng(seed)
            hits.append(
                sum(highest_vote(change(sound, draw), classifier, features, detector) >= threshold for sound in side)
            )
        detected, taken = map(int, hits)
        rows.append(
            ConditionResult(
                kind, name, len(words), detected, detected / len(words), share_interval(detected, len(words)),
                len(others), taken, taken / len(others), share_interval(taken, len(others)),
            )
        )  # fmt: skip
        if progress is not None:
            progress(number + 1, len(every), name)
    return rows


def _same(samples: Samples, _draw: np.random.Generator) -> Samples:
    return samples


def _noisy(noise: Samples, snr_db: float, samples: Samples, draw: np.random.Generator) -> Samples:
    return mixed(samples, stretch_of(noise, len(samples), draw), snr_db)


def _hissing(slope: float, snr_db: float, samples: Samples, draw: np.random.Generator) -> Samples:
    return mixed(samples, coloured(len(samples), slope, draw), snr_db)


def _in_room(room: Samples, samples: Samples, _draw: np.random.Generator) -> Samples:
    return reverberate(samples, room, 1.0)


def _at(distance_m: float, room: Samples, samples: Samples, draw: np.random.Generator) -> Samples:
    """Fainter by the square of the distance against the noise of the room."""
    snr_db = ROOM_NOISE_SNR_DB_AT_1_M - 20.0 * np.log10(distance_m)
    return mixed(reverberate(samples, room, 1.0), coloured(len(samples), 1.0, draw), float(snr_db))


def _louder(gain_db: float, samples: Samples, _draw: np.random.Generator) -> Samples:
    peak = float(np.abs(samples).max()) + 1e-9
    return np.asarray(np.clip(samples / peak * 0.5 * 10.0 ** (gain_db / 20.0), -1.0, 1.0), dtype=np.float32)


def _coded(container: str, codec: str, samples: Samples, _draw: np.random.Generator) -> Samples:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE_HZ, format=container, subtype=codec, compression_level=0.99)
    buffer.seek(0)
    decoded = soundfile.read(buffer, dtype="float32")[0]
    return np.asarray(decoded, dtype=np.float32)


def _telephone(samples: Samples, _draw: np.random.Generator) -> Samples:
    """G.711's companding, 255 steps, at half the rate."""
    import soxr

    narrow = np.clip(soxr.resample(samples, RATE_HZ, RATE_HZ // 2), -1.0, 1.0)
    companded = np.round(np.sign(narrow) * np.log1p(255.0 * np.abs(narrow)) / np.log(256.0) * 127.0) / 127.0
    expanded = np.sign(companded) * np.expm1(np.abs(companded) * np.log(256.0)) / 255.0
    return np.asarray(soxr.resample(expanded.astype(np.float32), RATE_HZ // 2, RATE_HZ), dtype=np.float32)
