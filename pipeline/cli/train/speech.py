"""`pronlab train speech`, `letter-to-sound` and `sounds`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._languages import LANGUAGE
from pipeline.cli._numbers import SEED
from pipeline.cli._output import emit, json_option, message_printer, progress_printer
from pipeline.cli._outputs import OUTPUT_FOLDER
from pipeline.cli._training import Chosen, Start, corpus_options, prepare, training_options
from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.runs.messages import DONE
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.scoring.speech.training.config import SpeechTrainConfig


@click.command()
@corpus_options
@click.option("--encoder", help="Local folder or hub name of a speech encoder (default: PRONLAB_ENCODER_PATH).")
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@click.option("--fold", type=int, help="Number of the fold of speakers to hold out.")
@click.option(
    "--leave-out", type=int, multiple=True, help="Number of a fold of speakers that is not used at all; repeatable."
)
@click.option("--epochs", type=int, help="Number of epochs.")
@click.option("--batch-s", type=float, help="Seconds of audio per step.")
@click.option("--encoder-rate", type=float, help="Learning rate of the encoder.")
@click.option("--head-rate", type=float, help="Learning rate of the scoring head.")
@click.option("--noise", type=click.Path(exists=True, file_okay=False), help="Folder of noise to mix in.")
@click.option(
    "--room-responses", type=click.Path(exists=True, file_okay=False), help="Folder of room impulse responses."
)
@click.option(
    "--average", multiple=True, help="Average the weights of this run and others instead of training; repeatable."
)
@click.option("--start", help="Begin with the listener of the model in this folder, or of `released`.")
@click.option("--listener", help="Train score heads alone, on the listener of the model in this folder, or `released`.")
@click.option(
    "--other-listener",
    "other_listeners",
    multiple=True,
    help="With --listener: folder of a model that also hears speakers whom that listener learned from; repeatable.",
)
@training_options("whisper_base, wav2vec2_base, wavlm_large, further, heads, heads_unheard, tiny")
def speech(chosen: Chosen, average: tuple[str, ...], manifest: Path | None, **options: Any) -> None:
    """Fine-tune a speech encoder and train the English scorer of phones, words and sentences."""
    from pipeline.scoring.speech.training.config import SpeechTrainConfig, load_preset

    def named(config: SpeechTrainConfig) -> SpeechTrainConfig:
        return replace(config, name=config.name or f"speech-{chosen.preset or 'custom'}-seed{config.seed}")

    if average:
        start = _averaging(average, options["name"])
    else:
        options["manifest"] = None if manifest is None else str(manifest.absolute())
        options |= {name: options[name] or None for name in ("leave_out", "other_listeners")}  # else they undo a preset
        prepared = prepare("speech", SpeechTrainConfig, chosen, options, load_preset, named)
        if prepared is None:
            return
        start = prepared
    from pipeline.scoring.speech.run import train_speech

    settings, directory, config = start.settings, start.directory, start.config
    report = train_speech(settings, config, directory, progress_printer("Reading recordings"))
    figures = "\n".join(f"  {name:20} {value:.3f}" for name, value in report["held_out"].items())
    weights = f"mean of {len(config.average)} runs" if config.average else f"epoch {report['epoch']}"
    text = f"Run {directory.id}, {weights}, on {report['n_speakers_held_out']} held-out speakers:\n{figures}"
    emit({"run": directory.id, **report}, chosen.as_json, text)


def _averaging(ids: tuple[str, ...], name: str | None) -> "Start[SpeechTrainConfig]":
    """A new run that takes the mean of these."""
    from pipeline.jobs.launcher import find
    from pipeline.runs import RunDirectory
    from pipeline.scoring.speech.training.average import common_config

    settings = Settings.from_env()
    config = common_config([find(settings, run_id) for run_id in ids])
    config = replace(config, name=name or f"{config.name.rsplit('-seed', 1)[0]}-average")
    directory = RunDirectory.create(settings.runs_root, kind="speech", name=config.name, config=config)
    return Start(settings, directory, config)


@click.command("letter-to-sound")
@click.option("--out", required=True, type=OUTPUT_FOLDER, help="The model folder to add it to.")
@click.option("--epochs", type=int, default=12, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@json_option
def letter_to_sound(out: Path, epochs: int, seed: int, as_json: bool) -> None:
    """Train letter-to-sound rules on the dictionary, for words that it lacks."""
    from pipeline.jobs.requirements import require_packages

    require_packages("letter-to-sound")
    from pipeline.jobs.device_queue import device_turn
    from pipeline.runs import RunDirectory
    from pipeline.scoring.speech.packaging.letter_to_sound_training import LetterToSoundConfig, train_letter_to_sound

    config = LetterToSoundConfig(epochs=epochs, seed=seed)
    settings = Settings.from_env()
    directory = RunDirectory.create(
        settings.runs_root, kind="letter-to-sound", name="letter-to-sound", config=config, seed=seed
    )
    errors = None
    with replace(directory, told=message_printer()).start() as writer, device_turn(settings, writer):
        errors = train_letter_to_sound(config, out, writer)
        writer.update(progress=1.0, message=DONE, result={"metrics": errors})
    if errors is None:
        raise TrainingError(N_("The run {run} was stopped; nothing was saved."), run=directory.id)
    text = (
        f"On {errors['n_words']} held-out words: {errors['word_error_rate_without_stress']:.1%} of the words and "
        f"{errors['phone_error_rate']:.1%} of the phones are wrong;"
        f" {errors['word_error_rate']:.1%} of the words with stress."
    )
    emit({"run": directory.id, **errors}, as_json, text)


@click.command()
@click.option("--set", "set_name", default="", help="Train on the sounds that people marked in this set of words.")
@click.option("--language", type=LANGUAGE, default="tr", show_default=True, help="Language of the words.")
@click.option(
    "--noise", type=click.Path(path_type=Path, file_okay=False), help="Without --set: folder with noise to mix in."
)
@click.option(
    "--room-responses",
    type=click.Path(path_type=Path, file_okay=False),
    help="Without --set: folder with impulse responses of rooms.",
)
@click.option(
    "--out",
    required=True,
    type=OUTPUT_FOLDER,
    help="Folder for the model, e.g. DEPLOYED/sounds-tr.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@json_option
def sounds(
    set_name: str, language: str, noise: Path | None, room_responses: Path | None, out: Path, seed: int, as_json: bool
) -> None:
    """Train the model that marks single sounds of words beside a reference (experimental)."""
    from pipeline.jobs.requirements import require_packages

    require_packages("sounds")
    from pipeline.jobs.device_queue import device_turn
    from pipeline.runs import RunDirectory
    from pipeline.scoring.sounds.training.card import ROWS, figure
    from pipeline.scoring.sounds.training.synthetic import SynthesisConfig
    from pipeline.scoring.sounds.training.train import SoundsTrainConfig, train_sounds

    if not set_name and language != "tr":
        raise TrainingError(
            N_(
                "Synthetic faults are known for Turkish (tr) alone, got {language!r}. Give --set with a set of "
                "words whose sounds people marked."
            ),
            language=language,
        )
    synthesis = SynthesisConfig(noise=str(noise or ""), room_responses=str(room_responses or ""), seed=seed)
    config = SoundsTrainConfig(set_name, language, synthesis, seed=seed)
    settings = Settings.from_env()
    directory = RunDirectory.create(
        settings.runs_root, kind="sounds", name=f"sounds-{language}", config=config, seed=seed
    )
    report: dict[str, Any] | None = None
    with replace(directory, told=message_printer()).start() as writer, device_turn(settings, writer):
        report = train_sounds(
            settings, config, out, writer, directory.state.git_commit, progress_printer("Synthetic recordings")
        )
        metrics = {name: report[name]["value"] for name, _ in ROWS}
        writer.update(progress=1.0, message=DONE, result={"metrics": metrics, "model": out})
    if report is None:
        raise TrainingError(N_("The run {run} was stopped; nothing was saved."), run=directory.id)
    n = report["n"]
    lines = [f"Run {directory.id}, on {n['voices']} held-out voices ({n['sounds']} sounds, {n['wrong']} wrong):"]
    lines += [f"  {title:52} {figure(report[name], name)}" for name, title in ROWS]
    emit({"run": directory.id, "out": out, **report}, as_json, "\n".join([*lines, f"Saved in {out}."]))


COMMANDS = (speech, letter_to_sound, sounds)
