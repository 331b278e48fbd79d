"""The scale of pairwise answers: simulated truths, the reference implementation, and raters' consistency."""

import choix
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import ProjectError
from pipeline.metrics import anchored_scores, pair_consistency
from pipeline.metrics import bradley_terry as bt
from pipeline.metrics.correlation import pearson


def simulated(
    truth: NDArray[np.float64], n: int, *, order: float = 0.0, tie: float | None = None, raters: int = 3, seed: int = 0
) -> bt.Comparisons:
    """n answers about random pairs under the model."""
    draw = np.random.default_rng(seed)
    left = draw.integers(0, len(truth), n)
    right = (left + draw.integers(1, len(truth), n)) % len(truth)
    left_wins, equal, _right = bt.answer_probabilities(truth[left] - truth[right] + order, tie)
    u = draw.random(n)
    preferred = np.where(u < left_wins, 1.0, np.where(u < left_wins + equal, bt.TIE, 0.0))
    items = tuple(f"r{k:02}" for k in range(len(truth)))
    names = tuple(f"rater {k}" for k in range(raters))
    return bt.Comparisons(items, names, left, right, preferred, draw.integers(0, raters, n))


TRUTH = np.linspace(-2.0, 2.0, 20)


def test_recovers_places_order_and_ties() -> None:
    scale = bt.fit(simulated(TRUTH, 20_000, order=0.4, tie=-0.5))
    assert np.abs(scale.value - TRUTH).max() < 0.25
    assert scale.order.value == pytest.approx(0.4, abs=0.05)
    assert scale.tie == pytest.approx(-0.5, abs=0.05)
    assert scale.reliability is not None and scale.reliability > 0.99


def test_intervals_hold_the_truth_nineteen_times_of_twenty() -> None:
    inside = []
    for seed in range(20):
        scale = bt.fit(simulated(TRUTH, 400, tie=-1.0, seed=seed))
        inside.append((scale.low <= TRUTH) & (scale.high >= TRUTH))
    assert 0.92 <= np.mean(inside) <= 0.99


def test_without_ties_and_order_it_is_the_reference_implementation() -> None:
    """choix (Maystre 2015) maximises the same penalised likelihood; the order effect is made to vanish by giving each
    answer with both sides."""
    data = simulated(TRUTH, 600, seed=3)
    won = data.preferred == 1.0
    winners, losers = np.where(won, data.left, data.right), np.where(won, data.right, data.left)
    reference = choix.opt_pairwise(
        len(TRUTH), np.column_stack([winners, losers]).repeat(2, axis=0).tolist(), alpha=1.0 / (2.0 * bt.PRIOR_SD**2)
    )
    both = bt.Comparisons(
        data.items, data.raters, np.concatenate([data.left, data.right]), np.concatenate([data.right, data.left]),
        np.concatenate([data.preferred, 1.0 - data.preferred]), np.concatenate([data.rater, data.rater]),
    )  # fmt: skip
    assert bt.fit(both).value == pytest.approx(reference - reference.mean(), abs=2e-3)


def test_an_item_that_won_every_comparison_stays_finite() -> None:
    scale = bt.fit(bt.comparisons([("a", "b", 1.0, "Eve")] * 5))
    assert 0.5 < scale.value[0] < 5.0
    assert scale.low[0] < scale.value[0] < scale.high[0]


def test_places_and_their_order_do_not_depend_on_the_sides() -> None:
    rows = [("a", "b", 1.0, "Eve"), ("c", "b", 1.0, "Eve"), ("a", "c", 0.5, "Bob"), ("b", "a", 0.0, "Bob")]
    swapped = [(right, left, 1.0 - preferred, rater) for left, right, preferred, rater in rows]
    one, other = bt.fit(bt.comparisons(rows)), bt.fit(bt.comparisons(swapped))
    assert one.value == pytest.approx(other.value)
    assert one.order.value == pytest.approx(-(other.order.value or 0.0))


def test_groups_that_nobody_compared_are_named() -> None:
    data = bt.comparisons([("a", "b", 1.0, "Eve"), ("b", "c", 1.0, "Eve"), ("x", "y", 0.0, "Eve")])
    assert [len(group) for group in bt.connected_groups(data)] == [3, 2]
    with pytest.raises(ProjectError, match="no comparison connects the 3 recordings around “a” with the 2 around “x”"):
        bt.fit(data)
    alone = bt.Comparisons(("a", "b", "x"), ("Eve",), *map(np.array, ([0], [1], [1.0], [0])))
    with pytest.raises(ProjectError, match="the 2 recordings around “a” with the recording “x” \\(2 separate groups"):
        bt.fit(alone)
    with pytest.raises(ProjectError, match="There are no comparisons yet"):
        bt.fit(bt.comparisons([]))


@pytest.mark.parametrize(("left", "preferred"), [(1, 1.0), (0, 0.3)])
def test_rejects_what_is_no_answer(left: int, preferred: float) -> None:
    with pytest.raises(ValueError, match=r"itself|preferred"):
        bt.Comparisons(
            ("a", "b"), ("Eve",), np.array([left]), np.array([1]), np.array([preferred]), np.array([0])
        )  # fmt: skip


def test_intervals_over_raters_are_wider_where_raters_differ() -> None:
    sides = [("a", "b", 1.0), ("b", "a", 0.0)] * 5
    opposite = [
        (left, right, preferred if rater < "c" else 1.0 - preferred, rater)
        for rater in "abcd"
        for left, right, preferred in sides
    ]
    scale = bt.fit(bt.comparisons(opposite))
    low, high = bt.rater_bootstrap(bt.comparisons(opposite), n_resamples=100)
    assert high[0] - low[0] > 1.5 * (scale.high[0] - scale.low[0])
    with pytest.raises(ProjectError, match="at least three raters, there are 2"):
        bt.rater_bootstrap(bt.comparisons(opposite[:20]))


def test_scores_follow_the_anchors() -> None:
    scale = bt.fit(simulated(TRUTH, 8_000))
    known = {scale.items[k]: 50.0 + 15.0 * TRUTH[k] for k in (2, 7, 12, 17)}
    for method in anchored_scores.MAPS:
        scores = anchored_scores.anchored(scale, known, method)
        inner = ~scores.outside
        assert np.abs(scores.score - (50.0 + 15.0 * TRUTH))[inner].max() < 5.0
        assert (np.diff(scores.score[np.argsort(scale.value)]) >= 0.0).all()
        assert ((scores.low <= scores.score) & (scores.score <= scores.high)).all()
        assert scores.n_anchors == 4 and scores.outside[[0, 19]].all() and not scores.outside[[8, 10]].any()
    with pytest.raises(ProjectError, match="at least two compared recordings with different known scores; 1 of"):
        anchored_scores.anchored(scale, {scale.items[0]: 10.0, "elsewhere": 90.0})
    with pytest.raises(ProjectError, match="contradict the comparisons"):
        anchored_scores.anchored(scale, {scale.items[0]: 90.0, scale.items[-1]: 10.0})


def test_circles_of_preferences_are_counted() -> None:
    circle = [("a", "b", 1.0, "Eve"), ("b", "c", 1.0, "Eve"), ("a", "c", 0.0, "Eve")]
    order = [("a", "b", 1.0, "Eve"), ("c", "b", 0.0, "Eve"), ("a", "c", 1.0, "Eve")]
    assert pair_consistency.circular_triads(bt.comparisons(circle)) == (1, 1)
    assert pair_consistency.circular_triads(bt.comparisons(order)) == (0, 1)
    assert pair_consistency.circular_triads(bt.comparisons(order[:2])) == (0, 0)


def test_a_rater_who_guesses_is_told_from_those_who_listen() -> None:
    data = simulated(TRUTH, 3_000, raters=3, seed=1)
    guesses = data.rater == 2
    random = np.random.default_rng(0).integers(0, 2, int(guesses.sum())).astype(np.float64)
    preferred = data.preferred.copy()
    preferred[guesses] = random
    mixed = bt.Comparisons(data.items, data.raters, data.left, data.right, preferred, data.rater)
    listener, _, guesser = pair_consistency.consistency(mixed, [("rater 0", True)] * 9 + [("rater 0", False)])
    assert listener.hits.value is not None and listener.hits.value > 0.7
    assert guesser.hits.value == pytest.approx(0.5, abs=0.05)
    assert (listener.log_likelihood or 0.0) > -0.6
    assert (guesser.log_likelihood or 0.0) < -0.69
    assert listener.circular / listener.triads < 0.15 < guesser.circular / guesser.triads
    assert (listener.repeats.value, listener.repeats.n) == (0.9, 10)
    assert guesser.repeats.reason == "no repeats yet"


def test_a_rater_who_prefers_the_left_side_is_seen() -> None:
    data = simulated(TRUTH, 2_000, order=1.5, raters=1)
    (rater,) = pair_consistency.consistency(data)
    assert rater.left.interval is not None and rater.left.interval[0] > 0.6
    assert rater.hits.reason == "nobody else compared these recordings"
    order = bt.fit(data).order
    assert order.interval is not None and order.interval[0] > 1.2


def test_a_random_answerer_has_no_reliable_scale() -> None:
    data = simulated(np.zeros(20), 400)
    scale = bt.fit(data)
    assert scale.reliability is not None and scale.reliability < 0.4
    assert abs(pearson(scale.value, TRUTH) or 0.0) < 0.5
