"""Run directories: the one format that everything that trains or works in the background writes, and pages read.

    <root>/<name>-<hash>/
        config.json      the resolved configuration
        run.json         kind, status, pid, heartbeat, progress, git commit, data hash, seed, host, versions, result
        metrics.jsonl    one object a step or epoch
        usage.jsonl      processor, memory and GPU every ten seconds
        notes.json       what people wrote about it, and their tags
        log.txt          what the process printed
        checkpoints/

A process that has gone from this machine ends its run at once. Of any other, liveness is judged by status and
heartbeat: a pid that is there may be another process's by now, and one of another machine says nothing here.
"""

from pipeline.runs.directory import RunDirectory
from pipeline.runs.listing import DamagedRun, RunListing, RunRecord, list_runs, scan_runs
from pipeline.runs.state import ACTIVE, STALE_AFTER_S, RunGone, RunState, StopRequested
from pipeline.runs.writer import RunWriter
from pipeline.times import now_iso

__all__ = [
    "ACTIVE",
    "STALE_AFTER_S",
    "DamagedRun",
    "RunDirectory",
    "RunGone",
    "RunListing",
    "RunRecord",
    "RunState",
    "RunWriter",
    "StopRequested",
    "list_runs",
    "now_iso",
    "scan_runs",
]
