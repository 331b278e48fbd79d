"""One form to set up a project, and to change one."""

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components.formats import date_format, percent_format
from dashboard.components.page import empty_state, errors_in_words
from dashboard.components.tables import data_table
from dashboard.markup import plain
from dashboard.sections.projects import pair_setup
from dashboard.sections.projects.kinds import KIND_HELPS, KIND_LABELS
from dashboard.sections.review.consensus import METHODS
from dashboard.services import projects, rubrics, shared
from pipeline.cells import number as number_of
from pipeline.errors import ProjectError
from pipeline.i18n import N_, _, minute
from pipeline.projects.project import CONSENSUS, ORDERS, PAIRS, RATINGS, Project
from pipeline.rubrics import Rubric
from pipeline.tablefile import split_rows
from pipeline.text import lines_of

NEW = ""
STANDARD = ""  # the rubric that comes with Pronlab for the set's recordings
ORDER_LABELS = {
    "random": N_("Random, different per expert"),
    "disagreement": N_("Scorers differ most first"),
    "uncertainty": N_("Least certain scores first"),
}
LABELS = {
    "name": N_("Name"),
    "title": N_("Title"),
    "set": N_("Set"),
    "part": N_("Part of the corpus"),
    "overlap": N_("Ratings per recording"),
    "experts": N_("Experts"),
    "plan": N_("Shares and quotas"),
    "shares": N_("Shares"),
    "quotas": N_("Quotas"),
    "assigned": N_("Assigned recordings"),
    "order": N_("Order"),
    "random_share": N_("Share in random order"),
    "max_spread": N_("Request another rating when scores differ by more than (points)"),
    "extra": N_("Maximum extra ratings"),
    "consensus": N_("Consensus"),
    "deadline": N_("Deadline"),
    "gold": N_("Recordings with known answers"),
    "calibrate": N_("Known answers for calibration only"),
    "calibration": N_("Calibration items first"),
    "gold_every": N_("One known answer in every N items"),
    "repeat_every": N_("One repeat in every N items"),
    "instructions": N_("Instructions"),
    "hear_all": N_("The whole recording must be heard"),
    "closed": N_("Closed"),
    "seed": N_("Random seed"),
    "kind": N_("Kind"),
    **pair_setup.LABELS,
    "rubric": N_("Rubric"),
}


def draw() -> None:
    names = shared.project_names()
    chosen = st.selectbox(
        _("Project"), [NEW, *names], key="project-edit", format_func=lambda name: name or _("New project")
    )
    old = None if chosen == NEW else shared.project(chosen)
    sets = [set_.name for set_ in shared.sets()]
    if not sets:
        empty_state(
            _("A project needs recordings. Import a set on the Data page first."), page="data",
            page_label=_("Import recordings on the Data page"),
        )  # fmt: skip
        return
    base = old or Project("new", sets[0], kind=_kind())
    if base.kind == PAIRS:
        fields = pair_setup.form(base, gold_text(base), f"project-{chosen}", sets, new=old is None)
    else:
        fields = _form(base, f"project-{chosen}", sets, new=old is None)
    if fields is not None:
        with errors_in_words():
            name = fields.pop("name").strip()
            if old is None:
                fields["rubric"] = rubrics.of_new_project(fields["set"], fields.get("rubric", STANDARD))
            rated_with = rubrics.rating(fields["set"], fields.get("rubric", base.rubric))
            fields["gold"] = read_gold(fields["gold"], rated_with)
            fields["experts"] = names_of(fields["experts"])
            if "plan" in fields:
                fields["shares"], fields["quotas"] = read_plan(fields.pop("plan"))
            fields["calibrate"] = tuple(key for key in base.calibrate if key in fields["gold"])
            changed = Project(name, kind=base.kind, **fields) if old is None else replace(old, **fields)
            saved = projects.save(changed, new=old is None)
            state.choose(state.PROJECT, saved.name)
            st.toast(_("{name} is saved.").format(name=plain(saved.title or saved.name)))
            st.rerun()
    if old is not None:
        _changes(old.name)


def _kind() -> str:
    """Of a new project."""
    kind = st.segmented_control(
        _("Kind"), list(KIND_LABELS), default=RATINGS, required=True, key="project-kind",
        format_func=lambda key: _(KIND_LABELS[key]), wrap=True,
    ) or RATINGS  # fmt: skip
    st.caption(_(KIND_HELPS[kind]))
    return kind


def _form(base: Project, key: str, sets: list[str], *, new: bool) -> dict[str, Any] | None:
    """The fields as they were typed, once the form is submitted; `gold` as text."""
    labels = {name: _(label) for name, label in LABELS.items()}
    with st.form(key):
        left, right = st.columns(2)
        name = left.text_input(labels["name"], "" if new else base.name, disabled=not new, key=f"{key}-name")
        title = right.text_input(labels["title"], base.title, key=f"{key}-title")
        set_name = left.selectbox(
            labels["set"], sets, sets.index(base.set) if base.set in sets else 0, key=f"{key}-set"
        )
        # A new one begins with its set's rubric, so that the usual ones are there to choose, too.
        known = rubrics.all_rubrics() if new else rubrics.added()
        names = list(dict.fromkeys((STANDARD, *(rubric.name for rubric in known), base.rubric)))
        standard = _("that of the set") if new else _("usual (words or sentences)")
        rubric = left.selectbox(
            labels["rubric"], names, names.index(base.rubric), key=f"{key}-rubric",
            format_func=lambda name: name or standard, help=_("How the recordings are rated. Add rubrics below."),
        )  # fmt: skip
        part = right.text_input(labels["part"], base.part, placeholder=_("all"), key=f"{key}-part")
        overlap = left.number_input(labels["overlap"], 1, 100, base.overlap, key=f"{key}-overlap")
        experts = right.text_area(
            labels["experts"], "\n".join(base.experts), placeholder=_("everybody with the role expert"), height=68,
            key=f"{key}-experts",
        )  # fmt: skip
        plan = st.text_area(
            labels["plan"], plan_text(base), height=68, key=f"{key}-plan", placeholder=_("shared by all experts"),
            help=_(
                "One expert per line: name,share,quota. Recordings are divided in proportion to the shares; a quota is "
                "the most ratings of one person. Either can be empty. Single recordings are assigned on the Recordings "
                "page."
            ),
        )  # fmt: skip
        order = left.selectbox(
            labels["order"], ORDERS, ORDERS.index(base.order), format_func=lambda key: _(ORDER_LABELS[key]),
            key=f"{key}-order",
        )  # fmt: skip
        shown_share = round(100 * base.random_share)
        share = right.slider(
            labels["random_share"], 0, 100, shown_share, 5, format=percent_format(), key=f"{key}-share"
        )
        spread = left.number_input(
            labels["max_spread"], 1.0, 100.0, base.max_spread, placeholder=_("never"), key=f"{key}-spread"
        )
        extra = right.number_input(labels["extra"], 0, 20, base.extra, key=f"{key}-extra")
        consensus = left.selectbox(
            labels["consensus"], CONSENSUS, CONSENSUS.index(base.consensus), format_func=lambda key: _(METHODS[key]),
            key=f"{key}-consensus",
        )  # fmt: skip
        deadline = right.date_input(
            labels["deadline"],
            date.fromisoformat(base.deadline) if base.deadline else None,
            key=f"{key}-deadline",
            format=date_format(),
        )
        gold = st.text_area(
            labels["gold"], gold_text(base), height=100, key=f"{key}-gold",
            help=_(
                "One recording per line: recording,score for words; recording,accuracy,fluency,prosodic,total for "
                "sentences; the recording and all dimensions in their order for another rubric. Or tick recordings on "
                "the Recordings page."
            ),
        )  # fmt: skip
        numbers = st.columns(3)
        calibration = numbers[0].number_input(
            labels["calibration"], 0, 1000, base.calibration, key=f"{key}-cal",
            help=_("Recordings with known answers that every expert rates before the others."),
        )  # fmt: skip
        gold_every = numbers[1].number_input(
            labels["gold_every"], 0, 1000, base.gold_every, key=f"{key}-every",
            help=_("0: none. Experts do not see which items have known answers."),
        )  # fmt: skip
        repeat_every = numbers[2].number_input(
            labels["repeat_every"], 0, 1000, base.repeat_every, key=f"{key}-repeat",
            help=_("0: none. Repeats are recordings that the expert has rated before."),
        )  # fmt: skip
        instructions = st.text_area(
            labels["instructions"], base.instructions, height=100, key=f"{key}-instructions",
            help=_("Shown above the rating form, as Markdown."),
        )  # fmt: skip
        hear_all = st.checkbox(
            labels["hear_all"], base.hear_all, key=f"{key}-hear",
            help=_("A rating can be saved once every part of the recording was played."),
        )  # fmt: skip
        closed = st.checkbox(labels["closed"], base.closed, key=f"{key}-closed")
        if not st.form_submit_button(_("Save project"), type="primary", icon=":material/save:"):
            return None
    return {
        "name": name, "set": set_name, "rubric": rubric, "title": title.strip(), "part": part.strip(),
        "overlap": int(overlap), "experts": experts, "plan": plan, "order": order,
        "random_share": base.random_share if share == shown_share else share / 100,
        "max_spread": spread,
        "extra": int(extra), "consensus": consensus, "deadline": deadline.isoformat() if deadline else "",
        "gold": gold, "calibration": int(calibration), "gold_every": int(gold_every),
        "repeat_every": int(repeat_every), "instructions": instructions.strip(), "hear_all": hear_all, "closed": closed,
    }  # fmt: skip


def _changes(name: str) -> None:
    with st.expander(_("Changes"), icon=":material/history:"):
        data_table(
            [
                {
                    _("Time (UTC)"): minute(datetime.fromisoformat(change["at"])),
                    _("Changed by"): change["by"],
                    _("Setting"): _(LABELS.get(key, key)),
                    _("Before"): str(values[0]),
                    _("After"): str(values[1]),
                }
                for change in reversed(projects.changes_of(name))
                for key, values in change["changed"].items()
            ],
        )


def names_of(text: str) -> tuple[str, ...]:
    """Names as people type or paste them: one per line, or separated by commas, semicolons or tabs."""
    names = (name.strip() for line in lines_of(text) for name in re.split("[,;\t]", line))
    return tuple(dict.fromkeys(filter(None, names)))


def read_gold(text: str, rubric: Rubric) -> dict[str, dict[str, float]]:
    """Known answers by recording, as they are typed or pasted from a spreadsheet. Raises ProjectError for a line that
    is no recording with its values, TableError for a quote that is not closed."""
    names = [dimension.key for dimension in rubric.dimensions]
    answers: dict[str, dict[str, float]] = {}
    for _line, row in split_rows(text, 1 + len(names)):
        try:
            answers[row[0]] = dict(zip(names, map(number_of, row[1:]), strict=True))
        except ValueError as error:
            raise ProjectError(
                _("“{line}” is not a known answer. Write recording,{dimensions} on each line.").format(
                    line=",".join(row), dimensions=",".join(names)
                )
            ) from error
    return answers


def read_plan(text: str) -> tuple[dict[str, float], dict[str, int]]:
    """Shares and quotas by name, as they are typed. Raises ProjectError for a line that is neither."""
    shares: dict[str, float] = {}
    quotas: dict[str, int] = {}
    for _line, row in split_rows(text, 3):
        name, share, quota, *more = (*row, "", "")
        try:
            if any(more) or not name or not (share or quota):
                raise ValueError
            if share:
                shares[name] = number_of(share)
            if quota:
                quotas[name] = int(number_of(quota))
        except ValueError as error:
            raise ProjectError(
                _("“{line}” is no share or quota. Write name,share,quota on each line.").format(line=",".join(row))
            ) from error
    return shares, quotas


def plan_text(project: Project) -> str:
    """The inverse of `read_plan`."""
    names = dict.fromkeys((*project.shares, *project.quotas))
    return "\n".join(
        f"{name},{_shown(project.shares.get(name))},{_shown(project.quotas.get(name))}".rstrip(",") for name in names
    )


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def gold_text(project: Project) -> str:
    """The inverse of `read_gold`."""
    return "\n".join(
        ",".join([key, *(f"{value:g}" for value in values.values())]) for key, values in project.gold.items()
    )
