"""Agreement of raters against published examples, kept libraries, and what must hold whatever the numbers."""

import json
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pipeline.cli.main import main
from pipeline.metrics.estimate import Clusters
from pipeline.metrics.rater_agreement import agreement, alpha, by_group, icc_complete
from pipeline.metrics.severity import additive_model

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": 4 observers, 12 units; interval alpha .849.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
        [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
    ]
).T
# Shrout & Fleiss (1979), Table 2: 6 targets, 4 judges; ICC(2,1) .29, ICC(2,4) .62.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def plain(n: int) -> Clusters:
    return Clusters.of(None, n, 50)


def made_up(n: int = 300, raters: int = 4, gaps: float = 0.0, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    table = draw.normal(70, 10, (n, 1)) + draw.normal(0, 4, (n, raters)) + np.linspace(-3, 3, raters)
    table[draw.random(table.shape) < gaps] = np.nan
    return np.round(table)


def test_alpha_as_published() -> None:
    assert alpha(KRIPPENDORFF, plain(12)).value == pytest.approx(0.849, abs=5e-4)


def test_icc_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.metrics.estimate.MIN_SHARED", 6)
    single, mean = icc_complete(SHROUT_FLEISS, list("abcd"), plain(6))
    assert single.value == pytest.approx(0.29, abs=5e-3)
    assert mean.value == pytest.approx(0.62, abs=5e-3)


@pytest.mark.parametrize("gaps", [0.0, 0.4])
def test_alpha_as_the_library_has_it(gaps: float) -> None:
    table = made_up(gaps=gaps)
    theirs = krippendorff.alpha(table.T, level_of_measurement="interval")
    assert alpha(table, plain(len(table))).value == pytest.approx(theirs, abs=1e-9)


def test_icc_as_the_library_has_it() -> None:
    import pandas as pd
    import pingouin

    table = made_up(60)
    long = pd.DataFrame(table).reset_index().melt("index")
    theirs = pingouin.intraclass_corr(long, targets="index", raters="variable", ratings="value").set_index("Type")[
        "ICC"
    ]
    single, mean = icc_complete(table, list("abcd"), plain(60))
    names = {
        name.replace(" ", "").replace("(", "").replace(")", "").replace(",", ""): value
        for name, value in theirs.items()
    }
    assert single.value == pytest.approx(names.get("ICC2", names.get("ICCA1")), abs=1e-6)
    assert mean.value == pytest.approx(names.get("ICC2k", names.get("ICCAk")), abs=1e-6)


def test_kappa_as_the_library_has_it() -> None:
    table = np.clip(made_up(200, 2), 0, 100)
    found = agreement(table, ["a", "b"], bands=(0, 60, 70, 80, 90))
    levels = np.searchsorted([60, 70, 80, 90], table, side="right")
    theirs = cohen_kappa_score(levels[:, 0], levels[:, 1], weights="quadratic")
    assert found.kappa.value == pytest.approx(theirs, abs=1e-9)
    assert found.pairs[0].kappa.value == pytest.approx(theirs, abs=1e-9)


def test_pairs_severity_and_leave_one_out() -> None:
    table = made_up(gaps=0.2)
    found = agreement(table, list("abcd"))
    pair = next(p for p in found.pairs if (p.a, p.b) == ("a", "d"))
    both = np.isfinite(table[:, [0, 3]]).all(axis=1)
    assert pair.n == both.sum()
    assert pair.bias.value == pytest.approx((table[both, 3] - table[both, 0]).mean())
    assert pair.mae.value == pytest.approx(np.abs(table[both, 3] - table[both, 0]).mean())
    low, high = pair.bias.interval or (0, 0)
    assert low < 6 < high
    severities = [rater.severity.value for rater in found.raters]
    assert severities == sorted(severities)
    assert found.raters[0].severity.value == pytest.approx(-4.0, abs=1.0)
    rater = found.raters[1]
    mine = np.isfinite(table[:, 1]) & (np.isfinite(np.delete(table, 1, axis=1)).any(axis=1))
    others = np.nanmedian(np.delete(table, 1, axis=1)[mine], axis=1)
    assert rater.leave_one_out.value == pytest.approx(np.corrcoef(table[mine, 1], others)[0, 1], abs=1e-9)
    assert found.leave_one_out.value == pytest.approx(
        np.mean([r.leave_one_out.value for r in found.raters if r.leave_one_out.value is not None]), abs=1e-9
    )
    assert found.icc_over == "all raters"


def test_too_little_overlap_is_said_and_no_number_given() -> None:
    table = np.full((30, 3), np.nan)
    for row in range(30):
        table[row, row % 3] = row
    found = agreement(table, list("abc"), bands=(0, 10))
    for estimate in (found.alpha, found.icc, found.icc_k, found.kappa, found.leave_one_out):
        assert (estimate.value, estimate.interval) == (None, None)
        assert estimate.reason == "not enough overlap: 0 shared items, at least 10 are needed"
    assert (found.n, found.n_rated, found.pairs) == (0, 30, ())


def test_items_of_one_speaker_have_a_figure_and_no_interval() -> None:
    table = made_up(40)
    of_one = agreement(table, list("abcd"), clusters=["s1"] * 40, bands=(60, 70, 80))
    of_two = agreement(table, list("abcd"), clusters=["s1"] * 20 + ["s2"] * 20, bands=(60, 70, 80))
    for name in ("alpha", "icc", "icc_k", "kappa", "leave_one_out"):
        estimate = getattr(of_one, name)
        assert estimate.value == pytest.approx(getattr(of_two, name).value)
        assert (estimate.interval, estimate.reason) == (None, "all items are of one speaker, so it has no interval")
        assert getattr(of_two, name).interval is not None


def test_a_rater_who_always_gives_the_same_is_named_for_every_figure_that_lacks() -> None:
    table = np.column_stack([np.linspace(20.0, 90.0, 30), np.full(30, 50.0)])
    found = agreement(table, ["Ada", "Bo"])
    assert found.icc_k.reason == found.leave_one_out.reason == "all ratings of Bo are the same"


def test_an_icc_of_raters_who_never_all_met_is_over_pairs() -> None:
    table = made_up(200, 3)
    table[np.arange(200), np.arange(200) % 3] = np.nan
    found = agreement(table, list("abc"))
    assert found.icc_over == "pairs"
    assert found.icc.value == pytest.approx(0.8, abs=0.1)
    assert found.icc.reason == "mean over pairs"


def test_ratings_that_are_all_alike_have_no_alpha() -> None:
    found = agreement(np.full((20, 2), 7.0), ["a", "b"])
    assert (found.alpha.value, found.alpha.reason) == (None, "all ratings are the same")


def test_one_rater_who_always_says_the_same_is_named() -> None:
    draw = np.random.default_rng(3)
    table = np.column_stack([draw.normal(70, 9, 30), np.full(30, 80.1), draw.normal(70, 9, 30)])
    found = agreement(table, ["Ann", "Bob", "Cem"], bands=(0, 60, 80))
    assert (found.leave_one_out.value, found.leave_one_out.reason) == (None, "all ratings of Bob are the same")
    by_name = {rater.name: rater.leave_one_out for rater in found.raters}
    assert (by_name["Bob"].value, by_name["Bob"].reason) == (None, "all ratings of Bob are the same")
    assert by_name["Ann"].value is not None, "the median of Bob and Cem varies"
    assert found.alpha.value is not None
    pair = agreement(table[:, :2], ["Ann", "Bob"])
    assert {rater.leave_one_out.reason for rater in pair.raters} == {"all ratings of Bob are the same"}


def test_a_median_that_never_changes_is_told() -> None:
    draw = np.random.default_rng(3)
    table = np.column_stack([np.full(30, 50.0), np.full(30, 60.0), draw.normal(70, 9, 30)])
    (ann, bob, cem) = agreement(table, ["Ann", "Bob", "Cem"]).raters
    assert ann.leave_one_out.reason == bob.leave_one_out.reason == "all ratings of Ann, Bob are the same"
    assert cem.leave_one_out.value is None
    levels = np.where(np.arange(30)[:, None] % 3 == np.arange(3), 60.0, 50.0)  # three raters agree, one at a time not
    found = agreement(np.column_stack([levels, draw.normal(70, 9, 30)]), list("abcd"))
    assert found.raters[3].leave_one_out.reason == "the median of the other raters is the same for all items"


def test_ratings_in_one_band_have_no_kappa() -> None:
    found = agreement(np.random.default_rng(0).uniform(61, 69, (30, 2)), ["a", "b"], bands=(0, 60, 80))
    assert (found.kappa.value, found.kappa.reason) == (None, "all ratings are in the same band")
    assert found.alpha.value is not None


@pytest.mark.parametrize("noise", [0.0, 0.2, 2.0])
def test_raters_who_contradict_each_other_have_no_reliability(noise: float) -> None:
    """One divides by what is nearly 0 there: the figure was 24, its interval -317 to 208."""
    draw = np.random.default_rng(5)
    level = draw.normal(0, 10, 40)
    table = 50 + np.column_stack([level, -level]) + draw.normal(0, noise, (40, 2))
    found = agreement(table, ["a", "b"])
    assert (found.icc_k.value, found.icc_k.interval) == (None, None)
    assert "contradict each other" in found.icc_k.reason
    assert found.icc.value is None or -1 <= found.icc.value < -0.7
    assert found.alpha.value is not None
    assert found.alpha.value < -0.9


def test_no_icc_of_raters_without_any_relation_is_beyond_its_range() -> None:
    for seed in range(20):
        found = agreement(np.random.default_rng(seed).normal(50, 10, (15, 2)), ["a", "b"])
        for estimate in (found.icc, found.icc_k):
            low, high = estimate.interval or (0.0, 0.0)
            assert estimate.value is None or -1 <= low <= estimate.value <= high <= 1 or estimate.interval is None
            assert estimate.value is not None or estimate.reason


def test_intervals_over_speakers_are_wider() -> None:
    draw = np.random.default_rng(1)
    speakers = [f"s{k // 20}" for k in range(400)]
    table = np.repeat(draw.normal(0, 5, (20, 1)), 20, axis=0) + draw.normal(0, 3, (400, 3))
    single = agreement(table, list("abc")).alpha
    grouped = agreement(table, list("abc"), clusters=speakers).alpha
    assert single.value == pytest.approx(grouped.value)
    assert np.ptp(grouped.interval or (0, 0)) > 1.5 * np.ptp(single.interval or (0, 0))


@given(st.integers(0, 10_000), st.floats(-5, 5), st.floats(0.5, 3))
def test_alpha_does_not_change_with_the_scale(seed: int, shift: float, factor: float) -> None:
    table = made_up(40, 3, 0.3, seed)
    moved = alpha(table * factor + shift, plain(40)).value
    assert moved == pytest.approx(alpha(table, plain(40)).value, abs=1e-9)


def test_severity_is_taken_off_whoever_rated_what() -> None:
    draw = np.random.default_rng(0)
    items, severity = draw.normal(70, 10, 400), np.array([-8.0, 0.0, 8.0])
    table = items[:, None] + severity + draw.normal(0, 1, (400, 3))
    # The strict rater got the first half, the lenient one the second: plain means would be 8 points apart.
    table[:200, 2] = np.nan
    table[200:, 0] = np.nan
    found, severities = additive_model(table)
    assert severities == pytest.approx(severity, abs=0.3)
    assert np.abs(found - items).mean() < 0.8
    assert np.abs(np.nanmean(table, axis=1) - items).mean() > 3
    table[5] = np.nan
    assert np.isnan(additive_model(table)[0][5])


def test_groups_with_the_widest_ratings_first() -> None:
    table = np.array([[1.0, 9.0], [2.0, 8.0], [5.0, 5.0], [6.0, np.nan]])
    first, second = by_group(table, ["w", "w", "v", "v"])
    assert (first["group"], first["distance"], first["range"], first["n"], first["shared"]) == ("w", 7.0, 7.0, 2, 2)
    assert (second["group"], second["distance"], second["n"], second["shared"]) == ("v", 0.0, 2, 1)


def test_the_command_on_a_manifest(speech_manifest: Path) -> None:
    done = CliRunner().invoke(main, ["agreement", "--manifest", str(speech_manifest), "--json"])
    found = json.loads(done.output)["dimensions"]
    assert set(found) == {"accuracy", "fluency", "prosodic", "total"}
    total = found["total"]
    assert total["n"] == 12
    assert total["alpha"] > 0.9
    assert total["alpha_interval"][0] <= total["alpha"] <= total["alpha_interval"][1]
    assert {"icc", "icc_interval", "leave_one_out", "leave_one_out_interval"} <= set(total)
    assert len(total["raters"]) == 5
    assert len(total["pairs"]) == 10
    text = CliRunner().invoke(main, ["agreement", "--manifest", str(speech_manifest)]).output
    assert "Krippendorff's alpha" in text
    for wrong in (["agreement"], ["agreement", "--manifest", str(speech_manifest), "--part", "moon"]):
        assert CliRunner().invoke(main, wrong).exit_code == 1


@pytest.mark.shared
def test_the_human_ceiling_on_real_experts() -> None:
    from pipeline.settings import CHECKOUT

    manifest = CHECKOUT.parent / "shared" / "data" / "speechocean762" / "manifest.jsonl"
    if not manifest.is_file():
        pytest.skip("the corpus is not beside the checkout")
    done = CliRunner().invoke(main, ["agreement", "--manifest", str(manifest), "--part", "dev", "--json"])
    found = json.loads(done.output)["dimensions"]
    for name, near in (("accuracy", 0.73), ("fluency", 0.75), ("prosodic", 0.74), ("total", 0.80)):
        assert found[name]["leave_one_out"] == pytest.approx(near, abs=0.01)
        assert found[name]["n"] == 1260
