"""The Recordings page, and addresses that open one recording on Label and Review."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from dashboard.components import discussion
from dashboard.sections.projects.setup import plan_text, read_plan
from dashboard.sections.review import marked_words
from dashboard.services.label import Labelling, Session
from pipeline.errors import LabelError, ProjectError
from pipeline.labels.index import Index
from pipeline.people.access import Role
from pipeline.people.people import People, Person
from pipeline.projects.project import Project, get_project, save_project
from pipeline.projects.queue import Queue
from pipeline.projects.review import Dispute, ProjectReview
from pipeline.records import Mark, Purpose, RatingAction, RatingEvent, Recording, RubricName
from pipeline.settings import Settings
from tests.dashboard.test_pages_projects import study, team
from tests.pages import button, said
from tests.projects.test_projects import ADMIN, expert, ids_of, rate_all, words

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

__all__ = ["study", "words"]
Open = Callable[..., "AppTest"]
OF_THE_TEAM = {"Ratings", "Consensus", "Difference", "State", "Set aside by", "Known answer"}


def test_a_reviewer_finds_a_recording(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    page = open_page("recordings", project="study", rater="Rita")
    assert not page.exception
    table = page.dataframe[0].value
    assert len(table) == 12
    assert {"Ratings", "Consensus", "Difference"} <= set(table.columns)
    page.selectbox(key="recordings-filter").set_value("disputed").run()
    assert list(page.dataframe[0].value["Difference"]) == ["60"]
    page.selectbox(key="recordings-filter").set_value("all")
    page.text_input(key="search").set_value("GÜNEŞ").run()
    assert list(page.dataframe[0].value["Text"]) == ["güneş", "güneş"]
    page.text_input(key="search").set_value("nothing of this").run()
    assert "No recording matches" in said(page)


def test_an_experts_list_tells_nothing_of_others(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    page = open_page("recordings", project="study", rater="Eve")
    table = page.dataframe[0].value
    assert not OF_THE_TEAM & set(table.columns)
    assert table["My score"][0] == "30"
    assert "Raters differ" not in page.selectbox(key="recordings-filter").options
    assert "Largest difference first" not in page.selectbox(key="recordings-order").options


def test_a_learner_has_no_list(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    page = open_page("recordings", project="study", rater="Lea")
    assert "Lea has the role learner" in said(page)
    assert not page.dataframe


def test_an_address_opens_the_recording_on_label(open_page: Open, settings: Settings, words: str) -> None:
    key = ids_of(settings)[7]
    page = open_page("label", recording=key, rater="Eve")
    assert not page.exception
    assert page.session_state["set"] == "words"
    session: Session = page.session_state["pronlab.label/words//Eve"]
    assert session.reopened == key
    page = open_page("label", recording="words/nowhere", rater="Eve")
    assert "There is no recording" in said(page)


def test_an_address_opens_the_recording_on_review(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    People(settings).save(Person("Rita", (Role.REVIEWER,)), ADMIN)
    page = open_page("review", project="study", rater="Rita", recording=ids_of(settings)[3])
    assert not page.exception
    assert set(page.dataframe[0].value["Expert"]) == {"Bob", "Cem", "Eve"}
    assert "is not on" not in said(page)


def test_what_was_rated_opens_with_its_values(settings: Settings, study: Project) -> None:
    labelling = Labelling(settings, "words", expert("Eve"), study)
    session = labelling.go_to(Session(), ids_of(settings)[0])
    current = labelling.open_recording(session)
    assert current.previous.score == 30.0  # type: ignore[union-attr]
    action = {"nonce": "1", "kind": "rate", "item": ids_of(settings)[0], "dimensions": {"score": 35}}
    after = labelling.act(session, {**action, "rubric": current.rubric.reference})  # type: ignore[union-attr]
    assert after.answer is not None
    assert after.answer.ok
    assert (
        Labelling(settings, "words", expert("Eve"), study).go_to(Session(), ids_of(settings)[0]).previous.score == 35.0
    )  # type: ignore[union-attr]


def test_opening_a_recording_of_a_project_keeps_to_its_rules(settings: Settings, words: str) -> None:
    ids = ids_of(settings)
    gold = {ids[0]: {"score": 80.0}, ids[1]: {"score": 60.0}}
    project = save_project(settings, Project("study", words, overlap=1, gold=gold, calibration=1, gold_every=3), ADMIN)
    queue = Queue(settings, project, expert("Eve"))
    recording = labelling_recordings(settings)
    with pytest.raises(LabelError, match="Finish calibration first"):
        queue.open(recording[5])
    rate_all(queue, "Eve", most=1)
    assert queue.open(recording[5]).purpose is Purpose.WORK
    silent = next(key for key in gold if key not in queue._history.seen(Purpose.CALIBRATION))
    assert queue.open(next(r for r in recording if r.id == silent)).purpose is Purpose.GOLD
    other = Queue(settings, project, expert("Bob"))
    rate_all(other, "Bob", most=1)
    other.open(recording[5])
    with pytest.raises(LabelError, match="not yours to rate now"):
        queue.open(recording[5])
    closed = save_project(settings, Project("study", words, closed=True), ADMIN)
    with pytest.raises(LabelError, match="is closed"):
        Queue(settings, closed, expert("Eve")).open(recording[5])


def test_what_can_be_opened_tells_no_known_answer(settings: Settings, words: str) -> None:
    """With all work done, only recordings with known answers would be left to open."""
    recordings = labelling_recordings(settings)
    gold = {recordings[0].id: {"score": 80.0}}
    project = save_project(settings, Project("study", words, overlap=1, gold=gold), ADMIN)
    eve, bob = (Queue(settings, project, expert(name)) for name in ("Eve", "Bob"))
    assert eve.open(recordings[0]).purpose is Purpose.GOLD
    eve.leave()
    assert len(rate_all(bob, "Bob")) == 11
    for recording in recordings:
        with pytest.raises(LabelError, match="not yours to rate now"):
            eve.open(recording)


def test_going_on_releases_what_was_chosen_and_not_rated(settings: Settings, words: str) -> None:
    project = save_project(settings, Project("study", words, overlap=1), ADMIN)
    labelling = Labelling(settings, words, expert("Eve"), project)
    first = labelling.open_recording(Session())
    other = next(key for key in ids_of(settings) if key != first.recording.id)  # type: ignore[union-attr]
    session = labelling.act(labelling.go_to(Session(), other), {"nonce": "1", "kind": "next"})
    assert labelling.open_recording(session).recording.id == first.recording.id  # type: ignore[union-attr]


def labelling_recordings(settings: Settings) -> list:  # type: ignore[type-arg]
    return Index(settings).recordings("words")


def test_decisions_become_known_answers_on_review(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    key = ids_of(settings)[0]
    ProjectReview(settings, study, ADMIN).decide(key, {"score": 55.0})
    page = open_page("review", project="study", rater="Rita", recording=key)
    button(page, "Make this decision a known answer").click().run()
    assert not page.exception
    assert get_project(settings, "study").gold == {key: {"score": 55.0}}
    assert "compared with a known answer" in said(page)


def test_plans_as_people_type_them() -> None:
    shares, quotas = read_plan("Eve,60,200\nBob;40\n\nCem,,7\n".replace(";", ","))
    assert (shares, quotas) == ({"Eve": 60.0, "Bob": 40.0}, {"Eve": 200, "Cem": 7})
    assert read_plan(plan_text(Project("p", "s", shares=shares, quotas=quotas))) == (shares, quotas)
    for wrong in ("Eve", "Eve,a lot", ",5", "Eve,1,2,3"):
        with pytest.raises(ProjectError, match="no share or quota"):
            read_plan(wrong)


def test_the_projects_page_tells_the_time_left(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    page = open_page("projects", rater="Rita")
    assert page.dataframe[0].value["Time left"][0] == "0 min"
    assert list(page.dataframe[1].value["Expert"]) == ["Bob", "Cem", "Eve"]
    page = open_page("projects", rater="Eve")
    assert not any("Expert" in frame.value.columns for frame in page.dataframe)


def test_a_reviewer_accepts_one_rating_or_the_median(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    key = ids_of(settings)[0]
    page = open_page("review", project="study", rater="Rita")
    labels = {entry.label for entry in page.button}
    assert {"Eve: 30", "Bob: 90", "Cem: 60", "Median: 60", "Next dispute"} <= labels
    button(page, "Bob: 90").click().run()
    assert not page.exception
    assert "No recording has ratings that differ" in said(page)
    review = ProjectReview(settings, study, ADMIN)
    verdict = review.look(key).verdict
    assert verdict is not None
    assert (verdict.evaluator, verdict.score) == ("Rita", 90.0)


def test_marks_of_all_raters_stand_on_the_words() -> None:
    marks = (Mark(1, None, "mispronounced"), Mark(1, 0, "stress"))
    events = {
        "Eve": RatingEvent("Eve", RatingAction.RATE, "", marks=marks),
        "<b>Bob": RatingEvent("<b>Bob", RatingAction.RATE, "", marks=marks[:1]),
    }
    recording = Recording("s/1", "s", "1.wav", "p", "red <i>bread", RubricName.SENTENCE)
    dispute = Dispute(recording, 0.0, events, 0, None)
    marked = marked_words.marks_of(dispute)
    assert marked == {1: {(-1, "mispronounced", ""): ["Eve", "<b>Bob"], (0, "stress", ""): ["Eve"]}}
    drawn = marked_words.in_markdown("<i>bread", marked[1])
    assert drawn.splitlines() == [
        "**\\<i>bread**  ",
        "▲ wrong sound · Eve, \\<b>Bob  ",
        "ˈ sound 1: stress in the wrong place · Eve",
    ]


def test_raters_and_reviewers_talk_about_a_recording(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    key = ids_of(settings)[0]
    page = open_page("label", project="study", rater="Eve", recording=key)
    short = discussion.key_of(Index(settings).recording(key))
    page.text_input(key=f"comment-{short}-text").set_value("![x](http://x/y) is it long?")
    button(page, "Comment").click().run()
    assert not page.exception
    page = open_page("review", project="study", rater="Rita", recording=key)
    assert "!\\[x\\]" in said(page), "nobody's text is markup"
    page.text_input(key=f"reply-{short}-0-text").set_value("Yes.")
    button(page, "Reply").click().run()
    page = open_page("label", project="study", rater="Eve", recording=key)
    assert "Yes." in said(page)


def test_reviewers_list_projects_whose_experts_they_are_not(
    open_page: Open, settings: Settings, study: Project
) -> None:
    team(settings)
    save_project(settings, Project("other", "words", experts=("Bob",)), ADMIN)
    assert "other" in open_page("recordings", rater="Rita").selectbox(key="project").options
    assert "other" not in open_page("recordings", rater="Eve").selectbox(key="project").options
