"""Headers that do not know, lie, or promise more than there is: the bytes decide."""

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.check import CUT_OFF, check_audio, inspect_file
from pipeline.audio.container import _CRC_8, _CRC_16, _CRC_32, _crc, _mp3_frame_bytes, open_container
from pipeline.audio.load import AudioTooLongError, duration_of, load_audio
from pipeline.corpus.sets import read_recordings
from pipeline.errors import AudioError
from pipeline.importing.importer import import_path
from pipeline.records import RubricName, Target
from pipeline.scoring.base import score_audio
from pipeline.scoring.selection import load_scorer
from pipeline.settings import Settings

SECONDS = 3.0


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Pulses with noise: nothing that an encoder makes tiny."""
    t = np.arange(int(SECONDS * 16_000)) / 16_000
    noise = np.random.default_rng(0).standard_normal(len(t))
    return np.asarray(0.4 * np.sin(2 * np.pi * 220 * t) * np.sin(np.pi * t) ** 2 + 0.01 * noise, dtype=np.float32)


def encoded(sound: np.ndarray, rate_hz: int = 16_000, **form: str) -> bytearray:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate_hz, **form)
    return bytearray(buffer.getvalue())


def with_samples(flac: bytearray, n: int) -> bytes:
    """A FLAC whose STREAMINFO says that it has `n` samples; 0 is what a writer into a pipe leaves."""
    content = bytearray(flac)
    content[21:26] = (int.from_bytes(content[21:26], "big") & ~0xF_FFFF_FFFF | n).to_bytes(5, "big")
    return bytes(content)


def test_checksums_are_those_of_the_formats() -> None:
    assert _crc(b"123456789", _CRC_8, 8) == 0xF4
    assert _crc(b"123456789", _CRC_16, 16) == 0xFEE8
    assert _crc(b"123456789", _CRC_32, 32) == 0x89A1897F


@pytest.mark.parametrize("n", [0, 0xF_FFFF_FFFF, 4_000])
@pytest.mark.parametrize("shape", ["mono", "stereo 24 bits", "44.1 kHz"])
def test_a_flac_whose_header_does_not_know_its_length(tmp_path: Path, sound: np.ndarray, n: int, shape: str) -> None:
    """As `ffmpeg -f flac pipe:1 > a.flac` writes it; it was "576460752303424 s long"."""
    samples = np.stack([sound, sound], axis=1) if "stereo" in shape else sound
    rate_hz = 44_100 if "44" in shape else 16_000
    file = tmp_path / "a.flac"
    file.write_bytes(with_samples(encoded(samples, rate_hz, format="FLAC", subtype="PCM_24"), n))
    whole_s = len(sound) / rate_hz
    assert load_audio(file).duration_s == pytest.approx(whole_s, abs=1e-3)
    assert load_audio(file.read_bytes()).duration_s == pytest.approx(whole_s, abs=1e-3)
    assert duration_of(file) == pytest.approx(whole_s)
    assert [p.code for p in inspect_file(file).problems if p.severity == "error"] == []


def test_a_set_with_such_a_file_is_as_long_as_its_sound(settings: Settings, tmp_path: Path, sound: np.ndarray) -> None:
    folder = tmp_path / "c" / "participant_1" / "kelimeler"
    folder.mkdir(parents=True)
    (folder / "01_masa.flac").write_bytes(with_samples(encoded(sound, format="FLAC"), 0))
    report = import_path(settings, tmp_path / "c", name="s")
    assert report.hours * 3600 == pytest.approx(SECONDS)
    assert report.problems == ()
    recording = read_recordings(settings, "s")[0].report
    assert recording is not None
    assert recording.duration_s == pytest.approx(SECONDS)


def test_a_long_file_of_unknown_length_is_refused_by_what_it_holds(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, 8_000 * 30).astype(np.float32)
    file = tmp_path / "long.flac"
    file.write_bytes(with_samples(encoded(noise, 8_000, format="FLAC"), 0))
    with pytest.raises(AudioTooLongError, match="lasts 30 s; at most 20 s") as caught:
        load_audio(file, max_duration_s=20.0)
    assert caught.value.duration_s == pytest.approx(30.0)
    assert inspect_file(file, max_duration_s=20.0).duration_s == pytest.approx(30.0)


@pytest.mark.parametrize("n", [0, int(SECONDS * 16_000)])
def test_a_flac_that_is_cut_off_says_where(tmp_path: Path, sound: np.ndarray, n: int) -> None:
    whole = with_samples(encoded(sound, format="FLAC"), n)
    file = tmp_path / "cut.flac"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match=r"cut\.flac cannot be read to its end: it is cut off after 1\.\d s"):
        load_audio(file)


@pytest.mark.parametrize("size", [0, 1, 2_000_000_000, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.parametrize("riff", ["as it was", "same"])
def test_a_wav_whose_data_size_is_no_size(sound: np.ndarray, size: int, riff: str) -> None:
    content = encoded(sound, format="WAV", subtype="PCM_16")
    content[40:44] = struct.pack("<I", size)
    if riff == "same":
        content[4:8] = struct.pack("<I", min(size, 0xFFFF_FFFF))
    audio = load_audio(bytes(content))
    assert audio.duration_s == pytest.approx(SECONDS)
    assert not audio.is_cut


def test_an_empty_wav_with_a_list_after_it_stays_empty(sound: np.ndarray) -> None:
    header = bytes(encoded(sound, format="WAV", subtype="PCM_16")[:40])
    with pytest.raises(AudioError, match="holds no audio"):
        load_audio(header + struct.pack("<I", 0) + b"LIST" + struct.pack("<I", 4) + b"INFO")


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_an_aiff_whose_sizes_are_wrong(sound: np.ndarray, size: int) -> None:
    content = encoded(sound, format="AIFF", subtype="PCM_16")
    for place in (content.index(b"COMM") + 10, content.index(b"SSND") + 4):
        content[place : place + 4] = struct.pack(">I", size)
    assert load_audio(bytes(content)).duration_s == pytest.approx(SECONDS)


def last_page(ogg: bytearray) -> int:
    return [match.start() for match in re.finditer(b"OggS", ogg)][-1]


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
@pytest.mark.parametrize("position", [0xFFFF_FFFF_FFFF_FFFF, 0, 1 << 40, 48_000 * 3600])
def test_an_ogg_without_a_true_last_position(sound: np.ndarray, codec: str, position: int) -> None:
    ogg = encoded(sound, format="OGG", subtype=codec)
    begin = last_page(ogg)
    ogg[begin + 6 : begin + 14] = position.to_bytes(8, "little")
    ogg[begin + 22 : begin + 26] = bytes(4)
    ogg[begin + 22 : begin + 26] = _crc(bytes(ogg[begin:]), _CRC_32, 32).to_bytes(4, "little")
    assert load_audio(bytes(ogg)).duration_s == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize(
    "form", [{"format": "MP3"}, {"format": "OGG", "subtype": "VORBIS"}, {"format": "OGG", "subtype": "OPUS"}]
)
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_a_file_that_is_cut_off_is_scored_and_says_so_first(
    sound: np.ndarray, form: dict[str, str], share: float
) -> None:
    long = np.tile(sound, 3)
    content = bytes(encoded(long, **form))
    assert not load_audio(content).is_cut
    cut = load_audio(content[: int(share * len(content))])
    assert cut.is_cut
    assert 1.0 < cut.duration_s < 3 * SECONDS
    first = check_audio(cut).problems[0]
    assert (first.code, first.severity) == (CUT_OFF, "warning")
    result = score_audio(load_scorer(Settings.from_env(), "heuristic", RubricName.WORD), cut, Target("masa", "tr"))
    assert result.warnings[0] == f"The file is cut off after {cut.duration_s:.1f} s. Copy or record it again."


def test_an_mp3_without_a_length_header_is_cut_off_within_a_frame(sound: np.ndarray) -> None:
    content = bytes(encoded(sound, format="MP3"))
    stream = content[content.index(b"\xff\xf3", 4) :]
    assert not load_audio(stream).is_cut
    assert not open_container(b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + stream + b"TAG" + bytes(125)).is_cut
    assert load_audio(stream[: len(stream) // 2 + 7]).is_cut


def mp3_frames(content: bytes) -> list[int]:
    """Where the frames begin, and the end of the last."""
    places = [0]
    while (length := _mp3_frame_bytes(content[places[-1] : places[-1] + 4].ljust(4, b"\0"))) is not None:
        places.append(places[-1] + length)
    return places


@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125)], ids=["bare", "tagged"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_cut_between_two_frames_is_cut_off(
    tmp_path: Path, sound: np.ndarray, tag: bytes, rate_hz: int, channels: int
) -> None:
    content = bytes(encoded(np.stack([sound] * channels, axis=1), rate_hz, format="MP3"))
    places = mp3_frames(content)
    assert places[-1] == len(content)
    file = tmp_path / "a.mp3"
    for part, is_cut in ((content, False), (content[: places[len(places) // 2]], True), (content[: places[-6]], True)):
        file.write_bytes(part + tag)
        assert load_audio(file).is_cut is is_cut
        assert load_audio(part + tag).is_cut is is_cut


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU"])
@pytest.mark.parametrize("endian", ["FILE", "BIG", "LITTLE"])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW"])
def test_a_header_that_promises_more_sound_than_there_is_is_refused(
    tmp_path: Path, sound: np.ndarray, form: str, endian: str, subtype: str
) -> None:
    try:
        content = bytes(encoded(sound, format=form, endian=endian, subtype=subtype))
    except (ValueError, soundfile.SoundFileError):
        pytest.skip("no such file")
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    assert load_audio(file).duration_s == pytest.approx(SECONDS)
    for share in (0.5, 0.95):
        file.write_bytes(content[: int(share * len(content))])
        with pytest.raises(AudioError, match=r"a\.wav is cut off: [\d.]+ s of the [23]\.\d s that its header promises"):
            load_audio(file)
        assert [problem.code for problem in inspect_file(file).problems] == ["unreadable"]


@pytest.mark.parametrize("form", ["CAF", "AVR", "SVX", "NIST", "VOC", "IRCAM", "PAF", "MAT5", "PVF"])
def test_containers_that_are_not_named_are_refused(sound: np.ndarray, form: str) -> None:
    with pytest.raises(AudioError, match=r"in the format .+, which is not read here. Save it as WAV or FLAC"):
        load_audio(bytes(encoded(sound, format=form, subtype="PCM_16")))


@pytest.mark.parametrize("form", ["RF64", "W64", "AU"])
def test_a_size_of_zero_is_mended_in_every_container(sound: np.ndarray, form: str) -> None:
    content = encoded(sound, format=form, subtype="PCM_16")
    data = content.find(b"data")
    field = {"RF64": slice(28, 36), "W64": slice(data + 16, data + 24), "AU": slice(8, 12)}[form]
    content[field] = bytes(field.stop - field.start)
    assert load_audio(bytes(content)).duration_s == pytest.approx(SECONDS, abs=1e-3)


def test_a_size_of_zero_is_mended_behind_a_long_chunk(tmp_path: Path, sound: np.ndarray) -> None:
    content = bytes(encoded(sound, format="WAV", subtype="PCM_16"))
    junk = b"JUNK" + struct.pack("<I", 300_000) + bytes(300_000)
    file = tmp_path / "a.wav"
    file.write_bytes(content[:36] + junk + b"data" + bytes(4) + content[44:])
    assert load_audio(file).duration_s == pytest.approx(SECONDS)


def test_a_chunk_that_ends_past_any_file_is_an_error_in_words(sound: np.ndarray) -> None:
    content = bytes(encoded(sound, format="W64", subtype="PCM_16"))
    for size in (2**63 - 1, 2**64 - 1):
        with pytest.raises(AudioError):
            load_audio(content[:56] + struct.pack("<Q", size) + content[64:])


def ape_tag(n: int) -> bytes:
    def frame(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2_000, n + 32, 0, flags) + bytes(8)

    return frame(0xA000_0000) + b"\xff" * n + frame(0x8000_0000)


LYRICS = b"LYRICSBEGIN" + b"IND0000200"
AFTER = {
    "ID3v1": b"TAG" + b"\xff" * 125, "longer ID3v1": b"TAG+" + bytes(223) + b"TAG" + bytes(125), "APE": ape_tag(40),
    "APE and ID3v1": ape_tag(700) + b"TAG" + bytes(125), "Lyrics3": LYRICS + b"000021LYRICS200" + b"TAG" + bytes(125),
}  # fmt: skip
ID3V2 = b"ID3\x04" + bytes(4) + b"\x02\x00" + bytes(256)


@pytest.mark.parametrize("before", [b"", ID3V2, ID3V2 * 2], ids=["", "ID3v2", "two ID3v2"])
@pytest.mark.parametrize("after", [b"", *AFTER.values()], ids=["", *AFTER])
@pytest.mark.parametrize("form", ["FLAC", "FLAC of unknown length", "VORBIS", "OPUS"])
def test_tags_around_the_sound_are_no_part_of_it(
    tmp_path: Path, sound: np.ndarray, before: bytes, after: bytes, form: str
) -> None:
    if form.startswith("FLAC"):
        content = with_samples(encoded(sound, format="FLAC"), 0 if "unknown" in form else len(sound))
    else:
        content = bytes(encoded(sound, format="OGG", subtype=form))
    file = tmp_path / "a"
    file.write_bytes(before + content + after)
    for audio in (load_audio(file), load_audio(file.read_bytes())):
        assert audio.duration_s == pytest.approx(SECONDS, abs=0.01)
        assert not audio.is_cut
    file.write_bytes(before + content[: len(content) // 2] + after)
    if form.startswith("FLAC"):
        with pytest.raises(AudioError, match="cut off after"):
            load_audio(file)


@pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])
def test_an_ogg_cut_off_within_its_only_page_of_sound_says_so(sound: np.ndarray, codec: str) -> None:
    content = bytes(encoded(sound[:8_000], format="OGG", subtype=codec))
    with pytest.raises(AudioError, match=r"is cut off (before its|and cannot be read).*\. Copy or record it again"):
        load_audio(content[:-50])


@pytest.mark.parametrize("scale", [1e30, 2**23 - 1, 32_767])
def test_samples_far_over_full_scale_are_refused(tmp_path: Path, sound: np.ndarray, scale: float) -> None:
    content = bytes(encoded(sound * np.float32(scale), format="WAV", subtype="FLOAT"))
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    with pytest.raises(AudioError, match=r"a\.wav has samples up to [\d.]+e\+\d+, where full scale is 1"):
        load_audio(file)
    assert [problem.code for problem in inspect_file(file).problems] == ["unreadable"]


@pytest.mark.parametrize("value", [1e300, float("nan"), float("inf")])
def test_samples_that_are_no_numbers_are_refused(sound: np.ndarray, value: float) -> None:
    samples = sound.astype(np.float64)
    samples[500] = value
    with pytest.raises(AudioError, match="NaN or infinite"):
        load_audio(bytes(encoded(samples, format="WAV", subtype="DOUBLE")))


def test_samples_a_little_over_full_scale_are_clipped_not_refused(sound: np.ndarray) -> None:
    content = bytes(encoded(sound * 5, format="WAV", subtype="FLOAT"))
    assert "clipped" in [problem.code for problem in check_audio(load_audio(content)).problems]
