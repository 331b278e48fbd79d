"""The whole way on made-up clips: train, go on, evaluate, export, ask the judge; and what is refused on it."""

import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest
import soundfile
import torch
import yaml
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from pipeline import artifacts
from pipeline.api.app import make_app
from pipeline.api.limits import Limits
from pipeline.cli.main import main
from pipeline.errors import AudioError, CorpusError, FeatureError, ModelError, TrainingError
from pipeline.i18n import duration, speaking, translated
from pipeline.jobs.checkpoints import load_checkpoint
from pipeline.presets import build, merged
from pipeline.quantisation import signed_weights
from pipeline.runs import RunDirectory, RunWriter, StopRequested
from pipeline.settings import Settings
from pipeline.wakeword import search
from pipeline.wakeword.cascade import Cascade, local_verifier, remote_verifier
from pipeline.wakeword.config import WakewordConfig, load_preset
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.feature_cache import make_pools, place_of, read_index
from pipeline.wakeword.data.selected_clips import find_clips
from pipeline.wakeword.data.splits import AssignedClip, read_manifest, write_manifest
from pipeline.wakeword.evaluation.evaluate import EvaluationTask
from pipeline.wakeword.file_detection import detect_in_file
from pipeline.wakeword.finished_run import (
    FinishedRun,
    classifier_for,
    evaluate_run,
    open_finished_run,
    robustness_of,
    scores_of_folder,
    set_threshold,
)
from pipeline.wakeword.learnt_word import LearntFrom
from pipeline.wakeword.packaging.card import card_of
from pipeline.wakeword.packaging.export import CLOSE, export, onnx_classifier, read_windows
from pipeline.wakeword.run import train_wakeword
from pipeline.wakeword.runtime.detector import StreamingDetector
from pipeline.wakeword.runtime.inference import classifier_of
from pipeline.wakeword.runtime.model_files import load_model, read_info, save_info
from pipeline.wakeword.training import train
from pipeline.wakeword.training.material import make_features, make_trainer, recipes
from pipeline.wakeword.training.train import Trainer
from pipeline.wakeword.training.validate import Validation, validate, validate_words
from pipeline.wakeword.training.word_learning import learn_word
from tests.saturation import saturating_session
from tests.wakeword_sounds import RATE_HZ, chirp, hum, write_clips


class World:
    """An installation with clips to train on, others to report on, and one trained detector."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(data_root=root / "data", models_root=root / "models")
        self.words, self.other, self.noise = write_clips(root / "train", 24, 30)
        self.new_words, self.new_other, _ = write_clips(root / "new", 12, 20, seed=1)
        self.config = self.configured()
        self.run = RunDirectory.create(self.settings.runs_root, kind="wakeword", name="chirp", config=self.config)
        self.report = train_wakeword(self.settings, self.config, self.run)

    def configured(self, **changes: Any) -> WakewordConfig:
        own = {
            "name": "chirp", "data.positive": [str(self.words)], "data.negative": [str(self.other)],
            "data.noise": [str(self.noise)], "model.name": "tcn", "model.width": 0.25, "train.steps": 160,
            "augment.snr_low_db": 5.0,
        }  # fmt: skip
        return build(WakewordConfig, merged(load_preset("tiny"), own, changes))

    def fresh(self, config: WakewordConfig) -> RunDirectory:
        return RunDirectory.create(self.settings.runs_root, kind="wakeword", name="again", config=config)

    def short_run(self) -> RunDirectory:
        """A run of four steps for one test, which may change it: trained once, copied for each."""
        copy = self.fresh(self._short_config)
        shutil.copytree(self._short_run.path, copy.path, dirs_exist_ok=True)
        return copy

    @cached_property
    def _short_run(self) -> RunDirectory:
        run = self.fresh(self._short_config)
        train_wakeword(self.settings, self._short_config, run)
        return run

    @property
    def _short_config(self) -> WakewordConfig:
        return self.configured(**{"train.steps": 4, "mining.rounds": 0})

    @property
    def env(self) -> dict[str, str]:
        return {
            "PRONLAB_DATA_ROOT": str(self.settings.data_root), "PRONLAB_MODELS_ROOT": str(self.settings.models_root)
        }  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    torch.set_num_threads(1)
    return World(tmp_path_factory.mktemp("wakeword"))


def test_an_english_word_that_was_spoken_is_learnt_for_its_judge(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = tmp_path / "spoken"
    for number, clip in enumerate(sorted(world.words.iterdir())):
        voice = spoken / "positive" / f"voice {number % 6}"
        voice.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, voice)
    (spoken / "spoken.jsonl").touch()
    changes = {"data.positive": [str(spoken)], "train.steps": 2, "mining.rounds": 0, "train.learn_phones": True}
    learnt: list[tuple[Path, str]] = []

    def learn(_settings: Settings, run: FinishedRun, word: str, _progress: Any) -> SimpleNamespace:
        learnt.append((run.folder, word))
        if len(learnt) > 1:
            raise (ModelError if len(learnt) == 2 else AudioError)("The listener of English is missing.")
        return SimpleNamespace(word=word, learnt_from=LearntFrom(0, 20, 3, 4))

    monkeypatch.setattr("pipeline.wakeword.training.word_learning.learn_word", learn)

    def trained(word: str, language: str, **more: Any) -> tuple[RunDirectory, dict[str, Any]]:
        artifacts.write_json(spoken / "spoken.json", {"word": word, "language": language})
        config = world.configured(**changes | more)
        run = world.fresh(config)
        return run, train_wakeword(world.settings, config, run)

    run, report = trained("computer", "en-us")
    assert learnt == [(run.path / "model", "computer")]
    assert report["phones"] == {"word": "computer", "recordings": 0, "synthetic": 20, "near": 3, "other": 4}
    assert "All 24 clips of the word are synthetic" in (run.path / "model" / "README.md").read_text()
    run, report = trained("computer", "en-us")
    assert report["phones"] == {"word": "computer", "problem": "The listener of English is missing."}
    assert run.state.status == "finished"
    assert "'computer' has not been learnt for the judge of phones: The listener" in (run.path / "log.txt").read_text()
    assert trained("bilgisayar", "tr")[1]["phones"] is None and len(learnt) == 2
    assert "phones" not in trained("computer", "en-us", **{"train.learn_phones": False})[1] and len(learnt) == 2
    other = tmp_path / "other"
    shutil.copytree(spoken, other)
    both = {"data.positive": [str(spoken), str(other)]}
    for word, language, n in (("bilgisayar", "tr", 2), ("lantern", "en-us", 2), ("Computer", "en-gb", 3)):
        artifacts.write_json(other / "spoken.json", {"word": word, "language": language})
        trained("computer", "en-us", **both)
        assert len(learnt) == n, "clips of another word are none of this one"


def test_progress_is_of_the_part_that_its_message_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[tuple[str, float]] = []
    update = RunWriter.update

    def noted(writer: RunWriter, **changes: Any) -> None:
        if "progress" in changes:
            updates.append((str(changes["message"]), changes["progress"]))
        update(writer, **changes)

    monkeypatch.setattr(RunWriter, "update", noted)
    config = world.configured(**{"train.steps": 20, "mining.rounds": 0, "seed": 5})
    train_wakeword(world.settings, config, world.fresh(config))
    for part in ("checking clips", "rendering clips"):
        counts = [(message.split()[2:], progress) for message, progress in updates if message.startswith(part)]
        assert len(counts) > 2
        assert all(progress == int(done) / int(total) for (done, _of, total), progress in counts)
    steps = [(message, progress) for message, progress in updates if message.startswith("first")]
    assert [progress for _message, progress in steps] == [0.0, 0.5, 1.0]
    assert steps[0][0] == "first: step 0 of 20 (of 20 in all)"


def test_a_run_leaves_a_model_a_card_and_curves(world: World) -> None:
    assert world.run.state.status == "finished"
    model, info = load_model(world.run.path / "model")
    assert world.report["parameters"] == info.parameters == sum(p.numel() for p in model.parameters())
    assert world.report["validation"]["miss_at_few_alarms"] < 0.5, "better than always yes or always no"
    rows = world.run.metrics()
    assert {"step", "validation"} <= {row["event"] for row in rows}
    assert all(np.isfinite(row["gradient_norm"]) for row in rows if row["event"] == "step")
    card = (world.run.path / "model" / "README.md").read_text()
    assert "it cannot be shown that no voice is in both" in card
    assert np.load(world.run.path / "checkpoints" / "mined.npy").size > 0


def test_evaluation_by_the_command_line(world: World) -> None:
    given = [
        "wakeword", "evaluate", str(world.run.path), "--positive", str(world.new_words), "--background",
        str(world.new_other), "--noise", str(world.noise), "--hours", "0.05", "--keep-threshold", "--tta", "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(main, given, env=world.env)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    missed = report["miss_at_fah"]
    assert 1 >= missed["0.1"] >= missed["0.5"] >= missed["1.0"] >= 0, "in .05 h one false alarm decides how high it is"
    assert 0 <= report["eer"] < 0.4, "chirps are told from hums"
    assert report["parameters"] == world.report["parameters"]
    assert 0 < report["real_time_factor"] < 1
    assert report["stream"]["n_keywords"] == 12
    assert report["clips"]["counts"]["true_positives"] + report["clips"]["counts"]["false_negatives"] == 12
    assert {row["phrase"] for row in report["near"]} == {"beginning", "end", "halves exchanged"}
    assert report["stream_tta"]["n_keywords"] == 12
    info = read_info(world.run.path / "model")
    assert info.threshold == report["stream"]["at_fah"]["0.5"]["threshold"], "kept for the target rate"
    assert info.metrics["stream"]["n_keywords"] == 12
    card = (world.run.path / "model" / "README.md").read_text()
    measured = "noise at 10 dB, 2 of 3 windows above the threshold, 12 keywords"
    assert measured in card, "the card holds what was measured since"
    assert "it cannot be shown that no voice is in both" in card


def test_clips_that_are_the_word_and_other_speech_are_not_evaluated_on(world: World) -> None:
    both = ["--positive", str(world.new_words), "--background", str(world.new_words.parent)]
    for command in ("evaluate", "robustness"):
        result = CliRunner().invoke(main, ["wakeword", command, world.run.id, *both], env=world.env)
        assert result.exit_code == 1
        assert "is given as a clip of the word and as other speech" in result.stderr
    given = ["wakeword", "evaluate", world.run.id, *both, "--seed", "-5"]
    assert "Invalid value for '--seed'" in CliRunner().invoke(main, given, env=world.env).stderr


def test_training_by_the_command_line(world: World) -> None:
    given = [
        "wakeword", "train", "--positive", str(world.words), "--negative", str(world.other), "--preset", "tiny",
        "--steps", "4", "--override", "mining.steps=3", "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(main, given, env=world.env)
    assert result.exit_code == 0, result.output
    assert "7 steps: 4 in the first pass; 3 after mining, 1 time." in result.stderr
    report = json.loads(result.stdout)
    assert report["steps"] == 7
    folder = Path(report["directory"])
    assert (folder / "model" / "model.safetensors").is_file()
    assert json.loads((folder / "config.json").read_text())["train"]["steps"] == 4


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "No clips of the word"),
        (["--positive", "words"], "No other speech is given"),
        (["--split", "words"], "holds no split of clips"),
        (["--positive", "words", "--negative", "other", "--source", "("], "no regular expression"),
        (["--positive", "words", "--negative", "other", "--teacher", "nobody"], "no detector 'nobody'"),
        (["--positive", "words", "--negative", "other", "--max-positives", "3"], "max_positives is at least 8"),
        (["--split", "words", "--max-positives", "9"], "leave max_positives and source away"),
        (["--positive", "words", "--negative", "other", "--model", "resnet18", "--target", "esp32_s3"], "does not fit"),
    ],
)
@pytest.mark.parametrize("command", ["train", "rate-range", "search"])
def test_what_cannot_be_trained_is_refused_before_a_run_is_made(
    world: World, tmp_path: Path, command: str, options: list[str], reason: str
) -> None:
    folders = {"words": str(world.words), "other": str(world.other)}
    models = tmp_path / "models"
    given = ["wakeword", command, "--preset", "tiny", *(folders.get(option, option) for option in options)]
    result = CliRunner().invoke(main, given, env={**world.env, "PRONLAB_MODELS_ROOT": str(models)})
    assert result.exit_code == 1
    assert reason in result.stderr and "steps" not in result.stderr
    assert not models.exists() and not list(world.settings.jobs_root.glob("chirp*"))


def test_relative_folders_of_a_training_are_kept_as_absolute_ones(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.run.path.parent)
    config = world.configured(**{"data.features": "rendered", "distil.teacher": world.run.id})
    anchored = config.anchored
    assert anchored.distil.teacher == str(world.run.path), "a folder here, as whoever opens it would take it"
    assert anchored.data.features == str(world.run.path.parent / "rendered")
    assert anchored.data.positive == config.data.positive and anchored.data.split == "", "absolute, and none"
    monkeypatch.chdir(tmp_path)
    assert config.anchored.distil.teacher == world.run.id, "the id of a run"


def test_settings_are_searched_for_and_kept_as_a_preset(world: World) -> None:
    given = [
        "wakeword", "search", "--positive", str(world.words), "--negative", str(world.other), "--preset", "tiny",
        "--trials", "2", "--trial-steps", "8", "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(main, given, env=world.env)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["trials"] == 2
    best = yaml.safe_load(Path(found["file"]).read_text())
    config = build(WakewordConfig, merged(load_preset("tiny"), best))
    assert config.train.rate == found["settings"]["train.rate"]
    trials = [json.loads(line) for line in (Path(found["file"]).parent / "metrics.jsonl").read_text().splitlines()]
    assert min(trial["value"] for trial in trials if trial["event"] == "trial") == pytest.approx(found["value"])


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([TrainingError("The loss is no number."), None], 1),
        (
            [TrainingError("It does not fit."), TrainingError("The loss is no number.")],
            "None of the 2 trials.*no number",
        ),
        ([None, StopRequested()], StopRequested),
    ],
    ids=["one fails", "all fail", "stopped"],
)
def test_a_search_survives_its_trials(
    world: World, monkeypatch: pytest.MonkeyPatch, ends: list[Exception | None], outcome: Any
) -> None:
    left = list(ends)

    def prepared(*given: Any) -> Any:
        error = left.pop(0)
        if error is not None:
            raise error
        return make_trainer(*given)

    monkeypatch.setattr(search, "make_trainer", prepared)
    config = world.configured(**{"train.steps": 4})
    directory = RunDirectory.create(world.settings.runs_root, kind="wakeword-search", name="s", config=config)
    writer = RunWriter(directory)
    writer.begin()
    try:
        if isinstance(outcome, int):
            assert search.search_settings(world.settings, config, 2, 4, writer)["trial"] == outcome
        else:
            kind, words = (outcome, None) if isinstance(outcome, type) else (TrainingError, outcome)
            with pytest.raises(kind, match=words):
                search.search_settings(world.settings, config, 2, 4, writer)
    finally:
        writer.end("stopped")
        writer.close()
    assert (directory.path / "best.yaml").is_file() == (None in ends), "the best by then"
    tried = [line for line in directory.metrics() if line.get("event") == "trial"]
    assert len(tried) == ends.count(None) and all(np.isfinite(line["value"]) for line in tried)


def test_a_rising_rate_finds_where_the_loss_falls(world: World) -> None:
    given = [
        "wakeword", "rate-range", "--positive", str(world.words), "--negative", str(world.other), "--preset", "tiny",
        "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(main, given, env=world.env)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert list(found["rates"]) == sorted(found["rates"])
    lowest = found["rates"][int(np.argmin(found["losses"]))]
    assert found["suggested"] == pytest.approx(lowest / 3)
    assert min(found["losses"]) < found["losses"][0]


def test_a_stopped_run_goes_on_to_the_same_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    config = world.configured(
        **{"train.steps": 20, "train.validate_every": 5, "mining.steps": 10, "train.precision": "float32"}
    )
    whole, halted = world.fresh(config), world.fresh(config)
    train_wakeword(world.settings, config, whole)
    real = Trainer.step

    def halting(self: Trainer, stage: Any, step: int) -> Any:
        if self.progress.total == 23:
            raise StopRequested
        return real(self, stage, step)

    monkeypatch.setattr(Trainer, "step", halting)
    with pytest.raises(TrainingError, match="resumes it"):
        train_wakeword(world.settings, config, halted)
    assert halted.state.status == "stopped"
    monkeypatch.setattr(Trainer, "step", real)
    before = load_checkpoint(halted.path / "checkpoints" / "last.safetensors", train.PARTS).state["seconds"]
    torch.set_num_threads(2)
    report = train_wakeword(world.settings, config, halted)
    torch.set_num_threads(1)
    assert report["training_s"] > before > 0.0, "of all steps, not of the last ones alone"
    one, other = (load_file(run.path / "model" / "model.safetensors") for run in (whole, halted))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_quantisation_aware_steps_choose_by_the_8_bit_model(world: World) -> None:
    config = world.configured(**{"train.steps": 10, "train.qat_steps": 10, "mining.rounds": 0})
    run = world.fresh(config)
    report = train_wakeword(world.settings, config, run)
    rows = [row for row in run.metrics() if row["event"] == "validation"]
    last = [row for row in rows if row["stage"] == "quantisation"]
    assert last[0]["at_step"] == 10, "the best float weights are a candidate, before any step"
    assert report["validation"]["ranking"] == pytest.approx(min(row["averaged_ranking"] for row in last))
    float_best = min(row["averaged_ranking"] for row in rows if row not in last)
    assert last[0]["present_ranking"] != pytest.approx(float_best, abs=1e-9), "measured on the grid"
    model, info = load_model(run.path / "model")
    held = make_pools(
        place_of(world.settings.features_root / "wakeword", find_clips(config).held, recipes(config)[1]),
        find_clips(config).root, find_clips(config).held, recipes(config)[1],
    )  # fmt: skip
    on_grid = validate(held, classifier_of(model, on_grid=True), config.features, config.detector)
    highest = float(np.sort(on_grid.rest)[-1])
    assert info.threshold == pytest.approx(float(np.nextafter(np.float32(highest), np.float32(np.inf))))


@pytest.mark.parametrize(("ema", "kept"), [(True, "mean"), (False, "now")])
def test_the_last_stage_ends_with_its_own_weights(
    world: World, monkeypatch: pytest.MonkeyPatch, ema: bool, kept: str
) -> None:
    """Lucky weights of an earlier stage or a single step once stood in for mined, averaged ones: 51 instead of 10 of
    134 words missed (jarvis, seed 1)."""
    steps = {"train.steps": 10, "train.validate_every": 5, "mining.rounds": 1, "mining.steps": 10}
    config = world.configured(**steps, **{"train.ema": ema})
    luck = iter([0.1, 0.1, *np.linspace(0.9, 0.5, 40)])
    real = validate_words

    def by_luck(*given: Any) -> tuple[Validation, ...]:
        return tuple(replace(one, ranking=next(luck)) for one in real(*given))

    monkeypatch.setattr(train, "validate_words", by_luck)
    run = world.fresh(config)
    report = train_wakeword(world.settings, config, run)
    assert (report["best_step"], report["averaged"]) == (20, ema)
    last = load_checkpoint(run.path / "checkpoints" / "last.safetensors", train.PARTS)
    saved = load_file(run.path / "model" / "model.safetensors")
    assert [name for name in saved if not torch.equal(saved[name], last.parts[kept][name])] == []


def test_an_export_sets_the_threshold_on_a_long_stream(world: World, tmp_path: Path) -> None:
    run = world.short_run()
    before = artifacts.read_json(run.path / "report.json")["threshold"]
    assert before["source"] == "validation"
    assert before["fah_interval"][1] > 100, "seconds of negatives say next to nothing"
    command = ["wakeword", "export", run.id, "--bundle", str(tmp_path / "b.zip"), "--json"]
    result = CliRunner().invoke(main, command, env=world.env)
    assert result.exit_code == 0, result.output
    basis = json.loads(result.stdout)["rests_on"]
    assert (basis["source"], basis["n_words"]) == ("stream", 4)
    assert basis["hours"] >= 0.1
    assert basis["fah_interval"][1] < before["fah_interval"][1]
    kept = read_info(run.path / "model").metrics["threshold"]
    assert {name: value for name, value in kept.items() if name != "curve"} == basis
    assert f"rests on {duration(basis['hours'])} of a stream" in (run.path / "model" / "README.md").read_text()
    assert set_threshold(open_finished_run(world.settings, run.id)) is None, "a stream set it already"


def test_an_export_names_its_folder(world: World, tmp_path: Path) -> None:
    command = ["wakeword", "export", world.run.id, "--keep-threshold", "--to", str(tmp_path / "files")]
    result = CliRunner().invoke(main, command, env=world.env)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"The files are in {tmp_path / 'files'}.\n")
    assert (tmp_path / "files" / "model.onnx").is_file()


def test_robustness_names_what_its_shares_are_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"kind": "none", "condition": "as recorded", "n_words": 4, "recall": 0.5, "n_other": 8, "false_share": 0.125}
    monkeypatch.setattr("pipeline.wakeword.finished_run.robustness_of", lambda *_, **__: [row])
    sides = ["--positive", str(world.new_words), "--background", str(world.new_other)]
    result = CliRunner().invoke(main, ["wakeword", "robustness", world.run.id, *sides], env=world.env)
    assert result.exit_code == 0, result.output
    threshold = read_info(world.run.path / "model").threshold
    head, _columns, as_recorded = result.stdout.splitlines()
    assert head.endswith(f"at its threshold ({threshold:.2f}): of the word (4) and others (8)")
    assert as_recorded.split() == ["none:", "as", "recorded", "50.0%", "12.5%"]


def test_a_run_that_cannot_be_written_is_named_before_hours_of_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = open_finished_run(world.settings, world.run.id)
    begun: list[int] = []

    def refused(path: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(artifacts, "require_writable", refused)
    progress: Any = lambda *_: begun.append(1)  # noqa: E731
    words, others = (world.new_words,), (world.new_other,)
    works: list[Any] = [
        lambda: evaluate_run(finished, EvaluationTask(words, others, hours=0.05), progress=progress),
        lambda: robustness_of(finished, words, others, (), (), progress),
        lambda: scores_of_folder(finished, world.new_words, progress=progress),
        lambda: set_threshold(finished, others, progress),
        lambda: learn_word(world.settings, finished, "chirp", progress),
    ]
    for work in works:
        with pytest.raises(OSError, match="Read-only"):
            work()
    assert not begun


def test_figures_that_are_damaged_are_told_before_hours_of_listening(world: World) -> None:
    run = world.short_run()
    finished = open_finished_run(world.settings, run.id)
    begun: list[int] = []
    progress: Any = lambda *_: begun.append(1)  # noqa: E731
    task = EvaluationTask((world.new_words,), (world.new_other,), hours=0.05)
    report = run.path / "report.json"
    whole = report.read_bytes()
    for content, said in (
        (whole[:100], "report.json cannot be read"),
        (whole.replace(b'"n_words"', b'"n"'), "The card of chirp cannot be written"),
    ):
        report.write_bytes(content)
        with pytest.raises(ModelError, match=said):
            evaluate_run(finished, task, progress=progress)
        assert not begun
    report.write_bytes(whole)
    (run.path / "evaluation.json").write_text('{"stream": ')
    info = finished.info
    save_info(finished.folder, replace(info, metrics={**info.metrics, "stream": {"hours": "x"}}))
    with pytest.raises(ModelError, match="Evaluate it again"):
        card_of(finished.info, artifacts.read_json(report))
    assert evaluate_run(finished, task)["stream"]["hours"] > 0, "what it writes anew may be damaged"
    assert "No false alarm in" in card_of(finished.info, artifacts.read_json(report))


def test_what_was_saved_while_an_evaluation_listened_is_kept(world: World) -> None:
    run = world.short_run()
    finished = open_finished_run(world.settings, run.id)
    others: list[float] = []

    def meanwhile(_done: int, _total: int, _message: str) -> None:
        if not others:
            others.append(-3.25)
            save_info(finished.folder, replace(finished.info, threshold=others[0]))

    task = EvaluationTask((world.new_words,), (world.new_other,), hours=0.05)
    evaluate_run(finished, task, progress=meanwhile)
    info = finished.info
    assert (info.threshold, "stream" in info.metrics) == (-3.25, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"train.balanced": False}, {"train.ema": False, "train.cmvn": False}, {"augment.enabled": False},
        {"augment.partials": 0.0}, {"train.qat_steps": 10}, {"loss.name": "arcface"},
        {"data.precompute": False, "mining.rounds": 0, "train.steps": 4}, {"features.kind": "mfcc"},
    ],
    ids=str,
)  # fmt: skip
def test_each_part_can_be_switched(world: World, changes: dict[str, Any]) -> None:
    config = world.configured(**{"train.steps": 10, "mining.steps": 5, **changes})
    run = world.fresh(config)
    assert train_wakeword(world.settings, config, run)["steps"] > 0


def test_learning_from_a_teacher(world: World) -> None:
    config = world.configured(**{"distil.teacher": world.run.id, "distil.weight": 1.0, "mining.rounds": 0})
    with world.fresh(config).start() as writer:
        trainer = make_trainer(world.settings, config, writer).trainer
        assert trainer.teacher is not None
        first = [trainer.step(trainer.stages[0], step)[0] for step in range(40)]
    assert np.mean(first[-5:]) < np.mean(first[:5])
    folder = str(world.run.path / "model")  # as it is copied from elsewhere
    config = world.configured(**{"distil.teacher": folder, "train.steps": 2, "mining.rounds": 0})
    run = world.fresh(config)
    train_wakeword(world.settings, config, run)
    assert "is a detector of 'chirp'" in run.log_tail()


@pytest.mark.parametrize(
    "features",
    [{"features.n_mels": 64}, {"features.clip_s": 0.8}, {"features.kind": "micro", "features.window_s": 0.03}],
    ids=str,
)
def test_learning_from_a_teacher_that_hears_otherwise(world: World, features: dict[str, Any]) -> None:
    """Each hears the same sound through its own features, and the teacher's window ends where the learner's does."""
    changes = {"distil.teacher": world.run.id, "distil.windows": 100, "mining.rounds": 0, "train.steps": 4, **features}
    config = world.configured(**changes)
    with world.fresh(config).start() as writer:
        trainer = make_trainer(world.settings, config, writer).trainer
    assert trainer.teacher is None
    lessons = trainer.soft_targets
    assert lessons is not None
    assert lessons.windows.shape == (len(lessons.logits), *config.features.shape)
    assert lessons.right > 0.8, "the teacher knows its word in its own features; it is .3 of the windows"
    assert np.isfinite(trainer.step(trainer.stages[0], 0)[0])


@pytest.mark.parametrize(
    ("command", "ignored"),
    [
        ("features", ("steps", "rate", "teacher", "model", "width", "target", "batch", "name", "word", "executor")),
        ("search", ("steps", "rate", "width", "word", "executor")),
        ("rate-range", ("steps", "rate", "word", "executor")),
    ],
)  # fmt: skip
def test_a_command_has_no_options_that_it_ignores(command: str, ignored: Sequence[str]) -> None:
    context = click.Context(main)
    group: Any = main.get_command(context, "wakeword")
    taken = {name for parameter in group.get_command(context, command).params for name in parameter.opts}
    assert "--seed" in taken
    assert not taken & {f"--{name}" for name in ignored}


def test_learning_from_an_encoder(world: World, tiny_encoder: Path) -> None:
    changes = {"distil.teacher": str(tiny_encoder), "distil.windows": 100, "mining.rounds": 0, "train.steps": 4}
    config = world.configured(**changes)
    with world.fresh(config).start() as writer:
        material = make_trainer(world.settings, config, writer)
        lessons = material.trainer.soft_targets
        assert lessons is not None
        assert lessons.windows.shape == (len(lessons.logits), *config.features.shape)
        assert lessons.right > 0.6, "even random states tell chirps from hums"
        again = make_trainer(world.settings, config, writer).trainer.soft_targets
        assert again is not None
        assert np.array_equal(again.logits, lessons.logits)
        assert np.isfinite(material.trainer.step(material.trainer.stages[0], 0)[0])
    (world.settings.data_root / "no_encoder").mkdir(parents=True, exist_ok=True)
    (world.settings.data_root / "no_encoder" / "config.json").write_text("{}")
    wrong = world.configured(**{**changes, "distil.teacher": str(world.settings.data_root / "no_encoder")})
    with pytest.raises(ModelError, match="No speech encoder"):
        train_wakeword(world.settings, wrong, world.fresh(wrong))


def test_features_are_taken_as_given_or_refused(world: World, tmp_path: Path) -> None:
    found = find_clips(world.config)
    varied, _ = recipes(world.config)
    home = place_of(world.settings.features_root / "wakeword", found.train, varied)
    make_pools(home, found.root, found.train, varied)
    made = make_features(world.config, tmp_path / "features")
    assert made == found
    assert read_index(tmp_path / "features")["digest"] == read_index(home)["digest"], "what a run would make"
    given = world.configured(**{"data.features": str(home), "train.steps": 2, "mining.rounds": 0})
    assert train_wakeword(world.settings, given, world.fresh(given))["steps"] == 2
    wrong = replace(given, features=replace(given.features, n_mels=64))
    with pytest.raises(FeatureError, match=r"n_mels 40 there, 64 here"):
        train_wakeword(world.settings, wrong, world.fresh(wrong))
    falls_back = replace(wrong, data=replace(wrong.data, fallback_to_audio=True))
    run = world.fresh(falls_back)
    train_wakeword(world.settings, falls_back, run)
    assert "Making them from the clips" in run.log_tail()


def test_exports_answer_as_the_model_does(world: World, tmp_path: Path) -> None:
    found = {one.format: one for one in export(world.run.path / "model", tmp_path)}
    assert set(found) == {"PyTorch", "ONNX", "TorchScript", "INT8"}
    assert found["ONNX"].largest_difference < CLOSE
    assert found["TorchScript"].largest_difference < CLOSE
    assert found["INT8"].same_side > 0.9
    assert found["INT8"].size_kb < found["ONNX"].size_kb
    windows = read_windows(world.run.path / "model")
    judge = onnx_classifier(tmp_path / "model.onnx")
    threshold = open_finished_run(world.settings, world.run.id).info.threshold
    saturating = saturating_session(tmp_path / "model.int8.onnx").run(None, {"features": windows})[0]
    assert ((saturating >= threshold) == (judge(windows) >= threshold)).mean() > 0.9
    assert signed_weights(tmp_path / "model.int8.onnx") == []
    assert np.allclose(
        judge(windows[:5]), classifier_for(open_finished_run(world.settings, world.run.id))(windows[:5]), atol=1e-3
    )
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="no ONNX model"):
        onnx_classifier(tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="is not exported yet"):
        classifier_for(open_finished_run(world.settings, world.run.id), "int8")


def test_models_that_cannot_be_trusted_are_refused(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(world.run.path / "model", folder)
    info = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**info, "model": {**info["model"], "width": 0.5}}))
    with pytest.raises(ModelError, match=r"of another configuration than model\.json"):
        load_model(folder)
    (folder / "model.json").write_text(json.dumps(info))
    weights = load_file(folder / "model.safetensors")
    save_file({name: value + 1.0 for name, value in weights.items()}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"is not the file that model\.json was written for"):
        load_model(folder)
    (name,) = [name for name, value in weights.items() if name.endswith("head.weight")]
    for damaged in ({name: weights[name] * np.nan}, {"std": weights["std"] * 0.0}):
        save_file({**weights, **damaged}, folder / "model.safetensors")
        digest = artifacts.sha256_of(folder / "model.safetensors")
        (folder / "model.json").write_text(json.dumps({**info, "sha256": digest}))
        with pytest.raises(ModelError, match="it would never detect"):
            load_model(folder)
    torch.save({"model": object}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="Only safetensors are loaded"):
        load_model(folder)
    (folder / "model.json").write_text('{"format": 1}')
    with pytest.raises(ModelError, match="does not describe a detector"):
        read_info(folder)
    with pytest.raises(ModelError, match="no detector 'nothing'"):
        open_finished_run(world.settings, "nothing")


def test_a_recording_is_searched_for_the_word(world: World, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    sound = np.concatenate([hum(draw), chirp(draw), hum(draw)])
    start_s = len(hum(np.random.default_rng(5))) / RATE_HZ
    soundfile.write(tmp_path / "long.wav", sound, RATE_HZ)
    found = detect_in_file(open_finished_run(world.settings, world.run.id), tmp_path / "long.wav", "aggressive")
    assert len(found.windows) == pytest.approx(found.duration_s * 10, abs=12)
    best = max(found.windows, key=lambda window: window.score)
    assert start_s < best.end_s < start_s + 1.9


@pytest.fixture
def judge_url(world: World) -> Iterator[str]:
    import uvicorn

    app = make_app(world.settings, Limits(workers=1, wait_s=120.0, timeout_s=120.0), world.run.path / "model")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_sentry_and_judge(world: World, judge_url: str) -> None:
    """The sentry hears words and other speech; what it lets through, the judge behind HTTP answers."""
    info = read_info(world.run.path / "model")
    judge = classifier_for(open_finished_run(world.settings, world.run.id))
    passed, took = {"words": 0, "other": 0}, []
    remote_verifier(judge_url, timeout_s=120.0)(np.zeros(RATE_HZ, dtype=np.float32))  # by now its model is loaded
    remote = remote_verifier(judge_url, timeout_s=30.0)
    here = local_verifier(judge, info.features, info.detector, info.threshold, info.temperature, info.name)
    for name, folder in (("words", world.new_words), ("other", world.new_other)):
        for path in sorted(folder.iterdir()):
            cascade = Cascade(StreamingDetector(judge, info.features, info.detector, info.threshold), remote)
            sound = soundfile.read(path, dtype="float32")[0]
            padded = np.pad(sound, (round(info.features.clip_s * RATE_HZ), RATE_HZ // 2))
            asked = [window for window in cascade.run(padded) if window.verdict is not None]
            passed[name] += bool(asked)
            took += [window.verdict_ms for window in asked]
            assert {window.verdict.label for window in asked if window.verdict} <= {"chirp", "other"}
    assert passed["words"] >= 6
    assert passed["other"] <= 0.1 * 20 + 1, "under a tenth of what is not the word, and one for luck"
    assert all(ms > 0 for ms in took)
    word = soundfile.read(sorted(world.new_words.iterdir())[0], dtype="float32")[0]
    one, other = remote(word), here(word)
    assert (one.prediction, one.label) == (other.prediction, other.label)
    assert one.confidence == pytest.approx(other.confidence, abs=0.01), "16-bit in between"


def test_the_judge_answers_the_quick_form_with_0_or_1(judge_url: str, tmp_path: Path) -> None:
    import httpx2

    soundfile.write(tmp_path / "c.wav", chirp(np.random.default_rng(5)), RATE_HZ)
    client = httpx2.Client(base_url=judge_url, timeout=30.0)
    whole, quick = (
        client.post("/verify", files={field: ("c.wav", (tmp_path / "c.wav").read_bytes(), "audio/wav")}).json()
        for field in ("audio", "file")
    )
    assert type(whole["prediction"]) is bool
    assert type(quick["prediction"]) is int
    assert quick == whole


def test_the_judge_refuses_in_words(world: World, judge_url: str) -> None:
    import httpx2

    client = httpx2.Client(base_url=judge_url, timeout=30.0)
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"files": {"audio": ("a.wav", b"no audio", "audio/wav")}}, 422, "cannot be read as audio"),
        ({"files": {"audio": ("a.wav", b"", "audio/wav")}}, 422, "is empty"),
        ({"data": {"x": "y"}}, 422, "in the field audio or file"),
    ]
    for given, status, words in cases:
        answer = client.post("/verify", **given)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert words in answer.json()["detail"]
    with pytest.raises(ModelError, match="does not answer"):
        remote_verifier("http://127.0.0.1:9")(np.zeros(1600, dtype=np.float32))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.positive": []}, "No clips of the word are given"),
        ({"data.negative": []}, "No other speech is given: .* or name a folder with --negative"),
        ({"data.source": "^(.)"}, "has one source"),
        ({"data.positive": [], "data.negative": [], "data.split": "nowhere"}, "holds no split of clips"),
    ],
)
def test_too_little_to_learn_from(world: World, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        find_clips(world.configured(**changes))


def test_what_a_split_lacks_is_said_in_the_readers_language(world: World, tmp_path: Path) -> None:
    clip = Clip("a.wav", Label.NEGATIVE, "a", 1.0, RATE_HZ, 0.5, "digest")
    write_manifest(tmp_path, [AssignedClip(clip, "train")], tmp_path, 0, sources_known=False)
    with pytest.raises(CorpusError, match=r", to train on: 0 clips of the word can be used") as lacks:
        find_clips(world.configured(**{"data.positive": [], "data.negative": [], "data.split": str(tmp_path)}))
    with speaking("tr"):
        assert f"{tmp_path}, eğitim için: Kelimenin 0 kaydı kullanılabilir" in translated(lacks.value.text)


def test_a_split_says_what_to_learn_from_and_what_to_report_on(world: World, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    shutil.copytree(world.words, clips / "positive")
    shutil.copytree(world.other, clips / "negative")
    run = CliRunner()
    made = run.invoke(
        main, ["wakeword", "split", str(clips), "--out", str(tmp_path / "split"), "--json"], env=world.env
    )
    assert made.exit_code == 0, made.output
    given = ["wakeword", "train", "--split", str(tmp_path / "split"), "--preset", "tiny", "--steps", "4", "--json"]
    result = run.invoke(main, [*given, "--override", "mining.rounds=0"], env=world.env)
    assert result.exit_code == 0, result.output
    folder = Path(json.loads(result.stdout)["directory"])
    root, used = read_manifest(folder / "split")
    assert root == clips
    card = (folder / "model" / "README.md").read_text()
    assert "it cannot be shown that no voice is in both" in card, "no pattern named the speakers to `split`"
    test = {one.clip.path for one in read_manifest(tmp_path / "split")[1] if one.part == "test"}
    assert test
    assert not test & {one.clip.path for one in used}
    given = ["wakeword", "evaluate", str(folder), "--split", str(tmp_path / "split"), "--hours", "0.05", "--json"]
    result = run.invoke(main, given, env=world.env)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["stream"]["n_keywords"] == sum("positive" in path for path in test)
    refused = run.invoke(main, ["wakeword", "evaluate", str(folder), "--hours", "1"], env=world.env)
    assert refused.exit_code == 1
    assert "--positive and --background, or --split" in refused.output


def test_corrupt_audio_among_good_is_left_out_and_counted(world: World, tmp_path: Path) -> None:
    words = tmp_path / "words"
    shutil.copytree(world.words, words)
    (words / "broken.wav").write_bytes(b"RIFF of nothing")
    soundfile.write(words / "silent.wav", np.zeros(RATE_HZ), RATE_HZ)
    found = find_clips(world.configured(**{"data.positive": [str(words)]}))
    assert {clip.path.rsplit("/", 1)[-1] for clip in found.bad} == {"broken.wav", "silent.wav"}
    assert sum(clip.label is Label.POSITIVE for clip in found.train + found.held) == 24
    config = world.configured(**{"data.positive": [str(words)], "train.steps": 2, "mining.rounds": 0})
    run = world.fresh(config)
    left_out = train_wakeword(world.settings, config, run)["clips_left_out"]
    assert [line.rsplit("/", 1)[-1].partition(" ")[0] for line in left_out] == ["broken.wav", "silent.wav:"]
    assert left_out[0].count("broken.wav") == 1
    assert "silent.wav: Nothing can be heard" in (run.path / "log.txt").read_text()
    few = tmp_path / "few"
    few.mkdir()
    shutil.copy(words / "broken.wav", few / "broken.wav")
    with pytest.raises(CorpusError, match=r"0 clips of the word can be used and 1 cannot; at least 8 are needed"):
        find_clips(world.configured(**{"data.positive": [str(few)]}))
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(words / "broken.wav", other)
    shutil.copy(words / "silent.wav", other)
    with pytest.raises(CorpusError, match=r"0 clips of the word can be used and 1 cannot"):
        find_clips(world.configured(**{"data.positive": [str(few)], "data.negative": [str(other)]}))
    with pytest.raises(CorpusError, match=r"0 clips of other speech can be used and 2 cannot"):
        find_clips(world.configured(**{"data.negative": [str(other)]}))
    with pytest.raises(CorpusError, match="is given as negative and"):
        find_clips(world.configured(**{"data.negative": [str(world.words)]}))
    with pytest.raises(CorpusError, match="There is no"):
        find_clips(world.configured(**{"data.negative": [str(tmp_path / "gone")]}))


def test_a_folder_that_brings_nothing_is_not_hidden_by_the_others(world: World, tmp_path: Path) -> None:
    links = tmp_path / "other speech"
    links.mkdir()
    sounds = [path for path in world.other.rglob("*") if path.is_file()]
    for path in sounds:
        (links / path.name).symlink_to(path)
    with pytest.raises(CorpusError, match=r"There is no audio .* in .*other speech, or only links that lead out of it"):
        find_clips(world.configured(**{"data.negative": [str(world.noise), str(links)]}))
    for path in sounds[:2]:
        shutil.copy(path, links / f"copy of {path.name}")
    assert len(find_clips(world.configured(**{"data.negative": [str(links)]})).left_out) == len(sounds)


def test_spoken_clips_bring_other_speech_of_their_own(world: World, tmp_path: Path) -> None:
    spoken = tmp_path / "spoken"
    for voice in ("low", "high"):
        shutil.copytree(world.words, spoken / "positive" / voice)
        shutil.copytree(world.other, spoken / "negative" / voice)
    (spoken / "spoken.jsonl").touch()
    found = find_clips(world.configured(**{"data.positive": [str(spoken)], "data.negative": []}))
    assert {clip.label for clip in found.train} == {Label.POSITIVE, Label.NEGATIVE}


def test_a_judge_is_a_function_of_windows_alone(world: World) -> None:
    model, info = load_model(world.run.path / "model")
    windows = read_windows(world.run.path / "model")
    judge = classifier_of(model)
    assert np.allclose(judge(windows[:3]), np.concatenate([judge(windows[i : i + 1]) for i in range(3)]), atol=1e-5)
    assert judge(windows[:0]).shape == (0,)
    assert info.features == world.config.features
