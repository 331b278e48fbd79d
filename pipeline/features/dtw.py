"""Dynamic time warping of many pairs at once (Sakoe & Chiba 1978: steps of one frame in either or both, unweighted).

Cells on an anti-diagonal do not depend on each other, so that each step handles one diagonal of every pair. Compiled
libraries are as quick once they run, but compile for ten seconds when a learner first asks for a score.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Costs = NDArray[np.float32]
# Longer recordings are thinned out before they are compared: nobody says a word for ten seconds.
MAX_FRAMES = 600
# Costs held at a time: 8 MB of them, and a few times that while they are skewed.
MAX_CELLS = 2_000_000


def thinned(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every k-th of `frames` [n, d], so that at most MAX_FRAMES are left."""
    return frames[:: -(-len(frames) // MAX_FRAMES)] if len(frames) else frames


def distances(variants: NDArray[np.float32], references: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Mean cost a frame of the best path of each pair [n_variants, n_references].

    `variants` is [n_variants, n, d]; each reference is [m, d], each m its own. The cost of two frames is their
    Euclidean distance; the accumulated cost is divided by n + m.
    """
    result = np.zeros((len(variants), len(references)))
    for block in _blocks([len(reference) for reference in references], variants.shape[0] * variants.shape[1]):
        result[:, block] = _block_distances(variants, [references[index] for index in block])
    return result


def _blocks(lengths: list[int], n_frames: int) -> Iterator[list[int]]:
    """Places of references of like length, so many that their padded costs stay under MAX_CELLS."""
    block: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if block and n_frames * lengths[index] * (len(block) + 1) > MAX_CELLS:
            yield block
            block = []
        block.append(index)
    if block:
        yield block


def _block_distances(variants: NDArray[np.float32], references: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    n_variants, n, d = variants.shape
    flat = variants.reshape(-1, d)
    longest = max(len(reference) for reference in references)
    costs = np.full((len(references), n_variants, n, longest), np.inf, dtype=np.float32)
    for index, reference in enumerate(references):
        costs[index, :, :, : len(reference)] = cdist(flat, reference).reshape(n_variants, n, -1)
    ends = np.repeat([n + len(reference) - 2 for reference in references], n_variants)
    totals = np.zeros(len(ends))
    for diagonal, values in enumerate(_diagonals(_skewed(costs.reshape(-1, n, longest)))):
        done = ends == diagonal
        totals[done] = values[done, -1]
    lengths = np.array([n + len(reference) for reference in references])
    return np.asarray(totals.reshape(len(references), n_variants).T / lengths)


def path(moving: NDArray[np.float32], fixed: NDArray[np.float32]) -> NDArray[np.int64]:
    """The best path of `moving` [n, d] over `fixed` [m, d]: pairs of frames [n_steps, 2] in time order."""
    costs = cdist(moving, fixed).astype(np.float32)[None]
    n, m = costs.shape[1:]
    diagonals = np.stack([values[0].copy() for values in _diagonals(_skewed(costs))])

    def total(i: int, j: int) -> float:
        return float(diagonals[i + j, i]) if i >= 0 and j >= 0 else np.inf

    i, j = n - 1, m - 1
    steps = [(i, j)]
    while (i, j) != (0, 0):
        i, j = min(((i - 1, j - 1), (i - 1, j), (i, j - 1)), key=lambda cell: total(*cell))
        steps.append((i, j))
    return np.array(steps[::-1], dtype=np.int64)


def _skewed(costs: Costs) -> Costs:
    """[n_diagonals, n_pairs, n] from [n_pairs, n, m]: entry (k, p, i) is the cost of cell (i, k - i), else inf."""
    pairs, n, m = costs.shape
    wide = n + m - 1
    padded = np.full((pairs, n, wide + 1), np.inf, dtype=np.float32)
    padded[:, :, :m] = costs
    # Read with rows one shorter, each row starts one place later than the row above.
    shifted = padded.reshape(pairs, -1)[:, : n * wide].reshape(pairs, n, wide)
    return np.ascontiguousarray(shifted.transpose(2, 0, 1))


def _diagonals(skewed: Costs) -> Iterator[Costs]:
    """Accumulated costs [n_pairs, n] of one anti-diagonal after the other; each is overwritten two steps later."""
    _, pairs, n = skewed.shape
    before = np.full((pairs, n + 1), np.inf, dtype=np.float32)  # its first column stands for the row above the first
    last = before.copy()
    before[:, 0] = 0.0  # the way into the first cell
    for costs in skewed:
        best = np.minimum(np.minimum(last[:, 1:], last[:, :-1]), before[:, :-1])
        before[:, 0] = np.inf
        before, last = last, before
        last[:, 1:] = costs + best
        yield last[:, 1:]
