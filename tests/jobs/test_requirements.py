"""A run whose packages are missing is refused before anything of it is made, with what to install."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import JobError
from pipeline.i18n import speaking
from pipeline.jobs import launcher
from pipeline.jobs.requirements import NEEDED, missing_for, packages_of
from pipeline.optional import EXTRAS, INCLUDED, install_command, missing_package
from pipeline.runs import RunDirectory, list_runs
from pipeline.runs.messages import translated as translated_message
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.settings import CHECKOUT, Settings
from pipeline.wakeword.config import WakewordConfig


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    def hide(*packages: str) -> None:
        monkeypatch.setattr("pipeline.optional.is_there", lambda name: name not in packages)

    return hide


@pytest.mark.parametrize("kind", sorted(NEEDED))
def test_no_work_starts_whose_packages_are_missing(settings: Settings, without: Any, kind: str) -> None:
    without(NEEDED[kind][0])
    with pytest.raises(JobError, match=rf"needs {NEEDED[kind][0]}: `\S*pip install 'pronlab\[\w+\]'`\."):
        launcher.launch(settings, kind=kind, name="x", argv=("x",), root=settings.runs_root, config={})
    assert not settings.runs_root.exists() or not list(settings.runs_root.iterdir())


@pytest.mark.parametrize(
    ("kind", "config", "package"),
    [
        ("word", TrainConfig(set="demo"), "torch"),
        ("word", {"model": "forest", "extractor": "encoder"}, "transformers"),
        ("word", {"model": "forest", "search": "optuna"}, "optuna"),
        ("table", {"search": "optuna"}, "optuna"),
        ("speechllm", {"bits": 4}, "bitsandbytes"),
        ("speechllm", {"trackers": "tensorboard, mlflow"}, "mlflow"),
        ("wakeword", {"features": {"kind": "micro"}}, "pymicro_features"),
        ("wakeword", {"distil": {"teacher": str(CHECKOUT)}}, "transformers"),
        ("wakeword-export", {"options": ["--bundle", "x.zip"]}, "onnx"),
        ("wakeword-export", {"options": ["--bundle", "x.zip", "--esp32"]}, "tflite_micro"),
    ],
)
def test_settings_ask_for_packages_of_their_own(without: Any, kind: str, config: Any, package: str) -> None:
    without(package)
    assert f"needs {package}: `" in str(missing_for(kind, config))
    assert missing_for(kind) is None, "other settings would do"


def test_what_needs_nothing_more_is_not_refused(without: Any) -> None:
    without(*EXTRAS)
    assert missing_for("import") is missing_for("wakeword-speak") is None
    assert packages_of("word", {"model": "forest"}) == ["sklearn"]
    assert "pymicro_features" not in packages_of("wakeword", WakewordConfig())


def test_a_stopped_run_is_not_resumed_without_its_packages(settings: Settings, without: Any) -> None:
    run = RunDirectory.create(settings.runs_root, kind="wakeword", name="x", config={})
    run.close("stopped")
    without("pyroomacoustics")
    with pytest.raises(JobError, match="This training needs pyroomacoustics"):
        launcher.resume(settings, run)
    assert run.state.status == "stopped"


@pytest.mark.parametrize("more", [(), ("--executor", "local")])
def test_a_command_refuses_before_it_makes_a_run(settings: Settings, without: Any, more: tuple[str, ...]) -> None:
    without("torch")
    done = CliRunner().invoke(main, ["train", "word", "--set", "demo", *more])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert "This training needs torch: `" in line
    assert not settings.runs_root.exists()


def test_a_training_ended_at_the_keyboard_says_how_to_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ended(_settings: Settings, _config: Any, run: RunDirectory, *_more: Any) -> None:
        with run.start():
            raise KeyboardInterrupt

    def interrupted(*_args: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    monkeypatch.setattr("pipeline.wakeword.run.train_wakeword", ended)
    monkeypatch.setattr("pipeline.cli.wakeword.training._check", lambda *_: None)
    monkeypatch.setattr("pipeline.scoring.feature_based.data.load_training_data", interrupted)
    for command, way_on in (
        (
            ["wakeword", "train", "--positive", str(tmp_path), "--negative", str(tmp_path)],
            "`pronlab runs resume {run}` resumes it",
        ),
        (["train", "word", "--set", "demo"], "It keeps no checkpoints"),
    ):
        before = {run.id for run in list_runs(settings.runs_root)}
        done = CliRunner().invoke(main, command)
        runs = {run.id for run in list_runs(settings.runs_root)} - before
        assert len(runs) == 1, done.output
        (run,) = runs
        assert f"Stopped {run}. {way_on.format(run=run)}" in done.stderr


COMMANDS = {
    ("train", "word", "--set", "demo"): "word",
    ("train", "table"): "table",
    ("train", "prompts"): "prompts",
    ("train", "speech", "--set", "demo"): "speech",
    ("train", "letter-to-sound", "--out", "rules"): "letter-to-sound",
    ("train", "sounds", "--out", "sounds"): "sounds",
    ("train", "speechllm", "--set", "demo"): "speechllm",
    ("train", "speechllm", "--set", "demo", "--plan"): "plan",
    ("wakeword", "train"): "wakeword",
    ("wakeword", "search"): "wakeword-search",
    ("wakeword", "rate-range"): "rate-range",
    ("wakeword", "features", "clips"): "wakeword",
}


def test_a_command_names_all_that_it_lacks_in_one_line(settings: Settings, tmp_path: Path) -> None:
    """In a process where nothing was imported before: what a command imports first must not end it."""
    code = (
        "import json, sys\n"
        f"for name in {sorted(EXTRAS)!r}: sys.modules[name] = None\n"
        "from click.testing import CliRunner\n"
        "from pipeline.cli.main import main\n"
        f"for words in {list(COMMANDS)!r}:\n"
        "    done = CliRunner().invoke(main, words)\n"
        "    print(json.dumps([done.exit_code, done.output]))"
    )
    environment = {**os.environ, "PRONLAB_DATA_ROOT": str(settings.data_root)}
    environment["PRONLAB_MODELS_ROOT"] = str(settings.models_root)
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=True
    )
    for (words, kind), answer in zip(COMMANDS.items(), made.stdout.splitlines(), strict=True):
        exit_code, output = json.loads(answer)
        assert exit_code == 1, (words, output)
        (line,) = output.splitlines()
        needed = packages_of(kind, {"model": "mlp"} if kind == "word" else None)
        assert f"needs {', '.join(needed)}: `" in line, (words, line)
    assert not settings.runs_root.exists()


def test_the_sentence_is_one_and_in_the_language_of_the_reader(without: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without("torch")
    sentence = missing_for("wakeword")
    of_import = missing_package(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert sentence is not None
    assert of_import is not None
    remedies = {re.sub(r"^.* needs ", "", str(text)) for text in (sentence, of_import)}
    assert len(remedies) == 1, "one remedy, whoever names it"
    turkish = {"{user} needs {packages}: `{command}`.": "{user} için {packages} gerekli: `{command}`.", "This": "Bu"}
    catalogue = SimpleNamespace(gettext=lambda text: turkish.get(text, text))
    monkeypatch.setattr("pipeline.i18n._catalogue", lambda _: catalogue)
    with speaking("tr"):
        error = JobError(of_import)
        assert error.words.startswith("Bu için torch gerekli: `")
        assert translated_message(str(error)) == error.words, "as a run keeps it"


def test_the_command_is_of_this_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text("")
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip.with_name("python")))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_command(["torch", "optuna"]) == f"{pip} install 'pronlab[search]' 'pronlab[train]'"
    monkeypatch.setattr("pipeline.optional.CHECKOUT", tmp_path)
    assert install_command(["wandb"]) == "bin/pip install wandb"
    monkeypatch.setenv("PATH", str(pip.parent))
    assert install_command(["torch", "audiomentations"]) == "pip install 'pronlab[wakeword]'", "which brings torch"
    assert install_command(["torch", "tflite_micro"]) == "pip install 'pronlab[esp32]'"


def test_extras_bring_along_what_is_said() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, other in INCLUDED.items():
        assert f"pronlab[{other}]" in project["optional-dependencies"][extra]
