"""Work on many items (recordings), spread over the jobs of an executor in shards: each item is done once, a shard that
fails is repeated from where it was, and the answers come in the order of the items, as one process gives them.

A shard is a job with a run directory of its own (`pronlab runs shard`). It reads its items from `items.jsonl` and keeps
each answer as a line of `answers-<process>.jsonl`: a process that was taken for dead and is not never writes into the
file of the one that followed it. The same work (task, options and items) asked for again after it was cut goes on in
the same folder; the folder is deleted once all answers were handed out.
"""

import hashlib
import importlib
import os
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.errors import JobError
from pipeline.i18n import N_, Message, ended
from pipeline.jobs.executors import Job, executor
from pipeline.jobs.launcher import Where, check_queue, stop
from pipeline.locks import locked
from pipeline.parallel import Progress, cores
from pipeline.people.access import Identity
from pipeline.records import Seconds
from pipeline.registry import Registry
from pipeline.runs import ACTIVE, RunDirectory, RunState
from pipeline.runs.state import LOCAL
from pipeline.settings import Settings
from pipeline.text import lines_of

ATTEMPTS = 3  # of one shard, before the work is given up
CLUSTER_SHARDS = 16  # where nobody says how many
PLAN = "plan.json"
POLL_S: Seconds = 0.2
STOP_WITHIN_S: Seconds = 10.0
KEEP_EVERY_S: Seconds = 1.0  # answers that a killed shard may have to give again

# What can be done to items: `module:function`, which gets the settings and the options and returns what turns one item
# into its answer, both as JSON has them.
TASKS: Registry[str] = Registry(N_("task"))
TASKS.register("score")("pipeline.scoring.batch:scoring_task")
TASKS.register("features")("pipeline.features.table:extraction_task")


@dataclass(frozen=True)
class Shards:
    """Where the shards run, and how many there are; 0 leaves the number to the executor: as many as this machine has
    cores, or 16 on a cluster. `by` is who started the work."""

    settings: Settings
    where: Where
    n: int = 0
    by: Identity | None = None

    def map(
        self,
        task: str,
        options: Any,
        items: Sequence[Any],
        *,
        progress: Progress | None = None,
        check_stop: Callable[[], None] | None = None,
        message: str = "",
    ) -> Iterator[Any]:
        """The answer to each item, in order. `options` and `items` are what JSON can hold.

        Raises JobError where a shard failed three times (what was answered is kept for the next try), where the same
        work is going on already, or where the executor cannot be used; what `check_stop` raises stops the shards.
        """
        executor(self.where.executor)  # an unknown one is named before anything is made
        content = jsonl.dumps([task, options, list(items)])
        folder = self.settings.shards_root / hashlib.sha256(content).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        busy = f"The same work is going on already ({folder}). Wait for it, or stop it first."
        with locked(self.settings, folder, JobError, within_s=0.0, busy=busy):
            shards = _planned(folder, task, options, items, self.n or self._usual())
            self._run(shards, len(items), progress, check_stop, message)
            for shard in shards:
                yield from shard.answers()
            shutil.rmtree(folder, ignore_errors=True)

    def _usual(self) -> int:
        return cores() if self.where.executor == LOCAL else CLUSTER_SHARDS

    def _run(
        self,
        shards: "Sequence[_Shard]",
        n_items: int,
        progress: Progress | None,
        check_stop: Callable[[], None] | None,
        message: str,
    ) -> None:
        """Until every shard has answered. A cluster gets all shards at once; here there are as many as cores."""
        waiting = deque(shard for shard in shards if not shard.is_done)
        at_once = cores() if self.where.executor == LOCAL else len(shards)
        active: list[_Shard] = []
        try:
            while waiting or active:
                if check_stop is not None:
                    check_stop()
                while waiting and len(active) < at_once:
                    shard = waiting.popleft()
                    self._start(shard)
                    active.append(shard)
                for shard in list(active):
                    if shard.run.state.waits_elsewhere:
                        check_queue(shard.run)
                    state = shard.run.state
                    if state.status not in ACTIVE:
                        active.remove(shard)
                        if state.status != "finished":
                            shard.failed(state)
                            waiting.append(shard)
                if progress is not None:
                    left = sum(shard.n_left() for shard in (*waiting, *active))
                    progress(n_items - left, n_items, message)
                if active:
                    time.sleep(POLL_S)
        finally:
            for shard in active:
                shard.run.request_stop()
            for shard in active:
                stop(shard.run, STOP_WITHIN_S)

    def _start(self, shard: "_Shard") -> None:
        shard.run.withdraw_stop()
        shard.run.requeue(self.where.executor)
        by = "" if self.by is None else self.by.name
        job = Job(self.settings, shard.run, ("runs", "shard"), options=self.where.options, by=by)
        job.save(executor(self.where.executor).start(job))


def work_on(settings: Settings, run: RunDirectory) -> None:
    """Answer what of this shard's items has no answer yet; what `pronlab runs shard` does. Raises StopRequested between
    two items where it was asked to end, and whatever the task raises."""
    with run.start() as writer:
        shard = _Shard(run)
        module, _, name = TASKS[run.config["task"]].partition(":")
        answer = getattr(importlib.import_module(module), name)(settings, run.config["options"])
        answered = shard.answered()
        file = run.path / f"answers-{socket.gethostname()}-{os.getpid()}-{time.time_ns()}.jsonl"
        pending: list[tuple[int, Any]] = []
        kept_at = time.monotonic()
        try:
            for index, item in enumerate(shard.items()):
                if index in answered:
                    continue
                writer.check_stop()
                pending.append((index, answer(item)))
                if time.monotonic() - kept_at > KEEP_EVERY_S:
                    jsonl.append(file, *pending)
                    pending, kept_at = [], time.monotonic()
                    writer.update(progress=(index + 1) / shard.n)
        finally:
            if pending:
                jsonl.append(file, *pending)


class _Shard:
    """One shard: its run directory, and what of its items is answered."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.n = int(run.config["n"])
        self.attempts = 0

    def items(self) -> Iterator[Any]:
        return jsonl.read(self.run.path / "items.jsonl")

    def answered(self) -> dict[int, Any]:
        """The answers by the item's place in this shard; where two processes answered one, the same twice."""
        answers: dict[int, Any] = {}
        for file in sorted(self.run.path.glob("answers-*.jsonl")):
            for line in jsonl.read(file, damaged=True):
                match line:
                    case [int(index), answer]:
                        answers.setdefault(index, answer)
        return answers

    @property
    def is_done(self) -> bool:
        return self.run.state.status == "finished"

    def n_left(self) -> int:
        return round(self.n * (1.0 - (self.run.state.progress or 0.0)))

    def answers(self) -> Iterator[Any]:
        answers = self.answered()
        if missing := [index for index in range(self.n) if index not in answers]:
            raise JobError(
                N_(
                    "{path} is damaged: {n_missing} of {n} answers are gone. Delete that folder and run the command "
                    "again."
                ),
                path=str(self.run.path),
                n_missing=len(missing),
                n=self.n,
            )
        return (answers[index] for index in range(self.n))

    def failed(self, state: RunState) -> None:
        """Count it; a shard that fails again and again is no accident."""
        self.attempts += 1
        if self.attempts == ATTEMPTS:
            last = lines_of((state.error or self.run.log_tail(2000)).strip())
            raise JobError(
                N_(
                    "A shard failed {n} times: {reason} Its log is {log}. What was answered is kept: the same command "
                    "goes on from there."
                ),
                n=ATTEMPTS,
                reason=ended(last[-1] if last else Message(state.status)),
                log=str(self.run.path / "log.txt"),
            )


def _planned(folder: Path, task: str, options: Any, items: Sequence[Any], n: int) -> list[_Shard]:
    """The shards of this work: those of an earlier try where it came so far, else new ones of equal size."""
    if (earlier := _planned_before(folder, len(items))) is not None:
        return earlier
    for leftover in folder.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    bounds = [round(part * len(items) / n) for part in range(n + 1)]
    shards: list[_Shard] = []
    for start, end in pairwise(bounds):
        if start < end:
            config = {"task": task, "options": options, "n": end - start}
            run = RunDirectory.create(folder, kind="shard", name=f"shard-{len(shards):04}", config=config)
            jsonl.write(run.path / "items.jsonl", items[start:end])
            shards.append(_Shard(run))
    artifacts.write_json(folder / PLAN, [shard.run.id for shard in shards])
    return shards


def _planned_before(folder: Path, n_items: int) -> list[_Shard] | None:
    """None where there was no plan, or somebody has damaged it: then all is done anew."""
    try:
        names = artifacts.read_json(folder / PLAN)
        shards = [_Shard(RunDirectory.open(folder, name)) for name in names]
        return shards if sum(shard.n for shard in shards) == n_items else None
    except (OSError, ValueError, TypeError, KeyError, JobError):
        return None
