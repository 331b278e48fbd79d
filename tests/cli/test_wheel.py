"""A wheel works outside the checkout: released models, the demo, presets and catalogues come with it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from pipeline.settings import CHECKOUT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from what git has, so that nothing of this installation gets in."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, source / name)
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(source),
    ]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, which borrows the other packages of this one."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    packages = Path(subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip())  # fmt: skip
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-q",
        "--no-deps",
        "--no-compile",
        str(wheel),
    ]
    # With the checkout on its path, pip would think it installed.
    elsewhere = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(install, capture_output=True, text=True, env=elsewhere)
    assert done.returncode == 0, done.stderr
    # A path in a .pth file is searched, and the .pth files there (of the checkout, in editable mode) are not read.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PRONLAB_", "PYTHONPATH"))}
    environment["XDG_DATA_HOME"] = str(folder / "home")
    command = [str(python), "-m", "pipeline.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)


def test_everything_that_is_shipped_is_in_the_wheel(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    tracked = [Path(name) for name in filter(None, listed.stdout.split("\0"))]
    inside = set(zipfile.ZipFile(wheel).namelist())
    for file in tracked:
        top = file.parts[0]
        if top in ("pipeline", "dashboard") and file.suffix in (".py", ".js", ".css", ".svg", ".yaml", ".po", ".onnx"):
            assert str(file) in inside, file
        if len(file.parts) > 2 and top in ("models", "data"):
            assert any(name.endswith(f"/share/pronlab/{file}") for name in inside), file


def test_it_scores_and_installs_the_demo_from_any_folder(installed: Path, tmp_path: Path) -> None:
    recording = CHECKOUT / "data" / "demo" / "participant_01" / "kelimeler" / "01_araba.wav"
    scored = run(installed, tmp_path, "score", str(recording), "--word", "araba", "--json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["scoring_method"] == "ml_model"
    demo = run(installed, tmp_path, "demo", "--json")
    assert demo.returncode == 0, demo.stderr
    assert (tmp_path / "home" / "pronlab" / "data" / "sets" / "demo" / "set.json").is_file()
    where = run(installed, tmp_path, "doctor", "--only", "speech scorer")
    assert where.returncode == 0, where.stdout + where.stderr
