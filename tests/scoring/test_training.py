"""Training a feature-vector scorer: it learns, stops, keeps speakers apart, and its three files are read warily."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ModelError, TrainingError
from pipeline.features.acoustic57 import FEATURE_NAMES
from pipeline.importing.importer import import_path
from pipeline.records import RubricName
from pipeline.regressors.confidence import confidence_table
from pipeline.regressors.trees import fit as fit_trees
from pipeline.runs import RunDirectory
from pipeline.scoring.feature_based import before_training
from pipeline.scoring.feature_based.before_training import References, recommended, word_blindness
from pipeline.scoring.feature_based.config import TrainConfig, load_preset
from pipeline.scoring.feature_based.data import META_COLUMNS, TrainingData, load_training_data, write_csv
from pipeline.scoring.feature_based.deploy import deploy, rollback
from pipeline.scoring.feature_based.model_files import (
    HELD_OUT_FILE,
    INFO_FILE,
    PTH_FILE,
    SCALER_FILE,
    WEIGHTS_FILE,
    load_model,
)
from pipeline.scoring.feature_based.model_location import find_model
from pipeline.scoring.feature_based.network import fit_network, predict_network
from pipeline.scoring.feature_based.split import split_of
from pipeline.scoring.feature_based.train import TrainingReport, run_training
from pipeline.settings import Settings


def made_up(n: int = 240, speakers: int = 12, seed: int = 0, noise: float = 4.0) -> TrainingData:
    """Scores that follow from two of the 57 features, with a voice of its own for each speaker."""
    draw = np.random.default_rng(seed)
    voice = draw.normal(0, 1, (speakers, 57))
    who = np.arange(n) % speakers
    values = (draw.normal(0, 1, (n, 57)) + voice[who]).astype(np.float32)
    scores = np.clip(70 + 9 * values[:, 3] - 7 * np.abs(values[:, 8]) + draw.normal(0, noise, n), 0, 100)
    return TrainingData(
        names=tuple(FEATURE_NAMES),
        values=values,
        scores=scores,
        speakers=tuple(f"s{i}" for i in who),
        texts=tuple(f"w{i % 7}" for i in range(n)),
        recording_ids=tuple(f"set/{i}" for i in range(n)),
        audio_sha256=tuple(f"{i:064x}" for i in range(n)),
        label_sources=("human",) * n,
        extractor="acoustic57",
        extractor_version="1",
        rubric="word",
        language="tr",
    )


def trained(root: Path, data: TrainingData, **options: object) -> tuple[RunDirectory, TrainingReport]:
    config = TrainConfig(**{"set": "set", "folds": 3, "epochs": 60, "trees": 40, **options})  # type: ignore[arg-type]
    run = RunDirectory.create(root, kind="word", name="test", config=config)
    with run.start() as writer:
        report = run_training(data, config, writer)
    return run, report


@pytest.fixture(scope="module")
def run_and_report(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunDirectory, TrainingReport]:
    return trained(tmp_path_factory.mktemp("runs"), made_up())


@pytest.mark.parametrize("model", ["mlp", "forest", "boosting"])
def test_it_learns_what_is_there_to_learn(tmp_path: Path, model: str) -> None:
    run, report = trained(tmp_path, made_up(), model=model, **({"depth": 3} if model == "boosting" else {}))
    mean = report.baselines["training mean"]
    assert report.metrics.n == 240
    assert report.metrics.pcc is not None
    assert report.metrics.pcc > 0.6
    assert report.metrics.mae is not None
    assert mean.mae is not None
    assert report.metrics.mae < 0.8 * mean.mae
    assert next(iter(report.importance)) == FEATURE_NAMES[3]
    assert ("random forest" in report.baselines) is (model == "mlp")
    predicted = load_model(run.path / "model").predict(made_up().values)
    assert np.abs(predicted - made_up().scores).mean() < report.metrics.mae, "as it was saved"


def test_there_is_nothing_to_learn_from_noise(tmp_path: Path) -> None:
    data = made_up()
    shuffled = replace(data, scores=np.random.default_rng(1).permutation(data.scores))
    _, report = trained(tmp_path, shuffled, epochs=20)
    assert report.metrics.pcc is not None
    assert abs(report.metrics.pcc) < 0.3
    assert report.metrics.r2 is not None
    assert report.metrics.r2 < 0.1


def test_a_speaker_is_never_judged_by_a_model_that_heard_them(
    run_and_report: tuple[RunDirectory, TrainingReport],
) -> None:
    with (run_and_report[0].path / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    fold_of = {row["speaker"]: row["fold"] for row in rows}
    assert all(fold_of[row["speaker"]] == row["fold"] for row in rows)
    assert len({row["fold"] for row in rows}) == 3
    # A model that had learned the speakers by heart would be off by far less than the noise put in.
    assert run_and_report[1].metrics.mae is not None
    assert run_and_report[1].metrics.mae > 3.0


def test_the_run_directory_tells_the_whole_story(run_and_report: tuple[RunDirectory, TrainingReport]) -> None:
    run, report = run_and_report
    events = [row["event"] for row in run.metrics()]
    assert events.count("fold") == 3
    epochs = [row for row in run.metrics() if row["event"] == "epoch" and row["fold"] == 0]
    assert [row["epoch"] for row in epochs] == list(range(1, len(epochs) + 1))
    assert epochs[-1]["train_loss"] < epochs[0]["train_loss"]
    assert run.state.status == "finished"
    assert "fold 3 of 3" in run.log_tail()
    assert list((run.path / "tensorboard").glob("events*"))
    card = (run.path / "model" / "README.md").read_text(encoding="utf-8")
    assert f"{report.metrics.mae:.2f}" in card
    assert "out-of-fold" in card
    assert "| training mean |" in card


def test_the_same_seed_gives_the_same_model(tmp_path: Path) -> None:
    data, small = made_up(n=60), {"epochs": 4, "folds": 2, "trees": 5}
    first, second, other = (trained(tmp_path, data, seed=seed, **small)[1].metrics for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_early_stopping_ends_before_the_last_epoch_and_keeps_the_best() -> None:
    data = made_up()
    z = (data.values - data.values.mean(0)) / data.values.std(0)
    config = TrainConfig(set="s", epochs=400, patience=5)
    validation = (z[:60], data.scores[:60])
    fit = fit_network(z[60:], data.scores[60:], config, seed=0, validation=validation, on_epoch=lambda _: None)
    assert fit.best_epoch < 390
    error = np.abs(predict_network(fit.weights, z[:60]) - data.scores[:60]).mean()
    assert fit.best_val_mae == pytest.approx(error, abs=0.05)


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 20])
def test_however_few_steps_there_are_they_can_be_made(epochs: int) -> None:
    """Ten steps, ten epochs of one batch, left none for the learning rate to rise in."""
    config, data = TrainConfig(set="s", epochs=epochs), made_up(24)
    rates: list[float] = []
    fit_network(data.values, data.scores, config, seed=0, on_epoch=lambda epoch: rates.append(epoch.learning_rate))
    assert len(rates) == epochs
    assert max(rates) <= config.learning_rate


def test_the_folded_network_answers_as_torch_does() -> None:
    """Batch norm is folded into the layers for scoring; the two must agree."""
    import torch
    from torch import nn

    from pipeline.scoring.feature_based.network import folded_layers

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(57, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1), nn.Sigmoid()
    )
    x = torch.randn(64, 57)
    for _ in range(5):
        network(x)
    network.eval()
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    expected = 100 * network(x).detach().numpy()[:, 0]
    np.testing.assert_allclose(predict_network(weights, x.numpy()), expected, atol=1e-3)
    assert len(folded_layers(weights)) == 2


def test_the_forest_answers_as_scikit_learn_does() -> None:
    from sklearn.ensemble import RandomForestRegressor

    data = made_up()
    config = TrainConfig(set="s", model="forest", trees=20, min_leaf=2)
    trees = fit_trees(data.values, data.scores, config, 5).each(data.values)
    assert trees.shape == (240, 20)
    reference = RandomForestRegressor(20, min_samples_leaf=2, random_state=5).fit(data.values, data.scores)
    assert np.corrcoef(trees.mean(1), reference.predict(data.values))[0, 1] > 0.97


def test_confidence_is_the_share_of_near_predictions_within_ten_points() -> None:
    expert = np.full(200, 50.0)
    predicted = np.where(np.arange(200) < 100, 52.0, 80.0)
    table = {b.score: b.share_within_10 for b in confidence_table(expert, predicted)}
    assert table[50.0] == 1.0
    assert table[85.0] == 0.0
    assert confidence_table(expert[:10], predicted[:10]) == ()


def test_a_stop_request_ends_the_run_as_stopped(tmp_path: Path) -> None:
    config = TrainConfig(set="set", folds=3)
    run = RunDirectory.create(tmp_path, kind="word", name="test", config=config)
    run.request_stop()
    with run.start() as writer:
        run_training(made_up(), config, writer)
    assert run.state.status == "stopped"
    assert not (run.path / "model").exists()


def test_the_three_files_are_what_the_contract_says(run_and_report: tuple[RunDirectory, TrainingReport]) -> None:
    folder = run_and_report[0].path / "model"
    assert {file.name for file in folder.iterdir()} == {
        WEIGHTS_FILE, INFO_FILE, SCALER_FILE, HELD_OUT_FILE, "README.md",
    }  # fmt: skip
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    assert info["architecture"] == [57, 128, 64, 32, 1]
    assert info["feature_names"] == list(FEATURE_NAMES)
    assert info["test"]["mae"] == pytest.approx(run_and_report[1].metrics.mae)
    scaler = json.loads((folder / SCALER_FILE).read_text(encoding="utf-8"))
    np.testing.assert_allclose(scaler["mean"], made_up().values.mean(0), atol=1e-4)
    held_out = (folder / HELD_OUT_FILE).read_text(encoding="utf-8").splitlines()
    assert held_out[0] == "audio_sha256,text_sha256,set,speaker,predicted"
    assert len(held_out) == 241


def copied(folder: Path, target: Path) -> Path:
    target.mkdir(parents=True)
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def test_a_pth_state_dict_is_accepted_and_answers_the_same(
    run_and_report: tuple[RunDirectory, TrainingReport], tmp_path: Path
) -> None:
    import torch

    source = run_and_report[0].path / "model"
    model = load_model(source)
    folder = copied(source, tmp_path / "pth")
    (folder / WEIGHTS_FILE).unlink()
    torch.save({key: torch.from_numpy(np.array(value)) for key, value in model.weights.items()}, folder / PTH_FILE)
    x = made_up().values[:9]
    np.testing.assert_allclose(load_model(folder).predict(x), model.predict(x), atol=1e-4)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/pronlab-was-here",)


def test_a_pth_file_that_wants_to_run_code_is_refused(
    run_and_report: tuple[RunDirectory, TrainingReport], tmp_path: Path
) -> None:
    import torch

    folder = copied(run_and_report[0].path / "model", tmp_path / "evil")
    (folder / WEIGHTS_FILE).unlink()
    torch.save({"x": Evil()}, folder / PTH_FILE)
    with pytest.raises(ModelError, match="state dict"):
        load_model(folder)
    assert not Path("/tmp/pronlab-was-here").exists()


@pytest.mark.parametrize("missing", [WEIGHTS_FILE, INFO_FILE, SCALER_FILE])
def test_a_missing_file_is_named(
    run_and_report: tuple[RunDirectory, TrainingReport], tmp_path: Path, missing: str
) -> None:
    folder = copied(run_and_report[0].path / "model", tmp_path / "m")
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=missing.split(".")[0]):
        load_model(folder)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (WEIGHTS_FILE, "rubbish"),
        (INFO_FILE, "{"),
        (INFO_FILE, "[]"),
        (INFO_FILE, '{"kind": "mlp"}'),
        (INFO_FILE, '{"kind": "svm", "model_id": "x", "feature_names": []}'),
        (SCALER_FILE, '{"mean": [1], "std": [1]}'),
        (SCALER_FILE, '{"mean": "x"}'),
    ],
)
def test_a_damaged_file_is_refused_in_words(
    run_and_report: tuple[RunDirectory, TrainingReport], tmp_path: Path, file: str, content: str
) -> None:
    folder = copied(run_and_report[0].path / "model", tmp_path / "m")
    (folder / file).write_text(content)
    with pytest.raises(ModelError):
        load_model(folder)


def test_deploying_and_going_back(settings: Settings, run_and_report: tuple[RunDirectory, TrainingReport]) -> None:
    source = run_and_report[0].path / "model"
    released = find_model(settings, RubricName.WORD)
    with pytest.raises(ModelError, match="Nothing is deployed"):
        rollback(settings, RubricName.WORD)
    first = deploy(settings, source)
    assert find_model(settings, RubricName.WORD) == settings.deployed_root / "word"
    second_folder = copied(source, settings.models_root / "second")
    info = json.loads((second_folder / INFO_FILE).read_text(encoding="utf-8"))
    (second_folder / INFO_FILE).write_text(json.dumps({**info, "model_id": "second"}), encoding="utf-8")
    assert deploy(settings, second_folder).model_id == "second"
    assert rollback(settings, RubricName.WORD) == first
    assert rollback(settings, RubricName.WORD) is None
    assert find_model(settings, RubricName.WORD) == released


def test_an_unfinished_model_is_not_deployed_over_a_good_one(
    settings: Settings, run_and_report: tuple[RunDirectory, TrainingReport], tmp_path: Path
) -> None:
    deploy(settings, run_and_report[0].path / "model")
    broken = copied(run_and_report[0].path / "model", tmp_path / "broken")
    (broken / SCALER_FILE).unlink()
    with pytest.raises(ModelError, match="scaler_params"):
        deploy(settings, broken)
    assert find_model(settings, RubricName.WORD) == settings.deployed_root / "word"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "either a set or a csv"),
        ({"set": "a", "csv": "b"}, "either a set or a csv"),
        ({"set": "a", "labels": "other"}, "labels"),
        ({"set": "a", "model": "svm"}, "model"),
        ({"set": "a", "folds": 1}, "folds"),
        ({"set": "a", "search": "grid"}, "forest and boosting"),
        ({"set": "a", "learning_rate": 0.0}, "learning_rate"),
        ({"set": "a", "dropout": 1.0}, "dropout"),
        ({"set": "a", "hidden": ()}, "hidden"),
    ],
)
def test_settings_that_cannot_be_used_are_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        TrainConfig(**options)  # type: ignore[arg-type]


def test_presets_are_settings_that_can_be_used() -> None:
    for name in ("word_mlp", "word_forest", "word_boosting"):
        TrainConfig(set="demo", **load_preset(name))
    for wrong in ("nothing", "../word_mlp"):
        with pytest.raises(TrainingError, match="preset"):
            load_preset(wrong)


def test_a_csv_goes_out_and_comes_back(settings: Settings, tmp_path: Path) -> None:
    data = made_up(n=40)
    path = tmp_path / "training_data.csv"
    write_csv(path, data)
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header == [*FEATURE_NAMES, *META_COLUMNS]
    back = load_training_data(settings, TrainConfig(csv=str(path)))
    np.testing.assert_allclose(back.values, data.values, rtol=1e-5)
    np.testing.assert_allclose(back.scores, data.scores, rtol=1e-5)
    assert (back.speakers, back.audio_sha256, back.extractor) == (data.speakers, data.audio_sha256, "acoustic57")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("score", "points", 1), "score"),
        (lambda text: text.replace("speaker", "person", 1), "speaker"),
        (lambda text: "\n".join(text.splitlines()[:1]), "rows"),
        (lambda text: "\n".join(text.splitlines()[:5]), "too few"),
        (lambda text: text.replace("\n", "\nx", 2), "not a number"),
        (lambda text: text.replace("\n" + text.splitlines()[1].split(",")[0], "\nnan", 1), "“nan” is not a number"),
    ],
)
def test_a_csv_that_cannot_be_learned_from_says_why(settings: Settings, tmp_path: Path, change, said: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "t.csv"
    write_csv(path, made_up(n=40))
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(TrainingError, match=said):
        load_training_data(settings, TrainConfig(csv=str(path)))


def test_a_csv_that_a_spreadsheet_saved_anew_is_read_as_before(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_csv(path, made_up(n=40))
    before = load_training_data(settings, TrainConfig(csv=str(path)))
    text = path.read_text(encoding="utf-8").replace(",", ";").replace(".", ",").replace("\n", "\r\n")
    path.write_text(text, encoding="utf-16")
    after = load_training_data(settings, TrainConfig(csv=str(path)))
    assert after.hash == before.hash
    assert after.warnings == ("The text is in UTF-16-LE.", "Cells are separated by semicolons.")


def test_no_labels_and_equal_labels_are_told_apart(settings: Settings, tiny_set: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="part 'dev'"):
        load_training_data(settings, TrainConfig(set=tiny_set, part="dev"))
    data = made_up(n=40)
    write_csv(tmp_path / "t.csv", replace(data, scores=np.full(40, 50.0)))
    with pytest.raises(TrainingError, match="nothing to learn"):
        load_training_data(settings, TrainConfig(csv=str(tmp_path / "t.csv")))
    for file in (tmp_path / "tiny").rglob("*_result.json"):
        file.unlink()
    from pipeline.labels.index import Index

    Index(settings).rebuild()
    with pytest.raises(TrainingError, match="There are no ratings"):
        load_training_data(settings, TrainConfig(set=tiny_set))
    mock = load_training_data(settings, TrainConfig(set=tiny_set, labels="mock"))
    assert set(mock.label_sources) == {"mock"}


def test_mock_labels_are_called_mock_wherever_they_go(settings: Settings, tiny_set: str, tmp_path: Path) -> None:
    config = TrainConfig(set=tiny_set, labels="mock", folds=2, epochs=3)
    data = load_training_data(settings, config)
    _, report = trained(tmp_path, data, labels="mock", folds=2, epochs=3)
    assert any("Mock labels" in warning for warning in report.warnings)
    assert not any(file.read_text().count("mock") for file in (tmp_path / "tiny").rglob("*_result.json"))


def test_voices_are_known_again_without_hashes_of_their_recordings(tmp_path: Path) -> None:
    data = replace(made_up(n=60, speakers=6), audio_sha256=("",) * 60)
    run, _ = trained(tmp_path, data, model="forest", trees=5)
    model = load_model(run.path / "model")
    assert model.has_heard("set", "s3", "0" * 64)
    assert not model.has_heard("set", "stranger", "0" * 64)
    assert not model.has_heard("elsewhere", "s3", "0" * 64)
    nameless = replace(data, recording_ids=tuple(str(n) for n in range(60)))
    run, _ = trained(tmp_path, nameless, model="forest", trees=5)
    assert load_model(run.path / "model").has_heard("elsewhere", "s3", "0" * 64)


def test_a_model_that_could_not_score_is_not_deployed(
    settings: Settings, run_and_report: tuple[RunDirectory, TrainingReport], tmp_path: Path
) -> None:
    folder = copied(run_and_report[0].path / "model", tmp_path / "odd")
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    for change in ({"extractor": "custom"}, {"extractor": "timing"}, {"rubric": "song"}):
        (folder / INFO_FILE).write_text(json.dumps({**info, **change}), encoding="utf-8")
        with pytest.raises(ModelError):
            deploy(settings, folder)
    assert not (settings.deployed_root / "word").exists()


def test_a_csv_says_which_features_it_holds(settings: Settings, tmp_path: Path) -> None:
    data = replace(made_up(n=40), names=tuple(f"f{i}" for i in range(57)), extractor="timing")
    write_csv(tmp_path / "t.csv", data)
    assert load_training_data(settings, TrainConfig(csv=str(tmp_path / "t.csv"))).extractor == "timing"
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    (tmp_path / "cut.csv").write_text(",".join(text.split(",")[: -len(META_COLUMNS)]), encoding="utf-8")
    with pytest.raises(TrainingError, match="line 41 is without a speaker"):
        load_training_data(settings, TrainConfig(csv=str(tmp_path / "cut.csv")))


def test_one_speaker_is_split_by_word_and_the_report_is_loud_about_it(tmp_path: Path) -> None:
    data = made_up(n=84, speakers=1)
    run, report = trained(tmp_path, data, model="forest", folds=9)
    assert report.split == "word"
    assert len(report.fold_mae) == 7, "one per word"
    assert report.warnings[0].startswith("NO NEW VOICE WAS TRIED (speakers: 1): the data was split by word.")
    assert report.warnings[1] == "7 folds instead of 9: there are only 7 groups to split by word."
    rows = list(csv.DictReader((run.path / "predictions.csv").open(encoding="utf-8")))
    folds_of = {word: {row["fold"] for row in rows if row["text"] == word} for word in {row["text"] for row in rows}}
    assert all(len(folds) == 1 for folds in folds_of.values()), "a word is in one fold"
    model = load_model(run.path / "model")
    assert model.info.split == "word"
    assert "other words of the same speakers" in (run.path / "model" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("speakers", "words", "asked", "split"),
    [(2, 7, "auto", "word"), (2, 2, "auto", "recording"), (3, 7, "auto", "speaker"), (12, 7, "recording", "recording")],
)
def test_the_split_is_by_what_there_is_enough_of(speakers: int, words: int, asked: str, split: str) -> None:
    data = made_up(n=48, speakers=speakers)
    data = replace(data, texts=tuple(f"w{i % words}" for i in range(48)))
    made = split_of(data, TrainConfig(set="set", split=asked))
    assert made.by == split
    assert made.n_folds == min(5, speakers if split == "speaker" else words if split == "word" else 48)
    assert bool(made.warnings) == (split != "speaker" or speakers < 5)


def test_a_split_by_too_few_speakers_names_the_way_out() -> None:
    with pytest.raises(TrainingError, match=r"speaker needs at least 3 of them; there are 2\. Use --split auto"):
        split_of(made_up(n=40, speakers=2), TrainConfig(set="set", split="speaker"))


def test_held_out_predictions_of_a_known_voice_are_not_called_held_out(
    settings: Settings, tiny_set: str, tmp_path: Path
) -> None:
    from pipeline.scoring.batch import read_predictions, score_set

    config = TrainConfig(set=tiny_set, labels="mock", model="forest", trees=5, split="recording", folds=2)
    data = load_training_data(settings, config)
    run, _ = trained(tmp_path, data, labels="mock", model="forest", trees=5, split="recording", folds=2)
    deploy(settings, run.path / "model")
    score_set(settings, tiny_set, "acoustic57")
    assert not read_predictions(settings, tiny_set)["held_out"].any()


def test_features_that_do_not_know_the_word_are_told_before_training(settings: Settings, tiny_set: str) -> None:
    told = word_blindness(settings, TrainConfig(set=tiny_set))
    assert told is not None
    assert told.startswith("The 57 features of acoustic57 do not know which word was said")
    assert "words of this set have one. On the synthetic demo set acoustic57 reaches a mean error of 16.0" in told
    assert word_blindness(settings, TrainConfig(set=tiny_set, extractor="reference")) is None


def test_the_features_that_measure_better_are_recommended(
    settings: Settings, tiny_set: str, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert recommended(settings, tiny_set) is None, "some of its words have no reference"
    monkeypatch.setattr(before_training, "references_of", lambda settings, name: References(6, 6))
    better = recommended(settings, tiny_set)
    assert better is not None
    assert better.extractor == "reference"
    assert "all 6 words of this set have one" in better.why
    assert "its mean error was 9.6 points, that of acoustic57, which does not know the word, 16.0" in better.why
    import_path(settings, speech_manifest, name="ocean")
    better = recommended(settings, "ocean")
    assert better is not None
    assert better.extractor == "timing"
    assert "its mean error was 9.0 points, that of acoustic57 10.4" in better.why


FOREIGN: list[dict[str, object]] = [
    {
        "architecture": "PronunciationScorer",
        "input_features": 57,
        "test_mae": 6.2,
        "model_name": "quick",
        "date": "2025",
    },
    {"model_type": "mlp", "input_size": 57, "metrics": {"test_mae": 6.2, "R2": 0.8}},
    {"architecture": "57 -> 128 -> 64 -> 32 -> 1", "feature_names": [f"x{n}" for n in range(57)], "mae": 6.2},
    {"architecture": {"input_dim": 57, "hidden_dims": [128, 64, 32]}, "performance": {"mae": 6.2}},
]


@pytest.mark.parametrize("described", FOREIGN, ids=range(len(FOREIGN)))
@pytest.mark.parametrize("names", ["sequential", "numbered"])
def test_a_model_from_elsewhere_is_read_where_its_network_matches(
    tmp_path: Path, described: dict[str, object], names: str
) -> None:
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers: dict[str, nn.Module] = {}
    for number, (n_in, n_out) in enumerate([(57, 128), (128, 64), (64, 32)], start=1):
        layers |= {f"fc{number}": nn.Linear(n_in, n_out), f"bn{number}": nn.BatchNorm1d(n_out),
                   f"relu{number}": nn.ReLU()}  # fmt: skip
    layers["output"] = nn.Linear(32, 1)
    network = nn.Sequential(*layers.values()).eval()
    state = network.state_dict() if names == "sequential" else nn.ModuleDict(layers).state_dict()
    torch.save(state, tmp_path / PTH_FILE)
    (tmp_path / INFO_FILE).write_text(json.dumps(described))
    scaler = {"mean": [0.5] * 57, "scale": [2.0] * 57, "feature_names": [f"x{n}" for n in range(57)]}
    (tmp_path / SCALER_FILE).write_text(json.dumps(scaler))
    model = load_model(tmp_path)
    assert (model.info.from_elsewhere, model.info.test["mae"], model.info.kind) == (True, 6.2, "mlp")
    x = np.random.default_rng(0).normal(size=(5, 57)).astype(np.float32)
    with torch.inference_mode():
        expected = 100 * torch.sigmoid(network(torch.from_numpy((x - 0.5) / 2.0)))[:, 0].numpy()
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4)


def test_a_model_from_elsewhere_of_other_features_is_refused(tmp_path: Path) -> None:
    for name, content in ((INFO_FILE, {"architecture": "net", "input_size": 40}), (SCALER_FILE, {}), (PTH_FILE, {})):
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(ModelError, match="of 40 features; only models of the 57 acoustic features"):
        load_model(tmp_path)


def test_speakers_too_uneven_to_hold_out_are_told(tmp_path: Path) -> None:
    data = made_up(n=24, speakers=3)
    uneven = replace(data, speakers=("s0",) * 22 + ("s1", "s2"))
    with pytest.raises(TrainingError, match=r"remains? to train on"):
        trained(tmp_path, uneven, folds=3)
