"""The microphone through WebRTC: a detector on the sound as it comes, with its score drawn live.

The only module that knows streamlit-webrtc. Its callback runs in a thread of its own, where no `st` function may be
called; what it finds is handed over in a bounded queue.
"""

import threading
from collections import deque
from typing import Any

import numpy as np
import streamlit as st

from dashboard import detection_charts, wakewords
from pipeline.runs import RunDirectory
from pipeline.wakeword.detector import Judged, StreamingDetector

KEPT_WINDOWS = 200  # 20 s of scores
RATE_HZ = 16_000


class Listener:
    """Takes the browser's frames, feeds the detector, keeps the last scores and the level."""

    def __init__(self, detector: StreamingDetector) -> None:
        from av.audio.resampler import AudioResampler

        self._detector = detector
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        self._lock = threading.Lock()
        self._windows: deque[Judged] = deque(maxlen=KEPT_WINDOWS)
        self.level_db = -100.0
        self.n_detected = 0

    @property
    def threshold(self) -> float:
        return self._detector.threshold

    def hear(self, frame: Any) -> None:
        parts = [part.to_ndarray().ravel() for part in self._resampler.resample(frame)]
        samples = np.concatenate(parts).astype(np.float32) / 32768.0 if parts else np.zeros(0, dtype=np.float32)
        if not len(samples):
            return
        judged = self._detector.feed(samples)
        with self._lock:
            self._windows.extend(judged)
            self.n_detected += sum(window.detected for window in judged)
            self.level_db = 10.0 * float(np.log10(np.square(samples).mean() + 1e-10))

    def windows(self) -> list[Judged]:
        with self._lock:
            return list(self._windows)


def live_microphone(run: RunDirectory, preset: str | None, threshold: float | None) -> None:
    """Press Start, speak; a refused microphone is said in words by the recorder, and files go on working."""
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    key = f"live-{run.id}-{preset}-{threshold}"
    listener = _listener(run, preset, threshold)

    def callback(frames: list[Any]) -> list[Any]:
        for frame in frames:
            listener.hear(frame)
        return frames

    async def queued(frames: list[Any]) -> list[Any]:
        return callback(frames)

    context = webrtc_streamer(
        key=key, mode=WebRtcMode.SENDONLY, queued_audio_frames_callback=queued, rtc_configuration={"iceServers": []},
        media_stream_constraints={"audio": {"echoCancellation": False, "noiseSuppression": False}, "video": False},
    )  # fmt: skip
    if not context.state.playing:
        st.caption(
            "Press Start and allow the microphone. If the browser refuses it, allow it in the address bar's site "
            "settings and press Start again, or record under “Recording or file”."
        )
        return
    _trace(listener)


@st.cache_resource(max_entries=4, show_spinner=False)
def _listener(_run: RunDirectory, preset: str | None, threshold: float | None) -> Listener:
    return Listener(wakewords.detector(_run, preset, threshold))


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
