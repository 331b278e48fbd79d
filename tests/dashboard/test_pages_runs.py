"""The Runs page, comparing runs, and the table of results with its files."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.evaluation.results_export import FORMATS
from pipeline.evaluation.results_table import LABELS, ResultRow, of_evaluation, of_published, result_rows
from pipeline.evaluation.saved import SavedEvaluation
from pipeline.metrics.published import HUMAN, PAPER, PUBLISHED
from pipeline.runs import RunDirectory, list_runs
from pipeline.runs.comparison import as_csv, as_markdown, compare_runs, curves
from pipeline.runs.metrics import MetricsReader
from pipeline.runs.notes import Notes, read_notes, write_notes
from pipeline.settings import Settings
from pipeline.speechllm.model_files import SpeechLlmInfo, is_stand_in, save_info
from tests.pages import button, said

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

Open = Callable[..., "AppTest"]
ROW = ResultRow("ours_1 & co", "here", 0.7, 0.8, 0.79, 0.76, per=0.195, told=False, n=20)


@pytest.fixture
def three(settings: Settings) -> list[RunDirectory]:
    """A fine-tuning run, one like it at another rate, and a word scorer of two folds."""
    runs = []
    for name, rate, totals in (("first", 2e-5, (0.5, 0.6, 0.55)), ("second", 1e-4, (0.4, 0.3, 0.2))):
        config = {"model": "m", "rate": rate, "seed": 0, "name": name}
        run = RunDirectory.create(settings.runs_root, kind="speechllm", name=name, config=config)
        with run.start() as writer:
            for step in range(1, 7):
                writer.log_metrics(event="step", step=step, epoch=step / 2, loss=2.0 / step, rate=rate)
            for epoch, total in enumerate(totals, start=1):
                writer.log_metrics(event="epoch", epoch=epoch, table3={"total_pcc": total, "per": 1 - total})
        runs.append(run)
    word = RunDirectory.create(settings.runs_root, kind="word", name="word", config={"labels": "mock"})
    with word.start() as writer:
        for fold, mae in ((0, 9.0), (1, 11.0), (None, 8.0)):
            writer.log_metrics(event="epoch", fold=fold, epoch=1, train_loss=0.1, val_mae=mae)
        writer.update(result={"metrics": {"mae": 9.5}})
    return [*runs, word]


def test_the_list_says_why_a_run_failed(open_page: Open, settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="word", name="a", config={})
    run.close("failed", "No recording has\na score.")
    table = open_page("runs").dataframe[0].value
    assert list(table["Reason"]) == ["No recording has a score."]


def test_each_figure_at_best_and_at_last(three: list[RunDirectory]) -> None:
    found = compare_runs(three)
    first, _, word = (row.figures for row in found.runs)
    assert (first["total_pcc"].last, first["total_pcc"].best, first["total_pcc"].best_epoch) == (0.55, 0.6, 2)
    assert first["per"].best == pytest.approx(0.4)
    assert word["val_mae"].last == pytest.approx(28 / 3)
    assert word["mae"].last == 9.5
    assert found.differences["rate"] == {three[0].id: 2e-5, three[1].id: 1e-4, three[2].id: None}
    assert "name" not in found.differences
    assert as_csv(found).splitlines()[1].startswith(f"{three[0].id},speechllm,finished,total_pcc,0.55,0.6,2")
    text = as_markdown(found)
    assert "| total_pcc | 0.550 (0.600 in epoch 2) | 0.200 (0.400 in epoch 1) | - |" in text
    assert "| rate | 2e-05 | 0.0001 | - |" in text


def test_curves_by_step_and_by_epoch(three: list[RunDirectory]) -> None:
    found = curves(MetricsReader(three[0].path / "metrics.jsonl").refresh())
    axis, (x, y) = found["loss by step"]
    assert (axis, list(x), y[1]) == ("Step", [1, 2, 3, 4, 5, 6], 1.0)
    axis, (x, y) = found["total_pcc"]
    assert (axis, list(x), list(y)) == ("Epoch", [1, 2, 3], [0.5, 0.6, 0.55])
    assert "epoch by step" not in found


def test_an_empty_list_says_what_to_do(open_page: Open) -> None:
    page = open_page("runs")
    assert "Start one on the Train page" in said(page)
    assert not page.exception


def test_runs_are_found_by_note_tag_and_setting(open_page: Open, three: list[RunDirectory]) -> None:
    write_notes(three[0].path, Notes("slow but sure", ("baseline",)))
    page = open_page("runs")
    assert len(page.dataframe[0].value) == 3
    assert set(page.dataframe[0].value["Tags"]) == {"baseline", ""}
    for wanted in ("slow but", "2e-05"):
        page.text_input(key="runs-find").set_value(wanted).run()
        assert list(page.dataframe[0].value["Id"]) == [three[0].id]
    page.text_input(key="runs-find").set_value("nothing like it").run()
    assert "No run matches" in said(page)
    page.text_input(key="runs-find").set_value("").run()
    page.multiselect(key="runs-tags").set_value(["baseline"]).run()
    assert list(page.dataframe[0].value["Id"]) == [three[0].id]
    assert list(page.dataframe[0].value["Run"]) == ["first"]
    page.multiselect(key="runs-tags").set_value([]).run()
    page.multiselect(key="runs-kind").set_value(["word"]).run()
    assert list(page.dataframe[0].value["Labels"]) == ["mock"]


def test_any_number_of_runs_is_compared(open_page: Open, three: list[RunDirectory]) -> None:
    page = open_page("runs")
    page.multiselect(key="runs").set_value([run.id for run in three]).run()
    assert not page.exception
    tables = [frame.value for frame in page.dataframe]
    reached = next(table for table in tables if "Metric" in table.columns)
    assert list(reached.columns) == ["Metric", *(run.id for run in three)]
    page.selectbox(key="runs-curve").set_value("val_mae").run()
    assert "Not measured in first, second" in said(page)


def test_seeds_searches_and_reports_are_on_the_page(open_page: Open, settings: Settings) -> None:
    runs = []
    for seed in (0, 1):
        config = {"set": "demo", "name": f"net-seed{seed}", "seed": seed}
        run = RunDirectory.create(settings.runs_root, kind="word", name=f"net-seed{seed}", config=config)
        with run.start() as writer:
            for number in range(5):
                trial = {"rate": number / 10, "depth": number % 2}
                writer.log_metrics(event="trial", trial=number, value=9.0 - number, settings=trial)
            writer.update(result={"metrics": {"mae": 8.0 + seed}})
        runs.append(run)
    page = open_page("runs", runs=[run.id for run in runs])
    text = said(page)
    assert "Over seeds" in text
    frames = [frame.value for frame in page.dataframe]
    assert any("8.500" in str(frame.to_dict()) for frame in frames), "the mean of both"
    single = said(open_page("runs", runs=[runs[0].id]))
    assert "5 trials; the best, number 5, reached **5**" in single.replace("5.000", "5")
    assert "Importance of the settings" in single


def test_a_note_is_written_and_a_run_deleted(open_page: Open, settings: Settings, three: list[RunDirectory]) -> None:
    page = open_page("runs")
    page.multiselect(key="runs").set_value([three[1].id]).run()
    note = next(area for area in page.text_area if area.label == "Note")
    note.set_value("too fast")
    next(field for field in page.text_input if field.label == "Tags").set_value("rate dead rate")
    button(page, "Save note").click().run()
    assert read_notes(three[1].path) == Notes("too fast", ("rate", "dead"))
    button(page, "Delete permanently").click().run()
    assert not page.exception
    assert {run.id for run in list_runs(settings.runs_root)} == {three[0].id, three[2].id}


def test_notes_and_deletion_from_the_command_line(
    settings: Settings, three: list[RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    run_id = three[0].id

    def call(*words: str) -> str:
        done = CliRunner().invoke(main, ["runs", *words])
        assert done.exit_code == 0, done.output
        return done.output

    call("note", run_id, "--text", "good", "--tag", "a", "--tag", "b")
    shown = json.loads(call("note", run_id, "--untag", "a", "--json"))
    assert (shown["note"], shown["tags"]) == ("good", ["b"])
    assert json.loads(call("show", run_id, "--json"))["tags"] == ["b"]
    assert "b" in call("list")
    call("delete", run_id, "--yes")
    assert not three[0].path.exists()
    assert CliRunner().invoke(main, ["runs", "show", run_id]).exit_code == 1


def test_the_gap_to_the_paper_is_a_number() -> None:
    assert ROW.gap == pytest.approx(0.76 - PAPER.total)
    assert ROW.gaps["fluency"] == pytest.approx(0.8 - PAPER.fluency)
    assert ResultRow("x", "here").gap is None
    assert of_published(PAPER).gap == 0.0
    assert of_published(PAPER).wer == 0.14
    assert of_published(HUMAN).told is None


def test_a_run_is_chosen_by_its_short_name_and_kept_by_its_id(open_page: Open, three: list[RunDirectory]) -> None:
    page = open_page("train", run=three[0].id)
    assert page.selectbox(key="run").value == three[0].id
    assert {run.id.rpartition("-")[0] for run in three} == set(page.selectbox(key="run").options)
    assert page.query_params["run"] in (three[0].id, [three[0].id])
    page = open_page("runs", runs=three[1].id)
    assert page.multiselect(key="runs").value == [three[1].id]
    assert all(run.id not in page.multiselect(key="runs").options for run in three)
    page = open_page("train", run="gone-12345678")
    assert "gone-12345678 no longer exists" in said(page).replace("\\", "")
    assert page.selectbox(key="run").value in [run.id for run in three]


def test_runs_stand_among_the_systems(settings: Settings, three: list[RunDirectory]) -> None:
    table = {
        name: {"ours": 0.6} for name in ("accuracy_pcc", "fluency_pcc", "prosodic_pcc", "total_pcc", "f1", "wer", "per")
    }
    content = {"table3": table, "figures": {"mdd": {"f1": 0.2}, "n": {"apa": 12, "mdd": 12}}}
    for run in three[:2]:
        (run.path / "table3.json").write_text(json.dumps(content), encoding="utf-8")
    (three[1].path / "config.json").write_text(json.dumps({"model": "tiny", "set": "ocean"}), encoding="utf-8")
    rows = result_rows(settings)
    (run,) = (row for row in rows if row.kind == "run")
    assert run.system.startswith(f"run {three[0].id}")
    assert (run.total, run.mdd_f1, run.n) == (0.6, 0.2, 12)
    assert len([row for row in rows if row.kind == "published"]) == len(PUBLISHED)
    assert [row.kind for row in rows[-2:]] == ["published", "stand_in"], "apart, after all that can be compared"
    assert rows[-1].system.endswith("on ocean, held-out speakers")
    assert rows[-1].total == 0.6 and rows[-1].gaps == {}
    assert "stand_in" not in {row.kind for row in result_rows(settings, [three[0].id])}


def test_a_stand_in_is_known_by_its_record_whatever_its_name(tmp_path: Path) -> None:
    save_info(tmp_path / "phi", SpeechLlmInfo("phi-4-true", stand_in=True))
    save_info(tmp_path / "standin", SpeechLlmInfo("standin"))
    assert is_stand_in("tiny") and is_stand_in("standin") and is_stand_in(str(tmp_path / "phi"))
    assert not is_stand_in(str(tmp_path / "standin"))
    assert not is_stand_in("microsoft/Phi-4-multimodal-instruct")
    report = {"model_id": "phi-4-true", "source": "a/manifest.jsonl", "part": "dev", "utterance": {}, "n": 4}
    assert of_evaluation(SavedEvaluation({**report, "stand_in": True}, None), {}).kind == "stand_in"
    assert of_evaluation(SavedEvaluation(report, None), {}).kind == "here"


def test_every_form_of_the_table_holds_its_figures(tmp_path: Path) -> None:
    import pandas as pd
    from PIL import Image

    rows = [ROW, of_published(PAPER), of_published(HUMAN)]
    found = {name: write(rows) for name, (write, _) in FORMATS.items()}
    table = pd.read_csv(io.BytesIO(found["csv"]))
    assert list(table.columns) == list(LABELS)
    assert table["gap"][0] == pytest.approx(ROW.gap)
    assert np.isnan(table["word"][0])
    text = found["markdown"].decode()
    assert "+0.085" in text
    assert "19.5%" in text
    latex = found["latex"].decode()
    assert r"ours\_1 \& co" in latex
    assert r"19.5\%" in latex
    assert latex.count(r"\\") == 4
    with Image.open(io.BytesIO(found["png"])) as picture:
        assert picture.width > 1000
        assert len(set(picture.convert("L").resize((200, 40)).tobytes())) > 10


def test_results_from_the_command_line(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    done = CliRunner().invoke(main, ["results", "--json"])
    assert {row["system"] for row in json.loads(done.output)} > {"GOPT", "MuFFIN"}
    out = tmp_path / "table.tex"
    assert CliRunner().invoke(main, ["results", "--format", "latex", "--out", str(out)]).exit_code == 0
    assert r"\toprule" in out.read_text(encoding="utf-8")
    assert CliRunner().invoke(main, ["results", "--format", "png"]).exit_code == 1


@pytest.mark.parametrize(
    ("missing", "view", "sentence"),
    [
        ({"torch", "sklearn"}, "train", "Install what is named above, then start a training."),
        ({"torch", "sklearn"}, "runs", "The Train page says what to install before the first one."),
        (set(), "train", "Start a training above: with the demo set it takes less than a minute."),
        (set(), "runs", "Start one on the Train page: with the demo set it takes less than a minute."),
    ],
)
def test_a_training_is_promised_only_where_one_can_start(
    open_page: Open, tiny_set: str, monkeypatch: pytest.MonkeyPatch, missing: set[str], view: str, sentence: str
) -> None:
    monkeypatch.setattr("pipeline.optional.is_there", lambda name: name not in missing)
    shown = said(open_page(view, set=tiny_set))
    assert f"There are no runs yet. {sentence}" in shown
    assert ("less than a minute" in shown) == (not missing)
