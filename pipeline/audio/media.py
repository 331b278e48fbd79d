"""Sound of phones and browsers, which libsndfile does not read: m4a, mp4, aac, 3gp, webm, amr, wma. Decoded by PyAV.

The kind is known by the first bytes, and FFmpeg is told to read that kind and no other. What a header claims is never
believed: decoding stops at the limit, and memory is only taken for what was decoded.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import AudioError, said_by
from pipeline.i18n import N_, Message
from pipeline.records import Seconds

if TYPE_CHECKING:
    import av.audio.stream
    import av.container

MEDIA_SUFFIXES = (".m4a", ".mp4", ".aac", ".3gp", ".webm", ".amr", ".wma")
MOST_CHANNELS = 8
LOWEST_BYTES_PER_S = 60  # of Opus that sends next to nothing in silence: fewer do not hold what a header claims
TRUNCATED_BY_S: Seconds = 0.25  # encoders round up to whole frames
HEAD_BYTES = 12
PROTECTED = ("drms", "enca")  # Apple's, and that of ISO/IEC 23001-7
UNDECODED = N_(
    "{name} cannot be decoded ({reason}): it is damaged or protected against copying. Record it yourself, or export it "
    "as WAV."
)
_ASF = bytes.fromhex("3026b2758e66cf11")


@dataclass(frozen=True)
class Media:
    """`samples` float32 [n, channels]. `claimed_s` is the length by the header, None where it states none that so many
    bytes can hold; `is_cut`: the file ends before it should."""

    samples: NDArray[np.float32]
    rate_hz: int
    claimed_s: Seconds | None
    is_cut: bool


def media_kind(head: bytes) -> str | None:
    """FFmpeg's name of the container that begins so; None for what PyAV is not asked to read."""
    if head[4:8] == b"ftyp":
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(_ASF):
        return "asf"
    if head.startswith(b"#!AMR"):
        return "amr"
    is_adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return "aac" if is_adts else None


def decode_media(source: Path | bytes, kind: str, name: str, max_duration_s: Seconds, most_samples: int) -> Media:
    """Decode at most `max_duration_s` and a little more, and at most `most_samples` over all channels.

    Raises AudioError for a file without sound, one that is protected, cut off before its first sound, or damaged.
    """
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    with _opened(source, kind, name) as container:
        stream = _sound_of(container, name)
        rate_hz, channels = _shape_of(stream, name)
        claimed_s = _claimed_s(container, stream, size)
        most = min(int(max_duration_s * rate_hz), most_samples // channels) + 1
        blocks: list[NDArray[np.float32]] = []
        n, is_cut = 0, False
        frames = _frames(container, stream)
        while n < most:
            try:
                block = next(frames)
            except StopIteration:
                break
            except _errors() as error:
                if not n:
                    raise AudioError(UNDECODED, name=name, reason=_reason(error)) from error
                is_cut = True
                break
            blocks.append(block[: most - n])
            n += len(blocks[-1])
    samples = np.concatenate(blocks) if blocks else np.zeros((0, channels), dtype=np.float32)
    is_short = claimed_s is not None and n < most and claimed_s - n / rate_hz > TRUNCATED_BY_S
    return Media(samples, rate_hz, claimed_s, is_cut or is_short)


def _sound_of(container: "av.container.InputContainer", name: str) -> "av.audio.stream.AudioStream":
    streams = container.streams.audio
    if not streams:
        if container.streams.video:
            raise AudioError(N_("{name} has no sound, only pictures. Record it again."), name=name)
        raise AudioError(N_("{name} has no sound. Record it again."), name=name)
    return streams[0]


def _shape_of(stream: "av.audio.stream.AudioStream", name: str) -> tuple[int, int]:
    """Rate and channels of what will be decoded."""
    context: Any = stream.codec_context
    if context is None or not context.sample_rate or not context.channels:
        raise AudioError(UNDECODED, name=name, reason=Message(N_("its kind of audio is unknown")))
    if context.codec_tag in PROTECTED:
        raise AudioError(N_("{name} is protected against copying. Record it yourself, or export it as WAV."), name=name)
    if context.channels > MOST_CHANNELS:
        raise AudioError(
            N_("{name} has {channels} channels; at most {most} are read. Export it as mono."),
            name=name, channels=context.channels, most=MOST_CHANNELS,
        )  # fmt: skip
    return int(context.sample_rate), int(context.channels)


def _claimed_s(container: Any, stream: Any, size: int) -> Seconds | None:
    import av

    claims = [
        float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None,
        container.duration / av.time_base if container.duration else None,
    ]
    claimed_s = next((claim for claim in claims if claim is not None and claim > 0), None)
    return claimed_s if claimed_s is not None and claimed_s * LOWEST_BYTES_PER_S <= size else None


def _frames(container: Any, stream: Any) -> Iterator[NDArray[np.float32]]:
    """Blocks [n, channels], at the rate and with the channels that the stream states at its start: ADTS can change both
    in the middle, and a resampler takes the shape of its first frame for that of all."""
    import av

    context = stream.codec_context
    context.thread_count = 1
    rate_hz, layout = context.sample_rate, context.layout.name
    resampler: Any = None
    shape = None
    for frame in container.decode(stream):
        parts: list[Any] = []
        if shape != (shape := (frame.format.name, frame.layout.name, frame.sample_rate)):
            parts += _rest(resampler)
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate_hz)
        parts += resampler.resample(frame)
        for part in parts:
            yield np.ascontiguousarray(part.to_ndarray().T, dtype=np.float32)
    for part in _rest(resampler):
        yield np.ascontiguousarray(part.to_ndarray().T, dtype=np.float32)


def _rest(resampler: Any) -> list[Any]:
    """What a resampler still holds; nothing where frames pass through it as they are."""
    return [] if resampler is None else [part for part in resampler.resample(None) if part is not None]


@contextmanager
def _opened(source: Path | bytes, kind: str, name: str) -> Iterator["av.container.InputContainer"]:
    import av

    av.logging.set_level(av.logging.PANIC)
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        try:
            container = av.open(file, mode="r", format=kind, metadata_errors="ignore")
        except _errors() as error:
            raise AudioError(
                N_("{name} cannot be read: it is damaged or was cut off ({reason}). Copy or record it again."),
                name=name, reason=_reason(error),
            ) from error  # fmt: skip
        with container:
            try:
                yield container
            except _errors() as error:  # PyAV raises ValueError for tags that are no text, among others
                raise AudioError(UNDECODED, name=name, reason=_reason(error)) from error


def _errors() -> tuple[type[Exception], ...]:
    import av

    return av.error.FFmpegError, EOFError, ValueError, OverflowError


def _reason(error: Exception) -> str:
    return said_by(error) or type(error).__name__
