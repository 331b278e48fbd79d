"""One model from several runs: the mean of their weights (Wortsman et al. 2022, model soups).

Runs that start from the same weights and differ only in what chance decides end near to each other; the mean of their
weights hears better than each of them, at the cost of one. The score heads' mean is only where a few more epochs begin,
in which the mean listener stays as it is: each head was used to the evidence of its own listener.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.jobs.checkpoints import fitting, read_tensors
from pipeline.jobs.device_queue import fitting_precision
from pipeline.runs import RunDirectory, RunWriter
from pipeline.scoring.speech.training.batches import SpeechModel
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.train import BEST, split_speakers, train_model

MAY_DIFFER = ("seed", "name", "average")
HEAD_EPOCHS = 4
HEAD_RATE_SHARE = 0.25  # of the rate the heads were first trained with


def common_config(runs: Sequence[RunDirectory]) -> SpeechTrainConfig:
    """The configuration for averaging these runs: their own, with the first one's seed.

    Raises TrainingError for fewer than two, for one without a checkpoint, and for runs of other settings or data.
    """
    if len(runs) < 2:
        raise TrainingError(N_("Averaging needs two runs or more."))
    unfinished = [run.id for run in runs if not (run.path / "checkpoints" / BEST).is_file()]
    if unfinished:
        raise TrainingError(
            N_("{unfinished} has no checkpoint yet. Let it finish, or resume it with --resume."),
            unfinished=", ".join(unfinished),
        )
    configs = [SpeechTrainConfig(**run.config) for run in runs]
    first, *others = ({k: v for k, v in asdict(config).items() if k not in MAY_DIFFER} for config in configs)
    differing = sorted({key for other in others for key in first if first[key] != other[key]})
    if differing:
        raise TrainingError(
            N_("These runs cannot be averaged, as they differ in {differing}."), differing=", ".join(differing)
        )
    if len({run.state.data_hash for run in runs}) > 1:
        raise TrainingError(N_("These runs cannot be averaged: they were trained on other data."))
    return replace(configs[0], average=tuple(run.id for run in runs))


def run_averaging(
    runs_root: Path,
    utterances: Sequence[Utterance],
    config: SpeechTrainConfig,
    encoder_folder: str,
    device: str,
    writer: RunWriter,
) -> dict[str, Any]:
    """As `run_training`, from the mean of the runs' best weights; returns the figures on the speakers that all of them
    held out. Raises TrainingError where the weights are not of one shape."""
    runs = [RunDirectory.open(runs_root, run_id) for run_id in config.average]
    train, held = split_speakers(utterances, config)
    model = SpeechModel(config, encoder_folder)
    files = [run.path / "checkpoints" / BEST for run in runs]
    with fitting(files[0]):
        model.load_state_dict(mean_weights(files))
    model.listener.requires_grad_(False)
    shorter = replace(
        config,
        epochs=HEAD_EPOCHS,
        score_after_epochs=0,
        head_rate=HEAD_RATE_SHARE * config.head_rate,
        precision=fitting_precision(config.precision, device),
    )
    report = train_model(model.to(device), train, held, shorter, device, writer)
    return {**report, "averaged": list(config.average)}


def mean_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """Raises TrainingError where the files are damaged, or hold other tensors."""
    first, *others = (read_tensors(file)[0] for file in files)
    shapes = {name: value.shape for name, value in first.items()}
    if any({name: value.shape for name, value in other.items()} != shapes for other in others):
        raise TrainingError(N_("These runs cannot be averaged: their weights have other names or shapes."))
    return {
        name: torch.stack([value, *(other[name] for other in others)]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }
