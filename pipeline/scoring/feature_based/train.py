"""Train a feature-vector scorer: cross-validate over speakers, measure, fit on all, save.

Every figure comes from out-of-fold predictions: each recording is predicted by a model that has not heard its speaker.
Inside a fold, the epoch to stop at is chosen on further held-out speakers of the training part, never on the fold.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, csvfile
from pipeline.corpus.splits import speaker_folds, speaker_holdout
from pipeline.errors import TrainingError
from pipeline.metrics.regression import RegressionMetrics, regression_metrics
from pipeline.records import RatingSource, to_json
from pipeline.regressors.baselines import permutation_importance, simple_baselines
from pipeline.regressors.forest import fit_forest
from pipeline.runs import RunWriter, now_iso
from pipeline.scoring.feature_based.card import write_card
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.data import RECOMMENDED_RECORDINGS, TrainingData
from pipeline.scoring.feature_based.model_files import (
    HELD_OUT_FILE,
    ConfidenceBin,
    Model,
    ModelInfo,
    Scaler,
    save_model,
    text_digest,
)
from pipeline.scoring.feature_based.network import Epoch, fit_network

MODEL_FOLDER = "model"
PREDICTIONS_FILE = "predictions.csv"
NEIGHBOURS = 50
CONFIDENCE_GRID = tuple(range(0, 101, 5))
BASELINE_TREES = 100


@dataclass(frozen=True)
class TrainingReport:
    """What a run found. `baselines` holds the same figures for the training mean, ridge regression and, beside the
    network, a forest, on the same folds; `importance` is the rise of MAE, in points, when a feature is shuffled."""

    model_id: str
    metrics: RegressionMetrics
    baselines: dict[str, RegressionMetrics]
    fold_mae: tuple[float, ...]
    importance: dict[str, float]
    warnings: tuple[str, ...]
    folder: str


def run_training(data: TrainingData, config: TrainConfig, writer: RunWriter) -> TrainingReport:
    """Train in the run directory of `writer`; the model lands in its `model/` folder."""
    from tensorboardX import SummaryWriter

    folder = writer.run.path
    if config.folds > len(set(data.speakers)):
        raise TrainingError(
            f"{config.folds} folds need as many speakers; there are {len(set(data.speakers))}. Use --folds "
            f"{len(set(data.speakers))} or fewer."
        )
    folds = speaker_folds(data.speakers, config.folds, config.seed)
    out_of_fold = np.full(len(data.scores), np.nan)
    baselines: dict[str, NDArray[np.float64]] = {}
    importance = np.zeros(len(data.names))
    best_epochs: list[int] = []
    with SummaryWriter(str(folder / "tensorboard")) as board:
        for fold in range(config.folds):
            writer.check_stop()
            train, test = folds != fold, folds == fold
            message = f"fold {fold + 1} of {config.folds}"
            writer.update(progress=fold / (config.folds + 1), message=message)
            on_epoch = _epoch_logger(writer, board, fold, config)
            model, epoch = _fit_fold(data, train, config, fold, on_epoch)
            best_epochs.append(epoch)
            out_of_fold[test] = model.predict(data.values[test])
            held = data.values[test], data.scores[test]
            importance += permutation_importance(model.predict, *held, config.seed) / config.folds
            for name, values in _baselines(data, train, test, config).items():
                baselines.setdefault(name, np.full(len(data.scores), np.nan))[test] = values
            fold_mae = float(np.abs(out_of_fold[test] - data.scores[test]).mean())
            writer.log_metrics(event="fold", fold=fold, test_mae=fold_mae, n=int(test.sum()), best_epoch=epoch)
            writer.log(f"{message}: MAE {fold_mae:.2f} over {int(test.sum())} recordings of unheard speakers")
        writer.check_stop()
        writer.update(progress=config.folds / (config.folds + 1), message="fitting on all speakers")
        final_epochs = max(1, int(np.median(best_epochs)))
        final = _fit_all(data, config, final_epochs, _epoch_logger(writer, board, None, config))
    measured = regression_metrics(data.scores, out_of_fold, speakers=data.speakers)
    report = TrainingReport(
        model_id=writer.run.id,
        metrics=measured,
        baselines={
            name: regression_metrics(data.scores, values, speakers=data.speakers) for name, values in baselines.items()
        },
        fold_mae=tuple(float(np.abs(out_of_fold - data.scores)[folds == f].mean()) for f in range(config.folds)),
        importance=dict(sorted(zip(data.names, importance.tolist(), strict=True), key=lambda item: -item[1])),
        warnings=(*data.warnings, *_warnings(data, measured)),
        folder=MODEL_FOLDER,
    )
    info = _info(data, config, writer, report, confidence_table(data.scores, out_of_fold))
    model_folder = folder / MODEL_FOLDER
    save_model(model_folder, replace(final, info=info))
    _write_predictions(folder / PREDICTIONS_FILE, data, out_of_fold, folds)
    _write_held_out(model_folder / HELD_OUT_FILE, data, out_of_fold)
    artifacts.write_json(folder / "report.json", report)
    write_card(model_folder, info, report, config)
    return report


def confidence_table(
    expert: NDArray[np.float64], predicted: NDArray[np.float64], neighbours: int = NEIGHBOURS
) -> tuple[ConfidenceBin, ...]:
    """For scores 0, 5, .. 100: of the out-of-fold predictions nearest to it, the share within 10 points of the expert.

    A nearest-neighbour estimate of P(|error| <= 10 | predicted score); empty for fewer than `neighbours` recordings.
    """
    if len(expert) < neighbours:
        return ()
    close = np.abs(predicted - expert) <= 10.0
    bins: list[ConfidenceBin] = []
    for score in CONFIDENCE_GRID:
        nearest = np.argsort(np.abs(predicted - score), kind="stable")[:neighbours]
        bins.append(ConfidenceBin(float(score), float(close[nearest].mean()), neighbours))
    return tuple(bins)


def _fit_fold(
    data: TrainingData, train: NDArray[np.bool_], config: TrainConfig, fold: int, on_epoch: Callable[[Epoch], None]
) -> tuple[Model, int]:
    """A model that has seen the training speakers only, and the epoch it stopped at (0 for a forest)."""
    rows = np.flatnonzero(train)
    seed = config.seed + 1 + fold
    scaler = Scaler.fit(data.values[rows])
    if config.model == "forest":
        trees = fit_forest(scaler.standardise(data.values[rows]), data.scores[rows], config, seed=seed)
        return Model(_bare_info(data, config), scaler, dict(trees)), 0
    held = speaker_holdout([data.speakers[i] for i in rows], config.validation_share, seed)
    fit_rows, val_rows = rows[~held], rows[held]
    x = scaler.standardise(data.values)
    validation = (x[val_rows], data.scores[val_rows])
    fit = fit_network(x[fit_rows], data.scores[fit_rows], config, seed=seed, validation=validation, on_epoch=on_epoch)
    return Model(_bare_info(data, config), scaler, dict(fit.weights)), fit.best_epoch


def _fit_all(data: TrainingData, config: TrainConfig, epochs: int, on_epoch: Callable[[Epoch], None]) -> Model:
    """The model to deploy: all speakers, for as many epochs as the folds needed at the median."""
    scaler = Scaler.fit(data.values)
    x = scaler.standardise(data.values)
    if config.model == "forest":
        weights: dict[str, Any] = dict(fit_forest(x, data.scores, config, seed=config.seed))
    else:
        weights = dict(fit_network(x, data.scores, config, seed=config.seed, epochs=epochs, on_epoch=on_epoch).weights)
    return Model(_bare_info(data, config), scaler, weights)


def _baselines(
    data: TrainingData, train: NDArray[np.bool_], test: NDArray[np.bool_], config: TrainConfig
) -> dict[str, NDArray[np.float64]]:
    """What simpler methods make of the same fold."""
    scaler = Scaler.fit(data.values[train])
    x_train, x_test = scaler.standardise(data.values[train]), scaler.standardise(data.values[test])
    y = data.scores[train]
    found = simple_baselines(x_train, y, x_test)
    if config.model != "forest":
        small = replace(config, trees=BASELINE_TREES)
        trees = fit_forest(x_train, y, small, seed=config.seed)
        info = replace(_bare_info(data, config), kind="forest")
        found["random forest"] = Model(info, scaler, dict(trees)).predict(data.values[test])
    return found


def _epoch_logger(writer: RunWriter, board: Any, fold: int | None, config: TrainConfig) -> Callable[[Epoch], None]:
    name = "final" if fold is None else f"fold{fold}"

    def log(epoch: Epoch) -> None:
        writer.check_stop()
        writer.log_metrics(event="epoch", fold=fold, **asdict(epoch))
        board.add_scalar(f"train_loss/{name}", epoch.train_loss, epoch.epoch)
        if epoch.val_mae is not None:
            board.add_scalar(f"val_mae/{name}", epoch.val_mae, epoch.epoch)

    return log


def _warnings(data: TrainingData, measured: RegressionMetrics) -> list[str]:
    found: list[str] = []
    if RatingSource.MOCK in data.label_sources:
        found.append("Mock labels: the scores are made up, so the model and its figures say nothing about speech.")
    if "synthetic" in data.label_sources:
        found.append("Synthetic labels: the scores come from a speech synthesiser's known faults, not from experts.")
    if len(data.scores) < RECOMMENDED_RECORDINGS:
        found.append(f"Only {len(data.scores)} labelled recordings; {RECOMMENDED_RECORDINGS} or more are recommended.")
    if measured.mae is not None and measured.mae > 10.0:
        found.append(
            f"MAE {measured.mae:.1f} is over the target of 10: label more recordings and speakers, look at the worst "
            f"on the Compare page, or try another extractor."
        )
    return found


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
