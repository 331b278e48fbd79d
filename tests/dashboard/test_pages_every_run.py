"""Pages that list runs, with runs of every kind in every state and with folders that are none."""

import json
from collections.abc import Callable
from decimal import InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from dashboard.components.run_list import stored
from pipeline.cli.main import main
from pipeline.errors import JobError
from pipeline.importing.importer import import_path
from pipeline.jobs.requirements import TRAININGS
from pipeline.runs import RunDirectory, list_runs, scan_runs
from pipeline.runs.comparison import as_csv, as_markdown, compare_runs, flat
from pipeline.runs.words import KINDS
from pipeline.settings import Settings
from tests.pages import button, said
from tests.run_folders import (
    CONFIGS,
    STATES,
    Folder,
    kinds_of_trainings,
    write_every_folder,
    write_folder,
    write_logs,
)

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

Open = Callable[..., "AppTest"]


@pytest.fixture
def folders(settings: Settings) -> list[Folder]:
    return write_every_folder(settings.runs_root)


def test_the_folders_are_of_every_kind_that_the_code_makes() -> None:
    assert kinds_of_trainings() == set(CONFIGS)
    assert set(CONFIGS) <= set(KINDS), "each has a name on the Runs page"
    assert set(TRAININGS) <= set(KINDS), "and each job that trains one where it is followed"


def test_a_damaged_folder_hides_no_run_and_is_named(folders: list[Folder], settings: Settings) -> None:
    found = scan_runs(settings.runs_root)
    assert {run.directory.path for run in found.records} == {one.path for one in folders if one.readable}
    assert {one.path for one in found.damaged} == {one.path for one in folders if not one.readable}
    for one in found.damaged:
        assert "\n" not in one.text
        assert one.path.name in one.text
        assert f"pronlab runs delete {one.path.name}" in one.text
    reasons = {one.path.name.split("-", 1)[1]: one.reason for one in found.damaged if one.path.name.startswith("word-")}
    assert "update Pronlab" in reasons["a later version's-0"]
    assert "'paused'" in reasons["an unknown status-0"]
    assert "'yesterday'" in reasons["no time-0"]
    assert "lies too far in the future" in reasons["a time in years-0"]


def test_pages_open_and_name_what_they_leave_out(open_page: Open, folders: list[Folder]) -> None:
    for view, query in (
        ("runs", {}), ("train", {}), ("results", {}), ("wakeword", {"step": "3 Training"}),
        ("wakeword", {"step": "4 Evaluation"}), ("wakeword", {"step": "5 Export"}), ("tables", {"table": "Train"}),
        ("tables", {"table": "Results"}), ("monitor", {"monitor": "models"}),
    ):  # fmt: skip
        words = said(open_page(view, **query))
        assert "cannot be read" in words, (view, query)
        assert "more folders cannot be read" in words, (view, query)


def test_compare_names_jobs_that_cannot_be_read(open_page: Open, settings: Settings, tiny_set: str) -> None:
    for state in ("half a run.json", "empty folder", "running", "no config"):
        write_folder(settings.jobs_root / state, "score-set", state, {"set": tiny_set, "scorers": ["heuristic"]})
    words = said(open_page("compare", job="half a run.json"))
    assert "empty folder cannot be read" in words
    assert "half a run.json cannot be read" in words
    assert "**running** · Scoring a set" in said(open_page("compare"))


@pytest.mark.parametrize("error", [KeyError("a"), InvalidOperation(), OverflowError("x"), IndexError("x")], ids=repr)
def test_a_figure_that_is_no_number_is_said_in_words(error: Exception) -> None:
    """What drawing figures of the wrong type raises: formatting a list as a share, for one."""
    with pytest.raises(JobError, match="damaged or from another version"), stored("The evaluation of x"):
        raise error


def test_every_run_can_be_looked_at(open_page: Open, folders: list[Folder]) -> None:
    """Word runs in every state, and the others in those whose drawing is their own."""
    page = open_page("train")
    own = ("running", "finished", "finished, of another version")
    for one in folders:
        if one.readable and (one.kind == "word" or one.state in own):
            page.selectbox(key="run").set_value(one.path.name).run()
            assert f"**{one.path.name}**" in said(page), one
            if one.state == "finished" and one.kind in ("word", "speechllm"):
                assert "cannot be shown: its file is damaged" in said(page), one


def test_every_detector_can_be_looked_at_in_every_step(open_page: Open, settings: Settings) -> None:
    folders = [one for one in write_every_folder(settings.runs_root, iter(["wakeword"])) if one.readable]
    for step in ("3 Training", "4 Evaluation", "5 Export"):
        page = open_page("wakeword", step=step)
        for one in folders:
            page.selectbox(key="run").set_value(one.path.name).run()
            assert said(page), one


def test_runs_of_every_kind_are_compared_and_exported(
    open_page: Open, folders: list[Folder], settings: Settings
) -> None:
    page = open_page("runs")
    names = [one.path.name for one in folders if one.readable]
    page.multiselect(key="runs").set_value(names).run()
    tables = [frame.value for frame in page.dataframe]
    settings_table = next(table for table in tables if "Setting" in table.columns)
    named = dict(zip(settings_table["Setting"], settings_table["wakeword-finished-0"], strict=True))
    assert named["model.name"] == "tcn", "sections are compared setting by setting"
    assert "Metric" in tables[1].columns
    found = compare_runs(list_runs(settings.runs_root))
    assert "wakeword-finished-0" in as_csv(found)
    assert "| model.name |" in as_markdown(found)
    page.multiselect(key="runs").set_value(["wakeword-finished-0"]).run()
    assert "**wakeword-finished-0** · Finished" in said(page)


def test_settings_of_any_type_are_laid_flat() -> None:
    assert flat({"a": {"b": {"c": 1}, "d": []}, "e": None, "f": {}}) == {"a.b.c": 1, "a.d": [], "e": None}


def test_a_folder_that_cannot_be_read_is_deleted_from_the_page(open_page: Open, settings: Settings) -> None:
    for state in ("half a run.json", "finished"):
        write_folder(settings.runs_root / state, "word", state, CONFIGS["word"][0])
    page = open_page("runs")
    button(page, "Delete permanently").click().run()
    assert not (settings.runs_root / "half a run.json").exists()
    assert "cannot be read" not in said(page)
    assert [run.id for run in list_runs(settings.runs_root)] == ["finished"]


def test_folders_that_cannot_be_read_on_the_command_line(
    folders: list[Folder], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    done = CliRunner().invoke(main, ["runs", "list", "--json"])
    assert len(json.loads(done.stdout)) == sum(one.readable for one in folders)
    assert len(done.stderr.splitlines()) == sum(not one.readable for one in folders)
    for one in folders:
        for command in ("show", "compare", "resume"):
            if one.readable:
                continue
            done = CliRunner().invoke(main, ["runs", command, one.path.name])
            assert done.exit_code == 1, (one, done.output)
            assert done.output.count("\n") == 1, done.output
            assert isinstance(done.exception, SystemExit), done.exception
    names = [one.path.name for one in folders if one.readable]
    done = CliRunner().invoke(main, ["runs", "compare", *names])
    assert done.exit_code == 0, done.output
    for one in folders[: len(STATES)]:
        try:
            active = RunDirectory(one.path).state.status in ("queued", "running")
        except JobError:
            active = False
        done = CliRunner().invoke(main, ["runs", "delete", "--yes", one.path.name])
        assert (done.exit_code, one.path.exists()) == (int(active), active), done.output


def test_a_deleted_run_is_named(open_page: Open, settings: Settings) -> None:
    for name in ("a", "b"):
        write_folder(settings.runs_root / name, "wakeword", "running", CONFIGS["wakeword"][0])
    for view, query in (("train", {}), ("wakeword", {"step": "3 Training"})):
        page = open_page(view, run="c", **query)
        assert "The run c no longer exists" in said(page)
        assert page.selectbox(key="run").value in ("a", "b")


def test_an_estimate_and_a_start_do_not_collide(
    open_page: Open, settings: Settings, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both panels, of the plan and of the run, with what they take of the machine, are on the page at once."""
    import_path(settings, speech_manifest, name="ocean")
    monkeypatch.setattr("pipeline.jobs.launcher._start", lambda job, name: write_logs(job.run.path))
    page = open_page("train")
    page.segmented_control(key="train-kind").set_value("speechllm").run()
    for label in ("Estimate", "Start fine-tuning", "Estimate", "Start fine-tuning"):
        button(page, label).click().run()
        assert not page.exception, page.exception
    assert (len(list_runs(settings.runs_root)), len(list_runs(settings.jobs_root))) == (2, 2)
    assert len([one for one in page.expander if one.label.startswith("CPU and memory")]) == 2
    stops = [one for one in page.button if one.label == "Stop"]
    assert len(stops) == 2
    stops[0].click().run()
    assert not page.exception
    assert [run.state.status for run in list_runs(settings.jobs_root)] == ["stopping", "queued"]
