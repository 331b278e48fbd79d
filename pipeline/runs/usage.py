"""What a run takes of its machine: processor and memory of its processes, and of the GPU where there is one."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

GB = 1e9


@dataclass(frozen=True)
class Usage:
    """`cpu` in cores, memory in GB (resident, of the process and its children); `gpu` is the share of time it
    computes, 0-1, averaged over the GPUs that the run sees, `gpu_memory_gb` their sum. None without a GPU."""

    cpu: float
    memory_gb: float
    gpu: float | None = None
    gpu_memory_gb: float | None = None


class UsageMeter:
    """Measures this process; the processor between one call and the next."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._seconds: dict[int, tuple[float, float]] = {}

    def measure(self, elapsed_s: float) -> Usage:
        """Over the last `elapsed_s` seconds."""
        spent = memory = 0.0
        for process in [self._process, *self._process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = process.cpu_times()
                now = float(times.user + times.system)
                begun, before = self._seconds.get(process.pid, (process.create_time(), now))
                spent += now - before if begun == process.create_time() else 0.0
                self._seconds[process.pid] = (process.create_time(), now)
                memory += float(process.memory_info().rss)
        gpu, gpu_memory = _gpus()
        return Usage(spent / max(1e-3, elapsed_s), memory / GB, gpu, gpu_memory)


def _gpus() -> tuple[float | None, float | None]:
    """Of the GPUs on which this process has memory; None without nvidia-ml-py, a driver or a use of them."""
    try:
        import pynvml
    except ImportError:
        return None, None
    gpus: list[tuple[Any, Any]] = []
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        pids = {process.pid for process in [psutil.Process(), *psutil.Process().children(recursive=True)]}
        for number in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(number)
            if pids & {process.pid for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)}:
                gpus.append((pynvml.nvmlDeviceGetUtilizationRates(handle), pynvml.nvmlDeviceGetMemoryInfo(handle)))
    if not gpus:
        return None, None
    return sum(rates.gpu for rates, _ in gpus) / len(gpus) / 100.0, sum(m.used for _, m in gpus) / GB
