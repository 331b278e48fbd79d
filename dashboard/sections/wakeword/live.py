"""A detector on the microphone's sound as it comes, with its score drawn live.

What it finds is handed over from the microphone's thread in a bounded queue.
"""

import threading
from collections import deque

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import state
from dashboard.charts import detection_charts
from dashboard.components.webrtc import microphone
from dashboard.services import wakeword as wakewords
from pipeline.runs import RunDirectory
from pipeline.wakeword.runtime.detector import WindowResult, StreamingDetector

KEPT_WINDOWS = 200  # 20 s of scores


class Listener:
    """Feeds the detector, keeps the last scores and the level."""

    def __init__(self, detector: StreamingDetector) -> None:
        self._detector = detector
        self._lock = threading.Lock()
        self._windows: deque[WindowResult] = deque(maxlen=KEPT_WINDOWS)
        self.level_db = -100.0
        self.n_detected = 0

    @property
    def threshold(self) -> float:
        return self._detector.threshold

    def hear(self, samples: NDArray[np.float32]) -> None:
        judged = self._detector.feed(samples)
        with self._lock:
            self._windows.extend(judged)
            self.n_detected += sum(window.detected for window in judged)
            self.level_db = 10.0 * float(np.log10(np.square(samples).mean() + 1e-10))

    def windows(self) -> list[WindowResult]:
        with self._lock:
            return list(self._windows)


def live_microphone(run: RunDirectory, preset: str | None, threshold: float | None) -> None:
    """Press Start, speak; a refused microphone is said in words by the recorder, and files go on working."""
    key = f"live-{run.id}-{preset}-{threshold}"
    listener = state.recall(key)
    if listener is None:
        listener = Listener(wakewords.detector(run, preset, threshold))
        state.remember(key, listener)
    if not microphone(key, listener.hear):
        st.caption(
            "Press Start and allow the microphone. If the browser refuses it, allow it in the address bar's site "
            "settings and press Start again, or record under “Recording or file”."
        )
        return
    _trace(listener)


@st.fragment(run_every=0.5)
def _trace(listener: Listener) -> None:
    windows = listener.windows()
    left, right = st.columns(2)
    left.metric("Detected", listener.n_detected)
    right.progress(min(1.0, max(0.0, (listener.level_db + 70.0) / 60.0)), text=f"Level {listener.level_db:.0f} dB")
    if not windows:
        st.caption("Waiting for sound …")
        return
    st.plotly_chart(
        detection_charts.score_trace(
            [w.end_s for w in windows], [w.score for w in windows], [w.end_s for w in windows if w.detected],
            listener.threshold,
        ),
        key="live-trace",
    )  # fmt: skip
