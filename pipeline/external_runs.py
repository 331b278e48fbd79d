"""Log trainings that another program runs, so that they stand beside those that were started here.

from pipeline.external_runs import log_run

with log_run("svr-on-mfcc", {"c": 10.0, "set": "demo"}) as run:
    run.log(epoch=1, mae=9.1)      # as often as there is something; or step=..., for curves over steps
    run.result(mae=8.4, pcc=0.61)  # what it reached in the end
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipeline.errors import JobError
from pipeline.i18n import N_
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import to_json
from pipeline.runs import RunDirectory, RunWriter
from pipeline.runs.metrics import is_number
from pipeline.settings import Settings


class ExternalRun:
    """What is logged of a run; `directory` is its folder."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer

    @property
    def directory(self) -> RunDirectory:
        return self._writer.run

    def log(self, *, epoch: int | None = None, step: int | None = None, **figures: float) -> None:
        """Figures of an epoch or of a step. Raises JobError for neither or both, and for what is no number; the
        training is asked to stop (StopRequested) where a person pressed Stop."""
        if (epoch is None) == (step is None):
            raise JobError(N_("Say either the epoch or the step that these figures are of."))
        values = _checked(figures)
        self._writer.check_stop()
        if step is not None:
            self._writer.log_metrics(event="step", step=step, **values)
        else:
            self._writer.log_metrics(event="epoch", epoch=epoch, metrics=values)

    def result(self, **figures: float) -> None:
        """What the run reached; a later call replaces an earlier one."""
        self._writer.update(result={"metrics": _checked(figures)})


@contextmanager
def log_run(
    name: str,
    config: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    by: Identity | str | None = None,
) -> Iterator[ExternalRun]:
    """Keep what the body does as a run: finished at its end, failed with the error that it raises.

    Args:
        name: Of the run; its folder has a hash added.
        config: The settings of the training; with a `seed` runs are grouped over seeds, with a `set` or `manifest` the
            data is named.
        settings: Where runs are kept; by default as the environment says.
        by: Who does it, where the installation has a list of people; by default PRONLAB_USER.

    Raises AccessError for who may not train, JobError for a setting that JSON cannot hold.
    """
    settings = settings or Settings.from_env()
    permit(settings, by or os.environ.get("PRONLAB_USER"), Action.TRAIN)
    given = {"name": name, **(config or {})}
    for key, value in given.items():
        try:
            json.dumps(to_json(value))
        except TypeError as error:
            raise JobError(
                N_("The setting {key} cannot be kept: it is of type {kind}. Give numbers, texts, lists or mappings."),
                key=key,
                kind=type(value).__name__,
            ) from error
    seed = given.get("seed")
    directory = RunDirectory.create(
        settings.runs_root, kind="external", name=name, config=given, seed=seed if isinstance(seed, int) else None
    )
    with directory.start() as writer:
        yield ExternalRun(writer)


def _checked(figures: Mapping[str, Any]) -> dict[str, float]:
    values = {key: value.item() if hasattr(value, "item") else value for key, value in figures.items()}
    wrong = [f"{key}={value!r}" for key, value in values.items() if not is_number(value)]
    if wrong:
        raise JobError(N_("A figure is a number, got {wrong}."), wrong=", ".join(wrong))
    return {key: float(value) for key, value in values.items()}
