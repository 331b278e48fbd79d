"""The service while its processes are killed: it heals, and nobody waits in vain."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from pipeline.api.limits import Limits
from pipeline.importing.demo import install_demo
from pipeline.settings import Settings
from tests.serving import CLIP, Load, Served, serving, wait_for

CLIENTS = 16
# On a busy machine the answer itself may be late on its way; a hang is much longer.
MARGIN_S = 40.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("chaos")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    install_demo(settings)
    with serving(settings) as service:
        service.wait_ready()
        yield service


def kill(processes: list[psutil.Process]) -> int:
    """How many were there to be killed."""
    killed = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
            killed += 1
    return killed


def test_killed_idle_workers_are_replaced(served: Served) -> None:
    served.wait_ready()
    before, replaced = {worker.pid for worker in served.workers()}, served.replaced()
    assert len(before) == 2
    assert kill(served.workers()) == 2
    assert asked(served) == 200, "while they are being replaced"
    wait_for(lambda: served.replaced() >= replaced + 2)
    served.wait_ready()
    assert not before & {worker.pid for worker in served.workers()}
    health = served.client().get("/health").json()
    assert (health["status"], health["workers_loaded"]) == ("ok", 2)


def test_everything_below_the_service_may_be_killed(served: Served) -> None:
    """Also the process that workers are forked from, and the one that counts semaphores."""
    served.wait_ready()
    replaced = served.replaced()
    assert kill(psutil.Process(served.process.pid).children(recursive=True)) >= 4
    wait_for(lambda: served.replaced() >= replaced + 2)
    served.wait_ready()
    assert asked(served) == 200


def test_the_process_to_fork_from_is_replaced_before_it_is_needed(served: Served) -> None:
    served.wait_ready()
    before = served.workers()
    (parent,) = {worker.ppid() for worker in before}
    assert kill([psutil.Process(parent)]) == 1
    wait_for(lambda: forks_from(served) not in (None, parent))
    assert served.ready() == 2
    assert all(worker.is_running() for worker in before), "who is at work goes on"
    assert asked(served) == 200
    replaced = served.replaced()
    assert kill(before) == 2
    wait_for(lambda: served.replaced() >= replaced + 2)
    served.wait_ready()
    assert {worker.ppid() for worker in served.workers()} == {forks_from(served)}


def forks_from(served: Served) -> int | None:
    """The process that workers are forked from."""
    for child in psutil.Process(served.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # or it has ended and nobody has asked how
            if any("forkserver" in argument for argument in child.cmdline()):
                return child.pid
    return None


def asked(served: Served) -> int:
    """The status of an answer that may come after being told to come back."""
    with served.client() as client:
        while True:
            answer = client.post("/analyze", files={"file": ("a.wav", CLIP.read_bytes())}, data={"word": "araba"})
            if answer.status_code not in (429, 503):
                return answer.status_code
            time.sleep(float(answer.headers["retry-after"]))


def test_the_command_answers_to_this_machines_names_and_describes_itself(served: Served) -> None:
    client = served.client()
    assert client.get("/openapi.json").status_code == 200
    assert client.get("/health", headers={"Host": "localhost"}).status_code == 200
    assert client.get("/health", headers={"Host": "evil.example"}).status_code == 400


def _killed_under_load(served: Served, kills: int, seconds: float) -> Load:
    """At least so many kills, over so long a time at least: of a busy worker, of all, of all children."""
    served.wait_ready()
    load, chance, killed, end = Load(served, CLIENTS), random.Random(7), 0, time.monotonic() + seconds
    with load.running():
        while killed < kills or time.monotonic() < end:
            wait_for(lambda: bool(served.workers()) or served.ready() == 2)
            workers = served.workers()
            every = psutil.Process(served.process.pid).children(recursive=True)
            chosen = chance.choices([workers[:1], workers[-1:], workers, every], weights=[4, 4, 2, 1])[0]
            killed += kill(chosen or every)
            load.stop.wait(chance.uniform(0.0, 2.0))
        served.wait_ready()
        scored = load.scored()
        wait_for(lambda: load.scored() >= scored + CLIENTS)
    return load


def _holds(load: Load) -> None:
    limit_s = Limits().answer_s + MARGIN_S
    assert not load.wrong, load.wrong[:3]
    statuses = [status for status, _ in load.answers]
    assert set(statuses) <= {200, 429, 503}
    assert max(seconds for _, seconds in load.answers) < limit_s


def test_under_load_killed_workers_cost_nobody_a_defect_or_a_hang(served: Served) -> None:
    _holds(_killed_under_load(served, kills=6, seconds=0.0))


@pytest.mark.slow
def test_a_minute_of_kills_under_load(served: Served) -> None:
    _holds(_killed_under_load(served, kills=20, seconds=60.0))
