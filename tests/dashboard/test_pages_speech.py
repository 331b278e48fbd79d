"""The pages of the speech scorer: practice by sentence, results, training."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.components.scored_text import VERDICTS, heard_in_words, syllable_dots
from pipeline import artifacts
from pipeline.importing.importer import import_path
from pipeline.metrics.published import HUMAN, N_TEST, PAPER, PUBLISHED
from pipeline.phones import PHONES, UNKNOWN, bare
from pipeline.practice.lessons import get_lesson
from pipeline.practice.stress import WordStress
from pipeline.records import PhoneScore, Verdict
from pipeline.scoring.speech.lexicon.dictionary import pronounce
from pipeline.scoring.speech.model_files import find_speech_model
from pipeline.scoring.speech.packaging.deploy import deploy, is_deployed, rollback
from pipeline.settings import CHECKOUT, Settings
from pipeline.speechllm.plan_summary import Plan
from tests.pages import button, said

Open = Callable[..., Any]
MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"


@pytest.fixture
def deployed(settings: Settings, speech_run: Path) -> Settings:
    deploy(settings, speech_run / "model")
    return settings


def phone(symbol: str, verdict: Verdict, **more: Any) -> PhoneScore:
    return PhoneScore(symbol, more.pop("score", 50.0), 0.0, 0.1, verdict, **more)


def test_what_became_of_a_phone_is_said_in_words() -> None:
    assert heard_in_words(phone("TH", Verdict.WRONG, heard="S")) == "heard as s"
    assert heard_in_words(phone("TH", Verdict.WRONG, heard=UNKNOWN)) == "said differently"
    assert heard_in_words(phone("TH", Verdict.MISSING)) == "not said"
    assert (
        heard_in_words(phone("TH", Verdict.WRONG, heard="S", before=("AH",))) == "heard as s, with an extra ʌ before it"
    )
    assert heard_in_words(phone("TH", Verdict.RIGHT)) == ""


def test_the_expected_stress_is_shown_and_none_is_called_moved() -> None:
    moved = WordStress("photograph", ("foʊ", "tʌ", "ɡɹæf"), (0.1, 0.2, 0.7), 0, (0.0, 0.9))
    assert (moved.shown, moved.moved) == ("ˈfoʊ·tʌ·ɡɹæf", True)
    dots = {"marks": ["strong", "weak", "weak"], "title": "Stress on syllable 1 of 3"}
    assert syllable_dots("photograph", "en", moved) == dots


def test_shapes_differ_as_colours_do() -> None:
    assert len({shape for shape, _ in VERDICTS.values()}) == len(Verdict)
    css = (CHECKOUT / "dashboard" / "components" / "scored_text" / "scored_text.css").read_text()
    assert all(f'[data-verdict="{verdict}"]' in css for verdict in Verdict)


def test_the_practice_sentences_hold_every_phone(settings: Settings) -> None:
    texts = [item.text for item in get_lesson(settings, "en-sentences").items]
    said = {bare(p) for text in texts for word in pronounce(text) for p in word.variants[0]}
    assert said == set(PHONES)


def test_practice_offers_sentences_and_scores_them(open_page: Open, deployed: Settings) -> None:
    page = open_page("practice", lesson="en-sentences", learner="Ada")
    shown = said(page)
    assert "The weather is lovely" in shown
    page.segmented_control(key="recorder-way").set_value("file").run()
    page.file_uploader[0].upload("masa.wav", MASA.read_bytes(), "audio/wav").run()
    shown = said(page)
    assert "Your score" in shown
    assert page.metric or any("is not counted" in warning.value for warning in page.warning)
    assert "Again" in [button.label for button in page.button]


def test_practice_without_a_model_offers_other_languages(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Settings, "released_models", property(lambda _: tmp_path))
    assert "English cannot be scored here yet" in said(open_page("practice", lesson="en-th"))


def test_results_stand_beside_paper_systems_and_people(
    open_page: Open, deployed: Settings, speech_manifest: Path
) -> None:
    from click.testing import CliRunner

    from pipeline.cli.main import main

    # The tiny model has heard three of the four voices; only the fourth's recordings are judged.
    command = ["evaluate", "--manifest", str(speech_manifest), "--scorer", "speech", "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    report = json.loads(result.output[result.output.index("{") :])
    assert report["n"] + report["failed"] + report["n_not_held_out"] == 12
    assert {"utterance", "word", "phone", "mdd", "per", "wer", "real_time_factor"} <= report.keys()
    page = open_page("results")
    table = page.dataframe[0].value
    assert "Whisper-large-v3" in set(page.dataframe[-1].value["Encoder"])
    assert "Chosen on the test part" in said(page)
    assert {PAPER.short_name, HUMAN.short_name, "Pronlab, dev"} <= set(table["System"])
    assert max(map(len, table["System"])) <= 25, "figures have room beside it on a phone"
    assert f"the same over all {N_TEST:,} test utterances" in said(page), "why one expert has two figures"
    assert PAPER.source in set(table["Source"])
    assert len(table) == len(PUBLISHED) + 1 + 1 + _released()
    shown = said(page)
    assert "Predicted against expert" in shown
    assert "Phone error rate and accuracy" in shown


def test_results_without_an_evaluation_say_how_to_run_one(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Settings, "released_models", property(lambda _: tmp_path))
    page = open_page("results")
    assert "pronlab evaluate" in said(page)
    assert len(page.dataframe[0].value) == len(PUBLISHED) + 1


def test_training_a_speech_scorer_needs_the_corpus(open_page: Open, settings: Settings, speech_manifest: Path) -> None:
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("speech").run()
    assert "pronlab import speechocean762" in said(page)
    import_path(settings, speech_manifest, name="ocean")
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("speech").run()
    assert any("whisper_base" in box.options for box in page.selectbox)


def test_a_finished_speech_run_shows_its_figures(open_page: Open, settings: Settings, speech_run: Path) -> None:
    shutil.copytree(speech_run, settings.runs_root / speech_run.name)
    page = open_page("train", run=speech_run.name)
    shown = said(page)
    assert "Metrics on held-out speakers" in shown
    assert "Deploy" in shown


def test_a_speech_model_is_deployed_and_rolled_back(settings: Settings, speech_run: Path) -> None:
    before = find_speech_model(settings)
    deploy(settings, speech_run / "model")
    assert find_speech_model(settings) == settings.deployed_root / "speech-en"
    deploy(settings, speech_run / "model")
    assert is_deployed(settings)
    before_this = rollback(settings)
    assert before_this is not None
    assert before_this.model_id == speech_run.name
    assert rollback(settings) is None
    assert not is_deployed(settings)
    assert find_speech_model(settings) == before


def _released() -> int:
    return int((CHECKOUT / "models" / "speech-en" / "evaluation.json").is_file())


def test_a_speech_language_model_run_is_shown_beside_the_paper(open_page: Open, settings: Settings) -> None:
    from pipeline.metrics.published import TABLE3
    from pipeline.runs import RunDirectory
    from pipeline.speechllm.evaluate import Correlated, SpeechLlmFigures
    from pipeline.speechllm.model_files import SpeechLlmInfo, save_info
    from pipeline.speechllm.prompts import ASPECTS
    from pipeline.speechllm.table3 import table3, write_table3

    rates = {"precision": 0.7, "recall": 0.7, "f1": 0.7}
    scores = {aspect: Correlated(0.61, 0.001, 0.9, 20) for aspect in ASPECTS}
    found = SpeechLlmFigures(
        scores, 0.2, 0.15, rates, {**rates, "f1": 0.25}, {"apa": 20, "mdd": 20}, {"apa": 1, "mdd": 0}
    )
    config = {"adapter": "fresh", "set": "ocean", "model": "microsoft/Phi-4-multimodal-instruct"}
    run = RunDirectory.create(settings.runs_root, kind="speechllm", name="llm", config=config)
    with run.start() as writer:
        table = table3(found)
        for step in range(1, 9):
            writer.log_metrics(event="step", step=step, loss=1.0 / step, rate=1e-5, grad_norm=1.0)
        writer.log_metrics(event="epoch", epoch=1, table3={name: row.ours for name, row in table.items()})
        write_table3(run.path, table, found)
        writer.update(result={"table3": table})
        save_info(run.path / "model", SpeechLlmInfo(run.id, memory_gb=11.0))
    page = open_page("train", run=run.id)
    shown = said(page)
    assert "1 of 20 APA" in shown
    assert "Data: **ocean** · 20 recordings · compared with the released scores, or the median" in shown
    assert "The paper's figures are on the part test, 2,500 recordings." in shown
    assert "Scoring takes about 11.0 GB of memory on a GPU, for instance T4 16GB." in shown
    assert "mispronunciation F1 is 0.250" in shown
    tables = [frame.value for frame in page.dataframe]
    shown = next(frame for frame in tables if "Paper" in frame.columns)
    paper = next(row for row in TABLE3 if (row.trained, row.epoch) == ("LoRA", 3))
    assert list(shown["Paper"]) == [f"{getattr(paper, name):.3f}" for name in table]
    assert list(shown["This run"])[:4] == ["0.610"] * 4
    artifacts.write_json(run.path / "config.json", {**config, "model": "standin"})
    page = open_page("train", run=run.id)
    shown = next(frame.value for frame in page.dataframe if "This run" in frame.value.columns)
    assert list(shown.columns) == ["Metric", "This run"], "a stand-in reproduces nothing"
    assert "The paper's figures" not in said(page)
    listed = next(frame.value for frame in open_page("runs").dataframe if "Trains" in frame.value.columns)
    assert list(listed["PCC"]) == ["0.610"]
    assert list(listed["Trains"]) == ["Speech language model"]


def test_curves_of_left_out_speakers_take_the_place_of_the_evaluation_parts(
    open_page: Open, settings: Settings
) -> None:
    from pipeline.runs import RunDirectory

    config = {"adapter": "full", "set": "ocean", "model": "standin"}
    run = RunDirectory.create(settings.runs_root, kind="speechllm", name="chosen", config=config)
    with run.start() as writer:
        writer.log_metrics(event="step", step=1, loss=1.0, rate=1e-5, grad_norm=1.0)
        for epoch, per in ((1, 0.912), (2, 0.834)):
            measured = {"validation_total_pcc": 0.3, "validation_per": per, "validation_choice": 0.2}
            writer.log_metrics(event="epoch", epoch=epoch, metrics=measured)
    page = open_page("train", run=run.id)
    assert "training speakers that are left out; they choose the epoch" in said(page)
    charts = [str(chart.proto) for chart in page.get("plotly_chart")]
    assert sum("not measured" in chart for chart in charts) == 3, "of the scores only the total was logged"


def test_axis_smoothing_and_zoom_stay_while_curves_are_drawn_anew(
    open_page: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.runs import RunDirectory

    run = RunDirectory.create(settings.runs_root, kind="speechllm", name="zoomed", config={"model": "standin"})
    with run.start() as writer:
        for step in range(1, 9):
            writer.log_metrics(event="step", step=step, loss=1.0 / step, rate=1e-5, grad_norm=1.0)
    zoom: dict[str, Any] = {}
    monkeypatch.setattr("dashboard.components.kept_chart.state.component_value", lambda key, _: zoom.get(key))
    page = open_page("train", run=run.id)

    def curve() -> dict[str, Any]:
        figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
        return next(figure for figure in figures if figure["layout"]["yaxis"]["title"]["text"] == "Training loss")

    page.toggle(key="train-log").set_value(True)
    page.slider(key="train-smoothing").set_value(50).run()
    assert (curve()["layout"]["yaxis"]["type"], len(curve()["data"])) == ("log", 2)
    zoom["speechllm-loss-zoom"] = {"revision": f"{run.id} True", "x": [2.0, 5.0], "y": [-1.0, 0.0]}
    with run.start() as writer:
        writer.log_metrics(event="step", step=9, loss=0.1, rate=1e-5, grad_norm=1.0)
    page.run()
    layout = curve()["layout"]
    assert (layout["xaxis"]["range"], layout["yaxis"]["range"]) == ([2.0, 5.0], [-1.0, 0.0])
    assert layout["yaxis"]["type"] == "log"
    page.toggle(key="train-log").set_value(False).run()
    assert "range" not in curve()["layout"]["xaxis"], "numbers of a logarithmic axis mean something else"


def test_a_machine_without_a_cluster_is_not_asked_where_to_run(
    open_page: Open, settings: Settings, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_path(settings, speech_manifest, name="ocean")
    asks = {f"speechllm-{field}" for field in ("executor", "nodes", "options")}

    def fields() -> set[str]:
        page = open_page("train")
        page.segmented_control(key="train-kind").set_value("speechllm").run()
        assert not page.exception
        return {str(field.key) for field in (*page.selectbox, *page.number_input, *page.text_area)}

    for name in ("slurm", "ray"):
        monkeypatch.setattr(f"pipeline.jobs.executors.{name}.is_installed", lambda: False)
    assert not asks & fields()
    assert {"speechllm-devices", "speechllm-overrides"} <= fields()
    monkeypatch.setattr("pipeline.jobs.executors.ray.is_installed", lambda: True)
    assert asks & fields() == {"speechllm-executor", "speechllm-options"}, "a Ray job has one node"
    monkeypatch.setattr("pipeline.jobs.executors.slurm.is_installed", lambda: True)
    assert asks <= fields()


def test_fine_tuning_is_started_from_the_page(
    open_page: Open, settings: Settings, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("speechllm").run()
    assert "pronlab import speechocean762" in said(page)
    import_path(settings, speech_manifest, name="ocean")
    started: list[tuple[str, Any]] = []
    from pipeline.runs import RunDirectory

    def launch(
        _: Settings, *, argv: list[str], root: Path, kind: str, name: str, config: Any, by: Any, seed: int = 0,
        where: Any = None,
    ) -> RunDirectory:  # fmt: skip
        started.append((" ".join(argv), where))
        return RunDirectory.create(root, kind=kind, name=name, config=config, seed=seed)

    monkeypatch.setattr("pipeline.jobs.launcher.launch", launch)
    monkeypatch.setattr("pipeline.jobs.executors.slurm.is_installed", lambda: True)  # as where `sbatch` is
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("speechllm").run()
    next(field for field in page.text_input if field.label == "Measure on part").set_value("")
    next(field for field in page.number_input if field.label.startswith("Maximum recordings")).set_value(4)
    page.text_area(key="speechllm-overrides").set_value("r=0\nranks=3\nalpha=x")
    button(page, "Start fine-tuning").click().run()
    (error,) = page.error
    for part in ("no setting 'ranks'", "alpha is a whole number", "r lies in 1-1024"):
        assert part in error.value
    assert not started

    page.text_area(key="speechllm-overrides").set_value("r=4\nrate: 1e-3")
    page.selectbox(key="speechllm-executor").set_value("slurm")
    page.text_area(key="speechllm-options").set_value("partition=gpu")
    button(page, "Start fine-tuning").click().run()
    assert not page.exception
    ((command, where),) = started
    assert command == "train speechllm"
    assert (where.executor, where.devices, where.options) == ("slurm", 1, {"partition": "gpu"})
    (run,) = (RunDirectory(path.parent) for path in settings.runs_root.glob("*/run.json"))
    config = run.config
    assert (config["model"], config["limit"], config["evaluation_part"], config["r"]) == ("tiny", 4, "", 4)
    assert config["rate"] == 1e-3
    assert (config["set"], config["manifest"], config["part"]) == ("ocean", "", "auto")
    assert "speechllm-tiny-seed0" in said(page)

    button(page, "Estimate").click().run()
    assert started[1][0] == "train speechllm --plan"
    (plan,) = (RunDirectory(path.parent) for path in settings.jobs_root.glob("*/run.json"))
    with plan.start() as writer:
        ahead = Plan(5, 9, 5 / 9, 8, 100.0, 3, 99.0, 16.0, 72.0, 1, "the CPU")
        writer.update(result={"plan": vars(ahead)})
    page.run()
    assert "takes about 3 days" in said(page)
    assert "trains 5 of 9 parameters (55.56%)" in said(page)
    assert any("needs about 99.0 GB, but the CPU has 16.0 GB" in warning.value for warning in page.warning)


def test_runs_of_any_kind_stand_side_by_side(open_page: Open, settings: Settings, speech_run: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(speech_run, settings.runs_root / name)
    changed = json.loads((settings.runs_root / "b" / "config.json").read_text(encoding="utf-8"))
    (settings.runs_root / "b" / "config.json").write_text(json.dumps({**changed, "dropout": 0.3}), encoding="utf-8")
    page = open_page("runs")
    page.multiselect(key="runs").set_value(["a", "b"]).run()
    assert not page.exception
    tables = [frame.value for frame in page.dataframe]
    figures = next(frame for frame in tables if "Metric" in frame.columns)
    assert {"Phone", "Total, per epoch"} <= set(figures["Metric"])
    settings_table = next(frame for frame in tables if "Setting" in frame.columns)
    assert list(settings_table["Setting"]) == ["dropout"]
    assert list(settings_table["b"]) == ["0.3"]


def test_a_stopped_run_can_be_resumed(
    open_page: Open, settings: Settings, speech_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.runs import RunDirectory

    shutil.copytree(speech_run, settings.runs_root / "cut")
    run = RunDirectory(settings.runs_root / "cut")
    run.request_stop()
    with run.start() as writer:
        writer.check_stop()
    started: list[str] = []
    monkeypatch.setattr("pipeline.jobs.launcher.resume", lambda _, run, by: started.append(run.id))
    page = open_page("train", run="cut")
    page.button(key="resume-cut").click().run()
    assert started == ["cut"]
