"""Use a detector: on a file, as it comes, for Home Assistant, or as the judge over HTTP."""

import contextlib
import shlex
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._background import background_run, run_option, stoppable
from pipeline.cli._languages import LANGUAGE
from pipeline.cli._numbers import NUMBER, NumberRange
from pipeline.cli._output import between, emit, json_option, say
from pipeline.cli._outputs import OUTPUT_FILE
from pipeline.cli.serve import exposure_options
from pipeline.cli.serve import run as serve
from pipeline.cli.wakeword._folders import AudioFolder
from pipeline.cli.wakeword._words import (
    ENGLISH_WORD,
    FILLED,
    asked_phones,
    basis_of,
    judge_of_run,
    no_phones_option,
)
from pipeline.i18n import N_
from pipeline.records import to_json
from pipeline.settings import Settings
from pipeline.text import one_line

if TYPE_CHECKING:
    from pipeline.wakeword.file_detection import FileDetections
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.owner.enrolment import OwnerMatch
    from pipeline.wakeword.owner.verification import OwnerVerify
    from pipeline.wakeword.phone_judge import PhoneJudge
    from pipeline.wakeword.runtime.runner import Detector

PORT = 8602
WYOMING_PORT = 10_400


phones_option = click.option(
    "--phones",
    type=ENGLISH_WORD,
    metavar="WORD",
    help="English: only where the speech scorer's listener hears the phones of this word.",
)
owner_option = click.option(
    "--owner", type=FILLED, metavar="NAME", help="React to this enrolled voice only (`pronlab wakeword enrol`)."
)
owner_threshold_option = click.option(
    "--owner-threshold", type=NumberRange(-1.0, 1.0), help="Similarity that a voice needs (default: the model's)."
)


@click.command()
@click.argument("detector", metavar="RUN")
@click.argument("audio", type=AudioFolder(path_type=Path))
@click.option(
    "--preset", "detector_preset", help="Detector settings: aggressive, balanced or conservative (default: the run's)."
)
@click.option("--threshold", type=NUMBER, help="Threshold in logits (default: the model's).")
@click.option("--judge", "url", type=FILLED, metavar="URL", help="Address of a judge to ask about each detection.")
@click.option("--judge-key", "key", envvar="PRONLAB_JUDGE_KEY", help="API key of the judge (or set PRONLAB_JUDGE_KEY).")
@phones_option
@no_phones_option
@owner_option
@owner_threshold_option
@click.option("--word", default="", help="Which word, of a detector of several (default: all in a recording).")
@click.option("--csv", "csv_file", type=OUTPUT_FILE, help="Of a folder: a table.")
@run_option
@json_option
def detect(
    detector: str,
    audio: Path,
    as_json: bool,
    run: Path | None,
    csv_file: Path | None,
    word: str,
    detector_preset: str | None,
    threshold: float | None,
    url: str | None,
    key: str | None,
    phones: str | None,
    no_phones: bool,
    owner: str | None,
    owner_threshold: float | None,
) -> None:
    """Find the word in a recording; of a folder, list for every clip whether the detector goes off."""
    if url and phones:
        raise click.UsageError("One judge is asked about a detection: leave --judge or --phones away.")
    from pipeline.wakeword.cascade import remote_verifier
    from pipeline.wakeword.file_detection import detect_in_file
    from pipeline.wakeword.finished_run import open_finished_run

    finished = open_finished_run(Settings.from_env(), detector)
    if audio.is_dir():
        if url or phones or owner or owner_threshold is not None:
            raise click.UsageError(
                "Judges are asked about one recording at a time: leave --judge, --phones and --owner away for a folder."
            )
        _detect_in_folder(finished, audio, as_json, run, csv_file, word, detector_preset, threshold)
        return
    if csv_file is not None:
        raise click.UsageError(f"--csv is the table of a folder, and {audio} is a file.")
    words = [word] if word else finished.info.names or ("",)
    if phones and len(words) > 1:
        raise click.UsageError(f"--phones is of one word: name that of the detector with --word ({', '.join(words)}).")
    asked = asked_phones(finished, phones, never=no_phones or url is not None)
    judge = judge_of_run(finished, asked) if asked else None
    threshold = judge.asked_from(threshold) if judge else threshold
    verify = judge.verifier() if judge else remote_verifier(url, key=key) if url else None
    judges = verify, _verifier(owner, owner_threshold)
    of_words = [detect_in_file(finished, audio, detector_preset, threshold, name, *judges) for name in words]
    detections = sorted((d for of_word in of_words for d in of_word.detections), key=lambda d: d.at_s)
    lines = [
        f"{d.at_s:8.2f} s  logit {d.score:.2f}"
        + (f"  {d.word}" if d.word else "")
        + (f"  judge: {d.verdict.label} ({d.verdict.confidence:.0%})" if d.verdict else "")
        + (f"  {_whose(d.owner)}" if d.owner else "")
        for d in detections
    ]
    duration_s = of_words[0].duration_s
    thresholds = {name: of_word.threshold for name, of_word in zip(words, of_words, strict=True)}
    nothing = f"Nothing was detected in {one_line(audio.name)} ({duration_s:.1f} s). {_nearest(words, of_words)}"
    text = "\n".join(lines) or nothing
    rows = [
        {key: value for key, value in to_json(d).items() if value or key not in ("word", "owner")} for d in detections
    ]
    answer = {"detections": rows, "duration_s": duration_s, "threshold": thresholds.get("", thresholds)}
    if judge is not None:
        answer["phones"] = {"word": judge.word, "learnt_from": judge.learnt_from}
    emit(answer, as_json, text)


def _nearest(words: Sequence[str], of_words: "Sequence[FileDetections]") -> str:
    """How near a recording came to each threshold."""
    nearest = (
        f"{max(window.vote for window in of_word.windows):.2f}{' for ' + repr(word) if word else ''}, below its "
        f"threshold of {of_word.threshold:.2f}"
        for word, of_word in zip(words, of_words, strict=True)
    )
    return f"Highest score (logit): {'; '.join(nearest)}."


def _detect_in_folder(
    finished: "FinishedRun",
    folder: Path,
    as_json: bool,
    run: Path | None,
    csv_file: Path | None,
    word: str,
    detector_preset: str | None,
    threshold: float | None,
) -> None:
    from pipeline import csvfile
    from pipeline.wakeword.evaluation.folder_scores import COLUMNS, PROBLEM, as_rows
    from pipeline.wakeword.finished_run import scores_of_folder

    with background_run(run, N_("Listening")) as work:
        scores = scores_of_folder(finished, folder, detector_preset, threshold, stoppable(work), word)
        rows = as_rows(to_json(scores)["clips"])
        if csv_file is not None:
            table = [[*row, ""] for row in rows]
            table += [[problem.path, None, None, None, problem.message] for problem in scores.left_out]
            csvfile.write(csv_file, (*COLUMNS, PROBLEM), table)
        work.result({"n": scores.n, "detected": scores.detected})
        total = scores.n + len(scores.left_out)
        lines = [
            f"{score:8.2f}  {'detected' if hit else '        '}  {one_line(clip)}" for clip, _s, score, hit in rows
        ]
        share = f"{scores.share:.1%} {between(scores.interval, 1, is_share=True)}"
        lines.append(f"Detected in {scores.detected} of {scores.n} clips: {share}")
        if asked_phones(finished, None):
            lines.append("By the detector alone: its judge of phones is asked about single recordings.")
        if scores.left_out:
            lines.append(f"Left out, as they cannot be read: {len(scores.left_out)} of {total} files")
            lines += [one_line(f"  {problem.placed}") for problem in scores.left_out]
        emit(scores, as_json, "\n".join(lines))


@click.command()
@click.argument("run")
@exposure_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@json_option
def judge(run: str, **options: Any) -> None:
    """Serve `POST /verify`: a second opinion on the detections of a small model."""
    serve(detector=run, **options)


sensitivity_option = click.option(
    "--sensitivity",
    type=NumberRange(0.0, 1.0),
    default=0.5,
    show_default=True,
    help="0 to 1: a tenth to ten times the false alarms of the bundle's threshold, by its curve.",
)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True))
@click.argument("source", default="")
@sensitivity_option
@click.option("--device", default="", help="Name or number of the microphone (default: the system's).")
@click.option(
    "--do",
    "command",
    type=FILLED,
    metavar="COMMAND",
    help="Program and arguments to run on each detection, without a shell; {word}, {at_s} and {score} are replaced.",
)
@click.option("--post", "url", type=FILLED, metavar="URL", help="Address that gets each detection as JSON.")
@phones_option
@owner_option
@owner_threshold_option
@json_option
def listen(
    bundle: Path,
    source: str,
    sensitivity: float,
    device: str,
    command: str | None,
    url: str | None,
    phones: str | None,
    owner: str | None,
    owner_threshold: float | None,
    as_json: bool,
) -> None:
    """Listen for the word of a bundle, until Ctrl+C: to the microphone, to the file SOURCE, or with SOURCE - to
    standard input (16-bit samples at 16 kHz, mono)."""
    from pipeline.wakeword.listening import STANDARD_INPUT, Reaction, sound_of
    from pipeline.wakeword.listening import listen as detections_in
    from pipeline.wakeword.packaging.opened_bundle import open_bundle
    from pipeline.wakeword.runtime.runner import false_alarms_at
    from pipeline.wakeword.threshold import in_words, known_basis

    reaction = Reaction(_arguments(command or ""), url or "")
    verify = _verifier(owner, owner_threshold)
    with _terminated_as_interrupted(), open_bundle(bundle, sensitivity) as detector:
        about = detector.about
        judge = _judge_of_phones(detector, phones) if phones else None
        confirm = judge.verifier(sensitivity) if judge else None
        names = ", ".join(repr(word.name) for word in detector.words)
        thresholds = ", ".join(f"{word.threshold:.2f}" for word in detector.words)
        lowest = ", ".join(f"{word.lowest_score:.2f}" for word in detector.words)
        expected = (
            f"from a score of {lowest} on: set for {false_alarms_at(about, sensitivity):.2g} false alarms per hour"
        )
        if basis := known_basis(about.get("figures")):
            expected += f". {in_words(basis).rstrip('.')}"
        if judge is not None:
            expected = f"the listener of phones judges what reaches a logit of {thresholds}, {basis_of(judge)}"
        elif detector.judge is not None:
            expected = f"the bundle's own judge of phones judges what reaches a logit of {thresholds}"
        n_detections = 0
        try:
            say(f"Listening for {names}, {expected}.", err=True)
            for heard in detections_in(detector, sound_of(source, device), verify, confirm):
                text = f"{heard.at_s:8.2f} s  {heard.word}  score {heard.score:.2f}"
                match = heard.owner
                if match is not None and not match.is_owner:
                    say(f"{text}: {_whose(match)}", err=True)
                    continue
                emit(heard.as_json(), as_json, text + (f"  {_whose(match)}" if match else ""))
                n_detections += 1
                for problem in reaction(heard):
                    say(f"pronlab: {problem}", err=True)
            if not n_detections:  # the sound has ended: a file's, or standard input's
                say(f"Nothing was detected in {'standard input' if source == STANDARD_INPUT else source}.", err=True)
        except KeyboardInterrupt:
            pass
        finally:
            for problem in reaction.finish():
                say(f"pronlab: {problem}", err=True)


def _judge_of_phones(detector: "Detector", word: str) -> "PhoneJudge":
    """The detector's threshold becomes low enough for the judge to decide."""
    from pipeline.wakeword.phone_judge import PhoneJudge

    if len(detector.words) > 1:
        raise click.UsageError("--phones is of one word, and this bundle knows several.")
    if detector.judge is not None:
        raise click.UsageError("This bundle brings its own judge: leave --phones away.")
    judge = PhoneJudge(Settings.from_env(), word, detector.folder)
    detector.ask_from(judge.asked_from())
    return judge


def _verifier(name: str | None, threshold: float | None) -> "OwnerVerify | None":
    if not name:
        if threshold is not None:
            raise click.UsageError("--owner-threshold is of a voice: name it with --owner.")
        return None
    from pipeline.wakeword.owner.verification import owner_verifier

    return owner_verifier(Settings.from_env(), name, threshold)


def _whose(match: "OwnerMatch") -> str:
    whose = match.name if match.is_owner else f"another voice than {match.name}'s"
    return f"{whose} ({match.similarity:.2f})"


@click.command()
@click.argument("name")
@click.argument("takes", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--forget", is_flag=True, help="Delete this voice instead.")
@json_option
def enrol(name: str, takes: tuple[Path, ...], forget: bool, as_json: bool) -> None:
    """Enrol the voice of NAME from five or more TAKES (files or folders) of the word, for `pronlab wakeword listen
    --owner NAME`. Only a vector of the voice is kept."""
    from pipeline.wakeword.owner.enrolment import enrol as enrol_voice
    from pipeline.wakeword.owner.enrolment import forget_owner, takes_in
    from pipeline.wakeword.owner.voice import VoiceEncoder

    settings = Settings.from_env()
    if forget:
        if takes:
            raise click.UsageError("--forget deletes a voice: leave the takes away.")
        forget_owner(settings, name)
        emit({"name": name, "forgotten": True}, as_json, f"The voice of {name!r} is deleted.")
        return
    encoder = VoiceEncoder(settings)
    enrolment = enrol_voice(
        settings, name, takes_in(takes), encoder.voice_of, encoder.states_of, encoder.info.listener_sha256
    )
    owner = enrolment.owner
    text = (
        f"{owner.name!r} is enrolled with {owner.n_takes} takes; any two of them are alike by {owner.agreement:.2f} on "
        f"average."
    )
    if enrolment.other_voices:
        text += (
            f"\nCheck {one_line(', '.join(enrolment.other_voices))}: perhaps another person's voice. Enrol again with "
            f"takes of one person if so."
        )
    if enrolment.odd_takes:
        text += (
            f"\nCheck {one_line(', '.join(enrolment.odd_takes))}: not like the other takes, perhaps another word. "
            f"Enrol again with takes of the same word if so."
        )
    answer = {
        "name": owner.name, "takes": owner.n_takes, "agreement": owner.agreement, "odd_takes": enrolment.odd_takes,
        "other_voices": enrolment.other_voices,
    }  # fmt: skip
    emit({**answer, "threshold": encoder.info.threshold}, as_json, text)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--open-to-network", is_flag=True, help="Serve other machines: the protocol has no keys.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=WYOMING_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--language", type=LANGUAGE, default="en", show_default=True, help="Language of the word, as clients are told."
)
@sensitivity_option
@json_option
def wyoming(
    bundle: Path, host: str, open_to_network: bool, port: int, language: str, sensitivity: float, as_json: bool
) -> None:
    """Serve a bundle to Home Assistant and its satellites, by the Wyoming protocol."""
    import asyncio

    from pipeline.errors import AccessError, ServiceError
    from pipeline.i18n import N_
    from pipeline.optional import require
    from pipeline.people.exposure import is_loopback
    from pipeline.wakeword.packaging.opened_bundle import open_bundle

    require(N_("The Wyoming server"), ("wyoming",), ServiceError)
    from pipeline.wakeword.wyoming_server import serve as serve_bundle

    if not is_loopback(host) and not open_to_network:
        raise AccessError(
            N_(
                "On {host} every machine of the network could use it: the protocol has no keys. Add "
                "--open-to-network if that is meant."
            ),
            host=host,
        )

    def ready(bound: int) -> None:
        url = f"tcp://{f'[{host}]' if ':' in host else host}:{bound}"
        emit({"url": url}, as_json, f"The word is served on {url} (Ctrl+C stops it).")

    with (
        _terminated_as_interrupted(),
        open_bundle(bundle, sensitivity) as detector,
        contextlib.suppress(KeyboardInterrupt),
    ):
        asyncio.run(serve_bundle(detector.again, host, port, language, ready))


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends as Ctrl+C does, so that what was unpacked is deleted: a service manager knows nothing else."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _arguments(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"--do cannot be split into arguments ({error}): {command}") from error


COMMANDS = (detect, judge, enrol, listen, wyoming)
