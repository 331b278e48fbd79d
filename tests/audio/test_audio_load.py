"""Decoding: every accepted format comes out as the same 16 kHz mono; what cannot be trusted is refused in words."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.load import (
    MAX_UPLOAD_BYTES,
    TARGET_RATE_HZ,
    AudioTooLongError,
    from_samples,
    load_audio,
)
from pipeline.errors import AudioError


def tone(rate_hz: int = 16_000, seconds: float = 1.0, amplitude: float = 0.3) -> NDArray[np.float32]:
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * 440.0 * t)).astype(np.float32)


def write(path: Path, samples: NDArray[np.float32], rate_hz: int = 16_000, **kwargs: str) -> Path:
    soundfile.write(path, samples, rate_hz, **kwargs)
    return path


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("a.wav", {"subtype": "PCM_16"}),
        ("a24.wav", {"subtype": "PCM_24"}),
        ("a32.wav", {"subtype": "PCM_32"}),
        ("a8.wav", {"subtype": "PCM_U8"}),
        ("af.wav", {"subtype": "FLOAT"}),
        ("ad.wav", {"subtype": "DOUBLE"}),
        ("a.flac", {}),
        ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.mp3", {}),
        ("Türkçe adı şğı.wav", {"subtype": "PCM_16"}),
    ],
)
def test_formats(tmp_path: Path, name: str, kwargs: dict[str, str]) -> None:
    expected = tone()
    audio = load_audio(write(tmp_path / name, expected, **kwargs))
    assert audio.sample_rate_hz == TARGET_RATE_HZ
    assert audio.samples.dtype == np.float32
    assert audio.samples.flags.c_contiguous
    assert abs(len(audio.samples) - len(expected)) <= 2
    # MP3 may shift by its encoder's delay, so the spectra are compared, not the samples.
    spectrum = np.abs(np.fft.rfft(audio.samples, 16_000))
    assert np.argmax(spectrum) == 440
    assert np.sqrt(np.mean(audio.samples**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_rates_come_to_16_khz(tmp_path: Path, rate_hz: int) -> None:
    audio = load_audio(write(tmp_path / "a.wav", tone(rate_hz), rate_hz))
    assert audio.source_rate_hz == rate_hz
    assert audio.duration_s == pytest.approx(1.0, abs=1e-3)
    middle = slice(2_000, 14_000)
    assert np.abs(audio.samples[middle] - tone()[middle]).max() < 0.01


def test_stereo_is_mixed(tmp_path: Path) -> None:
    both = np.column_stack([tone(), tone() / 3])
    audio = load_audio(write(tmp_path / "a.wav", both))
    assert audio.source_channels == 2
    assert audio.samples.shape == (16_000,)
    np.testing.assert_allclose(audio.samples, tone() * 2 / 3, atol=1e-4)
    assert audio.source_peak == pytest.approx(0.3, abs=1e-3)


def test_bytes_read_like_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", tone())
    np.testing.assert_array_equal(load_audio(path.read_bytes()).samples, load_audio(path).samples)


def wav_header(frames: int, rate_hz: int = 16_000) -> bytes:
    size = frames * 2
    fmt = struct.pack("<HHIIHH", 1, 1, rate_hz, rate_hz * 2, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + fmt
        + b"data"
        + struct.pack("<I", size)
    )


def test_an_hour_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hour.wav"
    frames = 3_600 * 16_000
    with path.open("wb") as file:
        file.write(wav_header(frames))
        file.truncate(44 + frames * 2)

    def no_decoding(*args: object, **kwargs: object) -> None:
        pytest.fail("decoded an hour before looking at its length")

    monkeypatch.setattr(soundfile.SoundFile, "read", no_decoding)
    with pytest.raises(AudioTooLongError, match=r"hour\.wav lasts 3600 s; at most 120 s") as caught:
        load_audio(path)
    assert caught.value.duration_s == pytest.approx(3_600.0)


def test_the_limit_itself_is_accepted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(seconds=2.0))
    assert load_audio(path, max_duration_s=2.0).duration_s == 2.0
    with pytest.raises(AudioTooLongError):
        load_audio(path, max_duration_s=1.999)


@pytest.mark.parametrize("name", ["cut.wav", "cut.flac"])
def test_truncated_files_are_refused(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    whole = write(tmp_path / f"whole{Path(name).suffix}", noise).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match=r"cut\.(wav is cut off: 1\.0 s of the 2\.0 s|flac cannot be read)"):
        load_audio(cut)


def test_a_wav_cut_inside_its_header_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.wav", tone()).read_bytes()
    for length in range(1, 44):
        with pytest.raises(AudioError):
            load_audio(whole[:length])


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF])
def test_a_streamed_wav_of_unknown_length_is_read(size: int) -> None:
    """ffmpeg and browsers that write into a pipe leave the length open."""
    content = bytearray(wav_header(0) + (tone() * 32_767).astype("<i2").tobytes())
    content[4:8] = content[40:44] = struct.pack("<I", size)
    assert load_audio(bytes(content)).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_are_refused(tmp_path: Path, bad: float) -> None:
    samples = tone()
    samples[100] = bad
    with pytest.raises(AudioError, match=r"bad\.wav has samples that are no numbers"):
        load_audio(write(tmp_path / "bad.wav", samples, subtype="FLOAT"))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"this is no audio at all\n" * 50, bytes(4_000)])
def test_foreign_and_empty_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"text\.wav"):
        load_audio(path)
    with pytest.raises(AudioError, match="The recording"):
        load_audio(content)
    with pytest.raises(AudioError, match=r"given\.wav"):
        load_audio(content, name="given.wav")


def test_a_wav_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="holds no audio"):
        load_audio(write(tmp_path / "none.wav", np.zeros(0, dtype=np.float32)))


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "none.wav", "There is no audio file"),
        (tmp_path, "is a folder. Name one recording"),
    ):
        with pytest.raises(AudioError, match=words):
            load_audio(path)


def test_uploads_over_the_limit_are_refused() -> None:
    with pytest.raises(AudioError, match="51 MB; at most 50 MB"):
        load_audio(bytes(MAX_UPLOAD_BYTES + 1_000_000))


def test_a_rate_too_low_for_speech_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="2000 Hz; at least 4000 Hz"):
        load_audio(write(tmp_path / "a.wav", tone(2_000), 2_000))


def test_too_many_channels_for_the_memory_are_refused(tmp_path: Path) -> None:
    """FLAC packs silence to almost nothing: 100 s of eight channels at 96 kHz would be 307 MB."""
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", samplerate=96_000, channels=8) as file:
        for _ in range(100):
            file.write(np.zeros((96_000, 8), dtype=np.int16))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(AudioError, match="8 channels of 96000 Hz, 77 million samples"):
        load_audio(path)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_clipping_is_measured_before_resampling(rate_hz: int) -> None:
    loud = np.clip(tone(rate_hz, amplitude=1.5), -1.0, 1.0)
    expected = float(np.mean(np.abs(tone(rate_hz, amplitude=1.5)) >= 1.0))
    assert from_samples(loud, rate_hz).source_clipped_share == pytest.approx(expected, rel=0.02)
    # The gain was turned down after the clipping: the tops stay flat.
    assert from_samples(0.3 * loud, rate_hz).source_clipped_share == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("frequency_hz", [80.0, 100.0, 440.0])
@pytest.mark.parametrize("amplitude", [0.05, 0.5, 0.99])
def test_a_whole_sine_is_not_clipped(frequency_hz: float, amplitude: float) -> None:
    t = np.arange(44_100) / 44_100
    rounded = np.round(amplitude * np.sin(2 * np.pi * frequency_hz * t) * 32_767) / 32_768
    assert from_samples(rounded.astype(np.float32), 44_100).source_clipped_share < 0.001


def test_random_bytes_never_crash() -> None:
    rng = np.random.default_rng(1)
    heads = [b"", b"RIFF\x00\x10\x00\x00WAVEfmt ", b"fLaC", b"OggS\x00\x02", b"ID3\x03", b"\xff\xfb\x90\x00"]
    for i in range(120):
        content = heads[i % len(heads)] + rng.bytes(int(rng.integers(1, 5_000)))
        try:
            audio = load_audio(content)
        except AudioError:
            continue
        assert np.isfinite(audio.samples).all()


def test_upload_name_never_reaches_the_message_as_a_path() -> None:
    with pytest.raises(AudioError) as caught:
        load_audio(io.BytesIO(b"nothing").getvalue())
    assert "BytesIO" not in str(caught.value)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("offset", [-0.2, 0.01, 0.4])
def test_a_constant_offset_of_the_sound_card_is_taken_out(offset: float, sides: int) -> None:
    speech = np.random.default_rng(0).normal(0.0, 0.1, 16_000).astype(np.float32)
    speech[:4_000] *= 0.001  # a pause
    speech -= speech.mean()
    loaded = from_samples(np.repeat(speech[:, None], sides, axis=1) + np.float32(offset), 16_000)
    assert np.allclose(loaded.samples, speech, atol=1e-6)
    assert loaded.source_peak == pytest.approx(float(np.abs(speech + offset).max())), "as the file has it"
    uneven = np.where(speech > 0, speech, 0.3 * speech)
    assert abs(uneven.mean()) > 0.01
    assert np.array_equal(from_samples(uneven, 16_000).samples, uneven), "no constant: the pause rests at 0"
    faint = speech + np.float32(0.0005)
    assert np.array_equal(from_samples(faint, 16_000).samples, faint), "what recordings have anyway stays"
