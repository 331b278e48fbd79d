"""Error rates of transcriptions, in words or phones: (substitutions + deletions + insertions) / reference length.

Over several utterances the errors are summed before dividing, as is usual (Levenshtein 1966; NIST sclite). The
alignment is jiwer's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Tokens = Sequence[str]


@dataclass(frozen=True)
class ErrorRate:
    """`rate` is None where the references are empty; above 1 where more was inserted than there was to say."""

    substitutions: int
    deletions: int
    insertions: int
    n_reference: int

    @property
    def rate(self) -> float | None:
        errors = self.substitutions + self.deletions + self.insertions
        return errors / self.n_reference if self.n_reference else None


@dataclass(frozen=True)
class Step:
    """One step of an alignment: a token of each side, None where the other side has nothing to match."""

    reference: str | None
    hypothesis: str | None


def error_rate(references: Sequence[Tokens], hypotheses: Sequence[Tokens]) -> ErrorRate:
    """Raises ValueError for different numbers of utterances."""
    steps = [step for pair in _pairs(references, hypotheses) for step in align(*pair)]
    return ErrorRate(
        substitutions=sum(s.reference not in (None, s.hypothesis) and s.hypothesis is not None for s in steps),
        deletions=sum(s.hypothesis is None for s in steps),
        insertions=sum(s.reference is None for s in steps),
        n_reference=sum(len(reference) for reference in references),
    )


def align(reference: Tokens, hypothesis: Tokens) -> list[Step]:
    """A cheapest alignment, in order. Tokens may hold blanks: they are compared whole."""
    import jiwer

    if not reference or not hypothesis:
        return [Step(token, None) for token in reference] + [Step(None, token) for token in hypothesis]
    numbers = {token: str(number) for number, token in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    truth, guess = (" ".join(numbers[token] for token in side) for side in (reference, hypothesis))
    steps: list[Step] = []
    for chunk in jiwer.process_words(truth, guess).alignments[0]:
        reference_part = list(reference[chunk.ref_start_idx : chunk.ref_end_idx])
        hypothesis_part = list(hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx])
        n = max(len(reference_part), len(hypothesis_part))
        padded: list[list[str | None]] = [
            [*side, *[None] * (n - len(side))] for side in (reference_part, hypothesis_part)
        ]
        steps += [Step(*pair) for pair in zip(*padded, strict=True)]
    return steps


def _pairs(references: Sequence[Tokens], hypotheses: Sequence[Tokens]) -> list[tuple[Tokens, Tokens]]:
    if len(references) != len(hypotheses):
        raise ValueError(f"expected a hypothesis for each reference, got {len(hypotheses)} for {len(references)}")
    return list(zip(references, hypotheses, strict=True))
