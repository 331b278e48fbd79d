"""Zips that claim to be compressed otherwise than they are, or to have a password."""

import struct

METHOD, FLAGS = 10, 8  # in an entry of the directory; in the header of a file two bytes before


def with_entries(content: bytes, flags: int = 0, method: int = 8) -> bytes:
    """A zip whose every file claims these flags (1: a password) and this method (8: deflate, 14: LZMA)."""
    changed = bytearray(content)
    at = int.from_bytes(content[-6:-2], "little")  # of a zip without a comment
    while changed[at : at + 4] == b"PK\x01\x02":
        *lengths, _disk, _inner, _outer, local = struct.unpack("<HHHHHII", changed[at + 28 : at + 46])
        for place, value in ((FLAGS, flags), (METHOD, method)):
            for start in (at + place, local + place - 2):
                changed[start : start + 2] = value.to_bytes(2, "little")
        at += 46 + sum(lengths)
    return bytes(changed)
