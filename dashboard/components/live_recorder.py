"""Recording that starts and stops by itself: level and melody while one speaks, done when one has spoken.

Sound comes in a thread of its own through `dashboard.components.webrtc`; the page looks at it three times a second.
"""

import threading
from collections import deque

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import state
from dashboard.charts import practice_charts
from dashboard.components.microphone_advice import NEEDS_HTTPS, NO_MICROPHONE
from dashboard.components.webrtc import RATE_HZ, insecure_origin, microphone
from pipeline.audio.encode import to_wav
from pipeline.audio.endpoint import Endpointer, Phase
from pipeline.i18n import _, number

EVERY_S = 0.35
SHOWN_S = 6.0  # of melody
PITCH_EVERY_S, PITCH_WINDOW_S = 0.05, 0.12
QUIET_DB, LOUD_DB = -60.0, -3.0
SPANS = {
    "word": (0.7, 8.0),
    "sentence": (1.1, 25.0),
    "free": (2.5, 30.0),
}  # silence that ends it, and the longest, in seconds


class LiveRecording:
    """A recording while it is being made; `hear` is called from the microphone's thread."""

    def __init__(self, silence_s: float, longest_s: float) -> None:
        self._endpointer = Endpointer(silence_s, longest_s)
        self._lock = threading.Lock()
        self._recent = np.zeros(0, dtype=np.float32)
        self._melody: deque[tuple[float, float]] = deque(maxlen=round(SHOWN_S / PITCH_EVERY_S))
        self._n = self._n_pitched = 0
        self.level_db = QUIET_DB
        self.clipped = False

    @property
    def phase(self) -> Phase:
        return self._endpointer.phase

    @property
    def heard(self) -> bool:
        return self._endpointer.heard

    def hear(self, samples: NDArray[np.float32]) -> None:
        with self._lock:
            if self.phase is Phase.DONE:
                return
            self._endpointer.feed(samples)
            self._n += len(samples)
            self._recent = np.concatenate([self._recent, samples])[-round(PITCH_WINDOW_S * RATE_HZ) :]
            self.level_db = max(QUIET_DB, 10.0 * float(np.log10(np.square(self._recent).mean() + 1e-10)))
            self.clipped |= bool((np.abs(samples) > 0.99).any())
            if self._n - self._n_pitched >= PITCH_EVERY_S * RATE_HZ:
                self._n_pitched = self._n
                self._melody.append((self._n / RATE_HZ, _pitch_hz(self._recent)))

    def melody(self) -> list[tuple[float, float]]:
        """Seconds and hertz, NaN where nothing is voiced."""
        with self._lock:
            return list(self._melody)

    def wav(self) -> bytes:
        with self._lock:
            return to_wav(self._endpointer.recording(), RATE_HZ)


def live_recorder(key: str, rubric: str) -> bytes | None:
    """Draw it; returns the newest recording of `key`, None while there is none."""
    if insecure_origin():
        st.warning(_(NEEDS_HTTPS), icon=":material/lock_open:")
        return None
    count = int(state.recall(f"live-count.{key}", 0))
    recording = state.recall(f"live.{key}")
    if isinstance(recording, bytes):
        st.audio(recording)
        if st.button(_("Record again"), icon=":material/replay:", key=f"again-{key}"):
            state.remember(f"live.{key}", None)
            state.remember(f"live-count.{key}", count + 1)
            st.rerun()
        return recording
    if recording is None:
        recording = LiveRecording(*SPANS[rubric])
        state.remember(f"live.{key}", recording)
    if not microphone(f"live-{key}-{count}", recording.hear):
        st.caption(_("Press Start, allow the microphone and speak. Recording stops when you have finished."))
        st.caption(_(NO_MICROPHONE))
        return None
    _watch(key, recording)
    return None


@st.fragment(run_every=EVERY_S)
def _watch(key: str, recording: LiveRecording) -> None:
    if recording.phase is Phase.DONE:
        if recording.heard:
            state.remember(f"live.{key}", recording.wav())
        else:
            state.forget(f"live.{key}")
            state.remember(f"live-count.{key}", int(state.recall(f"live-count.{key}", 0)) + 1)
            st.toast(_("No speech for ten seconds. Check the microphone and start again."))
        st.rerun()
    share = (recording.level_db - QUIET_DB) / (LOUD_DB - QUIET_DB)
    if recording.clipped:
        words = _("Too loud: move away from the microphone a little ({level} dB)")
    elif recording.phase is Phase.WAITING:
        words = _("Speak now ({level} dB)")
    else:
        words = _("Listening … ({level} dB)")
    st.progress(min(1.0, max(0.0, share)), text=words.format(level=number(recording.level_db)))
    st.plotly_chart(practice_charts.live_melody(recording.melody(), SHOWN_S), key=f"melody-{key}")


def _pitch_hz(samples: NDArray[np.float32]) -> float:
    from pipeline.audio.load import Audio
    from pipeline.features.frames import Frames

    if len(samples) < PITCH_WINDOW_S * RATE_HZ or np.abs(samples).max() < 0.01:
        return float("nan")
    f0_hz = Frames(Audio(samples, RATE_HZ, RATE_HZ, 1)).pitch.f0_hz
    voiced = f0_hz[f0_hz > 0]
    return float(np.median(voiced)) if len(voiced) else float("nan")
