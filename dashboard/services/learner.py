"""Who practises: the name, the PIN that guards it, and where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dashboard import identity, state
from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.i18n import N_
from pipeline.people.access import Action
from pipeline.practice import consent, memory, pin
from pipeline.practice.attempts import learner_as_kept

if TYPE_CHECKING:
    from pipeline.people.access import Identity
    from pipeline.practice.memory import Memory

KEY = "practice.key"  # not shown


@asks(Action.PRACTISE)
def learner(typed: str) -> str:
    """The name under which somebody practises: their own; on an open installation the typed one, as it was spelled
    before. "" where there is none."""
    if not identity.is_open():
        return identity.allowed(Action.PRACTISE).name
    cleaned = " ".join(typed.split())
    return learner_as_kept(settings(), identity.as_person(cleaned, Action.PRACTISE).name) if cleaned else ""


@asks(Action.PRACTISE)
def acting_as(learner: str) -> Identity:
    """Who acts on what is kept of a learner: every service that touches it asks here. Raises AccessError for somebody
    else, and where the learner has a PIN that was not given in this browser."""
    me = identity.as_person(learner, Action.PRACTISE)
    if not identity.signs_in() and not pin.opens(settings(), me.name, state.recall(KEY) or ""):
        raise pin.PinError(N_("Give the PIN of {learner} first."), learner=me.name)
    return me


@asks(Action.PRACTISE)
def is_locked(learner: str) -> bool:
    """Whether the learner's PIN has still to be given. Raises PinError where the PIN's file cannot be read."""
    if not learner or identity.signs_in():
        return False
    return not pin.opens(settings(), learner, state.recall(KEY) or "")


@asks(Action.PRACTISE)
def may_have_pin() -> bool:
    """A sign-in needs none."""
    return not identity.signs_in()


@asks(Action.PRACTISE)
def has_pin(learner: str) -> bool:
    return pin.has_pin(settings(), learner)


@asks(Action.PRACTISE)
def take_key(key: str) -> None:
    """The key that this browser has kept from a PIN that was given before."""
    if key and state.recall(KEY) is None:
        state.remember(KEY, key)


@asks(Action.PRACTISE)
def key() -> str:
    """What this browser keeps over reloads; "" for none."""
    return str(state.recall(KEY) or "")


@asks(Action.PRACTISE)
def give_pin(learner: str, digits: str) -> None:
    """Raises PinError for a wrong one."""
    me = identity.as_person(learner, Action.PRACTISE)
    state.remember(KEY, pin.open_with(settings(), me.name, digits.strip()))


@asks(Action.PRACTISE)
def set_pin(learner: str, digits: str) -> None:
    """Raises PinError for what is none."""
    state.remember(KEY, pin.set_pin(settings(), learner, digits.strip(), acting_as(learner)))


@asks(Action.PRACTISE)
def remove_pin(learner: str) -> None:
    pin.remove_pin(settings(), learner, acting_as(learner))


@asks(Action.PRACTISE)
def remembered(learner: str) -> Memory:
    return memory.remembered(settings(), learner, acting_as(learner))


@asks(Action.PRACTISE)
def remember(learner: str, what: Memory) -> None:
    memory.remember(settings(), learner, what, acting_as(learner))


@asks(Action.PRACTISE)
def download_of(learner: str) -> Callable[[], bytes]:
    """What makes the file of all that is kept, later and in another thread, for whoever may have it now."""
    acting_as(learner)
    me = identity.held(lambda: identity.as_person(learner, Action.PRACTISE))
    return lambda: consent.exported(settings(), learner, me())
