"""What is wrong with a recording, measured once: length, level, clipping, silence, noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import MAX_DURATION_S, Audio, AudioTooLongError, load_audio
from pipeline.errors import AudioError
from pipeline.i18n import N_, Message
from pipeline.records import AudioReport, Problem, Seconds

CUT_OFF = "cut_off"
NOISY = "noisy"
# Codes of what is said of a recording's sound: warnings that many recordings of a set may share.
SOUND_WARNINGS = frozenset(
    (CUT_OFF, NOISY, "clipped", "low_level", "low_sample_rate", "mostly_silent", "one_channel", "too_long")
)
FRAME_S: Seconds = 0.02
TOO_SHORT_S: Seconds = 0.15
LONG_S: Seconds = 60.0
SILENT_LEVEL_DB = -55.0
SILENT_PEAK = 0.003  # -50 dBFS
LOW_PEAK = 0.05  # -26 dBFS
SILENCE_BELOW_PEAK_DB = 40.0
SILENCE_FLOOR_DB = -60.0
MOSTLY_SILENT_SHARE = 0.8
MIN_SOUND_S: Seconds = 0.1  # less sound than this is a click, not a word
CLIPPED_SHARE = 0.001
NOISY_SNR_DB = 10.0
NARROW_RATE_HZ = 16_000
MIN_FRAMES_FOR_SNR = 10
DIGITAL_SILENCE_DB = -100.0


def check_audio(audio: Audio) -> AudioReport:
    """Measure `audio` and list what an expert or learner should know of it.

    Silence: frames of 20 ms more than 40 dB under the loudest frame, or under -60 dBFS. SNR: the mean power of the
    loudest tenth of the frames, less that of the quietest tenth, over that of the quietest tenth, in dB; None where
    there are under ten frames or the quietest are digital silence, so that no noise can be measured. A recording cut
    tightly around the speech has no pause to measure noise in, so that its SNR comes out too low. A constant offset
    of the samples counts neither as sound nor as noise.
    """
    levels_db = frame_levels_db(audio.samples, round(FRAME_S * audio.sample_rate_hz))
    loudest_db = float(levels_db.max(initial=-120.0))
    silent = levels_db < max(SILENCE_FLOOR_DB, loudest_db - SILENCE_BELOW_PEAK_DB)
    report = AudioReport(
        duration_s=audio.duration_s,
        sample_rate_hz=audio.source_rate_hz,
        channels=audio.source_channels,
        peak=audio.source_peak,
        clipped_share=audio.source_clipped_share,
        silence_share=float(silent.mean()) if len(levels_db) else 1.0,
        snr_db=estimate_snr_db(levels_db),
    )
    cut_off = Message(
        N_("The file is cut off after {seconds:.1f} s. Copy or record it again."), seconds=audio.duration_s
    )
    problems = _problems(report, loudest_db)
    if audio.source_channel is not None and not any(problem.severity == "error" for problem in problems):
        only = Message(
            N_("Only channel {channel} of {channels} was used: the others are silent, or cancel it out."),
            channel=audio.source_channel, channels=audio.source_channels,
        )  # fmt: skip
        problems.append(Problem("one_channel", only))
    return replace(report, problems=(Problem(CUT_OFF, cut_off), *problems) if audio.is_cut else tuple(problems))


def inspect_file(path: Path, *, max_duration_s: Seconds = MAX_DURATION_S) -> AudioReport:
    """Load and check `path` without raising: what is longer than `max_duration_s` gives a report with the error
    `too_long` and the header's duration, and whatever else cannot be read one with the error `unreadable`."""
    try:
        return check_audio(load_audio(path, max_duration_s=max_duration_s))
    except AudioTooLongError as error:
        return _unmeasured(Problem("too_long", error.text, "error"), error.duration_s)
    except AudioError as error:
        return _unmeasured(Problem("unreadable", error.text, "error"))


def frame_levels_db(samples: NDArray[np.float32], frame: int) -> NDArray[np.float64]:
    """Level in dBFS [n // frame] of consecutive frames about their own mean, floored at -120; a rest shorter than a
    frame is left out unless it is all there is."""
    n = len(samples) // frame
    if n == 0:
        frames = samples[None, :] if len(samples) else np.zeros((0, 1), dtype=np.float32)
    else:
        frames = samples[: n * frame].reshape(n, frame)
    centred = frames - frames.mean(axis=1, keepdims=True)
    power = np.einsum("ij,ij->i", centred, centred) / frames.shape[1]
    return np.asarray(10.0 * np.log10(np.maximum(power.astype(np.float64), 1e-12)))


def estimate_snr_db(levels_db: NDArray[np.float64]) -> float | None:
    """Speech-to-noise ratio from frame levels: 10 log10((S - N) / N) of the top and bottom tenths' mean powers,
    floored at -30 dB."""
    if len(levels_db) < MIN_FRAMES_FOR_SNR:
        return None
    ordered = np.sort(levels_db)
    tenth = max(1, len(ordered) // 10)
    if ordered[tenth - 1] < DIGITAL_SILENCE_DB:
        return None
    noise = float(np.mean(10.0 ** (ordered[:tenth] / 10.0)))
    speech = float(np.mean(10.0 ** (ordered[-tenth:] / 10.0)))
    return float(10.0 * np.log10(max(speech - noise, 1e-3 * noise) / noise))


def _unmeasured(problem: Problem, duration_s: Seconds = 0.0) -> AudioReport:
    return AudioReport(duration_s, 0, 0, 0.0, 0.0, 1.0, None, (problem,))


def _problems(report: AudioReport, loudest_db: float) -> list[Problem]:
    if report.duration_s == 0:
        return [Problem("empty", Message(N_("The recording is empty. Record it again.")), "error")]
    if report.peak < SILENT_PEAK or loudest_db < SILENT_LEVEL_DB:
        silent = Message(N_("Nothing can be heard. Check the microphone and record again."))
        return [Problem("silent", silent, "error")]
    problems: list[Problem] = []
    if report.duration_s < TOO_SHORT_S:
        message = Message(
            N_("The recording is only {seconds:.2f} s long; even a short word takes {least:.2f} s. Record it again."),
            seconds=report.duration_s, least=TOO_SHORT_S,
        )  # fmt: skip
        problems.append(Problem("too_short", message, "error"))
    if report.duration_s > LONG_S:
        message = Message(
            N_("The recording is {seconds:.0f} s long. Record one word or sentence."), seconds=report.duration_s
        )
        problems.append(Problem("too_long", message))
    sound_s = (1.0 - report.silence_share) * report.duration_s
    if report.silence_share > MOSTLY_SILENT_SHARE:
        message = Message(
            N_("{share:.0%} of the recording is silence. Trim it, or record again."), share=report.silence_share
        )
        problems.append(Problem("mostly_silent", message, "error" if sound_s < MIN_SOUND_S else "warning"))
    if report.clipped_share > CLIPPED_SHARE:
        message = Message(
            N_("{share:.1%} of the recording is clipped. Lower the input level, or move away from the microphone."),
            share=report.clipped_share,
        )
        problems.append(Problem("clipped", message))
    if report.peak < LOW_PEAK:
        message = Message(N_("The recording is very quiet. Raise the input level, or move closer to the microphone."))
        problems.append(Problem("low_level", message))
    if report.snr_db is not None and report.snr_db < NOISY_SNR_DB:
        message = Message(
            N_("The speech is only {decibels:.0f} dB above the noise. Record in a quieter place."),
            decibels=report.snr_db,
        )
        problems.append(Problem(NOISY, message))
    if report.sample_rate_hz < NARROW_RATE_HZ:
        message = Message(
            N_("A sample rate of {rate} Hz loses the upper half of speech. Record at 16,000 Hz or more."),
            rate=report.sample_rate_hz,
        )
        problems.append(Problem("low_sample_rate", message))
    return problems
