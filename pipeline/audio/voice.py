"""Where somebody speaks: silero-vad's voice probability, which sees quiet endings that energy does not."""

from collections import OrderedDict
from functools import cache
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ as RATE_HZ
from pipeline.audio.voice_activity import BLOCK, VoiceActivity, blocks_of

LEVEL = 0.3
LONGEST_PAUSE = round(0.3 * RATE_HZ)  # within a word or phrase
MARGIN = round(0.04 * RATE_HZ)
_one_at_a_time = Lock()  # the model carries its state from block to block, and pages score in threads
# Several scorers and the comparison with the reference ask for the same recording: listening takes longest of all.
_heard: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
MAX_HEARD = 256  # recordings, 250 bytes a second each


def find_word(samples: NDArray[np.float32]) -> tuple[int, int]:
    """First sample of the word and the one after its last: the stretch with the most voice. Without any voice, the
    stretch whose energy is within 25 dB of the loudest frame's."""
    sure = _probabilities(samples)
    voiced = np.flatnonzero(sure > LEVEL)
    if not len(voiced):
        energy = np.array([float(np.square(block).mean()) for block in blocks_of(samples)])
        voiced, sure = np.flatnonzero(energy >= energy.max() * 10**-2.5), energy
    breaks = np.flatnonzero(np.diff(voiced) * BLOCK > LONGEST_PAUSE)
    runs = np.split(voiced, breaks + 1)
    best = max(runs, key=lambda run: float(sure[run].sum()))
    start, end = int(best[0]) * BLOCK - MARGIN, (int(best[-1]) + 1) * BLOCK + MARGIN
    return max(0, start), min(len(samples), end)


def surest_voice(samples: NDArray[np.float32]) -> float:
    """The highest probability of a voice in any 32 ms, 0-1."""
    return float(_probabilities(samples).max(initial=0.0)) if len(samples) else 0.0


def voice_both_ways(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probability of a voice in each block, heard forwards and backwards [2, n_blocks]; not to be written to."""
    key = blake2b(np.ascontiguousarray(samples).data, digest_size=16).digest()
    with _one_at_a_time:
        if key in _heard:
            _heard.move_to_end(key)
            return _heard[key]
        sure = _model().both_ways(_levelled(samples))
        sure.flags.writeable = False
        _heard[key] = sure
        if len(_heard) > MAX_HEARD:
            _heard.popitem(last=False)
        return sure


def _probabilities(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    with _one_at_a_time:
        return _model().probabilities(_levelled(samples))


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """It hears little in faint recordings."""
    peak = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(0.5 / peak) if peak > 0 else samples


@cache
def _model() -> VoiceActivity:
    return VoiceActivity()
