"""`pronlab dashboard`: what it starts, and what it says when it cannot."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.cli.dashboard import absolute_roots, is_loopback, require_free_port, server_command
from pipeline.errors import JobError
from pipeline.settings import CHECKOUT, Settings


def options(command: list[str]) -> dict[str, str]:
    start = next(n for n, part in enumerate(command) if part.startswith("--"))
    return dict(zip(command[start::2], command[start + 1 :: 2], strict=True))


def test_it_listens_on_the_address_and_port_asked_for() -> None:
    assert options(server_command("127.0.0.1", 9000)) == {"--server.address": "127.0.0.1", "--server.port": "9000"}


def test_only_beyond_this_machine_any_host_name_is_answered() -> None:
    assert options(server_command("0.0.0.0", 8501))["--server.allowedHosts"] == "*"
    assert [is_loopback(a) for a in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "192.168.1.5", "pc")] == (
        [True, True, True, False, False, False]
    )


def test_a_busy_port_is_told_in_one_line_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(JobError):
            require_free_port("127.0.0.1", port)
        result = CliRunner().invoke(main, ["dashboard", "--port", str(port)])
    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.output
    assert f"--port {port % 65535 + 1}" in result.output


def test_the_port_is_free_again_after_the_probe() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", port)


def test_relative_roots_hold_after_the_change_of_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({"PRONLAB_DATA_ROOT": "d", "PRONLAB_MODELS_ROOT": "m", "PRONLAB_ENCODER_PATH": "e"})
    assert absolute_roots(settings) == {
        "PRONLAB_DATA_ROOT": str(tmp_path / "d"),
        "PRONLAB_MODELS_ROOT": str(tmp_path / "m"),
        "PRONLAB_ENCODER_PATH": str(tmp_path / "e"),
    }


def test_processes_that_a_page_starts_draw_nothing() -> None:
    """Each of them imports the file that Streamlit runs, under this name."""
    code = f"import runpy; runpy.run_path({str(CHECKOUT / 'dashboard' / 'app.py')!r}, run_name='__mp_main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT, check=True)
    assert (done.stdout, done.stderr) == ("", "")
