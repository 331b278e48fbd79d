"""What the server takes of a recording from the browser."""

import base64

import numpy as np
import pytest

from dashboard.components.voice_recorder import HEADER_BYTES, Span, wav_bytes
from pipeline.audio.encode import to_wav

WAV = to_wav(np.zeros(800, dtype=np.float32), 48_000)


def sent(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_takes_a_whole_wav_file_of_the_longest_recording() -> None:
    span = Span(0.8, 0.5)
    longest = to_wav(np.zeros(24_000, dtype=np.float32), 48_000)
    assert len(longest) == span.most_bytes == HEADER_BYTES + 48_000
    assert wav_bytes(sent(longest), span.most_bytes) == longest


@pytest.mark.parametrize(
    "value",
    [
        None, 7, {"wav": sent(WAV)}, "", "no base64!", sent(b"this is not audio" * 50), sent(WAV[:-2]),
        sent(WAV + b"\0\0"), sent(WAV[:HEADER_BYTES]), "ö" * 100, sent(b"RIFF" + WAV[4:8] + b"AVI " + WAV[12:]),
    ],
)  # fmt: skip
def test_takes_nothing_that_is_no_whole_wav_file(value: object) -> None:
    assert wav_bytes(value, 10_000) is None


def test_takes_no_more_than_a_recording_may_have() -> None:
    assert wav_bytes(sent(WAV), len(WAV)) == WAV
    assert wav_bytes(sent(WAV), len(WAV) - 1) is None
    assert wav_bytes("A" * 100_000_000, 10_000) is None
