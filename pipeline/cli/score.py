"""`pronlab score` and `evaluate`."""

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._access import asker
from pipeline.cli._background import background_run, run_option
from pipeline.cli._languages import LANGUAGE
from pipeline.cli._output import between, counted, emit, fail_without, json_option, say
from pipeline.cli._outputs import OUTPUT_FILE
from pipeline.cli._shards import shard_options
from pipeline.devices import AUTO
from pipeline.errors import CorpusError, ModelError
from pipeline.i18n import N_
from pipeline.phones import UNKNOWN
from pipeline.practice.bands import BAND_MEANINGS
from pipeline.records import RubricName, State, Target, Verdict, WordScore, whole_points
from pipeline.scoring.speech.labels import UTTERANCE_ASPECTS
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.jobs.shards import Shards

SCORER_NAMES = "speech, speechllm, acoustic57, reference, timing, encoder, heuristic"
ASPECTS = (*UTTERANCE_ASPECTS, "completeness")  # of a sentence
SHOWN_REASONS = 5
scorer_option = click.option("--scorer", help=f"{SCORER_NAMES} (default: chosen by rubric and language).")
DEVICE_LOG = "pipeline.speechllm.recognition"  # says which device a speech language model answers on, and why


class _OnErrorStream(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage(), err=True)


def _settings_for(device: str, shards: "Shards | None" = None) -> Settings:
    """With the device that a speech language model is to answer on, which it then says on the error stream."""
    if shards is not None and device != AUTO:
        raise click.UsageError(
            "--device is of this process, and --executor starts others: name theirs by PRONLAB_DEVICE."
        )
    log = logging.getLogger(DEVICE_LOG)
    log.setLevel(logging.INFO)
    log.handlers = [_OnErrorStream()]
    return replace(Settings.from_env(), scoring_device=device)


def _model_folders(_context: click.Context, _parameter: click.Parameter, given: Any) -> Any:
    """The folder of the model that an option names: of a run by its id, a run's folder, or a model's."""
    from pipeline.cli.models import named_folder

    if given is None or isinstance(given, str):
        return None if given is None else named_folder(Settings.from_env(), given)
    return tuple(named_folder(Settings.from_env(), name) for name in given)


model_option = click.option(
    "--model",
    metavar="RUN|FOLDER",
    callback=_model_folders,
    help="Use the model of this run, or of this folder, instead of the deployed model.",
)
device_option = click.option(
    "--device",
    default=AUTO,
    help="Where a speech language model answers: auto (default: PRONLAB_DEVICE, else CUDA, MPS or the CPU, as found), "
    "cuda, cuda:1, mps or cpu.",
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--word", help="The word that the speaker was asked to say.")
@click.option("--text", help="The sentence that the speaker was asked to say.")
@click.option("--language", type=LANGUAGE, help="Language of the text (default: tr for a word, en for a sentence).")
@scorer_option
@model_option
@device_option
@json_option
def score(
    file: Path,
    word: str | None,
    text: str | None,
    language: str | None,
    scorer: str | None,
    model: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Score one recording between 0 and 100. Ends with code 1 where no score could be given: the reasons are in
    `warnings`."""
    from pipeline.audio.load import load_audio
    from pipeline.deployment.answering import scored_with_sounds
    from pipeline.scoring.selection import select
    from pipeline.text.languages import UNDETERMINED

    if (word is None) == (text is None):
        raise CorpusError(N_("Give the text that was to be said: --word for a single word, or --text for a sentence."))
    rubric = RubricName.WORD if text is None else RubricName.SENTENCE
    spoken = word or text or ""
    settings = _settings_for(device)
    target = Target(spoken, language or UNDETERMINED, rubric)
    selection = select(settings, target, scorer, model)
    result = scored_with_sounds(settings, load_audio(file), selection)
    emit(result, as_json, _score_text(result))
    fail_without(result.overall is not None)


@click.command()
@click.option("--manifest", type=click.Path(path_type=Path), help="Evaluate on this manifest with expert scores.")
@click.option("--set", "set_name", help="Evaluate on this imported set.")
@click.option("--part", default="", help="Only this part of the corpus, e.g. dev.")
@click.option(
    "--reference",
    "reference_kind",
    type=click.Choice(["released", "median", "consensus"]),
    help="Reference scores: released by the corpus, median of its experts, or consensus of all ratings of a set "
    "(default: what the corpus has; for sets that people rated, consensus).",
)
@scorer_option
@click.option(
    "--model",
    "models",
    metavar="RUN|FOLDER",
    callback=_model_folders,
    multiple=True,
    help="Use the model of this run, or of this folder, instead of the deployed model. Repeat it for runs of several "
    "seeds, to get their mean.",
)
@click.option(
    "--out",
    type=OUTPUT_FILE,
    help="Also write every prediction to this file (JSON lines).",
)
@click.option("--rejection", is_flag=True, help="Also score wrong texts, noise, silence and Turkish words.")
@click.option(
    "--robustness",
    is_flag=True,
    help="Also score 40 recordings changed in ways that should not matter, and cut so that words are missing.",
)
@device_option
@click.option("--card", is_flag=True, help="Also write the results to the card of the --model folder.")
@shard_options
@run_option
@json_option
def evaluate(
    manifest: Path | None,
    set_name: str | None,
    part: str,
    reference_kind: Any,
    scorer: str | None,
    models: tuple[Path, ...],
    out: Path | None,
    rejection: bool,
    robustness: bool,
    device: str,
    card: bool,
    shards: "Shards | None",
    run: Path | None,
    as_json: bool,
) -> None:
    """Measure a scorer against experts: MAE, RMSE, R2, PCC and the shares within 5 and 10 points, with bootstrap
    confidence intervals."""
    from pipeline import jsonl
    from pipeline.artifacts import require_writable
    from pipeline.evaluation.evaluate import Evaluation, keep
    from pipeline.evaluation.evaluate import evaluate as measure
    from pipeline.evaluation.model_card import write_to_card
    from pipeline.evaluation.reference import reference_of_manifest, reference_of_set
    from pipeline.evaluation.rejection import check_rejection
    from pipeline.evaluation.robustness import check_robustness
    from pipeline.metrics.over_models import figures_over_models
    from pipeline.scoring.batch import ScorerSpec

    if (manifest is None) == (set_name is None):
        raise CorpusError(N_("Give the data to evaluate on: --manifest FILE or --set NAME."))
    if card and not models:
        raise ModelError(N_("--card needs the model whose card is written: --model FOLDER."))
    if out is not None and len(models) > 1:
        raise ModelError(N_("--out writes the predictions of one model. Give one --model, or leave out --out."))
    if manifest is not None and reference_kind == "consensus":
        raise CorpusError(N_("A manifest has no consensus of ratings. Import it, and evaluate with --set."))
    settings = _settings_for(device, shards)
    for folder in (settings.evaluations_root, *(models if card else ())):
        require_writable(folder)
    reference = (
        reference_of_manifest(manifest, part, prefer_median=reference_kind == "median", settings=settings)
        if manifest is not None
        else reference_of_set(settings, set_name or "", part, reference_kind)
    )
    evaluations: list[Evaluation] = []
    with background_run(run, N_("Scoring")) as work:
        for model in models or (None,):
            spec = ScorerSpec(settings, scorer, model)
            measured = measure(
                spec,
                reference,
                source=str(manifest or set_name),
                part=part,
                progress=work.progress,
                check_stop=work.check_stop,
                shards=shards,
            )
            if rejection:
                refused = check_rejection(spec, reference.items, work.progress)
                measured = replace(measured, report=replace(measured.report, rejection=refused))
            if robustness:
                changed = check_robustness(spec, reference.items, work.progress)
                measured = replace(measured, report=replace(measured.report, robustness=changed))
            keep(settings, measured)
            if card and model is not None:
                write_to_card(model, measured)
            evaluations.append(measured)
        work.result(evaluations[-1].report)
    if out is not None:
        jsonl.write(out, evaluations[0].predictions)
    if len(evaluations) == 1:
        emit(evaluations[0].report, as_json, _evaluation_text(evaluations[0].report))
        return
    over = figures_over_models([measured.pairs for measured in evaluations])
    reports = [measured.report for measured in evaluations]
    text = "\n\n".join(_evaluation_text(report) for report in reports)
    emit({"models": reports, "over_models": over}, as_json, f"{text}\n\n{_over_models_text(over)}")


@click.command("score-set")
@click.argument("set_name", metavar="SET")
@click.option("--scorer", "scorers", required=True, multiple=True, help=f"{SCORER_NAMES}; repeatable.")
@model_option
@device_option
@shard_options
@run_option
@json_option
def score_set(
    set_name: str,
    scorers: tuple[str, ...],
    model: Path | None,
    device: str,
    shards: "Shards | None",
    run: Path | None,
    as_json: bool,
) -> None:
    """Score every recording of a SET and save the predictions for the Compare page. Ends with code 1 where none got a
    score."""
    from pipeline.scoring.batch import score_set as score_all

    settings = _settings_for(device, shards)
    report: dict[str, Any] = {"set": set_name, "scorers": {}}
    with background_run(run, N_("Scoring")) as work:
        for scorer in scorers:
            predictions = score_all(
                settings,
                set_name,
                scorer,
                model=model,
                progress=work.progress,
                check_stop=work.check_stop,
                shards=shards,
                by=asker(),
            )
            reasons = Counter(" ".join(answer.warnings) for answer in predictions if answer.overall is None)
            failed = reasons.total()
            counts = {"n": len(predictions) - failed, "failed": failed, "reasons": dict(reasons.most_common())}
            report["scorers"][scorer] = counts
        work.result(report)
    lines = []
    for scorer, counts in report["scorers"].items():
        rest = f", {counts['failed']} could not be scored" if counts["failed"] else ""
        lines.append(f"{scorer}: {counted(counts['n'], 'recording')} scored{rest}.")
        lines += [f"  {counted(n, 'time')}: {reason}" for reason, n in list(counts["reasons"].items())[:SHOWN_REASONS]]
        if (more := len(counts["reasons"]) - SHOWN_REASONS) > 0:
            lines.append(f"  ... and {counted(more, 'other reason')} (--json lists all)")
    emit(report, as_json, "\n".join(lines))
    fail_without(any(counts["n"] for counts in report["scorers"].values()))


def _score_text(result: Any) -> str:
    if result.overall is None:
        return "Could not score:\n" + "\n".join(f"  {warning}" for warning in result.warnings)
    sure = (
        "confidence unknown"
        if result.confidence is None
        else f"{result.confidence:.0%} sure to be within 10 points of an expert"
    )
    made = f"{result.scoring_method} by {result.model_id or result.scorer}, {sure}"
    lines = [f"{whole_points(result.overall)} of 100. {BAND_MEANINGS[result.band]} ({made})"]
    lines += [f"  {name}: {_dimension(name, value)}" for name, value in result.dimensions.items()]
    lines += [f"  {name}: not measured" for name in result.not_measured]
    lines += [_word_line(word) for word in result.words]
    if result.words:
        named = any(phone.heard not in (None, UNKNOWN) for word in result.words for phone in word.phones)
        lines.append(f"  (~ accented, ! wrong, - missing{'; in brackets what was heard' if named else ''})")
    if result.cut_before_s or result.cut_after_s:
        lines.append(f"  left out: {result.cut_before_s:.1f} s before and {result.cut_after_s:.1f} s after the speech")
    if result.state == State.OTHER_TEXT and result.heard_text:
        lines.append(f"  heard instead: {result.heard_text}")
    return "\n".join([*lines, *(f"  note: {warning}" for warning in result.warnings)])


def _dimension(name: str, value: float) -> str:
    """Aspects of a sentence are 0-10, as experts give them, parts of a word's score 0-100."""
    return f"{value:.1f} of 10" if name in ASPECTS else f"{whole_points(value)}"


def _word_line(word: WordScore) -> str:
    """One word with its score, and each of its phones with a mark."""
    marks = {Verdict.ACCENTED: "~", Verdict.WRONG: "!", Verdict.MISSING: "-"}
    phones = [
        f"{phone.phone}{marks.get(phone.verdict, '')}{f'({phone.heard})' if phone.heard not in (None, UNKNOWN) else ''}"
        for phone in word.phones
    ]
    heard = f"   heard {word.heard}" if word.heard else ""
    shown = word.text if word.written.casefold() in ("", word.text) else f"{word.text} [{word.written}]"
    return f"  {shown:14} {whole_points(word.score):3}  {' '.join(phones)}{heard}"


def _evaluation_text(report: Any) -> str:
    on = f", part {report.part}" if report.part else ""
    lines = [
        f"{report.scorer} ({report.model_id}) on {report.source}{on}, against {report.reference}, n {report.n}, failed "
        f"{report.failed}"
    ]
    for name in ("mae", "rmse", "r2", "pcc", "bias", "within_5", "within_10"):
        value = getattr(report, name)
        if value is not None:
            human = report.human_ceiling.get(name)
            beside = "" if human is None else f"   one expert against the others: {human:.3f}"
            lines.append(f"  {name:10} {value:8.3f}{_interval(report.intervals.get(name))}{beside}")
    return "\n".join([*lines, *_level_lines(report), *(f"  note: {warning}" for warning in report.warnings)])


def _interval(bounds: tuple[float, float] | None) -> str:
    """Nothing for none: speakers are drawn for it, and a few of them give no interval."""
    return "" if bounds is None else f"  {between(bounds)}"


def _over_models_text(over: Any) -> str:
    n = len(next(iter(over.values())).values) if over else 0
    lines = [f"Mean of {n} models, 95 % over speakers, and each:"]
    for name, figure in over.items():
        each = ", ".join(f"{value:.3f}" for value in figure.values)
        lines.append(f"  {name:15} {figure.mean:6.3f}{_interval(figure.interval)}   {each}")
    return "\n".join(lines)


def _level_lines(report: Any) -> list[str]:
    """What a scorer of phones, words and sentences adds."""
    levels = [*report.utterance.items(), *((f"word {name}", value) for name, value in report.word.items())]
    if report.phone is not None:
        levels.append(("phone", report.phone))
    lines = []
    for name, level in levels:
        if level.pcc is not None:
            human = report.human.get(name)
            beside = "" if human is None else f"   one expert against the others: {human:.3f}"
            lines.append(f"  PCC {name:14} {level.pcc:6.3f}{_interval(level.interval)}  n {level.n}{beside}")
    if report.phone is not None and report.phone.mse is not None:
        lines.append(f"  MSE phone          {report.phone.mse:.4f}")
    if report.bands is not None and report.bands.kappa is not None:
        alone = report.bands.experts
        beside = f"   one expert with the others: {min(alone):.3f} to {max(alone):.3f}" if alone else ""
        lines.append(f"  kappa of bands     {report.bands.kappa:.3f}{_interval(report.bands.interval)}{beside}")
    if report.mdd is not None and report.mdd["f1"] is not None:
        lines.append(
            f"  mispronunciations  F1 {report.mdd['f1']:.3f}, precision {_share(report.mdd['precision'])}, recall "
            f"{_share(report.mdd['recall'])}"
        )
    for name, value in (("PER, text-free", report.per), ("WER, text-free", report.wer)):
        if value is not None:
            lines.append(f"  {name:18} {value:.3f}")
    if set(report.states) - {State.SCORED}:
        lines.append("  " + ", ".join(f"{n} {state}" for state, n in sorted(report.states.items())))
    for name, label in (("reference", "the experts' accuracy"), ("predicted", "the predicted accuracy")):
        value = report.per_accuracy.get(name)
        if value is not None:
            lines.append(f"  PER against {label}: r {value:.3f}")
    for task, counts in report.answers.items():
        lines.append(f"  {task.upper()} answers that could not be read: {counts['unparsed']} of {counts['n']}")
    if report.rejection is not None:
        lines.append(f"  other texts score {report.rejection.gap:.1f} of 10 lower")
        for kind, case in report.rejection.cases.items():
            lines.append(f"    {kind:14} mean {case.mean_total:.1f}, highest {case.highest_total:.1f}, n {case.n}")
    if report.robustness is not None:
        lines += _robustness_lines(report.robustness)
    return lines


def _share(value: float | None) -> str:
    """A share of 0-1; a dash where there was nothing to take it of."""
    return "-" if value is None else f"{value:.3f}"


def _robustness_lines(report: Any) -> list[str]:
    lines = [f"  {counted(report.n, 'recording')} changed; the score moves by (points: mean, standard deviation, most)"]
    for name, case in report.changes.items():
        lost = f", {case.n_lost} without a score" if case.n_lost else ""
        lines.append(
            f"    {name:26} {case.mean:6.1f} {case.sd:5.1f} {case.worst:5.1f}   {case.share_within:4.0%} within "
            f"{case.tolerance:g}{lost}"
        )
    for name, told in report.statements.items():
        shares = ", ".join(
            f"{kind} {_share(value)}" for kind, value in (("precision", told.precision), ("recall", told.recall))
        )
        lines.append(f"    {name:26} {shares} (said {told.n_said}, so {told.n_true})")
    if report.partial_scored is not None:
        lines.append(f"    partial readings that keep a score: {report.partial_scored:.0%}")
    return lines
