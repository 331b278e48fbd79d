"""Models from candidate to live to retired and back; who is answered by which; what their scores were worth."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from pipeline.cli.main import main
from pipeline.corpus.sets import read_recordings
from pipeline.deployment.model_registry import (
    Stage,
    add_candidate,
    entries,
    get_entry,
    make_live,
    place_of,
    retire,
    roll_back,
)
from pipeline.deployment.prediction_log import Labelled, PredictionLog
from pipeline.deployment.routing import (
    IN_USE,
    RULE,
    Comparison,
    RoutingError,
    begin,
    comparison_at,
    end,
    route,
    set_shadow,
    shadow,
    side,
)
from pipeline.errors import ModelError
from pipeline.features.table import build_table
from pipeline.importing.demo import install_demo
from pipeline.jobs.launcher import find
from pipeline.monitoring import outcomes as of
from pipeline.monitoring.inputs import feature_drift, feature_names
from pipeline.monitoring.retraining import can_train_again, criteria, raters, train_again
from pipeline.records import RubricName, ScoreResult, Target
from pipeline.runs import RunDirectory
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.data import load_training_data
from pipeline.scoring.feature_based.train import run_training
from pipeline.scoring.selection import load_scorer, select
from pipeline.scoring.speech.model_files import FOLDER as SPEECH
from pipeline.settings import Settings
from tests.pages import button, said

ARABA = Target("araba", "tr", RubricName.WORD)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[RunDirectory]]:
    """The demo, and two small forests trained on it."""
    root = tmp_path_factory.mktemp("registry")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    install_demo(settings)
    runs = []
    for name in ("first", "second"):
        config = TrainConfig(set="demo", model="forest", trees=8, folds=2, name=name)
        run = RunDirectory.create(settings.runs_root, kind="word", name=name, config=config)
        with run.start() as writer:
            run_training(load_training_data(settings, config), config, writer)
        runs.append(run)
    return settings, runs


@pytest.fixture
def world(installed: tuple[Settings, list[RunDirectory]], tmp_path: Path) -> tuple[Settings, list[RunDirectory]]:
    """A copy of its own, as tests put models into use."""
    for part in ("data", "models"):
        shutil.copytree(getattr(installed[0], f"{part}_root"), tmp_path / part)
    settings = Settings(data_root=tmp_path / "data", models_root=tmp_path / "models")
    return settings, [find(settings, run.id) for run in installed[1]]


def stages(settings: Settings) -> dict[str, Stage]:
    return {one.model_id: one.stage for one in entries(settings) if one.place == "word"}


def test_from_candidate_to_live_to_retired_and_back(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, second) = world
    released = next(one for one in entries(settings) if one.place == "word")
    assert released.stage is Stage.LIVE
    add_candidate(settings, first.path / "model", "Rita", first.id)
    assert stages(settings)[first.id] is Stage.CANDIDATE
    made = get_entry(settings, first.id)
    assert (made.by, made.run) == ("Rita", first.id)
    assert (made.made_from["trained_on"], made.made_from["n_recordings"]) == ("demo", 176)
    assert made.made_from["label_sources"] == ("synthetic",)
    make_live(settings, first.path / "model", "Rita", first.id)
    assert stages(settings) == {first.id: Stage.LIVE, released.model_id: Stage.RETIRED}
    make_live(settings, second.path / "model", "Rita", second.id)
    assert stages(settings)[first.id] is Stage.RETIRED
    assert load_scorer(settings, None, RubricName.WORD).model_id == second.id
    assert roll_back(settings, "word", "Rita") == first.id
    assert stages(settings)[first.id] is Stage.LIVE
    assert stages(settings)[second.id] is Stage.RETIRED
    assert load_scorer(settings, None, RubricName.WORD).model_id == first.id
    # A retired model whose files are there is put into use again like any other.
    kept = get_entry(settings, second.id)
    assert kept.folder == second.path / "model"
    make_live(settings, kept.folder)
    assert stages(settings)[second.id] is Stage.LIVE


def test_what_cannot_be_registered_or_retired(world: tuple[Settings, list[RunDirectory]], tmp_path: Path) -> None:
    settings, (first, _) = world
    with pytest.raises(ModelError, match="holds no model"):
        add_candidate(settings, tmp_path, "Rita")
    with pytest.raises(ModelError, match="No model 'nowhere'"):
        get_entry(settings, "nowhere")
    make_live(settings, first.path / "model")
    with pytest.raises(ModelError, match="Deploy another model"):
        retire(settings, first.id)
    with pytest.raises(ModelError, match="already deployed"):
        add_candidate(settings, first.path / "model", "Rita")
    with pytest.raises(ModelError, match="No speech model is deployed"):
        roll_back(settings, SPEECH)


def test_a_model_put_there_by_hand_is_live_too(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, second) = world
    make_live(settings, first.path / "model")
    shutil.rmtree(settings.deployed_root / "word")
    shutil.copytree(second.path / "model", settings.deployed_root / "word")
    assert stages(settings)[second.id] is Stage.LIVE
    assert stages(settings)[first.id] is Stage.RETIRED


def test_a_damaged_line_of_the_registry_is_passed_over(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, _) = world
    add_candidate(settings, first.path / "model", "Rita")
    with (settings.models_root / "registry.jsonl").open("a") as file:
        file.write('{"at": "2026\n{"stage": "sleeping"}\n')
    assert stages(settings)[first.id] is Stage.CANDIDATE


# Who is answered by which


@pytest.mark.parametrize(
    ("target", "place"),
    [
        (ARABA, "word"), (Target("A day.", "en", RubricName.SENTENCE), SPEECH),
        (Target("Bir gün.", "tr", RubricName.SENTENCE), None),
    ],
)  # fmt: skip
def test_where_a_text_is_scored(target: Target, place: str | None) -> None:
    assert place_of(target) == place


def test_a_learner_stays_on_one_side_and_shares_are_kept() -> None:
    one = Comparison("c1", "word", IN_USE, RULE, 0.3, "2026-01-01", "Rita")
    sides = [side(one, f"learner {n}") for n in range(4000)]
    assert sides == [side(one, f"learner {n}") for n in range(4000)]
    assert sides.count("b") / 4000 == pytest.approx(0.3, abs=0.03)
    other = Comparison("c2", "word", IN_USE, RULE, 0.3, "2026-01-01", "Rita")
    both = sum(a == b == "b" for a, b in zip(sides, (side(other, f"learner {n}") for n in range(4000)), strict=True))
    assert both / 4000 == pytest.approx(0.09, abs=0.02), "another comparison draws anew"
    assert {side(one, "") for _ in range(100)} == {"a", "b"}, "without a name, chance decides"


def test_a_comparison_routes_until_it_ends(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, _) = world
    add_candidate(settings, first.path / "model", "Rita")
    assert route(settings, ARABA, "Deniz").arm == ""
    found = begin(settings, "word", IN_USE, first.id, 0.5, "Rita")
    ways = {route(settings, ARABA, f"learner {n}").arm: route(settings, ARABA, f"learner {n}") for n in range(30)}
    assert ways["a"].selection == select(settings, ARABA)
    assert ways["b"].selection.model == first.path / "model"
    assert ways["b"].comparison == found.id
    sentence = Target("A day.", "en", RubricName.SENTENCE)
    assert route(settings, sentence, "Deniz").arm == "", "other places are left alone"
    shutil.rmtree(first.path / "model")
    assert {route(settings, ARABA, f"learner {n}").arm for n in range(30)} == {"a", ""}, "its files are gone"
    end(settings, found.id)
    assert comparison_at(settings, "word") is None
    with pytest.raises(RoutingError, match="No comparison"):
        end(settings, found.id)


def test_comparisons_that_make_no_sense(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, _) = world
    add_candidate(settings, first.path / "model", "Rita")
    for place, a, b, share, words in (
        ("word", RULE, RULE, 0.5, "the same"), ("word", IN_USE, RULE, 1.0, "between 0 and 1"),
        ("nowhere", IN_USE, RULE, 0.5, "no place"), (SPEECH, IN_USE, first.id, 0.5, "was trained for another place"),
    ):  # fmt: skip
        with pytest.raises(RoutingError, match=words):
            begin(settings, place, a, b, share, "Rita")
    with pytest.raises(ModelError, match="nothing"):
        begin(settings, "word", IN_USE, "nothing", 0.5, "Rita")
    begin(settings, "word", IN_USE, RULE, 0.5, "Rita")
    with pytest.raises(RoutingError, match="already running"):
        begin(settings, "word", IN_USE, first.id, 0.5, "Rita")


def test_the_deployed_model_is_compared_by_that_word_alone(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, second) = world
    make_live(settings, first.path / "model", "Rita")
    add_candidate(settings, second.path / "model", "Rita")
    for a, b in ((IN_USE, first.id), (first.id, second.id)):
        with pytest.raises(RoutingError, match=f"{first.id} is the deployed model. Write `deployed` for it."):
            begin(settings, "word", a, b, 0.5, "Rita")
    assert begin(settings, "word", IN_USE, second.id, 0.5, "Rita").b == second.id


def test_in_the_shadow(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, _) = world
    add_candidate(settings, first.path / "model", "Rita")
    assert shadow(settings, ARABA) is None
    set_shadow(settings, "word", first.id)
    assert shadow(settings, ARABA) == first.path / "model"
    with pytest.raises(RoutingError, match="was trained for another place"):
        set_shadow(settings, SPEECH, first.id)
    set_shadow(settings, "word", None)
    assert shadow(settings, ARABA) is None


def test_a_damaged_file_of_routes_routes_nobody(settings: Settings) -> None:
    settings.data_root.mkdir(parents=True)
    (settings.data_root / "routing.json").write_text('{"comparisons": [{"id": 1}]}')
    assert route(settings, ARABA, "Deniz").arm == ""


def test_by_the_command_line(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, (first, second) = world
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}

    def run(*command: str) -> Any:
        result = CliRunner().invoke(main, [*command, "--json"], env=env)
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    assert run("models", "add", first.id, "--by", "Rita")["stage"] == "candidate"
    assert run("models", "shadow", "word", first.id)["shadow"] == first.id
    compared = run("models", "compare", "word", "deployed", first.id, "--share", "0.2", "--by", "Rita")
    assert run("models", "end", compared["id"])["ended"] == compared["id"]
    told = CliRunner().invoke(main, ["models", "compare", "word", "in use", first.id, "--share", "0.2"], env=env).output
    running = comparison_at(settings, "word")
    assert running is not None
    assert told == (
        f"Comparison {running.id} at word: 20% of the learners get {first.id} (b), the others the deployed model (a). "
        f"The Monitor page shows it; `pronlab models end {running.id}` ends it.\n"
    )
    run("models", "end", running.id)
    assert run("models", "retire", first.id)["stage"] == "retired"
    assert run("deploy", second.id, "--by", "Rita")["model_id"] == second.id
    assert {one["model_id"]: one["stage"] for one in run("models", "list")}[second.id] == "deployed"


# What scores turned out to be worth


def labelled(n: int, overall: float = 60.0, label: float | None = 50.0, **more: Any) -> Labelled:
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=n)
    known = {"participant": "", "confidence": None, "arm": "", "agrees": None, "text": "ev"} | more
    return Labelled(
        f"p{n}", at.timestamp(), "model", "m1", "word", known["text"], known["participant"], overall,
        known["confidence"], known["arm"], "c1" if known["arm"] else "", label, known["agrees"],
    )  # fmt: skip


def test_feedback_becomes_labels_experts_first(settings: Settings) -> None:
    log = PredictionLog(settings)
    result = ScoreResult(60.0, "poor", "ml_model", "model", "m1", ARABA, confidence=0.5)
    ids = [log.add(result, participant="Deniz", arm="a", comparison="c1") for _ in range(3)]
    log.feedback(ids[0], score=40)
    log.feedback(ids[0], score=70, kind="expert")
    log.feedback(ids[1], agrees=True)
    log.feedback(ids[1], agrees=False)
    first, second = log.labelled()
    assert (first.label, first.error, first.agrees) == (70.0, -10.0, None)
    assert (second.label, second.agrees, second.arm) == (None, 0.5, "a")
    assert log.arm_counts("c1") == {"a": 3}


def test_a_log_of_an_earlier_version_is_read_and_written(settings: Settings) -> None:
    log = PredictionLog(settings)
    log.add(ScoreResult(60.0, "poor", "ml_model", "model", "m1", ARABA))
    with sqlite3.connect(settings.data_root / "predictions.sqlite") as connection:
        for column in ("arm", "comparison", "shadow_of"):
            connection.execute(f"ALTER TABLE predictions DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 0")
    assert PredictionLog(settings).labelled() == []
    assert PredictionLog(settings).arm_counts("c1") == {}
    PredictionLog(settings).add(ScoreResult(60.0, "poor", "ml_model", "model", "m1", ARABA), arm="a", comparison="c1")
    assert PredictionLog(settings).arm_counts("c1") == {"a": 1}


def test_a_log_that_is_taken_away_begins_anew(settings: Settings) -> None:
    log = PredictionLog(settings)
    for _ in range(2):
        log.add(ScoreResult(60.0, "poor", "ml_model", "model", "m1", ARABA))
        assert (log.lost, [day.n for day in log.days()]) == (0, [1])
        for file in settings.data_root.glob("predictions.sqlite*"):
            file.unlink()


def test_errors_by_week_learner_and_text() -> None:
    rows = [labelled(0, 60), labelled(1, 40), labelled(8, 90, participant="Ada", text="su"), labelled(9, label=None)]
    assert [(g.name, g.n, g.mae, g.bias) for g in of.by_week(rows)] == [
        ("2026-03-02", 2, 10.0, 0.0), ("2026-03-09", 1, 40.0, 40.0)
    ]  # fmt: skip
    assert [(g.name, g.mae) for g in of.by_participant(rows)] == [("Ada", 40.0)]
    assert [g.name for g in of.by_text(rows)] == ["su", "ev"]


def test_confidence_is_held_against_what_happened() -> None:
    rows = [labelled(n, 50 + (5 if n % 10 < 9 else 30), confidence=0.9) for n in range(100)]
    rows += [labelled(n, 90, confidence=0.1) for n in range(20)]
    low, high = of.calibration(rows)
    assert (low.share, low.n) == (0.0, 20)
    assert (high.share, high.n) == (0.9, 100)
    assert high.confidence == pytest.approx(0.9)
    assert high.interval[0] < 0.9 < high.interval[1]


def test_sides_are_compared_by_learners_not_by_predictions() -> None:
    draw = np.random.default_rng(0)
    rows = []
    for number in range(60):
        arm = "ab"[number % 2]
        own = abs(draw.normal(12 if arm == "a" else 6, 2))
        rows += [
            labelled(number, 50 + own, participant=f"l{number}", arm=arm, agrees=float(arm == "b")) for _ in range(9)
        ]
    found = of.compare(rows, {"a": 400, "b": 300})
    assert (found.a.n, found.a.n_labelled, len(found.a.errors)) == (400, 270, 30)
    assert found.difference == pytest.approx(-6, abs=1.5)
    welch = stats.ttest_ind(found.b.errors, found.a.errors, equal_var=False)
    assert found.p_value == pytest.approx(welch.pvalue)
    assert found.interval is not None
    assert found.interval[0] < found.difference < found.interval[1] < 0
    assert found.agreement_p is not None
    assert found.agreement_p < 1e-3
    assert (found.a.agreement, found.b.agreement) == (0.0, 1.0)


def test_one_learner_who_never_agrees_is_one_learner() -> None:
    rows = [labelled(n, participant=f"{arm}{n % 5}", arm=arm, agrees=1.0) for arm in "ab" for n in range(10)]
    rows += [labelled(n, participant="b9", arm="b", agrees=0.0) for n in range(200)]
    found = of.compare(rows, {})
    assert (found.a.agreement, found.b.agreement) == (1.0, pytest.approx(5 / 6))
    assert found.agreement_p is not None
    assert found.agreement_p > 0.5, "200 of its 210 opinions, but one learner in six"


def test_nothing_is_said_of_one_learner_a_side() -> None:
    found = of.compare([labelled(0, participant="x", arm="a"), labelled(1, participant="y", arm="b")], {})
    assert (found.difference, found.p_value, found.still_needed) == (None, None, None)


def test_the_sample_size_is_what_simulation_finds() -> None:
    n = of.learners_needed(5.0, 5.0)
    assert n == pytest.approx(98, abs=1)  # 16 s^2 / d^2, as textbooks round it
    draw = np.random.default_rng(0)
    hits = sum(
        stats.ttest_ind(draw.normal(0, 5, n), draw.normal(2, 5, n), equal_var=False).pvalue < 0.05 for _ in range(600)
    )
    assert hits / 600 == pytest.approx(0.8, abs=0.05)


# What came in


def test_features_that_moved_against_the_training_recordings(world: tuple[Settings, list[RunDirectory]]) -> None:
    settings, _ = world
    entry = next(one for one in entries(settings) if one.place == "word")
    log = PredictionLog(settings)
    values = build_table(settings, read_recordings(settings, "demo"), "acoustic57").values
    names = feature_names(settings)
    moved = names.index("rms_mean")
    shifted = values.copy()
    shifted[:, moved] += 3 * values[:, moved].std()
    result = ScoreResult(60.0, "poor", "ml_model", "model", "drifting", ARABA)
    for row in shifted:
        log.add(result, features=row)
    drift = feature_drift(settings, entry, "drifting")
    assert "training recordings of the set demo" in drift.source
    assert drift.features[0].name == names[moved]
    assert drift.features[0].verdict == "large"
    assert {feature.verdict for feature in drift.features[1:]} == {"steady"}
    unknown = feature_drift(settings, None, "never heard of")
    assert unknown.features == ()
    assert "0 of the 100 predictions" in unknown.source


# Training again


def test_criteria_for_retraining(world: tuple[Settings, list[RunDirectory]], monkeypatch: pytest.MonkeyPatch) -> None:
    settings, (first, _) = world
    make_live(settings, first.path / "model", "", first.id)
    entry = get_entry(settings, first.id)
    bad = [labelled(n, 90, 70) for n in range(100)]
    later = datetime.now(UTC) + timedelta(days=400)
    assert raters(settings, entry) == {"demo-synthetic": 176}
    error, fresh, age = criteria(settings, entry, bad, later)
    assert (error.met, error.value) == (True, "20.0 points over 100 predictions")
    assert (fresh.met, fresh.value) == (False, "0")
    assert age.met is True
    error, _, age = criteria(settings, entry, bad[:10])
    assert (error.met, age.met) == (None, False)
    good_again = bad + [labelled(200 + n, 60, 55) for n in range(100)]
    assert criteria(settings, entry, good_again)[0].met is False, "the last hundred count"
    started: list[Any] = []
    monkeypatch.setattr("pipeline.jobs.launcher._start", lambda job, name: started.append(job))
    assert can_train_again(settings, entry)
    again = train_again(settings, entry)
    assert again.config == first.config
    assert started[0].argv == ("train", "word")


# The page


def test_the_page_compares_and_registers(
    open_page: Callable[..., Any], world: tuple[Settings, list[RunDirectory]]
) -> None:
    settings, (first, _) = world
    page = open_page("monitor", monitor="models")
    assert not page.exception
    assert "word-demo-reference" in " ".join(page.dataframe[0].value["Model"])
    page.selectbox(key="registry-run").select(first.id).run()
    button(page, "Register as candidate").click().run()
    assert not page.exception
    assert get_entry(settings, first.id).stage is Stage.CANDIDATE
    page.selectbox(key="registry-model").select(first.id).run()
    button(page, "Start shadow scoring").click().run()
    assert shadow(settings, ARABA) is not None
    compare = open_page("monitor", monitor="comparisons")
    button(compare, "Begin").click().run()
    assert not compare.exception
    going = comparison_at(settings, "word")
    assert going is not None
    assert (going.a, going.b) == (IN_USE, first.id)
    assert "can be compared once" in said(compare)


def test_the_page_says_what_people_said(open_page: Callable[..., Any], settings: Settings) -> None:
    log = PredictionLog(settings)
    for number in range(40):
        result = ScoreResult(60.0 + number % 5, "poor", "ml_model", "model", "m1", ARABA, confidence=0.7)
        found = log.add(result, participant=f"l{number % 3}", features=np.arange(57.0) + number)
        log.feedback(found, score=55.0, agrees=number % 4 > 0)
    page = open_page("monitor", monitor="feedback")
    assert not page.exception
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown == {
        "With a human score": "40", "Mean error (points)": "7.0", "Within 10 points": "100%",
        "Scores agreed with": "75%",
    }  # fmt: skip
    came_in = open_page("monitor", monitor="inputs")
    assert not came_in.exception
    assert "40 of the 100 predictions needed" in said(came_in)
