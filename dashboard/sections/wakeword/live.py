"""A detector on live sound from the microphone, with its score drawn as it comes.

Results are handed over from the microphone's thread in a bounded queue.
"""

import threading
from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import state
from dashboard.charts import detection_charts
from dashboard.components.webrtc import microphone
from dashboard.services import wakeword_detectors
from dashboard.services.wakeword_detectors import DetectorChoice
from pipeline.i18n import _, ngettext, number
from pipeline.runs import RunDirectory

if TYPE_CHECKING:
    from pipeline.wakeword.file_detection import Detection, JudgedDetector
    from pipeline.wakeword.runtime.detector import WindowResult

KEPT_WINDOWS = 200  # 20 s of scores
LOWEST_DB, RANGE_DB = -70.0, 60.0  # of the level meter


class Listener:
    """Feeds the detector, keeps the last scores and the level, and counts what is accepted and what is rejected."""

    def __init__(self, detector: "JudgedDetector") -> None:
        self._detector = detector
        self._lock = threading.Lock()
        self._windows: deque[tuple[WindowResult, Detection | None]] = deque(maxlen=KEPT_WINDOWS)
        self.level_db = -100.0
        self.n_detected = self.n_rejected = 0

    @property
    def threshold(self) -> float:
        return self._detector.threshold

    def hear(self, samples: NDArray[np.float32]) -> None:
        results = self._detector.feed(samples)
        with self._lock:
            self._windows.extend(results)
            accepted = [detection.is_accepted for _window, detection in results if detection is not None]
            self.n_detected += sum(accepted)
            self.n_rejected += len(accepted) - sum(accepted)
            self.level_db = 10.0 * float(np.log10(np.square(samples).mean() + 1e-10))

    def windows(self) -> "list[tuple[WindowResult, Detection | None]]":
        with self._lock:
            return list(self._windows)


def live_microphone(run: RunDirectory, choice: DetectorChoice) -> None:
    """Start, speak, and watch the score."""
    key = f"live-{run.id}-{'-'.join(map(str, vars(choice).values()))}"
    listener = state.recall(key)
    if listener is None:
        listener = Listener(wakeword_detectors.detector(run, choice))
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
    heard = listener.windows()
    left, right = st.columns(2)
    left.metric(_("Detected"), number(listener.n_detected))
    level = min(1.0, max(0.0, (listener.level_db - LOWEST_DB) / RANGE_DB))
    right.progress(level, text=_("Level {n} dB").format(n=number(listener.level_db)))
    if listener.n_rejected:
        right.caption(
            ngettext("{n} detection was rejected.", "{n} detections were rejected.", listener.n_rejected).format(
                n=number(listener.n_rejected)
            )
        )
    if not heard:
        st.caption(_("Waiting for sound …"))
        return
    st.plotly_chart(
        detection_charts.score_trace(
            [window.end_s for window, _detection in heard], [window.score for window, _detection in heard],
            [detection.at_s for _window, detection in heard if detection is not None and detection.is_accepted],
            listener.threshold,
        ),
        key="live-trace",
    )  # fmt: skip
