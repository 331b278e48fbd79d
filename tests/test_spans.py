"""Where runs of true values begin and end."""

import numpy as np
import pytest

from pipeline.audio.load import CLIP_RUN, from_samples
from pipeline.spans import runs_of


@pytest.mark.parametrize(
    ("mask", "runs"),
    [
        ([], []), ([False], []), ([True], [[0, 1]]), ([True, True], [[0, 2]]),
        ([False, True, True, False, True], [[1, 3], [4, 5]]), ([True, False, True, False], [[0, 1], [2, 3]]),
    ],
)  # fmt: skip
def test_runs_of_true_values_end_behind_their_last(mask: list[bool], runs: list[list[int]]) -> None:
    assert runs_of(np.array(mask, dtype=np.bool_)).tolist() == runs
    assert runs_of(np.array(mask, dtype=np.bool_)).shape == (len(runs), 2)


@pytest.mark.parametrize("n", [CLIP_RUN - 1, CLIP_RUN, CLIP_RUN + 4])
def test_a_flat_top_is_clipped_from_its_first_sample_to_its_last(n: int) -> None:
    samples = np.zeros(16_000, dtype=np.float32)
    samples[100 : 100 + n] = 0.5
    share = from_samples(samples, 16_000).source_clipped_share
    assert share == pytest.approx(n / len(samples) if n >= CLIP_RUN else 0.0)
