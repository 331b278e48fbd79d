"""From the model's numbers to what a learner is told: which phones are wrong or gone, and how sure that is.

What a wrong phone was heard as is not told: of 64 phones of part train that this calls wrong and for which two experts
named another, the likeliest other phone is one of theirs 10 times, the one that greedy decoding has 11 times, and no
margin brings that to half.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from pipeline.phones import UNKNOWN
from pipeline.records import Verdict
from pipeline.scoring.speech.labels import INDEX, LABELS
from pipeline.scoring.speech.listening.ctc import BLANK, log_prob
from pipeline.scoring.speech.listening.evidence import RHYTHM, CanonicalPhones, Evidence
from pipeline.scoring.speech.listening.runtime import HeadOutput
from pipeline.scoring.speech.model_files import MatchRule, SpeechInfo

# Nats; on held-out speakers half of the additions that this leaves (14 of 320 recordings) were heard by an expert, too.
ADDED_MARGIN = 5.0


@dataclass(frozen=True)
class PhoneVerdict:
    verdict: Verdict
    heard: str | None
    before: tuple[str, ...]
    confidence: float


def judge_phones(
    info: SpeechInfo, spoken: CanonicalPhones, judged: HeadOutput, evidence: Evidence, log_probs: NDArray[np.float64]
) -> list[PhoneVerdict]:
    """One a canonical phone; phones added after the last one are left out. `log_probs` are those of the evidence."""
    candidates, present = _against_free(spoken, evidence.free)
    added = _surely_added(spoken, candidates, log_probs)
    found: list[PhoneVerdict] = []
    for index, (label, wrong, score) in enumerate(zip(spoken.labels, judged.wrong, judged.phone, strict=True)):
        probability = calibrated(info.wrong_calibration, float(wrong))
        if wrong >= info.wrong_from:
            gone = is_gone(int(label), evidence.substituted[index], float(evidence.deleted[index]))
            verdict, heard = (Verdict.MISSING, None) if gone and not present[index] else (Verdict.WRONG, UNKNOWN)
            found.append(PhoneVerdict(verdict, heard, added[index], probability))
        else:
            verdict = Verdict.RIGHT if score >= info.accented_below else Verdict.ACCENTED
            found.append(PhoneVerdict(verdict, None, added[index], 1.0 - probability))
    return found


def is_gone(label: int, substituted: NDArray[np.float64], deleted: float) -> bool:
    """Whether no phone at all fits the place of a wrong one better than any other."""
    others = np.delete(substituted, [BLANK, label])
    return bool(deleted > others.max())


def heard_share(spoken: CanonicalPhones, evidence: Evidence) -> NDArray[np.float32]:
    """The share of each word's phones [n_words] that free decoding found in their place."""
    _, present = _against_free(spoken, evidence.free)
    return np.asarray(spoken.word_averages @ present.astype(np.float32), dtype=np.float32)


def match_probability(rule: MatchRule, evidence: Evidence) -> float:
    """P(the text was said, rather than something else); 1 without a rule."""
    if not rule.names:
        return 1.0
    values = dict(zip(RHYTHM, evidence.rhythm.tolist(), strict=True))
    logit = rule.bias + sum(weight * values[name] for name, weight in zip(rule.names, rule.weights, strict=True))
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -50.0, 50.0))))


def calibrated(table: Sequence[tuple[float, float]], value: float) -> float:
    """Linear interpolation in pairs of (output, observed share); the value itself without a table."""
    if not table:
        return value
    return float(np.interp(value, [point for point, _ in table], [share for _, share in table]))


def _surely_added(
    spoken: CanonicalPhones, candidates: Sequence[tuple[str, ...]], log_probs: NDArray[np.float64]
) -> list[tuple[str, ...]]:
    """Of the phones that greedy decoding has too many, those with which the whole recording fits better by
    ADDED_MARGIN: most of the others are noise."""
    if not any(candidates):
        return list(candidates)
    labels = spoken.labels.tolist()
    plain = log_prob(log_probs, labels)
    kept: list[tuple[str, ...]] = []
    for place, phones in enumerate(candidates):
        longer = [*labels[:place], *(INDEX[phone] for phone in phones), *labels[place:]]
        sure = bool(phones) and log_prob(log_probs, longer) - plain > ADDED_MARGIN * len(phones)
        kept.append(phones if sure else ())
    return kept


def _against_free(spoken: CanonicalPhones, free: tuple[int, ...]) -> tuple[list[tuple[str, ...]], NDArray[np.bool_]]:
    """Free decoding set against the canonical phones: what was added before each, and which were found."""
    labels = spoken.labels.tolist()
    added: list[list[str]] = [[] for _ in range(len(labels) + 1)]
    present = np.ones(len(labels), dtype=np.bool_)
    for step in Levenshtein.editops(labels, list(free)):
        if step.tag == "insert":
            added[step.src_pos].append(LABELS[free[step.dest_pos]])
        else:
            present[step.src_pos] = False
    return [tuple(phones) for phones in added[:-1]], present
