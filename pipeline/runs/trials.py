"""Trials of searches for settings, of every kind of run: what was tried, how well it did, and what mattered most.

A run logs each as `{"event": "trial", "trial": 3, "value": 8.1, "settings": {...}}`; searches within folds add `fold`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import JobError
from pipeline.i18n import N_
from pipeline.optional import require
from pipeline.runs.directory import RunDirectory
from pipeline.runs.metrics import is_number

FEWEST = 4  # trials; with fewer no importance can be told
SEED = 0  # of the forest that measures importance: the same trials always give the same


@dataclass(frozen=True)
class Trial:
    """`value` is what the search makes small: an error or a loss."""

    number: int
    settings: dict[str, Any]
    value: float


@dataclass(frozen=True)
class Search:
    """The trials of one search. `fold` is None for the one whose settings the final model has."""

    fold: int | None
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial:
        return min(self.trials, key=lambda trial: trial.value)

    @property
    def varied(self) -> tuple[str, ...]:
        """Settings that were not the same in all trials."""
        names = dict.fromkeys(name for trial in self.trials for name in trial.settings)
        return tuple(name for name in names if len({repr(trial.settings.get(name)) for trial in self.trials}) > 1)


def searches_of(run: RunDirectory) -> list[Search]:
    """The final search first, then those within folds; none for a run that searched nothing. Lines that cannot be read
    are passed over."""
    by_fold: dict[int | None, list[Trial]] = defaultdict(list)
    for line in run.metrics():
        if line.get("event") != "trial":
            continue
        settings, value, number = line.get("settings"), line.get("value"), line.get("trial")
        fold = line.get("fold")
        if isinstance(settings, dict) and is_number(value) and is_number(number):
            by_fold[int(fold) if is_number(fold) else None].append(Trial(int(number), settings, float(value)))
    order = sorted(by_fold, key=lambda fold: -1 if fold is None else fold)
    return [Search(fold, tuple(by_fold[fold])) for fold in order]


def importance(search: Search) -> dict[str, float]:
    """How much of the variation of the value each setting explains (functional ANOVA; Hutter et al. 2014), the largest
    first, with sum 1; empty with fewer than four trials, or where all reached the same. Raises JobError without
    Optuna."""
    values = {trial.value for trial in search.trials}
    if len(search.trials) < FEWEST or len(values) < 2 or not search.varied:
        return {}
    require(N_("The importance of settings"), ("optuna", "sklearn"), JobError)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    distributions = {name: _distribution([t.settings.get(name) for t in search.trials]) for name in search.varied}
    for trial in search.trials:
        params = {name: _category(trial.settings.get(name)) for name in search.varied}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=trial.value))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=SEED)
    measured = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(value) for name, value in measured.items()}


def _distribution(values: Sequence[Any]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if all(is_number(value) for value in values):
        return FloatDistribution(float(min(values)), float(max(values)))
    return CategoricalDistribution(sorted({_category(value) for value in values}, key=str))


def _category(value: Any) -> Any:
    return float(value) if is_number(value) else str(value)
