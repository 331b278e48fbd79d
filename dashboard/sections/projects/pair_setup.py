"""The form of a pair project."""

from datetime import date
from typing import Any

import streamlit as st

from dashboard.components.formats import date_format
from pipeline.i18n import N_, _
from pipeline.projects.project import Project

LABELS = {
    "comparisons": N_("Comparisons per recording"),
    "same_text": N_("Compare recordings of the same text"),
    "ties": N_("Offer “No difference”"),
}


def form(base: Project, gold: str, key: str, sets: list[str], *, new: bool) -> dict[str, Any] | None:
    """The fields as they were typed, once the form is submitted; `gold`, the anchors, and `experts` as text."""
    labels = {name: _(label) for name, label in LABELS.items()}
    with st.form(key):
        left, right = st.columns(2)
        name = left.text_input(_("Name"), "" if new else base.name, disabled=not new, key=f"{key}-name")
        title = right.text_input(_("Title"), base.title, key=f"{key}-title")
        set_name = left.selectbox(_("Set"), sets, sets.index(base.set) if base.set in sets else 0, key=f"{key}-set")
        part = right.text_input(_("Part of the corpus"), base.part, placeholder=_("all"), key=f"{key}-part")
        comparisons = left.number_input(
            labels["comparisons"], 2, 100, base.comparisons, key=f"{key}-comparisons",
            help=_("In how many pairs each recording is. Ten give a first scale; twenty or more a reliable one."),
        )  # fmt: skip
        overlap = right.number_input(
            _("Answers per pair"), 1, 100, base.overlap, key=f"{key}-overlap",
            help=_("How many experts answer each pair. More pairs tell more than more answers per pair."),
        )  # fmt: skip
        experts = left.text_area(
            _("Experts"), "\n".join(base.experts), placeholder=_("everybody with the role expert"), height=68,
            key=f"{key}-experts",
        )  # fmt: skip
        repeat_every = right.number_input(
            _("One repeat in every N pairs"), 0, 1000, base.repeat_every, key=f"{key}-repeat",
            help=_("0: none. A repeat is an earlier pair with the sides swapped, to see how consistent an expert is."),
        )  # fmt: skip
        deadline = right.date_input(
            _("Deadline"),
            date.fromisoformat(base.deadline) if base.deadline else None,
            key=f"{key}-deadline",
            format=date_format(),
        )
        same_text = left.checkbox(
            labels["same_text"], base.same_text, key=f"{key}-same",
            help=_("Where several recordings have one text. One comparison in five links different texts."),
        )  # fmt: skip
        ties = left.checkbox(labels["ties"], base.ties, key=f"{key}-ties")
        hear_all = left.checkbox(
            _("Both recordings must be heard to the end"), base.hear_all, key=f"{key}-hear",
            help=_("Without it, half of each is enough."),
        )  # fmt: skip
        closed = left.checkbox(_("Closed"), base.closed, key=f"{key}-closed")
        anchors = st.text_area(
            _("Anchors"), gold, height=100, key=f"{key}-gold",
            help=_(
                "Recordings with known scores, which turn the scale into scores between 0 and 100. One per line: "
                "recording,score for words; recording,accuracy,fluency,prosodic,total for sentences."
            ),
        )  # fmt: skip
        instructions = st.text_area(
            _("Instructions"), base.instructions, height=100, key=f"{key}-instructions",
            help=_("Shown above the pairs, as Markdown."),
        )  # fmt: skip
        if not st.form_submit_button(_("Save project"), type="primary", icon=":material/save:"):
            return None
    return {
        "name": name, "set": set_name, "title": title.strip(), "part": part.strip(), "comparisons": int(comparisons),
        "overlap": int(overlap), "experts": experts, "repeat_every": int(repeat_every), "same_text": same_text,
        "ties": ties, "hear_all": hear_all, "closed": closed, "gold": anchors, "instructions": instructions.strip(),
        "deadline": deadline.isoformat() if deadline else "",
    }  # fmt: skip
