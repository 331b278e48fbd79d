"""The 57 features beside librosa computing the same 57 with pYIN, and beside openSMILE's eGeMAPS; one core."""

import os

# One core, and no warnings about an optional backend: set before any library reads it.
os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"})

import numpy as np

from pipeline.audio.load import Audio, load_audio
from pipeline.features.acoustic57 import acoustic57
from pipeline.features.frames import Frames
from pipeline.settings import CHECKOUT
from tests.bench import BenchResult, best_s

SECONDS = 30.0


def run() -> list[BenchResult]:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    clips = _clips()
    seconds = sum(clip.duration_s for clip in clips)
    ours = best_s(lambda: [acoustic57(Frames(clip)) for clip in clips]) / seconds
    results = [
        BenchResult("acoustic57, recordings a second", len(clips) / (ours * seconds), "1/s"),
        BenchResult("acoustic57, real-time factor", ours, "s/s"),
    ]
    theirs = best_s(lambda: [_librosa57(clip) for clip in clips], repeats=2) / seconds
    results.append(
        BenchResult("librosa with pYIN, real-time factor", theirs, "s/s", ">= 4, aim 10", "librosa", theirs / ours)
    )
    try:
        import opensmile
    except ImportError:
        return results
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    egemaps = best_s(lambda: [smile.process_signal(clip.samples, 16000) for clip in clips], repeats=2) / seconds
    results.append(
        BenchResult("openSMILE eGeMAPS, real-time factor", egemaps, "s/s", ">= 1", "openSMILE", egemaps / ours)
    )
    return results


def _clips() -> list[Audio]:
    """Half a minute of the demo's words."""
    clips: list[Audio] = []
    for path in sorted((CHECKOUT / "data" / "demo").glob("participant_*/kelimeler/*.wav")):
        clips.append(load_audio(path))
        if sum(clip.duration_s for clip in clips) > SECONDS:
            break
    return clips


def _librosa57(clip: Audio) -> np.ndarray:
    """The same 57 by librosa's own functions and pitch tracker; formants from its LPC."""
    import librosa

    y, rate = clip.samples, 16000
    mfcc = librosa.feature.mfcc(y=y, sr=rate, n_mfcc=13, n_fft=1024, hop_length=160)
    width = min(9, mfcc.shape[1] - (1 - mfcc.shape[1] % 2))
    change = librosa.feature.delta(mfcc, width=max(3, width))
    f0, _, _ = librosa.pyin(y, fmin=75, fmax=500, sr=rate, frame_length=1024, hop_length=160)
    voiced = f0[np.isfinite(f0)]
    frames = librosa.util.frame(y, frame_length=640, hop_length=320)
    poles = [np.roots(librosa.lpc(frame * np.hanning(640) + 1e-6, order=12)) for frame in frames.T]
    formants = [np.sort(np.angle(p[p.imag > 0]) * rate / (2 * np.pi))[:3] for p in poles]
    rms = librosa.feature.rms(y=y, frame_length=640, hop_length=160)
    shape = [
        librosa.feature.spectral_centroid(y=y, sr=rate),
        librosa.feature.spectral_rolloff(y=y, sr=rate),
        librosa.feature.spectral_bandwidth(y=y, sr=rate),
        librosa.feature.spectral_flatness(y=y),
        librosa.feature.zero_crossing_rate(y),
    ]
    tempo = librosa.feature.tempo(y=y, sr=rate)
    harmonic = librosa.effects.harmonic(y)
    pitch = [voiced.mean(), voiced.std(), np.ptp(voiced)] if len(voiced) else [0.0, 0.0, 0.0]
    f1, f2, f3 = ([f[k] for f in formants if len(f) > k] or [0.0] for k in range(3))
    return np.concatenate(
        [
            mfcc.mean(1), mfcc.std(1), change.mean(1), pitch,
            [np.mean(f1), np.std(f1), np.mean(f2), np.std(f2), np.mean(f3)],
            [rms.mean(), rms.std(), rms.max()], [float(s.mean()) for s in shape], tempo,
            [float((harmonic**2).sum() / max((y**2).sum(), 1e-9))],
        ]
    )  # fmt: skip
