"""People see what is theirs: what pages show and change, for whom, whatever the address says."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.audio.load import load_audio
from pipeline.errors import AccessError
from pipeline.people.access import Identity, Role
from pipeline.people.people import People
from pipeline.practice.attempts import delete_attempts, read_attempts, save_attempt
from pipeline.practice.consent import Keep, exported, give_consent
from pipeline.practice.lessons import add_lesson, list_lessons, remove_lesson
from pipeline.projects.project import Project, save_project
from pipeline.records import ScoreResult, Target
from pipeline.settings import CHECKOUT, Settings
from pipeline.tabular.prompts.store import Store
from tests.pages import button, said
from tests.people.test_access import User, sign_in, team

__all__ = ["User", "sign_in", "team"]
Open = Callable[..., Any]
MASA = CHECKOUT / "data" / "demo" / "references" / "masa.wav"
LESSON = b"title: T\nlanguage: tr\nitems: [ev]\n"


def practised(settings: Settings, learner: str) -> None:
    """Two attempts that were saved before there was a list."""
    give_consent(settings, learner, Keep.RECORDINGS)
    for _ in range(2):
        result = ScoreResult(64.0, "fair", "heuristic", "heuristic", "rule", Target("masa", "tr"))
        save_attempt(settings, learner, "masa", load_audio(MASA), result)


@pytest.fixture
def kept(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    practised(settings, "Lea")
    installation: Settings = request.getfixturevalue("team")
    return installation


def labels(page: Any) -> set[str]:
    return {one.label for one in page.main.button} | {one.label for one in page.get("download_button")}


@pytest.mark.parametrize("who", ["Eve", "Ada"])
def test_a_name_in_the_address_opens_nobody_elses_practice(open_page: Open, kept: Settings, who: str) -> None:
    for query in ({"practise": "progress"}, {"text": "masa"}):
        page = open_page("practice", rater=who, learner="Lea", **query)
        assert "Lea" not in said(page)
        assert not page.metric
        assert not {"Download my data", "Delete everything", "Yes, delete everything"} & labels(page)
    assert f"You practise as **{who}**" in said(page)
    assert len(read_attempts(kept, "Lea", by=People(kept).identify("lea")).attempts) == 2


def test_a_learner_on_the_list_sees_their_own(open_page: Open, kept: Settings) -> None:
    page = open_page("practice", rater="Lea", learner="Eve", practise="progress")
    assert page.metric[0].value == "2"
    button(page, "Yes, delete everything").click().run()
    assert not page.exception
    assert read_attempts(kept, "Lea", by=People(kept).identify("Lea")).attempts == ()


def test_with_sign_in_a_learner_is_whoever_signed_in(sign_in: Open, kept: Settings) -> None:
    page = sign_in("practice", {"email": "eve@lab.org", "email_verified": True}, learner="Lea", practise="progress")
    assert not page.metric
    page = sign_in("practice", {"email": "lea@lab.org", "email_verified": True}, learner="Eve", practise="progress")
    assert page.metric[0].value == "2"


def test_without_a_list_two_sign_ins_with_one_display_name_are_two_learners(
    sign_in: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    practised(settings, "deniz@lab.org")
    for email, shown in (("deniz@lab.org", True), ("deniz@else.org", False)):
        claims = {"email": email, "name": "Deniz", "email_verified": True}
        page = sign_in("practice", claims, learner="deniz@lab.org", practise="progress")
        assert bool(page.metric) is shown, email


def test_what_is_kept_of_a_learner_is_theirs_alone(kept: Settings) -> None:
    lea, ada = People(kept).identify("Lea"), People(kept).identify("Ada")
    result = ScoreResult(64.0, "fair", "heuristic", "heuristic", "rule", Target("masa", "tr"))
    assert exported(kept, "Lea", lea)
    for by in (ada, None):
        for service in (
            lambda by=by: read_attempts(kept, "Lea", by=by),
            lambda by=by: delete_attempts(kept, "Lea", by=by),
            lambda by=by: exported(kept, "Lea", by),
            lambda by=by: give_consent(kept, "Lea", Keep.NOTHING, by),
            lambda by=by: save_attempt(kept, "Lea", "ev", None, result, by=by),
        ):
            with pytest.raises(AccessError):
                service()


def test_lessons_are_changed_by_who_may(open_page: Open, team: Settings) -> None:
    for who, may in (("Lea", False), ("Eve", False), ("Rita", True), ("Ada", True)):
        page = open_page("practice", rater=who, practise="library")
        assert ("Add lesson" in labels(page)) is may, who
        assert page.dataframe, "everybody sees which lessons there are"
        by = People(team).identify(who)
        if may:
            add_lesson(team, f"of-{who.lower()}", LESSON, by)
        else:
            with pytest.raises(AccessError, match="Only reviewers and admins can change lessons"):
                add_lesson(team, "of-others", LESSON, by)
            with pytest.raises(AccessError, match="Only reviewers and admins can change lessons"):
                remove_lesson(team, "of-rita", by)
    assert [one.id for one in list_lessons(team)[0] if one.own] == ["of-ada", "of-rita"]
    with pytest.raises(AccessError, match="Say who you are first"):
        add_lesson(team, "of-nobody", LESSON)


def test_the_data_page_names_raters_only_to_who_may_see_ratings(
    open_page: Open, tiny_set: str, request: pytest.FixtureRequest
) -> None:
    assert "Ratings per rater" in said(open_page("data", section="Sets"))
    request.getfixturevalue("team")
    for who, may in (("Eve", False), ("Rita", True)):
        page = open_page("data", section="Sets", rater=who)
        assert page.dataframe[0].value["Recordings"].tolist() == [24]
        assert ("Ratings per rater" in said(page)) is may
        assert any("u015fe" in str(chart.proto) for chart in page.get("plotly_chart")) is may


def test_the_data_page_offers_the_sections_that_somebody_may_use(
    open_page: Open, tiny_set: str, team: Settings
) -> None:
    for who, offered in (
        ("Eve", ["Sets", "Problems"]),
        ("Rob", ["Sets", "Problems", "Export"]),
        ("Rita", ["Sets", "Problems", "Import", "Export", "Maintain"]),
    ):
        assert open_page("data", rater=who).segmented_control(key="section").options == offered
    asked = open_page("data", rater="Eve", section="Export")
    assert "Export" in asked.segmented_control(key="section").options
    assert "can see other people's ratings" in said(asked)


def test_the_command_line_counts_labels_without_names_for_experts(tiny_set: str, team: Settings) -> None:
    import json

    from click.testing import CliRunner

    from pipeline.cli.main import main

    for who, may in (("Eve", False), ("Rita", True)):
        done = CliRunner().invoke(main, ["index", "status", "--json", "--by", who])
        assert done.exit_code == 0, done.output
        assert ("ayşe" in done.output) is may
        assert [row["n_labelled"] is not None for row in json.loads(done.output)] == [may]


def test_no_figure_tells_raters_whether_their_save_counted(open_page: Open, tiny_set: str, team: Settings) -> None:
    """Known answers and repeats are no progress of the project: what moved would tell what it was."""
    save_project(team, Project("study", tiny_set), People(team).identify("Rita"))
    for who, may in (("Eve", False), ("Rita", True)):
        (listed,) = open_page("projects", rater=who).dataframe
        assert listed.value["Project"].tolist() == ["study"]
        assert {name in listed.value for name in ("Progress", "Ratings", "Recordings", "Time left")} == {may}
        page = open_page("data", section="Sets", rater=who)
        assert ("Labelled" in page.dataframe[0].value) is may
        assert ("Label coverage" in said(page)) is may


def test_prompts_of_others_are_rated_without_seeing_their_scores(open_page: Open, team: Settings) -> None:
    people = People(team)
    rita, eve = people.identify("Rita"), people.identify("Eve")
    store = Store(team)
    store.add("Write a poem.", "Zoë", 12.5, "Rita", "too short", rita)
    kept = store.add("Write a letter.", "zoë", 77.0, "eve", "", eve)
    assert (kept.author, kept.rater) == ("Zoë", "Eve")
    with pytest.raises(AccessError, match="Eve cannot rate in the name of Rita"):
        store.add("x", "Zoë", 50.0, "Rita", "", eve)
    for nobody in (None, people.identify("Lea")):
        with pytest.raises(AccessError):
            store.add("x", "Zoë", None, "", "", nobody)
    scores = open_page("tables", rater="Eve").dataframe[0].value["Score"].tolist()
    assert [score for score in scores if score == score] == [77.0]
    assert sorted(open_page("tables", rater="Rita").dataframe[0].value["Score"]) == [12.5, 77.0]


def test_the_first_admins_roles_are_not_the_next_persons(open_page: Open, settings: Settings) -> None:
    page = open_page("projects")
    page.text_input(key="person-name").set_value("Ada")
    button(page, "Add or change").click().run()
    assert page.text_input(key="person-name").value == ""
    assert page.multiselect(key="person-roles").value == []
    page.text_input(key="person-name").set_value("Eve")
    button(page, "Add or change").click().run()
    page.text_input(key="person-name").set_value("Lea")
    page.multiselect(key="person-roles").set_value([Role.LEARNER])
    button(page, "Add or change").click().run()
    assert not page.exception
    assert {one.name: one.roles for one in People(settings).all()} == {
        "Ada": (Role.ADMIN, Role.REVIEWER, Role.EXPERT), "Eve": (Role.EXPERT,), "Lea": (Role.LEARNER,),
    }  # fmt: skip


def test_adding_an_address_takes_no_role_away(open_page: Open, team: Settings) -> None:
    page = open_page("projects", rater="Ada")
    for typed, address in (("rita", "rita@new.org"), (" ADA ", "ada@new.org"), ("Gustav", "gustav@new.org")):
        page.text_input(key="person-name").set_value(typed)
        page.text_input(key="person-email").set_value(address)
        button(page, "Add or change").click().run()
        assert not page.exception
        assert not page.error
    found = {one.name: one for one in People(team).all()}
    assert (found["Rita"].roles, found["Rita"].email) == ((Role.REVIEWER,), "rita@new.org")
    assert (found["Ada"].roles, found["Ada"].email) == ((Role.ADMIN,), "ada@new.org")
    assert (set(found["Gustav"].roles), found["Gustav"].active) == (set(Role), False)
    page.selectbox(key="person-chosen").set_value("Gustav").run()
    assert page.text_input(key="person-of-Gustav-email").value == "gustav@new.org"
    page.checkbox(key="person-of-Gustav-active").set_value(True)
    button(page, "Save").click().run()
    assert People(team).identify("gustav").roles == frozenset(Role)


def test_an_expert_does_not_learn_the_known_answers_from_a_list_of_projects(tiny_set: str, team: Settings) -> None:
    import json

    from click.testing import CliRunner

    from pipeline.cli.main import main
    from pipeline.labels.index import Index

    key = Index(team).recordings(tiny_set)[0].id
    project = Project("study", tiny_set, gold={key: {"score": 81.0}}, gold_every=3, experts=("Eve",))
    project = replace(project, calibrate=(key,), calibration=1, gold_every=0, shares={"Eve": 1}, quotas={"Eve": 5})
    save_project(team, project, People(team).identify("Rita"))
    for who, may in (("Eve", False), ("Rita", True)):
        done = CliRunner().invoke(main, ["project", "list", "--json", "--by", who])
        (listed,) = json.loads(done.output)
        assert listed["name"] == "study"
        apart = "seed gold gold_every repeat_every calibrate calibration assigned shares quotas experts order"
        assert {key in listed for key in apart.split()} == {may}
        assert ("81" in done.output) is may


def test_whoever_left_saves_nothing_from_a_page_that_is_still_open(
    open_page: Open, tiny_set: str, team: Settings
) -> None:
    page = open_page("practice", rater="Lea", text="masa")
    People(team).add_or_change("Lea", People(team).identify("Ada"), active=False)
    button(page, "Keep scores only").click().run()
    assert "Choose your name first" in said(page)
    assert not list(team.attempts_root.glob("*"))


def test_models_are_deployed_by_who_may(team: Settings) -> None:
    from pipeline.deployment.model_registry import add_candidate, make_live, retire, roll_back
    from pipeline.deployment.routing import begin, end, set_shadow

    rita = People(team).identify("Rita")
    for by in (rita, None):
        name = "" if by is None else by.name
        for service in (
            lambda by=by: set_shadow(team, "word", None, by),
            lambda by=by: end(team, "x", by),
            lambda name=name: begin(team, "word", "in use", "heuristic", 0.5, name),
            lambda name=name: add_candidate(team, team.runs_root, name),
            lambda name=name: make_live(team, team.runs_root, name),
            lambda name=name: retire(team, "x", name),
            lambda name=name: roll_back(team, "word", name),
            lambda name=name: roll_back(team, "prompts", name),
        ):
            with pytest.raises(AccessError):
                service()
    begin(team, "word", "in use", "heuristic", 0.5, "Rob")


def test_trainings_imports_and_exports_start_for_who_may(tiny_set: str, team: Settings) -> None:
    from pipeline.importing.importer import import_path, take_away
    from pipeline.jobs.launcher import launch_training
    from pipeline.labels.exchange.files import export_table
    from pipeline.labels.exchange.recordings import labels_of
    from pipeline.scoring.batch import launch_scoring, score_set
    from pipeline.scoring.feature_based.config import TrainConfig

    for by in (Identity("Eve", frozenset({Role.EXPERT})), None):
        for service in (
            lambda by=by: launch_training(team, "word", TrainConfig(set=tiny_set), by=by),
            lambda by=by: launch_scoring(team, tiny_set, ["heuristic"], by),
            lambda by=by: score_set(team, tiny_set, "heuristic", by=by),
            lambda by=by: import_path(team, MASA, by=by),
            lambda by=by: take_away(team, tiny_set, by),
            lambda by=by: export_table(team, tiny_set, "csv", by=by),
            lambda by=by: labels_of(team, tiny_set, by),
        ):
            with pytest.raises(AccessError):
                service()
    assert not list(team.runs_root.glob("*"))
    assert export_table(team, tiny_set, "csv", by=People(team).identify("Rita")).n == 48
