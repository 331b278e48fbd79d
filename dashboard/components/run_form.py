"""What every form that starts a training shares: what sends it, and its last fields, which are settings that have no
field of their own, and where it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pipeline.errors import JobError
from pipeline.i18n import N_, _
from pipeline.jobs.executors import installed_executors
from pipeline.jobs.launcher import Where
from pipeline.presets import build, merged, overrides
from pipeline.text import lines_of

T = TypeVar("T")
LOCAL, SLURM = "local", "slurm"  # not shown
EXECUTOR_NAMES = {LOCAL: N_("this machine"), SLURM: N_("a Slurm cluster"), "ray": N_("a Ray cluster")}
CLUSTER_EXAMPLE = "partition=gpu\nminutes=1440"  # not shown


@dataclass(frozen=True)
class LastFields:
    """The text of the form's last fields, read when it is sent."""

    overrides: str
    executor: str
    devices: int
    nodes: int
    options: str

    @property
    def where(self) -> Where:
        """Raises JobError for options that are not name=value."""
        lines = [line.strip() for line in lines_of(self.options) if line.strip()]
        if wrong := [line for line in lines if "=" not in line]:
            raise JobError(_("Write each option of the cluster as name=value, not {text}.").format(text=repr(wrong[0])))
        return Where(self.executor, self.devices, self.nodes, dict(line.split("=", 1) for line in lines))


def run_form(key: str) -> DeltaGenerator:
    """Only its buttons send it: Enter in a field would press the first one and start a training."""
    return st.form(key, border=False, enter_to_submit=False)


def last_fields(key: str, example: str = "", *, shared: bool = False) -> LastFields:
    """Draw them inside the form `key`, folded: most runs need none of them. Without an `example`, no other settings are
    asked for: each has a field of its own. `shared`: several devices can share the training. A machine without a
    cluster is not asked where to run."""
    places = installed_executors()
    if places == [LOCAL] and not (example or shared):
        return LastFields("", LOCAL, 1, 1, "")
    with st.expander(_title(example, places), icon=":material/tune:"):
        halves = example and (shared or places != [LOCAL])
        left, right = st.columns(2) if halves else (st.container(), st.container())
        other = (
            left.text_area(
                _("Settings over the preset"),
                placeholder=example,
                height=122,
                key=f"{key}-overrides",
                help=_("One name=value per line. Settings that cannot be used are named before anything starts."),
            )
            if example
            else ""
        )
        executor, devices, nodes, options = LOCAL, 1, 1, ""
        if places != [LOCAL]:
            executor = right.selectbox(_("Run on"), places, format_func=_executor_name, key=f"{key}-executor") or LOCAL
        if shared:
            small = right.columns(2)
            devices = small[0].number_input(
                _("Devices per node"), 1, 64, 1, key=f"{key}-devices", help=_("They share each step.")
            )
            if SLURM in places:
                nodes = small[1].number_input(
                    _("Nodes"), 1, 1024, 1, key=f"{key}-nodes", help=_("More than one with Slurm.")
                )
        if places != [LOCAL]:
            options = st.text_area(
                _("Options of a cluster (Slurm or Ray)"), placeholder=CLUSTER_EXAMPLE, height=68, key=f"{key}-options",
                help=_("One name=value per line. This machine takes none."),
            )  # fmt: skip
    return LastFields(other, executor, int(devices), int(nodes), options)


def _title(example: str, places: Sequence[str]) -> str:
    if places == [LOCAL]:
        return _("More settings")
    return _("More settings, and where to run") if example else _("Where to run")


def configured(config: type[T], preset: Mapping[str, Any], given: Mapping[str, Any], last: LastFields) -> T:
    """Raises TrainingError naming everything that cannot be used."""
    return build(config, merged(preset, given, overrides(lines_of(last.overrides))))


def _executor_name(name: str) -> str:
    return _(EXECUTOR_NAMES[name]) if name in EXECUTOR_NAMES else name
