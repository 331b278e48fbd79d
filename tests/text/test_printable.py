"""Names that a terminal would act on: printed, kept in files and read as audio."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from pipeline import artifacts
from pipeline.audio.load import load_audio
from pipeline.cli._output import emit
from pipeline.cli.main import main
from pipeline.errors import AudioError
from pipeline.text import one_line, printable

ACTED_ON = "\x1b[2J", "\x07", "\r", "\x7f", "\x9b31m", "\u202e", "\u2066", "\u2028", "\udcff"


@pytest.mark.parametrize("name", ACTED_ON)
def test_what_a_terminal_would_act_on_is_printed_as_an_escape(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    escape = f"a\\u{ord(name[0]):04x}{name[1:]}b"
    assert printable(f"a{name}b") == one_line(f"a{name}b") == escape
    emit({"file": f"a{name}b"}, False, f"a{name}b")
    emit({"file": f"a{name}b"}, True, "")
    text, record = capsys.readouterr().out.splitlines()
    assert text == escape
    assert json.loads(record) == {"file": f"a{name}b"}, "whole for who reads it"


def test_letters_and_breaks_of_a_text_stay() -> None:
    text = "lambayı aç\t\N{ZERO WIDTH JOINER}\N{WOMAN}\n日本"
    assert printable(text) == text
    assert one_line("a\n\tb") == "a\\u000a\\u0009b"


def test_a_name_that_is_not_utf_8_is_refused_and_can_be_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    for label in ("positive", "negative"):
        (folder / label).mkdir(parents=True)
        soundfile.write(folder / label / "1.wav", np.sin(np.arange(8000) / 9), 16_000)
    odd = Path(os.fsdecode(os.fsencode(folder / "positive") + b"/caf\xe9\n\x1b.wav"))
    try:
        shutil.copy(folder / "positive" / "1.wav", odd)
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(AudioError, match=r"is not UTF-8\. Rename it"):
        load_audio(odd)
    result = CliRunner().invoke(main, ["wakeword", "scan", str(folder)])
    (line,) = (line for line in result.stdout.splitlines() if "bad:" in line)
    assert "positive/caf\\udce9\\u000a\\u001b.wav" in line and "not UTF-8" in line
    assert result.exit_code == 0
    artifacts.write_json(tmp_path / "kept.json", {"file": odd})
    assert artifacts.read_json(tmp_path / "kept.json") == {"file": str(odd)}
