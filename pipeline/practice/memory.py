"""Where a learner stopped, and how much they want to do a day, kept as long as they let us keep their scores.

<attempts root>/<learner>/memory.json    {learner, lesson, text, daily_goal}
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline import artifacts
from pipeline.people.access import Identity
from pipeline.people.people import permit_own
from pipeline.practice.attempts import learner_folder
from pipeline.practice.consent import UNDER_THE_NAME, consent_of
from pipeline.settings import Settings

MEMORY = "memory.json"
MOST_A_DAY = 100


@dataclass(frozen=True)
class Memory:
    """`lesson` and `text` are where the learner is ("" where nothing is known); `daily_goal` is in attempts, 0 for
    none."""

    lesson: str = ""
    text: str = ""
    daily_goal: int = 0


def remembered(settings: Settings, learner: str, by: Identity | None = None) -> Memory:
    """A file that cannot be read counts as none: nothing is lost but the place."""
    permit_own(settings, by, learner)
    try:
        raw = artifacts.read_json(_file(settings, learner))
        goal = raw.get("daily_goal", 0)
        return Memory(str(raw["lesson"]), str(raw["text"]), goal if goal in range(1, MOST_A_DAY + 1) else 0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def remember(settings: Settings, learner: str, memory: Memory, by: Identity | None = None) -> None:
    """Nothing where the learner has not agreed to have anything kept; a full disk costs the place alone."""
    if consent_of(settings, learner, by) in UNDER_THE_NAME and remembered(settings, learner, by) != memory:
        with suppress(OSError):
            artifacts.write_json(_file(settings, learner), {"learner": learner, **vars(memory)})


def _file(settings: Settings, learner: str) -> Path:
    return learner_folder(settings, learner) / MEMORY
