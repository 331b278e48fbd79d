"""Make the synthetic demo corpus: eSpeak NG says Turkish words in several voices, with graded, known faults.

    <out>/participant_NN/kelimeler/01_araba.wav         16 kHz, 16 bit, mono
    <out>/participant_NN/kelimeler/01_araba_result.json evaluator `demo-synthetic`, the score from the faults
    <out>/references/araba.wav                          a faultless voice that is no participant
    <out>/demo.json                                     words, voices, faults and scores

The score is 98 less a penalty for each fault (PENALTIES), never under 5: a rule, not an expert's judgement.
"""

import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.encode import to_wav
from pipeline.audio.load import TARGET_RATE_HZ
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_
from pipeline.importing import demo_turkish as turkish
from pipeline.importing.demo_turkish import WORDS, Phones
from pipeline.labels.result_file import ResultFile, derive, write_result
from pipeline.parallel import Progress
from pipeline.records import RatingAction, RatingEvent, RatingSource, RubricName
from pipeline.synthesis import espeak
from pipeline.synthesis.cutting import trimmed
from pipeline.text import composed

EVALUATOR = "demo-synthetic"
RATED_AT = "2026-11-21T00:00:00.000+00:00"
SEED = 20261121
BEST_SCORE, WORST_SCORE = 98.0, 5.0
PEAK = 0.6
EDGE_S = 0.04


@dataclass(frozen=True)
class Voice:
    """An eSpeak voice variant with its pitch (0-99) and speed in words a minute."""

    variant: str
    pitch: int
    speed: int


@dataclass(frozen=True)
class Fault:
    kind: str
    grade: int
    description: str


@dataclass(frozen=True)
class DemoRecording:
    path: str
    word: str
    participant: str
    faults: tuple[Fault, ...]
    score: float


@dataclass(frozen=True)
class DemoCorpus:
    synthetic: bool
    language: str
    licence: str
    synthesiser: str
    seed: int
    participants: dict[str, Voice]
    reference: Voice
    words: tuple[str, ...]
    penalties: dict[str, tuple[float, ...]]
    recordings: tuple[DemoRecording, ...]


REFERENCE = Voice("m3", 50, 150)
PARTICIPANTS = {
    "participant_01": Voice("m1", 45, 160),
    "participant_02": Voice("f2", 55, 155),
    "participant_03": Voice("m7", 35, 165),
    "participant_04": Voice("f4", 60, 165),
    "participant_05": Voice("f3", 85, 150),
    "participant_06": Voice("m5", 40, 150),
    "participant_07": Voice("f5", 70, 160),
    "participant_08": Voice("m2", 55, 170),
}

# Points lost at grade 1, 2, 3.
PENALTIES: dict[str, tuple[float, ...]] = {
    "wrong vowel": (12.0, 28.0, 50.0),
    "wrong consonant": (12.0, 26.0, 50.0),
    "dropped consonant": (16.0, 32.0, 54.0),
    "wrong stress": (8.0, 14.0, 14.0),
    "slow": (6.0, 14.0, 26.0),
    "noisy": (6.0, 14.0, 26.0),
    "clipped": (5.0, 12.0, 24.0),
    "muffled": (5.0, 12.0, 22.0),
}
SPOKEN: dict[str, Callable[[Phones, int, random.Random], turkish.SpokenFault]] = {
    "wrong vowel": turkish.wrong_vowel,
    "wrong consonant": turkish.wrong_consonant,
    "dropped consonant": turkish.dropped_consonant,
    "wrong stress": turkish.wrong_stress,
}
SLOWER = (0.75, 0.58, 0.45)
SNR_DB = (20.0, 12.0, 4.0)
CLIP_GAIN_DB = (8.0, 14.0, 22.0)
LOWPASS_HZ = (2500.0, 1500.0, 900.0)


def build_demo(out: Path, *, seed: int = SEED, progress: Progress | None = None) -> DemoCorpus:
    """Write the whole corpus, replacing one that stands there; the same seed gives the same faults.

    Raises CorpusError where eSpeak NG is missing, or `out` holds something that is no demo corpus.
    """
    version = synthesiser_version()
    if out.exists() and any(out.iterdir()) and not (out / "demo.json").is_file():
        raise CorpusError(
            N_("{out} is not empty and holds no demo corpus, so nothing was written. Give another folder."),
            out=str(out),
        )
    for stale in (*out.glob("participant_*"), out / "references"):
        shutil.rmtree(stale, ignore_errors=True)
    recordings: list[DemoRecording] = []
    total = len(PARTICIPANTS) * len(WORDS)
    for participant, voice in PARTICIPANTS.items():
        for number, (word, phones) in enumerate(WORDS.items(), start=1):
            path = f"{participant}/kelimeler/{number:02d}_{composed(word)}.wav"
            samples, faults = make_recording(participant, voice, word, phones, seed)
            artifacts.write_bytes(out / path, to_wav(samples))
            recording = DemoRecording(path, word, participant, faults, score_of(faults))
            write_result((out / path).with_name(f"{number:02d}_{word}_result.json"), _label(recording))
            recordings.append(recording)
            if progress is not None:
                progress(len(recordings), total, path)
    for word, phones in WORDS.items():
        artifacts.write_bytes(out / "references" / f"{word}.wav", to_wav(cut(speak(phones, REFERENCE))))
    corpus = DemoCorpus(
        synthetic=True,
        language="tr",
        licence="Made by this project's script from the output of eSpeak NG; MIT, as the rest of the repository",
        synthesiser=version,
        seed=seed,
        participants=PARTICIPANTS,
        reference=REFERENCE,
        words=tuple(WORDS),
        penalties=PENALTIES,
        recordings=tuple(recordings),
    )
    artifacts.write_json(out / "demo.json", asdict(corpus))
    return corpus


def make_recording(
    participant: str, voice: Voice, word: str, phones: Phones, seed: int
) -> tuple[NDArray[np.float32], tuple[Fault, ...]]:
    """One recording with the faults drawn for this participant and word."""
    draw = random.Random(f"{seed}/{participant}/{word}")  # noqa: S311  faults, not secrets
    noise = np.random.default_rng(draw.getrandbits(32))
    faults: list[Fault] = []
    speed = float(voice.speed) * draw.uniform(0.93, 1.07)
    for kind, grade in draw_faults(draw):
        if kind in SPOKEN:
            spoken = SPOKEN[kind](phones, grade, draw)
            phones, description = spoken.phones, spoken.description
        else:
            description = f"{kind}, grade {grade}"
        if kind == "slow":
            speed *= SLOWER[grade - 1]
        faults.append(Fault(kind, grade, description))
    pause = any(fault.kind == "slow" and fault.grade == 3 for fault in faults)
    samples = cut(speak(phones, Voice(voice.variant, voice.pitch, round(speed)), pause=pause))
    for fault in faults:
        samples = spoil(samples, fault.kind, fault.grade, noise)
    return samples, tuple(faults)


def draw_faults(draw: random.Random) -> list[tuple[str, int]]:
    """No fault in a quarter of the recordings, one in a third, else two or three, of different kinds. At most one
    changes consonants, so that each description stays true of what is said."""
    n = draw.choices((0, 1, 2, 3), weights=(25, 35, 25, 15))[0]
    kinds = draw.sample(list(PENALTIES), n)
    if "wrong consonant" in kinds and "dropped consonant" in kinds:
        kinds.remove("dropped consonant")
    return [(kind, draw.choice((1, 2, 3))) for kind in sorted(kinds, key=list(PENALTIES).index)]


def score_of(faults: tuple[Fault, ...]) -> float:
    lost = sum(PENALTIES[fault.kind][fault.grade - 1] for fault in faults)
    return max(WORST_SCORE, BEST_SCORE - lost)


def speak(phones: Phones, voice: Voice, *, pause: bool = False) -> NDArray[np.float32]:
    """What eSpeak NG says, float32 [n] at 16 kHz. `pause` leaves a gap after each vowel. Raises CorpusError."""
    text = "".join(phone + ("_:" if pause and turkish.is_vowel(phone) else "") for phone in phones)
    try:
        return espeak.spoken(f"[[{text}]]", f"tr+{voice.variant}", voice.speed, voice.pitch).samples
    except FileNotFoundError as error:
        raise CorpusError(
            N_("eSpeak NG is not installed: `apt install espeak-ng` (only rebuilding needs it).")
        ) from error
    except subprocess.SubprocessError as error:
        raise CorpusError(
            N_("eSpeak NG could not say {text!r}: {reason}."), text=text, reason=said_by(error)
        ) from error


def synthesiser_version() -> str:
    """Raises CorpusError where eSpeak NG is not installed."""
    try:
        done = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise CorpusError(
            N_("eSpeak NG is not installed: `apt install espeak-ng` (only rebuilding needs it).")
        ) from error
    return done.stdout.split("  ")[0].strip()


def cut(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return trimmed(samples, TARGET_RATE_HZ, EDGE_S, PEAK)


def spoil(samples: NDArray[np.float32], kind: str, grade: int, noise: np.random.Generator) -> NDArray[np.float32]:
    """The recording as a worse room, microphone or level would have made it; other kinds leave it alone."""
    if kind == "noisy":
        pink = pink_noise(len(samples), noise)
        gain = np.sqrt(np.mean(samples**2) / np.mean(pink**2)) * 10.0 ** (-SNR_DB[grade - 1] / 20.0)
        mixed = samples + gain * pink
        return np.asarray(mixed * min(1.0, 0.95 / np.abs(mixed).max()), dtype=np.float32)
    if kind == "clipped":
        louder = samples / PEAK * 10.0 ** (CLIP_GAIN_DB[grade - 1] / 20.0)
        return np.asarray(np.clip(louder, -1.0, 32767 / 32768), dtype=np.float32)
    if kind == "muffled":
        spectrum = np.fft.rfft(samples)
        frequency_hz = np.fft.rfftfreq(len(samples), 1.0 / TARGET_RATE_HZ)
        # A fourth-order low pass, as a hand or cloth before the microphone.
        spectrum /= np.sqrt(1.0 + (frequency_hz / LOWPASS_HZ[grade - 1]) ** 8)
        return np.asarray(0.5 * np.fft.irfft(spectrum, len(samples)), dtype=np.float32)
    return samples


def pink_noise(n: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose power falls with frequency, as in rooms: white noise shaped by 1/sqrt(f) above 50 Hz."""
    spectrum = np.fft.rfft(generator.standard_normal(n))
    frequency_hz = np.fft.rfftfreq(n, 1.0 / TARGET_RATE_HZ)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency_hz, 50.0)), n))


def _label(recording: DemoRecording) -> ResultFile:
    said = "; ".join(f"{fault.description} (grade {fault.grade})" for fault in recording.faults)
    event = RatingEvent(
        EVALUATOR,
        RatingAction.RATE,
        RATED_AT,
        score=recording.score,
        notes=f"Synthetic: {said or 'no fault'}",
        source=RatingSource.SYNTHETIC,
    )
    return derive(recording.word, RubricName.WORD, (event,), {})
