"""The one way to spread work on files over processes: ordered, with progress, and stoppable between items."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int, str], None]

# Below this many items, starting processes (about .5 s, more where heavy imports follow) costs more than it saves.
MIN_ITEMS_FOR_PROCESSES = 64
MOST_PER_TASK = 32
TASKS_AHEAD = 4  # for each process: enough that none waits, few enough that any number of items fits into memory


def cores() -> int:
    """Those that this process may use: containers, clusters and taskset give it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    total: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    message: str = "",
    min_items: int = MIN_ITEMS_FOR_PROCESSES,
) -> Iterator[Result]:
    """Yield `function(item)` for each item in order, from `workers` processes (default: one a core).

    `function` and the items must be picklable: a module's own function, or a partial of one. Items that come one by one
    are taken as they are needed; `total` is then how many to expect. `check_stop` may raise to end early; fewer than
    `min_items` items are done in this process; work not yet begun is dropped then.
    """
    n_items = len(items) if isinstance(items, Sized) else total or 0
    n_workers = min(workers or cores(), n_items)
    if n_workers <= 1 or n_items < min_items:
        yield from _reported(map(function, items), n_items, progress, check_stop, message)
        return
    # Not fork: the caller may hold threads (a heartbeat, a server), whose locks a forked child would inherit locked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, mp_context=context, initializer=_leave_interrupts) as pool:
        try:
            size = max(1, min(MOST_PER_TASK, n_items // (8 * n_workers)))
            results = _windowed(pool, function, iter(items), size, TASKS_AHEAD * n_workers)
            yield from _reported(results, n_items, progress, check_stop, message)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _windowed(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: Iterator[Item], size: int, ahead: int
) -> Iterator[Result]:
    waiting: deque[Future[list[Result]]] = deque()
    while block := list(islice(items, size)):
        waiting.append(pool.submit(_each, function, block))
        if len(waiting) > ahead:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def _each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [function(item) for item in items]


def _leave_interrupts() -> None:
    """Ctrl-C goes to every process of a terminal: who began the work ends it, in one line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _reported(
    results: Iterator[Result],
    total: int,
    progress: Progress | None,
    check_stop: Callable[[], None] | None,
    message: str,
) -> Iterator[Result]:
    for done, result in enumerate(results, start=1):
        if check_stop is not None:
            check_stop()
        if progress is not None:
            progress(done, max(done, total), message)
        yield result


def is_first_process() -> bool:
    """Of the processes of one run (torchrun's ranks), which all do the same: it alone writes and speaks."""
    return os.environ.get("RANK", "0") == "0"
