"""When somebody who was asked to speak has begun, and has ended: sound in pieces in, the recording out."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ
from pipeline.audio.voice_activity import BLOCK, VoiceActivity
from pipeline.records import Seconds

Samples = NDArray[np.float32]
BEGINS, ENDS = 0.5, 0.35  # probabilities of voice, as silero-vad's own iterator has them
SHORTEST_SPEECH_S: Seconds = 0.16
LEAD_S: Seconds = 0.3  # kept from before the speech began


class Phase(StrEnum):
    WAITING = "waiting"  # nobody has spoken yet
    SPEAKING = "speaking"
    DONE = "done"  # silence followed speech, or it grew too long


class Endpointer:
    """Feed sound at 16 kHz as it comes; after `silence_s` without voice, or `longest_s` in all, it is done.

    `waits_s` bounds the silence before the first word; then `phase` is DONE too and `heard` is False."""

    def __init__(
        self,
        silence_s: Seconds = 0.9,
        longest_s: Seconds = 20.0,
        waits_s: Seconds = 10.0,
        model: VoiceActivity | None = None,
    ) -> None:
        self._model = model or VoiceActivity()
        self._silence, self._longest, self._waits = (round(s * TARGET_RATE_HZ) for s in (silence_s, longest_s, waits_s))
        self.phase = Phase.WAITING
        self.heard = False
        self._samples: list[Samples] = []
        self._rest = np.zeros(0, dtype=np.float32)
        self._n = self._voiced = self._begun_at = self._last_voice = 0

    def feed(self, samples: Samples) -> Phase:
        """Later sound is not looked at once it is done."""
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // BLOCK * BLOCK
        for start in range(0, whole, BLOCK):
            if self.phase is not Phase.DONE:
                self._block(sound[start : start + BLOCK])
        self._rest = sound[whole:]
        return self.phase

    def recording(self) -> Samples:
        """From shortly before the first voice to the end; all of it where nobody was heard."""
        everything = np.concatenate(self._samples) if self._samples else np.zeros(0, dtype=np.float32)
        start = max(0, self._begun_at - round(LEAD_S * TARGET_RATE_HZ)) if self.heard else 0
        return everything[start:]

    def _block(self, block: Samples) -> None:
        sure = self._model.block(block)
        self._samples.append(block)
        self._n += BLOCK
        if sure > (ENDS if self._voiced else BEGINS):
            if not self._voiced:
                self._begun_at = self._n - BLOCK
            self._voiced += BLOCK
            self._last_voice = self._n
        elif not self.heard and self._n - self._last_voice > self._silence // 3:
            self._voiced = 0  # a click or a cough, not speech
        if self._voiced >= SHORTEST_SPEECH_S * TARGET_RATE_HZ and not self.heard:
            self.heard, self.phase = True, Phase.SPEAKING
        quiet = self._n - self._last_voice
        ended = quiet >= self._silence if self.heard else self._n >= self._waits
        if ended or self._n >= self._longest:
            self.phase = Phase.DONE
