"""The one way to spread work on files over processes: ordered, with progress, and stoppable between items."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int, str], None]

# Below this many items, starting processes (about .5 s, more where heavy imports follow) costs more than it saves.
MIN_ITEMS_FOR_PROCESSES = 64


def cores() -> int:
    """Those that this process may use: containers, clusters and taskset give it fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    message: str = "",
    min_items: int = MIN_ITEMS_FOR_PROCESSES,
) -> Iterator[Result]:
    """Yield `function(item)` for each item in order, from `workers` processes (default: one a core).

    `function` and the items must be picklable: a module's own function, or a partial of one. `check_stop` may raise
    to end early; fewer than `min_items` items are done in this process; work not yet begun is dropped then.
    """
    n_workers = min(workers or cores(), len(items))
    if n_workers <= 1 or len(items) < min_items:
        yield from _reported(map(function, items), len(items), progress, check_stop, message)
        return
    # Not fork: the caller may hold threads (a heartbeat, a server), whose locks a forked child would inherit locked.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, mp_context=context) as pool:
        try:
            results = pool.map(function, items, chunksize=max(1, min(32, len(items) // (8 * n_workers))))
            yield from _reported(results, len(items), progress, check_stop, message)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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
            progress(done, total, message)
        yield result
