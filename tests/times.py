"""A plugin of pytest for `make test-times`: what each test takes, and the slowest of them as a table in a document.

    python -m pytest -p tests.times --times docs/testing.md

Seconds by the clock depend on what else the machine does; processor seconds (of the test and of the children that have
ended) do so much less. Preparing a fixture counts to the test that needed it first.
"""

import os
import platform
import re
import resource
import time
from collections import defaultdict
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

SHOWN = 20
BEGIN, END = "<!-- times: written by `make test-times` -->", "<!-- end of times -->"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=Path, metavar="FILE", help="rewrite the table of the slowest tests in FILE")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Worker())
    file = config.getoption("--times")
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Table(file))


class _Worker:
    """Adds the processor seconds of each phase to its report, which goes to the process that prints."""

    def __init__(self) -> None:
        self._before = processor_s()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        self._before = processor_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now = processor_s()
        report.user_properties = [("processor_s", now - self._before)]
        self._before = now
        return report


class _Table:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._began = time.monotonic()
        self._clock: dict[str, float] = defaultdict(float)
        self._processor: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.removeprefix("tests/").rsplit("@", 1)[0]
        self._clock[name] += report.duration
        self._processor[name] += dict(report.user_properties).get("processor_s", 0.0)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        rewrite(self._file, table(self._clock, self._processor, time.monotonic() - self._began))


def processor_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def table(clock: dict[str, float], processor: dict[str, float], whole_s: float) -> str:
    slowest = sorted(clock, key=lambda name: -clock[name])[:SHOWN]
    lines = [
        f"{len(clock)} tests in {whole_s:.0f} s on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}; {sum(processor.values()):.0f} processor seconds.",
        "",
        "| Seconds | Processor | Test |",
        "|---:|---:|---|",
        *(f"| {clock[name]:.1f} | {processor[name]:.1f} | `{name}` |" for name in slowest),
    ]
    return "\n".join(lines)


def rewrite(file: Path, text: str) -> None:
    """Put `text` between the two markers of `file`. Raises UsageError where it has none."""
    before = file.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(before):
        raise pytest.UsageError(f"{file} has no line {BEGIN!r} and {END!r} to put the table between.")
    file.write_text(pattern.sub(lambda _: f"{BEGIN}\n{text}\n{END}", before), encoding="utf-8")
