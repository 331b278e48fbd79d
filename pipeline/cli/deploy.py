"""`pronlab deploy`: put a finished run's model into use, or go back."""

from pathlib import Path

import click

from pipeline.cli._output import emit, json_option
from pipeline.errors import ModelError
from pipeline.records import RubricName
from pipeline.settings import Settings


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
