"""How often a recording is called a whisper: of voices, the same made voiceless, and eSpeak NG's whispering voices.

    python -m tests.bench.whisper_study SPEECHOCEAN762 WORDS

SPEECHOCEAN762 has `manifest.jsonl` and its recordings, WORDS a folder of recorded words. docs/results/practice.md has
the figures.
"""

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.linalg
import scipy.signal

from pipeline.audio.load import Audio, audio_files, load_audio
from pipeline.audio.speech import find_speech
from pipeline.features.whisper import whispered_in
from pipeline.records import RubricName
from pipeline.settings import CHECKOUT
from pipeline.synthesis import espeak
from pipeline.text import lines_of

SEED = 21
N_TRAIN, N_DEV, N_WORDS = 300, 400, 300
NOISE_DB = 10.0
WORDS_PER_MINUTE = 140
ORDER, WINDOW, HOP = 18, 400, 200
DEMO = CHECKOUT / "data" / "demo"
Group = tuple[str, RubricName, list[Path]]


def voiceless(audio: Audio, draw: np.random.Generator) -> Audio:
    """The same without a voice: each frame's linear prediction, driven by noise of the residual's power."""
    raised = np.concatenate([scipy.signal.lfilter([1.0, -0.97], [1.0], audio.samples), np.zeros(WINDOW)])
    hissed, window = np.zeros(len(raised)), np.hanning(WINDOW)
    for start in range(0, len(audio.samples), HOP):
        frame = raised[start : start + WINDOW] * window
        lags = np.correlate(frame, frame, "full")[WINDOW - 1 : WINDOW + ORDER]
        lags[0] = 1.0001 * lags[0] + 1e-9
        poles = scipy.linalg.solve_toeplitz(lags[:ORDER], lags[1 : ORDER + 1])
        power = max(float(lags[0] - poles @ lags[1 : ORDER + 1]), 1e-12) / WINDOW
        noise = draw.normal(0.0, power**0.5, WINDOW)
        hissed[start : start + WINDOW] += scipy.signal.lfilter([1.0], np.concatenate([[1.0], -poles]), noise) * window
    samples = scipy.signal.lfilter([1.0], [1.0, -0.97], hissed[: len(audio.samples)])
    return replace(audio, samples=(samples * (audio.source_peak / max(np.abs(samples).max(), 1e-6))).astype(np.float32))


def noisy(audio: Audio, draw: np.random.Generator) -> Audio:
    loud = audio.samples[np.abs(audio.samples) > 0.02 * np.abs(audio.samples).max()]
    level = float(np.square(loud).mean() / 10.0 ** (NOISE_DB / 10.0)) ** 0.5
    return replace(audio, samples=(audio.samples + draw.normal(0.0, level, len(audio.samples))).astype(np.float32))


def called(audio: Audio, rubric: RubricName) -> bool:
    speech = find_speech(audio, rubric)
    return whispered_in(audio, speech)


def groups(corpus: Path, words: Path) -> Iterator[Group]:
    for name, numbers in (("demo, participants 01 to 04", "1234"), ("demo, participants 05 to 08", "5678")):
        files = [file for number in numbers for file in audio_files(DEMO / f"participant_0{number}")]
        yield name, RubricName.WORD, files
    spoken = audio_files(words)
    yield "recorded words", RubricName.WORD, random.Random(SEED).sample(spoken, min(N_WORDS, len(spoken)))
    manifest = (corpus / "manifest.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in lines_of(manifest) if line]
    for part, n in (("train", N_TRAIN), ("dev", N_DEV)):
        chosen = random.Random(SEED).sample([entry for entry in entries if entry["part"] == part], n)
        yield f"speechocean762, {part}", RubricName.SENTENCE, [corpus / entry["audio"] for entry in chosen]


def whispering_voices() -> Iterator[Audio]:
    """The demo's words by eSpeak NG's two."""
    for voice in ("tr+whisper", "tr+whisperf"):
        for file in audio_files(DEMO / "references"):
            yield espeak.spoken(file.stem, voice, WORDS_PER_MINUTE)


def main() -> None:
    draw = np.random.default_rng(SEED)
    for name, rubric, files in groups(*map(Path, sys.argv[1:3])):
        counts = [0, 0, 0]
        for file in files:
            audio = load_audio(file)
            for number, heard in enumerate((audio, noisy(audio, draw), voiceless(audio, draw))):
                is_called = called(heard, rubric)
                counts[number] += is_called
                if number == 0 and is_called:
                    print("  called a whisper:", file.name)
        print(f"| {name} | {len(files)} | {counts[0]} | {counts[1]} | {counts[2]} |", flush=True)
    whispers = [called(audio, RubricName.WORD) for audio in whispering_voices()]
    print(f"| eSpeak NG's whispering voices | {len(whispers)} | - | - | {sum(whispers)} |")


if __name__ == "__main__":
    main()
