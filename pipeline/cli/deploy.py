"""`pronlab deploy`: deploy the model of a finished run, or go back to the one before."""

from pathlib import Path

import click

from pipeline.cli._access import asker_name
from pipeline.cli._output import emit, json_option
from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.records import RubricName
from pipeline.settings import Settings


@click.command()
@click.argument("run", required=False)
@click.option(
    "--rollback",
    "rubric_back",
    type=click.Choice([str(name) for name in RubricName]),
    help="Go back to the previously deployed model.",
)
@json_option
def deploy(run: str | None, rubric_back: str | None, as_json: bool) -> None:
    """Deploy the model of a finished RUN (a run id or a model folder): it scores its rubric from now on."""
    from pipeline.cli.models import folder_of_run
    from pipeline.deployment.model_registry import make_live, roll_back
    from pipeline.scoring.speech.model_files import FOLDER as SPEECH
    from pipeline.scoring.speech.packaging.deploy import is_deployed
    from pipeline.speechllm.deployed import needs

    settings = Settings.from_env()
    if rubric_back is not None:
        speech = rubric_back == RubricName.SENTENCE and is_deployed(settings)
        before = roll_back(settings, SPEECH if speech else rubric_back, asker_name())
        scored = "English sentences" if speech else rubric_back
        text = (
            f"Back to {before} for {scored}."
            if before
            else f"Back to the released model for {scored}, or to the rules where none is released."
        )
        emit({"rubric": rubric_back, "model": before}, as_json, text)
        return
    if run is None:
        raise ModelError(
            N_("Name the run to deploy, e.g. `pronlab deploy acoustic57-mlp-1a2b3c4d`, or --rollback RUBRIC.")
        )
    folder = folder_of_run(settings, run)
    entry = make_live(settings, folder, asker_name(), "" if Path(run).is_dir() else run)
    scored = "English sentences" if entry.place == SPEECH else f"the {entry.place} rubric"
    mae = entry.made_from.get("test", {}).get("mae")
    figure = "" if mae is None else f" (test MAE {mae:.2f})"
    memory_gb = entry.made_from.get("memory_gb")
    needed = "" if memory_gb is None else needs(memory_gb)
    text = f"{entry.model_id} now scores {scored}{figure}. {needed}".rstrip()
    emit({**vars(entry), **({"needs": needed} if needed else {})}, as_json, text)
