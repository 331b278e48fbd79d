"""Runs compared: over seeds, across kinds, their searches, a report of them, and those of other programs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import AccessError, JobError
from pipeline.external_runs import log_run
from pipeline.people.access import GUEST, Role
from pipeline.people.people import People
from pipeline.runs import RunDirectory
from pipeline.runs.comparison import Reached, as_markdown, compare_runs, flat, lower_is_better, over_seeds
from pipeline.runs.report import html
from pipeline.runs.trials import importance, searches_of
from pipeline.runs.words import kind_name, metric_name
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.settings import Settings
from pipeline.wakeword.config import WakewordConfig


def run_of(root: Path, kind: str, config: Any, mae: float | None = None, lines: tuple[dict[str, Any], ...] = ()) -> Any:
    run = RunDirectory.create(root, kind=kind, name="x", config=config)
    with run.start() as writer:
        for line in lines:
            writer.log_metrics(**line)
        if mae is not None:
            writer.update(result={"metrics": {"mae": mae}})
    return run


def test_seeds_are_one_group_with_mean_and_interval(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path, "word", TrainConfig(set="demo", name=f"forest-seed{seed}", seed=seed), mae)
        for seed, mae in ((0, 8.0), (1, 9.0), (2, 10.0))
    ]
    other = run_of(tmp_path, "word", TrainConfig(set="demo", name="deep", epochs=7), 5.0)
    (group,) = compare_runs([*runs, other]).groups
    assert (group.name, group.seeds, group.run_ids) == ("forest", (0, 1, 2), tuple(run.id for run in runs))
    mae = group.figures["mae"]
    assert mae.mean == pytest.approx(9.0)
    # Student's t with two degrees of freedom is 4.303; the standard error 1 / sqrt(3).
    assert mae.interval == pytest.approx((9.0 - 4.303 / 3**0.5, 9.0 + 4.303 / 3**0.5), abs=1e-3)
    assert "9.000 [6.516, 11.484]" in as_markdown(compare_runs(runs))
    assert compare_runs([runs[0], other]).groups == ()
    assert over_seeds([3.0]).interval is None


def test_kinds_are_compared_by_what_each_measured_and_settings_by_name(tmp_path: Path) -> None:
    word = run_of(tmp_path, "word", TrainConfig(set="demo"), 8.0)
    wake = run_of(tmp_path, "wakeword", WakewordConfig(name="chirp"))
    points = {"0.5": {"miss_rate": 0.05, "fah": 0.4}, "1": {"miss_rate": 0.02}, "2": {"miss_rate": "?"}}
    (wake.path / "evaluation.json").write_text(json.dumps({"stream": {"at_fah": points}, "clips": {"eer": 0.01}}))
    comparison = compare_runs([word, wake])
    figures = {row.kind: {name: reached.last for name, reached in row.figures.items()} for row in comparison.runs}
    assert figures == {
        "word": {"mae": 8.0},
        "wakeword": {"miss_at_0.5_per_hour": 0.05, "miss_at_1_per_hour": 0.02, "eer": 0.01},
    }
    assert metric_name("miss_at_0.5_per_hour") == "Missed words at up to 0.5 false alarms per hour"
    assert lower_is_better("miss_at_0.5_per_hour")
    for values in comparison.differences.values():
        for value in values.values():
            assert not isinstance(value, dict)
            assert not (isinstance(value, list) and any(isinstance(entry, dict) for entry in value))
    assert {"model", "train.rate"} <= set(comparison.differences)
    assert all(None not in values.values() for values in comparison.shared.values())


def test_sections_are_flat_also_in_lists() -> None:
    config = {"a": {"b": {"c": 1}}, "d": [{"e": 2}, {"e": 3}], "f": [1, 2], "g": {}}
    assert flat(config) == {"a.b.c": 1, "d.1.e": 2, "d.2.e": 3, "f": [1, 2]}


def trial(number: int, rate: float, kind: str, value: float, **more: Any) -> dict[str, Any]:
    return {
        "event": "trial",
        "trial": number,
        "value": value,
        "settings": {"rate": rate, "kind": kind, "same": 1},
        **more,
    }


def test_searches_of_every_kind_are_read_with_their_importance(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="Optuna is not installed")
    lines = tuple(trial(n, rate=n / 10, kind="ab"[n % 2], value=5.0 + n / 2) for n in range(12))
    folds = (trial(0, 0.1, "a", 9.0, fold=0), trial(1, 0.2, "b", 8.0, fold=0))
    damaged = ({"event": "trial", "trial": "x", "value": None}, {"event": "trial", "settings": []})
    run = run_of(tmp_path, "wakeword-search", {"name": "x"}, None, (*folds, *lines, *damaged))
    final, within = searches_of(run)
    assert (final.fold, len(final.trials), within.fold, len(within.trials)) == (None, 12, 0, 2)
    assert final.best.number == 0
    assert final.varied == ("rate", "kind")
    shares = importance(final)
    assert list(shares) == ["rate", "kind"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["rate"] > 0.8
    assert importance(within) == {}
    assert searches_of(run_of(tmp_path, "word", TrainConfig(set="demo"), 8.0)) == []


def test_a_report_is_one_file_with_tables_and_figures_and_runs_nothing(settings: Settings, tmp_path: Path) -> None:
    epochs = tuple({"event": "epoch", "epoch": n, "fold": 0, "val_mae": 9.0 - n, "train_loss": 0.1} for n in (1, 2))
    root = settings.runs_root
    runs = [
        run_of(root, "word", TrainConfig(set="demo", name=f"<b>seed{seed}", seed=seed), 8.0 + seed, epochs)
        for seed in (0, 1)
    ]
    (runs[0].path / "predictions.csv").write_text("recording_id,speaker,expert,predicted\nr1,Ada,80,70\nr2,Ada,50,55\n")
    trials = tuple(trial(n, rate=n / 10, kind="a", value=5.0 + n) for n in range(6))
    runs.append(run_of(root, "table", {"name": "t", "source": "prompts.csv"}, 9.0, trials))
    text = html(runs, "Two <seeds>")
    assert "Two &lt;seeds&gt;" in text
    assert "<b>seed" not in text
    for section in ("Metrics", "Over seeds", "Settings that differ", "Curves", "Predicted against expert scores"):
        assert f"<h2>{section}</h2>" in text
    assert text.count("<svg") == 4, "two curves, predictions, importance"
    assert "8.500" in text
    assert "Ada" not in text
    assert not re.search(
        r"<script|<link|https?://(?!www\.w3\.org|purl\.org|creativecommons\.org|matplotlib\.org)", text
    )
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    out = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["runs", "report", runs[0].id, runs[1].id, "--out", str(out), "--json"], env=env)
    assert done.exit_code == 0, done.output
    assert runs[1].id in out.read_text(encoding="utf-8")
    done = CliRunner().invoke(main, ["runs", "report", runs[0].id, "--out", str(tmp_path / "report.pdf")], env=env)
    assert done.exit_code == 1
    assert "report.pdf is no .html file" in done.output
    assert not (tmp_path / "report.pdf").exists()


def test_counts_are_whole_numbers_in_a_comparison() -> None:
    assert [str(Reached(value, value, None)) for value in (44.0, 1.0, 0.5, 12.25)] == ["44", "1.000", "0.500", "12.250"]


def test_a_run_of_another_program_is_logged_in_three_lines(settings: Settings) -> None:
    with log_run("svr", {"c": 10.0, "seed": 3}, settings=settings) as run:
        run.log(epoch=1, mae=9.0)
        run.log(epoch=2, mae=8.5)
        run.log(step=1, loss=0.5)
        run.result(mae=8.4, pcc=0.61)
    state = run.directory.state
    assert (state.kind, state.status, state.seed) == ("external", "finished", 3)
    (row,) = compare_runs([run.directory]).runs
    assert {name: (reached.last, reached.best_epoch) for name, reached in row.figures.items()} == {
        "mae": (8.4, None), "pcc": (0.61, None),
    }  # fmt: skip
    with log_run("svr", {"c": 10.0}, settings=settings) as run:
        run.log(epoch=1, mae=8.0)
        run.log(epoch=2, mae=8.6)
        run.result(mae=8.5)
    (row,) = compare_runs([run.directory]).runs
    assert row.figures["mae"] == Reached(last=8.5, best=8.0, best_epoch=1), "the result stands, whatever the curve"
    with pytest.raises(JobError, match="The setting model cannot be kept: it is of type object"):
        log_run("svr", {"model": object()}, settings=settings).__enter__()
    assert kind_name("external") == "Training elsewhere"
    with pytest.raises(ZeroDivisionError), log_run("broken", settings=settings) as run:
        _ = 1 / 0
    assert run.directory.state.status == "failed"
    with log_run("x", settings=settings) as run:
        for wrong in ({"mae": 1.0}, {"epoch": 1, "step": 1, "mae": 1.0}, {"epoch": 1, "mae": "low"}):
            with pytest.raises(JobError):
                run.log(**wrong)


def test_who_may_not_train_logs_no_run(settings: Settings) -> None:
    people = People(settings)
    people.add_or_change("Rob", GUEST, roles=(Role.ADMIN,))
    people.add_or_change("Eve", people.identify("Rob"), roles=(Role.EXPERT,))
    for by in ("Eve", None):
        with pytest.raises(AccessError), log_run("x", settings=settings, by=by):
            pass
    assert not list(settings.runs_root.glob("*"))
