"""What a file's own bytes say of where its sound ends, where the header does not know, lies, or promises more.

Recorders that write into a pipe (`ffmpeg ... pipe:1`) cannot go back to fill in a length; those that are killed leave
the last frame or page half written. libsndfile believes headers, so a header that is wrong is mended in memory before
libsndfile sees it. Tags of players (ID3, APE) around the sound are no part of it. Formats: RFC 9639 (FLAC), RFC 3533
(Ogg), ISO/IEC 11172-3 (MPEG audio), EBU Tech 3306 (RF64), RIFF, AIFF, Sony Wave64, Sun AU.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Literal

MAX_MENDED_BYTES = 50 * 2**20  # as many as an upload may have; what is larger is left as it is
TAIL_BYTES = 262_144  # holds the last frame or page of any common file
OGG_NO_POSITION = (0, 0xFFFF_FFFF_FFFF_FFFF)
OGG_POSITION_AHEAD = 1 << 40  # past any end: the decoder stops where the sound does
OGG_LAST = 0x04
TRAILING_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"fact", b"cue ", b"bext", b"smpl", b"JUNK", b"PEAK", b"iXML")
WAVE64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
WAVE64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
CHUNKED = (b"RIFF", b"RIFX", b"RF64", b"FORM", b".snd", b"dns.", WAVE64_RIFF[:4])
MOST_CHUNKS = 10_000  # more are no file that anybody records
IN_DS64 = 0xFFFF_FFFF  # the size of RF64's data chunk, whose true one is in its ds64 chunk
Source = Path | io.BytesIO
Read = Callable[[int, int], bytes]  # from, how many
EMPTY_TAG = b"ID3\x04" + bytes(5) + b"\x0a" + bytes(10)  # libsndfile 1.2.2 opens no MP3 in memory without a tag
Order = Literal["big", "little"]
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
    `is_sure`: the length in its header agrees with its bytes. `promised_bytes`: of sound, by the header of a file that
    states them; `present_bytes`: what is there of them."""

    source: Source
    is_cut: bool = False
    is_sure: bool = False
    promised_bytes: int = 0
    present_bytes: int = 0


def open_container(source: Path | bytes) -> Container:
    """Look at the bytes. Raises OSError where they cannot be read."""
    if isinstance(source, Path):
        with source.open("rb") as file:

            def read(at: int, n: int) -> bytes:
                file.seek(at)
                return file.read(n)

            return _looked_at(source, source.stat().st_size, read, source.read_bytes)
    return _looked_at(io.BytesIO(source), len(source), lambda at, n: source[at : at + n], lambda: source)


def _looked_at(source: Source, size: int, read: Read, whole: Whole) -> Container:
    magic = read(0, 4)
    if magic in CHUNKED:
        return _chunked(source, size, read, whole)
    if size > MAX_MENDED_BYTES:
        return Container(source)
    begin, end = _without_tags(size, read)
    magic = read(begin, 4)
    if magic in (b"fLaC", b"OggS"):
        if (begin, end) != (0, size):
            untagged = whole()[begin:end]
            source, whole = io.BytesIO(untagged), lambda: untagged
        head, tail = read(begin, min(TAIL_BYTES, end - begin)), read(max(begin, end - TAIL_BYTES), TAIL_BYTES)
        tail = tail[: end - max(begin, end - TAIL_BYTES)]
        return (_flac if magic == b"fLaC" else _ogg)(head, tail, source, whole) or Container(source)
    if magic[:1] == b"\xff" and magic[1:2] >= b"\xe0":
        content = whole()
        if begin == 0 and isinstance(source, io.BytesIO):
            source = io.BytesIO(EMPTY_TAG + content)
        return Container(source, is_cut=_mp3_is_cut(content[begin:end]))
    return Container(source)


def _without_tags(size: int, read: Read) -> tuple[int, int]:
    """Where the sound begins and ends between the tags of players: ID3v2 before it; ID3v1, APE and Lyrics3 after it."""
    begin, end = 0, size
    while (head := read(begin, 10))[:3] == b"ID3" and len(head) == 10:
        length = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        begin += 10 + length + (10 if head[5] & 0x10 else 0)
    while end - begin >= 32 and (length := _tag_bytes(read(max(begin, end - 355), 355)[: end - max(begin, end - 355)])):
        end -= length
    return (begin, end) if begin < end else (0, size)


def _tag_bytes(tail: bytes) -> int:
    """How long the tag is with which `tail` ends; 0 where it ends with none."""
    if tail[-128:-125] == b"TAG":
        return 355 if tail[-355:-351] == b"TAG+" else 128
    if tail[-32:-24] == b"APETAGEX":
        has_header = int.from_bytes(tail[-12:-8], "little") >> 31
        return int.from_bytes(tail[-20:-16], "little") + 32 * has_header
    if tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
        return int(tail[-15:-9]) + 15
    return 0


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


def _chunked(source: Source, size: int, read: Read, whole: Whole) -> Container:
    """Sound behind a header that states its size, with the true size where it states none and sound follows."""
    stated = _sound(size, read)
    if stated is None:
        return Container(source, is_sure=True)
    begin, promised, field, order = stated
    present = max(0, size - begin)
    container = Container(source, is_sure=True, promised_bytes=promised, present_bytes=min(promised, present))
    is_empty = (promised and not _is_too_small(promised, begin, size, read)) or read(begin, 4) in (
        b"",
        *TRAILING_CHUNKS,
    )
    if is_empty or field is None or size > MAX_MENDED_BYTES:
        return container
    content = bytearray(whole())
    extra = 24 if content.startswith(WAVE64_RIFF) else 0
    content[field] = (present + extra).to_bytes(field.stop - field.start, order)
    if content.startswith((b"RIFF", b"RIFX")):
        content[4:8] = (size - 8).to_bytes(4, order)
    return replace(container, source=io.BytesIO(bytes(content)), promised_bytes=present, present_bytes=present)


def _is_too_small(promised: int, begin: int, size: int, read: Read) -> bool:
    """Whether the sound of a RIFF file goes on where its header says that it ends: what follows must be a chunk, whose
    name is plain text and whose size fits."""
    after = begin + promised + promised % 2
    if read(0, 4) != b"RIFF" or size - after < 8:
        return False
    head = read(after, 8)
    return not head[:4].isascii() or not head[:4].decode("ascii").isprintable()


def _sound(size: int, read: Read) -> tuple[int, int, slice | None, Order] | None:
    """Where the sound begins, its size by the header, the bytes that state it (None: libsndfile knows better itself
    where they are 0), and their order; None where no chunk of sound is found."""
    magic = read(0, 16)
    if magic[:4] in (b".snd", b"dns."):
        order: Order = "big" if magic[:4] == b".snd" else "little"
        begin, promised = (int.from_bytes(read(at, 4), order) for at in (4, 8))
        return begin, promised, slice(8, 12), order
    is_64 = magic == WAVE64_RIFF
    order = "big" if magic[:4] in (b"FORM", b"RIFX") else "little"
    n_name, n_size, align = (16, 8, 8) if is_64 else (4, 4, 2)
    at, in_ds64 = (40, None) if is_64 else (12, None)
    for _ in range(MOST_CHUNKS):
        head = read(at, n_name + n_size) if at < size else b""
        if len(head) < n_name + n_size:
            break
        name, length = head[:n_name], int.from_bytes(head[n_name:], order)
        begin, field = at + n_name + n_size, slice(at + n_name, at + n_name + n_size)
        if is_64:
            length = max(0, length - n_name - n_size)
        if name == b"ds64":
            in_ds64 = slice(begin + 8, begin + 16)
        elif name in (b"data", WAVE64_DATA):
            if in_ds64 is not None and length == IN_DS64:
                field, length = in_ds64, int.from_bytes(read(in_ds64.start, 8), order)
            return begin, length, field, order
        elif name == b"SSND":
            return begin + 8, max(0, length - 8), None, order
        at = begin + length + -length % align
    return None


def _mp3_is_cut(content: bytes) -> bool:
    """Whether MPEG audio, layer III, ends within a frame, or with fewer frames than its first one states."""
    stated = _mp3_frames(content)
    at = n = 0
    while at + 4 <= len(content):
        length = _mp3_frame_bytes(content[at : at + 4])
        if length is None:  # a tag that is not known, or nothing that can be followed
            return False
        at += length
        n += 1
    # Some encoders count the frame that states the number, others do not.
    return at > len(content) or 0 < len(content) - at < 4 or n < stated


def _mp3_frames(content: bytes) -> int:
    """The number of frames by the header of Xing or Fraunhofer (VBRI) in the first; 0 where there is none."""
    for at in (4 + 32, 4 + 17, 4 + 9):  # behind the side information of stereo and mono, MPEG 1 and 2
        if content[at : at + 4] in (b"Xing", b"Info") and content[at + 7 : at + 8] and content[at + 7] & 1:
            return int.from_bytes(content[at + 8 : at + 12], "big")
    return int.from_bytes(content[50:54], "big") if content[36:40] == b"VBRI" else 0


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
