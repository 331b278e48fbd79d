"""Which part of a recording is speech: what was recorded before and after it must not change a score.

silero-vad says where somebody speaks. It takes single notes of music for a voice, so that a short sound apart from the
rest counts as none.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.check import SILENCE_FLOOR_DB, frame_levels_db
from pipeline.audio.load import TARGET_RATE_HZ, Audio
from pipeline.audio.voice import voice_both_ways
from pipeline.audio.voice_activity import BLOCK
from pipeline.records import RubricName, Seconds

VERSION = "speech-2"  # changes whenever what is cut does, so that cached features notice
BLOCK_S: Seconds = BLOCK / TARGET_RATE_HZ
FADE_S: Seconds = 0.02
# silero-vad often ends before a last s, ç or k, and begins after a first. They stand out of the noise beside the word,
# and what is quiet between them and the voice is shorter than before another sound, such as a click.
FRAME = round(0.01 * TARGET_RATE_HZ)
ABOVE_NOISE_DB, BELOW_VOICE_DB = 10.0, 30.0
LONGEST_QUIET_S: Seconds = 0.06
LOUD_DB = -25.0  # relative to the speech: what is louder, and is none, is silenced in the margins


@dataclass(frozen=True)
class Margins:
    """How much beside the speech stays.

    Where there is more than `longest_s` without speech at an end, `kept_s` stays: scorers learned from recordings with
    some silence around the speech, and such recordings stay as they are. What is loud there is silenced but for
    `heard_s`, where something is cut or, with `always_silences`, in any case.
    """

    longest_s: Seconds
    kept_s: Seconds
    heard_s: Seconds
    always_silences: bool = False


@dataclass(frozen=True)
class VoiceRule:
    """When a sound counts as a voice.

    `sure` is the probability that some block must reach: of a faint or hoarse voice silero-vad hears too little to cut
    by it. `voice` is the probability from which on a block counts; `pause_s` the longest pause within speech: beyond
    it, less than `island_s` of voice is something else. `is_sharp`: the first block as heard forwards and the last as
    heard backwards, so that of music beside it little is taken for speech; else the first and last in either
    direction, as whoever knows the text can leave out the rest (`scoring.speech.scorer`). `unvoiced_s` is how much
    of sounds without a voice may come before the first and after the last.
    """

    sure: float
    voice: float
    pause_s: Seconds
    island_s: Seconds
    is_sharp: bool
    unvoiced_s: Seconds


# Recordings of speechocean762 begin .5 s before the speech; those of the demo's words with it.
MARGINS = {
    RubricName.SENTENCE: Margins(longest_s=0.8, kept_s=0.5, heard_s=0.15),
    RubricName.WORD: Margins(longest_s=0.4, kept_s=0.05, heard_s=0.05),
}
RULES = {
    RubricName.SENTENCE: VoiceRule(sure=0.9, voice=0.3, pause_s=1.0, island_s=0.1, is_sharp=False, unvoiced_s=0.0),
    RubricName.WORD: VoiceRule(sure=0.5, voice=0.15, pause_s=0.5, island_s=0.1, is_sharp=True, unvoiced_s=0.3),
}


@dataclass(frozen=True)
class Speech:
    """Where somebody speaks: the first sample and the one after the last. `surest` is the highest probability of a
    voice (0-1) in any 32 ms; where it is low, nobody speaks and the whole recording is given."""

    start: int
    end: int
    surest: float


@dataclass(frozen=True)
class Cut:
    """A recording without what was before and after the speech, and how long that was."""

    audio: Audio
    before_s: Seconds = 0.0
    after_s: Seconds = 0.0


def find_speech(audio: Audio, rubric: RubricName) -> Speech:
    """The stretch from the first voice to the last, with the unvoiced sounds beside them."""
    n, rule = len(audio.samples), RULES[rubric]
    if not n:
        return Speech(0, 0, 0.0)
    both = voice_both_ways(audio.samples)
    forwards, backwards = both if rule.is_sharp else (both.max(axis=0),) * 2
    first, last, surest = _voiced(forwards, rule), _voiced(backwards, rule), float(both[0].max())
    if both.max() < rule.sure or not (len(first) and len(last)) or first[0] > last[-1]:
        return Speech(0, n, surest)
    start, end = int(first[0]) * BLOCK, min(n, (int(last[-1]) + 1) * BLOCK)
    if not rule.unvoiced_s:
        return Speech(start, end, surest)
    hissing = np.diff(audio.samples, prepend=audio.samples[:1])
    loudest_db = float(frame_levels_db(hissing[start:end], FRAME).max())
    before = _unvoiced(hissing[:start][::-1], loudest_db, rule.unvoiced_s)
    return Speech(start - before, end + _unvoiced(hissing[end:], loudest_db, rule.unvoiced_s), surest)


def _unvoiced(beside: NDArray[np.float32], loudest_db: float, longest_s: Seconds) -> int:
    """How many samples of what is beside the voice, from it on, belong to the word. `beside` and `loudest_db`, the
    voice's loudest, are of the differences between samples, in which a thump or hum weighs little."""
    if len(beside) < FRAME:
        return 0
    levels_db = frame_levels_db(beside, FRAME)
    lowest_db = max(np.median(levels_db) + ABOVE_NOISE_DB, loudest_db - BELOW_VOICE_DB, SILENCE_FLOOR_DB)
    heard = np.flatnonzero(levels_db[: round(longest_s * TARGET_RATE_HZ / FRAME)] > lowest_db)
    pauses = np.diff(heard, prepend=-1) - 1
    joined = heard[: int(np.argmax(np.append(pauses * FRAME > LONGEST_QUIET_S * TARGET_RATE_HZ, True)))]
    return (int(joined[-1]) + 1) * FRAME if len(joined) else 0


def cut_to(audio: Audio, speech: Speech, margins: Margins) -> Cut:
    """The recording without what lies further from the speech than the margins; the same object where that is all."""
    n = len(audio.samples)
    before, after = _beyond(speech.start, margins), _beyond(n - speech.end, margins)
    before -= before % FRAME  # so that frames lie in the speech as they do in the whole recording
    samples = audio.samples[before : n - after]
    gain = _gain(samples, speech.start - before, speech.end - before, margins, (bool(before), bool(after)))
    if gain is None and not before and not after:
        return Cut(audio)
    heard = samples if gain is None else samples * gain
    part = replace(audio, samples=heard, source_peak=min(audio.source_peak, float(np.abs(heard).max(initial=0.0))))
    return Cut(part, before / TARGET_RATE_HZ, after / TARGET_RATE_HZ)


def speech_only(audio: Audio, rubric: RubricName) -> Audio:
    """What scorers and extractors are given."""
    return cut_to(audio, find_speech(audio, rubric), MARGINS[rubric]).audio


def between(audio: Audio, before_s: Seconds, after_s: Seconds) -> Audio:
    """The recording without so much of its beginning and end."""
    end = len(audio.samples) - round(after_s * TARGET_RATE_HZ)
    return replace(audio, samples=audio.samples[round(before_s * TARGET_RATE_HZ) : end])


def _voiced(sure: NDArray[np.float32], rule: VoiceRule) -> NDArray[np.int64]:
    """The blocks with a voice, those left out that are few and apart from the rest."""
    voiced = np.flatnonzero(sure > rule.voice)
    runs = np.split(voiced, np.flatnonzero(np.diff(voiced) * BLOCK_S > rule.pause_s) + 1)
    amounts_s = [BLOCK_S * float(sure[run].sum()) for run in runs]
    least_s = min(rule.island_s, max(amounts_s))
    return np.concatenate([run for run, amount_s in zip(runs, amounts_s, strict=True) if amount_s >= least_s])


def _beyond(samples: int, margins: Margins) -> int:
    """How many of so many samples at one end go."""
    is_long = samples > margins.longest_s * TARGET_RATE_HZ
    return samples - round(margins.kept_s * TARGET_RATE_HZ) if is_long else 0


def _gain(
    samples: NDArray[np.float32], start: int, end: int, margins: Margins, is_cut: tuple[bool, bool]
) -> NDArray[np.float32] | None:
    """0 where something loud beside the speech is to be silenced, 1 elsewhere, faded; None where nothing is."""
    fade, heard = round(FADE_S * TARGET_RATE_HZ), round(margins.heard_s * TARGET_RATE_HZ)
    loud = _power(samples[start:end]) * 10.0 ** (LOUD_DB / 10.0)
    before, after = max(0, start - heard), min(len(samples), end + heard)
    silences = [cut or margins.always_silences for cut in is_cut]
    is_loud = [_power(samples[:before]) > loud, _power(samples[after:]) > loud]
    if not (silences[0] and is_loud[0]) and not (silences[1] and is_loud[1]):
        return None
    gain = np.ones(len(samples), dtype=np.float32)
    if silences[0] and is_loud[0]:
        gain[:before] = 0.0
        gain[before : before + fade] = np.linspace(0.0, 1.0, fade, dtype=np.float32)[: len(samples) - before]
    if silences[1] and is_loud[1]:
        gain[after:] = 0.0
        gain[max(0, after - fade) : after] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[-after:]
    return gain


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.square(samples, dtype=np.float64).mean()) if len(samples) else 0.0
