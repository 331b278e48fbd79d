"""The command line end to end: each command on a small installation, its JSON, and one clear line on bad input."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dashboard.components.score_card import points
from pipeline.audio.encode import to_wav
from pipeline.cli import main
from pipeline.cli._output import between
from pipeline.cli.corpus import _problem_lines
from pipeline.cli.main import COMMANDS
from pipeline.cli.score import _score_text
from pipeline.cli.wakeword.evaluation import _missed
from pipeline.corpus.sets import audio_path, get_set, read_recordings
from pipeline.errors import TrainingError
from pipeline.i18n import Message, speaking
from pipeline.labels.store import LabelStore
from pipeline.records import Problem, ScoreResult, Target, band_of
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings
from pipeline.times import now_iso
from pipeline.wakeword.config import DataConfig, WakewordConfig
from tests.conftest import make_few

MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    monkeypatch.delenv("PRONLAB_ENCODER_PATH", raising=False)
    monkeypatch.setattr("pipeline.cli._output.LOG_EVERY_S", float("inf"))  # lines that only a busy machine writes
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.strip().splitlines()[-1])


def complaint(result: Result) -> str:
    """One line on the error stream, exit code 1, nothing of a traceback."""
    assert result.exit_code == 1, result.output
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    return lines[0]


def test_a_score_is_the_whole_record(run: Run) -> None:
    found = answer(run("score", MASA, "--word", "masa", "--json"))
    assert set(found) == set(ScoreResult.__dataclass_fields__)
    assert 80 < found["overall"] <= 100
    assert (found["band"] in ("good", "excellent"), found["scoring_method"]) == (True, "ml_model")
    assert found["milliseconds"] > 0
    assert found["audio"]["duration_s"] == pytest.approx(0.53, abs=0.05)
    assert found["warnings"][0] == "No language was given: scored as Turkish."
    given = answer(run("score", MASA, "--word", "masa", "--language", "tr", "--json"))
    assert "No language" not in " ".join(given["warnings"])
    by_rule = answer(run("score", MASA, "--word", "masa", "--scorer", "heuristic", "--json"))
    assert (by_rule["scoring_method"], by_rule["overall"]) == ("heuristic", 98)
    text = run("score", MASA, "--word", "masa", "--scorer", "heuristic").stdout
    assert text.startswith("98 of 100. Excellent: clear and natural (heuristic")


@pytest.mark.parametrize(
    ("overall", "shown"),
    [(70.6, "70 of 100. Fair"), (79.99, "79 of 100. Fair"), (31.0, "31 of 100. Many sounds to work on (")],
)
def test_a_score_is_cut_as_on_the_page_and_told_in_a_learners_words(overall: float, shown: str) -> None:
    target = Target("masa", "tr")
    result = ScoreResult(
        overall, band_of(overall).key, "heuristic", "heuristic", "rule-4", target,
        dimensions={"segments": 70.6}, not_measured=("stress",),
    )  # fmt: skip
    text = _score_text(result)
    assert text.startswith(shown)
    assert text.splitlines()[1:3] == ["  segments: 70", "  stress: not measured"]
    assert text.startswith(f"{points(overall)} of 100")


@pytest.mark.usefixtures("demo")
def test_scores_that_no_person_gave_are_not_called_ratings_that_are_missing(run: Run) -> None:
    told = complaint(run("agreement", "--set", "demo"))
    assert told == "pronlab: Nobody has rated 'demo' yet: ratings of people alone are compared."


def test_a_recording_without_a_score_ends_with_code_1_and_its_reasons(run: Run, tmp_path: Path) -> None:
    (tmp_path / "silent.wav").write_bytes(to_wav(np.zeros(16_000)))
    for form in ((), ("--json",)):
        done = run("score", tmp_path / "silent.wav", "--word", "masa", *form)
        assert done.exit_code == 1
        assert not done.stderr.strip()
    record = json.loads(done.stdout)
    assert (record["overall"], bool(record["warnings"])) == (None, True)


def test_a_sentence_is_scored_by_the_sentence_model(run: Run) -> None:
    found = answer(run("score", MASA, "--text", "a table", "--json"))
    assert found["target"] == {"text": "a table", "language": "en", "rubric": "sentence", "phones": None}
    assert found["scorer"] == "speech"
    assert found["state"] in ("scored", "other_text", "no_speech")


def test_several_models_are_measured_together(run: Run, speech_run: Path, speech_manifest: Path) -> None:
    model = speech_run / "model"
    arguments = ("evaluate", "--manifest", speech_manifest, "--part", "train", "--scorer", "speech")
    both = answer(run(*arguments, "--model", model, "--model", model, "--json"))
    alone = answer(run(*arguments, "--model", model, "--json"))
    assert [report["n"] for report in both["models"]] == [alone["n"]] * 2
    assert both["over_models"]["PER"]["values"] == pytest.approx([alone["per"]] * 2)
    text = run(*arguments, "--model", model, "--model", model).stdout
    assert "Mean of 2 models, 95 % over speakers, and each:" in text
    assert (
        "--out writes the predictions of one model"
        in run(*arguments, "--model", model, "--model", model, "--out", "x.jsonl").stderr
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.wav", "--word", "masa"), "nowhere.wav"),
        ((MASA,), "--word"),
        ((MASA, "--word", "masa", "--text", "x"), "--word"),
        ((MASA, "--word", "masa", "--scorer", "oracle"), "oracle"),
        ((MASA, "--word", "masa", "--scorer", "encoder"), "encoder"),
        ((CHECKOUT / "README.md", "--word", "masa"), "README.md"),
    ],
)
def test_bad_input_to_score_is_told_in_one_line(run: Run, arguments: tuple[Any, ...], said: str) -> None:
    assert said in complaint(run("score", *arguments, "--json"))


@pytest.mark.usefixtures("two_processes")
def test_from_the_demo_to_a_deployed_model(run: Run, settings: Settings, tmp_path: Path) -> None:
    demo = answer(run("demo", "--json"))
    assert (demo["n_recordings"], demo["n_speakers"], demo["n_labels"]) == (176, 8, 176)
    table = tmp_path / "training_data.csv"
    features = answer(run("features", "--set", "demo", "--out", table, "--json"))
    assert (features["n"], features["features"]) == (176, 57)
    assert table.read_text(encoding="utf-8").splitlines()[0].startswith("mfcc_1_mean,")
    trained = answer(run("train", "word", "--csv", table, "--model", "forest", "--trees", 20, "--folds", 4, "--json"))
    assert trained["metrics"]["n"] == 176
    assert trained["metrics"]["mae"] < trained["baselines"]["training mean"]["mae"]
    listed = answer(run("runs", "list", "--json"))
    assert [row["id"] for row in listed] == [trained["run"]]
    shown = answer(run("runs", "show", trained["run"], "--json"))
    assert shown["status"] == "finished"
    assert shown["config"]["trees"] == 20
    assert "MAE" in run("runs", "list").stdout
    assert "finished" in run("runs", "show", trained["run"]).stdout
    deployed = answer(run("deploy", trained["run"], "--json"))
    assert deployed["model_id"] == trained["run"]
    score = answer(run("score", MASA, "--word", "masa", "--json"))
    assert score["model_id"] == trained["run"]
    assert answer(run("deploy", "--rollback", "word", "--json")) == {"rubric": "word", "model": None}
    assert answer(run("score", MASA, "--word", "masa", "--json"))["model_id"] != trained["run"]


@pytest.mark.usefixtures("demo")
def test_a_network_on_mock_labels_says_so(run: Run) -> None:
    found = answer(run("train", "word", "--set", "demo", "--labels", "mock", "--epochs", 2, "--folds", 2, "--json"))
    assert any("Mock labels" in warning for warning in found["warnings"])
    text = run("train", "word", "--set", "demo", "--preset", "word_forest", "--trees", 5, "--folds", 2).stdout
    assert "training mean" in text
    assert "pronlab deploy" in text


def test_scorers_are_measured_on_a_set_and_on_a_manifest(run: Run, settings: Settings, tmp_path: Path) -> None:
    make_few(settings, tmp_path)
    found = answer(run("evaluate", "--set", "few", "--scorer", "acoustic57", "--json"))
    assert {"n", "mae", "rmse", "r2", "pcc"} <= set(found)
    assert (found["n"], found["failed"]) == (24, 0)
    folder = tmp_path / "manifest"
    folder.mkdir()
    rows = []
    for number, source in enumerate(sorted((CHECKOUT / "data" / "demo" / "references").glob("*.wav"))):
        shutil.copy(source, folder / f"{number}.wav")
        row = {"audio": f"{number}.wav", "text": source.stem, "speaker": f"s{number % 4}", "score": 80 + number % 9}
        rows.append({**row, "language": "tr"})
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "predictions.jsonl"
    arguments = ("evaluate", "--manifest", folder / "m.jsonl", "--scorer", "acoustic57", "--out", out)
    found = answer(run(*arguments, "--json"))
    assert found["n"] == len(rows) == len(out.read_text().splitlines())
    assert "one expert" not in run(*arguments).stdout
    model = tmp_path / "model"
    shutil.copytree(CHECKOUT / "models" / "word-demo", model)
    for _ in range(2):
        answer(run("evaluate", "--manifest", folder / "m.jsonl", "--model", model, "--card", "--json"))
    assert (model / "README.md").read_text(encoding="utf-8").count("## On manifest (score scores)") == 1
    scored = answer(run("score-set", "few", "--scorer", "heuristic", "--scorer", "acoustic57", "--json"))
    assert scored["scorers"]["heuristic"] == {"n": 24, "failed": 0, "reasons": {}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluat",), "evaluat"),
        (("score",), "FILE"),
        (("train", "word", "--set", "demo", "--model", "svm"), "svm"),
        (("train", "word", "--seed", "x"), "--seed"),
        (("evaluate",), "--manifest"),
        (("evaluate", "--manifest", "none.jsonl"), "none.jsonl"),
        (("evaluate", "--set", "none"), "none"),
        (("evaluate", "--set", "demo", "--card"), "--model"),
        (("train", "word"), "either a set or a csv"),
        (("train", "word", "--set", "none"), "none"),
        (("train", "word", "--csv", "none.csv"), "none.csv"),
        (("train", "word", "--set", "demo", "--extractor", "oracle"), "oracle"),
        (("train", "word", "--set", "demo", "--preset", "oracle"), "oracle"),
        (("features", "--set", "none"), "none"),
        (("deploy",), "Name the run"),
        (("deploy", "nothing-12345678"), "nothing-12345678"),
        (("deploy", "--rollback", "word"), "Nothing is deployed"),
        (("runs", "show", "../x"), "../x"),
        (("import", "nowhere"), "nowhere"),
        (("import", "a", "b", "c"), "3 arguments"),
        (("import", "tarot", "."), "tarot"),
        (("export", "--set", "none", "--out", "x.csv"), "none"),
        (("label", "show", "demo/none"), "demo/none"),
        (("label", "rate", "demo/none", "--evaluator", "a", "--score", "5"), "demo/none"),
        (("score-set", "none", "--scorer", "heuristic"), "none"),
    ],
)
def test_bad_input_is_told_in_one_line(
    run: Run, request: pytest.FixtureRequest, arguments: tuple[str, ...], said: str
) -> None:
    if "demo" in arguments and arguments[0] != "label":
        request.getfixturevalue("demo")
    assert said in complaint(run(*arguments))


@pytest.mark.usefixtures("demo")
def test_rating_from_the_shell(run: Run, settings: Settings) -> None:
    item = "demo/participant_02/kelimeler/05_şeker"
    rated = ("label", "rate", item, "--evaluator", "Ada", "--score")
    assert answer(run(*rated, 71, "--notes", "ok", "--json"))["score"] == 71
    assert "Consensus 71" in run(*rated, 71).stdout
    assert "between 0 and 100, got 171" in complaint(run(*rated, 171))
    assert "Undone" in run("label", "undo", item, "--evaluator", "Ada").stdout
    assert run("label", "skip", item, "--evaluator", "Bo", "--reason", "Later").exit_code == 0
    assert run("label", "flag", item, "--evaluator", "Cem", "--reason", "Too noisy").exit_code == 0
    shown = answer(run("label", "show", item, "--json"))
    assert [event["action"] for event in shown["ratings"]] == ["rate", "rate", "rate", "undo", "skip", "flag"]
    assert "Too noisy" in run("label", "show", item).stdout


def test_commands_write_intervals_as_pages_do() -> None:
    assert between((0.8124, 3.2)) == "[0.812, 3.200]"
    assert between((0.0124, 0.1), 1, is_share=True) == "[1.2%, 10.0%]"
    assert _missed({"miss_rate": 0.05, "miss_interval": [0.0124, 0.1]}) == "5.0% missed [1.2%, 10.0%]"
    with speaking("tr"):
        assert between((0.8124, 3.2), 1) == "[0,8; 3,2]"


@pytest.mark.parametrize("content", [b"", b"RIFF\x24\x00\x00\x00WAVEfmt ", None], ids=["empty", "damaged", "gone"])
def test_a_recording_that_nobody_can_hear_is_flagged_and_never_rated(
    run: Run, settings: Settings, tiny_set: str, content: bytes | None
) -> None:
    recording = read_recordings(settings, tiny_set)[0]
    audio = audio_path(get_set(settings, tiny_set), recording)
    audio.unlink()
    if content is not None:
        audio.write_bytes(content)
    told = complaint(run("label", "rate", recording.id, "--evaluator", "Ada", "--score", 71))
    assert audio.name in told
    assert f'It cannot be rated. Flag it: `pronlab label flag "{recording.id}" --reason "Cannot be read"`.' in told
    assert "Ada" not in LabelStore(settings).current(recording)
    assert run("label", "flag", recording.id, "--evaluator", "Ada", "--reason", "Cannot be read").exit_code == 0
    assert LabelStore(settings).current(recording)["Ada"].reason == "Cannot be read"


def test_the_index_and_exports(run: Run, tmp_path: Path) -> None:
    assert "no sets yet" in run("index", "status").stdout
    run("demo")
    assert answer(run("index", "rebuild", "--json"))["n_ratings"] == 176
    assert "176 of 176 recordings labelled" in run("index", "status").stdout
    assert answer(run("index", "status", "--json"))[0]["synthetic"] is True
    out = tmp_path / "labels.csv"
    assert answer(run("export", "--out", out, "--json"))["rows"] == 176
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert answer(run("export", "--set", "demo", "--table", "consensus", "--format", "jsonl", "--out", out, "--json"))
    assert len(out.read_text(encoding="utf-8").splitlines()) == 176


@pytest.mark.usefixtures("demo")
def test_a_command_in_the_background_reports_to_its_run(run: Run, settings: Settings) -> None:
    directory = RunDirectory.create(settings.jobs_root, kind="score-set", name="x", config={})
    assert run("score-set", "demo", "--scorer", "acoustic57", "--run", directory.path).exit_code == 0
    state = directory.state
    assert (state.status, state.progress) == ("finished", 1.0)
    assert state.result["scorers"]["acoustic57"]["n"] == 176
    stopped = RunDirectory.create(settings.jobs_root, kind="score-set", name="y", config={})
    stopped.request_stop()
    run("score-set", "demo", "--scorer", "heuristic", "--run", stopped.path)
    assert stopped.state.status == "stopped"
    failed = RunDirectory.create(settings.jobs_root, kind="score-set", name="z", config={})
    assert run("score-set", "none", "--scorer", "heuristic", "--run", failed.path).exit_code == 1
    assert failed.state.status == "failed"
    assert "none" in str(failed.state.error)
    assert "resumes it" not in run("runs", "stop", stopped.id).stdout
    training = RunDirectory.create(settings.runs_root, kind="wakeword", name="w", config={})
    training.request_stop()
    with training.start() as writer:
        writer.check_stop()
    assert f"`pronlab runs resume {training.id}` resumes it" in run("runs", "stop", training.id).stdout


def test_the_list_of_runs_says_why_one_failed(run: Run, settings: Settings) -> None:
    directory = RunDirectory.create(settings.runs_root, kind="speech", name="a", config={})
    with pytest.raises(TrainingError), directory.start() as writer:
        writer.update(message=Message("epoch 1"))
        raise TrainingError(f"No recording has\na score. {'x' * 200}")
    (line,) = run("runs", "list").stdout.splitlines()
    assert line.split()[:2] == [directory.id, "failed"]
    assert "No recording has a score. xxx" in line and line.endswith("x…") and "epoch 1" not in line
    (listed,) = answer(run("runs", "list", "--json"))
    assert listed["error"].endswith("x" * 200)


def test_runs_are_compared(run: Run, settings: Settings) -> None:
    ids = []
    for seed, values in enumerate([(0.5, 0.7, 0.6), (0.4, 0.5, 0.8)]):
        config = {"seed": seed, "rate": 0.1, "name": f"run {seed}"}
        directory = RunDirectory.create(settings.runs_root, kind="speech", name="a", config=config)
        with directory.start() as writer:
            for epoch, value in enumerate(values, start=1):
                writer.log_metrics(
                    event="epoch", epoch=epoch, held_out={"phone": value, "per": value}, losses={"ctc": 1}
                )
            writer.update(result={"metrics": {"wer": 0.3}, "table3": {"total_pcc": {"ours": 0.6, "paper": 0.675}}})
        ids.append(directory.id)
    found = answer(run("runs", "compare", *ids, "--json"))
    assert found["differences"] == {"seed": {ids[0]: 0, ids[1]: 1}}
    first = found["runs"][0]["figures"]
    assert first["phone"] == {"last": 0.6, "best": 0.7, "best_epoch": 2}
    assert first["per"] == {"last": 0.6, "best": 0.5, "best_epoch": 1}
    assert first["total_pcc"] == {"last": 0.6, "best": 0.6, "best_epoch": None}
    text = run("runs", "compare", *ids).stdout
    assert "best 0.700 in epoch 2" in text
    assert f"seed: {ids[0]} 0, {ids[1]} 1" in text
    other = RunDirectory.create(
        settings.runs_root, kind="wakeword", name="b", config={"seed": 2, "train": {"steps": 5}}
    )
    lines = run("runs", "compare", *ids, other.id).stdout.splitlines()
    some = lines[lines.index("Settings that only some of them have:") + 1 :]
    assert some == [f"  {ids[0]}: rate 0.1", f"  {ids[1]}: rate 0.1", f"  {other.id}: train.steps 5"]
    assert "pronlab runs list" in complaint(run("runs", "compare", "nothing"))


def test_only_what_can_go_on_is_resumed(run: Run, settings: Settings) -> None:
    word = RunDirectory.create(settings.runs_root, kind="word", name="w", config={})
    assert "Start a new one" in complaint(run("runs", "resume", word.id))
    speech = RunDirectory.create(settings.runs_root, kind="speech", name="s", config={})
    assert "only a stopped, failed or lost run" in complaint(run("runs", "resume", speech.id))
    with speech.start():
        pass
    assert "is finished" in complaint(run("runs", "resume", speech.id))


@pytest.mark.parametrize("status", ["running", "finished"])
def test_a_training_command_resumes_no_run_that_runs_or_is_finished(
    run: Run, settings: Settings, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.jobs.requirements.require_packages", lambda *_given: None)
    config = WakewordConfig(name="w", data=DataConfig(positive=("words",), negative=("other",)))
    training = RunDirectory.create(settings.runs_root, kind="wakeword", name="w", config=config)
    training.write_state(replace(training.state, status=status, pid=os.getpid(), heartbeat_at=now_iso()))
    before = training.state
    refused = complaint(run("wakeword", "train", "--resume", training.id))
    assert f"is {status}; only a stopped, failed or lost run" in refused
    assert training.state == before


@pytest.mark.parametrize(
    ("kind", "beside", "named"),
    [
        ("wakeword", ["--steps", "5", "--positive", "."], "--positive, --steps"),
        ("speech", ["--preset", "x"], "--preset"),
        ("speechllm", ["--executor", "local"], "--executor"), ("wakeword", ["--override", "a=b"], "--override"),
    ],
)  # fmt: skip
def test_a_run_is_resumed_with_no_other_settings(run: Run, kind: str, beside: list[str], named: str) -> None:
    command = ("wakeword", "train") if kind == "wakeword" else ("train", kind)
    refused = complaint(run(*command, "--resume", "any", *beside, "--json"))
    assert f"A resumed run keeps its settings and goes on in this process: leave {named} away." in refused


def test_a_warning_about_the_sound_of_many_recordings_is_one_line() -> None:
    clipped = [Problem("clipped", f"{number}.wav: 5% of the recording is clipped.") for number in range(24)]
    rows = [Problem("bad_row", f"Line {number}: 'text' is empty", "error") for number in (7, 9)]
    assert _problem_lines((*clipped[:20], *rows, *clipped[20:], Problem("noisy", "a.wav: It is noisy."))) == [
        "  error: Line 7: 'text' is empty",
        "  error: Line 9: 'text' is empty",
        "  warning: 0.wav: 5% of the recording is clipped. And 23 more like this; --json and the Data page list them.",
        "  warning: a.wav: It is noisy.",
    ]


def test_help_is_there_for_every_command(run: Run) -> None:
    listed = run("--help").stdout
    for name in COMMANDS:
        assert name in listed
        shown = run(name, "--help")
        assert shown.exit_code == 0
        assert len(shown.stdout.splitlines()) > 5


def test_files_that_cannot_be_written_are_told_in_one_line(run: Run, settings: Settings, tmp_path: Path) -> None:
    make_few(settings, tmp_path)
    assert "/proc" in complaint(run("features", "--set", "few", "--out", "/proc/x/t.csv"))
    assert "/proc" in complaint(run("evaluate", "--set", "few", "--scorer", "acoustic57", "--out", "/proc/x/p.jsonl"))
    settings.models_root.write_text("a file where a folder should be")
    assert str(settings.models_root) in complaint(run("train", "word", "--set", "few", "--folds", 2))
    assert run("runs", "list").exit_code == 0


@pytest.mark.usefixtures("demo")
def test_labels_edited_by_hand_are_in_the_next_export(run: Run, settings: Settings, tmp_path: Path) -> None:
    file = settings.sets_root / "demo" / "participant_01" / "kelimeler" / "01_araba_result.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, "score": 91, "evaluator": "by hand"}), encoding="utf-8")
    out = tmp_path / "labels.jsonl"
    rows = answer(run("export", "--set", "demo", "--table", "ratings", "--format", "jsonl", "--out", out, "--json"))
    assert rows["rows"] == 177
    assert '"by hand"' in out.read_text(encoding="utf-8")
