"""The notebook for hosted GPUs, run as it stands, and its model taken over."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import RubricName
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.data import load_training_data, write_csv
from pipeline.scoring.feature_based.deploy import deploy
from pipeline.scoring.feature_based.model_files import load_model
from pipeline.scoring.feature_based.model_location import find_model
from pipeline.settings import CHECKOUT, Settings

NOTEBOOK = CHECKOUT / "models" / "train_word_scorer.ipynb"


@pytest.mark.usefixtures("demo")
def test_the_notebook_trains_a_model_that_can_be_deployed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    data = load_training_data(settings, TrainConfig(set="demo"))
    write_csv(tmp_path / "training_data.csv", data)
    monkeypatch.setenv("PRONLAB_EPOCHS", "12")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "outputs do not belong into the repository"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    folder = tmp_path / "word_scorer"
    assert (tmp_path / "word_scorer.zip").is_file()
    info = deploy(settings, folder)
    found = find_model(settings, RubricName.WORD)
    assert found is not None
    model = load_model(found)
    assert (info.architecture, info.label_sources) == ((57, 128, 64, 32, 1), ("synthetic",))
    written = json.loads((folder / "model_info.json").read_text(encoding="utf-8"))
    assert info.test["mae"] == written["test"]["mae"] < 25
    predicted = model.predict(data.values)
    assert np.corrcoef(predicted, data.scores)[0, 1] > 0.2
    assert len(model.held_out) == 176
    said = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output
    )
    assert "fold 5 of 5" in said
