"""The guide to the word scorer: what is done, what comes next, and which error would be met."""

import json

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import CorpusError
from pipeline.runs import RunDirectory
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.word_guide import State, as_text, word_guide
from pipeline.settings import Settings


def states(settings: Settings, set_name: str = "") -> dict[str, State]:
    return {step.title: step.state for step in word_guide(settings, set_name).steps}


def test_an_empty_installation_begins_with_recordings(settings: Settings) -> None:
    guide = word_guide(settings)
    assert guide.next is not None
    assert guide.next.command == "pronlab import FOLDER --name NAME"
    assert [remedy.error for remedy in guide.remedies] == [
        "No labelled data found", "Model not loaded", "The method is heuristic although a model was expected",
        "MAE over 10",
    ]  # fmt: skip
    assert guide.remedies[0].applies
    with pytest.raises(CorpusError, match="no set of words 'x'"):
        word_guide(settings, "x")


def test_the_next_command_follows_what_is_done(settings: Settings, tiny_set: str) -> None:
    assert states(settings, tiny_set)["Recordings"] in (State.DONE, State.PARTLY)
    config = TrainConfig(set=tiny_set, name="first")
    run = RunDirectory.create(settings.runs_root, kind="word", name="first", config=config)
    with run.start() as writer:
        writer.update(result={"metrics": {"mae": 12.5}})
    guide = word_guide(settings, tiny_set)
    training = next(step for step in guide.steps if step.title == "Training")
    assert training.state is State.PARTLY
    assert "MAE 12.5 points on speakers that the model had not heard" in training.found
    assert next(remedy for remedy in guide.remedies if remedy.error == "MAE over 10").applies
    deployment = next(step for step in guide.steps if step.title == "Deployment")
    assert deployment.command == f"pronlab deploy {run.id}"
    broken = settings.deployed_root / "word"
    broken.mkdir(parents=True)
    (broken / "model_info.json").write_text("{}")
    remedy = word_guide(settings, tiny_set).remedies[1]
    assert remedy.applies
    assert "scaler_params.json" in remedy.remedy
    text = as_text(word_guide(settings, tiny_set))
    assert "[~] 4. Training" in text
    assert "(here, now)" in text


def test_the_command_gives_the_steps_as_json(settings: Settings) -> None:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}
    result = CliRunner().invoke(main, ["guide", "word", "--json"], env=env)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["next"]["title"] == "Recordings"
