"""The sections of the Projects page: how far each project is, setting one up, and who works here."""

import csv
import io
from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from dashboard import identity, state
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.sections.review import METHODS, names_of
from dashboard.services import shared as services
from pipeline.errors import ProjectError
from pipeline.people.access import Identity, Role
from pipeline.people.people import Person
from pipeline.projects.project import CONSENSUS, ORDERS, Project, changes, save_project
from pipeline.projects.queue import Queue
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS

NEW = "a new project"
SOMEBODY_NEW = "somebody new"
PERSON_FIELDS = ("person-name", "person-email", "person-roles", "person-active")
ORDER_WORDS = {
    "random": "random, another order for each expert",
    "disagreement": "where the scorers disagree first",
    "uncertainty": "where the scorer is unsure first",
}
ROLE_WORDS = {
    Role.EXPERT: "rates", Role.REVIEWER: "decides between ratings, sets up projects", Role.LEARNER: "practises",
    Role.RESEARCHER: "sees ratings, trains models", Role.ADMIN: "all of that but rating, and changes this list",
}  # fmt: skip


@st.fragment(run_every=5.0)
@errors_in_words()
def progress() -> None:
    """Live."""
    rows = []
    for name in services.project_names():
        project = services.project(name)
        watcher = Identity("(progress)", frozenset({Role.EXPERT}))
        found = Queue(services.settings(), replace(project, experts=()), watcher).progress()
        rows.append(
            {
                "Project": project.title or project.name,
                "Set": " ".join(filter(None, [project.set, project.part])),
                "Done": found.done / found.needed if found.needed else 0.0,
                "Ratings": f"{found.done} of {found.needed}",
                "Recordings": f"{found.finished} of {found.items}",
                "At work now": found.at_work,
                "Deadline": project.deadline,
                "State": "closed" if project.closed else "over" if project.is_over else "open",
            }
        )
    st.dataframe(
        rows, hide_index=True, column_config={"Done": st.column_config.ProgressColumn(format="percent")}, key="projects"
    )


def edit(me: Identity) -> None:
    """One form for a new project and for changing one."""
    names = services.project_names()
    chosen = st.selectbox("Change", [NEW, *names], key="project-edit")
    old = None if chosen == NEW else services.project(chosen)
    sets = [set_.name for set_ in services.sets()]
    if not sets:
        st.info("A project needs recordings: import a set on the Data page first.", icon=":material/upload:")
        return
    base = old or Project("new", sets[0])
    key = f"project-{chosen}"
    with st.form(key):
        left, right = st.columns(2)
        name = left.text_input("Name", "" if old is None else base.name, disabled=old is not None, key=f"{key}-name")
        title = right.text_input("Title", base.title, key=f"{key}-title")
        set_name = left.selectbox("Set", sets, sets.index(base.set) if base.set in sets else 0, key=f"{key}-set")
        part = right.text_input("Part of the corpus", base.part, placeholder="all", key=f"{key}-part")
        overlap = left.number_input("Experts a recording", 1, 100, base.overlap, key=f"{key}-overlap")
        experts = right.text_area(
            "Experts", "\n".join(base.experts), placeholder="everybody with the role", height=68, key=f"{key}-experts"
        )
        order = left.selectbox(
            "Order", ORDERS, ORDERS.index(base.order), format_func=ORDER_WORDS.__getitem__, key=f"{key}-order"
        )
        share = right.slider("Of which at random", 0.0, 1.0, base.random_share, 0.05, key=f"{key}-share")
        spread = left.number_input(
            "Another expert where ratings lie further apart than (points)", 1.0, 100.0, base.max_spread,
            placeholder="never", key=f"{key}-spread",
        )  # fmt: skip
        extra = right.number_input("At most so many more", 0, 20, base.extra, key=f"{key}-extra")
        consensus = left.selectbox(
            "Consensus", CONSENSUS, CONSENSUS.index(base.consensus), format_func=METHODS.__getitem__,
            key=f"{key}-consensus",
        )  # fmt: skip
        deadline = right.date_input(
            "Deadline", date.fromisoformat(base.deadline) if base.deadline else None, key=f"{key}-deadline"
        )
        st.markdown("**Known answers**")
        gold = st.text_area(
            "Recordings with known answers", _gold_text(base), height=100, key=f"{key}-gold",
            help="One a line: recording,score for words; recording,accuracy,fluency,prosodic,total for sentences.",
        )  # fmt: skip
        numbers = st.columns(3)
        calibration = numbers[0].number_input(
            "Of these first, to calibrate", 0, 1000, base.calibration, key=f"{key}-cal"
        )
        gold_every = numbers[1].number_input(
            "Later one in every", 0, 1000, base.gold_every, key=f"{key}-every",
            help="0: none. The expert does not see which.",
        )  # fmt: skip
        repeat_every = numbers[2].number_input(
            "A blind repeat in every", 0, 1000, base.repeat_every, key=f"{key}-repeat",
            help="0: none. A recording that the expert rated before.",
        )  # fmt: skip
        instructions = st.text_area("Instructions", base.instructions, height=100, key=f"{key}-instructions")
        closed = st.checkbox("Closed", base.closed, key=f"{key}-closed")
        submitted = st.form_submit_button("Save project", type="primary", icon=":material/save:")
    if submitted:
        with errors_in_words():
            rubric = next(set_.rubric for set_ in services.sets() if set_.name == set_name)
            given: dict[str, Any] = {
                "set": set_name, "title": title.strip(), "part": part.strip(), "overlap": int(overlap),
                "experts": names_of(experts), "order": order, "random_share": float(share), "max_spread": spread,
                "extra": int(extra), "consensus": consensus, "deadline": deadline.isoformat() if deadline else "",
                "gold": read_gold(gold, rubric), "calibration": int(calibration), "gold_every": int(gold_every),
                "repeat_every": int(repeat_every), "instructions": instructions.strip(), "closed": closed,
            }  # fmt: skip
            saved = Project(name.strip(), **given) if old is None else replace(old, **given)
            if old is None and saved.name in names:
                raise ProjectError(f"There is a project {saved.name!r} already. Choose it above to change it.")
            save_project(services.settings(), saved, me)
            state.choose(state.PROJECT, saved.name)
            st.toast(f"{plain(saved.title or saved.name)} is saved.")
            st.rerun()
    if old is not None:
        with st.expander("Changes", icon=":material/history:"):
            st.dataframe(
                [
                    {"When (UTC)": c["at"][:19].replace("T", " "), "Who": c["by"], "Setting": key,
                     "Before": str(values[0]), "After": str(values[1])}
                    for c in reversed(changes(services.settings(), old.name))
                    for key, values in c["changed"].items()
                ],
                hide_index=True,
            )  # fmt: skip


def who_works_here(me: Identity) -> None:
    people = identity.people()
    listed = {person.name: person for person in people.all()}
    if not listed:
        st.info(
            "This installation is open: whoever says a name is that person, with every role. Adding the first admin "
            "makes a list, and from then on only people on it get in.",
            icon=":material/lock_open:",
        )
    else:
        st.dataframe(
            [
                {"Name": p.name, "Roles": ", ".join(p.roles), "E-mail": p.email, "Active": p.active}
                for p in listed.values()
            ],
            hide_index=True,
        )
    chosen = st.selectbox("Person", [SOMEBODY_NEW, *listed], key="person-chosen") if listed else SOMEBODY_NEW
    person = listed.get(chosen or SOMEBODY_NEW)
    if person is None:
        _add_person(me, first=not listed)
    else:
        _change_person(person, me)
    changes_of_people()


def _add_person(me: Identity, *, first: bool) -> None:
    """Somebody new. A name that is on the list is that person: what is left empty here stays as it is."""
    empty_if_kept("person", PERSON_FIELDS)  # the roles of one are not the next one's
    if first:
        st.caption("The first person on the list becomes its admin, and is who sits here from then on.")
    with st.form("person"):
        left, right = st.columns(2)
        name = left.text_input("Name", key="person-name")
        email = right.text_input(
            "E-mail", identity.verified_email() if first and identity.signs_in() else "", key="person-email",
            help="Joins a sign-in to this person.",
        )  # fmt: skip
        roles = st.multiselect(
            "Roles", list(Role), [Role.ADMIN, Role.REVIEWER, Role.EXPERT] if first else [],
            format_func=_role_in_words, key="person-roles", placeholder="expert",
            help="Of somebody who is on the list already: empty keeps their roles.",
        )  # fmt: skip
        active = st.checkbox("Active", True, key="person-active")
        submitted = st.form_submit_button("Add or change", icon=":material/person_add:")
    if submitted:
        with errors_in_words():
            saved = identity.people().add_or_change(
                name, me, roles=tuple(roles), email=email, active=None if active else False
            )
            _seated(saved)
            keep("person", f"{plain(saved.name)} is saved: {', '.join(saved.roles)}.")


def _change_person(person: Person, me: Identity) -> None:
    key = f"person-of-{person.name}"
    with st.form(key):
        email = st.text_input("E-mail", person.email, key=f"{key}-email", help="Joins a sign-in to this person.")
        roles = st.multiselect(
            "Roles", list(Role), list(person.roles), format_func=_role_in_words, key=f"{key}-roles"
        )  # fmt: skip
        active = st.checkbox("Active", person.active, key=f"{key}-active")
        submitted = st.form_submit_button("Save", icon=":material/save:")
    if submitted:
        with errors_in_words():
            saved = identity.people().save(Person(person.name, tuple(roles), email.strip(), active), me)
            st.toast(f"{plain(saved.name)} is saved: {', '.join(saved.roles)}.")
            st.rerun()


def _seated(saved: Person) -> None:
    """Whoever makes the list is who sits here, after a reload too."""
    if not identity.signs_in() and not state.chosen(state.RATER):
        state.choose(state.RATER, saved.name)
        state.watch(state.RATER, saved.name)


def _role_in_words(role: Role) -> str:
    return f"{role}: {ROLE_WORDS[role]}"


def changes_of_people() -> None:
    rows = identity.people().changes()
    if rows:
        st.dataframe(
            [
                {
                    "When (UTC)": row["at"][:19].replace("T", " "), "Who": row["by"],
                    "Before": _person(row["before"]), "After": _person(row["after"]),
                }
                for row in reversed(rows)
            ],
            hide_index=True,
        )  # fmt: skip


def _person(raw: dict[str, Any] | None) -> str:
    if raw is None:
        return ""
    return f"{raw['name']}: {', '.join(raw['roles'])}{' ' + raw['email'] if raw['email'] else ''}" + (
        "" if raw["active"] else " (not active)"
    )


def read_gold(text: str, rubric: RubricName) -> dict[str, dict[str, float]]:
    """Raises ProjectError for a line that is no recording with its values."""
    names = [dimension.key for dimension in RUBRICS[rubric].dimensions]
    found: dict[str, dict[str, float]] = {}
    for row in csv.reader(io.StringIO(text)):
        if not row:
            continue
        try:
            found[row[0].strip()] = dict(zip(names, map(float, row[1:]), strict=True))
        except ValueError as error:
            raise ProjectError(f"{','.join(row)!r} is not of the form recording,{','.join(names)}.") from error
    return found


def _gold_text(project: Project) -> str:
    return "\n".join(
        ",".join([key, *(f"{value:g}" for value in values.values())]) for key, values in project.gold.items()
    )
