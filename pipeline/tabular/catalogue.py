"""Every task of the tabular route, by name."""

from pipeline.errors import UnknownNameError
from pipeline.i18n import N_
from pipeline.tabular import prompts  # noqa: F401  registers the task
from pipeline.tabular.task import TASKS, Task

WORDS = "words"  # once a task; recordings of words have their own scorer


def get_task(name: str) -> Task:
    """Raises UnknownNameError."""
    if name == WORDS:
        raise UnknownNameError(
            N_(
                "Recordings of words are no table: `pronlab train word --set SET --model forest` trains their "
                "scorer, `pronlab deploy RUN` deploys it and `pronlab score FILE --word WORD` uses it."
            )
        )
    return TASKS[name]


def task_names() -> list[str]:
    return list(TASKS)
