"""The rules themselves: what was measured -> points lost -> dimensions and an overall score. Pure and monotone.

A score starts at what a faultless recording gets and loses points for each thing that is off; more of it never costs
less. The constants of the word rule were fitted by non-negative least squares on participants 01-04 of the synthetic
demo corpus, those of the sentence rule on the train part of speechocean762, and rounded.
"""

import math
from dataclasses import dataclass

from pipeline.features.alignment import Match
from pipeline.records import AudioReport

# With a reference recording: faultless speech lies within these, and each point beyond costs so much.
FAULTLESS = 98.0
DISTANCE_FREE_DB, POINTS_PER_DB = 8.0, 3.0
TEMPO_FREE_OCTAVES, POINTS_PER_TEMPO_OCTAVE = 0.3, 8.0
PITCH_FREE_SEMITONES, POINTS_PER_SEMITONE = 1.5, 8.0
# Melody is judged where at least so much of the reference's voiced speech was voiced in the recording too: under it the
# few frames that agree say nothing of the rest. 2 of the demo's 176 words lie below.
LEAST_VOICED_SHARE = 0.25
# Signal, with or without a reference.
CLEAN_SNR_DB, POINTS_PER_SNR_DB = 20.0, 1.0
POINTS_PER_CLIPPED_SHARE, MOST_CLIPPED_SHARE = 20.0, 0.5
# Without one nobody can tell which sounds were said: plausible speech earns no more than this.
PLAUSIBLE_WORD = 75.0
PLAUSIBLE_SENTENCE = 84.0
# Vowels a second, pauses included, from which on speech counts as fluent; points for each halving.
WORD_RATE_VOWELS_PER_S = (2.0, 7.0)
SENTENCE_RATE_VOWELS_PER_S = (3.0, 7.0)
POINTS_PER_RATE_OCTAVE = 18.0
# Syllables heard for each the text has: more means repetitions, fewer that something is missing.
SYLLABLES_FREE = (0.6, 1.1)
POINTS_PER_SYLLABLE_OCTAVE = 22.0
# A recording nearer to another word by this much is that word.
OTHER_WORD_MARGIN_DB = 3.0
MOST_FOR_ANOTHER_WORD = 55.0


@dataclass(frozen=True)
class Losses:
    """Points lost, each >= 0; None for what could not be judged, which costs nothing. The total is `best` less their
    sum, at least 0."""

    best: float
    segments: float | None = None
    timing: float | None = None
    stress: float | None = None
    signal: float | None = None

    @property
    def overall(self) -> float:
        return max(0.0, self.best - sum(lost for lost in self._parts().values()))

    def dimensions(self) -> dict[str, float]:
        """Each part as 0-100, 100 for nothing lost."""
        return {name: round(max(0.0, 100.0 - lost), 1) for name, lost in self._parts().items()}

    def not_measured(self) -> tuple[str, ...]:
        """The dimensions that could not be judged."""
        return tuple(name for name, lost in self._all().items() if lost is None)

    def _parts(self) -> dict[str, float]:
        return {name: lost for name, lost in self._all().items() if lost is not None}

    def _all(self) -> dict[str, float | None]:
        return {"segments": self.segments, "timing": self.timing, "stress": self.stress, "signal": self.signal}


def beside_reference(match: Match, report: AudioReport) -> Losses:
    """A word laid over its reference."""
    pitch = match.pitch_difference_semitones if match.voiced_share >= LEAST_VOICED_SHARE else None
    return Losses(
        best=FAULTLESS,
        segments=POINTS_PER_DB * _beyond(match.distance, DISTANCE_FREE_DB),
        timing=POINTS_PER_TEMPO_OCTAVE * _beyond(abs(math.log2(match.length_ratio)), TEMPO_FREE_OCTAVES),
        stress=None if pitch is None else POINTS_PER_SEMITONE * _beyond(pitch, PITCH_FREE_SEMITONES),
        signal=signal_loss(report),
    )


def alone(report: AudioReport, *, vowels_per_s: float, syllables_per_vowel: float, sentence: bool) -> Losses:
    """Speech without a reference: was it about as long, and about as many syllables, as the text asks for?"""
    slow, fast = SENTENCE_RATE_VOWELS_PER_S if sentence else WORD_RATE_VOWELS_PER_S
    few, many = SYLLABLES_FREE
    rate = POINTS_PER_RATE_OCTAVE * _octaves_outside(vowels_per_s, slow, fast)
    syllables = POINTS_PER_SYLLABLE_OCTAVE * _octaves_outside(syllables_per_vowel, few, many)
    return Losses(
        best=PLAUSIBLE_SENTENCE if sentence else PLAUSIBLE_WORD, timing=rate + syllables, signal=signal_loss(report)
    )


def signal_loss(report: AudioReport) -> float:
    """Points lost to noise and clipping; none for noise where there is no pause to measure it in."""
    noise = 0.0 if report.snr_db is None else POINTS_PER_SNR_DB * _beyond(CLEAN_SNR_DB, report.snr_db)
    return noise + POINTS_PER_CLIPPED_SHARE * min(report.clipped_share, MOST_CLIPPED_SHARE)


def _beyond(value: float, free: float) -> float:
    return max(0.0, value - free)


def _octaves_outside(value: float, low: float, high: float) -> float:
    """How often `value` must be doubled or halved to lie within; at most 5."""
    if value <= 0:
        return 5.0
    return min(5.0, max(0.0, math.log2(low / value), math.log2(value / high)))
