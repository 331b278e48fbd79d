"""Mispronunciation detection and diagnosis, as the field counts it, and the paper's phone match apart from it.

For each canonical phone: was it said right (by the experts' transcription), and did the system accept it?

    true acceptance   right, accepted          false rejection   right, but flagged
    false acceptance  wrong, but accepted      true rejection    wrong and flagged; a correct diagnosis where what
                                               the system heard is what the experts heard

precision TR/(TR+FR), recall TR/(TR+FA), F1 their harmonic mean, false rejection rate FR/(TA+FR), false acceptance
rate FA/(FA+TR), diagnosis error rate wrong diagnoses/TR (Qian et al. 2010; Leung et al. 2019). Both transcriptions are
aligned with the canonical phones; a canonical phone nobody heard is a deletion, its own kind of "heard". Insertions
have no canonical phone and are counted apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.metrics.transcription import Tokens, align, error_rate
from pipeline.phones import DELETED


@dataclass(frozen=True)
class MddMetrics:
    """Counts over all canonical phones, and the figures that follow; a figure is None where nothing defines it."""

    true_acceptances: int
    false_rejections: int
    false_acceptances: int
    true_rejections: int
    correct_diagnoses: int
    inserted_heard: int
    inserted_predicted: int

    @property
    def precision(self) -> float | None:
        return _share(self.true_rejections, self.true_rejections + self.false_rejections)

    @property
    def recall(self) -> float | None:
        return _share(self.true_rejections, self.true_rejections + self.false_acceptances)

    @property
    def f1(self) -> float | None:
        errors = self.false_rejections + self.false_acceptances
        return _share(2 * self.true_rejections, 2 * self.true_rejections + errors)

    @property
    def false_rejection_rate(self) -> float | None:
        return _share(self.false_rejections, self.true_acceptances + self.false_rejections)

    @property
    def false_acceptance_rate(self) -> float | None:
        return _share(self.false_acceptances, self.false_acceptances + self.true_rejections)

    @property
    def diagnosis_error_rate(self) -> float | None:
        return _share(self.true_rejections - self.correct_diagnoses, self.true_rejections)


@dataclass(frozen=True)
class PhoneMatch:
    """Precision, recall and F1 of matching phones: hits over what was predicted, over what was heard. Not MDD: a
    system that repeats the canonical phones scores high."""

    precision: float | None
    recall: float | None
    f1: float | None


def mdd(canonical: Sequence[Tokens], heard: Sequence[Tokens], predicted: Sequence[Tokens]) -> MddMetrics:
    """Over utterances, each a sequence of phones: what was to be said, what the experts heard, what the system heard.

    Raises ValueError for different numbers of utterances.
    """
    if not len(canonical) == len(heard) == len(predicted):
        raise ValueError(f"expected as many utterances thrice, got {len(canonical)}, {len(heard)}, {len(predicted)}")
    counts = dict.fromkeys(("ta", "fr", "fa", "tr", "diagnosed", "heard", "predicted"), 0)
    for target, truth, guess in zip(canonical, heard, predicted, strict=True):
        experts, inserted_heard = realised(target, truth)
        system, inserted_predicted = realised(target, guess)
        counts["heard"] += inserted_heard
        counts["predicted"] += inserted_predicted
        for phone, expert_heard, recognised in zip(target, experts, system, strict=True):
            right, accepted = expert_heard == phone, recognised == phone
            counts["ta" if right and accepted else "fr" if right else "fa" if accepted else "tr"] += 1
            counts["diagnosed"] += not right and not accepted and expert_heard == recognised
    return MddMetrics(*counts.values())


def realised(canonical: Tokens, transcription: Tokens) -> tuple[list[str], int]:
    """What became of each canonical phone, `DELETED` for nothing, and how many phones were inserted."""
    steps = align(canonical, transcription)
    kept = [DELETED if step.hypothesis is None else step.hypothesis for step in steps if step.reference is not None]
    return kept, len(steps) - len(kept)


def phone_match(heard: Sequence[Tokens], predicted: Sequence[Tokens]) -> PhoneMatch:
    """The F1 whose precision and recall nearly agree in every row of arXiv 2509.02915, Table 3."""
    errors = error_rate(heard, predicted)
    hits = errors.n_reference - errors.substitutions - errors.deletions
    n_predicted = sum(len(phones) for phones in predicted)
    return PhoneMatch(
        precision=_share(hits, n_predicted),
        recall=_share(hits, errors.n_reference),
        f1=_share(2 * hits, n_predicted + errors.n_reference),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
