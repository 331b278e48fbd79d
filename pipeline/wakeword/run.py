"""One wake-word run from its configuration to a model folder: find clips, render them, train, calibrate, package."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from pipeline import artifacts
from pipeline.errors import AudioError, CorpusError, ModelError, TrainingError
from pipeline.i18n import N_, Message, about
from pipeline.jobs.device_queue import device_turn
from pipeline.metrics.detection import calibration_error, fit_temperature, reliability
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.runs import RunDirectory, RunWriter
from pipeline.runs.messages import DONE
from pipeline.settings import Settings
from pipeline.text import one_line
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.selected_clips import SelectedClips, check_given
from pipeline.wakeword.data.spoken_word import same_letters, spoken_words, word_of
from pipeline.wakeword.features import check_embedding
from pipeline.wakeword.file_names import MODEL_FOLDER, REPORT
from pipeline.wakeword.models.budget import Budget, check_budget
from pipeline.wakeword.planned_steps import steps_in_words
from pipeline.wakeword.threshold import ThresholdBasis, from_validation
from pipeline.wakeword.training.material import check_teacher, make_trainer, told

if TYPE_CHECKING:
    from pipeline.wakeword.runtime.model_files import WordInfo
    from pipeline.wakeword.training.validate import Validation

WINDOWS_KEPT = 64  # of each class, with the model


def train_wakeword(
    settings: Settings, config: WakewordConfig, directory: RunDirectory, show: Progress | None = None
) -> dict[str, Any]:
    """Raises CorpusError, TrainingError, FeatureError or AudioError in words; a run that was stopped raises
    TrainingError."""
    report: dict[str, Any] | None = None
    with directory.start() as writer, device_turn(settings, writer):
        report = _train(settings, config, writer, show)
        writer.update(progress=1.0, message=DONE, result={"metrics": report["validation"]})
    if report is None:
        raise TrainingError(
            N_("The run {run} was stopped. `pronlab wakeword train --resume {run}` resumes it."), run=directory.id
        )
    return report


def check_ready(settings: Settings, config: WakewordConfig) -> None:
    """What can be known without reading a clip, asked before a run is made, so that none begins that must fail. Raises
    CorpusError, FeatureError, ModelError or TrainingError."""
    check_given(config.data)
    _checked_budget(config)
    check_teacher(settings, config.distil.teacher)


def _checked_budget(config: WakewordConfig) -> Budget:
    check_embedding(config.features)
    return check_budget(config.model, config.features, config.detector.hop_s, max(1, len(config.data.names)))


def _train(settings: Settings, config: WakewordConfig, writer: RunWriter, show: Progress | None) -> dict[str, Any]:
    from pipeline.wakeword.packaging.card import write_card
    from pipeline.wakeword.packaging.export import save_windows
    from pipeline.wakeword.runtime.model_files import DetectorInfo, save_model
    from pipeline.wakeword.training.train import report_of

    writer.log(steps_in_words(config))
    budget = _checked_budget(config)
    material = make_trainer(settings, config, writer, show)
    trained = material.trainer.run()
    writer.update(progress=0.99, message=Message(N_("calibrating on the validation clips")))
    temperature, calibration = _calibrated(trained.validation)
    threshold, basis = _threshold(trained.validation, material.clips.held, config)
    words = tuple(
        _word(name, validation, material.clips.held, config)
        for name, validation in zip(config.data.names, trained.validations, strict=False)
    )
    report = {
        **report_of(trained), "averaged": config.train.ema, "parameters": budget.parameters, "macs": budget.macs,
        "calibration": calibration, "n_train": len(material.clips.train), "n_held": len(material.clips.held),
        "sources_known": material.clips.sources_known, **_counts_of_words(material.clips), "threshold": to_json(basis),
        "clips_left_out": [one_line(about(clip.path, clip.reasons[0])) for clip in material.clips.bad],
        "rooms_left_out": material.rooms_left_out, "files_left_out": material.clips.left_out,
        **({"words": {word.name: word.metrics for word in words}} if words else {}),
    }  # fmt: skip
    info = DetectorInfo(
        word_of(config), config.features, config.model, config.detector, threshold, temperature, budget.parameters,
        {"validation": report["validation"], "calibration": calibration, "threshold": report["threshold"]}, words,
    )  # fmt: skip
    folder = writer.run.path / MODEL_FOLDER
    save_model(folder, trained.model, info)
    draw = np.random.default_rng(config.seed)
    save_windows(folder, [pool.sample(WINDOWS_KEPT, draw) for pool in material.held_pools.values()])
    write_card(folder, info, report)
    if config.train.learn_phones:
        report |= {"phones": _learnt_phones(settings, config, material.clips, writer, show)}
    artifacts.write_json(writer.run.path / REPORT, report)
    return report


def _counts_of_words(clips: SelectedClips) -> dict[str, int]:
    """Clips of the word, and how many of them synthesisers spoke."""
    words = [clip for clip in (*clips.train, *clips.held) if clip.label is Label.POSITIVE]
    return {"n_words": len(words), "n_synthetic_words": sum(clip.synthetic for clip in words)}


def _learnt_phones(
    settings: Settings, config: WakewordConfig, clips: SelectedClips, writer: RunWriter, show: Progress | None
) -> dict[str, Any] | None:
    """What the judge of phones has learnt the word from, if Pronlab spoke it in English: of synthetic clips alone most
    words are missed without the judge. None for any other word; where it cannot be learnt, the `problem`."""
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.training.word_learning import learn_word

    positives = [clip for clip in [*clips.train, *clips.held] if clip.label is Label.POSITIVE]
    spoken = spoken_words(clips.root, positives)
    word = spoken[0][0] if spoken else ""
    # One word, though it may be spoken in several kinds of English: clips of another would be learnt as this one.
    is_one = all(language.startswith("en") and same_letters(said, word) for said, language in spoken)
    if not word or not is_one or config.data.names or config.model.target == "esp32_s3":
        return None
    run = FinishedRun(writer.run.path, writer.run.path / MODEL_FOLDER)
    try:
        learnt = learn_word(settings, run, word, told(writer, show))
    except (AudioError, CorpusError, ModelError) as error:  # the detector is trained, and of use without a judge
        writer.log(f"{word!r} has not been learnt for the judge of phones: {error}")
        return {"word": word, "problem": str(error)}
    return {"word": learnt.word, **to_json(learnt.learnt_from)}


def _word(name: str, validation: "Validation", held: Sequence[Clip], config: WakewordConfig) -> "WordInfo":
    """One of several words, with a threshold of its own."""
    from pipeline.wakeword.runtime.model_files import WordInfo
    from pipeline.wakeword.training.train import figures_of

    temperature, calibration = _calibrated(validation)
    threshold, basis = _threshold(validation, held, config)
    metrics = {"validation": figures_of(validation), "calibration": calibration, "threshold": to_json(basis)}
    return WordInfo(name, threshold, temperature, metrics)


def _calibrated(validation: "Validation") -> tuple[float, dict[str, Any]]:
    logits = np.concatenate([validation.words, validation.rest]).astype(np.float64)
    truth = np.arange(len(logits)) < len(validation.words)
    temperature = fit_temperature(logits, truth)
    before, after = (reliability(expit(logits / t), truth) for t in (1.0, temperature))
    return temperature, {
        "temperature": temperature, "ece_before": calibration_error(before), "ece_after": calibration_error(after),
        "before": before, "after": after,
    }  # fmt: skip


def _threshold(validation: "Validation", held: Sequence[Clip], config: WakewordConfig) -> tuple[float, ThresholdBasis]:
    """Of the validation negatives; an export and `pronlab wakeword evaluate` set a better one on a long stream."""
    hours = sum(clip.duration_s for clip in held if clip.label is Label.NEGATIVE) / 3600.0
    return from_validation(validation.words, validation.rest, hours, config.detector.target_fah)
