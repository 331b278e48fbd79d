"""`pronlab train`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import background_run
from pipeline.cli._languages import LANGUAGE
from pipeline.cli._numbers import SEED
from pipeline.cli._output import emit, json_option, message_printer, progress_printer, say
from pipeline.cli._outputs import OUTPUT_FOLDER
from pipeline.cli._training import EXTRACTOR_HELP, Chosen, Start, prepare, resolve, training_options
from pipeline.errors import CorpusError, TrainingError
from pipeline.i18n import N_
from pipeline.runs.messages import DONE, counted
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.runs import RunWriter
    from pipeline.scoring.speech.training.config import SpeechTrainConfig
    from pipeline.speechllm.config import SpeechLlmConfig


balance_option = click.option(
    "--balance", is_flag=True, default=None, help="Weight the items so that every band of scores counts alike."
)
PART_HELP = "Only this part of the corpus (default: train, or all if the corpus has no parts)."


@click.group()
def train() -> None:
    """Train a model."""


@train.command()
@click.option("--set", "set", help="Train on the rated recordings of this set.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Train on the set imported from this manifest.")
@click.option("--csv", help="Train on a CSV file written by `pronlab features`.")
@click.option("--part", help="Only this part of the corpus, e.g. train.")
@click.option(
    "--labels", type=click.Choice(["real", "mock"]), help="Real ratings (default), or made-up scores for a trial run."
)
@click.option(
    "--model", type=click.Choice(["mlp", "forest", "boosting"]), help="Network (default), random forest or boosting."
)
@click.option(
    "--search", type=click.Choice(["none", "grid", "full", "optuna"]), help="Search for settings of the trees."
)
@click.option("--trials", type=int, help="Trials of Optuna (default 20).")
@click.option("--extractor", help=EXTRACTOR_HELP)
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@click.option("--folds", type=int, help="Number of folds (default 5; fewer where there are fewer groups).")
@click.option(
    "--split",
    type=click.Choice(["auto", "speaker", "word", "recording"]),
    help="What folds keep together (default auto: speakers if there are three, else words).",
)
@click.option("--epochs", type=int, help="Maximum number of epochs (default 120).")
@click.option("--patience", type=int, help="Epochs without improvement before training stops.")
@click.option("--batch-size", type=int, help="Recordings per step.")
@click.option("--learning-rate", type=float, help="Learning rate of the network.")
@click.option("--weight-decay", type=float, help="Weight decay of the network.")
@click.option("--dropout", type=float, help="Dropout rate of the network.")
@click.option("--trees", type=int, help="Number of trees.")
@click.option("--min-leaf", type=int, help="Minimum recordings per leaf.")
@balance_option
@training_options("word_mlp, ...", resumable=False)
def word(chosen: Chosen, **options: Any) -> None:
    """Train a scorer on one feature vector per recording, cross-validated over speakers (or words, with one or two)."""
    from pipeline.scoring.feature_based.config import load_preset

    manifest = options.pop("manifest")
    if manifest is not None:
        options["set"] = _imported_as(manifest)
    _train_words(chosen, options, load_preset)


@train.command()
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Train on this manifest (see docs/reference/formats.md)."
)
@click.option("--set", "set", help="Train on this imported set.")
@click.option("--part", help=PART_HELP)
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


@train.command()
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Train on this manifest (see docs/reference/formats.md)."
)
@click.option("--set", "set", help="Train on this imported set.")
@click.option("--part", help=PART_HELP)
@click.option(
    "--evaluation-part",
    help="Evaluate on this part after every epoch (default: the part named dev, validation or test, else some of the "
    "training speakers).",
)
@click.option("--model", help="Local folder or hub name of Phi-4-multimodal, or a stand-in: tiny, standin.")
@click.option("--revision", help="Revision of a hub model; it needs native weights.")
@click.option("--name", help="Name of the run.")
@click.option("--epochs", type=int, help="Number of epochs.")
@click.option("--batch", type=int, help="Samples per step and device; halved where the memory does not suffice.")
@click.option("--accumulation", type=int, help="Steps whose gradients are accumulated.")
@click.option("--rate", type=float, help="Learning rate.")
@click.option("--schedule", help="Learning-rate schedule: constant (default), linear or cosine.")
@click.option("--warmup-share", type=float, help="Share of steps with a rising learning rate.")
@click.option("--bits", type=int, help="Bits per weight: 16 (bfloat16) or 4 (NF4).")
@click.option("--attention", help="The language model's: auto (default), flash_attention_2, sdpa or eager.")
@click.option("--device", help="auto (default: CUDA, MPS or the CPU, as found), cuda, cuda:1, mps or cpu.")
@click.option("--validation-share", type=float, help="Share of the training speakers left out for validation.")
@click.option("--validation", help="What to measure on them: loss (default), or figures (PCC and PER of the answers).")
@click.option("--best-epoch/--last-epoch", default=None, help="Keep the epoch with the best validation.")
@click.option("--rubric-file", help="Text file with rating scales to use instead of the built-in ones.")
@click.option("--prompt-file", help="YAML file with the prompts and their layout, instead of the built-in ones.")
@click.option("--limit", type=int, help="Train on the first N recordings only.")
@click.option("--evaluation-limit", type=int, help="Evaluate on the first N recordings only.")
@click.option("--trackers", help="Also send metrics to mlflow or wandb (if installed; separated by commas).")
@click.option("--memory-gb", type=float, help="Plan for this much memory instead of the device's.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@click.option("--arm", "arms", multiple=True, help="Train this preset, then the next one given; repeatable.")
@click.option("--plan", is_flag=True, help="Show the memory and time needed, without loading weights or training.")
@click.option("--gpu", default="", help='With --plan: plan for this GPU, e.g. "A100 80GB", instead of the one here.')
@training_options(
    "paper_r64, paper_r64_on_speech, pretrained_r320 (each with _4bit), unfreeze, zero_shot, tiny, standin"
)
def speechllm(
    chosen: Chosen, manifest: Path | None, arms: tuple[str, ...], plan: bool, gpu: str, **options: Any
) -> None:
    """Fine-tune Phi-4-multimodal with LoRA to score and transcribe, and print Table 3 of arXiv 2509.02915."""
    if gpu and not plan:
        raise click.UsageError("--gpu goes with --plan: a training runs on the device that is here.")
    if arms and (chosen.preset or chosen.resume or chosen.run or chosen.executor or options["name"]):
        raise click.UsageError(
            "--arm trains presets one after the other in this process. Leave out --preset, --resume, --name and "
            "--executor; runs that are sent to an executor wait for each other by themselves."
        )
    options["manifest"] = None if manifest is None else str(manifest.absolute())
    each = [replace(chosen, preset=arm) for arm in arms] or [chosen]
    if plan:
        _plan_speechllm(each, options, gpu)
        return
    reports = [report for report in (_train_speechllm(arm, options) for arm in each) if report is not None]
    if not reports:
        return
    from pipeline.speechllm.table3 import markdown, side_by_side

    tables = [markdown(report["table3"], report["figures"], stand_in=report["stand_in"]) for report in reports]
    texts = [
        f"Run {report['run']}, epoch {report['epoch']}\n\n{table}"
        for report, table in zip(reports, tables, strict=True)
    ]
    if arms:
        together = side_by_side({report["run"]: report["table3"] for report in reports})
        emit({"arms": reports}, chosen.as_json, "\n\n".join([*texts, together]))
    else:
        emit(reports[0], chosen.as_json, texts[0])


def _train_speechllm(chosen: Chosen, options: dict[str, Any]) -> dict[str, Any] | None:
    """Train one preset; None where it was sent to an executor."""
    from pipeline.speechllm.config import SpeechLlmConfig, load_preset

    start = prepare("speechllm", SpeechLlmConfig, chosen, options, load_preset, _named_speechllm(chosen))
    if start is None:
        return None
    from pipeline.devices import find_device
    from pipeline.speechllm.train import train_speechllm

    settings, directory, config = start.settings, start.directory, start.config
    say(find_device(config.device, settings.device).text, err=True)
    report = train_speechllm(settings, config, directory, progress_printer("Decoding recordings"))
    return {"run": directory.id, "directory": directory.path, **report}


def _plan_speechllm(each: "list[Chosen]", options: dict[str, Any], gpu: str) -> None:
    from pipeline.jobs.requirements import require_packages
    from pipeline.speechllm.config import SpeechLlmConfig, load_preset

    plans: dict[str, Any] = {}
    for chosen in each:
        config = resolve(SpeechLlmConfig, chosen, options, load_preset, _named_speechllm(chosen))
        require_packages("plan", config)
        from pipeline.speechllm.dry_run import plan_ahead

        with background_run(chosen.run, N_("Decoding recordings")) as work:
            ahead = plan_ahead(Settings.from_env(), config, chosen.devices or 1, work.progress, gpu)
            work.result(ahead)
        plans[chosen.preset or config.name] = ahead
    texts = [f"{ahead.text}\n{ahead.refusal or 'It fits.'}" for ahead in plans.values()]
    if len(plans) == 1:
        emit(next(iter(plans.values())), each[0].as_json, texts[0])
        return
    emit(
        {"arms": plans},
        each[0].as_json,
        "\n\n".join(f"{name}:\n{text}" for name, text in zip(plans, texts, strict=True)),
    )


def _named_speechllm(chosen: Chosen) -> "Callable[[SpeechLlmConfig], SpeechLlmConfig]":
    def named(config: "SpeechLlmConfig") -> "SpeechLlmConfig":
        return replace(config, name=config.name or f"speechllm-{chosen.preset or 'custom'}-seed{config.seed}")

    return named


@train.command("letter-to-sound")
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


@train.command()
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


def _imported_as(manifest: Path) -> str:
    """The set that holds the ratings of a manifest's recordings. Raises CorpusError where it was not imported."""
    from pipeline.labels.corpus_source import set_of_manifest

    set_ = set_of_manifest(Settings.from_env(), manifest)
    if set_ is None:
        raise CorpusError(
            N_("{manifest} was not imported yet. Run `pronlab import {manifest}`, then train on its set."),
            manifest=str(manifest),
        )
    return set_.name


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


def _train_words(chosen: Chosen, options: dict[str, Any], load_preset: "Callable[[str], dict[str, Any]]") -> None:
    """The one route of the word scorer, for `train word` and `train table --task words`."""
    from pipeline.scoring.feature_based.config import TrainConfig

    def named(config: TrainConfig) -> TrainConfig:
        return replace(config, name=config.name or f"{config.extractor}-{config.model}")

    start = prepare("word", TrainConfig, chosen, options, load_preset, named)
    if start is None:
        return
    from pipeline.jobs.device_queue import device_turn
    from pipeline.scoring.feature_based.before_training import word_blindness
    from pipeline.scoring.feature_based.data import load_training_data
    from pipeline.scoring.feature_based.train import run_training

    settings, directory, config = start.settings, start.directory, start.config
    show = progress_printer("Features")
    report = None
    with directory.start() as writer, device_turn(settings, writer):

        def progress(done: int, total: int, message: str) -> None:
            show(done, total, message)
            if done == total or done % 50 == 0:
                writer.update(message=counted(N_("features"), done, total))

        data = load_training_data(settings, config, progress=progress, check_stop=writer.check_stop)
        writer.update(data_hash=data.hash)
        blind = None if chosen.run else word_blindness(settings, config)
        if blind is not None:
            say(f"pronlab: {blind}", err=True)
        report = run_training(data, config, writer)
        writer.update(progress=1.0, message=DONE, result={"metrics": report.metrics, "model": report.folder})
    if report is None:
        raise TrainingError(N_("The run {run} was stopped; there is no model."), run=directory.id)
    emit({"run": directory.id, **vars(report)}, chosen.as_json, _report_text(directory.id, report))


def _report_text(run_id: str, report: Any) -> str:
    from pipeline.scoring.feature_based.config import BY_SPEAKER
    from pipeline.scoring.feature_based.split import HELD_OUT

    loud, others = (report.warnings[:1], report.warnings[1:]) if report.split != BY_SPEAKER else ((), report.warnings)
    lines = [*(f"!! {warning}" for warning in loud), f"Run {run_id}, on {HELD_OUT[report.split]}:"]
    for name, figures in {"this model": report.metrics, **report.baselines}.items():
        pcc = "-" if figures.pcc is None else f"{figures.pcc:.3f}"
        r2 = "-" if figures.r2 is None else f"{figures.r2:.3f}"
        lines.append(
            f"  {name:17} MAE {figures.mae:6.2f}  RMSE {figures.rmse:6.2f}  R2 {r2:>6}  PCC {pcc:>6}  n {figures.n}"
        )
    lines += [f"  {warning}" for warning in others]
    return "\n".join([*lines, f"`pronlab deploy {run_id}` deploys it."])


@train.command()
@click.option("--task", help="prompts (default); words is the same as `pronlab train word --model forest`.")
@click.option("--source", help="A file of prompts (default: the collected prompts); for words, a set of recordings.")
@click.option("--model", type=click.Choice(["forest", "boosting"]), help="Random forest (default) or boosting.")
@click.option(
    "--search",
    type=click.Choice(["none", "grid", "full", "optuna"]),
    help="How to search for settings within each fold: grid tries a few, full every combination (minutes).",
)
@click.option("--trials", type=int, help="Number of Optuna trials (default 20).")
@click.option("--folds", type=int, help="Number of cross-validation folds.")
@click.option("--trees", type=int, help="Number of trees.")
@balance_option
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@training_options("forest, boosting_searched", resumable=False)
def table(chosen: Chosen, **options: Any) -> None:
    """Train trees on a table: cross-validated over people, with the task's rule as a baseline."""
    from pipeline.tabular.catalogue import WORDS
    from pipeline.tabular.config import TabularConfig, load_preset

    if options["task"] == WORDS and chosen.run is None:
        say("pronlab: words are trained by the word scorer, as `pronlab train word` does.", err=True)
        shared = {name: value for name, value in options.items() if name not in ("task", "source", "model")}
        word_options = {**shared, "set": options["source"], "model": options["model"] or "forest"}
        _train_words(chosen, word_options, load_preset)
        return

    def named(config: TabularConfig) -> TabularConfig:
        return config if config.name else replace(config, name=f"{config.task}-{config.model}")

    start = prepare("table", TabularConfig, chosen, options, load_preset, named)
    if start is None:
        return
    from pipeline.tabular.train import train_tabular

    show = progress_printer("Table")
    _beside_baselines(start, chosen, lambda writer: train_tabular(start.settings, start.config, writer, show))


@train.command()
@click.option("--source", help="A file of prompts (default: the collected prompts).")
@click.option("--model", help="Folder with a BERT-like encoder and its tokenizer, or tiny.")
@click.option("--epochs", type=int, help="Number of epochs.")
@balance_option
@click.option("--name", help="Name of the run.")
@click.option("--seed", type=SEED, help="Seed of all random draws.")
@training_options("tiny, bert_base", resumable=False)
def prompts(chosen: Chosen, **options: Any) -> None:
    """Fine-tune a text encoder on the scores of prompts, tested on held-out authors."""
    from pipeline.tabular.prompt_encoder_config import PromptModelConfig, load_preset

    def named(config: PromptModelConfig) -> PromptModelConfig:
        return config if config.name else replace(config, name=f"prompts-{Path(config.model).name}")

    start = prepare("prompts", PromptModelConfig, chosen, options, load_preset, named)
    if start is None:
        return
    from pipeline.jobs.device_queue import device_turn
    from pipeline.tabular.prompt_encoder import train_encoder

    def fine_tune(writer: "RunWriter") -> dict[str, Any]:
        with device_turn(start.settings, writer):
            return train_encoder(start.settings, start.config, writer)

    _beside_baselines(start, chosen, fine_tune)


def _beside_baselines(start: Start[Any], chosen: Chosen, training: "Callable[[RunWriter], dict[str, Any]]") -> None:
    """Train, and print the run's figures beside its baselines'. Raises TrainingError where it was stopped."""
    directory = start.directory
    report: dict[str, Any] | None = None
    with directory.start() as writer:
        report = training(writer)
        writer.update(progress=1.0, message=DONE, result={"metrics": report["metrics"]})
    if report is None:
        raise TrainingError(N_("The run {run} was stopped."), run=directory.id)
    lines = [f"Run {directory.id}"]
    for name, figures in {"this model": report["metrics"], **report["baselines"]}.items():
        lines.append(
            f"  {name:20} MAE {figures['mae']:5.1f}  RMSE {figures['rmse']:5.1f}  R2 {figures['r2']:6.2f}  "
            f"n {figures['n']}"
        )
    lines += [f"! {report['unmeasured']}"] if report.get("unmeasured") else []
    lines.append(f"`pronlab table deploy {directory.id}` deploys it.")
    emit({"run": directory.id, "directory": directory.path, **report}, chosen.as_json, "\n".join(lines))
