"""What two trainers keep beside a model's weights: their running mean, the optimiser's moments, and where they stand.

A checkpoint is one file, tensors and state together, so that a run cut at any moment has a whole one to resume from.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline import artifacts
from pipeline.errors import TrainingError, said_by
from pipeline.i18n import N_, Message
from pipeline.runs import RunWriter

STATE = "state"  # in the metadata of a checkpoint
ANEW = N_("Start a new training; the log of this one is kept.")
MOMENTS = ("exp_avg", "exp_avg_sq", "step")  # of Adam


def unusable(text: str, path: Path, **values: Any) -> TrainingError:
    """That a file of a run cannot be used to go on: `text` names {path} and the values, and ends with {advice}."""
    return TrainingError(text, path=str(path), advice=Message(ANEW), **values)


def copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def follow(average: dict[str, Tensor], model: nn.Module, keep: float, step: int) -> None:
    """Move the mean weights towards the present ones: `keep` of them stays, less in the first steps, whose weights are
    worth nothing."""
    keep = min(keep, (1 + step) / (10 + step))
    with torch.no_grad():
        present = model.state_dict()
        names = [name for name, value in average.items() if value.is_floating_point()]
        torch._foreach_lerp_([average[n] for n in names], [present[n] for n in names], 1.0 - keep)


def moments_of(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """As `<moment>.<number of the parameter>`."""
    states = optimiser.state_dict()["state"]
    return {f"{key}.{index}": state[key] for index, state in states.items() for key in MOMENTS}


def restore_moments(optimiser: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    packed = optimiser.state_dict()
    for name, value in moments.items():
        key, index = name.rsplit(".", 1)
        packed["state"].setdefault(int(index), {})[key] = value
    optimiser.load_state_dict(packed)


@dataclass(frozen=True)
class Checkpoint:
    """`parts` are tensors by part and name, `state` is what JSON holds."""

    parts: Mapping[str, Mapping[str, Tensor]]
    state: Mapping[str, Any]


def save_checkpoint(path: Path, saved: Checkpoint) -> None:
    tensors = {f"{part}.{name}": value for part, values in saved.parts.items() for name, value in values.items()}
    artifacts.write_tensors(path, tensors, {STATE: json.dumps(saved.state)})


def load_checkpoint(path: Path, parts: tuple[str, ...]) -> Checkpoint:
    """Raises TrainingError for a file that is damaged, or no checkpoint with these parts."""
    tensors, metadata = read_tensors(path)
    loaded: dict[str, dict[str, Tensor]] = {part: {} for part in parts}
    try:
        for name, value in tensors.items():
            part, rest = name.split(".", 1)
            loaded[part][rest] = value
        state = artifacts.loads(metadata[STATE])
    except (KeyError, ValueError) as error:
        raise unusable(
            N_("{path} is no checkpoint of this version ({reason}). {advice}"), path, reason=said_by(error)
        ) from error
    return Checkpoint(loaded, state)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A safetensors file and its metadata. Raises TrainingError where it is missing, damaged or something else."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError as error:
        raise unusable(N_("{path} is missing: was it deleted while the run went on? {advice}"), path) from error
    except (SafetensorError, OSError, ValueError) as error:
        raise unusable(
            N_("{path} is damaged, or no safetensors file ({reason}). {advice}"), path, reason=said_by(error)
        ) from error


def load_weights(model: nn.Module, path: Path) -> None:
    """Raises TrainingError for a file that is damaged, or of another model."""
    with fitting(path):
        model.load_state_dict(read_tensors(path)[0])


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Put what `path` held into a model or optimiser. Raises TrainingError where it is of another one."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        first = " ".join(str(error).split())[:200]
        raise unusable(N_("{path} is not of this run's model ({first}). {advice}"), path, first=first) from error


@contextmanager
def threads_of_run(writer: RunWriter) -> Iterator[None]:
    """Work with as many threads as the run began with, so that it ends with the same weights whoever resumes it: sums
    are added up in another order by another number of threads."""
    known = writer.run.state.threads
    if known is None:
        writer.update(threads=torch.get_num_threads())
    with threads(known or torch.get_num_threads()):
        yield


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Work with `n` threads; afterwards the process has as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
