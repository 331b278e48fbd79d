"""What the curves of a training say about it."""

from typing import Any

import numpy as np
import pytest

from pipeline.wakeword.diagnosis import diagnosis

GOOD = {
    "validation": {"n_words": 60},
    "threshold": {"source": "validation", "hours": 2.0},
}  # fmt: skip


def rows(losses: Any, held: Any, miss: float = 0.02, norms: Any = None) -> list[dict[str, Any]]:
    norms = np.ones(len(losses)) if norms is None else norms
    steps = [
        {"event": "step", "step": n, "loss": a, "gradient_norm": b}
        for n, (a, b) in enumerate(zip(losses, norms, strict=True))
    ]
    checks = [
        {"event": "validation", "at_step": 10 * n, "present_loss": a, "present_miss": miss} for n, a in enumerate(held)
    ]
    return steps + checks


FALLING = np.geomspace(0.7, 0.02, 40)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (rows(FALLING, [0.5, 0.2, 0.1, 0.09]), None),
        (rows(FALLING, [0.5, 0.1, 0.2, 0.3]), "overfits: validation loss rises from step 10"),
        (rows(np.full(40, 0.7), [0.7, 0.7, 0.7], miss=0.98), "hardly learned"),
        (rows(np.linspace(0.5, 2.0, 40), [0.5, 0.4], norms=np.array([1.0] * 39 + [500.0])), "unstable"),
        ([], None),
    ],
    ids=["good", "overfits", "dead", "unstable", "nothing yet"],
)
def test_curves_are_put_into_words(given: list[dict[str, Any]], words: str | None) -> None:
    said = diagnosis(given, GOOD)
    assert [words in sentence for sentence in said] == ([True] if words else []), said


def test_few_clips_are_named() -> None:
    few = {"validation": {"n_words": 5}, "threshold": {"source": "validation", "hours": 0.2}}
    said = diagnosis([], few)
    assert "validation words (5)" in said[0]
    assert "validation negatives (12 min)" in said[1]
    assert len(diagnosis([], {**few, "threshold": {"source": "stream", "hours": 0.2}})) == 1
