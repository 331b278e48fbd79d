"""How consistent each rater's answers to "which of the two is better?" are: with repeats, in circles of three, and with
the scale of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.i18n import N_, Message
from pipeline.metrics.bradley_terry import (
    PRIOR_SD,
    TIE,
    Comparisons,
    Model,
    answer_probabilities,
    connected_groups,
)
from pipeline.metrics.estimate import Estimate

NO_REPEATS = Message(N_("no repeats yet"))
NO_OTHERS = Message(N_("nobody else compared these recordings"))
ONLY_TIES = Message(N_("no preference yet"))


@dataclass(frozen=True)
class RaterConsistency:
    """How one rater answers.

    `repeats` is the share of repeated pairs that were answered alike with the sides swapped. `circular` of `triads`
    (three items compared in all pairs, without ties) are circles: a over b, b over c, c over a; chance makes one in
    four (Kendall & Babington Smith 1940). `hits` is the share of preferences that agree with the scale made from the
    other raters' answers, `log_likelihood` the mean of all answers under it, in nats; `left` the share of preferences
    for the left side.
    """

    name: str
    n: int
    ties: float
    repeats: Estimate
    circular: int
    triads: int
    hits: Estimate
    log_likelihood: float | None
    left: Estimate


def consistency(
    data: Comparisons, repeats: Sequence[tuple[str, bool]] = (), *, prior_sd: float = PRIOR_SD
) -> list[RaterConsistency]:
    """Of each rater, by name. `repeats` holds, for each repeated pair, the rater and whether both answers agreed; they
    are no part of `data`."""
    return [_consistency(data, index, repeats, prior_sd) for index in range(len(data.raters))]


def _consistency(
    data: Comparisons, index: int, repeats: Sequence[tuple[str, bool]], prior_sd: float
) -> RaterConsistency:
    name, mine = data.raters[index], data.rater == index
    answers = data.where(mine)
    preferences = answers.where(answers.preferred != TIE)
    alike = [same for who, same in repeats if who == name]
    circular, triads = circular_triads(preferences)
    hits, log_likelihood = _beside_others(answers, data.where(~mine), prior_sd)
    return RaterConsistency(
        name=name,
        n=len(answers),
        ties=1.0 - len(preferences) / len(answers) if len(answers) else 0.0,
        repeats=_share(sum(alike), len(alike), NO_REPEATS),
        circular=circular,
        triads=triads,
        hits=hits,
        log_likelihood=log_likelihood,
        left=_share(int((preferences.preferred == 1.0).sum()), len(preferences), ONLY_TIES),
    )


def circular_triads(preferences: Comparisons) -> tuple[int, int]:
    """How many of the complete triads are circles, and how many there are. Of a pair that was answered several times
    the last answer counts."""
    beats: dict[tuple[int, int], bool] = {}
    for a, b, preferred in zip(preferences.left, preferences.right, preferences.preferred, strict=True):
        beats[int(min(a, b)), int(max(a, b))] = bool((preferred == 1.0) == (a < b))
    beside: dict[int, set[int]] = {}
    for a, b in beats:
        beside.setdefault(a, set()).add(b)
    circular = triads = 0
    for a, above in beside.items():
        for b, c in combinations(sorted(above), 2):
            if (b, c) in beats:
                triads += 1
                circular += beats[a, b] == beats[b, c] != beats[a, c]
    return circular, triads


def _share(k: int, n: int, nothing: str) -> Estimate:
    """k of n with Wilson's 95 % interval; the reason `nothing` where n is 0."""
    from scipy.stats import binomtest

    if not n:
        return Estimate(None, None, 0, nothing)
    ci = binomtest(k, n).proportion_ci(method="wilson")
    return Estimate(k / n, (float(ci.low), float(ci.high)), n)


def _beside_others(mine: Comparisons, others: Comparisons, prior_sd: float) -> tuple[Estimate, float | None]:
    """Hits and mean log-likelihood of a rater's answers under the scale of the other raters: over the pairs that their
    answers connect."""
    group_of = np.zeros(len(mine.items), dtype=np.intp)
    for number, group in enumerate(connected_groups(others)):
        group_of[group] = number
    comparable = mine.where(group_of[mine.left] == group_of[mine.right])
    if not len(comparable):
        return Estimate(None, None, 0, NO_OTHERS), None
    model = Model(others, prior_sd)
    parameters = model.maximise(np.ones(len(others)))
    difference = parameters[comparable.left] - parameters[comparable.right] + parameters[len(mine.items)]
    tie = float(parameters[-1]) if model.has_ties else None
    left_wins, equal, right_wins = answer_probabilities(difference, tie)
    chosen = np.select([comparable.preferred == 1.0, comparable.preferred == 0.0], [left_wins, right_wins], equal)
    known = chosen > 0.0  # a tie where none of the others ever answered so has no probability
    places = parameters[comparable.left] - parameters[comparable.right]
    decided = (comparable.preferred != TIE) & (places != 0.0)
    hits = int(((places > 0.0) == (comparable.preferred == 1.0))[decided].sum())
    return (
        _share(hits, int(decided.sum()), NO_OTHERS),
        float(np.log(chosen[known]).mean()) if known.any() else None,
    )
