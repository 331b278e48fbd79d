"""A learner who comes back: the PIN that guards a name, and what is remembered."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import AccessError
from pipeline.people.access import Identity, Role
from pipeline.people.people import EVERY_ROLE
from pipeline.practice.attempts import delete_attempts
from pipeline.practice.consent import Keep, exported, give_consent
from pipeline.practice.memory import Memory, remember, remembered
from pipeline.practice.pin import MOST_WRONG, PinError, has_pin, open_with, opens, remove_pin, reset_pin, set_pin
from pipeline.settings import Settings


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.practice.pin.COST", 2)


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_a_pin_opens_a_learners_practice_in_any_spelling_of_the_name(settings: Settings) -> None:
    assert opens(settings, "Deniz", "")
    set_pin(settings, "Deniz", "2468")
    assert not opens(settings, "DENIZ", "")
    key = open_with(settings, "deniz", "2468")
    assert opens(settings, "Deniz", key)
    assert not opens(settings, "Deniz", "another")
    assert not opens(settings, "Deniz", key, datetime.now(UTC) + timedelta(hours=13)), "a key lasts half a day"
    stored = (settings.attempts_root / "Deniz" / "pin.json").read_text()
    assert "2468" not in stored
    assert key not in stored


def test_wrong_pins_are_counted_and_refused_for_a_quarter_of_an_hour(settings: Settings) -> None:
    key = set_pin(settings, "Deniz", "2468")
    for left in reversed(range(MOST_WRONG)):
        with pytest.raises(PinError, match=f"Attempts left: {left}"):
            open_with(settings, "Deniz", "1111", NOW)
    with pytest.raises(PinError, match="Wait a quarter of an hour"):
        open_with(settings, "Deniz", "2468", NOW)
    assert opens(settings, "Deniz", key), "whoever is in stays in"
    assert open_with(settings, "Deniz", "2468", NOW + timedelta(minutes=15))


@pytest.mark.parametrize("digits", ["", "123", "12a4", "1234567890123", "１２３４", "12 34"])
def test_rejects_what_is_no_pin(settings: Settings, digits: str) -> None:
    with pytest.raises(PinError, match="4 to 12 digits"):
        set_pin(settings, "Deniz", digits)
    assert not has_pin(settings, "Deniz")


def test_a_damaged_pin_opens_to_nobody(settings: Settings) -> None:
    key = set_pin(settings, "Deniz", "2468")
    file = settings.attempts_root / "Deniz" / "pin.json"
    file.write_text('{"learner": "Deniz", "salt": 3}')
    with pytest.raises(PinError, match="Ask an administrator"):
        opens(settings, "Deniz", key)


def test_a_pin_is_changed_by_its_learner_alone_and_goes_with_everything(settings: Settings) -> None:
    give_consent(settings, "Deniz", Keep.SCORES)
    set_pin(settings, "Deniz", "2468")
    other = Identity("Ada", EVERY_ROLE)
    for change in (lambda: set_pin(settings, "Deniz", "1111", other), lambda: remove_pin(settings, "Deniz", other)):
        with pytest.raises(AccessError, match="Deniz's alone"):
            change()
    assert b"pin.json" not in exported(settings, "Deniz")
    assert delete_attempts(settings, "Deniz") == 0, "files beside the attempts are none"
    assert not has_pin(settings, "Deniz")


def test_an_administrator_frees_a_name_that_somebody_locked(settings: Settings) -> None:
    set_pin(settings, "Deniz", "2468")
    with pytest.raises(AccessError):
        reset_pin(settings, "Deniz", Identity("Rita", frozenset(Role) - {Role.ADMIN}))
    assert has_pin(settings, "Deniz")
    reset_pin(settings, "DENİZ", Identity("Ada", frozenset({Role.ADMIN})))
    assert opens(settings, "Deniz", "")
    with pytest.raises(PinError, match="has no PIN"):
        reset_pin(settings, "Deniz", Identity("Ada", frozenset({Role.ADMIN})))


def test_the_place_is_remembered_only_with_consent(settings: Settings) -> None:
    place = Memory("tr-vowels", "göl", 10)
    for keep, known in ((None, Memory()), (Keep.NOTHING, Memory()), (Keep.SCORES, place)):
        if keep is not None:
            give_consent(settings, "Deniz", keep)
        remember(settings, "Deniz", place)
        assert remembered(settings, "DENİZ") == known
    (settings.attempts_root / "Deniz" / "memory.json").write_text("[]")
    assert remembered(settings, "Deniz") == Memory()
