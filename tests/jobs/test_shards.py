"""Work spread over jobs: each item once, shards repeated from where they were, answers as one process gives them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cattrs
import pytest

from pipeline.corpus.sets import read_recordings
from pipeline.errors import JobError
from pipeline.features.table import build_table
from pipeline.jobs import shards as sharding
from pipeline.jobs.executors import Job, Launch
from pipeline.jobs.launcher import Where
from pipeline.jobs.shards import TASKS, Shards, work_on
from pipeline.records import (
    AudioReport,
    PhoneScore,
    Problem,
    RubricName,
    ScoreResult,
    State,
    Target,
    Verdict,
    WordScore,
    to_json,
)  # fmt: skip
from pipeline.runs import RunDirectory
from pipeline.runs.state import StopRequested
from pipeline.scoring.batch import Prediction, score_set
from pipeline.settings import Settings
from tests.runs.test_runs import until

ITEMS = [{"number": number} for number in range(23)]
asked: Counter[int] = Counter()
faults: list[int] = []  # items at which the process ends, each once


def double(settings: Settings, options: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    """The task of these tests."""

    def answer(item: dict[str, Any]) -> Any:
        asked[item["number"]] += 1
        if item["number"] in faults:
            faults.remove(item["number"])
            raise ValueError(f"no answer to {item['number']}")
        return options["times"] * item["number"]

    return answer


class Threads:
    """An executor whose jobs are threads of this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def start(self, job: Job) -> None:
        threading.Thread(target=self._work, args=(job.run,)).start()

    def _work(self, run: RunDirectory) -> None:
        with suppress(ValueError):  # kept with the run, as that of a process in its log
            work_on(self.settings, run)

    def end(self, run: RunDirectory, launch: Launch) -> None:
        until(lambda: run.state.status not in ("running", "stopping"))

    def waits(self, run: RunDirectory, launch: Launch) -> bool:
        return False


@pytest.fixture
def doubling(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shards]:
    monkeypatch.setitem(TASKS._entries, "double", f"{__name__}:double")
    monkeypatch.setattr(sharding, "executor", lambda name: Threads(settings))
    monkeypatch.setattr(sharding, "POLL_S", 0.01)
    asked.clear()
    faults.clear()
    yield Shards(settings, Where(), 4)


def doubled(shards: Shards, **given: Any) -> list[Any]:
    return list(shards.map("double", {"times": 2}, ITEMS, **given))


def test_each_item_is_answered_once_and_in_order(doubling: Shards) -> None:
    told: list[tuple[int, int]] = []
    answers = doubled(doubling, progress=lambda done, total, message: told.append((done, total)))
    assert answers == [2 * item["number"] for item in ITEMS]
    assert asked == dict.fromkeys(range(23), 1)
    assert told[-1] == (23, 23)
    assert not list(doubling.settings.shards_root.iterdir())


def test_a_shard_that_failed_is_repeated_from_where_it_was(doubling: Shards) -> None:
    faults[:] = [3, 21]
    assert doubled(doubling) == [2 * item["number"] for item in ITEMS]
    assert asked == {**dict.fromkeys(range(23), 1), 3: 2, 21: 2}


def test_work_that_fails_again_and_again_is_given_up_and_goes_on_when_asked_again(doubling: Shards) -> None:
    faults[:] = [7, 7, 7]
    with pytest.raises(JobError, match=r"A shard failed 3 times: no answer to 7\. Its log is .*goes on from there"):
        doubled(doubling)
    before = Counter(asked)
    assert doubled(doubling) == [2 * item["number"] for item in ITEMS]
    assert asked[7] == before[7] + 1
    assert asked[6] == 1, "answered before the fault"


def test_stopped_work_goes_on_when_asked_again(doubling: Shards) -> None:
    def stop() -> None:
        if asked:
            raise StopRequested

    with pytest.raises(StopRequested):
        doubled(doubling, check_stop=stop)
    assert doubled(doubling) == [2 * item["number"] for item in ITEMS]
    assert asked == dict.fromkeys(range(23), 1)


def test_the_same_work_does_not_go_on_twice_at_once(doubling: Shards) -> None:
    first = doubling.map("double", {"times": 2}, ITEMS)
    assert next(first) == 0
    with pytest.raises(JobError, match="The same work is going on already"):
        doubled(doubling)
    assert list(doubling.map("double", {"times": 3}, ITEMS[:2])) == [0, 3]
    assert len(list(first)) == 22


def test_fewer_items_than_shards_and_none(doubling: Shards) -> None:
    assert list(doubling.map("double", {"times": 1}, ITEMS[:2])) == [0, 1]
    assert list(doubling.map("double", {"times": 1}, [])) == []


def test_half_a_line_of_a_killed_process_is_answered_again(doubling: Shards, settings: Settings) -> None:
    faults[:] = [1, 1, 1]
    with pytest.raises(JobError):
        doubled(doubling)
    (file, *_) = settings.shards_root.glob("*/shard-0000-*/answers-*.jsonl")
    file.write_bytes(file.read_bytes() + b"[1, 4")
    assert doubled(doubling) == [2 * item["number"] for item in ITEMS]


@pytest.mark.parametrize("plan", ["[]", "[", "5", '["../../../x"]', '["shard-0000-gone"]'])
def test_a_plan_that_somebody_damaged_is_made_anew(doubling: Shards, settings: Settings, plan: str) -> None:
    faults[:] = [1, 1, 1]
    with pytest.raises(JobError):
        doubled(doubling)
    (file,) = settings.shards_root.glob("*/plan.json")
    file.write_text(plan)
    assert doubled(doubling) == [2 * item["number"] for item in ITEMS]


def test_answers_that_are_none_are_given_again(doubling: Shards, settings: Settings) -> None:
    faults[:] = [1, 1, 1]
    with pytest.raises(JobError):
        doubled(doubling)
    (file, *_) = settings.shards_root.glob("*/shard-0000-*/answers-*.jsonl")
    file.write_text("5\n[[], 1]\n{}\n")
    assert doubled(doubling) == [2 * item["number"] for item in ITEMS]


def test_an_answer_of_a_scorer_survives_the_way_there_and_back() -> None:
    target = Target("Tom likes", "en", RubricName.SENTENCE, (("T", "AA"), ("L",)))
    phone = PhoneScore("AA", 63.2, 0.1, 0.3, Verdict.WRONG, "AH", ("T", "<unk>"), 0.71)
    word = WordScore("Tom", 1 / 3, 0.0, 0.4, (phone,), Verdict.ACCENTED, {"stress": 10.0}, "Tim")
    audio = AudioReport(1.5, 16000, 1, 0.9, 0.0, 0.1, None, (Problem("loud", "Too loud.", "warning", None),))
    result = ScoreResult(
        86.93, "good", "ml_model", "speech", "m", target, 0.8, {"fluency": 8.1}, (word,), ("noise",), audio, 12.5,
        State.SCORED, ("T", "AA"), "tom",
    )  # fmt: skip
    for prediction in (
        Prediction("s/ü 1", "speech", "m", 86.93, "ml_model", 0.8, False, 12.5, ("noise",), result),
        Prediction("s/2", "speech", "m", None, "none"),
    ):
        assert cattrs.structure(to_json(prediction), Prediction) == prediction


def test_scores_by_submitits_stand_in_are_those_of_one_process(settings: Settings, tiny_set: str) -> None:
    def answers(shards: Shards | None) -> list[Any]:
        predictions = score_set(settings, tiny_set, "heuristic", shards=shards)
        return [{**to_json(prediction), "milliseconds": 0} for prediction in predictions]

    assert answers(Shards(settings, Where("slurm", options={"cluster": "local"}), 2)) == answers(None)


def test_features_of_shards_are_those_of_one_process(settings: Settings, tiny_set: str, doubling: Shards) -> None:
    recordings = read_recordings(settings, tiny_set)
    spread = build_table(settings, recordings, "acoustic57", shards=doubling)
    shutil.rmtree(settings.features_root)
    alone = build_table(settings, recordings, "acoustic57")
    assert spread.recording_ids == alone.recording_ids
    assert spread.values.tobytes() == alone.values.tobytes()


def scored_though_killed(settings: Settings, where: Where) -> None:
    """One worker is killed in the middle of the demo; the answers are those of one process."""
    alone = [{**to_json(p), "milliseconds": 0} for p in score_set(settings, "demo", "acoustic57")]
    killed: list[int] = []

    def kill(done: int, total: int, message: str) -> None:
        for file in settings.shards_root.glob("*/shard-*/answers-*.jsonl"):
            state = RunDirectory(file.parent).state
            if not killed and state.status == "running" and state.pid is not None:
                os.kill(state.pid, signal.SIGKILL)
                killed.append(state.pid)

    spread = score_set(settings, "demo", "acoustic57", progress=kill, shards=Shards(settings, where, 2))
    assert killed
    assert [{**to_json(p), "milliseconds": 0} for p in spread] == alone


@pytest.mark.slow  # what a killed process leaves is tried above
def test_a_worker_that_is_killed_costs_nothing_but_time(demo: Settings) -> None:
    scored_though_killed(demo, Where())


@pytest.mark.slow
def test_a_worker_of_a_ray_cluster_is_killed(demo: Settings) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'pronlab[ray]'")
    ray = str(Path(sys.executable).parent / "ray")
    short = tempfile.mkdtemp(prefix="ray")  # its sockets' names must fit into 107 characters
    start = [ray, "start", "--head", "--num-cpus=2", "--dashboard-host=127.0.0.1", f"--temp-dir={short}"]
    subprocess.run(start, check=True, capture_output=True)
    try:
        scored_though_killed(demo, Where("ray"))
    finally:
        subprocess.run([ray, "stop"], check=False, capture_output=True)
        shutil.rmtree(short, ignore_errors=True)
