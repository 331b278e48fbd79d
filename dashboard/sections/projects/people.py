"""The list of people: who works here, with which roles, and who changed that."""

from datetime import datetime
from typing import Any

import streamlit as st

from dashboard import identity, state
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import errors_in_words
from dashboard.components.tables import data_table
from dashboard.markup import plain
from pipeline.i18n import N_, _, minute
from pipeline.people.access import ROLE_NAMES, Identity, Role
from pipeline.people.people import Person

NEW = ""
EMPTY: dict[str, Any] = {"person-name": "", "person-email": "", "person-roles": [], "person-active": True}
ROLE_DESCRIPTIONS = {
    Role.LEARNER: N_("Learner: practises"),
    Role.EXPERT: N_("Expert: rates recordings"),
    Role.REVIEWER: N_("Reviewer: decides between ratings, sets up projects"),
    Role.RESEARCHER: N_("Researcher: sees ratings, trains models"),
    Role.ADMIN: N_("Admin: everything except rating; changes this list"),
}


def draw(me: Identity) -> None:
    people = {person.name: person for person in identity.people().all()}
    if people:
        data_table(
            [
                {
                    _("Name"): person.name,
                    _("Roles"): _roles(person.roles),
                    _("E-mail"): person.email,
                    _("Active"): person.active,
                }
                for person in people.values()
            ],
            column_config={_("Name"): st.column_config.Column(pinned=True)},
        )
    else:
        st.info(
            _(
                "This installation is open: everybody can choose any name and has every role. The first person you "
                "add becomes the admin; from then on only people on the list have access."
            ),
            icon=":material/lock_open:",
        )
    chosen = NEW
    if people:
        chosen = st.selectbox(
            _("Person"), [NEW, *people], key="person-chosen", format_func=lambda name: name or _("New person")
        )
    person = people.get(chosen)
    if person is None:
        _add(me, first=not people)
    else:
        _change(person, me)
    _changes()


def _add(me: Identity, *, first: bool) -> None:
    """Somebody new. A name that is on the list is that person: what is left empty here stays as it is."""
    empty_if_kept("person", EMPTY)  # the roles of one are not the next one's
    if first:
        st.caption(_("The first person becomes the admin, and you continue under this name."))
    with st.form("person"):
        left, right = st.columns(2)
        name = left.text_input(_("Name"), key="person-name")
        email = right.text_input(
            _("E-mail"), identity.verified_email() if first and identity.signs_in() else "", key="person-email",
            help=_("Connects a sign-in to this person."),
        )  # fmt: skip
        roles = st.multiselect(
            _("Roles"), list(Role), [Role.ADMIN, Role.REVIEWER, Role.EXPERT] if first else [],
            format_func=_described, key="person-roles", placeholder=_(ROLE_NAMES[Role.EXPERT]),
            help=_("Leave empty to keep the roles of somebody who is already on the list."),
        )  # fmt: skip
        active = st.checkbox(_("Active"), True, key="person-active")
        submitted = st.form_submit_button(_("Add or change"), icon=":material/person_add:")
    if submitted:
        with errors_in_words():
            saved = identity.people().add_or_change(
                name, me, roles=tuple(roles), email=email, active=None if active else False
            )
            _seated(saved)
            keep("person", _saved(saved))


def _change(person: Person, me: Identity) -> None:
    key = f"person-of-{person.name}"
    with st.form(key):
        email = st.text_input(
            _("E-mail"), person.email, key=f"{key}-email", help=_("Connects a sign-in to this person.")
        )
        roles = st.multiselect(_("Roles"), list(Role), list(person.roles), format_func=_described, key=f"{key}-roles")
        active = st.checkbox(_("Active"), person.active, key=f"{key}-active")
        submitted = st.form_submit_button(_("Save"), icon=":material/save:")
    if submitted:
        with errors_in_words():
            saved = identity.people().save(Person(person.name, tuple(roles), email.strip(), active), me)
            st.toast(_saved(saved))
            st.rerun()


def _seated(saved: Person) -> None:
    """Whoever makes the list is who sits here, after a reload too."""
    if not identity.signs_in() and not state.chosen(state.RATER):
        state.choose(state.RATER, saved.name)
        state.watch(state.RATER, saved.name)


def _saved(person: Person) -> str:
    return _("{name} is saved: {roles}.").format(name=plain(person.name), roles=_roles(person.roles))


def _described(role: Role) -> str:
    return _(ROLE_DESCRIPTIONS[role])


def _roles(roles: tuple[Role, ...] | list[str]) -> str:
    return ", ".join(_(ROLE_NAMES[Role(role)]) for role in roles)


def _changes() -> None:
    rows = identity.people().changes()
    if rows:
        data_table(
            [
                {
                    _("Time (UTC)"): minute(datetime.fromisoformat(row["at"])),
                    _("Changed by"): row["by"],
                    _("Before"): _person(row["before"]),
                    _("After"): _person(row["after"]),
                }
                for row in reversed(rows)
            ],
        )


def _person(raw: dict[str, Any] | None) -> str:
    """A person as the log of changes has them; empty for somebody new."""
    if raw is None:
        return ""
    text = " ".join(filter(None, [f"{raw['name']}: {_roles(raw['roles'])}", raw["email"]]))
    return text if raw["active"] else _("{person} (not active)").format(person=text)
