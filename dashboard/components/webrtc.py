"""The browser's microphone through WebRTC, as sound at 16 kHz. The only module that knows streamlit-webrtc.

Its callback runs in a thread of its own, where no `st` function may be called.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard import state
from pipeline.i18n import _

RATE_HZ = 16_000
# Nothing but the machine itself is asked: whoever serves over a network with NAT needs a TURN server of their own.
ICE_SERVERS: list[Any] = []
CONSTRAINTS: Any = {"audio": {"echoCancellation": False, "noiseSuppression": False}, "video": False}  # not shown


def microphone(key: str, hear: Callable[[NDArray[np.float32]], None]) -> bool:
    """Draw Start and Stop; `hear` gets the samples as they come. Whether it is on."""
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    resampler = _resampler(key)

    async def queued(frames: list[Any]) -> list[Any]:
        for frame in frames:
            samples = resampled(resampler, frame)
            if len(samples):
                hear(samples)
        return frames

    context = webrtc_streamer(
        key=key, mode=WebRtcMode.SENDONLY, queued_audio_frames_callback=queued,
        rtc_configuration={"iceServers": ICE_SERVERS}, media_stream_constraints=CONSTRAINTS,  # not shown
        translations={
            "start": _("Start"), "stop": _("Stop"), "select_device": _("Choose microphone"),
            "select_microphone": _("Choose microphone"), "mute_microphone": _("Mute microphone"),
            "unmute_microphone": _("Unmute microphone"),
            "media_api_not_available": _("This browser cannot record."),
            "device_ask_permission": _("Allow this page to use the microphone."),
            "device_not_available": _("No microphone was found."),
            "device_access_denied": _("This page may not use the microphone. Allow it in the browser's settings."),
        },
    )  # fmt: skip
    return bool(context.state.playing)


def new_resampler() -> Any:
    from av.audio.resampler import AudioResampler

    return AudioResampler(format="s16", layout="mono", rate=RATE_HZ)


def resampled(resampler: Any, frame: Any) -> NDArray[np.float32]:
    """A frame of a browser (stereo, 48 kHz) as mono at 16 kHz, full scale 1."""
    parts = [part.to_ndarray().ravel() for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float32) / 32768.0 if parts else np.zeros(0, dtype=np.float32)


def _resampler(key: str) -> Any:
    """One per visitor and microphone: it remembers the end of the frame before."""
    resampler = state.recall(f"resampler.{key}")
    if resampler is None:
        resampler = new_resampler()
        state.remember(f"resampler.{key}", resampler)
    return resampler
