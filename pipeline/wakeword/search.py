"""Search for better settings with Optuna: short trainings, judged on the validation clips, bad ones ended early."""

from dataclasses import replace
from functools import partial
from typing import Any

import yaml

from pipeline import artifacts
from pipeline.errors import TrainingError
from pipeline.i18n import N_, NN_, Message
from pipeline.jobs.requirements import require_packages
from pipeline.parallel import Progress
from pipeline.presets import build, merged
from pipeline.records import to_json
from pipeline.runs import RunDirectory, RunWriter, StopRequested
from pipeline.settings import Settings
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.models.budget import check_budget
from pipeline.wakeword.training.material import make_trainer

STORE, BEST = "study.sqlite", "best.yaml"


def suggest(trial: Any) -> dict[str, Any]:
    """One choice of what matters most: rate, sizes, regularisation, the ratios of a batch."""
    return {
        "train.rate": trial.suggest_float("train.rate", 3e-4, 1e-2, log=True),
        "train.weight_decay": trial.suggest_float("train.weight_decay", 1e-4, 1e-1, log=True),
        "train.negative": trial.suggest_float("train.negative", 1.0, 6.0),
        "train.hard_negative": trial.suggest_float("train.hard_negative", 0.25, 3.0),
        "model.width": trial.suggest_float("model.width", 0.5, 1.15),
        "model.dropout": trial.suggest_float("model.dropout", 0.0, 0.4),
        "loss.label_smoothing": trial.suggest_float("loss.label_smoothing", 0.0, 0.1),
        "augment.masks": trial.suggest_int("augment.masks", 0, 4),
    }


def search_settings(
    settings: Settings, config: WakewordConfig, trials: int, steps: int, writer: RunWriter, show: Progress | None = None
) -> dict[str, Any]:
    """`trials` trainings of `steps` steps; after each, the best settings are left in `best.yaml`. Goes on with the
    study of the run directory. A trial that fails, as its model does not fit the device or its loss is no number, is
    logged, and the others go on. Raises JobError where packages are missing, TrainingError where all trials failed,
    StopRequested where a person asked for the end."""
    require_packages("wakeword-search", config)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # the run's log says which trials failed, and why
    study = optuna.create_study(
        storage=f"sqlite:///{writer.run.path / STORE}", study_name="wakeword", load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=config.seed), pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )  # fmt: skip
    base = to_json(shortened(config, steps))
    done = len([t for t in study.trials if t.state.is_finished()])
    failures: list[str] = []

    def objective(trial: Any) -> float:
        writer.check_stop()
        writer.update(
            progress=trial.number / trials,
            message=Message(N_("trial {trial} of {trials}"), trial=trial.number + 1, trials=trials),
        )
        chosen = suggest(trial)
        try:
            value = trained(trial, build(WakewordConfig, merged(base, chosen)))
        except TrainingError as error:
            failures.append(str(error))
            writer.log(f"trial {trial.number} failed: {error}")
            raise
        writer.log_metrics(event="trial", trial=trial.number, value=value, settings=chosen)
        return value

    def trained(trial: Any, trial_config: WakewordConfig) -> float:
        n_words = max(1, len(config.data.names))
        check_budget(trial_config.model, trial_config.features, trial_config.detector.hop_s, n_words)
        directory = RunDirectory.create(
            writer.run.path / "trials",
            kind="wakeword",
            name=f"trial-{trial.number}",
            config=trial_config,
            seed=trial_config.seed,
        )
        with directory.start() as inner:
            trainer = make_trainer(settings, trial_config, inner, show).trainer
            trainer.watch = partial(_report, trial, writer)
            return trainer.run().progress.best_value
        raise StopRequested  # the trial's own run has ended as stopped

    study.optimize(
        objective, n_trials=max(0, trials - done), catch=(TrainingError,), callbacks=[partial(_keep_best, writer)]
    )
    best = _best_of(study)
    if best is None:
        raise TrainingError(
            NN_("The only trial did not reach its end: {reason}",
                "None of the {n} trials reached its end. The last one: {reason}"),
            n=len(study.trials), reason=failures[-1] if failures else "-",
        )  # fmt: skip
    found = {"trial": best.number, "value": best.value, "settings": best.params}
    return {**found, "trials": len(study.trials), "file": writer.run.path / BEST}


def _best_of(study: Any) -> Any:
    """None while no trial has reached its end."""
    import optuna

    whole = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    return min(whole, key=lambda trial: float(trial.value), default=None)


def _keep_best(writer: RunWriter, study: Any, _trial: Any) -> None:
    best = _best_of(study)
    if best is not None:
        artifacts.write_text(writer.run.path / BEST, yaml.safe_dump(merged(best.params), sort_keys=True))


def _report(trial: Any, writer: RunWriter, step: int, value: float) -> None:
    """Of one validation: the median pruner may end the trial here, a person the search."""
    import optuna

    writer.check_stop()
    trial.report(value, step)
    if trial.should_prune():
        raise optuna.TrialPruned


def shortened(config: WakewordConfig, steps: int) -> WakewordConfig:
    """For a trial: so many steps, no mining, no quantisation."""
    every = max(1, min(config.train.validate_every, steps // 4))
    return replace(
        config,
        train=replace(config.train, steps=steps, qat_steps=0, validate_every=every),
        mining=replace(config.mining, rounds=0),
    )
