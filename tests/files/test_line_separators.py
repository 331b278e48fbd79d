"""U+2028, U+2029, U+0085 and their like in what people write: text like any other, through every service that keeps
it as JSON lines."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline import jsonl
from pipeline.cli.main import main
from pipeline.corpus.sets import read_recordings
from pipeline.deployment.model_registry import _events, _file
from pipeline.evaluation.saved import SavedEvaluation
from pipeline.importing.importer import import_path
from pipeline.labels.exchange.files import export_table
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.people.people import People, Person
from pipeline.projects.project import Project, changes, get_project, save_project
from pipeline.records import RatingAction, RatingEvent
from pipeline.runs import RunDirectory
from pipeline.runs.metrics import read_lines
from pipeline.scoring.batch import read_predictions, score_set
from pipeline.settings import CHECKOUT, Settings
from pipeline.tabular.prompts.store import Store
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.splits import AssignedClip, read_manifest, write_manifest

ODD = "one\u2028two\u2029three\u0085four\x0bfive\x0csix\x1cseven"
SPOKEN = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
ADMIN = Identity("Ada", frozenset(Role))


@pytest.fixture
def odd_set(settings: Settings, tmp_path: Path) -> str:
    """Two recordings by a manifest whose texts and names hold such signs, unescaped as other programs write them."""
    folder = tmp_path / "odd"
    folder.mkdir()
    rows = []
    for number in (1, 2):
        (folder / f"{number}.wav").write_bytes(SPOKEN.read_bytes())
        rows.append({"audio": f"{number}.wav", "text": f"{ODD} {number}", "speaker": "s\u0085t", "rubric": "word"})
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_bytes(text.encode())
    assert import_path(settings, folder / "manifest.jsonl", name="odd").problems == ()
    return "odd"


def test_a_manifest(settings: Settings, odd_set: str) -> None:
    first, second = read_recordings(settings, odd_set)
    assert (first.text, second.text, first.speaker) == (f"{ODD} 1", f"{ODD} 2", "s t"), "in names all blanks are alike"


def test_predictions_for_compare(settings: Settings, odd_set: str, open_page: Any) -> None:
    score_set(settings, odd_set, "heuristic")
    file = settings.predictions_root / odd_set / "heuristic.jsonl"
    rows = [{**row, "warnings": [ODD]} for row in jsonl.read(file)]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert len(read_predictions(settings, odd_set)) == 2
    LabelStore(settings).add(
        read_recordings(settings, odd_set)[0],
        RatingEvent("Ayşe", RatingAction.RATE, "2026-01-01T00:00:00.000+00:00", 50.0, notes=ODD),
    )
    page = open_page("compare", set=odd_set)
    assert not page.exception
    assert not page.error


def test_labels_as_json_lines(settings: Settings, odd_set: str) -> None:
    event = RatingEvent("Ayşe", RatingAction.RATE, "2026-01-01T00:00:00.000+00:00", 50.0, notes=ODD)
    LabelStore(settings).add(read_recordings(settings, odd_set)[0], event)
    exported = export_table(settings, odd_set, "jsonl")
    (row,) = map(json.loads, exported.content.decode().splitlines())
    assert (exported.n, row["notes"], row["text"]) == (1, ODD, f"{ODD} 1")


def test_prompts_for_tables(settings: Settings, open_page: Any) -> None:
    store = Store(settings)
    kept = store.add(f"Write {ODD}.", "Eve\u0085X", 40.0, "Bob", notes=ODD)
    store.rate(kept.id, 50.0, "Bob")
    (back,) = Store(settings).all()
    # Of white space in a name, whatever its kind, one space is kept.
    assert (back.text, back.author, back.score) == (f"Write {ODD}.", "Eve X", 50.0)
    with (settings.data_root / "prompts.jsonl").open("ab") as file:
        file.write(b'{"id": "half')
    assert len(store.all()) == 1, "a saver that was killed costs the page nothing"
    store.add("Another.", "Eve")
    assert len(store.all()) == 2
    page = open_page("tables", table="prompts")
    assert not page.exception
    assert not page.error


def test_a_prompt_written_by_an_earlier_version(settings: Settings) -> None:
    """They lie unescaped in files that are there already."""
    raw = {"id": "a", "text": ODD, "author": "Eve", "score": 1}
    settings.data_root.mkdir(parents=True)
    file = settings.data_root / "prompts.jsonl"
    file.write_text(json.dumps(raw, ensure_ascii=False) + "\n", encoding="utf-8")
    assert Store(settings).all()[0].text == ODD


def test_instructions_of_a_project(settings: Settings, tiny_set: str, open_page: Any) -> None:
    save_project(settings, Project("study", tiny_set, instructions="Listen\u2028twice."), ADMIN)
    save_project(settings, Project("study", tiny_set, title=ODD, instructions=ODD), ADMIN)
    assert get_project(settings, "study").instructions == ODD
    assert changes(settings, "study")[-1]["changed"]["instructions"] == ["Listen\u2028twice.", ODD]
    page = open_page("projects")
    assert not page.exception
    assert not page.error


def test_changes_of_people(settings: Settings) -> None:
    people = People(settings)
    people.save(Person("Ada", (Role.ADMIN,)), ADMIN)
    file = settings.data_root / "people-changes.jsonl"
    jsonl.append(file, {"at": "", "by": f"A\u2028{ODD}", "before": None, "after": None})
    raw = json.dumps({"at": "", "by": ODD, "before": None, "after": None}, ensure_ascii=False)
    with file.open("ab") as more:
        more.write(raw.encode() + b'\n{"at": "half')
    assert [line["by"] for line in people.changes()][1:] == [f"A\u2028{ODD}", ODD]


def test_the_model_registry(settings: Settings) -> None:
    file = _file(settings)
    file.parent.mkdir(parents=True)
    raw = {
        "at": "2026-01-01T00:00:00+00:00",
        "place": "word",
        "model_id": "m",
        "stage": "live",
        "by": ODD,
        "folder": "/f",
        "run": "r",
    }
    file.write_bytes((json.dumps(raw, ensure_ascii=False) + "\n").encode())
    assert [event.by for event in _events(settings)] == [ODD]


def test_rows_of_an_evaluation(tmp_path: Path) -> None:
    file = tmp_path / "m.rows.jsonl"
    file.write_bytes((json.dumps({"text": ODD}, ensure_ascii=False) + "\n").encode())
    assert SavedEvaluation({}, file).rows() == [{"text": ODD}]


def test_a_split_of_wake_word_clips(tmp_path: Path) -> None:
    clip = Clip(f"positive/{ODD}.wav", Label.POSITIVE, ODD, 1.0, 16_000, 0.5, "d")
    write_manifest(tmp_path / "split", [AssignedClip(clip, "train", None)], tmp_path, 0, sources_known=True)
    root, placed = read_manifest(tmp_path / "split")
    assert (root, placed[0].clip.path, placed[0].clip.source) == (tmp_path, clip.path, ODD)


def test_metrics_of_a_run(settings: Settings) -> None:
    run = RunDirectory.create(settings.runs_root, kind="speech", name="a", config={})
    with run.start() as writer:
        writer.log_metrics(event="note", text=ODD)
        writer.log_metrics(event="epoch", loss=float("inf"))
    assert [row.get("text", "none") for row in run.metrics()] == [ODD, "none"]
    assert read_lines(run.path / "metrics.jsonl")[0] == run.metrics()


def test_wake_word_scores_and_tables_made_by_the_command_line(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "prompts.jsonl"
    result = CliRunner().invoke(main, ["table", "synthesize", str(out), "--n", "30"])
    assert result.exit_code == 0, result.output
    assert len(list(jsonl.read(out))) == 30
