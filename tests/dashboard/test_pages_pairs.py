"""The pages of a pair project, as Streamlit runs them."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dashboard import identity
from dashboard.services import pairs
from dashboard.services.pairs import PairLabelling, PairSession
from pipeline import csvfile
from pipeline.labels.index import Index
from pipeline.projects.pairs.judgements import Answer, Judgements
from pipeline.projects.pairs.queue import PairItem, PairQueue
from pipeline.projects.project import Project, get_project
from pipeline.settings import Settings
from tests.pages import button, said
from tests.projects.test_pairs import compare_all, duel, pair_project
from tests.projects.test_projects import ADMIN, expert, ids_of, words

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

__all__ = ["duel", "words"]
Open = Callable[..., "AppTest"]


def test_a_pair_project_is_set_up(open_page: Open, settings: Settings, words: str) -> None:
    page = open_page("projects", rater="Ada")
    page.segmented_control(key="project-kind").set_value("pairs").run()
    page.text_input(key="project--name").set_value("first")
    page.number_input(key="project--comparisons").set_value(6)
    page.checkbox(key="project--ties").set_value(False)
    page.text_area(key="project--experts").set_value("Eve, Bob")
    page.text_area(key="project--gold").set_value(f"{ids_of(settings)[0]},80")
    button(page, "Save project").click().run()
    assert not page.exception
    project = get_project(settings, "first")
    assert (project.kind, project.comparisons, project.ties, project.experts) == ("pairs", 6, False, ("Eve", "Bob"))
    assert project.gold == {ids_of(settings)[0]: {"score": 80.0}}
    table = page.dataframe[0].value
    assert (table["Kind"][0], table["Recordings"][0]) == ("Pair comparisons", "0 of 12")
    page.selectbox(key="project-edit").set_value("first").run()
    page.checkbox(key="project-first-closed").set_value(True)
    button(page, "Save project").click().run()
    changed = get_project(settings, "first")
    assert (changed.closed, changed.kind, changed.comparisons) == (True, "pairs", 6)


def test_the_desk_shows_a_pair_without_saying_who(open_page: Open, settings: Settings, words: str) -> None:
    pair_project(settings, repeat_every=5, instructions="Listen twice.")
    page = open_page("label", project="duel", rater="Eve")
    assert "Listen twice." in said(page)
    (shown,) = (text for desk in page.get("bidi_component") if "pairs left for you" in (text := str(desk.proto)))
    assert "participant_" not in shown
    button(page, "Leave").click().run()
    assert "free for others again" in said(page)


def test_the_desk_says_when_nothing_is_left(open_page: Open, duel: Project) -> None:
    assert "Nothing is left for you in Duel" in said(open_page("label", project="duel", rater="Eve"))


def test_an_answer_is_kept_once_and_taken_back(settings: Settings, words: str) -> None:
    project = pair_project(settings)
    labelling = PairLabelling(PairQueue(settings, project, expert("Eve")))
    item = labelling.open_pair()
    assert isinstance(item, PairItem)
    session = PairSession(item=item)
    early = labelling.act(session, {"nonce": "1", "kind": "left", "heard": [1, 0]})
    assert early.answer is not None and not early.answer.ok
    assert early.turn == session.turn
    saved = labelling.act(early, {"nonce": "2", "kind": "left", "heard": [1, 1.2]})
    assert saved.answer is not None and saved.answer.ok
    assert labelling.act(saved, {"nonce": "2", "kind": "left", "heard": [1, 1]}) is saved
    (kept,) = Judgements(settings, "duel").standing()
    assert (kept.answer, kept.heard) == (Answer.LEFT, (1.0, 1.0))
    undone = labelling.act(saved, {"nonce": "3", "kind": "undo"})
    assert undone.previous == kept
    assert Judgements(settings, "duel").standing() == []
    lost = labelling.act(saved, {"nonce": "4", "kind": "left", "heard": [1, 1]})
    assert lost.answer is not None and "no longer open" in lost.answer.message


def test_a_recording_that_cannot_be_read_is_skipped(open_page: Open, settings: Settings, words: str) -> None:
    project = pair_project(settings)
    item = PairQueue(settings, project, expert("Eve")).next()
    assert isinstance(item, PairItem)
    (settings.data_root.parent / "words" / item.left.path).write_bytes(b"no sound")
    page = open_page("label", project="duel", rater="Eve")
    assert "The pair cannot be compared" in said(page)
    button(page, "Skip and continue").click().run()
    (skipped,) = Judgements(settings, "duel").standing()
    assert (skipped.answer, skipped.reason) == (Answer.SKIP, "Cannot be read")


def test_the_scale_its_raters_and_ratings(open_page: Open, settings: Settings, duel: Project) -> None:
    page = open_page("review", project="duel", rater="Rita")
    shown = said(page)
    assert "2 raters" in shown
    assert "3 anchors" in shown
    tables = [frame.value for frame in page.dataframe]
    places = next(table for table in tables if "Place" in table)
    assert len(places) == 12
    assert places["Text"][0] in ("su", "kitap")
    raters = next(table for table in tables if "Repeats alike" in table)
    assert list(raters["Rater"]) == ["Bob", "Eve"]
    page.segmented_control(key="pairs-map").set_value("monotone").run()
    page.segmented_control(key="pairs-shown").set_value("value").run()
    assert not page.exception
    page.button(key="pairs-save").click().run()
    assert not page.exception
    assert len(Index(settings).labels("words")) == 9
    consistency = open_page("agreement", set="words", rater="Rita")
    assert "Pairs: Duel" in said(consistency)
    assert any("Repeats alike" in frame.value for frame in consistency.dataframe)


def test_a_project_without_a_scale_says_what_is_missing(open_page: Open, settings: Settings, words: str) -> None:
    project = pair_project(settings)
    assert "Nobody has compared a pair" in said(open_page("review", project="duel", rater="Rita"))
    compare_all(PairQueue(settings, project, expert("Eve")), most=2)
    page = open_page("review", project="duel", rater="Rita")
    assert "not enough comparisons for one scale" in said(page)
    assert list(page.dataframe[0].value["Rater"]) == ["Eve"]


def test_the_downloads_hold_the_scale_and_the_answers(
    settings: Settings, duel: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setattr(identity, "current", lambda: ADMIN)
    scale = pairs.scale_csv(duel, "linear", csvfile.COMMA).decode("utf-8-sig").splitlines()
    assert scale[0].startswith("recording_id,text,speaker,value,low,high,n,score")
    assert len(scale) == 13
    answers = pairs.answers_csv(duel, csvfile.DIALECTS["semicolon"]).decode("utf-8-sig").splitlines()
    assert len(answers) == 1 + len(Judgements(settings, "duel").standing())
    assert ";1,0" in answers[1]
    figures = json.loads(pairs.figures_json(duel, "linear"))
    assert [rater["name"] for rater in figures["raters"]] == ["Bob", "Eve"]
    assert len(figures["scale"]["places"]) == 12
