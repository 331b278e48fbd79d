"""Detectors: train, search, evaluate, export."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import background_run, run_option, stoppable
from pipeline.cli._output import emit, json_option, progress_printer
from pipeline.cli._outputs import OUTPUT_FILE, OUTPUT_FOLDER
from pipeline.cli._training import Chosen, prepare, resolve, training_options
from pipeline.errors import CorpusError, TrainingError
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.runs import RunDirectory
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.packaging.bundle import Bundle
    from pipeline.wakeword.packaging.esp32 import Esp32Bundle

SECTIONS = {
    "positive": "data", "negative": "data", "hard_negative": "data", "noise": "data", "rir": "data",
    "max_positives": "data", "source": "data", "split": "data", "fold": "data", "model": "model.name", "width": "model",
    "target": "model", "steps": "train", "batch": "train", "rate": "train", "teacher": "distil",
}  # fmt: skip
PRESETS = "default, esp32, small, thorough, tiny, or one saved on the Wake word page"
folder = click.Path(path_type=Path, exists=True)


class WordFolder(click.Path):
    """A folder of clips of the word, or NAME=FOLDER of one of several words."""

    name = "[NAME=]FOLDER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        word, mark, path = str(value).partition("=")
        if mark and word.strip() and not Path(str(value)).exists():
            return word.strip(), super().convert(path, param, ctx)
        return "", super().convert(value, param, ctx)


def folders_by_word(given: tuple[tuple[str, Path], ...]) -> dict[str, list[Path]]:
    """Under "" the folders of the one word. Raises UsageError where only some of them are named."""
    by_word: dict[str, list[Path]] = {}
    for word, path in given:
        by_word.setdefault(word, []).append(path)
    if "" in by_word and len(by_word) > 1:
        raise click.UsageError("Name the word of every --positive (--positive NAME=FOLDER), or of none.")
    return by_word


word_folder = WordFolder(path_type=Path, exists=True)


def data_options(command: Any) -> Any:
    options = [
        click.option(
            "--positive",
            type=word_folder,
            multiple=True,
            help="Folder of clips of the word; repeatable. NAME=FOLDER teaches several words to one detector.",
        ),
        click.option("--negative", type=folder, multiple=True, help="Folder of other speech; repeatable."),
        click.option(
            "--hard-negative", type=folder, multiple=True, help="Folder of words that sound similar; repeatable."
        ),
        click.option("--noise", type=folder, multiple=True, help="Folder of noise to mix in; repeatable."),
        click.option("--rir", type=folder, multiple=True, help="Folder of room impulse responses; repeatable."),
        click.option("--split", type=folder, help="Output of `pronlab wakeword split`, instead of folders."),
        click.option("--fold", type=int, help="Fold of --split to validate on; the others are trained on."),
        click.option("--source", help="Regular expression whose first group in a clip's path is the speaker."),
        click.option("--max-positives", type=int, help="Maximum number of clips of the word."),
        click.option(
            "--model",
            help="Architecture: tcn (default), tiny_conv, cd_dnn, lstm, gru, bc_resnet, mobilenet_v3, resnet18, ...",
        ),
        click.option("--width", type=float, help="Multiplier of the number of channels."),
        click.option("--target", help="Device the model must fit: esp32_s3, raspberry_pi (default), phone or desktop."),
        click.option("--steps", type=int, help="Number of steps of the first pass."),
        click.option("--batch", type=int, help="Clips per step."),
        click.option("--rate", type=float, help="Learning rate."),
        click.option("--teacher", help="Wake-word run to distil from."),
        click.option("--name", help="Name of the run."),
        click.option("--seed", type=int, help="Seed of all random draws."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@data_options
@training_options(PRESETS)
def train(chosen: Chosen, **options: Any) -> None:
    """Train a detector on clips of a word, other speech and noise."""
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.run import train_wakeword
    from pipeline.wakeword.threshold import in_words

    preset = replace(chosen, preset=chosen.preset or "default")
    start = prepare("wakeword", WakewordConfig, preset, _given(options), _preset, _named)
    if start is None:
        return
    report = train_wakeword(start.settings, start.config, start.directory, progress_printer("Wake word"))
    validation = report["validation"]
    text = (
        f"Run {start.directory.id}: {report['parameters']:,} parameters, {report['steps']} steps in "
        f"{report['training_s'] / 60:.1f} min; on {validation['n_words']} held-back clips "
        f"{validation['miss_at_few_alarms']:.1%} missed on average at 0 to 20 false alarms. "
        f"{in_words(report['threshold'])} `pronlab wakeword evaluate` measures it on hours of sound."
    )
    if report["rooms_left_out"]:
        text += f" Room impulse responses left out: {'; '.join(report['rooms_left_out'])}."
    emit({"run": start.directory.id, "directory": start.directory.path, **report}, chosen.as_json, text)


@click.command("features")
@click.argument("out", type=OUTPUT_FOLDER)
@data_options
@training_options(PRESETS, resumable=False, launched=False)
def features_command(chosen: Chosen, out: Path, **options: Any) -> None:
    """Render training clips once, into OUT, for training runs with --override data.features=OUT."""
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.data.feature_cache import read_index
    from pipeline.wakeword.run import make_features

    preset = replace(chosen, preset=chosen.preset or "default")
    config = resolve(WakewordConfig, preset, _given(options), _preset, _named)
    clips = make_features(config, out, progress_printer("Wake word"))
    lengths = read_index(out)["lengths"]
    text = f"{len(clips.train)} clips in {out}: " + ", ".join(f"{len(n)} of {label}" for label, n in lengths.items())
    emit({"directory": out, "clips": len(clips.train), "held": len(clips.held)}, chosen.as_json, text)


@click.command("rate-range")
@data_options
@training_options(PRESETS, resumable=False, launched=False, reported=True)
def rate_range_command(chosen: Chosen, **options: Any) -> None:
    """Find a learning rate: raise it in a short run until the loss rises."""
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.file_names import RATE_RANGE
    from pipeline.wakeword.run import make_trainer
    from pipeline.wakeword.training.learning_rate_range import rate_range

    settings = Settings.from_env()
    preset = replace(chosen, preset=chosen.preset or "default")
    config = resolve(WakewordConfig, preset, _given(options), _preset, _named)
    directory = _directory(chosen, settings.jobs_root, RATE_RANGE, config)
    with directory.start() as writer:
        sweep = rate_range(make_trainer(settings, config, writer, progress_printer("Wake word")).trainer)
        for step, (rate, loss) in enumerate(zip(sweep.rates, sweep.losses, strict=True), start=1):
            writer.log_metrics(event="rate", step=step, rate=rate, loss=loss)
        writer.update(progress=1.0, message="done", result={"suggested": sweep.suggested})
        shown = range(0, len(sweep.rates), max(1, len(sweep.rates) // 20))
        lines = [f"{sweep.rates[i]:.2e}  {sweep.losses[i]:.3f}" for i in shown]
        text = "rate      loss\\n".replace("\\n", "\n") + "\n".join(lines) + f"\nSuggested: {sweep.suggested:.1e}"
        emit(sweep, chosen.as_json, text)


@click.command("search")
@data_options
@click.option("--trials", type=int, default=20, show_default=True, help="Number of trials.")
@click.option("--trial-steps", type=int, default=400, show_default=True, help="Steps per trial.")
@training_options(PRESETS, resumable=False, launched=False, reported=True)
def search_command(chosen: Chosen, trials: int, trial_steps: int, **options: Any) -> None:
    """Search for better settings with Optuna, and write the best to a preset file."""
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.file_names import SEARCH
    from pipeline.wakeword.search import search_settings

    settings = Settings.from_env()
    preset = replace(chosen, preset=chosen.preset or "default")
    config = resolve(WakewordConfig, preset, _given(options), _preset, _named)
    directory = _directory(chosen, settings.runs_root, SEARCH, config)
    best: dict[str, Any] | None = None
    with directory.start() as writer:
        best = search_settings(settings, config, trials, trial_steps, writer, progress_printer("Wake word"))
        writer.update(progress=1.0, message="done", result=best)
    if best is None:
        raise TrainingError(f"The search {directory.id} was stopped.")
    settings_text = "\n".join(f"  {name}: {value}" for name, value in best["settings"].items())
    text = f"Best of {best['trials']}: trial {best['trial']}, {best['value']:.4f}\n{settings_text}\nIn {best['file']}"
    emit({"run": directory.id, **best}, chosen.as_json, text)


@click.command()
@click.argument("detector", metavar="RUN")
@click.option(
    "--positive",
    type=word_folder,
    multiple=True,
    help="Folder of held-out clips of the word; repeatable. NAME=FOLDER for a word of several.",
)
@click.option("--background", type=folder, multiple=True, help="Folder of held-out other speech; repeatable.")
@click.option("--split", type=folder, help="Use the test part of a `pronlab wakeword split` instead of both.")
@click.option(
    "--noise", type=folder, multiple=True, help="Folder of background noise; repeatable (default: pink noise)."
)
@click.option(
    "--near",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with one subfolder per similar phrase.",
)
@click.option("--hours", type=float, default=2.0, show_default=True, help="Length of the stream in hours.")
@click.option("--snr", "snr_db", type=float, default=10.0, show_default=True, help="Signal-to-noise ratio in dB.")
@click.option(
    "--runtime",
    type=click.Choice(["torch", "onnx", "int8"]),
    default="torch",
    show_default=True,
    help="Runtime to evaluate with.",
)
@click.option(
    "--preset", "detector_preset", help="Detector settings: aggressive, balanced or conservative (default: the run's)."
)
@click.option(
    "--target-fah",
    type=click.FloatRange(0.0, 100.0),
    help="Another rate of false alarms per hour: its misses too, and the figures of single clips at it (default: 0.5).",
)
@click.option("--tta", is_flag=True, help="Also evaluate with test-time augmentation.")
@click.option(
    "--keep-threshold", is_flag=True, help="Save the threshold for the target false-alarm rate with the model."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random draws.")
@run_option
@json_option
def evaluate(
    detector: str,
    detector_preset: str | None,
    runtime: str,
    keep_threshold: bool,
    split: Path | None,
    target_fah: float | None,
    run: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure misses at 0.1, 0.5 and 1 false alarms per hour on a long stream of speech, noise and the word."""
    from pipeline.wakeword.data.splits import reported_part
    from pipeline.wakeword.evaluation.evaluate import EvaluationTask
    from pipeline.wakeword.finished_run import evaluate_run, open_finished_run
    from pipeline.wakeword.runtime.detector import preset

    finished = open_finished_run(Settings.from_env(), detector)
    chosen = preset(detector_preset, finished.info.detector) if detector_preset else finished.info.detector
    by_word: dict[str, Any] = {word: tuple(paths) for word, paths in folders_by_word(options.pop("positive")).items()}
    if split is not None:
        by_word[""], options["background"] = reported_part(split)
    if not by_word or not options["background"]:
        raise CorpusError("Give the clips to evaluate on: --positive and --background, or --split.")
    if target_fah is not None:
        options["target_fah"], chosen = target_fah, replace(chosen, target_fah=target_fah)
    options["noise"] = tuple(map(str, options["noise"]))
    for word in by_word:
        finished.info.of_word(word)  # a word that it does not know is named before any work
    reports: dict[str, dict[str, Any]] = {}
    with background_run(run, "Listening") as work:
        for word, paths in by_word.items():
            task = EvaluationTask(positive=paths, **options)
            reports[word] = evaluate_run(
                finished, task, detector=chosen, runtime=runtime, keep_threshold=keep_threshold, word=word,
                progress=stoppable(work),
            )  # fmt: skip
        of_words = {word: report["miss_at_fah"] for word, report in reports.items()}
        work.result({"miss_at_fah": of_words.get("", of_words)})
    if set(reports) == {""}:
        emit(reports[""], as_json, _evaluation_text(reports[""]))
    elif reports:  # else it was stopped
        text = "\n".join(f"{word}: {_evaluation_text(report)}" for word, report in reports.items())
        emit({"words": reports}, as_json, text)


@click.command()
@click.argument("detector", metavar="RUN")
@click.option(
    "--positive", type=folder, multiple=True, required=True, help="Folder of held-out clips of the word; repeatable."
)
@click.option("--word", default="", help="Which word, of a detector of several.")
@click.option(
    "--background", type=folder, multiple=True, required=True, help="Folder of held-out other speech; repeatable."
)
@click.option("--noise", type=folder, multiple=True, help="Folder of noise to test besides white and pink; repeatable.")
@click.option("--rir", type=folder, multiple=True, help="Folder of room impulse responses to test; repeatable.")
@run_option
@json_option
def robustness(
    detector: str, positive: Any, word: str, background: Any, noise: Any, rir: Any, run: Path | None, as_json: bool
) -> None:
    """Measure how noise, rooms, distance, level and codecs affect a detector."""
    from pipeline.wakeword.finished_run import open_finished_run, robustness_of

    finished = open_finished_run(Settings.from_env(), detector)
    rows: list[dict[str, Any]] = []
    with background_run(run, "Conditions") as work:
        rows = robustness_of(
            finished, positive, background, tuple(map(str, noise)), tuple(map(str, rir)), stoppable(work), word=word
        )
    lines = [f"{'condition':40} recall  false alarms"]
    lines += [
        f"{row['kind'] + ': ' + row['condition']:40} {row['recall']:6.1%} {row['false_share']:8.1%}" for row in rows
    ]
    emit(rows, as_json, "\n".join(lines))


@click.command()
@click.argument("detector", metavar="RUN")
@click.option(
    "--to",
    "target",
    type=OUTPUT_FOLDER,
    help="Folder to write to (default: exports in the run directory).",
)
@click.option(
    "--bundle",
    type=OUTPUT_FILE,
    help="Write this zip instead: a model from sound to score, its settings, and a runner that needs numpy and "
    "onnxruntime only.",
)
@click.option(
    "--esp32",
    is_flag=True,
    help="Make the bundle for a microcontroller: TensorFlow Lite of 8 bits, ESPHome's manifest, a C array; for "
    "detectors of the preset esp32.",
)
@click.option(
    "--background",
    type=folder,
    multiple=True,
    help="Folder of more other speech for the stream that the threshold is set on; repeatable.",
)
@click.option("--keep-threshold", is_flag=True, help="Export with the threshold as it is.")
@run_option
@json_option
def export(
    detector: str,
    target: Path | None,
    bundle: Path | None,
    esp32: bool,
    background: tuple[Path, ...],
    keep_threshold: bool,
    run: Path | None,
    as_json: bool,
) -> None:
    """Export a detector as ONNX, TorchScript and INT8, each checked against the model and timed; or as a bundle for a
    device (--bundle). Before, the threshold is set on a long stream of the validation clips, unless a stream has set
    it."""
    from pipeline.wakeword.file_names import EXPORTS
    from pipeline.wakeword.finished_run import open_finished_run, set_thresholds
    from pipeline.wakeword.packaging.export import export as export_model
    from pipeline.wakeword.threshold import in_words

    finished = open_finished_run(Settings.from_env(), detector)
    if keep_threshold and background:
        raise click.UsageError("--background is for setting the threshold: leave --keep-threshold away.")
    if esp32 and bundle is None:
        raise click.UsageError("--esp32 is a kind of bundle: name its file with --bundle OUT.zip.")
    if bundle is not None:
        with background_run(run, "Exporting") as work:
            if not keep_threshold:
                set_thresholds(finished, background, stoppable(work))
            export_bundle = _export_for_esp32 if esp32 else _export_bundle
            answer, text = export_bundle(finished, bundle, background, stoppable(work))
            emit({**to_json(answer), "rests_on": finished.info.metrics.get("threshold")}, as_json, text)
        return
    with background_run(run, "Exporting") as work:
        if not keep_threshold:
            set_thresholds(finished, background, stoppable(work))
        exports = export_model(finished.folder, target or finished.home / EXPORTS)
        work.progress(1, 1, "")
    lines = [
        f"{e.format:12} {e.size_kb:7.0f} kB, logits within {e.largest_difference:.2g} of the model's on {e.n} windows, "
        f"{e.same_side:.1%} on the same side, {e.median_ms:.2f} ms per window (95 %: {e.p95_ms:.2f})"
        for e in exports
    ]
    basis = finished.info.metrics.get("threshold")
    lines += [in_words(basis)] if basis else []
    emit(
        {"folder": target or finished.home / EXPORTS, "formats": exports, "rests_on": basis}, as_json, "\n".join(lines)
    )


def _export_bundle(
    finished: "FinishedRun", out: Path, _background: tuple[Path, ...], _progress: Progress
) -> tuple["Bundle", str]:
    from pipeline.wakeword.packaging.bundle import write_bundle
    from pipeline.wakeword.threshold import in_words

    written = write_bundle(finished.folder, out)
    basis = finished.info.metrics.get("threshold")
    text = (
        f"{out}: {written.size_kb:.0f} kB, logits within {written.largest_difference:.2g} of the model's. "
        f"{in_words(basis) if basis else ''} Unpack it, then: python runner.py FILE.wav"
    )
    return written, text


def _export_for_esp32(
    finished: "FinishedRun", out: Path, background: tuple[Path, ...], progress: Progress
) -> tuple["Esp32Bundle", str]:
    from pipeline.wakeword.finished_run import held_stream
    from pipeline.wakeword.packaging.esp32 import write_esp32_bundle
    from pipeline.wakeword.threshold import in_words

    made = write_esp32_bundle(finished.folder, out, held_stream(finished, background), progress)
    basis, stream = finished.info.metrics.get("threshold"), made.stream
    lines = [
        f"{out}: {made.model_kb:.0f} kB and {made.arena_kb:.0f} kB of working memory, about {made.step_ms:.1f} ms for "
        f"each 30 ms on an ESP32-S3. The 8-bit model and PyTorch answer {made.same_side:.2%} of {made.n_steps} steps "
        f"alike.",
        *([in_words(basis)] if basis else []),
    ]
    if stream is not None:
        lines.append(
            f"On {stream.hours:.2f} h with {stream.n_words} validation words: {stream.misses} missed and "
            f"{stream.false_alarms} false alarms with PyTorch, {stream.misses_8_bit} and {stream.false_alarms_8_bit} "
            f"with 8 bits; {stream.detections_of_both} detections in both ({stream.detections} and "
            f"{stream.detections_8_bit})."
        )
    return made, "\n".join(lines)


@click.command()
@click.option("--model", "name", help="Architecture, e.g. tcn (default).")
@click.option("--width", type=float, help="Multiplier of the number of channels.")
@click.option("--target", help="Device, e.g. raspberry_pi (default).")
@click.option("--int8", is_flag=True, help="Use INT8 weights.")
@json_option
def budget(as_json: bool, int8: bool, **options: Any) -> None:
    """Show a model's parameters, multiplications, flash and memory, and the devices it fits."""
    from pipeline.wakeword.config import DetectorConfig, ModelConfig
    from pipeline.wakeword.devices import TARGETS
    from pipeline.wakeword.features import FeatureConfig
    from pipeline.wakeword.models.budget import budget_of

    config = ModelConfig(int8=int8, **{key: value for key, value in options.items() if value is not None})
    hop_s = DetectorConfig().hop_s
    budgets = {
        name: budget_of(replace(config, target=name), FeatureConfig().shape) for name in TARGETS
    }  # fmt: skip
    beyond = {name: budgets[name].beyond(target, hop_s) for name, target in TARGETS.items()}
    of_target = budgets[config.target]
    lines = [
        f"{config.name}: {of_target.parameters:,} parameters, {of_target.macs / 1e6:.2f} million "
        f"multiplications per window, {of_target.flash_kb:.0f} kB of flash, {of_target.ram_kb:.0f} kB of memory"
    ]
    lines += [f"  {TARGETS[name].title:14} {'; '.join(why) or 'fits'}" for name, why in beyond.items()]
    emit({"model": config, "budget": of_target, "does_not_fit": beyond}, as_json, "\n".join(lines))


def _directory(chosen: Chosen, root: Path, kind: str, config: "WakewordConfig") -> "RunDirectory":
    """The launcher's, or a new one."""
    from pipeline.runs import RunDirectory

    if chosen.run is not None:
        return RunDirectory(chosen.run)
    return RunDirectory.create(root, kind=kind, name=config.name, config=config)


def _preset(name: str) -> dict[str, Any]:
    from pipeline.wakeword.saved_presets import load_preset

    return load_preset(Settings.from_env(), name)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Options as settings of their sections; folders as absolute text."""
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value is None or value == ():
            continue
        if name == "positive":
            by_word = folders_by_word(value)
            if "" not in by_word:
                given["data.words"] = [word for word, paths in by_word.items() for _path in paths]
            given["data.positive"] = [str(path.absolute()) for paths in by_word.values() for path in paths]
            continue
        if isinstance(value, tuple):
            value = [str(path.absolute()) for path in value]
        elif isinstance(value, Path):
            value = str(value.absolute())
        section = SECTIONS.get(name)
        key = name if section is None else section if "." in section else f"{section}.{name}"
        given[key] = value
    return given


def _named(config: "WakewordConfig") -> "WakewordConfig":
    named = [*config.data.positive, *filter(None, [config.data.split])]
    word = "-".join(config.data.names) or (Path(named[0]).name if named else "wakeword")
    return replace(config, name=config.name or f"{word}-{config.model.name}-seed{config.seed}")


def _evaluation_text(report: dict[str, Any]) -> str:
    stream = report["stream"]
    lines = [
        f"{stream['n_keywords']} words in {stream['hours']:.2f} h, {stream['speech_hours']:.2f} h of it speech, "
        f"noise at {report['snr_db']:g} dB; EER {report['eer']:.2%}, real-time factor {report['real_time_factor']:.4f}"
    ]
    for target, point in stream["at_fah"].items():
        low, high = point["miss_interval"]
        lines.append(
            f"  at most {target:>4} false alarms per hour: {point['miss_rate']:.1%} missed ({low:.1%} to {high:.1%}), "
            f"{point['false_alarms']} false alarms, threshold {point['threshold']:.2f}"
        )
    as_deployed = report["as_set"]
    lines.append(
        f"  as deployed ({as_deployed['threshold']:.2f}): {as_deployed['miss_rate']:.1%} missed, "
        f"{as_deployed['false_alarms']} false alarms "
        f"({as_deployed['fah']:.2f} per hour)"
    )
    lines += [f"  {n['phrase']:20} false alarms: {n['accepted']} of {n['n']}" for n in report["near"]]
    return "\n".join(lines)


COMMANDS = (train, features_command, evaluate, robustness, export, budget, search_command, rate_range_command)
