"""What every form that starts a training ends with: settings that have no field, and where it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from pipeline.errors import JobError
from pipeline.jobs.executors import EXECUTORS
from pipeline.jobs.launcher import Where
from pipeline.presets import build, merged, overrides
from pipeline.text import lines_of

T = TypeVar("T")
EXECUTOR_WORDS = {"local": "this machine", "slurm": "a Slurm cluster", "ray": "a Ray cluster"}


@dataclass(frozen=True)
class Last:
    """The text of the form's last fields, read when it is sent."""

    overrides: str
    executor: str
    devices: int
    nodes: int
    options: str

    @property
    def where(self) -> Where:
        """Raises JobError for options that are no name=value."""
        lines = [line.strip() for line in lines_of(self.options) if line.strip()]
        if wrong := [line for line in lines if "=" not in line]:
            raise JobError(f"An option of the executor is name=value, got {wrong[0]!r}.")
        return Where(self.executor, self.devices, self.nodes, dict(line.split("=", 1) for line in lines))


def last_fields(key: str, example: str) -> Last:
    """Drawn inside the form `key`, folded: most runs need none of them."""
    with st.expander("Other settings, and where it runs", icon=":material/tune:"):
        left, right = st.columns(2)
        other = left.text_area(
            "Settings over the preset's",
            placeholder=example,
            height=122,
            key=f"{key}-overrides",
            help="One name=value a line. What cannot be used is said before anything starts, all at once.",
        )
        executor = right.selectbox(
            "Runs on", list(EXECUTORS), format_func=lambda name: EXECUTOR_WORDS.get(name, name), key=f"{key}-executor"
        )
        small = right.columns(2)
        devices = small[0].number_input("Devices", 1, 64, 1, key=f"{key}-devices", help="They share each step.")
        nodes = small[1].number_input("Machines", 1, 1024, 1, key=f"{key}-nodes", help="More than one by Slurm.")
        options = st.text_area(
            "Options of the cluster", placeholder="partition=gpu\nminutes=1440", height=68, key=f"{key}-options"
        )
    return Last(other, executor or "local", int(devices), int(nodes), options)


def configured(config: type[T], preset: Mapping[str, Any], given: Mapping[str, Any], last: Last) -> T:
    """Raises TrainingError naming everything that cannot be used."""
    return build(config, merged(preset, given, overrides(lines_of(last.overrides))))
