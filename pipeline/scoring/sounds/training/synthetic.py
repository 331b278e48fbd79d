"""Recordings to learn from where nobody has marked sounds yet: eSpeak NG's voices, with known faults.

Each word is said without a fault in the voices of REFERENCES, and again and again in others, in a third of the cases
rightly; two in five recordings have noise, a room and silence around the speech. The voices and words of the three
parts have nothing in common.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.importing.demo_turkish import WORDS as DEMO_WORDS
from pipeline.presets import known_values
from pipeline.scoring.sounds.training.samples import Part, Sample
from pipeline.scoring.sounds.training.spoken_words import SAID_AS, SpokenWord, spoken_words, with_fault
from pipeline.scoring.speech.training.augment import Augmenter, read_noise, read_rooms
from pipeline.synthesis import espeak
from pipeline.synthesis.cutting import trimmed

RATE_HZ, EDGE_S, PEAK = 16_000, 0.05, 0.5
REFERENCES = (("m1", 140), ("m3", 150))  # voice and words a minute: the page's, and the demo's
VOICES = {
    Part.FIT: ("f1", "m2", "f2", "m4", "m5", "f4", "m8", "Andy", "steph", "john", "edward", "Lee", "Alicia"),
    Part.VALIDATION: ("m6", "linda", "Gene", "belinda", "pablo"),
    Part.HELD_OUT: ("f3", "f5", "m7", "Annie", "max", "michael", "anika", "marcelo", "rob", "Alex"),
}
SLOWEST, FASTEST = 115, 185  # words a minute
LOWEST, HIGHEST = 30, 80  # of eSpeak's scale of pitch
CLEAN_SHARE, NOISY_SHARE = 0.35, 0.4
LONGEST_SILENCE_S = 0.1
SHORTEST_WORD, LONGEST_WORD = 3, 8  # letters
COMMONEST = 4000  # words of the language to draw from
RARE_FROM = 900  # of those with the rarest letters, half of the words are drawn

Encode = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SynthesisConfig:
    """How many words of each part, how often each is said, and where noise and rooms are."""

    fit_words: int = 120
    validation_words: int = 32
    held_out_words: int = 50
    fit_recordings: int = 10
    validation_recordings: int = 10
    held_out_recordings: int = 12
    noise: str = ""
    room_responses: str = ""
    seed: int = 0

    def key(self, encoder: str, layer: int) -> str:
        """Changes with whatever changes the samples."""
        return hashlib.sha256(repr((asdict(self), encoder, layer)).encode()).hexdigest()[:16]


def synthetic_samples(config: SynthesisConfig, encode: Encode, progress: Progress) -> list[Sample]:
    """Raises CorpusError where eSpeak NG is not installed."""
    draw = random.Random(config.seed)  # noqa: S311 - faults, not secrets
    augment = Augmenter(
        config.seed, 0.0, 1.0, read_noise(config.noise), read_rooms(config.room_responses), silence_s=LONGEST_SILENCE_S
    )
    words = words_by_part(config, draw)
    per_word = {
        Part.FIT: config.fit_recordings, Part.VALIDATION: config.validation_recordings,
        Part.HELD_OUT: config.held_out_recordings,
    }  # fmt: skip
    total = sum(len(words[part]) * (per_word[part] + len(REFERENCES)) for part in Part)
    samples: list[Sample] = []
    for part in Part:
        for word in words[part]:
            for sample in _of_word(part, word, per_word[part], draw, augment, encode):
                samples.append(sample)
                progress(len(samples), total)
    return samples


def words_by_part(config: SynthesisConfig, draw: random.Random) -> dict[Part, list[SpokenWord]]:
    """Common words, half of them with rare letters; the demo's are all held out."""
    import wordfreq

    common = [
        word for word in wordfreq.top_n_list("tr", COMMONEST)
        if SHORTEST_WORD <= len(word) <= LONGEST_WORD and set(word) <= {*SAID_AS, "ğ"} and word not in DEMO_WORDS
    ]  # fmt: skip
    known = spoken_words(common)
    n_with = Counter(letter for word in known for letter in set(word.letters))
    rare = sorted(known, key=lambda word: -sum(1 / n_with[letter] for letter in sorted(set(word.letters))))[:RARE_FROM]
    n_held_out = max(0, config.held_out_words - len(DEMO_WORDS))
    n = config.fit_words + config.validation_words + n_held_out
    drawn = {word.word: word for word in (*draw.sample(rare, n // 2), *draw.sample(known, len(known)))}
    chosen = list(drawn.values())[:n]
    draw.shuffle(chosen)
    of_demo = spoken_words(list(DEMO_WORDS)[: config.held_out_words])
    first, second = config.fit_words, config.fit_words + config.validation_words
    return {
        Part.FIT: chosen[:first],
        Part.VALIDATION: chosen[first:second],
        Part.HELD_OUT: [*of_demo, *chosen[second:]],
    }


def say(word: SpokenWord, variant: str, words_per_minute: int, pitch: int = espeak.MIDDLE_PITCH) -> NDArray[np.float32]:
    """Samples at 16 kHz, with a little silence around them."""
    samples = espeak.spoken(word.mnemonics, f"tr+{variant}", words_per_minute, pitch).samples
    return trimmed(samples, RATE_HZ, EDGE_S, PEAK)


def _of_word(
    part: Part, word: SpokenWord, n: int, draw: random.Random, augment: Augmenter, encode: Encode
) -> Iterator[Sample]:
    def sample(spoken: SpokenWord, variant: str, heard: NDArray[np.float32], **rest: bool) -> Sample:
        states = encode(heard).astype(np.float16)
        return Sample(
            part, word.word, word.letters, spoken.said, spoken.wrong, variant, states, fault=spoken.fault, **rest
        )

    for variant, words_per_minute in REFERENCES:
        yield sample(word, variant, say(word, variant, words_per_minute), is_reference=True)
    for _ in range(n):
        spoken = word if draw.random() < CLEAN_SHARE else with_fault(word, draw)
        variant = draw.choice(VOICES[part])
        heard = say(spoken, variant, draw.randint(SLOWEST, FASTEST), draw.randint(LOWEST, HIGHEST))
        is_noisy = draw.random() < NOISY_SHARE
        yield sample(spoken, variant, augment.samples(heard) if is_noisy else heard, is_noisy=is_noisy)


def save_samples(path: Path, samples: list[Sample]) -> None:
    """One file, so that a training can be run again in a minute."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{name: value for name, value in vars(sample).items() if name != "states"} for sample in samples]
    bounds = np.cumsum([len(sample.states) for sample in samples])[:-1]
    with artifacts.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            states=np.concatenate([s.states for s in samples]),
            bounds=bounds,
            rows=np.array(json.dumps(rows, ensure_ascii=False)),
        )


def load_samples(path: Path) -> list[Sample]:
    with np.load(path, allow_pickle=False) as file:
        states = np.split(file["states"], file["bounds"])
        rows: list[dict[str, Any]] = artifacts.loads(str(file["rows"]))
    return [
        Sample(**{**known_values(Sample, row), "part": Part(row["part"]), "states": frames})
        for row, frames in zip(rows, states, strict=True)
    ]
