"""One training per device: those that come later wait for their turn, in the order in which they were started.

The turn is a lock on a file that the system takes back when its holder dies, however it dies.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pipeline.i18n import N_, Message
from pipeline.runs import RunDirectory, RunState, RunWriter, StopRequested, scan_runs
from pipeline.settings import Settings

LOOK_EVERY_S = 0.5


@contextmanager
def device_turn(settings: Settings, writer: RunWriter) -> Iterator[None]:
    """The body runs alone on the device. Waiting, the run is `queued` and says for whom; it can be stopped there."""
    device = device_name(settings.device)
    if not writer.leads:
        _wait_for_leader(writer)
        yield
        return
    runs_root = writer.run.path.parent
    lock = FileLock(runs_root / f".{device}.lock", timeout=0)
    while not (not _before(writer.run, device) and _take(lock)):
        holder = next((r.directory for r in scan_runs(runs_root).records if _holds(r.state, device)), None)
        run_id = Message(N_("another run")) if holder is None else holder.id
        message = Message(N_("waiting for {run}: one training per device"), run=run_id)
        writer.update(status="queued", waits_for=device, message=message)
        _check_stop(writer)
        time.sleep(LOOK_EVERY_S)
    try:
        writer.update(status="running", device=device, waits_for="", message="")
        yield
    finally:
        lock.release()


def _check_stop(writer: RunWriter) -> None:
    """As the writer's; a run that was stopped waits for nobody."""
    try:
        writer.check_stop()
    except StopRequested:
        writer.update(waits_for="", message="")
        raise


def device_name(device: str) -> str:
    """Of one machine: as several may share a disk, and Slurm gives each job GPUs of its own."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "") if device.startswith("cuda") else ""
    return "-".join(filter(None, [socket.gethostname(), device.replace(":", ""), visible.replace(",", "-")]))


def fitting_precision(asked: str, device: str) -> str:
    """bfloat16 where the machine multiplies in it, which is 2-3 times faster; else float32."""
    import torch

    if asked != "auto":
        return asked
    if torch.device(device).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


def _take(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _before(run: RunDirectory, device: str) -> bool:
    """Whether one that was started earlier waits for the same device."""
    created = run.state.created_at
    for record in scan_runs(run.path.parent).records:
        state = record.state
        waits = state.status == "queued" and state.waits_for == device
        if record.directory != run and waits and state.created_at < created:
            return True
    return False


def _holds(state: RunState, device: str) -> bool:
    return state.status in ("running", "stopping") and state.device == device


def _wait_for_leader(writer: RunWriter) -> None:
    while True:
        state = writer.run.state
        if state.status == "running" and state.device:
            return
        writer.check_stop()
        time.sleep(LOOK_EVERY_S)
