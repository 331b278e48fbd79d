"""What a file's own bytes say of where its sound ends, where the header does not know, lies, or promises more.

Recorders that write into a pipe (`ffmpeg ... pipe:1`) cannot go back to fill in a length; those that are killed leave
the last frame or page half written. libsndfile believes headers, so a header that is wrong is mended in memory before
libsndfile sees it. Formats: RFC 9639 (FLAC), RFC 3533 (Ogg), ISO/IEC 11172-3 (MPEG audio), RIFF.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

MAX_MENDED_BYTES = 50_000_000  # as many as an upload may have; what is larger is left as it is
TAIL_BYTES = 262_144  # holds the last frame or page of any common file
OGG_NO_POSITION = (0, 0xFFFF_FFFF_FFFF_FFFF)
OGG_POSITION_AHEAD = 1 << 40  # past any end: the decoder stops where the sound does
OGG_LAST = 0x04
TRAILING_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"fact", b"cue ", b"bext", b"smpl", b"JUNK", b"PEAK", b"iXML")
Source = Path | io.BytesIO
Whole = Callable[[], bytes]
MP3_BITRATES_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG 1
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG 2 and 2.5
}
MP3_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
LOWEST_BYTES_PER_S = {"MP3": 1_000, "OGG": 60}  # 8 kbit/s; Opus that sends next to nothing in silence


@dataclass(frozen=True)
class Container:
    """What libsndfile is to read. `is_cut`: the file ends within a frame or page, or without the mark of its end.
    `is_sure`: the length in its header agrees with its bytes."""

    source: Source
    is_cut: bool = False
    is_sure: bool = False


def open_container(source: Path | bytes) -> Container:
    """Look at the bytes. Raises OSError where they cannot be read."""
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if isinstance(source, Path):
        with source.open("rb") as file:
            head = file.read(TAIL_BYTES)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read()
    else:
        head, tail = source[:TAIL_BYTES], source[-TAIL_BYTES:]

    def whole() -> bytes:
        return source.read_bytes() if isinstance(source, Path) else source

    untouched: Source = source if isinstance(source, Path) else io.BytesIO(source)
    if size <= MAX_MENDED_BYTES:
        for magic, look in ((b"fLaC", _flac), (b"OggS", _ogg), (b"RIFF", _wav)):
            if head.startswith(magic):
                return look(head, tail, untouched, whole) or Container(untouched, is_sure=magic == b"RIFF")
        if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
            return Container(untouched, is_cut=_mp3_is_cut(whole()))
    return Container(untouched, is_sure=head[:4] in (b"RIFF", b"FORM", b"RF64"))


def is_plausible(container: Container, kind: str, duration_s: float, size: int) -> bool:
    """Whether so many bytes can hold so much sound in libsndfile's format `kind`."""
    return container.is_sure or (kind in LOWEST_BYTES_PER_S and duration_s * LOWEST_BYTES_PER_S[kind] <= size)


def _flac(head: bytes, tail: bytes, source: Source, whole: Whole) -> Container | None:
    """With the number of samples that its last frame tells."""
    if len(head) < 42:
        return None
    declared = int.from_bytes(head[21:26], "big") & 0xF_FFFF_FFFF
    fixed = int.from_bytes(head[8:10], "big") == int.from_bytes(head[10:12], "big")
    end = _flac_end(tail, int.from_bytes(head[8:10], "big") if fixed else None)
    if end is None:
        return None
    total, is_whole = end
    known = declared not in (0, 0xF_FFFF_FFFF)
    is_cut = not is_whole or (known and declared > total)
    if declared == total:
        return Container(source, is_cut, is_sure=True)
    content = bytearray(whole())
    content[21:26] = (int.from_bytes(head[21:26], "big") & ~0xF_FFFF_FFFF | total).to_bytes(5, "big")
    return Container(io.BytesIO(bytes(content)), is_cut, is_sure=True)


def _flac_end(tail: bytes, block: int | None) -> tuple[int, bool] | None:
    """Where the sound ends, in samples, and whether the last frame is whole; None where no frame is found. `block` is
    the length of all frames but the last, None where each may have its own."""
    begin, found = len(tail), None
    while (begin := tail.rfind(b"\xff", 0, begin)) >= 0:
        if tail[begin + 1 : begin + 2] not in (b"\xf8", b"\xf9"):
            continue
        header = _flac_frame(tail[begin : begin + 16], block)
        if header is None:
            continue
        start, length = header
        if _crc(tail[begin:-2], _CRC_16, 16) == int.from_bytes(tail[-2:], "big"):
            return start + length, True
        # The last header of a frame that does not end with the file: what is before it is whole.
        found = found or (start, False)
        if len(tail) - begin > TAIL_BYTES // 2:
            break
    return found


def _flac_frame(raw: bytes, block: int | None) -> tuple[int, int] | None:
    """First sample and number of samples by a frame's header; None for what is none (its checksum tells)."""
    first = raw[4] if len(raw) > 5 else 0xFF
    extra = 0 if first < 0x80 else next((n for n in range(1, 7) if not first >> (6 - n) & 1), 7)
    at = 5 + extra
    code = raw[2] >> 4
    at += {6: 1, 7: 2}.get(code, 0)
    at += {12: 1, 13: 2, 14: 2}.get(raw[2] & 15, 0) if len(raw) > 2 else 0
    is_coded = first < 0x80 or 0 < extra < 7
    if not is_coded or len(raw) <= at or _crc(raw[:at], _CRC_8, 8) != raw[at]:
        return None
    number = first if first < 0x80 else first & (0x3F >> extra)
    for byte in raw[5 : 5 + extra]:
        number = number << 6 | byte & 0x3F
    if code == 6:
        length = raw[5 + extra] + 1
    elif code == 7:
        length = int.from_bytes(raw[5 + extra : 7 + extra], "big") + 1
    else:
        length = 192 if code == 1 else 576 << (code - 2) if code < 6 else 256 << (code - 8)
    is_numbered = raw[1] == 0xF8
    if is_numbered and block is None:
        return None
    return (number * (block or 0) if is_numbered else number), length


def _ogg(head: bytes, tail: bytes, source: Source, whole: Whole) -> Container | None:
    """Without a last position, decoders drop the last page; it gets one beyond the end."""
    begin = tail.rfind(b"OggS")
    is_cut = False
    while begin >= 0 and not (page := _ogg_page(tail[begin:])):
        is_cut = True
        begin = tail.rfind(b"OggS", 0, begin)
    if begin < 0:
        return None
    is_cut |= not page[5] & OGG_LAST or begin + len(page) < len(tail)
    position = int.from_bytes(page[6:14], "little")
    if position in OGG_NO_POSITION and begin > 0:
        content = whole()
        start = len(content) - len(tail) + begin
        before = content.rfind(b"OggS", 0, start)
        earlier = int.from_bytes(content[before + 6 : before + 14], "little") if before >= 0 else 0
        ahead = (0 if earlier in OGG_NO_POSITION else earlier) + OGG_POSITION_AHEAD
        mended = bytearray(page)
        mended[6:14], mended[22:26] = ahead.to_bytes(8, "little"), bytes(4)
        mended[22:26] = _crc(bytes(mended), _CRC_32, 32).to_bytes(4, "little")
        source = io.BytesIO(content[:start] + mended)
    return Container(source, bool(is_cut))


def _ogg_page(raw: bytes) -> bytes:
    """The page that begins here; nothing where it is not whole."""
    if len(raw) < 27:
        return b""
    end = 27 + raw[26] + sum(raw[27 : 27 + raw[26]])
    page = raw[:end]
    unsigned = page[:22] + bytes(4) + page[26:]
    is_whole = len(page) == end and _crc(unsigned, _CRC_32, 32) == int.from_bytes(page[22:26], "little")
    return page if is_whole else b""


def _wav(head: bytes, tail: bytes, source: Source, whole: Whole) -> Container | None:
    """With the true size of its data, where the header has none and sound follows."""
    at = 12
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"data":
            if length or head[at + 8 : at + 12] in (b"", *TRAILING_CHUNKS):
                return None
            content = bytearray(whole())
            size, rest = len(content), len(content) - at - 8
            content[at + 4 : at + 8] = rest.to_bytes(4, "little")
            content[4:8] = (size - 8).to_bytes(4, "little")
            return Container(io.BytesIO(bytes(content)), is_sure=True)
        at += 8 + length + length % 2
    return None


def _mp3_is_cut(content: bytes) -> bool:
    """Whether the last frame of MPEG audio, layer III, reaches past the end of the file."""
    at = 0
    if content[:3] == b"ID3" and len(content) >= 10:
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    while at + 4 <= len(content):
        length = _mp3_frame_bytes(content[at : at + 4])
        if length is None:  # tags after the last frame, or nothing that can be followed
            return False
        at += length
    return at > len(content) or 0 < len(content) - at < 4


def _mp3_frame_bytes(header: bytes) -> int | None:
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if header[0] != 0xFF or header[1] < 0xE0 or version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return None
    samples = 1_152 if version == 3 else 576
    kbps = MP3_BITRATES_KBPS[version == 3][bitrate]
    return samples // 8 * kbps * 1_000 // MP3_RATES_HZ[version][rate] + (header[2] >> 1 & 1)


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1

    def one(byte: int) -> int:
        return list(accumulate(range(8), lambda r, _: (r << 1 ^ (polynomial if r & top else 0)) & mask,
                               initial=byte << (bits - 8)))[-1]  # fmt: skip

    return tuple(map(one, range(256)))


_CRC_8 = _table(0x07, 8)
_CRC_16 = _table(0x8005, 16)
_CRC_32 = _table(0x04C1_1DB7, 32)


def _crc(content: bytes, table: tuple[int, ...], bits: int) -> int:
    found, mask, shift = 0, (1 << bits) - 1, bits - 8
    for byte in content:
        found = (found << 8 & mask) ^ table[found >> shift ^ byte]
    return found
