"""One training run from its configuration to a model folder: find the data and the encoder, train, package."""

from dataclasses import replace
from typing import Any

from pipeline.errors import ModelError, TrainingError
from pipeline.i18n import N_, Message
from pipeline.jobs.device_queue import device_turn
from pipeline.jobs.requirements import require_packages
from pipeline.labels.corpus_source import chosen_part, open_source
from pipeline.parallel import Progress
from pipeline.runs import RunDirectory
from pipeline.runs.messages import DONE, how_far
from pipeline.scoring.speech.model_files import model_source
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.settings import Settings

MODEL_FOLDER = "model"


def train_speech(
    settings: Settings,
    config: SpeechTrainConfig,
    directory: RunDirectory,
    show: Progress | None = None,
) -> dict[str, Any]:
    """Train, or take the mean of other runs, or train heads on a finished listener, and package the model.

    Raises CorpusError, JobError, TrainingError or ModelError in words; a run that was stopped raises TrainingError.
    """
    require_packages("speech", config)  # what only its end needs, too, before hours of training
    from pipeline.scoring.speech.packaging.package import package
    from pipeline.scoring.speech.training.average import run_averaging
    from pipeline.scoring.speech.training.data import data_hash, read_utterances
    from pipeline.scoring.speech.training.frozen import run_head_training
    from pipeline.scoring.speech.training.heard import Listeners
    from pipeline.scoring.speech.training.train import run_training

    report: dict[str, Any] | None = None
    with directory.start() as writer, device_turn(settings, writer):
        listeners = [model_source(settings, name) for name in (config.listener, *config.other_listeners) if name]
        start = model_source(settings, config.start) if config.start else None
        encoder = config.encoder or str(settings.encoder_path or "")
        if not encoder and not config.listener:
            raise ModelError(
                N_(
                    "No encoder is given. Set PRONLAB_ENCODER_PATH to a local folder, or give --encoder a folder or "
                    "a hub name."
                )
            )

        def progress(done: int, total: int, message: str) -> None:
            if show is not None:
                show(done, total, message)
            if done == total or done % 200 == 0:
                writer.update(message=how_far(N_("reading recordings"), done, total))

        source = open_source(settings, set=config.set, manifest=config.manifest)
        config = replace(config, part=chosen_part(source, config.part))
        writer.log(
            f"training on part {config.part!r} of {source.title}" if config.part else f"on all of {source.title}"
        )
        utterances = read_utterances(source, config.part, progress=progress, check_stop=writer.check_stop)
        writer.update(data_hash=data_hash(utterances))
        if config.listener:
            hearing = [Listeners(listeners, source.name)]
            if config.other_listeners:
                hearing.append(Listeners(listeners[:1], source.name))
            report = run_head_training(utterances, config, hearing, writer)
        elif config.average:
            report = run_averaging(settings.runs_root, utterances, config, encoder, settings.device, writer)
        else:
            report = run_training(utterances, config, encoder, settings.device, writer, start)
        writer.update(progress=0.99, message=Message(N_("exporting and choosing thresholds on the held-out speakers")))
        info = package(
            directory,
            utterances,
            directory.path / MODEL_FOLDER,
            encoder=encoder,
            listeners=listeners,
            corpus=source.name,
            part=config.part,
            progress=show,
        )
        writer.update(progress=1.0, message=DONE, result={"metrics": info.held_out, "part": config.part})
    if report is None:
        raise TrainingError(
            N_("The run {run} was stopped. `pronlab train speech --resume {run}` resumes it."), run=directory.id
        )
    return report
