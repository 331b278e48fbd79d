"""Train a feature-vector scorer: cross-validate over speakers, measure, fit on all, save.

Every figure comes from out-of-fold predictions: each recording is predicted by a model that has not heard its speaker
(or, where there are too few speakers, its word or itself; see `split`). Inside a fold, the epoch to stop at is chosen
on further held-out groups of the training part, never on the fold.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, csvfile
from pipeline.corpus.splits import speaker_folds, speaker_holdout
from pipeline.i18n import N_, Message, parts_of
from pipeline.jobs.requirements import require_packages
from pipeline.metrics.regression import RegressionMetrics, regression_metrics
from pipeline.records import RatingSource, to_json
from pipeline.regressors.confidence import ConfidenceBin, confidence_table
from pipeline.regressors.cross_validation import FoldModel, cross_validate, trial_logger
from pipeline.regressors.scaler import Scaler
from pipeline.regressors.trees import FittedTrees, OnTrial, TreeSettings, fit_scaled
from pipeline.runs import RunWriter, now_iso
from pipeline.scoring.feature_based.card import write_card
from pipeline.scoring.feature_based.config import BY_SPEAKER, TrainConfig
from pipeline.scoring.feature_based.data import RECOMMENDED_RECORDINGS, TrainingData
from pipeline.scoring.feature_based.model_files import (
    HELD_OUT_FILE,
    Model,
    save_model,
    text_digest,
    tree_weights,
)
from pipeline.scoring.feature_based.model_info import ModelInfo
from pipeline.scoring.feature_based.network import Epoch, fit_network
from pipeline.scoring.feature_based.split import Split, split_of

MODEL_FOLDER = "model"
PREDICTIONS_FILE = "predictions.csv"
BASELINE_TREES = 100


@dataclass(frozen=True)
class TrainingReport:
    """What a run found. `baselines` holds the same figures for the training mean, ridge regression and, beside the
    network, a forest, on the same folds; `importance` is the rise of MAE, in points, when a feature is shuffled;
    `split` is what the folds kept together: speaker, word or recording."""

    model_id: str
    metrics: RegressionMetrics
    baselines: dict[str, RegressionMetrics]
    fold_mae: tuple[float, ...]
    importance: dict[str, float]
    warnings: tuple[str, ...]
    folder: str
    split: str = BY_SPEAKER


def run_training(data: TrainingData, config: TrainConfig, writer: RunWriter) -> TrainingReport:
    """Train in the run directory of `writer`; the model lands in its `model/` folder."""
    require_packages("word", config)
    folder = writer.run.path
    split = split_of(data, config)
    for warning in split.warnings:
        writer.log(warning)
    folds = speaker_folds(split.groups, split.n_folds, config.seed)
    small = TreeSettings(trees=BASELINE_TREES, min_leaf=config.min_leaf)

    def fit_fold(fold: int, train: NDArray[np.bool_]) -> FoldModel:
        return _fit_fold(data, split, train, config, fold, _epoch_logger(writer, fold), trial_logger(writer, fold))

    out_of_fold = cross_validate(
        data.values, data.scores, folds, fit_fold, writer, seed=config.seed,
        forest=small if config.model == "mlp" else None, progress=(0.0, split.n_folds / (split.n_folds + 1)),
    )  # fmt: skip
    writer.check_stop()
    writer.update(progress=split.n_folds / (split.n_folds + 1), message=Message(N_("fitting on all speakers")))
    epochs = max(1, int(np.median([fold.get("best_epoch", 0) for fold in out_of_fold.details])))
    final = _fit_all(data, split, config, epochs, _epoch_logger(writer, None), trial_logger(writer, None))
    predicted = out_of_fold.predicted
    measured = regression_metrics(data.scores, predicted, speakers=split.groups)
    report = TrainingReport(
        model_id=writer.run.id,
        metrics=measured,
        baselines={
            name: regression_metrics(data.scores, values, speakers=split.groups)
            for name, values in out_of_fold.baselines.items()
        },
        fold_mae=out_of_fold.fold_mae,
        importance=dict(
            sorted(zip(data.names, out_of_fold.importance.tolist(), strict=True), key=lambda item: -item[1])
        ),
        warnings=(*split.warnings, *data.warnings, *_warnings(data, measured)),
        split=split.by,
        folder=MODEL_FOLDER,
    )
    info = _info(data, config, writer, report, confidence_table(data.scores, predicted))
    model_folder = folder / MODEL_FOLDER
    save_model(model_folder, replace(final, info=info))
    _write_predictions(folder / PREDICTIONS_FILE, data, predicted, folds)
    _write_held_out(model_folder / HELD_OUT_FILE, data, predicted)
    artifacts.write_json(folder / "report.json", {**to_json(report), "warning_parts": parts_of(report.warnings)})
    write_card(model_folder, info, report, config)
    return report


def _fit_fold(
    data: TrainingData,
    split: Split,
    train: NDArray[np.bool_],
    config: TrainConfig,
    fold: int,
    on_epoch: Callable[[Epoch], None],
    on_trial: OnTrial,
) -> FoldModel:
    """A model that has seen the training groups only."""
    rows = np.flatnonzero(train)
    seed = config.seed + 1 + fold
    if config.model != "mlp":
        return FoldModel(_fit_trees(data, split, rows, config, seed, on_trial).predict)
    scaler = Scaler.fit(data.values[rows])
    held = speaker_holdout([split.groups[i] for i in rows], config.validation_share, seed)
    fit_rows, val_rows = rows[~held], rows[held]
    x = scaler.standardise(data.values)
    validation = (x[val_rows], data.scores[val_rows])
    fit = fit_network(x[fit_rows], data.scores[fit_rows], config, seed=seed, validation=validation, on_epoch=on_epoch)
    model = Model(_bare_info(data, config), scaler, dict(fit.weights))
    return FoldModel(model.predict, {"best_epoch": fit.best_epoch})


def _fit_all(
    data: TrainingData,
    split: Split,
    config: TrainConfig,
    epochs: int,
    on_epoch: Callable[[Epoch], None],
    on_trial: OnTrial,
) -> Model:
    """The model to deploy: all recordings, for as many epochs as the folds needed at the median."""
    if config.model != "mlp":
        fitted = _fit_trees(data, split, np.arange(len(data.scores)), config, config.seed, on_trial)
        return Model(_bare_info(data, config), fitted.scaler, tree_weights(fitted.trees, config.model))
    scaler = Scaler.fit(data.values)
    x = scaler.standardise(data.values)
    fit = fit_network(x, data.scores, config, seed=config.seed, epochs=epochs, on_epoch=on_epoch)
    return Model(_bare_info(data, config), scaler, dict(fit.weights))


def _fit_trees(
    data: TrainingData, split: Split, rows: NDArray[np.intp], config: TrainConfig, seed: int, on_trial: OnTrial
) -> FittedTrees:
    groups = np.array(split.groups)[rows]
    return fit_scaled(data.values[rows], data.scores[rows], groups, config, seed, on_trial)


def _epoch_logger(writer: RunWriter, fold: int | None) -> Callable[[Epoch], None]:
    def log(epoch: Epoch) -> None:
        writer.check_stop()
        writer.log_metrics(event="epoch", fold=fold, **asdict(epoch))

    return log


def _warnings(data: TrainingData, measured: RegressionMetrics) -> list[str]:
    """For people, in the words of `pipeline.runs.messages`, which translates them."""
    warnings: list[str] = []
    if RatingSource.MOCK in data.label_sources:
        warnings.append("Mock labels: the scores are made up, so the model and its metrics say nothing about speech.")
    if "synthetic" in data.label_sources:
        warnings.append("Synthetic labels: the scores come from a speech synthesiser's known faults, not from experts.")
    if len(data.scores) < RECOMMENDED_RECORDINGS:
        n = len(data.scores)
        warnings.append(f"Only {n} labelled recordings; {RECOMMENDED_RECORDINGS} or more are recommended.")
    if measured.mae is not None and measured.mae > 10.0:
        warnings.append(
            f"MAE {measured.mae:.1f} misses the target of 10 points: label more recordings and speakers, look at the "
            "largest errors on the Compare page, or try another extractor."
        )
    return warnings


def _bare_info(data: TrainingData, config: TrainConfig) -> ModelInfo:
    return ModelInfo(model_id="", kind=config.model, feature_names=data.names)


def _info(
    data: TrainingData,
    config: TrainConfig,
    writer: RunWriter,
    report: TrainingReport,
    confidence: tuple[ConfidenceBin, ...],
) -> ModelInfo:
    return ModelInfo(
        model_id=report.model_id,
        kind=config.model,
        feature_names=data.names,
        extractor=data.extractor,
        extractor_version=data.extractor_version,
        architecture=(len(data.names), *config.hidden, 1) if config.model == "mlp" else (),
        rubric=data.rubric,
        language=data.language,
        labels="mock" if RatingSource.MOCK in data.label_sources else "real",
        label_sources=tuple(sorted(set(data.label_sources))),
        trained_on=config.set or Path(config.csv).name,
        part=config.part,
        n_recordings=len(data.scores),
        n_speakers=len(set(data.speakers)),
        split=report.split,
        seed=config.seed,
        created_at=now_iso(),
        git_commit=writer.run.state.git_commit,
        data_hash=data.hash,
        test=to_json(report.metrics),
        confidence=confidence,
    )


def _write_held_out(path: Path, data: TrainingData, predicted: NDArray[np.float64]) -> None:
    """What goes along with the model: no texts and no experts' scores, which belong to the corpus."""
    rows = zip(data.audio_sha256, data.texts, data.recording_ids, data.speakers, predicted, strict=True)
    csvfile.write(
        path,
        ("audio_sha256", "text_sha256", "set", "speaker", "predicted"),
        (
            (audio, text_digest(text), _set_of(recording_id), speaker, round(float(guess), 2))
            for audio, text, recording_id, speaker, guess in rows
        ),
    )


def _set_of(recording_id: str) -> str:
    return recording_id.split("/", 1)[0] if "/" in recording_id else ""


def _write_predictions(
    path: Path, data: TrainingData, predicted: NDArray[np.float64], folds: NDArray[np.int64]
) -> None:
    rows = zip(data.recording_ids, data.speakers, data.texts, data.scores, predicted, folds, strict=True)
    csvfile.write(
        path,
        ("recording_id", "speaker", "text", "expert", "predicted", "fold"),
        (
            (recording_id, speaker, text, float(f"{expert:g}"), round(float(guess), 2), int(fold))
            for recording_id, speaker, text, expert, guess, fold in rows
        ),
    )
