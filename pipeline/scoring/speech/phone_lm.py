"""Which phones follow which: an n-gram model that helps hearing phones without being told the text.

Interpolated Witten-Bell n-grams (Witten & Bell 1991; Chen & Goodman 1998) over the canonical phones of training texts
and of frequent dictionary words, joined to the CTC posteriors in a prefix beam search (Hannun et al. 2014; Graves
2012). It knows nothing of the text of the recording at hand.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.scoring.speech.ctc import BLANK, NEVER
from pipeline.scoring.speech.labels import LABELS

ORDER = 6
BEAM_WIDTH = 12
# Labels this far under the best of a frame (nats) are not tried; the score of a path could no longer recover.
FRAME_BEAM = 7.0
BASE = len(LABELS)
RAREST = 0.3  # n-grams of lesser weight are left out of the file


class PhoneModel:
    """`keys` [n] are n-grams as numbers in base len(LABELS), first label first and 1 before it to mark the length;
    `counts` [n] their weights."""

    def __init__(self, keys: NDArray[np.int64], counts: NDArray[np.float32]) -> None:
        self._keys, self._counts = keys, counts
        self._cache: dict[tuple[int, ...], NDArray[np.float64]] = {}

    def log_next(self, before: tuple[int, ...]) -> NDArray[np.float64]:
        """log P(label | the labels before it) [V]; the blank's column stands for the beginning and the end."""
        context = before[-(ORDER - 1) :]
        if len(before) < ORDER - 1:
            context = (BLANK, *before)
        return np.asarray(np.log(self._next(context[-(ORDER - 1) :])))

    def _next(self, context: tuple[int, ...]) -> NDArray[np.float64]:
        if context not in self._cache:
            shorter = self._next(context[1:]) if context else np.full(BASE, 1.0 / BASE)
            first = _key(context) * BASE
            low, high = np.searchsorted(self._keys, (first, first + BASE))
            counts = np.zeros(BASE)
            counts[self._keys[low:high] - first] = self._counts[low:high]
            distinct = float(high - low)
            total = counts.sum() + distinct
            self._cache[context] = (counts + distinct * shorter) / total if total else shorter
        return self._cache[context]

    def save(self, path: Path) -> None:
        with artifacts.replacing(path) as temporary:
            np.savez_compressed(temporary, keys=np.diff(self._keys, prepend=0), counts=self._counts.astype(np.float16))


def load_phone_model(path: Path) -> PhoneModel:
    """Raises ModelError for a file that holds none."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return PhoneModel(np.cumsum(arrays["keys"]), arrays["counts"].astype(np.float32))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} holds no phone model: {error}.") from error


def build_phone_model(sequences: Iterable[tuple[Sequence[int], float, bool]]) -> PhoneModel:
    """From label sequences with their weights; a whole utterance (True) has a beginning and an end, a word that may
    stand anywhere (False) has neither."""
    counts: dict[int, float] = defaultdict(float)
    for labels, weight, is_whole in sequences:
        padded = (BLANK, *labels, BLANK) if is_whole else tuple(labels)
        for end in range(1 if is_whole else 0, len(padded)):
            for n in range(min(ORDER, end + 1)):
                counts[_key(padded[end - n : end + 1])] += weight
    kept = sorted(key for key, weight in counts.items() if weight >= RAREST)
    return PhoneModel(np.array(kept, dtype=np.int64), np.array([counts[key] for key in kept], dtype=np.float32))


def decode_phones(
    log_probs: NDArray[np.float64], model: PhoneModel, *, weight: float, per_phone: float, width: int = BEAM_WIDTH
) -> list[int]:
    """The best label sequence by log P(acoustic) + weight x log P(phones) + per_phone for each."""
    beams: dict[tuple[int, ...], tuple[float, float, float]] = {(): (0.0, NEVER, 0.0)}
    for row in log_probs:
        tried = np.flatnonzero(row > row.max() - FRAME_BEAM)
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (on_blank, on_label, language) in beams.items():
            both = np.logaddexp(on_blank, on_label)
            _add(grown, prefix, both + row[BLANK], on_label + row[prefix[-1]] if prefix else NEVER, language)
            following = model.log_next(prefix)
            for label in tried:
                if label == BLANK:
                    continue
                source = on_blank if prefix and prefix[-1] == label else both
                score = language + weight * following[label] + per_phone
                _add(grown, (*prefix, int(label)), NEVER, source + row[label], score)
        ranked = sorted(grown.items(), key=lambda item: -(np.logaddexp(item[1][0], item[1][1]) + item[1][2]))
        beams = {prefix: (found[0], found[1], found[2]) for prefix, found in ranked[:width]}
    best, _ = max(beams.items(), key=lambda item: np.logaddexp(item[1][0], item[1][1]) + item[1][2])
    return list(best)


def word_weights(words: Iterable[tuple[str, float]], scale: float) -> Counter[str]:
    """Weights of dictionary words by the square root of their frequency: rare words teach sequences as well."""
    return Counter({word: scale * frequency**0.5 for word, frequency in words})


def _add(
    grown: dict[tuple[int, ...], list[float]],
    prefix: tuple[int, ...],
    on_blank: float,
    on_label: float,
    language: float,
) -> None:
    found = grown.get(prefix)
    if found is None:
        grown[prefix] = [on_blank, on_label, language]
    else:
        found[0], found[1] = np.logaddexp(found[0], on_blank), np.logaddexp(found[1], on_label)


def _key(labels: Sequence[int]) -> int:
    key = 1
    for label in labels:
        key = key * BASE + int(label)
    return key
