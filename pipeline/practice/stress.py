"""Which syllable of an English word a speaker stressed: the vowel that is longer, louder and higher than the others.

Prominence is a weighted sum of a vowel's length (log), loudest level and median pitch about the word's means; the
weights are those of a conditional logit on 332 words of speechocean762's train part whose stress experts called right.
On 281 words of its dev part the vowel of the dictionary was the most prominent in 72 % (by chance 47 %): not enough to
judge every word. Where the expected syllable has less than 15 % of the weight (`moved`: 1 % of those words, and 2 of 24
whose stress experts called wrong), experts agreed in none of three cases that were not looked at before
(docs/results/practice.md): learners are shown how strong each syllable was, and never that another one was stressed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.audio.load import Audio
from pipeline.errors import CorpusError
from pipeline.features.frames import HOP, Frames
from pipeline.phones import PHONES, bare, stress_of
from pipeline.records import ScoreResult, Seconds, Verdict, WordScore
from pipeline.scoring.speech.lexicon.dictionary import pronounce

LENGTH, LEVEL, PITCH = 0.52, 0.134, 0.18  # weights of ln(s), dB and semitones
MOVED_BELOW = 0.15
GLIDES, BEFORE_GLIDES = ("L", "R", "W", "Y"), ("P", "B", "T", "D", "K", "G", "F", "TH")
SHORTEST_S: Seconds = 0.02
FRAME_S = HOP / 16_000


@dataclass(frozen=True)
class WordStress:
    """`syllables` in IPA, `weights` (sum 1) how prominent each was, `expected` which is stressed."""

    word: str
    syllables: tuple[str, ...]
    weights: tuple[float, ...]
    expected: int
    span_s: tuple[Seconds, Seconds]

    @property
    def heard(self) -> int:
        return max(range(len(self.weights)), key=self.weights.__getitem__)

    @property
    def moved(self) -> bool:
        """Measured (tests/bench/statement_study.py), told to nobody."""
        return self.weights[self.expected] < MOVED_BELOW

    @property
    def shown(self) -> str:
        """The syllables with the mark of stress: fə·ˈtɑ·ɡɹə·fi."""
        return "·".join(f"ˈ{text}" if n == self.expected else text for n, text in enumerate(self.syllables))


def word_stresses(audio: Audio, result: ScoreResult) -> tuple[WordStress, ...]:
    """Of the words with two syllables or more that were said with all their vowels; none where phones are unknown."""
    if result.target.language != "en" or not any(word.phones for word in result.words):
        return ()
    frames = Frames(audio)
    level_db = 20.0 * np.log10(np.maximum(frames.rms, 1e-5))
    f0_hz = frames.pitch.f0_hz
    stresses = []
    for word in result.words:
        marks = _marks(word)
        if marks is None or word.verdict is Verdict.MISSING:
            continue
        rows = [_vowel(phone.start_s, phone.end_s, level_db, f0_hz) for phone in word.phones if _is_vowel(phone.phone)]
        prominence = _prominence(np.array(rows))
        weights = np.exp(prominence - prominence.max())
        stresses.append(
            WordStress(
                word.text,
                tuple(_syllables([phone.phone for phone in word.phones])),
                tuple(float(weight) for weight in weights / weights.sum()),
                marks.index(1),
                (word.start_s, word.end_s),
            )
        )
    return tuple(stresses)


def _marks(word: WordScore) -> list[int] | None:
    """The dictionary's stress of each vowel; None for one syllable, a vowel not said, or another pronunciation."""
    vowels = [phone for phone in word.phones if _is_vowel(phone.phone)]
    if len(vowels) < 2 or any(phone.verdict is Verdict.MISSING for phone in vowels):
        return None
    phones = [phone.phone for phone in word.phones]
    try:
        pronunciations = pronounce(word.text)
    except CorpusError:  # not in the dictionary: its stress is not known
        return None
    for known in pronunciations:
        if len(_stresses(known.variants[0])) < 2:
            continue  # `deer` said without its r has two vowels and one syllable
        for variant in known.variants:
            if [bare(phone) for phone in variant] == phones:
                marks = _stresses(variant)
                return marks if marks.count(1) == 1 else None
    return None


def _stresses(variant: Sequence[str]) -> list[int]:
    """Of each vowel."""
    return [stress_of(phone) for phone in variant if _is_vowel(bare(phone))]


def _is_vowel(phone: str) -> bool:
    return PHONES[phone].is_vowel


def _vowel(
    start_s: Seconds, end_s: Seconds, level_db: Sequence[float] | np.ndarray, f0_hz: np.ndarray
) -> tuple[float, float, float]:
    """Log length, loudest level, median pitch in semitones (NaN where unvoiced)."""
    first = min(int(start_s / FRAME_S), len(level_db) - 1)
    part = slice(first, max(int(end_s / FRAME_S), first + 1))
    voiced = f0_hz[part][f0_hz[part] > 0]
    pitch = 12.0 * np.log2(float(np.median(voiced))) if len(voiced) else np.nan
    return float(np.log(max(end_s - start_s, SHORTEST_S))), float(np.max(level_db[part])), pitch


def _prominence(rows: np.ndarray) -> np.ndarray:
    pitch = rows[:, 2]
    known = np.isfinite(pitch)
    pitch = np.where(known, pitch - (np.median(pitch[known]) if known.any() else 0.0), 0.0)
    about = rows[:, :2] - rows[:, :2].mean(axis=0)
    return np.asarray(LENGTH * about[:, 0] + LEVEL * about[:, 1] + PITCH * (pitch - pitch.mean()))


def _syllables(phones: Sequence[str]) -> Iterator[str]:
    """In IPA; of the consonants between two vowels the last one begins the next, and those it can begin a word with."""
    vowels = [n for n, phone in enumerate(phones) if _is_vowel(phone)]
    starts = [0]
    for before, after in pairwise(vowels):
        start = after if after - before == 1 or phones[after - 1] == "NG" else after - 1
        if start - before > 1 and phones[start] in GLIDES and phones[start - 1] in BEFORE_GLIDES:
            start -= 1
        if start - before > 1 and phones[start] in ("P", "T", "K") and phones[start - 1] == "S":
            start -= 1
        starts.append(start)
    for start, end in zip(starts, [*starts[1:], len(phones)], strict=True):
        yield "".join(PHONES[phone].ipa for phone in phones[start:end])
