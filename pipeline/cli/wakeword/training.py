"""Detectors: train, and what goes before: features, learning rate, search."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import background_run, run_option, stoppable
from pipeline.cli._numbers import SEED
from pipeline.cli._output import counted, emit, json_option, message_printer, progress_printer, say
from pipeline.cli._outputs import OUTPUT_FOLDER
from pipeline.cli._training import Chosen, prepare, resolve, training_options
from pipeline.cli.wakeword._folders import folder, folders_by_word, plain_folder, word_folder
from pipeline.cli.wakeword._words import ENGLISH_WORD
from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message, duration
from pipeline.records import to_json
from pipeline.runs.messages import DONE
from pipeline.settings import Settings
from pipeline.text import one_line

if TYPE_CHECKING:
    from pipeline.runs import RunDirectory
    from pipeline.wakeword.config import WakewordConfig

SECTIONS = {
    "positive": "data", "negative": "data", "hard_negative": "data", "noise": "data", "rir": "data",
    "max_positives": "data", "source": "data", "split": "data", "fold": "data", "model": "model.name", "width": "model",
    "target": "model", "steps": "train", "batch": "train", "rate": "train", "teacher": "distil",
    "embedding": "features",
}  # fmt: skip
PRESETS = "default, embedding, esp32, small, thorough, tiny, or one saved on the Wake word page"


def _options(*options: Any) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# Each command takes the options that it heeds.
clip_options = _options(
    click.option(
        "--positive",
        type=word_folder,
        multiple=True,
        help="Folder of clips of the word; repeatable. NAME=FOLDER teaches several words to one detector.",
    ),
    click.option("--negative", type=folder, multiple=True, help="Folder of other speech; repeatable."),
    click.option("--hard-negative", type=folder, multiple=True, help="Folder of words that sound similar; repeatable."),
    click.option("--noise", type=folder, multiple=True, help="Folder of noise to mix in; repeatable."),
    click.option("--rir", type=folder, multiple=True, help="Folder of room impulse responses; repeatable."),
    click.option("--split", type=plain_folder, help="Output of `pronlab wakeword split`, instead of folders."),
    click.option("--fold", type=int, help="Fold of --split to validate on; the others are trained on."),
    click.option("--source", help="Regular expression whose first group in a clip's path is the speaker."),
    click.option("--max-positives", type=int, help="Maximum number of clips of the word."),
    click.option(
        "--embedding",
        type=plain_folder,
        help="Folder of a frozen speech embedding to hear through (--preset embedding).",
    ),
    click.option("--seed", type=SEED, help="Seed of all random draws."),
)
network_options = _options(
    click.option(
        "--model",
        help="Architecture: tcn (default), tiny_conv, cd_dnn, lstm, gru, bc_resnet, mobilenet_v3, resnet18, ...",
    ),
    click.option("--target", help="Device the model must fit: esp32_s3, raspberry_pi (default), phone or desktop."),
    click.option("--batch", type=int, help="Clips per step."),
    click.option("--teacher", help="Wake-word run, or folder of a speech encoder, to learn from."),
    click.option("--name", help="Name of the run."),
)
width_option = click.option("--width", type=float, help="Multiplier of the number of channels.")


@click.command()
@clip_options
@network_options
@width_option
@click.option(
    "--steps",
    type=int,
    help="Steps of the first pass; those after mining and on the 8-bit grid follow, as the preset or "
    "`--override mining.steps=N`, `mining.rounds=N` and `train.qat_steps=N` say. The run names them all.",
)
@click.option("--rate", type=float, help="Learning rate.")
@click.option("--word", help="What the detector reports (default: the word of spoken clips, else the name of the run).")
@training_options(PRESETS)
def train(chosen: Chosen, **options: Any) -> None:
    """Train a detector on clips of a word, other speech and noise."""
    from pipeline.wakeword.config import WakewordConfig

    preset = replace(chosen, preset=chosen.preset or "default")
    start = prepare("wakeword", WakewordConfig, preset, _given(options), _preset, _named, _check)
    if start is None:
        return
    from pipeline.wakeword.planned_steps import steps_in_words
    from pipeline.wakeword.run import train_wakeword
    from pipeline.wakeword.threshold import all_in_words

    say(steps_in_words(start.config), err=True)
    report = train_wakeword(start.settings, start.config, start.directory, progress_printer("Wake word"))
    validation = report["validation"]
    bases = {word: figures["threshold"] for word, figures in report.get("words", {}).items()}
    text = (
        f"Run {start.directory.id}: {report['parameters']:,} parameters, {report['steps']} steps in "
        f"{duration(report['training_s'] / 3600)}; on {validation['n_words']} held-back clips "
        f"{validation['miss_at_few_alarms']:.1%} missed on average at 0 to 20 false alarms. "
        f"{all_in_words(bases or {'': report['threshold']})} `pronlab wakeword evaluate` measures it on hours of sound."
    )
    if learnt := report.get("phones"):
        text += (
            f" {learnt['word']!r} has not been learnt for the judge of phones: {learnt['problem']}"
            if "problem" in learnt
            else f" The judge of phones has learnt {learnt['word']!r} from its clips: `evaluate`, `detect` of a "
            f"recording and the bundle of `export` ask it, except with --no-phones."
        )
    if unusable := report["clips_left_out"]:
        text += f" Left out: {counted(len(unusable), 'clip')} that cannot be used, e.g. {unusable[0]}"
    if report["files_left_out"]:
        files = report["files_left_out"]
        text += (
            f" Left out, as they are no audio or links that lead out of their folders: {counted(len(files), 'file')}, "
            f"e.g. {one_line(files[0])}."
        )
    if report["rooms_left_out"]:
        text += f" Room impulse responses left out: {' '.join(report['rooms_left_out'])}"
    emit({"run": start.directory.id, "directory": start.directory.path, **report}, chosen.as_json, text)


@click.command("features")
@click.argument("out", type=OUTPUT_FOLDER)
@clip_options
@training_options(PRESETS, resumable=False, launched=False)
def features_command(chosen: Chosen, out: Path, **options: Any) -> None:
    """Render training clips once, into OUT, for training runs with --override data.features=OUT."""
    from pipeline.jobs.requirements import require_packages
    from pipeline.wakeword.config import WakewordConfig

    preset = replace(chosen, preset=chosen.preset or "default")
    config = resolve(WakewordConfig, preset, _given(options), _preset, _named)
    require_packages("wakeword", config)
    from pipeline.wakeword.data.feature_cache import read_index
    from pipeline.wakeword.training.material import make_features

    clips = make_features(config, out, progress_printer("Wake word"))
    lengths = read_index(out)["lengths"]
    text = f"{len(clips.train)} clips in {out}: " + ", ".join(f"{len(n)} of {label}" for label, n in lengths.items())
    emit({"directory": out, "clips": len(clips.train), "held": len(clips.held)}, chosen.as_json, text)


@click.command("rate-range")
@clip_options
@network_options
@width_option
@training_options(PRESETS, resumable=False, launched=False, reported=True)
def rate_range_command(chosen: Chosen, **options: Any) -> None:
    """Find a learning rate: raise it in a short run until the loss rises."""
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.file_names import RATE_RANGE

    settings = Settings.from_env()
    preset = replace(chosen, preset=chosen.preset or "default")
    config = resolve(WakewordConfig, preset, _given(options), _preset, _named)
    directory = _directory(chosen, settings.jobs_root, RATE_RANGE, config)
    from pipeline.wakeword.training.learning_rate_range import rate_range
    from pipeline.wakeword.training.material import make_trainer

    with directory.start() as writer:
        sweep = rate_range(make_trainer(settings, config, writer, progress_printer("Wake word")).trainer)
        for step, (rate, loss) in enumerate(zip(sweep.rates, sweep.losses, strict=True), start=1):
            writer.log_metrics(event="rate", step=step, rate=rate, loss=loss)
        writer.update(progress=1.0, message=DONE, result={"suggested": sweep.suggested})
        shown = range(0, len(sweep.rates), max(1, len(sweep.rates) // 20))
        lines = [f"{sweep.rates[i]:.2e}  {sweep.losses[i]:.3f}" for i in shown]
        text = "rate      loss\\n".replace("\\n", "\n") + "\n".join(lines) + f"\nSuggested: {sweep.suggested:.1e}"
        emit(sweep, chosen.as_json, text)


@click.command("search")
@clip_options
@network_options
@click.option("--trials", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Number of trials.")
@click.option(
    "--trial-steps", type=click.IntRange(1, 10_000_000), default=400, show_default=True, help="Steps per trial."
)
@training_options(PRESETS, resumable=False, launched=False, reported=True)
def search_command(chosen: Chosen, trials: int, trial_steps: int, **options: Any) -> None:
    """Search for better settings with Optuna, and write the best to a preset file."""
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.file_names import SEARCH

    settings = Settings.from_env()
    preset = replace(chosen, preset=chosen.preset or "default")
    config = resolve(WakewordConfig, preset, _given(options), _preset, _named)
    directory = _directory(chosen, settings.runs_root, SEARCH, config)
    from pipeline.wakeword.search import BEST, search_settings

    best: dict[str, Any] | None = None
    with directory.start() as writer:
        best = search_settings(settings, config, trials, trial_steps, writer, progress_printer("Wake word"))
        writer.update(progress=1.0, message=DONE, result=best)
    if best is None:
        raise TrainingError(
            N_("The search {run} was stopped.{by_then}"), run=directory.id, by_then=_best_by_then(directory.path / BEST)
        )
    settings_text = "\n".join(f"  {name}: {value}" for name, value in best["settings"].items())
    text = f"Best of {best['trials']}: trial {best['trial']}, {best['value']:.4f}\n{settings_text}\nIn {best['file']}"
    emit({"run": directory.id, **best}, chosen.as_json, text)


def _best_by_then(file: Path) -> Message | str:
    return Message(N_(" The best settings by then are in {file}."), file=str(file)) if file.is_file() else ""


def _directory(chosen: Chosen, root: Path, kind: str, config: "WakewordConfig") -> "RunDirectory":
    """The launcher's, or a new one. Raises JobError where packages are missing."""
    from pipeline.jobs.requirements import require_packages
    from pipeline.runs import RunDirectory

    if chosen.run is not None:
        return RunDirectory(chosen.run)
    require_packages(kind, config)
    _check(Settings.from_env(), config)
    made = RunDirectory.create(root, kind=kind, name=config.name, config=config)
    return replace(made, told=message_printer())


def _check(settings: Settings, config: "WakewordConfig") -> None:
    from pipeline.wakeword.run import check_ready

    check_ready(settings, config)


def _preset(name: str) -> dict[str, Any]:
    from pipeline.wakeword.saved_presets import load_preset

    return load_preset(Settings.from_env(), name)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Options as settings of their sections."""
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value is None or value == ():
            continue
        if name == "positive":
            by_word = folders_by_word(value)
            if "" not in by_word:
                given["data.words"] = [word for word, paths in by_word.items() for _path in paths]
            given["data.positive"] = [str(path) for paths in by_word.values() for path in paths]
            continue
        if isinstance(value, tuple):
            value = [str(path) for path in value]
        elif isinstance(value, Path):
            value = str(value)
        section = SECTIONS.get(name)
        key = name if section is None else section if "." in section else f"{section}.{name}"
        given[key] = value
    return given


def _named(config: "WakewordConfig") -> "WakewordConfig":
    from pipeline.wakeword.data.spoken_word import word_of

    named = [*config.data.positive, *filter(None, [config.data.split])]
    folder = Path(named[0]).absolute().name if named else "wakeword"
    word = "-".join(config.data.names) or word_of(replace(config, name="")) or folder
    return replace(config.anchored, name=config.name or f"{word}-{config.model.name}-seed{config.seed}")


@click.command("learn-phones")
@click.argument("detector", metavar="RUN")
@click.argument("word", type=ENGLISH_WORD)
@run_option
@json_option
def learn_phones_command(detector: str, word: str, run: Path | None, as_json: bool) -> None:
    """Learn how the speech scorer's listener hears WORD (English) from the clips that RUN was trained on, for the judge
    of `--phones`."""
    from pipeline.wakeword.finished_run import open_finished_run
    from pipeline.wakeword.training.word_learning import learn_word, other_words

    settings = Settings.from_env()
    finished = open_finished_run(settings, detector)
    with background_run(run, N_("Listening")) as work:
        source = learn_word(settings, finished, word, stoppable(work)).learnt_from
    text = (
        f"{word!r} is learnt from {source.recordings} recordings and {source.synthetic} synthetic clips of it, "
        f"{source.near} near phrases and {source.other} stretches of other speech. `evaluate`, `detect` and "
        f"`export --bundle` ask the judge from now on (`--no-phones` leaves it away), `listen` asks it in the bundle."
    )
    if not source.recordings:
        text += " From synthetic clips alone it learns less of how people say the word: add recordings of people."
    others = other_words(finished, word)
    if others:
        text += (
            f" But the clips are of {', '.join(map(repr, others))}, and the listener is of English: this holds only if "
            f"{word!r} is how that is spelled in English."
        )
    emit({"word": word, "folder": finished.folder, "clips_of": others, **to_json(source)}, as_json, text)


COMMANDS = (train, features_command, search_command, rate_range_command, learn_phones_command)
