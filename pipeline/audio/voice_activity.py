"""silero-vad: the probability that somebody speaks, for blocks of 32 ms, run with onnxruntime.

The model is the 16 kHz graph of silero-vad 6.2 (`silero/`, MIT licence). Each block is judged together with the 64
samples before it and with a state that is carried from block to block.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ

MODEL = Path(__file__).parent / "silero" / "silero_vad.onnx"
BLOCK = 512  # samples
CONTEXT = 64  # samples
STATE_SHAPE = (2, 1, 128)


class VoiceActivity:
    """Judges one stream; two streams must not share one, nor two threads."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # a block is too small to share
        self._session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        self._state = np.zeros(STATE_SHAPE, dtype=np.float32)
        self._context = np.zeros(CONTEXT, dtype=np.float32)

    def block(self, samples: NDArray[np.float32]) -> float:
        """The probability (0-1) that the next BLOCK samples at 16 kHz hold a voice."""
        sound = np.concatenate([self._context, samples], dtype=np.float32)[np.newaxis]
        answer, self._state = self._session.run(
            None, {"input": sound, "state": self._state, "sr": np.array(TARGET_RATE_HZ, dtype=np.int64)}
        )
        self._context = sound[0, -CONTEXT:]
        return float(answer[0, 0])

    def probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """One for each block of a whole recording [ceil(n / BLOCK)], the last one filled up with silence."""
        self.reset()
        return np.array([self.block(block) for block in blocks_of(samples)], dtype=np.float32)

    def both_ways(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `probabilities`, heard forwards and backwards [2, ceil(n / BLOCK)]: the model holds on to a voice for a
        while after it has ended, so that each end is sharp only in the direction that comes upon it."""
        heard = np.stack([blocks_of(samples), blocks_of(samples).reshape(-1)[::-1].reshape(-1, BLOCK)])
        state, context = np.zeros((2, 2, STATE_SHAPE[-1]), np.float32), np.zeros((2, CONTEXT), np.float32)
        sure = np.zeros(heard.shape[:2], dtype=np.float32)
        rate = np.array(TARGET_RATE_HZ, dtype=np.int64)
        for block in range(heard.shape[1]):
            sound = np.concatenate([context, heard[:, block]], axis=1)
            answer, state = self._session.run(None, {"input": sound, "state": state, "sr": rate})
            sure[:, block], context = answer[:, 0], sound[:, -CONTEXT:]
        return np.stack([sure[0], sure[1, ::-1]])


def blocks_of(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A recording in blocks [ceil(n / BLOCK), BLOCK], the last one filled up with silence."""
    n_blocks = -(-len(samples) // BLOCK)
    return np.pad(samples, (0, n_blocks * BLOCK - len(samples))).reshape(n_blocks, BLOCK)
