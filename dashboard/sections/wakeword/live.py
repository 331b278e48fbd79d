"""A detector on live sound from the microphone, with its score drawn as it comes.

Results are handed over from the microphone's thread in a bounded queue.
"""

import threading
from collections import deque

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import state
from dashboard.charts import detection_charts
from dashboard.components.webrtc import microphone
from dashboard.services import wakeword
from pipeline.i18n import _, number
from pipeline.runs import RunDirectory
from pipeline.wakeword.runtime.detector import StreamingDetector, WindowResult

KEPT_WINDOWS = 200  # 20 s of scores
LOWEST_DB, RANGE_DB = -70.0, 60.0  # of the level meter


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
        results = self._detector.feed(samples)
        with self._lock:
            self._windows.extend(results)
            self.n_detected += sum(window.detected for window in results)
            self.level_db = 10.0 * float(np.log10(np.square(samples).mean() + 1e-10))

    def windows(self) -> list[WindowResult]:
        with self._lock:
            return list(self._windows)


def live_microphone(run: RunDirectory, preset: str | None, threshold: float | None, word: str = "") -> None:
    """Start, speak, and watch the score."""
    key = f"live-{run.id}-{preset}-{threshold}-{word}"
    listener = state.recall(key)
    if listener is None:
        listener = Listener(wakeword.detector(run, preset, threshold, word))
        state.remember(key, listener)
    if not microphone(key, listener.hear):
        st.caption(
            _(
                "Press Start and allow the microphone. If the browser refuses, allow it in the site settings beside "
                "the address and press Start again, or use “Recording or file”."
            )
        )
        return
    _trace(listener)


@st.fragment(run_every=0.5)
def _trace(listener: Listener) -> None:
    windows = listener.windows()
    left, right = st.columns(2)
    left.metric(_("Detected"), number(listener.n_detected))
    level = min(1.0, max(0.0, (listener.level_db - LOWEST_DB) / RANGE_DB))
    right.progress(level, text=_("Level {n} dB").format(n=number(listener.level_db)))
    if not windows:
        st.caption(_("Waiting for sound …"))
        return
    st.plotly_chart(
        detection_charts.score_trace(
            [w.end_s for w in windows], [w.score for w in windows], [w.end_s for w in windows if w.detected],
            listener.threshold,
        ),
        key="live-trace",
    )  # fmt: skip
