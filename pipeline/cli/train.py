"""`pronlab train` and `deploy`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import executor_options, run_option
from pipeline.cli._output import emit, json_option, progress_printer
from pipeline.errors import ModelError, TrainingError
from pipeline.records import RubricName
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.jobs.launcher import Where
    from pipeline.runs import RunDirectory


@click.group()
def train() -> None:
    """Train a model."""


@train.command()
@click.option("--set", "set", help="Learn from the labelled recordings of this set.")
@click.option("--csv", help="Learn from a file that `pronlab features` wrote.")
@click.option("--part", help="Only this part of the corpus, e.g. train.")
@click.option(
    "--labels", type=click.Choice(["real", "mock"]), help="Real labels (default), or made-up ones to try out."
)
@click.option("--model", type=click.Choice(["mlp", "forest"]), help="Network (default) or random forest.")
@click.option("--extractor", help="acoustic57 (default), reference, timing or encoder.")
@click.option("--preset", help="Start from a preset, e.g. word_mlp.")
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=int)
@click.option("--folds", type=int, help="Speaker-disjoint folds (default 5).")
@click.option("--epochs", type=int, help="At most so many (default 120).")
@click.option("--patience", type=int)
@click.option("--batch-size", type=int)
@click.option("--learning-rate", type=float)
@click.option("--weight-decay", type=float)
@click.option("--dropout", type=float)
@click.option("--trees", type=int)
@click.option("--min-leaf", type=int)
@executor_options
@run_option
@json_option
def word(preset: str | None, run: Path | None, where: "Where | None", as_json: bool, **options: Any) -> None:
    """Train a scorer of single recordings (0-100) on a feature vector, cross-validated over speakers."""
    from pipeline.jobs.device import device_turn
    from pipeline.jobs.launcher import launch_training
    from pipeline.scoring.acoustic.config import TrainConfig, load_preset
    from pipeline.scoring.acoustic.data import load_training_data
    from pipeline.scoring.acoustic.train import run_training

    given = {key: value for key, value in options.items() if value is not None}
    config = TrainConfig(**{**(load_preset(preset) if preset else {}), **given})
    config = replace(config, name=config.name or f"{config.extractor}-{config.model}")
    settings = Settings.from_env()
    if where is not None:
        _say_launched(launch_training(settings, "word", config, preset, given, where), as_json)
        return
    directory = _directory(settings, "word", config, run)
    show = progress_printer("Features")
    report = None
    with directory.start() as writer, device_turn(settings, writer):

        def progress(done: int, total: int, message: str) -> None:
            show(done, total, message)
            if done == total or done % 50 == 0:
                writer.update(message=f"features: {done} of {total}")

        data = load_training_data(settings, config, progress=progress, check_stop=writer.check_stop)
        writer.update(data_hash=data.hash)
        report = run_training(data, config, writer)
        writer.update(progress=1.0, message="done", result={"metrics": report.metrics, "model": report.folder})
    if report is None:
        raise TrainingError(f"The run {directory.id} was stopped; it left no model.")
    emit({"run": directory.id, **vars(report)}, as_json, _report_text(directory.id, report))


@train.command()
@click.option("--manifest", type=click.Path(path_type=Path), help="Learn from this manifest (see data/README.md).")
@click.option("--set", "set", help="Learn from a set that was imported from such a manifest.")
@click.option("--part", help="Only this part of the corpus (default train).")
@click.option("--preset", help="Start from a preset: whisper_base, wav2vec2_base, wavlm_large, tiny.")
@click.option("--encoder", help="A local folder or hub name of a speech encoder (default: PRONLAB_ENCODER_PATH).")
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=int)
@click.option("--fold", type=int, help="Which fold of the training speakers is held out.")
@click.option("--epochs", type=int)
@click.option("--batch-s", type=float, help="Seconds of audio a step.")
@click.option("--encoder-rate", type=float)
@click.option("--head-rate", type=float)
@click.option("--noise", type=click.Path(exists=True, file_okay=False), help="A folder of noise to mix in.")
@click.option("--room-responses", type=click.Path(exists=True, file_okay=False), help="A folder of impulse responses.")
@click.option("--resume", help="Go on with this run from its last whole epoch.")
@click.option("--average", multiple=True, help="Instead of training: the mean weights of this run and others of it.")
@executor_options
@run_option
@json_option
def speech(
    preset: str | None,
    resume: str | None,
    average: tuple[str, ...],
    run: Path | None,
    where: "Where | None",
    manifest: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Fine-tune a speech encoder and train the scorer of phones, words and sentences on it."""
    from pipeline.jobs.launcher import find, launch_training
    from pipeline.runs import RunDirectory
    from pipeline.scoring.speech.average import common_config
    from pipeline.scoring.speech.config import SpeechTrainConfig, load_preset
    from pipeline.scoring.speech.run import train_speech

    settings = Settings.from_env()
    if average:
        config = common_config([find(settings, run_id) for run_id in average])
        config = replace(config, name=options["name"] or f"{config.name.rsplit('-seed', 1)[0]}-average")
        directory = RunDirectory.create(settings.runs_root, kind="speech", name=config.name, config=config)
    elif resume is not None:
        directory = find(settings, resume)
        directory.withdraw_stop()
        config = SpeechTrainConfig(**directory.config)
    else:
        given = {key: value for key, value in options.items() if value is not None}
        if manifest is not None:
            given["manifest"] = str(manifest.absolute())
        config = SpeechTrainConfig(**{**(load_preset(preset) if preset else {}), **given})
        config = replace(config, name=config.name or f"speech-{preset or 'custom'}-seed{config.seed}")
        if where is not None:
            _say_launched(launch_training(settings, "speech", config, preset, given, where), as_json)
            return
        directory = _directory(settings, "speech", config, run)
    report = train_speech(settings, config, directory, progress_printer("Reading recordings"))
    figures = "\n".join(f"  {name:20} {value:.3f}" for name, value in report["held_out"].items())
    what = f"mean of {len(config.average)} runs" if config.average else f"epoch {report['epoch']}"
    text = f"Run {directory.id}, {what}, on {report['n_speakers_held_out']} held-out speakers:\n{figures}"
    emit({"run": directory.id, **report}, as_json, text)


@train.command()
@click.option("--manifest", type=click.Path(path_type=Path), help="Learn from this manifest (see data/README.md).")
@click.option("--part", help="Only this part of the corpus (default train).")
@click.option("--evaluation-part", help="Measure on this part after every epoch (default dev).")
@click.option("--preset", help="Start from a preset: paper_r64, pretrained_r320, unfreeze, tiny, ...")
@click.option("--model", help="A local folder or hub name of Phi-4-multimodal, or tiny.")
@click.option("--revision", help="Of a model on the hub: one with native weights.")
@click.option("--name", help="Name of the run.")
@click.option("--epochs", type=int)
@click.option("--batch", type=int, help="Samples a step and device.")
@click.option("--accumulation", type=int, help="Steps whose gradients are added up.")
@click.option("--rate", type=float)
@click.option("--schedule", help="constant (default), linear or cosine.")
@click.option("--warmup-share", type=float)
@click.option("--bits", type=int, help="16 (bfloat16) or 4 (NF4).")
@click.option("--rubric-file", help="A text with the rating scales, in place of ours.")
@click.option("--limit", type=int, help="Train on the first recordings only.")
@click.option("--evaluation-limit", type=int, help="Measure on the first recordings only.")
@click.option("--trackers", help="Send the figures to mlflow or wandb too (if installed; commas between).")
@click.option("--memory-gb", type=float, help="Plan for so much memory instead of the device's.")
@click.option("--seed", type=int)
@click.option("--resume", help="Go on with this run from its last checkpoint.")
@executor_options
@run_option
@json_option
def speechllm(
    preset: str | None,
    resume: str | None,
    run: Path | None,
    where: "Where | None",
    manifest: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Fine-tune Phi-4-multimodal with LoRA to score and transcribe; prints Table 3 of arXiv 2509.02915."""
    from pipeline.jobs.launcher import find, launch_training
    from pipeline.speechllm.config import SpeechLlmConfig, load_preset
    from pipeline.speechllm.table3 import markdown
    from pipeline.speechllm.train import train_speechllm

    settings = Settings.from_env()
    if resume is not None:
        directory = find(settings, resume)
        directory.withdraw_stop()
        config = SpeechLlmConfig(**directory.config)
    else:
        given = {key: value for key, value in options.items() if value is not None}
        if manifest is not None:
            given["manifest"] = str(manifest.absolute())
        config = SpeechLlmConfig(**{**(load_preset(preset) if preset else {}), **given})
        config = replace(config, name=config.name or f"speechllm-{preset or 'custom'}-seed{config.seed}")
        if where is not None:
            _say_launched(launch_training(settings, "speechllm", config, preset, given, where), as_json)
            return
        directory = _directory(settings, "speechllm", config, run)
    report = train_speechllm(settings, config, directory, progress_printer("Decoding recordings"))
    text = f"Run {directory.id}\n\n{markdown(report['table3'], report['figures'])}"
    emit({"run": directory.id, "directory": directory.path, **report}, as_json, text)


@train.command("letter-to-sound")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The model folder.")
@click.option("--epochs", type=int, default=12, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@json_option
def letter_to_sound(out: Path, epochs: int, seed: int, as_json: bool) -> None:
    """Train the pronunciation of words that the dictionary lacks, on the dictionary."""
    from pipeline.jobs.device import device_turn
    from pipeline.runs import RunDirectory
    from pipeline.scoring.speech.letter_to_sound_train import LetterToSoundConfig, train_letter_to_sound

    config = LetterToSoundConfig(epochs=epochs, seed=seed)
    settings = Settings.from_env()
    directory = RunDirectory.create(
        settings.runs_root, kind="letter-to-sound", name="letter-to-sound", config=config, seed=seed
    )
    found = None
    with directory.start() as writer, device_turn(settings, writer):
        found = train_letter_to_sound(config, out, writer)
        writer.update(progress=1.0, message="done", result={"metrics": found})
    if found is None:
        raise TrainingError(f"The run {directory.id} was stopped; it left nothing.")
    text = (
        f"On {found['n_words']} held-out words: {found['word_error_rate_without_stress']:.1%} of the words and "
        f"{found['phone_error_rate']:.1%} of the phones are wrong;"
        f" {found['word_error_rate']:.1%} of the words with stress."
    )
    emit({"run": directory.id, **found}, as_json, text)


@click.command()
@click.argument("run", required=False)
@click.option(
    "--rollback",
    "rubric_back",
    type=click.Choice([str(name) for name in RubricName]),
    help="Go back to the model before.",
)
@json_option
def deploy(run: str | None, rubric_back: str | None, as_json: bool) -> None:
    """Make the model of a finished RUN (its id, or a model folder) the scorer in use for its rubric."""
    from pipeline.jobs.launcher import find
    from pipeline.scoring.acoustic.deploy import deploy as deploy_folder
    from pipeline.scoring.acoustic.deploy import rollback
    from pipeline.scoring.acoustic.model_files import is_model_folder
    from pipeline.scoring.speech.deploy import deploy as deploy_speech
    from pipeline.scoring.speech.deploy import is_deployed
    from pipeline.scoring.speech.deploy import rollback as rollback_speech
    from pipeline.scoring.speech.model_files import is_speech_folder

    settings = Settings.from_env()
    if rubric_back == RubricName.SENTENCE and is_deployed(settings):
        speech_before = rollback_speech(settings)
        text = "the released model, if any" if speech_before is None else speech_before.model_id
        emit({"rubric": rubric_back, "model": speech_before}, as_json, f"Back to {text} for English sentences.")
        return
    if rubric_back is not None:
        before = rollback(settings, RubricName(rubric_back))
        text = "the released model, if any" if before is None else before.model_id
        emit({"rubric": rubric_back, "model": before}, as_json, f"Back to {text} for {rubric_back}.")
        return
    if run is None:
        raise ModelError("Name the run to deploy, e.g. `pronlab deploy acoustic57-mlp-1a2b3c4d`, or --rollback RUBRIC.")
    given = Path(run)
    folder = given if is_model_folder(given) or is_speech_folder(given) else find(settings, run).path / "model"
    if is_speech_folder(folder):
        speech_info = deploy_speech(settings, folder)
        emit(speech_info, as_json, f"{speech_info.model_id} now scores English sentences.")
        return
    info = deploy_folder(settings, folder)
    mae = info.test.get("mae")
    emit(
        info,
        as_json,
        f"{info.model_id} now scores the {info.rubric} rubric (test MAE {mae if mae is None else f'{mae:.2f}'}).",
    )


def _directory(settings: Settings, kind: str, config: Any, run: Path | None) -> "RunDirectory":
    """The one that the launcher made, else a new one."""
    from pipeline.runs import RunDirectory

    if run is not None:
        return RunDirectory(run)
    return RunDirectory.create(settings.runs_root, kind=kind, name=config.name, config=config, seed=config.seed)


def _say_launched(run: "RunDirectory", as_json: bool) -> None:
    text = f"{run.id} is on its way. `pronlab runs show {run.id}` watches, `pronlab runs stop {run.id}` ends it."
    emit({"run": run.id, "directory": run.path, "status": run.state.status}, as_json, text)


def _report_text(run_id: str, report: Any) -> str:
    lines = [f"Run {run_id}, over speakers nobody had heard:"]
    for name, figures in {"this model": report.metrics, **report.baselines}.items():
        pcc = "-" if figures.pcc is None else f"{figures.pcc:.3f}"
        r2 = "-" if figures.r2 is None else f"{figures.r2:.3f}"
        lines.append(
            f"  {name:17} MAE {figures.mae:6.2f}  RMSE {figures.rmse:6.2f}  R2 {r2:>6}  PCC {pcc:>6}  n {figures.n}"
        )
    lines += [f"  {warning}" for warning in report.warnings]
    return "\n".join([*lines, f"`pronlab deploy {run_id}` makes it the scorer in use."])
