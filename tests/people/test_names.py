"""When two spellings are one person's, everywhere a name is taken."""

import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.api.keys import add_key, list_keys
from pipeline.audio.load import Audio
from pipeline.cli.main import main
from pipeline.errors import AccessError, LabelError
from pipeline.labels.exchange.incoming import apply, check, read_ratings
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.people.names import clean_name, same_person, spelled_as
from pipeline.people.people import People, Person
from pipeline.practice.attempts import delete_attempts, learner_as_kept, read_attempts, save_attempt
from pipeline.practice.consent import Keep, consent_of, give_consent
from pipeline.projects.project import Project, save_project
from pipeline.projects.queue import Queue
from pipeline.records import RatingAction, RatingEvent, ScoreResult, Target
from pipeline.settings import Settings
from tests.projects.test_projects import ADMIN, ids_of, words

__all__ = ["words"]


def decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eve", "Eve"),
        ("Eve", " Eve\t"),
        ("Eve Adams", "eve\u00a0 ADAMS"),
        ("Ayşe", decomposed("Ayşe")),
        ("AYŞE", decomposed("ayşe")),
        ("İpek", "ipek"),
        ("İPEK", "Ipek"),
        (decomposed("İpek"), "ipek"),
        ("İpek".lower(), "ipek"),
        ("IŞIK", "ışık"),
        ("IŞIK", "işik"),
        ("Irene", "IRENE"),
        ("Irene", "irene"),
        ("DERYA", "Derya"),
        ("Ｅｖｅ", "eve"),
        ("Groß", "GROSS"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
    ],
)
def test_one_person_in_two_spellings(one: str, other: str) -> None:
    assert same_person(one, other)
    assert same_person(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ayşe", "Ayse"), ("Can", "Çan"), ("Eve", "Eva"), ("Eve A", "EveA"), ("Ömer", "Omer"), ("a/b", "a:b")],
)
def test_two_people_whose_names_are_alike(one: str, other: str) -> None:
    assert not same_person(one, other)


def test_a_name_is_kept_composed_with_single_spaces() -> None:
    assert clean_name(f"  {decomposed('Ayşe')}   Yılmaz ") == "Ayşe Yılmaz"
    for wrong in ("", "   ", "x" * 81, "a\u200bb", "a\x00b"):
        with pytest.raises(LabelError, match="1 to 80 printable characters"):
            clean_name(wrong)


# Of every block of characters that are never drawn and that Python takes for printable, and some that it does not.
NEVER_DRAWN = [
    "\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180b", "\u180d", "\u180f", "\u2800", "\u3164", "\ufe00",
    "\ufe0f", "\uffa0", "\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff", "\U000e0100",
]  # fmt: skip


@pytest.mark.parametrize("sign", NEVER_DRAWN, ids=ascii)
def test_what_is_never_drawn_makes_nobody_else(settings: Settings, sign: str) -> None:
    for name in (f"Şeyma{sign}", f"{sign}Şeyma", f"S{sign}\u0327eyma", f"Şey{sign}ma", f"Şeyma {sign}"):
        assert same_person(name, "Şeyma"), ascii(name)
        assert spelled_as(name, ["Ada", "Şeyma"]) == "Şeyma"
        with suppress(LabelError):
            assert clean_name(name) == "Şeyma"
    with pytest.raises(LabelError, match="1 to 80 printable characters"):
        clean_name(sign)
    people = People(settings)
    people.save(Person("Ada", (Role.ADMIN,)), ADMIN)
    with suppress(LabelError):
        people.save(Person(f"Ada{sign}", (Role.ADMIN,)), ADMIN)
    assert [person.name for person in people.all()] == ["Ada"]
    add_key(settings, "lab")
    with pytest.raises(AccessError):
        add_key(settings, f"lab{sign}")
    assert [key.name for key in list_keys(settings)] == ["lab"]


def test_the_known_spelling_is_taken_and_the_very_same_one_first() -> None:
    assert spelled_as("EVE", ["Bob", "Eve"]) == "Eve"
    assert spelled_as("eve", ["Eve", "eve"]) == "eve"
    assert spelled_as("EVE", ["eve", "Eve"]) == "Eve"
    assert spelled_as("Zoë", ["Eve"]) is None


def test_the_command_line_counts_a_person_once(settings: Settings, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))
    first, second = ids_of(settings)[:2]
    for key, name, score in ((first, "eve", 80), (first, "Eve", 60), (second, " EVE ", 70)):
        done = CliRunner().invoke(main, ["label", "rate", key, "--evaluator", name, "--score", str(score)])
        assert done.exit_code == 0, done.output
    assert set(Index(settings).labels("words")["evaluator"]) == {"eve"}
    recording = Index(settings).recording(first)
    assert {name: event.score for name, event in LabelStore(settings).current(recording).items()} == {"eve": 60.0}
    assert CliRunner().invoke(main, ["label", "undo", second, "--evaluator", "Eve"]).exit_code == 0
    assert Index(settings).label_counts("words") == {"eve": 1}


def test_the_list_spells_everybody(settings: Settings, words: str) -> None:
    People(settings).save(Person("İpek", (Role.ADMIN, Role.EXPERT)), ADMIN)
    assert People(settings).identify("ipek").name == "İpek"
    recording = Index(settings).recordings("words")[0]
    event = RatingEvent("ipek", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=5.0)
    LabelStore(settings).add(recording, event, People(settings).identify("IPEK"))
    assert set(LabelStore(settings).current(recording)) == {"İpek"}


def test_a_new_person_on_the_list_is_spelled_as_they_rated(settings: Settings, words: str) -> None:
    recording = Index(settings).recordings("words")[0]
    Index(settings).ensure()
    LabelStore(settings).add(recording, RatingEvent("Eve", RatingAction.RATE, "2026-01-01T00:00:00+00:00", score=5.0))
    people = People(settings)
    people.add_or_change("Ada", ADMIN, roles=(Role.ADMIN,))
    assert people.add_or_change("EVE", ADMIN).name == "Eve"


def test_spellings_in_a_table_become_one_person(settings: Settings, words: str) -> None:
    first, second, third = ids_of(settings)[:3]
    table = f"recording_id,evaluator,score\n{first},Derya,70\n{second},DERYA,80\n{third}, derya ,90\n"
    incoming = check(settings, "words", read_ratings(table.encode()).rows)
    assert incoming.respelled == ("“DERYA” is taken as “Derya”", "“derya” is taken as “Derya”")
    apply(settings, "words", incoming)
    assert Index(settings).label_counts("words") == {"Derya": 3}


def test_ratings_of_those_who_may_not_rate_are_not_imported(settings: Settings, words: str) -> None:
    people = People(settings)
    people.save(Person("Ada", (Role.ADMIN,)), ADMIN)
    for name, role, active in (("Eve", Role.EXPERT, True), ("Lea", Role.LEARNER, True), ("Gus", Role.EXPERT, False)):
        people.save(Person(name, (role,), active=active), ADMIN)
    key = ids_of(settings)[0]
    rows = read_ratings(
        "".join(["recording_id,evaluator,score\n", *(f"{key},{n},50\n" for n in ("eve", "Lea", "Gus", "Ada"))]).encode()
    ).rows
    found = check(settings, "words", rows, people.raters())
    assert [event.evaluator for event in found.ratings[key]] == ["Eve"]
    assert [problem.split(":")[0] for problem in found.problems] == ["line 3", "line 4", "line 5"]


def test_an_expert_of_a_project_in_any_spelling(settings: Settings, words: str) -> None:
    project = save_project(settings, Project("study", words, experts=("eve", "EVE", "Bob")), ADMIN)
    assert project.experts == ("eve", "Bob")
    Queue(settings, project, Identity("Eve", frozenset({Role.EXPERT})))


@pytest.mark.parametrize("name", ["Deniz", "D'Arcy O. Neill", "İpek"])
def test_a_learner_is_one_in_any_spelling(settings: Settings, name: str, tmp_path: Path) -> None:
    import numpy as np

    audio = Audio(np.zeros(1600, np.float32), 16000)
    result = ScoreResult(50.0, "fair", "heuristic", "heuristic", "rule", Target("araba"))
    give_consent(settings, name, Keep.SCORES)
    save_attempt(settings, name, "araba", audio, result)
    for other in (name.casefold(), name.upper(), f" {decomposed(name)} "):
        assert consent_of(settings, other) is Keep.SCORES
        assert len(read_attempts(settings, other).attempts) == 1
        assert learner_as_kept(settings, other) == name
        save_attempt(settings, other, "ev", None, result)
        assert delete_attempts(settings, other, "ev") == 1
    assert len(list(settings.attempts_root.iterdir())) == 1
