"""Run directories of every kind in every state, written by hand: what pages and commands must be able to read."""

import ast
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from pipeline.records import to_json
from pipeline.runs.state import LOCAL, RunState
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.sounds.training.train import SoundsTrainConfig
from pipeline.scoring.speech.packaging.letter_to_sound_training import LetterToSoundConfig
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.settings import CHECKOUT
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.tabular.config import TabularConfig
from pipeline.tabular.prompt_encoder_config import PromptModelConfig
from pipeline.wakeword import file_names
from pipeline.wakeword.config import WakewordConfig

# The configuration of each kind of training, and a variant of it.
CONFIGS: dict[str, list[Any]] = {
    "word": [TrainConfig(set="tiny"), TrainConfig(csv="t.csv", model="forest", labels="mock", name="trees")],
    "speech": [SpeechTrainConfig(set="tiny", name="s"), SpeechTrainConfig(manifest="/c/m.jsonl", average=("a", "b"))],
    "speechllm": [SpeechLlmConfig(manifest="/c/m.jsonl", name="llm")],
    "letter-to-sound": [LetterToSoundConfig()],
    "sounds": [SoundsTrainConfig(), SoundsTrainConfig(set="tiny", seed=1)],
    "wakeword": [WakewordConfig(name="chirp")],
    "wakeword-search": [WakewordConfig(name="chirp")],
    "table": [TabularConfig(name="t"), TabularConfig(task="words", source="tiny", model="boosting")],
    "prompts": [PromptModelConfig(name="p")],
    "external": [{"name": "svr", "c": 10.0, "seed": 1}],
}  # fmt: skip
LINES = (
    '{"event": "step", "step": 1, "loss": 2.0, "rate": 0.1, "grad_norm": 1.0, "gradient_norm": 1.0}',
    '{"event": "step", "step": 2, "loss": "much", "rate": null, "grad_norm": 1e400}',
    "[1, 2]",
    "no line",
    '{"event": "epoch", "epoch": 1, "held_out": {"phone": 0.1}, "losses": {"ctc": 1.0}, "table3": {"per": 0.2}, '
    '"train_loss": 0.1, "val_mae": 9.0, "fold": 0}',
    '{"event": "epoch", "held_out": [], "losses": "none", "table3": null}',
    '{"event": "validation", "at_step": 2, "present_miss": 0.5}',
    '{"event": "step", "st',
)


@dataclass(frozen=True)
class Folder:
    """`readable` is whether it can be listed as a run."""

    kind: str
    state: str
    path: Path
    readable: bool


def kinds_of_trainings() -> set[str]:
    """Every kind that the code makes under the root of trainings, as it stands in the calls."""
    found: set[str] = set()
    for file in (CHECKOUT / "pipeline").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = [call.args[0]] if name == "prepare" and call.args else []
            if any(isinstance(one, ast.Attribute) and one.attr == "runs_root" for one in call.args):
                given += [one for one in call.args if isinstance(one, ast.Name)]
                given += [keyword.value for keyword in call.keywords if keyword.arg == "kind"]
            values = [
                vars(file_names).get(one.id) if isinstance(one, ast.Name) else getattr(one, "value", None)
                for one in given
            ]
            found |= {value for value in values if isinstance(value, str)}
    return found


def write_every_folder(root: Path, kinds: Iterator[str] | None = None) -> list[Folder]:
    """Of each kind, one folder a state and configuration."""
    found = []
    for kind in kinds or CONFIGS:
        for number, config in enumerate(CONFIGS[kind]):
            for state in STATES:
                path = root / f"{kind}-{state}-{number}"
                write_folder(path, kind, state, config)
                found.append(Folder(kind, state, path, state not in UNREADABLE))
    return found


def write_folder(path: Path, kind: str, state: str, config: Any) -> None:
    path.mkdir(parents=True)
    now = datetime.now(UTC)
    own = RunState(
        kind, path.name, created_at=_iso(now - timedelta(minutes=5)), heartbeat_at=_iso(now), host="here", seed=0
    )
    raw, content = _state(state, own, now), to_json(config)
    if state == "empty folder":
        return
    if raw is not None:
        text = json.dumps(to_json(raw)) if not isinstance(raw, str) else raw
        (path / "run.json").write_text(text, encoding="utf-8")
    settings = {
        "damaged config": '{"name": "x', "config of a list": "[1, 2]", "no config": None,
        "foreign config": json.dumps({"model": None, "set": ["a"], "part": {"of": 1}, "data": [], "labels": 3}),
    }.get(state, json.dumps(content))  # fmt: skip
    if settings is not None:
        (path / "config.json").write_text(settings, encoding="utf-8")
    if state != "queued":
        write_logs(path)
        (path / "notes.json").write_text('{"note": "n", "tags": 5}', encoding="utf-8")
    if state == "finished":
        for name in ("report.json", "table3.json", "plan.json"):
            (path / name).write_text('{"metrics": {}, "table3": []', encoding="utf-8")
        (path / "model").mkdir()
        for name in ("model.json", "model_info.json", "speech.json", "tabular.json"):
            (path / "model" / name).write_text("[]", encoding="utf-8")
    if state == "finished, of another version":
        for name in ("report.json", "table3.json", "plan.json", "evaluation.json", "robustness.json"):
            (path / name).write_text('{"text": 5, "validation": [], "stream": null, "errors": {}}', encoding="utf-8")


def write_logs(path: Path) -> None:
    """What a run logs, with lines that a full disk or another program left."""
    (path / "metrics.jsonl").write_text("\n".join(LINES), encoding="utf-8")
    usage = [{"at": _iso(datetime.now(UTC)), "cpu": 1.0, "memory_gb": 1.0, "gpu": "?"}] * 3
    (path / "usage.jsonl").write_text("".join(json.dumps(row) + "\n" for row in usage) + '{"cpu"', encoding="utf-8")
    (path / "log.txt").write_bytes(b"a line\n\xff\xfe half")


def _state(state: str, own: RunState, now: datetime) -> Any:
    """The content of `run.json`; None for no file."""
    pid, started = os.getpid(), psutil.Process().create_time()
    old = _iso(now - timedelta(hours=1))
    raw = to_json(own)
    done = replace(own, status="finished", ended_at=_iso(now), progress=1.0)
    return {
        "queued": own,
        "running": replace(own, status="running", pid=pid, pid_started_at=started, progress=7.0, device="elsewhere"),
        "lost": replace(own, status="running", pid=2**22, heartbeat_at=old),
        "in a cluster's queue": replace(own, executor=LOCAL, waits_for="x-cpu"),
        "stopped": replace(own, status="stopped", ended_at=_iso(now)),
        "failed": replace(own, status="failed", ended_at=_iso(now), error="*it* broke [here](x)"),
        "finished": replace(done, result={"metrics": {"mae": 5.0, "pcc": 0.5, "total": 0.5}, "text": "fits"}),
        "finished, of another version": replace(
            done, result={"metrics": ["mae"], "table3": {"per": 3, "total_pcc": "x"}, "losses": {"a": None}}
        ),
        "damaged config": own, "config of a list": own, "no config": own, "foreign config": done,
        "no run.json": None, "empty folder": None,
        "half a run.json": json.dumps(raw)[:60], "run.json of a list": "[]", "of another program": '{"epoch": 3}',
        "a later version's": {**raw, "format": 99}, "an unknown status": {**raw, "status": "paused"},
        "no time": {**raw, "created_at": "yesterday"},
        "a time in years": {**raw, "heartbeat_at": "9999-12-31T23:59:59Z"},
        "a naive time": {**raw, "created_at": old[:19]}, "a number for a time": {**raw, "heartbeat_at": 5},
        "a text for a result": {**raw, "result": "good"}, "a null for a name": {**raw, "name": None},
    }[state]  # fmt: skip


STATES = (
    "queued", "running", "lost", "in a cluster's queue", "stopped", "failed", "finished",
    "finished, of another version", "damaged config", "config of a list", "no config", "foreign config", "no run.json",
    "empty folder", "half a run.json", "run.json of a list", "of another program", "a later version's",
    "an unknown status", "no time", "a time in years", "a naive time", "a number for a time", "a text for a result",
    "a null for a name",
)  # fmt: skip
UNREADABLE = (
    "damaged config", "config of a list", "no config", "no run.json", "empty folder", "half a run.json",
    "run.json of a list", "of another program", "a later version's", "an unknown status", "no time", "a time in years",
    "a number for a time", "a text for a result", "a null for a name",
)  # fmt: skip


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
