"""How pages show the states of runs."""

from dataclasses import dataclass
from typing import Literal

from pipeline.i18n import N_, _


@dataclass(frozen=True)
class Status:
    name: str
    icon: str
    colour: Literal["gray", "blue", "orange", "green", "red"]


STATUSES = {
    "queued": Status(N_("Waiting"), "hourglass_empty", "gray"),
    "running": Status(N_("Running"), "sync", "blue"),
    "stopping": Status(N_("Stopping"), "front_hand", "orange"),
    "finished": Status(N_("Finished"), "check_circle", "green"),
    "stopped": Status(N_("Stopped"), "stop_circle", "orange"),
    "failed": Status(N_("Failed"), "error", "red"),
    "lost": Status(N_("Lost"), "help", "red"),
}


def status_name(status: str) -> str:
    return _(STATUSES[status].name)
