"""What `pronlab doctor` says of a machine and an installation."""

import errno
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, numpy_helper

from pipeline import doctor
from pipeline.cli.main import main
from pipeline.doctor import State, examine, integer_kernels
from pipeline.scoring.speech.listening.runtime import SpeechRuntime
from pipeline.scoring.speech.model_files import FOLDER, INFO_FILE, LISTENER_FILE
from pipeline.settings import CHECKOUT, Settings

RELEASED = CHECKOUT / "models" / FOLDER


def checked(settings: Settings, name: str) -> doctor.Check:
    return next(check for check in examine(settings) if check.name == name)


@pytest.mark.parametrize(
    ("machine", "features", "words"),
    [
        ("x86_64", {"avx2", "fma"}, "AVX2 without VNNI"),
        ("x86_64", {"avx2", "avx512_vnni"}, "VNNI, which adds in 32 bits"),
        ("AMD64", {"avx2", "avx_vnni"}, "VNNI, which adds in 32 bits"),
        ("aarch64", {"asimddp"}, "8-bit dot products"),
        ("arm64", set(), "8-bit products in 16 bits"),
        ("x86_64", {"sse2"}, "no vector instructions"),
        ("x86_64", set(), "unknown"),
    ],
)
def test_names_the_8_bit_kernels_of_a_processor(machine: str, features: set[str], words: str) -> None:
    assert words in integer_kernels(machine, frozenset(features))


def test_a_fresh_installation_has_no_problem(settings: Settings) -> None:
    checks = examine(settings)
    assert not [check for check in checks if check.state is State.PROBLEM]
    assert {"processor", "memory", "data folder", "speech scorer", "word scorer", "PyTorch"} <= {c.name for c in checks}


@pytest.mark.parametrize("root", ["data_root", "models_root"])
@pytest.mark.parametrize("place", ["a file", "below a file", "a link to nowhere", "a circle"])
def test_a_root_that_is_no_folder_is_a_problem(settings: Settings, tmp_path: Path, root: str, place: str) -> None:
    there = tmp_path / "there"
    if place == "a link to nowhere":
        there.symlink_to(tmp_path / "nowhere")
    elif place == "a circle":
        there.symlink_to(there)
    else:
        there.touch()
    found = replace(settings, **{root: there / "x" if place == "below a file" else there})
    check = checked(found, f"{root.removesuffix('_root')} folder")
    assert check.state is State.PROBLEM
    assert "cannot be a folder" in check.text
    assert f"PRONLAB_{root.upper()}" in check.text


def test_the_released_listener_hears_here_what_it_heard_where_it_was_made() -> None:
    deviation = SpeechRuntime(RELEASED).deviation()
    assert deviation is not None
    assert deviation < doctor.LARGEST_DEVIATION


@pytest.fixture
def deployed_signed(settings: Settings) -> Settings:
    """An installation whose deployed listener has signed weights, and other answers kept than it gives."""
    folder = settings.deployed_root / FOLDER
    shutil.copytree(RELEASED, folder)
    model = onnx.load(folder / LISTENER_FILE)
    pairs = {name for n in model.graph.node if n.op_type == "MatMulInteger" for name in (n.input[1], n.input[3])}
    for tensor in model.graph.initializer:
        if tensor.name in pairs and tensor.data_type == TensorProto.UINT8:
            signed = (numpy_helper.to_array(tensor).astype(np.int16) - 128).astype(np.int8)
            tensor.CopyFrom(numpy_helper.from_array(signed, tensor.name))
    onnx.save(model, folder / LISTENER_FILE)
    return settings


def test_signed_weights_are_a_problem_until_they_are_rewritten(
    deployed_signed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(deployed_signed.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(deployed_signed.models_root))
    found = CliRunner().invoke(main, ["doctor"])
    assert found.exit_code == 1
    assert "PROBLEM  8-bit weights: listener.onnx" in found.output
    found = CliRunner().invoke(main, ["models", "repair", "--json"])
    assert found.exit_code == 0, found.output
    report = json.loads(found.output)
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0
    assert [file.rsplit("/", 1)[1] for file in report["rewritten"]] == [LISTENER_FILE]
    assert checked(deployed_signed, "8-bit weights").state is State.OK
    assert "Nothing to repair" in CliRunner().invoke(main, ["models", "repair"]).output


def test_a_listener_that_hears_otherwise_is_a_problem(settings: Settings) -> None:
    folder = settings.deployed_root / FOLDER
    shutil.copytree(RELEASED, folder)
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    info["check"][0] -= 0.2
    (folder / INFO_FILE).write_text(json.dumps(info), encoding="utf-8")
    found = checked(settings, "speech scorer")
    assert found.state is State.PROBLEM
    difference = re.search(r"log posteriors differ by (\d\.\d+), at most 0.05", found.text)
    assert difference and float(difference[1]) == pytest.approx(0.2, abs=0.01), "and what this processor adds to it"
    info["check"] = []
    (folder / INFO_FILE).write_text(json.dumps(info), encoding="utf-8")
    assert checked(settings, "speech scorer").state is State.NOTE
    (folder / LISTENER_FILE).write_bytes(b"no graph")
    assert checked(settings, "speech scorer").state is State.PROBLEM


def test_a_folder_that_cannot_be_written_is_a_problem(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("pipeline.doctor.require_writable", refuse)
    found = checked(settings, "data folder")
    assert found.state is State.PROBLEM
    assert "Give Pronlab the right to write in" in found.text and "set PRONLAB_DATA_ROOT" in found.text
