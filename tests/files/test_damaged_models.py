"""Model files and checkpoints that are damaged, cut short, foreign, or of another version: one line in words."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from pipeline.cli.main import main
from pipeline.errors import ModelError, PronlabError, TrainingError
from pipeline.jobs.checkpoints import Checkpoint, fitting, load_checkpoint, load_weights, save_checkpoint
from pipeline.onnx_graphs import open_graph
from pipeline.regressors.confidence import ConfidenceBin
from pipeline.regressors.scaler import Scaler
from pipeline.regressors.trees import fit
from pipeline.scoring.feature_based import model_files as acoustic
from pipeline.scoring.speech.model_files import load_info as load_speech_info
from pipeline.settings import CHECKOUT, Settings
from pipeline.tabular.config import TabularConfig
from pipeline.tabular.model_files import TabularInfo, TabularModel
from pipeline.tabular.model_files import load_model as load_table
from pipeline.tabular.model_files import save_model as save_table
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.data.feature_cache import read_index
from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models import make_model
from pipeline.wakeword.packaging.export import onnx_classifier, read_windows
from pipeline.wakeword.runtime import model_files as wakeword

GARBAGE = {
    "empty": b"", "text": b"no model\n", "binary": bytes(range(256)) * 40, "a pickle": pickle.dumps({"a": object}),
    "a list": b"[1, 2]", "null": b"null", "a number": b"5", "half of JSON": b'{"model_id": "x", "ki',
    "other keys": b'{"a": 1}', "deep": b"[" * 100_000, "not text": b'{"\xff": 1}',
}  # fmt: skip
STRANGE: list[Any] = [None, 5, -1, 1e400, "x", [], ["x"], [[1]], {}, {"a": 1}, True]


def network(folder: Path) -> None:
    names = tuple(f"f{n}" for n in range(4))
    weights = {"0.weight": np.ones((2, 4), np.float32), "0.bias": np.zeros(2, np.float32)}
    weights |= {"1.weight": np.ones((1, 2), np.float32), "1.bias": np.zeros(1, np.float32)}
    bins = (ConfidenceBin(50.0, 0.5, 10),)
    info = acoustic.ModelInfo("x", "mlp", names, architecture=(4, 2, 1), confidence=bins)
    acoustic.save_model(folder, acoustic.Model(info, Scaler(np.zeros(4), np.ones(4)), weights))


def detector(folder: Path) -> None:
    config = WakewordConfig()
    model = make_model(config.model, config.features, Cmvn.none(config.features.n_bins))
    info = wakeword.DetectorInfo("x", config.features, config.model, config.detector, 0.0, 1.0, 1, {})
    wakeword.save_model(folder, model, info)


def table(folder: Path) -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(30, 3)).astype(np.float32), draw.uniform(0, 100, 30)
    info = TabularInfo("x", "prompts", "forest", ("a", "b", "c"), (), "", 30, 5, "2026-01-01", {"mae": 1.0}, {})
    trees = fit(x, y, TabularConfig(trees=3), 0)
    save_table(folder, TabularModel(info, Scaler(np.zeros(3), np.ones(3)), trees, x))


def speech(folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(CHECKOUT / "models" / "speech-en" / "speech.json", folder)
    for name in ("listener.onnx", "head.onnx"):
        (folder / name).write_bytes(b"x")


MODELS: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any], str]] = {
    "network": (network, acoustic.load_model, acoustic.INFO_FILE),
    "detector": (detector, wakeword.load_model, wakeword.INFO),
    "table": (table, load_table, "tabular.json"),
    "speech": (speech, load_speech_info, "speech.json"),
}


@pytest.fixture(params=MODELS, scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, str]:
    """A whole model, what loads it, and the name of its description."""
    make, load, info = MODELS[request.param]
    folder = tmp_path_factory.mktemp("models") / request.param
    make(folder)
    load(folder)
    return folder, load, info


@pytest.mark.parametrize("name", GARBAGE)
def test_any_file_of_a_model_may_be_garbage(made: tuple[Path, Any, str], tmp_path: Path, name: str) -> None:
    folder, load, _ = made
    for file in folder.iterdir():
        if file.suffix == ".onnx":
            continue
        copy = tmp_path / file.name
        shutil.copytree(folder, copy)
        (copy / file.name).write_bytes(GARBAGE[name])
        with pytest.raises(ModelError):
            load(copy)
        (copy / file.name).unlink()
        with pytest.raises(ModelError):
            load(copy)


def test_files_cut_short_are_told(made: tuple[Path, Any, str], tmp_path: Path) -> None:
    folder, load, _ = made
    for file in folder.iterdir():
        content = file.read_bytes()
        if file.suffix == ".onnx":
            continue
        for part in (1, 9, len(content) // 2, len(content) - 5):
            copy = tmp_path / f"{file.name}-{part}"
            shutil.copytree(folder, copy)
            (copy / file.name).write_bytes(content[:part])
            with pytest.raises(ModelError):
                load(copy)


def test_any_value_of_a_description_may_be_of_another_type(made: tuple[Path, Any, str], tmp_path: Path) -> None:
    """It is read all the same, or refused in words."""
    folder, load, info = made
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    whole = json.loads((folder / info).read_text(encoding="utf-8"))
    refused = 0
    for key in whole:
        for value in STRANGE:
            (copy / info).write_text(json.dumps({**whole, key: value}), encoding="utf-8")
            try:
                load(copy)
            except ModelError as error:
                refused += 1
                assert str(error)
    assert refused > len(whole)


def test_weights_of_another_kind_of_model_are_refused(tmp_path: Path) -> None:
    for name, (make, _, _) in MODELS.items():
        make(tmp_path / name)
    weights = {name: next(tmp_path.joinpath(name).glob("*.safetensors"), None) for name in MODELS}
    for name, (_, load, _) in MODELS.items():
        for other, file in weights.items():
            own = weights[name]
            if file is None or own is None or other == name:
                continue
            before = own.read_bytes()
            own.write_bytes(file.read_bytes())
            with pytest.raises(ModelError):
                load(tmp_path / name)
            own.write_bytes(before)


@pytest.mark.parametrize("name", GARBAGE)
def test_graphs_windows_and_features_may_be_garbage(tmp_path: Path, name: str) -> None:
    for file in ("model.onnx", "windows.npy", "pools.json"):
        (tmp_path / file).write_bytes(GARBAGE[name])
    for load in (
        lambda: open_graph(tmp_path / "model.onnx"), lambda: onnx_classifier(tmp_path / "model.onnx"),
        lambda: read_windows(tmp_path), lambda: read_index(tmp_path),
    ):  # fmt: skip
        with pytest.raises(PronlabError):
            load()


@pytest.mark.parametrize("name", GARBAGE)
def test_a_damaged_checkpoint_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "last.safetensors"
    path.write_bytes(GARBAGE[name])
    for load in (lambda: load_checkpoint(path, ("now",)), lambda: load_weights(torch.nn.Linear(1, 1), path)):
        with pytest.raises(TrainingError, match=r"last\.safetensors is damaged.*Start a new training") as error:
            load()
        assert "\n" not in str(error.value)


def test_a_checkpoint_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    whole = Checkpoint({"now": {"weight": torch.ones(2, 3), "bias": torch.ones(2)}}, {"epoch": 1})
    save_checkpoint(path, whole)
    found = load_checkpoint(path, ("now",))
    assert found.state == {"epoch": 1}
    assert torch.equal(found.parts["now"]["weight"], torch.ones(2, 3))
    for model in (torch.nn.Linear(2, 2), torch.nn.Linear(3, 2, bias=False), torch.nn.Bilinear(1, 1, 1)):
        with pytest.raises(TrainingError, match="is not of this run's model"), fitting(path):
            model.load_state_dict(found.parts["now"])
    with pytest.raises(TrainingError, match="no checkpoint of this version"):
        load_checkpoint(path, ("other",))
    for metadata in (None, {"state": "{"}):
        save_file({"now.x": torch.ones(1)}, path, metadata)
        with pytest.raises(TrainingError, match="no checkpoint of this version"):
            load_checkpoint(path, ("now",))
    content = path.read_bytes()
    for part in (4, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:part])
        with pytest.raises(TrainingError, match="is damaged"):
            load_checkpoint(path, ("now",))


def test_commands_tell_a_damaged_model_in_one_line(settings: Settings, tmp_path: Path) -> None:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    for name, (make, _, _) in MODELS.items():
        make(tmp_path / name)
    for file in tmp_path.rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:40])
    sound = str(next((CHECKOUT / "data" / "demo").rglob("*.wav")))
    for words in (
        ["deploy", str(tmp_path / "network")], ["models", "add", str(tmp_path / "network")],
        ["score", sound, "--word", "masa", "--model", str(tmp_path / "network")],
        ["score", sound, "--text", "masa", "--scorer", "speech", "--model", str(tmp_path / "speech")],
        ["table", "deploy", str(tmp_path / "table")], ["wakeword", "detect", str(tmp_path / "detector"), sound],
        ["wakeword", "export", str(tmp_path / "detector")],
    ):  # fmt: skip
        done = CliRunner().invoke(main, words, env=env)
        assert done.exit_code == 1, (words, done.output)
        assert isinstance(done.exception, SystemExit), (words, done.exception)
        assert done.output.count("\n") == 1, (words, done.output)


def test_the_train_page_stays_with_a_damaged_model_in_use(open_page: Callable[..., Any], settings: Settings) -> None:
    network(settings.deployed_root / "word")
    (settings.deployed_root / "word" / acoustic.INFO_FILE).write_text("{")
    page = open_page("train")
    assert not page.exception
    assert [error for error in page.error if acoustic.INFO_FILE in error.value.replace("\\", "")]
    assert "Train a scorer" in "".join(caption.value for caption in page.caption)
    assert page.segmented_control(key="train-kind")
