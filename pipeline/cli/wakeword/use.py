"""Use a detector: on a file, or as the judge over HTTP."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli._output import emit, json_option
from pipeline.cli.serve import exposure_options
from pipeline.cli.serve import run as serve
from pipeline.settings import Settings

PORT = 8602


@click.command()
@click.argument("run")
@click.argument("audio", type=click.Path(path_type=Path))
@click.option(
    "--preset", "detector_preset", help="Detector settings: aggressive, balanced or conservative (default: the run's)."
)
@click.option("--threshold", type=float, help="Threshold in logits (default: the model's).")
@click.option("--judge", "url", help="Address of a judge to ask about each detection.")
@click.option("--judge-key", "key", envvar="PRONLAB_JUDGE_KEY", help="API key of the judge (or set PRONLAB_JUDGE_KEY).")
@json_option
def detect(run: str, audio: Path, as_json: bool, **options: Any) -> None:
    """Find the word in a recording."""
    from pipeline.wakeword.file_detection import detect_in_file
    from pipeline.wakeword.finished_run import open_finished_run

    detections = detect_in_file(open_finished_run(Settings.from_env(), run), audio, **options)
    lines = [
        f"{d.at_s:8.2f} s  logit {d.score:.2f}"
        + (f"  judge: {d.verdict.label} ({d.verdict.confidence:.0%})" if d.verdict else "")
        for d in detections.detections
    ]
    text = "\n".join(lines) or f"The word is not in {audio.name} ({detections.duration_s:.1f} s)."
    emit(
        {"detections": detections.detections, "duration_s": detections.duration_s, "threshold": detections.threshold},
        as_json,
        text,
    )


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


COMMANDS = (detect, judge)
