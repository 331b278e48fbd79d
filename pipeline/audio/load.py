"""Decode a recording from a file or an upload into 16 kHz mono, refusing what cannot be trusted.

soundfile reads WAV, FLAC, Ogg (Vorbis, Opus) and MP3, PyAV what phones and browsers write (`pipeline.audio.media`).
Where the file's bytes bear its header out
(`pipeline.audio.container`), length is judged before anything is decoded, so that an hour-long upload costs nothing;
else the file is decoded up to the limit. Level and clipping are measured on the decoded source, before resampling could
round its edges.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.container import MAX_MENDED_BYTES, Container, is_plausible, open_container
from pipeline.audio.media import HEAD_BYTES, MEDIA_SUFFIXES, Media, decode_media, media_kind
from pipeline.errors import AudioError, said_by
from pipeline.i18n import N_, Message
from pipeline.records import Seconds
from pipeline.spans import runs_of
from pipeline.text import is_writable, one_line

if TYPE_CHECKING:
    import soundfile

TARGET_RATE_HZ = 16_000
MAX_DURATION_S: Seconds = 120.0
MEGABYTE = 2**20  # as browsers and Streamlit count
MAX_UPLOAD_BYTES = MAX_MENDED_BYTES
MIN_RATE_HZ = 4_000
# 120 s of 192 kHz stereo; keeps a small compressed upload from filling the memory when it is decoded.
MAX_DECODED_SAMPLES = 50_000_000
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", *MEDIA_SUFFIXES)
AUDIO_KINDS = tuple(suffix.removeprefix(".") for suffix in AUDIO_SUFFIXES)
KINDS_IN_WORDS = ", ".join(kind.upper() for kind in AUDIO_KINDS)

# A sample counts as clipped in a run of CLIP_RUN equal ones this close to the file's peak, or at full scale.
CLIP_LEVEL = 0.99
CLIP_RUN = 3
FULL_SCALE = 0.9999
CLIP_LOWEST_PEAK = 0.1

# libsndfile notes a data chunk that promises more bytes than the file has; recorders that stream write a huge number.
# What is read, by libsndfile's names; of other containers nobody knows here whether they are whole.
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "FLAC", "OGG", "MP3", "MPEG")
EXPECTED = Message(N_("Expected a complete file ({kinds}); export it again."), kinds=KINDS_IN_WORDS)
_STREAMED_BYTES = 140_000_000  # more than 120 s of 24-bit stereo at 192 kHz: no size that anybody recorded
TRUNCATED_BY_S: Seconds = 0.02
TRUNCATED_MP3_BY_S: Seconds = 0.1  # encoders pad MP3 at both ends
# Float samples may exceed full scale, by 20 dB at most; whole numbers written as floats reach 32,767 and more.
HIGHEST_PEAK = 10.0
BLOCK_FRAMES = 65_536
LONGEST_MEASURED_S: Seconds = 3600.0
SILENT_SIDE = 1e-6  # power relative to the loudest channel's: 60 dB under it
LARGEST_OFFSET = 0.001  # of full scale; sound cards add a constant, which nobody hears and a listener's first bands do
REST_FRAME_S: Seconds = 0.02
OFFSET_AGREES = 0.25  # by which share of the mean the level of the quietest frames may differ from it
CANCELLED = 0.25  # power of the mean over the mean power: .5 for channels that have nothing in common, 0 for inverted


class AudioTooLongError(AudioError):
    """The header promises more audio than is accepted; `duration_s` is what it says."""

    def __init__(self, message: str, duration_s: Seconds) -> None:
        super().__init__(message)
        self.duration_s = duration_s


class AudioCutError(AudioError):
    """The file ends before it should, and is not read as far as it goes."""


@dataclass(frozen=True)
class Audio:
    """One decoded recording.

    `samples` is float32 [n], mono, at `sample_rate_hz`. `source_*` describe the file before resampling and mixing:
    `source_peak` is linear with full scale 1.0, `source_clipped_share` the share (0-1) of samples at full scale or
    in a flat top: three or more equal samples within 1 % of the peak. `is_cut`: the file ends before it should.
    `source_channel` is the number (from 1) of the only channel that was used, where the others are silent or cancel it
    out; None where all were.
    """

    samples: NDArray[np.float32]
    sample_rate_hz: int = TARGET_RATE_HZ
    source_rate_hz: int = TARGET_RATE_HZ
    source_channels: int = 1
    source_peak: float = 0.0
    source_clipped_share: float = 0.0
    is_cut: bool = False
    source_channel: int | None = None

    @property
    def duration_s(self) -> Seconds:
        return len(self.samples) / self.sample_rate_hz


def audio_files(folder: Path) -> list[Path]:
    """The audio files under a folder, at any depth, in the order of their paths, but for hidden ones, which systems
    leave there (`._take.wav`), and `stray_links`; of a file, itself if it is one."""
    return sorted(path for path in _files(folder) if path.suffix.lower() in AUDIO_SUFFIXES)


def distinct_names(files: Sequence[Path]) -> tuple[str, ...]:
    """Of each file its name without the ending; with it, and as many of its folders before it as are needed, where
    others have the same."""
    names = [file.stem for file in files]
    for n in range(1, max((len(file.parts) for file in files), default=0) + 1):
        counts = Counter(names)
        pairs = zip(names, files, strict=True)
        names = [name if counts[name] == 1 else "/".join(file.parts[-n:]) for name, file in pairs]
    return tuple(names)


def other_files(folder: Path) -> list[Path]:
    """The files under a folder that nobody takes for audio, but for hidden ones and `stray_links`: what would be missed
    in silence."""
    found = [] if folder.is_file() else _files(folder)
    return sorted(path for path in found if path.suffix.lower() not in AUDIO_SUFFIXES)


def stray_links(folder: Path) -> list[Path]:
    """The links under a folder that lead out of it, or nowhere. Nobody follows them: a folder from elsewhere could make
    this installation read, copy and play any file of the machine. A folder that is named may be a link itself."""
    if folder.is_file():
        return []
    return sorted(path for path in _entries(folder) if path.is_symlink() and not _leads_into(path, folder))


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for path in _entries(folder):
        if path.is_file() and not (path.is_symlink() and not _leads_into(path, folder)):
            yield path


def _entries(folder: Path) -> Iterator[Path]:
    """All that is not hidden, but for what lies behind a link to a folder."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in (*folders, *names) if not name.startswith("."))


def _leads_into(link: Path, folder: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # to nothing, or to itself
        return False


def load_audio(source: Path | bytes, *, max_duration_s: Seconds = MAX_DURATION_S, name: str | None = None) -> Audio:
    """Decode `source` to 16 kHz mono; `name` is what errors call it (default: the file's name).

    An MP3 or Ogg file that is cut off is read as far as it goes, and says so (`is_cut`). Raises AudioError for a
    missing, empty or foreign file, a WAV or FLAC that is cut off, samples that are not finite or far over full scale, a
    rate under 4 kHz, more than `max_duration_s` of audio, or more than 50 MB of upload.
    """
    import soundfile

    if isinstance(source, Path):
        name = name or source.name
    name = one_line(name) if name else Message(N_("The recording"))
    if isinstance(source, Path) and not is_writable(str(source)):  # no library opens it, and no manifest can name it
        raise AudioError(
            N_("{name} has a name, or lies in a folder, that is not UTF-8. Rename it."), name=one_line(str(source))
        )
    size = _check_size(source, name)
    if (kind := media_kind(_head(source))) is not None:
        media = decode_media(source, kind, name, max_duration_s, MAX_DECODED_SAMPLES)
        return _from_media(media, name, max_duration_s)
    is_cut = False
    try:
        container = open_container(source)
        is_cut = container.is_cut
        with soundfile.SoundFile(container.source) as file:
            rate_hz, declared, channels = int(file.samplerate), int(file.frames), int(file.channels)
            is_likely = is_plausible(container, str(file.format), declared / max(1, rate_hz), size)
            believed = declared if container.is_sure else 0
            if file.format not in FORMATS:
                raise AudioError(
                    N_("{name} is in the format {format}, which is not read here. Save it as WAV or FLAC."),
                    name=name, format=file.format_info,
                )  # fmt: skip
            _check_header(name, rate_hz, channels, believed, max_duration_s, container)
            decoded = _decode(file, min(int(max_duration_s * rate_hz), MAX_DECODED_SAMPLES // channels) + 1)
    except (soundfile.SoundFileError, OSError) as error:
        if is_cut:
            raise AudioCutError(
                N_("{name} is cut off and cannot be read ({reason}). Copy or record it again."),
                name=name,
                reason=said_by(error),
            ) from error
        raise AudioError(
            N_("{name} cannot be read as audio ({reason}). {expected}"),
            name=name,
            reason=said_by(error),
            expected=EXPECTED,
        ) from error
    if len(decoded) > max_duration_s * rate_hz:
        told_s = declared / rate_hz if is_likely and declared > max_duration_s * rate_hz else None
        raise AudioTooLongError(_too_long(name, told_s, max_duration_s), told_s or max_duration_s)
    if decoded.size > MAX_DECODED_SAMPLES:
        raise AudioError(_too_many(name, rate_hz, channels, decoded.size))
    if len(decoded) == 0 and is_cut:
        raise AudioCutError(N_("{name} is cut off before its first sound. Copy or record it again."), name=name)
    audio = _checked(decoded, rate_hz, name)
    is_short = file.format == "MP3" and is_likely and declared - len(decoded) > TRUNCATED_MP3_BY_S * rate_hz
    if not is_cut and not is_short:
        return audio
    if file.format == "FLAC":
        raise AudioCutError(
            N_("{name} cannot be read to its end: it is cut off after {duration_s:.1f} s. Copy or record it again."),
            name=name,
            duration_s=audio.duration_s,
        )
    return replace(audio, is_cut=True)


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:HEAD_BYTES]
    with source.open("rb") as file:
        return file.read(HEAD_BYTES)


def _from_media(media: Media, name: str, max_duration_s: Seconds) -> Audio:
    n, rate_hz = len(media.samples), media.rate_hz
    _check_rate(name, rate_hz)
    if n > max_duration_s * rate_hz:
        claimed_s = media.claimed_s if (media.claimed_s or 0.0) > max_duration_s else None
        raise AudioTooLongError(_too_long(name, claimed_s, max_duration_s), claimed_s or max_duration_s)
    if media.samples.size > MAX_DECODED_SAMPLES:
        raise AudioError(_too_many(name, rate_hz, media.samples.shape[1], media.samples.size))
    audio = _checked(media.samples, rate_hz, name)
    return replace(audio, is_cut=media.is_cut)


def _checked(decoded: NDArray[np.float32], rate_hz: int, name: str) -> Audio:
    """Raises AudioError for what is no sound."""
    if len(decoded) == 0:
        raise AudioError(N_("{name} holds no audio: it is empty or was cut off. Record it again."), name=name)
    if not np.isfinite(decoded).all():
        raise AudioError(
            N_("{name} has samples that are no numbers (NaN or infinite). Export it again as 16-bit WAV."), name=name
        )
    audio = from_samples(decoded, rate_hz)
    if audio.source_peak > HIGHEST_PEAK:
        raise AudioError(
            N_(
                "{name} has samples up to {peak:.3g}, where full scale is 1: they are scaled "
                "wrongly or no sound. Export it again as 16-bit WAV."
            ),
            name=name,
            peak=audio.source_peak,
        )
    return audio


def duration_of(path: Path) -> Seconds:
    """How long a file is, without decoding it where its header can be believed. Raises AudioError."""
    import soundfile

    try:
        if (kind := media_kind(_head(path))) is not None:
            media = decode_media(path, kind, path.name, LONGEST_MEASURED_S, MAX_DECODED_SAMPLES)
            return len(media.samples) / media.rate_hz
        container = open_container(path)
        with soundfile.SoundFile(container.source) as file:
            duration_s = int(file.frames) / int(file.samplerate)
            if is_plausible(container, str(file.format), duration_s, path.stat().st_size):
                return duration_s
            return sum(map(len, _blocks(file))) / int(file.samplerate)
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioError(
            N_("{name} cannot be read as audio ({reason}). {expected}"),
            name=path.name, reason=said_by(error), expected=EXPECTED,
        ) from error  # fmt: skip


def from_samples(decoded: NDArray[np.float32], rate_hz: int) -> Audio:
    """Mix float32 [n] or [n, channels] at `rate_hz` to mono and resample it to 16 kHz, without a constant offset."""
    decoded = np.asarray(decoded, dtype=np.float32)
    if decoded.ndim == 1:
        decoded = decoded[:, None]
    peak = float(np.abs(decoded).max(initial=0.0))
    samples, channel = _mono(decoded)
    if offset := _offset(samples, rate_hz):
        samples = samples - np.float32(offset)
    if rate_hz != TARGET_RATE_HZ:
        import soxr

        samples = soxr.resample(samples, rate_hz, TARGET_RATE_HZ)
    return Audio(
        samples=np.ascontiguousarray(samples, dtype=np.float32),
        source_rate_hz=rate_hz,
        source_channels=decoded.shape[1],
        source_peak=peak,
        source_clipped_share=max(_clipped_share(side, peak) for side in decoded.T),
        source_channel=channel,
    )


def _offset(samples: NDArray[np.float32], rate_hz: int) -> float:
    """The constant that a sound card has added, 0 for none: a mean that the quietest tenth of the frames agree with.
    The mean alone does not tell: a short or clipped word need not be even about 0."""
    n = max(1, round(REST_FRAME_S * rate_hz))
    mean = float(samples.mean(dtype=np.float64)) if len(samples) >= n else 0.0
    if abs(mean) <= LARGEST_OFFSET:
        return 0.0
    frames = samples[: len(samples) // n * n].reshape(-1, n)
    quietest = frames[np.argsort(frames.var(axis=1, dtype=np.float64))[: max(1, len(frames) // 10)]]
    rest = float(np.median(quietest.mean(axis=1)))
    return mean if abs(mean - rest) < OFFSET_AGREES * abs(mean) else 0.0


def _mono(decoded: NDArray[np.float32]) -> tuple[NDArray[np.float32], int | None]:
    """The mean of the channels that hold something [n]. Of channels that cancel each other out the loudest, whose
    number (from 1) comes with it; so does that of the only channel of several that is not silent."""
    if decoded.shape[1] == 1:
        return decoded[:, 0], None
    power = decoded.var(axis=0, dtype=np.float64)
    loudest = int(power.argmax())
    heard = np.flatnonzero(power > power[loudest] * SILENT_SIDE)
    if len(heard) == 0:
        return decoded.mean(axis=1), None
    if len(heard) == 1:
        return decoded[:, loudest], loudest + 1
    mixed = decoded[:, heard].mean(axis=1)
    if float(mixed.var(dtype=np.float64)) < CANCELLED * float(power[heard].mean()):
        return decoded[:, loudest], loudest + 1
    return mixed, None


def _decode(file: "soundfile.SoundFile", most: int) -> NDArray[np.float32]:
    """The first `most` frames [n, channels]."""
    blocks: list[NDArray[np.float32]] = []
    n = 0
    for block in _blocks(file):
        blocks.append(block[: most - n])
        n += len(blocks[-1])
        if n >= most:
            break
    return np.concatenate(blocks) if blocks else np.zeros((0, int(file.channels)), dtype=np.float32)


def _blocks(file: "soundfile.SoundFile") -> Iterator[NDArray[np.float32]]:
    while len(block := file.read(frames=BLOCK_FRAMES, dtype="float32", always_2d=True)):
        yield block


def _check_size(source: Path | bytes, name: str) -> int:
    """Its bytes."""
    if isinstance(source, Path):
        if source.is_dir():
            raise AudioError(N_("{path} is a folder. Name one recording in it."), path=str(source))
        if not source.is_file():
            raise AudioError(N_("There is no audio file {path}."), path=str(source))
        size = source.stat().st_size
    else:
        size = len(source)
        if size > MAX_UPLOAD_BYTES:
            raise AudioError(
                N_("{name} has {size:.0f} MB; at most {limit:.0f} MB are accepted."),
                name=name,
                size=size / MEGABYTE,
                limit=MAX_UPLOAD_BYTES / MEGABYTE,
            )
    if size == 0:
        raise AudioError(N_("{name} is empty (0 bytes). Record it again."), name=name)
    return size


def _check_header(
    name: str, rate_hz: int, channels: int, frames: int, max_duration_s: Seconds, container: Container
) -> None:
    """Refuse by what the header says, before anything is decoded."""
    _check_rate(name, rate_hz)
    if frames > max_duration_s * rate_hz:
        raise AudioTooLongError(_too_long(name, frames / rate_hz, max_duration_s), frames / rate_hz)
    if frames * channels > MAX_DECODED_SAMPLES:
        raise AudioError(_too_many(name, rate_hz, channels, frames * channels))
    promised, present = container.promised_bytes, container.present_bytes
    if present < promised and frames:
        missing_s = frames / rate_hz * (promised / max(1, present) - 1)
        if promised < _STREAMED_BYTES and missing_s > TRUNCATED_BY_S:
            raise AudioCutError(
                N_(
                    "{name} is cut off: {missing_s:.1f} s of the {total_s:.1f} s that its header "
                    "promises are missing. Copy or record it again."
                ),
                name=name,
                missing_s=missing_s,
                total_s=missing_s + frames / rate_hz,
            )


def _check_rate(name: str, rate_hz: int) -> None:
    if rate_hz < MIN_RATE_HZ:
        raise AudioError(
            N_("{name} has a sample rate of {rate_hz} Hz; at least {min_rate_hz} Hz is needed."),
            name=name,
            rate_hz=rate_hz,
            min_rate_hz=MIN_RATE_HZ,
        )


def _too_many(name: str, rate_hz: int, channels: int, n: int) -> Message:
    return Message(
        N_(
            "{name} has {channels} channels of {rate_hz} Hz, {n:.0f} million samples; at most {limit:.0f} million are "
            "accepted. Export it as mono, 16 or 48 kHz."
        ),
        name=name, channels=channels, rate_hz=rate_hz, n=n / 1e6, limit=MAX_DECODED_SAMPLES / 1e6,
    )  # fmt: skip


def _too_long(name: str, duration_s: Seconds | None, max_duration_s: Seconds) -> Message:
    """`duration_s` is None where nobody can tell without decoding all of it."""
    lasts = Message(N_("more than {seconds:.0f} s"), seconds=max_duration_s)
    if duration_s is not None:
        lasts = Message(N_("{seconds:.0f} s"), seconds=duration_s)
    return Message(
        N_("{name} lasts {lasts}; at most {limit_s:.0f} s are accepted. Cut it into single words or sentences."),
        name=name,
        lasts=lasts,
        limit_s=max_duration_s,
    )


def _clipped_share(channel: NDArray[np.float32], peak: float) -> float:
    """Share of samples at full scale or in flat tops, which lie under full scale where the gain was changed later.

    A waveform touches its peak once; a clipped one stays there. Only peaks above .1 count, so that digital silence
    and the few steps of a faint recording are no clipping.
    """
    if peak < CLIP_LOWEST_PEAK:
        return 0.0
    magnitude = np.abs(channel)
    high = np.flatnonzero(magnitude >= min(CLIP_LEVEL * peak, FULL_SCALE))
    clipped = magnitude[high] >= FULL_SCALE
    # Among the few high samples: neighbours in time with equal values, in runs long enough.
    equal = (np.diff(high) == 1) & (np.diff(channel[high]) == 0)
    for start, last in runs_of(equal):
        if last + 1 - start >= CLIP_RUN:
            clipped[start : last + 1] = True
    return float(clipped.sum() / len(channel))
