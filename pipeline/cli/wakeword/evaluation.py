"""Finished detectors: evaluate, robustness, export; and what a model needs of a device."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import background_run, run_option, stoppable
from pipeline.cli._numbers import SEED, NumberRange
from pipeline.cli._output import between, counted, emit, json_option
from pipeline.cli._outputs import OUTPUT_FILE, OUTPUT_FOLDER
from pipeline.cli.wakeword._folders import clips_folder, folder, folders_by_word, plain_folder, word_folder
from pipeline.cli.wakeword._words import ENGLISH_WORD, asked_phones, judge_of_run, no_phones_option
from pipeline.errors import CorpusError
from pipeline.i18n import N_, duration
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.settings import Settings
from pipeline.text import one_line

if TYPE_CHECKING:
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.packaging.bundle import Bundle
    from pipeline.wakeword.packaging.esp32 import Esp32Bundle
    from pipeline.wakeword.phone_judge import PhoneJudge


@click.command()
@click.argument("detector", metavar="RUN")
@click.option(
    "--positive",
    type=word_folder,
    multiple=True,
    help="Folder of held-out clips of the word; repeatable. NAME=FOLDER for a word of several.",
)
@click.option("--background", type=folder, multiple=True, help="Folder of held-out other speech; repeatable.")
@click.option("--split", type=plain_folder, help="Use the test part of a `pronlab wakeword split` instead of both.")
@click.option(
    "--noise", type=folder, multiple=True, help="Folder of background noise; repeatable (default: pink noise)."
)
@click.option(
    "--near",
    type=clips_folder,
    help="Similar phrases: a folder that `pronlab wakeword speak` wrote, or one with a subfolder per phrase.",
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
    type=NumberRange(0.0, 100.0),
    help="Another rate of false alarms per hour: its misses too, and the figures of single clips at it (default: the "
    "run's, or that of --preset).",
)
@click.option("--tta", is_flag=True, help="Also evaluate with test-time augmentation.")
@click.option(
    "--phones",
    type=ENGLISH_WORD,
    metavar="WORD",
    help="English: also measure with the judge that listens for the phones of this word (default: the word that the "
    "run has learnt).",
)
@no_phones_option
@click.option(
    "--keep-threshold",
    is_flag=True,
    help="Save the threshold for that rate, and the settings of --preset, with the model.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of all random draws.")
@run_option
@json_option
def evaluate(
    detector: str,
    detector_preset: str | None,
    runtime: str,
    keep_threshold: bool,
    split: Path | None,
    target_fah: float | None,
    no_phones: bool,
    run: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure misses at 0.1, 0.5 and 1 false alarms per hour on a long stream of speech, noise and the word."""
    from pipeline.wakeword.data.splits import reported_part
    from pipeline.wakeword.evaluation.evaluate import EvaluationTask
    from pipeline.wakeword.finished_run import (
        evaluate_run,
        evaluated_detector,
        open_finished_run,
        require_all_words,
    )

    by_word: dict[str, Any] = {word: tuple(paths) for word, paths in folders_by_word(options.pop("positive")).items()}
    if options["phones"] and len(by_word) > 1:
        raise click.UsageError("--phones is of one word: evaluate the others without it.")
    finished = open_finished_run(Settings.from_env(), detector)
    chosen = evaluated_detector(finished, detector_preset, target_fah)
    if split is not None:
        by_word[""], options["background"] = reported_part(split)
    if not by_word or not options["background"]:
        raise CorpusError(N_("Give the clips to evaluate on: --positive and --background, or --split."))
    options["target_fah"] = chosen.target_fah
    options["noise"] = tuple(map(str, options["noise"]))
    for word in by_word:
        finished.info.of_word(word)  # a word that it does not know is named before any work
    if keep_threshold:
        require_all_words(finished, by_word, chosen)
    options["phones"] = asked_phones(finished, options["phones"], never=no_phones)
    judge = judge_of_run(finished, options["phones"]) if options["phones"] else None
    reports: dict[str, dict[str, Any]] = {}
    with background_run(run, N_("Listening")) as work:
        for word, paths in by_word.items():
            task = EvaluationTask(positive=paths, **options)
            reports[word] = evaluate_run(
                finished, task, detector=chosen, runtime=runtime, keep_threshold=keep_threshold, word=word, judge=judge,
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
    with background_run(run, N_("Conditions")) as work:
        rows = robustness_of(
            finished, positive, background, tuple(map(str, noise)), tuple(map(str, rir)), stoppable(work), word=word
        )
    lines = []
    if rows:  # else it was stopped
        threshold = finished.info.of_word(word).threshold
        lines = [
            f"Clips that set the detector off, each alone, at its threshold ({threshold:.2f}): of the word "
            f"({rows[0]['n_words']}) and others ({rows[0]['n_other']})"
            + (", without its judge of phones" if asked_phones(finished, None) else ""),
            f"{'condition':40} {'the word':>8} {'others':>8}",
        ]
    lines += [
        f"{row['kind'] + ': ' + row['condition']:40} {row['recall']:8.1%} {row['false_share']:8.1%}" for row in rows
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
    "--phones",
    type=ENGLISH_WORD,
    metavar="WORD",
    help="English: put the judge of this word's phones into the bundle (26 MB), as `learn-phones` has learnt it "
    "(default: the word that the run has learnt).",
)
@no_phones_option
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
    phones: str | None,
    no_phones: bool,
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
    from pipeline.wakeword.threshold import all_in_words

    finished = open_finished_run(Settings.from_env(), detector)
    folder_written = target or finished.home / EXPORTS
    if keep_threshold and background:
        raise click.UsageError("--background is for setting the threshold: leave --keep-threshold away.")
    if esp32 and bundle is None:
        raise click.UsageError("--esp32 is a kind of bundle: name its file with --bundle OUT.zip.")
    if phones and (bundle is None or esp32):
        raise click.UsageError("--phones is for a bundle with a runner: name its file with --bundle OUT.zip.")
    if bundle is not None:
        word = asked_phones(finished, phones, never=no_phones or esp32)
        judge = _judge_for_a_bundle(finished, word) if word else None  # before the minutes that follow
        with background_run(run, N_("Exporting")) as work:
            if not keep_threshold:
                set_thresholds(finished, background, stoppable(work))
            answer, text = (
                _export_for_esp32(finished, bundle, background, stoppable(work))
                if esp32
                else _export_bundle(finished, bundle, judge)
            )
            emit({**to_json(answer), "rests_on": _rests_on(finished)}, as_json, text)
        return
    with background_run(run, N_("Exporting")) as work:
        if not keep_threshold:
            set_thresholds(finished, background, stoppable(work))
        exports = export_model(finished.folder, folder_written)
        work.progress(1, 1, "")
    lines = [
        f"{e.format:12} {e.size_kb:7.0f} kB, logits within {e.largest_difference:.2g} of the model's on {e.n} windows, "
        f"{e.same_side:.1%} on the same side, {e.median_ms:.2f} ms per window (95 %: {e.p95_ms:.2f})"
        for e in exports
    ]
    lines += filter(None, [all_in_words(finished.info.bases)])
    lines.append(f"The files are in {folder_written}.")
    folder_and_formats = {"folder": folder_written, "formats": exports}
    emit({**folder_and_formats, "rests_on": _rests_on(finished)}, as_json, "\n".join(lines))


def _rests_on(finished: "FinishedRun") -> dict[str, Any] | None:
    """What the threshold rests on, of several words that of each."""
    bases = finished.info.bases
    return bases.get("", bases or None)


def _judge_for_a_bundle(finished: "FinishedRun", word: str) -> "PhoneJudge":
    from pipeline.wakeword.packaging.bundled_judge import learnt_by

    judge = judge_of_run(finished, word)
    learnt_by(judge)
    return judge


def _export_bundle(finished: "FinishedRun", out: Path, judge: "PhoneJudge | None") -> tuple["Bundle", str]:
    from pipeline.wakeword.packaging.bundle import write_bundle
    from pipeline.wakeword.threshold import all_in_words

    written = write_bundle(finished.folder, out, judge)
    lines = [
        f"{out}: {written.size_kb:.0f} kB, logits within {written.largest_difference:.2g} of the model's.",
        *filter(None, [all_in_words(finished.info.bases)]),
        "Unpack it, then: python runner.py FILE.wav",
    ]
    return written, "\n".join(lines)


def _export_for_esp32(
    finished: "FinishedRun", out: Path, background: tuple[Path, ...], progress: Progress
) -> tuple["Esp32Bundle", str]:
    from pipeline.wakeword.finished_run import held_stream
    from pipeline.wakeword.packaging.esp32 import write_esp32_bundle
    from pipeline.wakeword.threshold import all_in_words

    made = write_esp32_bundle(finished.folder, out, held_stream(finished, background), progress)
    stream = made.stream
    lines = [
        f"{out}: {made.model_kb:.0f} kB and {made.arena_kb:.0f} kB of working memory, about {made.step_ms:.1f} ms for "
        f"each 30 ms on an ESP32-S3. The 8-bit model and PyTorch answer {made.same_side:.2%} of {made.n_steps} steps "
        f"alike.",
        *filter(None, [all_in_words(finished.info.bases)]),
    ]
    if stream is not None:
        lines.append(
            f"On {duration(stream.hours)} with {stream.n_words} validation words: {stream.misses} missed and "
            f"{counted(stream.false_alarms, 'false alarm')} with PyTorch, {stream.misses_8_bit} and "
            f"{stream.false_alarms_8_bit} with 8 bits; {counted(stream.detections_of_both, 'detection')} in both "
            f"({stream.detections} and {stream.detections_8_bit})."
        )
    return made, "\n".join(lines)


@click.command()
@click.option("--preset", help="A preset of `train`; without it, the model hears log-mel features alone.")
@click.option("--model", "name", help="Architecture, e.g. tcn (default).")
@click.option("--width", type=float, help="Multiplier of the number of channels.")
@click.option("--target", help="Device, e.g. raspberry_pi (default).")
@click.option("--int8", is_flag=True, default=None, help="Use INT8 weights.")
@json_option
def budget(preset: str | None, as_json: bool, **options: Any) -> None:
    """Show a model's parameters, multiplications, flash and memory, and the devices it fits."""
    from pipeline.presets import build, merged
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.devices import TARGETS
    from pipeline.wakeword.models.budget import budget_and_devices
    from pipeline.wakeword.saved_presets import load_preset

    settings = load_preset(Settings.from_env(), preset) if preset else {}
    given = {f"model.{name}": value for name, value in options.items() if value is not None}
    config = build(WakewordConfig, merged(settings, given))
    model = config.model
    of_target, beyond = budget_and_devices(config)
    widest = max(len(target.title) for target in TARGETS.values())
    lines = [
        f"{model.name}: {of_target.parameters:,} parameters, {of_target.macs / 1e6:.2f} million "
        f"multiplications per window, {of_target.flash_kb:.0f} kB of flash, {of_target.ram_kb:.0f} kB of memory"
        + (", besides the speech embedding that it hears through" if config.features.kind == "embedding" else "")
    ]
    lines += [f"  {TARGETS[name].title:{widest}} {'; '.join(why) or 'fits'}" for name, why in beyond.items()]
    emit({"model": model, "budget": of_target, "does_not_fit": beyond}, as_json, "\n".join(lines))


def _evaluation_text(report: dict[str, Any]) -> str:
    stream = report["stream"]
    lines = [
        f"{stream['n_keywords']} words in {duration(stream['hours'])}, {duration(stream['speech_hours'])} of it "
        f"speech, noise at {report['snr_db']:g} dB; EER {report['eer']:.2%}, real-time factor "
        f"{report['real_time_factor']:.4f}"
    ]
    for target, point in stream["at_fah"].items():
        lines.append(
            f"  at most {target:>4} false alarms per hour: {_missed(point)}, "
            f"{counted(point['false_alarms'], 'false alarm')}, threshold {point['threshold']:.2f}"
        )
    as_deployed = report["as_set"]
    lines.append(
        f"  as deployed ({as_deployed['threshold']:.2f}): {as_deployed['miss_rate']:.1%} missed, "
        f"{counted(as_deployed['false_alarms'], 'false alarm')} "
        f"({as_deployed['fah']:.2f} per hour)"
    )
    lines += _limits_of(report)
    lines += ["Pieces and near phrases, each alone and without noise, at the threshold asked for:"]
    lines += _near_lines(report["near"])
    if report["judged"]:
        lines += ["With the judge of phones:", *_judged_lines(report["judged"])]
    return "\n".join(lines)


def _missed(point: dict[str, Any]) -> str:
    return f"{point['miss_rate']:.1%} missed {between(point['miss_interval'], 1, is_share=True)}"


def _limits_of(report: dict[str, Any]) -> list[str]:
    """What the figures of a stream cannot say, where they cannot."""
    stream, deployed = report["stream"], report["as_set"]
    notes, hours = [], stream["hours"]
    alike = [target for target, point in stream["at_fah"].items() if float(target) * hours < 1.0]
    if alike:
        notes.append(
            f"  {duration(hours)} are too short for {', '.join(alike)} per hour: less than one false alarm is allowed "
            f"in them: these rates are alike here. No false alarm in {duration(hours)} says only that the rate is "
            f"below {3.0 / hours:.1f} per hour (95 % confidence); --hours makes the stream longer."
        )
    if deployed["miss_rate"] > max(point["miss_rate"] for point in stream["at_fah"].values()):
        notes.append(
            f"  As deployed it misses more than above: its threshold was set on other sound. Here noise is mixed in at "
            f"{report['snr_db']:g} dB; `detect` hears each clip as it was recorded, without it."
        )
    return notes


def _judged_lines(judged: dict[str, Any]) -> list[str]:
    stream, lines = judged["stream"], []
    for target, point in [*stream["at_fah"].items(), ("", stream["as_set"])]:
        what = f"at most {target:>4} false alarms per hour" if target else "at its own limit"
        lines.append(
            f"  {what}: {_missed(point)}, "
            f"{counted(point['false_alarms'], 'false alarm')}, limit {point['threshold']:.2f}"
        )
    lines.append(
        f"  asked {stream['questions_per_hour']:.0f} times per hour; the detector itself misses "
        f"{stream['first']['miss_rate']:.1%} of the words then"
    )
    lines.append("  pieces and near phrases, by the judge at the limit for the rate asked for:")
    return lines + _near_lines(judged["near"])


def _near_lines(rows: list[dict[str, Any]]) -> list[str]:
    phrases = {row["phrase"]: one_line(row["phrase"]) for row in rows}
    widest = max([20, *map(len, phrases.values())])
    return [f"    {phrases[row['phrase']]:{widest}} false alarms: {row['accepted']} of {row['n']}" for row in rows]


COMMANDS = (evaluate, robustness, export, budget)
