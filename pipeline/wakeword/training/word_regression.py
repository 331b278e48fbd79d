"""Two regressions on the listener's states at a word's phones, which together tell the word from what is like it.

One takes all phones as a whole: the stronger, but one phone that is another weighs little among seven that fit, and
what it learns of synthetic near phrases is in part that they are synthetic. The other holds that all phones must be
there: the word's probability is the product of its phones' (a noisy AND), which are also learnt alone, from phrases of
which it is known which of the word's phones they have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.wakeword.runtime.runner import WordWeights, all_of

# Each kind's share of the loss, whatever the number of its clips: other speech is what a detector hears most.
SHARES = {"recordings": 1.0, "synthetic": 1.0, "near": 1.5, "spoken near": 3.0, "other": 4.0}
WORD = ("recordings", "synthetic")
STRENGTH = 0.003  # of both regularisations, its inverse as in scikit-learn
STEPS = 50
PHONE_WEIGHT = 1.0  # of the loss of single phones
AT_FIRST = 2.0  # logits of each phone

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """The listener's states [n_phones, width] where something like the word was heard, and which of the word's phones
    are there [n_phones]; None: nobody knows."""

    states: Floats
    shared: NDArray[np.bool_] | None = None


def fitted(examples: Mapping[str, Sequence[Example]]) -> WordWeights:
    """From examples of each kind of SHARES. Raises CorpusError where the word or everything else has none."""
    from sklearn.linear_model import LogisticRegression

    kinds = np.array([kind for kind, some in examples.items() for _ in some])
    rows = [example for some in examples.values() for example in some]
    truth = np.isin(kinds, WORD)
    if truth.all() or not truth.any():
        raise CorpusError(
            N_(
                "A word is learnt from clips of it and others in which something like it is heard; there are "
                "{n_words} and {n_others}."
            ),
            n_words=int(truth.sum()),
            n_others=int((~truth).sum()),
        )
    inputs = np.stack([row.states.ravel() for row in rows])
    share = np.array([SHARES[kind] / len(examples[kind]) for kind in kinds])
    share *= len(share) / share.sum()
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    inputs = (inputs - mean) / spread
    whole = LogisticRegression(C=STRENGTH, max_iter=300).fit(inputs, truth, sample_weight=share)
    n_phones = len(rows[0].states)
    shared = np.array([np.ones(n_phones) if row.shared is None else row.shared for row in rows], dtype=np.float32)
    known = np.array([is_word or row.shared is not None for is_word, row in zip(truth, rows, strict=True)])
    shared[truth] = 1.0
    of_phones, phone_bias = _all_phones(inputs.reshape(len(rows), n_phones, -1), truth, share, shared, known)
    return WordWeights(
        mean, (whole.coef_[0] / spread).astype(np.float32), float(whole.intercept_[0]),
        (of_phones.ravel() / spread).astype(np.float32), phone_bias.astype(np.float32),
    )  # fmt: skip


def _all_phones(
    inputs: Floats, truth: NDArray[np.bool_], share: NDArray[np.float64], shared: Floats, known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [n_phones, width] and biases [n_phones], from inputs [n, n_phones, width]: where the loss of `all_of` the
    phones' logits, and of each phone by itself in the `known` rows, is least."""
    from scipy.optimize import minimize
    from scipy.special import expit

    _n, n_phones, width = inputs.shape
    alone = PHONE_WEIGHT * share[:, None] * known[:, None]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = flat[:-n_phones].reshape(n_phones, width), flat[-n_phones:]
        logits = np.einsum("npw,pw->np", inputs, weights.astype(np.float32)).astype(np.float64) + bias
        total, chance = all_of(logits), expit(logits)
        value = share @ np.logaddexp(0.0, np.where(truth, -total, total))
        value += (alone * np.logaddexp(0.0, np.where(shared > 0, -logits, logits))).sum()
        value += (weights**2).sum() / (2.0 * STRENGTH)
        of_total = share * np.where(truth, -expit(-total), expit(total))
        # total = log p - log(1 - p), p the product of the phones' chances.
        slope = of_total[:, None] * (1.0 + np.exp(np.minimum(total, 30.0)))[:, None] * (1.0 - chance)
        slope += alone * (chance - shared)
        gradient = np.einsum("npw,np->pw", inputs, slope.astype(np.float32)) + weights / STRENGTH
        return float(value), np.r_[gradient.ravel(), slope.sum(axis=0)]

    start = np.r_[np.zeros(n_phones * width), np.full(n_phones, AT_FIRST)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return found[:-n_phones].reshape(n_phones, width), found[-n_phones:]
