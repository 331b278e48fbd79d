"""Label, Practice, Compare and Train as Streamlit runs them: empty states, contents, errors in words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.audio.load import load_audio
from pipeline.corpus.sets import read_recordings
from pipeline.labels.store import LabelStore
from pipeline.records import RatingAction, RatingEvent, Target
from pipeline.runs import RunDirectory
from pipeline.scoring.base import score_audio
from pipeline.scoring.batch import score_set
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.data import load_training_data
from pipeline.scoring.feature_based.train import run_training
from pipeline.scoring.selection import load_scorer
from pipeline.settings import CHECKOUT, Settings
from tests.conftest import make_few
from tests.pages import said

Open = Callable[..., Any]
MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"


@pytest.mark.parametrize("name", ["label", "compare", "train"])
def test_an_empty_installation_says_what_to_do_next(open_page: Open, name: str) -> None:
    page = open_page(name)
    assert "There is no recording set" in said(page)
    assert page.title[0].value == name.capitalize()


def test_labelling_starts_with_who_you_are(open_page: Open, tiny_set: str) -> None:
    assert "Choose or type your name" in said(open_page("label"))


def test_the_form_hides_ratings_of_others_and_machine_scores(
    open_page: Open, settings: Settings, tiny_set: str
) -> None:
    score_set(settings, tiny_set, "heuristic")
    page = open_page("label", set=tiny_set, rater="Ada")
    shown = said(page)
    for other in ("ayşe", "can", "heuristic", "50", "52"):
        assert other not in shown.split()


def test_somebody_who_has_rated_everything_is_thanked(open_page: Open, settings: Settings, tiny_set: str) -> None:
    store = LabelStore(settings)
    for number, recording in enumerate(read_recordings(settings, tiny_set)):
        action = (RatingAction.RATE, RatingAction.SKIP, RatingAction.FLAG)[number % 3]
        store.add(recording, RatingEvent("Ada", action, "2026-01-01T00:00:00+00:00", score=5, reason="r"))
    shown = said(open_page("label", set=tiny_set, rater="Ada"))
    assert "All 24 recordings" in shown
    assert "8 rated, 8 skipped, 8 flagged" in shown


def test_a_recording_that_cannot_be_read_is_flagged_and_the_next_one_comes(
    open_page: Open, settings: Settings, tiny_set: str
) -> None:
    from pipeline.corpus.sets import audio_path, get_set
    from pipeline.labels.index import Index

    first = Index(settings).next_recording(tiny_set, "Ada")
    assert first is not None
    audio_path(get_set(settings, tiny_set), first).write_bytes(b"broken")
    page = open_page("label", set=tiny_set, rater="Ada")
    assert "cannot be rated" in said(page)
    page.button[0].click().run()
    assert "cannot be rated" not in said(page)
    assert LabelStore(settings).current(first)["Ada"].action is RatingAction.FLAG


def test_a_name_that_cannot_be_one_is_refused_in_words(open_page: Open, tiny_set: str) -> None:
    assert "1 to 80 printable characters" in said(open_page("label", set=tiny_set, rater="x" * 99))


@pytest.mark.usefixtures("demo")
def test_practise_offers_words_a_reference_and_earlier_attempts(open_page: Open, settings: Settings) -> None:
    from pipeline.practice.attempts import save_attempt

    audio = load_audio(MASA)
    result = score_audio(load_scorer(settings, "heuristic", Target("masa").rubric), audio, Target("masa", "tr"))
    save_attempt(settings, "Deniz", "masa", audio, result)
    page = open_page("practice", learner="Deniz", text="masa")
    shown = said(page)
    assert "masa" in shown
    assert "synthetic voice" in shown
    assert page.dataframe[0].value["Score"].tolist() == [98]
    assert page.dataframe[0].value["Scored by"].tolist() == ["rule"]


@pytest.mark.usefixtures("demo")
def test_compare_shows_metrics_with_targets_and_the_largest_errors(open_page: Open, settings: Settings) -> None:
    before = said(open_page("compare", set="demo"))
    assert "No scorer has scored this set" in before
    for scorer in ("acoustic57", "reference"):
        score_set(settings, "demo", scorer)
    page = open_page("compare", set="demo")
    shown = said(page)
    assert "176 recordings of 8 speakers" in shown
    assert "synthetic" in shown
    metrics = page.dataframe[0].value.set_index("Metric")
    assert metrics.loc["MAE (points)", "Target"] == "< 10 / 7 / 5"
    assert "· acceptable" in metrics.loc["MAE (points)", "reference"]
    assert "[" in metrics.loc["PCC", "acoustic57"]
    assert len(page.dataframe[1].value) == 10
    for plot in ("bland-altman", "speakers", "texts"):
        page.segmented_control(key="compare-plot").set_value(plot).run()
        assert not page.exception, plot


def test_compare_without_expert_scores_points_to_labelling(open_page: Open, settings: Settings, tiny_set: str) -> None:
    from pipeline.corpus.sets import get_set
    from pipeline.labels.index import Index

    for file in get_set(settings, tiny_set).labels_root.rglob("*_result.json"):
        file.unlink()
    Index(settings).rebuild()
    assert "no expert scores" in said(open_page("compare", set=tiny_set))


def test_train_shows_the_models_in_use_and_a_runs_findings(open_page: Open, settings: Settings, tmp_path: Path) -> None:
    make_few(settings, tmp_path)
    page = open_page("train", set="few")
    assert "There are no runs yet" in said(page)
    models = page.dataframe[0].value
    assert set(models["Scores"]) == {"words", "sentences", "English sentences"}
    assert models["State"].isin(["Deployed", "Default"]).sum() == 3
    config = TrainConfig(set="few", model="forest", trees=20, folds=4)
    run = RunDirectory.create(settings.runs_root, kind="word", name="mine", config=config)
    with run.start() as writer:
        run_training(load_training_data(settings, config), config, writer)
    page = open_page("train", set="few", run=run.id)
    shown = said(page)
    assert "Feature importance" in shown
    assert "the MAE of this run" in shown
    tables = [table.value for table in page.dataframe]
    assert any("training mean" in table.columns for table in tables)
    assert any(len(table) == 10 and "Error (points)" in table.columns for table in tables)


@pytest.mark.usefixtures("demo")
def test_a_mock_run_is_called_mock(open_page: Open, settings: Settings) -> None:
    RunDirectory.create(
        settings.runs_root, kind="word", name="dry", config=TrainConfig(set="demo", labels="mock")
    )  # fmt: skip
    page = open_page("train", set="demo")
    assert "Mock labels" in said(page)
    assert open_page("runs").dataframe[0].value["Labels"].tolist() == ["mock"]


@pytest.mark.usefixtures("demo")
def test_a_lost_run_says_so(open_page: Open, settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="gone", config=TrainConfig(set="demo"))
    raw = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**raw, "heartbeat_at": "2026-01-01T00:00:00+00:00"}))
    assert "ended without reporting why" in said(open_page("train", set="demo"))


@pytest.mark.usefixtures("demo")
def test_an_old_link_to_a_job_that_is_gone_still_compares(open_page: Open, settings: Settings) -> None:
    score_set(settings, "demo", "acoustic57")
    page = open_page("compare", set="demo", job="../gone")
    assert "176 recordings of 8 speakers" in said(page)
    assert not page.error
