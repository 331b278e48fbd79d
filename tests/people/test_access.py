"""Who may do what: every role, and nobody, against every page, every command and every service of the dashboard.

What is walked comes from the product itself (the pages of the navigation, the tree of commands, the public functions of
the dashboard's services, the actions): something new that nobody has thought of fails here.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from dashboard import identity
from dashboard.navigation import PAGE_FILES, PAGES, SECTIONS
from pipeline.cli._access import GROUPS, NEEDS, need_of
from pipeline.cli.main import COMMANDS, main
from pipeline.errors import AccessError
from pipeline.people.access import ALLOWED, Action, Identity, Role
from pipeline.people.people import People, Person, permit
from pipeline.settings import CHECKOUT, Settings
from tests.pages import said

NAMES = {Role.LEARNER: "Lea", Role.EXPERT: "Eve", Role.REVIEWER: "Rita", Role.RESEARCHER: "Rob", Role.ADMIN: "Ada"}
GONE, UNKNOWN = "Gustav", "Mallory"
SERVICES = sorted(file.stem for file in (CHECKOUT / "dashboard" / "services").glob("*.py") if file.stem != "__init__")
# Public functions of those modules that show and change nothing of anybody's.
HARMLESS = {
    "shared.settings": "where things lie",
    "shared.open_index": "for the other services, which ask first: no page calls it, as is tested below",
    "compare.filtered": "works on the table given to it",
    "compare.human_ceiling": "works on the table given to it",
    "compare.joined": "works on the table given to it",
    "compare.limits_of_agreement": "works on the table given to it",
    "compare.metric_rows": "works on the table given to it",
    "compare.metrics_by_scorer": "works on the table given to it",
    "compare.number": "works on the table given to it",
    "compare.on_the_same_recordings": "works on the table given to it",
    "compare.ratings_matrix": "works on the table given to it",
    "compare.with_interval": "works on the table given to it",
    "compare.worst": "works on the table given to it",
    "monitor.since_day": "a date",
    "results.aspect_table": "works on what was given to it",
    "results.rater_table": "works on what was given to it",
    "monitor.summary": "sums up what was given to it",
    "monitor.score_drift": "compares what was given to it",
}


@pytest.fixture
def team(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """One person of each role, and one who was deactivated."""
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    people, first = People(settings), Identity("Ada", frozenset(Role))
    for role in (Role.ADMIN, *(role for role in NAMES if role is not Role.ADMIN)):
        people.save(Person(NAMES[role], (role,), f"{NAMES[role].lower()}@lab.org"), first)
    people.save(Person(GONE, tuple(Role), "gustav@lab.org", active=False), first)
    return settings


def may(role: Role, actions: tuple[Action, ...]) -> bool:
    return any(role in ALLOWED[action] for action in actions)


# The table


def test_every_action_is_in_the_table_and_somebody_may_do_it() -> None:
    assert set(ALLOWED) == set(Action)
    assert all(ALLOWED.values())


def test_an_admin_may_everything_but_rate() -> None:
    assert {action for action in Action if Role.ADMIN not in ALLOWED[action]} == {Action.RATE}


def test_a_learner_may_practise_and_nothing_else() -> None:
    assert {action for action in Action if Role.LEARNER in ALLOWED[action]} == {Action.PRACTISE}


@pytest.mark.parametrize("action", Action)
def test_services_ask_every_role_and_nobody(team: Settings, action: Action) -> None:
    for role, name in NAMES.items():
        for by in (name, People(team).identify(name)):
            if role in ALLOWED[action]:
                assert permit(team, by, action).name == name
            else:
                with pytest.raises(AccessError, match=f"can {action}\\. {name} has the role"):
                    permit(team, by, action)
    for nobody in (None, "", GONE, UNKNOWN):
        with pytest.raises(AccessError):
            permit(team, nobody, action)


@pytest.mark.parametrize("action", Action)
def test_an_open_installation_lets_anybody(settings: Settings, action: Action) -> None:
    for anybody in (None, "", "Zoë"):
        permit(settings, anybody, action)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "Eve", "roles": ["expert"], "active": "false"},
        {"name": "Eve", "roles": ["boss"], "active": True},
        {"name": "", "roles": ["expert"], "active": True},
        {"name": "Eve", "roles": "expert", "active": True},
        ["Eve"],
        "Eve",
    ],
)
def test_a_list_that_was_edited_into_nonsense_lets_nobody_in(settings: Settings, entry: object) -> None:
    import json

    settings.data_root.mkdir()
    admin = {"name": "Ada", "roles": ["admin"], "email": "", "active": True}
    (settings.data_root / "people.json").write_text(json.dumps([admin, entry]), encoding="utf-8")
    for name in ("Ada", "Eve"):
        with pytest.raises(AccessError, match="is damaged"):
            People(settings).identify(name)


# Commands


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from leaves(child, f"{path} {name}")
    else:
        yield path, command


def every_command() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        found.update(leaves(command, name))
    return found


def test_every_command_is_in_the_list_of_needs() -> None:
    paths = set(every_command())
    assert {path for path in paths if path.partition(" ")[0] not in GROUPS} == set(NEEDS)
    assert set(GROUPS) <= {path.partition(" ")[0] for path in paths}


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command says; its own work is taken away: only who gets that far counts."""
    for command in every_command().values():
        monkeypatch.setattr(command, "callback", lambda **_: click.echo("reached"))
        monkeypatch.setattr(command, "params", [one for one in command.params if "--by" in one.opts])

    def call_(*arguments: str) -> str:
        done = CliRunner().invoke(main, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert ("reached" in done.output) == (done.exit_code == 0), done.output
        return done.output

    return call_


def test_commands_ask_every_role_and_nobody(team: Settings, call: Callable[..., str]) -> None:
    for path in every_command():
        need, words = need_of(path), path.split()
        if need is None:
            assert "reached" in call(*words)
            continue
        for role, name in NAMES.items():
            shown = call(*words, "--by", name)
            if may(role, need.actions):
                assert "reached" in shown, (path, name, shown)
            else:
                assert f"can {need.actions[0]}. {name} has the role {role}" in shown, (path, name, shown)
        assert "Give your name with --by" in call(*words), path
        assert "no longer active" in call(*words, "--by", GONE), path
        assert "not on this installation's list" in call(*words, "--by", UNKNOWN), path


def test_commands_take_the_name_from_the_environment(
    team: Settings, call: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRONLAB_USER", "ada")
    assert "reached" in call("export")
    monkeypatch.setenv("PRONLAB_USER", "Lea")
    assert "can export ratings. Lea has the role learner" in call("export")
    assert "reached" in call("export", "--by", "Rita")


def test_commands_of_an_open_installation_ask_for_a_name_only_where_it_is_kept(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, call: Callable[..., str]
) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.delenv("PRONLAB_USER", raising=False)
    for path in every_command():
        need = need_of(path)
        if need is not None and need.named:
            assert "it is saved with your change" in call(*path.split()), path
            assert "reached" in call(*path.split(), need.others[0] if need.others else "--by", "Zoë"), path
        else:
            assert "reached" in call(*path.split()), path


def test_background_work_runs_as_whoever_started_it(team: Settings) -> None:
    from pipeline.jobs.executors import Job
    from pipeline.runs import RunDirectory

    run = RunDirectory.create(team.jobs_root, kind="import", name="x", config={})
    assert Job(team, run, ("import",), by="Rita").environment()["PRONLAB_USER"] == "Rita"


# The dashboard's services


def public(module: ModuleType) -> dict[str, Callable[..., Any]]:
    return {
        name: one
        for name, one in vars(module).items()
        if not name.startswith("_") and inspect.isroutine(one) and getattr(one, "__module__", "") == module.__name__
    }


def every_service() -> dict[str, Callable[..., Any]]:
    modules = {name: importlib.import_module(f"dashboard.services.{name}") for name in SERVICES}
    return {f"{short}.{name}": one for short, module in modules.items() for name, one in public(module).items()}


def test_every_service_asks_or_is_harmless() -> None:
    services = every_service()
    assert {name for name, one in services.items() if not hasattr(one, "asks")} == set(HARMLESS)
    assert len(services) > 90


def test_only_services_open_the_index_without_asking() -> None:
    drawing = [CHECKOUT / "dashboard" / folder for folder in ("views", "sections", "components")]
    files = [file for folder in drawing for file in folder.rglob("*.py")]
    assert files
    assert not [file for file in files if "open_index" in file.read_text(encoding="utf-8")]


def test_services_refuse_before_they_look_at_anything(team: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called with things that are of no use to them: for whom they are not, that is never noticed."""
    people = People(team)
    for name, service in every_service().items():
        if name in HARMLESS:
            continue
        actions = service.asks  # type: ignore[attr-defined]
        takes = [
            one
            for one in inspect.signature(service).parameters.values()
            if one.default is inspect.Parameter.empty and one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]
        nothing = [SimpleNamespace() for _ in takes]
        for role, who in NAMES.items():
            monkeypatch.setattr(identity, "current", lambda who=who: people.identify(who))
            if may(role, actions):
                assert identity.allowed(*actions).name == who
            else:
                with pytest.raises(AccessError, match="an admin can change that"):
                    service(*nothing)
        monkeypatch.setattr(identity, "current", lambda: None)
        with pytest.raises(AccessError, match="Choose your name in the sidebar first"):
            service(*nothing)


def test_a_download_is_made_as_whoever_drew_it(team: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit makes it in a thread that knows no visitor."""
    from dashboard import state

    monkeypatch.setattr(state, "chosen", lambda key: "Rita" if key == state.RATER else None)
    download = identity.held(lambda: identity.allowed(Action.EXPORT).name)
    monkeypatch.setattr(state, "chosen", lambda key: None)
    assert download() == "Rita"
    People(team).add_or_change("Rita", People(team).identify("Ada"), active=False)
    with pytest.raises(AccessError, match="no longer active"):
        download()


# Pages


def test_every_page_is_in_the_list_and_every_view_is_a_page() -> None:
    assert [page.name for page in PAGES] == list(dict.fromkeys(page.name for page in PAGES))
    assert {page.name for page in PAGES} == {file.stem for file in PAGE_FILES.glob("*.py")} - {"__init__", "home"}
    assert all(page.needs for page in PAGES)


def shows_nothing(page: Any) -> bool:
    kinds = ("dataframe", "selectbox", "text_input", "number_input", "multiselect", "checkbox", "metric", "button")
    asking = ("name-here", "sign-in-here")  # who is there
    return not any(one.key not in asking for kind in kinds for one in getattr(page.main, kind))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_ask_every_role_and_nobody(open_page: Callable[..., Any], team: Settings, page: Any) -> None:
    for role, name in NAMES.items():
        opened = open_page(page.name, rater=name)
        shown = said(opened).replace("\\", "")
        if may(role, page.needs):
            assert "an admin can change that" not in shown, (name, shown)
            assert "Choose your name" not in shown
        else:
            assert f"can {page.needs[0]}. {name} has the role {role}" in shown, shown
            assert shows_nothing(opened)
    names = ({}, {"rater": UNKNOWN}, {"rater": GONE}, {"learner": "Lea", "practise": "progress"})
    for query in names if page.name == "practice" else names[1:2]:
        opened = open_page(page.name, **query)
        assert "Choose your name first" in said(opened), query
        assert shows_nothing(opened), query


@pytest.fixture
def navigation(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, list[Any]]]:
    """What each call of `st.navigation` showed: sections, and their visible pages."""
    import streamlit as st

    calls: list[dict[str, list[Any]]] = []
    draw = st.navigation

    def recorded(sections: dict[str, list[Any]], **options: Any) -> Any:
        assert options == {"expanded": True}, "no entry is behind View more"
        visible = {title: [page for page in pages if page.visibility == "visible"] for title, pages in sections.items()}
        calls.append({title: pages for title, pages in visible.items() if pages})
        return draw(sections, **options)

    monkeypatch.setattr(st, "navigation", recorded)
    return calls


def titles(call: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {section: [page.title for page in pages] for section, pages in call.items()}


def test_pages_are_grouped_in_the_order_people_use_them(
    open_page: Callable[..., Any], settings: Settings, navigation: list[dict[str, list[Any]]]
) -> None:
    open_page("data")
    assert titles(navigation[-1]) == {
        "": ["Home"],
        "Label": ["Label", "Recordings", "Review", "Projects", "Agreement"],
        "Practise": ["Practise"],
        "Research": ["Results", "Compare", "Train", "Runs", "Monitor"],
        "Build": ["Wake word", "Tables"],
        "Data": ["Data"],
    }


@pytest.mark.parametrize("role", Role)
def test_the_navigation_shows_the_pages_of_a_role(
    open_page: Callable[..., Any], team: Settings, role: Role, navigation: list[dict[str, list[Any]]]
) -> None:
    open_page("practice", rater=NAMES[role])
    expected = {section.title: [page.title for page in section.pages if may(role, page.needs)] for section in SECTIONS}
    assert titles(navigation[-1]) == {section: pages for section, pages in expected.items() if pages}
    if role is Role.LEARNER:
        assert titles(navigation[-1]) == {"Practise": ["Practise"]}


@pytest.mark.parametrize("role", Role)
def test_the_address_alone_shows_the_first_page_that_opens(
    open_page: Callable[..., Any], team: Settings, role: Role, navigation: list[dict[str, list[Any]]]
) -> None:
    from streamlit.testing.v1 import AppTest

    first = next(page for page in PAGES if may(role, page.needs))
    expected = open_page(first.name, rater=NAMES[role], practise="progress").title[0].value
    start = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=240)
    start.query_params["rater"] = NAMES[role]
    start.query_params["practise"] = "progress"
    shown = said(start.run())
    assert "an admin can change that" not in shown
    assert start.title[0].value == expected
    # The page that is shown is the one that is marked, and it stands there once.
    (current,) = [page for pages in navigation[-1].values() for page in pages if page.title == first.title]
    assert current._default


def test_the_address_alone_shows_the_home_page_where_there_is_no_list(
    open_page: Callable[..., Any], tiny_set: str
) -> None:
    from streamlit.testing.v1 import AppTest

    open_page("data")  # as the environment of this installation
    home = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=240).run()
    assert home.title[0].value == "Pronlab"
    assert "24 recordings are rated." in said(home)
    links = [link.proto.label for link in home.get("page_link")]
    assert {"**Import recordings**", "**Add people**", *(page.title for page in PAGES)} <= set(links)


def test_a_page_that_does_not_open_leads_on(open_page: Callable[..., Any], team: Settings) -> None:
    page = open_page("train", rater=NAMES[Role.LEARNER])
    assert "an admin can change that" in said(page)
    assert [link.proto.label for link in page.get("page_link")] == ["Go to Practise"]


class User(SimpleNamespace):
    def get(self, name: str, default: Any = None) -> Any:
        return getattr(self, name, default)


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch, quick_harness: None) -> Callable[..., Any]:
    """Opens a page of an installation with sign-in, as whoever the claims say; None: signed out."""

    def open_(view: str, claims: dict[str, Any] | None, secrets: dict[str, Any] | None = None, **query: str) -> Any:
        import streamlit as st
        from streamlit.testing.v1 import AppTest

        monkeypatch.setattr(st, "user", User(is_logged_in=claims is not None, **(claims or {})))
        page = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=240)
        page.secrets["auth"] = {"redirect_uri": "http://localhost:8501/oauth2callback", "cookie_secret": "x"}
        for name, value in (secrets or {}).items():
            page.secrets[name] = value
        page.switch_page(f"views/{view}.py")
        for name, value in query.items():
            page.query_params[name] = value
        return page.run()

    return open_


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("listed", [True, False], ids=["with a list", "without one"])
def test_pages_open_to_nobody_who_is_signed_out(
    sign_in: Callable[..., Any], settings: Settings, request: pytest.FixtureRequest, page: Any, listed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(settings.models_root))
    if listed:
        request.getfixturevalue("team")
    opened = sign_in(page.name, None, rater="Ada", learner="Lea", practise="progress")
    assert "Sign in first" in said(opened)
    assert [one.label for one in opened.sidebar.button] == ["Sign in"]
    assert shows_nothing(opened)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_ask_whoever_signed_in(sign_in: Callable[..., Any], team: Settings, page: Any) -> None:
    for role in (Role.LEARNER, Role.ADMIN):
        name = NAMES[role]
        opened = sign_in(page.name, {"email": f"{name.upper()}@lab.org", "email_verified": True}, rater="Eve")
        refused = f"{name} has the role {role}; an admin" in said(opened).replace("\\", "")
        assert refused != may(role, page.needs), said(opened)


@pytest.mark.parametrize(
    ("claims", "secrets", "said_of_it"),
    [
        ({"email": "ada@lab.org", "email_verified": True}, {}, None),
        ({"email": "ada@lab.org", "email_verified": "true"}, {}, None),
        ({"email": "ada@lab.org", "email_verified": False}, {}, "is not verified"),
        ({"email": "ada@lab.org", "email_verified": "false"}, {}, "is not verified"),
        ({"email": "ada@lab.org", "email_verified": False}, {"pronlab": {"trust_email": True}}, "is not verified"),
        ({"email": "ada@lab.org"}, {}, "is not verified"),
        ({"email": "ada@lab.org"}, {"pronlab": {"trust_email": True}}, None),
        ({"name": "Ada"}, {}, "without an e-mail address"),
        ({"email": "", "email_verified": True, "name": "Ada"}, {}, "without an e-mail address"),
        ({"email": "gustav@lab.org", "email_verified": True}, {}, "no longer active"),
        ({"email": "mallory@lab.org", "email_verified": True}, {}, "is not on this installation"),
    ],
)
def test_an_address_counts_where_it_is_verified(
    sign_in: Callable[..., Any], team: Settings, claims: dict[str, Any], secrets: dict[str, Any], said_of_it: str | None
) -> None:
    opened = sign_in("projects", claims, secrets)
    if said_of_it is None:
        assert not opened.error
    else:
        assert said_of_it in opened.error[0].value
        assert shows_nothing(opened)
