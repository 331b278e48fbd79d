"""Decode a recording from a file or an upload into 16 kHz mono, refusing what cannot be trusted.

soundfile reads WAV, FLAC, Ogg (Vorbis, Opus) and MP3. Length is judged from the header before anything is decoded, so
that an hour-long upload costs nothing; level and clipping are measured on the decoded source, before resampling
could round its edges.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import AudioError
from pipeline.records import Seconds

TARGET_RATE_HZ = 16_000
MAX_DURATION_S: Seconds = 120.0
MAX_UPLOAD_BYTES = 50_000_000
MIN_RATE_HZ = 4_000
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")

# A sample this close to full scale counts as clipped if it stands in a run of at least CLIP_RUN equal ones.
CLIP_LEVEL = 0.999
CLIP_RUN = 3


@dataclass(frozen=True)
class Audio:
    """One decoded recording.

    `samples` is float32 [n], mono, at `sample_rate_hz`. `source_*` describe the file before resampling and mixing:
    `source_peak` is linear with full scale 1.0, `source_clipped_share` the share (0-1) of samples that stand in a
    run of three or more equal samples at the file's highest level.
    """

    samples: NDArray[np.float32]
    sample_rate_hz: int = TARGET_RATE_HZ
    source_rate_hz: int = TARGET_RATE_HZ
    source_channels: int = 1
    source_peak: float = 0.0
    source_clipped_share: float = 0.0

    @property
    def duration_s(self) -> Seconds:
        return len(self.samples) / self.sample_rate_hz


def load_audio(source: Path | bytes, *, max_duration_s: Seconds = MAX_DURATION_S) -> Audio:
    """Decode `source` to 16 kHz mono.

    Raises AudioError for a missing, empty, truncated or foreign file, non-finite samples, a rate under 4 kHz, more
    than `max_duration_s` of audio, or more than 50 MB of upload.
    """
    import soundfile

    name = source.name if isinstance(source, Path) else "the recording"
    _check_size(source, name)
    try:
        with soundfile.SoundFile(source if isinstance(source, Path) else io.BytesIO(source)) as file:
            rate_hz, declared = int(file.samplerate), int(file.frames)
            if rate_hz < MIN_RATE_HZ:
                raise AudioError(f"{name} has a sample rate of {rate_hz} Hz; at least {MIN_RATE_HZ} Hz is needed.")
            if declared > max_duration_s * rate_hz:
                raise AudioError(
                    f"{name} lasts {declared / rate_hz:.0f} s; at most {max_duration_s:.0f} s are accepted. "
                    f"Cut it into single words or sentences."
                )
            # One sample more than allowed shows a header that understates its length.
            decoded = file.read(frames=int(max_duration_s * rate_hz) + 1, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{name} cannot be read as audio ({_reason(error)}). Expected WAV, FLAC, Ogg/Opus or MP3; export it again "
            f"from the recorder."
        ) from error
    if len(decoded) > max_duration_s * rate_hz:
        raise AudioError(f"{name} lasts more than {max_duration_s:.0f} s. Cut it into single words or sentences.")
    if len(decoded) == 0:
        raise AudioError(f"{name} holds no audio: it is empty or was cut off. Record it again.")
    if not np.isfinite(decoded).all():
        raise AudioError(f"{name} has samples that are no numbers (NaN or infinite). Export it again as 16-bit WAV.")
    return from_samples(decoded, rate_hz)


def from_samples(decoded: NDArray[np.float32], rate_hz: int) -> Audio:
    """Mix float32 [n] or [n, channels] at `rate_hz` to mono and resample it to 16 kHz."""
    decoded = np.asarray(decoded, dtype=np.float32)
    if decoded.ndim == 1:
        decoded = decoded[:, None]
    peak = float(np.abs(decoded).max(initial=0.0))
    samples = decoded[:, 0] if decoded.shape[1] == 1 else decoded.mean(axis=1)
    if rate_hz != TARGET_RATE_HZ:
        import soxr

        samples = soxr.resample(samples, rate_hz, TARGET_RATE_HZ)
    return Audio(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        source_rate_hz=rate_hz,
        source_channels=decoded.shape[1],
        source_peak=peak,
        source_clipped_share=max(_clipped_share(channel, peak) for channel in decoded.T),
    )


def _check_size(source: Path | bytes, name: str) -> None:
    if isinstance(source, Path):
        if not source.is_file():
            raise AudioError(f"There is no audio file {source}.")
        size = source.stat().st_size
    else:
        size = len(source)
        if size > MAX_UPLOAD_BYTES:
            raise AudioError(f"{name} has {size / 1e6:.0f} MB; at most {MAX_UPLOAD_BYTES / 1e6:.0f} MB are accepted.")
    if size == 0:
        raise AudioError(f"{name} is empty (0 bytes). Record it again.")


def _clipped_share(channel: NDArray[np.float32], peak: float) -> float:
    """Flat tops: runs of equal samples at the highest level, which may lie under full scale after a gain change.

    A waveform touches its peak once; a clipped one stays there. Only levels above .1 count, so that digital silence
    and a single repeated least significant bit are no clipping.
    """
    if peak < 0.1 or len(channel) < CLIP_RUN:
        return 0.0
    high = np.abs(channel) >= CLIP_LEVEL * peak
    if not high.any():
        return 0.0
    flat = high[1:] & high[:-1] & (np.sign(channel[1:]) == np.sign(channel[:-1]))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat, [False])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2] + 1
    return float(lengths[lengths >= CLIP_RUN].sum() / len(channel))


def _reason(error: Exception) -> str:
    text = str(error).split(": ", 1)[-1].strip().rstrip(".")
    return text or type(error).__name__
