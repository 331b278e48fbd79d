"""A teacher's lists and classes: what a lesson is made of, and who sees what of whom."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pytest

from pipeline.audio.load import Audio
from pipeline.errors import AccessError, AttemptError, TableError
from pipeline.people.access import Identity, Role
from pipeline.people.people import EVERY_ROLE
from pipeline.practice.attempts import save_attempt
from pipeline.practice.classes import (
    Share,
    class_of,
    classes_of,
    delete_class,
    join,
    leave,
    make_class,
    members,
    memberships,
)
from pipeline.practice.consent import Keep, give_consent
from pipeline.practice.lesson_import import items_of_file, items_of_lines
from pipeline.practice.lessons import Item, LessonError, as_yaml, parse
from pipeline.records import ScoreResult, Target
from pipeline.settings import Settings

RITA, OTHER = Identity("Rita", EVERY_ROLE), Identity("Reha", EVERY_ROLE)


def practise(settings: Settings, learner: str, text: str, at: datetime) -> None:
    result = ScoreResult(64.0, "poor", "ml_model", "model", "m", Target(text, "tr"))
    save_attempt(settings, learner, text, Audio(np.ones(1600, np.float32), 16_000, 16_000, 1), result, at=at)


def test_a_teacher_sees_what_learners_give_from_then_on(settings: Settings) -> None:
    led, now = make_class(settings, " 7 B ", RITA), datetime.now(UTC)
    for learner, share in (("Deniz", Share.SCORES), ("Ada", Share.RECORDINGS), ("Ece", None)):
        give_consent(settings, learner, Keep.RECORDINGS)
        practise(settings, learner, "ev", now - timedelta(days=1))
        if share is not None:
            join(settings, learner, led.id, share)
        practise(settings, learner, "masa", now + timedelta(minutes=1))
    shown = members(settings, led.id, RITA)
    assert [(one.learner, [attempt.text for attempt in one.attempts]) for one in shown] == [
        ("Ada", ["masa"]), ("Deniz", ["masa"])
    ]  # fmt: skip
    assert [one.attempts[0].audio is not None for one in shown] == [True, False]
    leave(settings, "ADA", led.id)
    assert [one.learner for one in members(settings, led.id, RITA)] == ["Deniz"]


def test_nobody_but_its_teacher_sees_a_class(settings: Settings) -> None:
    led = make_class(settings, "7B", RITA)
    join(settings, "Deniz", led.id, Share.SCORES)
    assert [one.name for one in classes_of(settings, RITA)] == ["7B"]
    assert classes_of(settings, OTHER) == []
    for service in (members, delete_class):
        with pytest.raises(AccessError, match="Reha leads no such class"):
            service(settings, led.id, OTHER)  # type: ignore[operator]
    with pytest.raises(AccessError, match="Only reviewers and admins can lead classes"):
        make_class(settings, "7C", Identity("Lea", frozenset({Role.LEARNER})))
    with pytest.raises(AccessError, match="Deniz's alone"):
        join(settings, "Deniz", led.id, Share.RECORDINGS, OTHER)
    delete_class(settings, led.id, Identity("RİTA", EVERY_ROLE))
    assert memberships(settings, "Deniz") == []
    with pytest.raises(AttemptError, match="does not exist any more"):
        join(settings, "Deniz", led.id, Share.SCORES)


@pytest.mark.parametrize("key", ["", "../people", "a/b", "no-such"])
def test_a_link_to_no_class_opens_nothing(settings: Settings, key: str) -> None:
    settings.data_root.mkdir(parents=True, exist_ok=True)
    (settings.data_root / "people.json").write_text('{"name": "x", "teacher": "y"}')
    assert class_of(settings, key) is None


def test_an_unclear_membership_gives_nothing(settings: Settings) -> None:
    led = make_class(settings, "7B", RITA)
    join(settings, "Deniz", led.id, Share.SCORES)
    file = settings.attempts_root / "Deniz" / "classes.json"
    file.write_text(file.read_text().replace('"scores"', '"everything"'))
    assert members(settings, led.id, RITA) == []


def test_lines_that_were_copied_from_cells_have_notes() -> None:
    assert items_of_lines("ağaç\n\n  ışık \tA long\tnote\n") == [Item("ağaç"), Item("ışık", "A long note")]


def workbook() -> bytes:
    from openpyxl import Workbook

    book, content = Workbook(), BytesIO()
    for row in (("Kelime", "Not"), ("ağaç", "ğ uzatır"), ("ışık", None)):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "text,note\nağaç,ğ uzatır\nışık,\n".encode(), "Kelime;Not\nağaç;ğ uzatır\nışık;\n".encode("cp1254"), workbook(),
        "ağaç\tğ uzatır\nışık\n".encode("utf-16"),
    ],
    ids=["comma", "turkish excel", "xlsx", "lines"],
)  # fmt: skip
def test_a_lesson_is_made_of_any_list(content: bytes) -> None:
    items = items_of_file(content)
    lesson = parse("list", as_yaml("List", "tr", "words", items))
    assert [(item.text, item.note) for item in lesson.items] == [("ağaç", "ğ uzatır"), ("ışık", "")]


def test_a_list_that_is_too_long_is_refused() -> None:
    with pytest.raises(LessonError, match="at most 500 texts; this list has 501"):
        as_yaml("List", "tr", "words", [Item("masa")] * 501)


def test_a_list_that_is_none_is_refused() -> None:
    with pytest.raises(TableError, match="empty"):
        items_of_file(b" ")
