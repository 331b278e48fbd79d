"""What commands say of their progress on the error stream."""

from dataclasses import replace

import pytest

from pipeline.cli import _output
from pipeline.cli._output import message_printer, progress_printer
from pipeline.runs import RunDirectory
from pipeline.settings import Settings


def test_a_training_in_this_process_says_how_far_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_output, "LOG_EVERY_S", 0.0)
    run = RunDirectory.create(settings.runs_root, kind="speechllm", name="x", config={})
    with replace(run, told=message_printer()).start() as writer:
        writer.update(progress=0.1, message="step 1 of 9, loss 2.000")
        writer.update(progress=0.2)
        writer.update(progress=1.0, message="done")
    assert capsys.readouterr().err == "step 1 of 9, loss 2.000\n"
    with run.start() as writer:
        writer.update(message="in the background")
    assert capsys.readouterr().err == ""


def test_two_that_tell_of_the_same_work_take_turns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    show, tell = progress_printer("Reading recordings"), message_printer()
    for now in (5.0, 11.0, 12.0, 22.0):
        show(int(now), 30, "")
        tell(f"reading recordings: {now:.0f} of 30")
    assert capsys.readouterr().err.splitlines() == ["Reading recordings: 11 of 30", "Reading recordings: 22 of 30"]


def test_a_terminal_has_one_line_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(_output, "REDRAW_EVERY_S", 0.0)
    tell = message_printer()
    tell("step 1 of 9")
    tell("done")
    drawn = capsys.readouterr().err
    assert drawn.startswith("\rstep 1 of 9 ")
    assert drawn.endswith(f"\r{' ' * _output.WIDTH}\r")
    assert "\n" not in drawn
