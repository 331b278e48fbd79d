"""Agreement, Review, Projects and the Label page of a project, as Streamlit runs them; and who gets in where."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dashboard.sections.projects.setup import names_of, read_gold
from dashboard.services.label import Labelling, Session
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.errors import ProjectError
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Role
from pipeline.people.people import People, Person
from pipeline.projects.project import Project, get_project, list_projects, save_project
from pipeline.projects.queue import EmptyQueue, Queue
from pipeline.projects.review import ProjectReview
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS
from pipeline.rubrics.files import dump
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from tests.pages import button, said
from tests.prepared import prepare
from tests.projects.test_projects import ADMIN, expert, ids_of, make_words, rate_all, words
from tests.rubrics.clarity import clarity

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

__all__ = ["words"]
Open = Callable[..., "AppTest"]


@pytest.fixture
def study(settings: Settings, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three experts rated everything; the first recording divides them."""
    prepare(make_study, tmp_path, tmp_path_factory.getbasetemp())
    return get_project(settings, "study")


def make_study(settings: Settings, folder: Path) -> None:
    make_words(settings, folder)
    project = save_project(settings, Project("study", "words", overlap=3, instructions="Listen twice."), ADMIN)
    first = ids_of(settings)[0]
    for name, score in (("Eve", 30.0), ("Bob", 90.0), ("Cem", 60.0)):
        rate_all(
            Queue(settings, project, expert(name)), name,
            lambda task, score=score: score if task.recording.id == first else 70 + score / 20,
        )  # fmt: skip


def team(settings: Settings) -> None:
    people = People(settings)
    for name, role in (("Ada", Role.ADMIN), ("Eve", Role.EXPERT), ("Lea", Role.LEARNER), ("Rita", Role.REVIEWER)):
        people.save(Person(name, (role,)), ADMIN)


def test_agreement_of_two_or_more(open_page: Open, study: Project) -> None:
    page = open_page("agreement", set="words")
    assert not page.exception
    overview = page.dataframe[0].value
    assert list(overview["Dimension"]) == ["Score"]
    assert overview["Items"][0] == "12"
    assert "[" in overview["Krippendorff's α"][0]
    raters = next(frame.value for frame in page.dataframe if "Rater" in frame.value.columns)
    assert list(raters["Rater"]) == ["Bob", "Cem", "Eve"]
    texts = next(frame.value for frame in page.dataframe if "Text" in frame.value.columns)
    assert texts["Text"][0] == "araba"
    page.segmented_control(key="agreement-pairwise").set_value("kappa").run()
    assert not page.exception


def test_agreement_needs_two_people(open_page: Open, tiny_set: str, words: str) -> None:
    page = open_page("agreement", set=words)
    assert "needs two people" in said(page)


def test_a_reviewer_decides_and_takes_it_back(open_page: Open, settings: Settings, study: Project) -> None:
    page = open_page("review", project="study", rater="Rita")
    assert not page.exception
    assert page.selectbox(key="review-recording").label == "1 recording, the largest difference first"
    ratings = page.dataframe[0].value
    assert dict(zip(ratings["Expert"], ratings["Score"], strict=True)) == {"Bob": "90", "Cem": "60", "Eve": "30"}
    key = ids_of(settings)[0]

    button(page, "Decide").click().run()
    assert page.error[0].value == "Give a score before you decide."
    page.number_input(key=f"decide-{key}-score").set_value(55.0)
    page.text_input(key=f"decide-{key}-why").set_value("clear enough")
    button(page, "Decide").click().run()
    assert not page.exception
    assert "No recording has ratings that differ by more" in said(page)
    assert LabelStore(settings).history(Index(settings).recording(key))[-1].notes == "clear enough"
    page.toggle(key="review-all").set_value(True).run()
    assert "Rita decided: 55" in said(page)
    button(page, "Undo my last decision").click().run()
    assert len(ProjectReview(settings, study, ADMIN).disputes()) == 1


def test_how_experts_work_and_the_consensus(open_page: Open, study: Project) -> None:
    page = open_page("review", project="study", rater="Rita")
    page.segmented_control(key="review-show").set_value("experts").run()
    assert list(page.dataframe[0].value["Expert"]) == ["Bob", "Cem", "Eve"]
    page.segmented_control(key="review-show").set_value("consensus").run()
    table = page.dataframe[0].value
    assert len(table) == 12
    page.selectbox(key="review-method").set_value("severity").run()
    assert set(page.dataframe[0].value["method"]) == {"Corrected for expert severity"}


def test_a_project_is_set_up_and_changed(open_page: Open, settings: Settings, words: str) -> None:
    page = open_page("projects", rater="Ada")
    assert "no project yet" in said(page)
    key = "project-"
    page.text_input(key=f"{key}-name").set_value("first")
    page.number_input(key=f"{key}-overlap").set_value(2)
    page.text_area(key=f"{key}-experts").set_value("Eve, Bob")
    page.text_area(key=f"{key}-gold").set_value("nothing")
    button(page, "Save project").click().run()
    assert "Write recording,score" in page.error[0].value
    page.text_area(key=f"{key}-gold").set_value(f"{ids_of(settings)[0]},80")
    page.number_input(key=f"{key}-cal").set_value(1)
    button(page, "Save project").click().run()
    assert not page.exception
    project = get_project(settings, "first")
    assert (project.overlap, project.experts, project.calibration) == (2, ("Eve", "Bob"), 1)
    assert project.gold == {ids_of(settings)[0]: {"score": 80.0}}
    assert page.dataframe[0].value["Ratings"][0] == "0 of 22"
    page.selectbox(key="project-edit").set_value("first").run()
    page.checkbox(key="project-first-closed").set_value(True)
    button(page, "Save project").click().run()
    assert get_project(settings, "first").closed
    assert page.dataframe[0].value["Status"][0] == "closed"


def test_the_first_person_makes_the_list(open_page: Open, settings: Settings, words: str) -> None:
    page = open_page("projects")
    assert "installation is open" in said(page)
    page.text_input(key="person-name").set_value("Ada")
    button(page, "Add or change").click().run()
    assert not page.exception
    assert [(p.name, Role.ADMIN in p.roles) for p in People(settings).all()] == [("Ada", True)]


@pytest.mark.parametrize(
    ("view", "who", "refusal"),
    [
        ("agreement", "Eve", "admins can see other people's ratings. Eve has the role expert"),
        ("review", "Lea", "admins can see other people's ratings. Lea has the role learner"),
        ("label", "Lea", "Only experts can rate recordings. Lea has the role learner"),
        ("label", "Rita", "Only experts can rate recordings. Rita has the role reviewer"),
        ("review", None, "Choose your name"),
        ("compare", "Eve", "admins can see other people's ratings. Eve has the role expert"),
        ("train", "Rita", "Only researchers and admins can train models"),
        ("data", "Eve", "admins can see other people's ratings. Eve has the role expert"),
    ],
)  # fmt: skip
def test_roles_hold_whatever_the_address_says(
    open_page: Open, settings: Settings, study: Project, view: str, who: str | None, refusal: str
) -> None:
    team(settings)
    query = {"project": "study", "set": "words", "section": "Export", **({"rater": who} if who else {})}
    page = open_page(view, **query)
    assert refusal in said(page).replace("\\", "")
    assert not page.dataframe


def test_somebody_who_is_not_on_the_list_is_nobody(open_page: Open, settings: Settings, study: Project) -> None:
    team(settings)
    page = open_page("review", project="study", rater="Mallory")
    assert "Choose your name" in said(page)


def test_the_label_page_of_a_project(open_page: Open, settings: Settings, words: str) -> None:
    save_project(settings, Project("study", words, title="Vowels", overlap=2, instructions="Listen *twice*."), ADMIN)
    page = open_page("label", project="study", rater="Eve")
    assert not page.exception
    assert "Listen *twice*" in said(page)
    labelling = Labelling(settings, words, expert("Eve"), get_project(settings, "study"))
    session = Session()
    for n in range(12):
        current = labelling.open_recording(session)
        assert not isinstance(current, EmptyQueue)
        session = Session(item=current.item)
        action = {"nonce": str(n), "kind": "rate", "item": current.recording.id,
                  "rubric": current.rubric.reference, "dimensions": {"score": 70 + n}}  # fmt: skip
        session = labelling.act(session, action)
        assert session.answer is not None
        assert session.answer.ok, session.answer
    assert labelling.open_recording(session) == EmptyQueue("done")
    assert labelling.n_earlier() == 12
    back = labelling.act(session, {"nonce": "undo", "kind": "undo"})
    reopened = labelling.open_recording(back)
    assert not isinstance(reopened, EmptyQueue)
    assert reopened.previous is not None
    page = open_page("label", project="study", rater="Eve")
    assert not page.exception


def test_a_project_without_anything_left(open_page: Open, settings: Settings, study: Project) -> None:
    page = open_page("label", project="study", rater="Eve")
    assert "Nothing is left for you in study: 12 rated, 0 skipped, 0 flagged." in said(page)
    save_project(settings, Project("study", "words", overlap=3, closed=True), ADMIN)
    assert "study is closed" in said(open_page("label", project="study", rater="Eve"))


def test_known_answers_as_people_type_them() -> None:
    assert read_gold("a/b,80\n\n c/d , 7.5\n", RUBRICS[RubricName.WORD]) == {
        "a/b": {"score": 80.0},
        "c/d": {"score": 7.5},
    }
    pasted = "a/b\t80,5\nc/d\t7"
    assert read_gold(pasted, RUBRICS[RubricName.WORD]) == {"a/b": {"score": 80.5}, "c/d": {"score": 7.0}}
    assert read_gold(pasted.replace("\t", ";"), RUBRICS[RubricName.WORD]) == read_gold(pasted, RUBRICS[RubricName.WORD])
    assert read_gold("a/b;8;9;7,5;8", RUBRICS[RubricName.SENTENCE])["a/b"]["prosodic"] == 7.5
    assert names_of("Eve; Bob\nCem\tEve, Işıl") == ("Eve", "Bob", "Cem", "Işıl")
    with pytest.raises(ProjectError, match=r"recording,accuracy,fluency,prosodic,total"):
        read_gold("a/b,8,9", RUBRICS[RubricName.SENTENCE])
    assert list_projects(Settings.from_env({"PRONLAB_DATA_ROOT": "/nowhere"})) == []


def test_with_sign_in_nobody_is_anybody_without_it(
    settings: Settings, study: Project, monkeypatch: pytest.MonkeyPatch, quick_harness: None
) -> None:
    from types import SimpleNamespace

    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from pipeline.settings import CHECKOUT

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    People(settings).save(Person("Ada", (Role.ADMIN,), "ada@lab.org"), ADMIN)

    class User(SimpleNamespace):
        def get(self, name: str) -> str | None:
            return getattr(self, name, None)

    def page_for(user: User) -> AppTest:
        monkeypatch.setattr(st, "user", user)
        page = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=240)
        page.secrets["auth"] = {"redirect_uri": "http://localhost:8501/oauth2callback", "cookie_secret": "x"}
        page.switch_page("views/review.py")
        page.query_params["rater"] = "Ada"  # a name in the address is nobody's word
        page.query_params["project"] = "study"
        return page.run()

    page = page_for(User(is_logged_in=False))
    assert "Sign in first" in said(page)
    assert any(button.label == "Sign in" for button in page.sidebar.button)
    assert "is not on this installation" in said(
        page_for(User(is_logged_in=True, email="eve@lab.org", email_verified=True))
    )
    page = page_for(User(is_logged_in=True, email="Ada@lab.org", email_verified=True))
    assert not page.error
    assert page.selectbox(key="review-recording").label == "1 recording, the largest difference first"


def test_a_lead_chooses_what_a_set_is_rated_with(settings: Settings, words: str, open_page: Open) -> None:
    team(settings)
    assert all(box.key != "rubric-set" for box in open_page("projects", rater="Rita").selectbox), "nothing to choose"
    RubricLibrary(settings).add(dump(clarity(unit="word")), ADMIN)
    page = open_page("projects", rater="Rita")
    page.selectbox(key=f"rubric-of-{words}").set_value("clarity").run()
    page.button(key="rubric-set-save").click().run()
    assert not page.exception
    assert get_set(settings, words).rated_with == "clarity"
    page = open_page("label", set=words, rater="Eve")
    assert not page.exception
    assert Labelling(settings, words, expert("Eve")).rubric(read_recordings(settings, words)[0]).name == "clarity"
    page = open_page("projects", rater="Rita")
    page.text_input(key="project--name").set_value("fresh")
    button(page, "Save project").click().run()
    assert get_project(settings, "fresh").rubric == "clarity", said(page)


def test_a_rubric_is_shown_and_chosen_for_a_project(settings: Settings, words: str, open_page: Open) -> None:
    library = RubricLibrary(settings)
    library.add(dump(clarity(unit="word")), ADMIN)
    (settings.data_root / "rubrics" / "bad.yaml").write_text("name: bad")
    page = open_page("projects")
    assert not page.exception
    assert any("bad.yaml" in warning.value for warning in page.warning)
    page.selectbox(key="rubric-shown").set_value("clarity").run()
    assert not page.exception
    page.text_input(key="project--name").set_value("clear")
    page.selectbox(key="project--rubric").set_value("clarity")
    button(page, "Save project").click().run()
    assert not page.exception
    assert get_project(settings, "clear").rubric == "clarity"
    label = open_page("label", project="clear", rater="Eve")
    assert not label.exception
