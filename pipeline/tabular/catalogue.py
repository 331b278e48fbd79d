"""Every task of the tabular route, by name."""

from pipeline.tabular import prompts, words  # noqa: F401  registers the tasks
from pipeline.tabular.task import TASKS, Task


def get_task(name: str) -> Task:
    """Raises UnknownNameError."""
    return TASKS[name]


def task_names() -> list[str]:
    return list(TASKS)
