"""How long an attempt took beside its reference, in words that fit the numbers."""

from types import SimpleNamespace

import pytest

from dashboard.sections.practice.comparison import _timing
from pipeline.records import RubricName


@pytest.mark.parametrize(
    ("mine_s", "reference_s", "told"),
    [
        (0.53, 0.55, "You took **0.53 s**, about as long as the reference (0.55 s)."),
        (0.52, 0.50, "You took **0.52 s**, about as long as the reference (0.50 s)."),
        (0.55, 0.50, "You took **0.55 s**, 1.1 times as long as the reference (0.50 s)."),
        (0.45, 0.50, "You took **0.45 s**, 0.9 times as long as the reference (0.50 s)."),
    ],
)
def test_lengths_are_called_alike_where_they_round_to_the_same(mine_s: float, reference_s: float, told: str) -> None:
    compared = SimpleNamespace(
        mine=SimpleNamespace(duration_s=mine_s), reference=SimpleNamespace(duration_s=reference_s),
        length_ratio=mine_s / reference_s, pauses_s=(), slow=(),
    )  # fmt: skip
    assert _timing(compared, RubricName.WORD) == [told]
