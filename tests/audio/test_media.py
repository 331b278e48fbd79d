"""Recordings of phones and browsers, written here by PyAV itself: read, bounded, refused for the true reason."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio.load import AUDIO_SUFFIXES, AudioTooLongError, duration_of, load_audio
from pipeline.audio.media import media_kind
from pipeline.errors import AudioError

KINDS = {
    "m4a": ("ipod", "aac", 44_100), "mp4": ("mp4", "aac", 16_000), "aac": ("adts", "aac", 16_000),
    "3gp": ("3gp", "aac", 16_000), "webm": ("webm", "libopus", 48_000), "wma": ("asf", "wmav2", 16_000),
    "amr": ("amr", "libopencore_amrnb", 8_000), "ogg": ("ogg", "libopus", 48_000),
}  # fmt: skip


def encoded(
    kind: str, seconds: float = 1.0, channels: int = 1, *, video: bool = False, live: bool = False, rate_hz: int = 0
) -> bytes:
    """A tone of 440 Hz."""
    form, codec, usual_hz = KINDS[kind]
    rate_hz = rate_hz or usual_hz
    file = io.BytesIO()
    layout = "mono" if channels == 1 else "stereo"
    with av.open(file, "w", format=form, options={"live": "1"} if live else {}) as container:
        if video:
            picture = container.add_stream("libvpx" if form == "webm" else "mpeg4", rate=5, width=16, height=16)
            picture.pix_fmt = "yuv420p"
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        if codec == "wmav2":
            stream.bit_rate = 48_000
        tone = 0.3 * np.sin(2 * np.pi * 440.0 * np.arange(round(rate_hz * seconds)) / rate_hz)
        sound = np.tile(tone.astype(np.float32), (channels, 1))
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        converter = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate_hz)
        if video:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
            container.mux(picture.encode(None))
        for part in (*converter.resample(frame), None):
            container.mux(stream.encode(part))
    return file.getvalue()


def only_pictures() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5, width=16, height=16)
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_formats_of_phones_and_browsers_are_read(tmp_path: Path, kind: str) -> None:
    content = encoded(kind)
    audio = load_audio(content)
    assert audio.duration_s == pytest.approx(1.0, abs=0.1)
    assert audio.source_rate_hz == KINDS[kind][2]
    assert np.argmax(np.abs(np.fft.rfft(audio.samples[:16_000], 16_000))) == pytest.approx(440, abs=1)
    assert not audio.is_cut
    file = tmp_path / f"a.{kind}"
    file.write_bytes(content)
    assert file.suffix in AUDIO_SUFFIXES
    assert len(load_audio(file).samples) == len(audio.samples)
    assert duration_of(file) == pytest.approx(1.0, abs=0.1)


def test_a_webm_as_a_browser_streams_it_states_no_length() -> None:
    content = encoded("webm", live=True)
    with av.open(io.BytesIO(content)) as container:
        assert not container.duration
    assert load_audio(content).duration_s == pytest.approx(1.0, abs=0.05)


def test_the_sound_of_a_video_is_read() -> None:
    assert load_audio(encoded("mp4", video=True)).duration_s == pytest.approx(1.0, abs=0.1)


def test_a_video_without_sound_says_so() -> None:
    with pytest.raises(AudioError, match="only pictures"):
        load_audio(only_pictures())


@pytest.mark.parametrize("kind", ["m4a", "webm", "aac", "amr"])
def test_more_than_the_limit_is_refused(kind: str) -> None:
    with pytest.raises(AudioTooLongError, match="at most 1 s are accepted"):
        load_audio(encoded(kind, 2.0), max_duration_s=1.0)


def test_a_claim_of_hours_is_not_believed() -> None:
    content = bytearray(encoded("webm"))
    at = content.find(b"\x44\x89\x88")  # Duration, a float of 8 bytes
    content[at + 3 : at + 11] = np.array(3.6e9, ">f8").tobytes()
    assert load_audio(bytes(content)).duration_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("kind", ["webm", "aac", "amr"])
def test_a_truncated_recording_is_read_as_far_as_it_goes_and_says_so(kind: str) -> None:
    content = encoded(kind)
    audio = load_audio(content[: len(content) // 2])
    assert audio.is_cut
    assert audio.duration_s == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("first", "then"),
    [((16_000, 1), (44_100, 1)), ((44_100, 1), (16_000, 1)), ((16_000, 1), (16_000, 2)), ((44_100, 2), (16_000, 1))],
)
def test_a_stream_that_changes_its_rate_or_channels_keeps_its_speed(
    first: tuple[int, int], then: tuple[int, int]
) -> None:
    parts = [encoded("aac", 0.5, channels, rate_hz=rate_hz) for rate_hz, channels in (first, then)]
    audio = load_audio(b"".join(parts))
    assert audio.duration_s == pytest.approx(1.0, abs=0.2)
    for half in (audio.samples[1600:7200], audio.samples[-7200:-1600]):
        assert np.argmax(np.abs(np.fft.rfft(half, 16_000))) == pytest.approx(440, abs=2)


def test_a_codec_tag_that_is_no_text_is_refused_in_words() -> None:
    with pytest.raises(AudioError, match="cannot be decoded"):
        load_audio(encoded("m4a").replace(b"mp4a", b"mp4\xe9"))


def test_a_truncated_m4a_has_lost_its_table() -> None:
    content = encoded("m4a")
    with pytest.raises(AudioError, match="cut off"):
        load_audio(content[: len(content) // 2])


def test_a_protected_recording_is_refused_in_words() -> None:
    with pytest.raises(AudioError, match="protected"):
        load_audio(encoded("m4a").replace(b"mp4a", b"drms"))


@pytest.mark.parametrize("kind", ["m4a", "webm", "amr", "wma", "aac"])
def test_damaged_bytes_never_crash(kind: str) -> None:
    content, rng = encoded(kind, 0.2), np.random.default_rng(7)
    for _ in range(20):
        broken = np.frombuffer(content, np.uint8).copy()
        broken[rng.integers(8, len(broken), 12)] = rng.integers(0, 256, 12)
        try:
            load_audio(broken.tobytes(), max_duration_s=2.0)
        except AudioError as error:
            assert str(error).endswith((".", ")"))


@pytest.mark.parametrize("head", [b"\0\0\0\x1cftypM4A ", b"\x1a\x45\xdf\xa3", b"#!AMR\n", b"\xff\xf1"])
def test_a_head_alone_is_refused(head: bytes) -> None:
    assert media_kind(head) is not None
    with pytest.raises(AudioError):
        load_audio(head)


def test_wav_and_mp3_are_not_given_to_pyav() -> None:
    assert [media_kind(head) for head in (b"RIFF\0\0\0\0WAVE", b"\xff\xfb\x90\x00", b"ID3\x04", b"fLaC", b"OggS")] == [
        None
    ] * 5
