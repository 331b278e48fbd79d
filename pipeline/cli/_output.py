"""Output of all commands: `--json`, text for people, and progress on the error stream."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from pipeline.i18n import Message, interval, number, percent
from pipeline.parallel import is_first_process
from pipeline.records import to_json
from pipeline.text import one_line, printable

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")

REDRAW_EVERY_S = 0.1
LOG_EVERY_S = 10.0
WIDTH = 78  # of a line that is rewritten
Progress = Callable[[int, int, str], None]


def say(text: str, *, err: bool = False) -> None:
    """Print for people: all that commands write goes through here, as names in it may hold what a terminal acts on."""
    click.echo(printable(text), err=err)


def emit(value: Any, as_json: bool, text: str) -> None:
    """Print the result: the whole record as JSON, or `text` for people. Of the processes of one run (torchrun's ranks)
    only the first speaks."""
    if not is_first_process():
        return
    say(json.dumps(to_json(value), ensure_ascii=False) if as_json else text)


def fail_without(result: object) -> None:
    """Exit code 1 where a command has no result to give, for scripts; what it printed before says why."""
    if not result:
        raise click.exceptions.Exit(1)


def counted(n: int, noun: str) -> str:
    """`1 recording`, `2 recordings`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def pairs(option: str, values: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE options as a mapping. Raises a usage error for one without the sign."""
    if wrong := [value for value in values if "=" not in value]:
        raise click.UsageError(f"{option}, got {wrong[0]!r}.")
    return dict(value.split("=", 1) for value in values)


def between(bounds: Sequence[float], digits: int = 3, *, is_share: bool = False) -> str:
    """A confidence interval as pages write it, too: [0.812, 0.934], or [1.2%, 3.4%] of shares."""
    return interval(*(percent(bound, digits) if is_share else number(bound, digits) for bound in bounds))


class _Clock:
    """When the last line of progress was written, whoever wrote it: two that tell of the same work take turns."""

    written_at = 0.0

    def is_time(self, pause_s: float) -> bool:
        now = time.monotonic()
        if now - self.written_at < pause_s:
            return False
        self.written_at = now
        return True


_clock = _Clock()


def rewrite_line(text: str, end: str = "") -> None:
    """In place of the last one, on a terminal."""
    click.echo(f"\r{one_line(text):<{WIDTH}.{WIDTH}}{end}", nl=False, err=True)


def clear_line() -> None:
    """Take away a line of progress, where errors go to a terminal."""
    if sys.stderr.isatty():
        rewrite_line("", "\r")


def message_printer() -> Callable[[str], None]:
    """For the messages of a run in this process: one line that is rewritten on a terminal; elsewhere, as in a log, a
    line every ten seconds. The last, "done", is left to what the command prints."""
    _clock.written_at = time.monotonic()

    def report(message: str) -> None:
        is_terminal = sys.stderr.isatty()
        if message == "done":
            clear_line()
        elif is_terminal and _clock.is_time(REDRAW_EVERY_S):
            rewrite_line(message)
        elif not is_terminal and _clock.is_time(LOG_EVERY_S):
            say(message, err=True)

    return report


def progress_printer(label: str) -> Progress:
    """A `progress(done, total, message)` callback that rewrites one line on a terminal; elsewhere, as in a log, it
    writes a line every ten seconds. A `Message` is the part of the work that is counted, in place of `label`; other
    texts are names."""
    _clock.written_at = time.monotonic()

    def report(done: int, total: int, message: str = "") -> None:
        what, name = (message, "") if isinstance(message, Message) else (label, message)
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            if end or done == 1 or _clock.is_time(REDRAW_EVERY_S):
                rewrite_line(f"{what}: {done}/{total} {name:.40}", end)
        elif _clock.is_time(LOG_EVERY_S):
            say(f"{what}: {done} of {total} {name}".rstrip(), err=True)

    return report
