"""What is wrong with recordings and labels, with the file and the reason."""

import streamlit as st

from dashboard.components.set_titles import distinct_titles
from dashboard.components.tables import fitted
from dashboard.sections.data import ratings_import
from dashboard.services import data, shared
from pipeline.i18n import N_, _, number, reason_alone, translated
from pipeline.people.names import name_key
from pipeline.records import Problem

SEVERITIES = {"all": N_("All"), "error": N_("Error"), "warning": N_("Warning")}
KINDS = {
    "bad_annotation": N_("annotation that cannot be read"), "bad_label": N_("label that cannot be read"),
    "bad_row": N_("row that cannot be used"), "label_scale": N_("scale of scores unknown"),
    "no_rater": N_("no rater named"), "respelled": N_("name in several spellings"),
    "stray_label": N_("label without recording"), "unread_part": N_("label that cannot be read"),
    "broken_label": N_("damaged label"), "broken_reference": N_("damaged reference"), "broken_set": N_("damaged set"),
    "clipped": N_("clipped"), "duplicate": N_("duplicate"), "empty": N_("empty"), "low_level": N_("too quiet"),
    "low_sample_rate": N_("low sample rate"),
    "left_out": N_("left out"), "missing_value": N_("missing value"), "no_text": N_("no text"),
    "odd_scale": N_("unusual scale"), "mostly_silent": N_("mostly silent"), "noisy": N_("noisy"),
    "not_audio": N_("not an audio file"), "odd_name": N_("unexpected name"), "outside_root": N_("outside its folder"),
    "silent": N_("silent"), "too_long": N_("too long"), "too_short": N_("too short"),
    "unreadable": N_("cannot be read"),
}  # fmt: skip
SHOWN_PROBLEMS = 500


def draw() -> None:
    known = data.problems()
    if not known:
        st.success(_("There are no problems in the imported recordings."), icon=":material/check_circle:")
        return
    ratings_import.ask_scale_of_labels([problem for _set, problem in known])
    codes = sorted({problem.code for _set, problem in known})
    left, middle, right = st.columns(3)
    kinds = left.multiselect(_("Kind"), codes, placeholder=_("All kinds"), format_func=_kind)
    severity = middle.selectbox(_("How serious"), list(SEVERITIES), format_func=lambda code: _(SEVERITIES[code]))
    wanted = name_key(right.text_input(_("Search path or message")))
    shown = [
        (name, problem)
        for name, problem in known
        if (not kinds or problem.code in kinds)
        and severity in ("all", problem.severity)
        and wanted in name_key(f"{problem.path or ''} {_reason(problem)}")
    ]
    st.caption(
        _("{shown} of {n} problems; the table shows at most {most}.").format(
            shown=number(len(shown)), n=number(len(known)), most=number(SHOWN_PROBLEMS)
        )
    )
    titles = distinct_titles({set_.name: set_.title for set_ in shared.sets()})
    several = len({name for name, _problem in known}) > 1
    fitted(
        [
            {
                _("Path"): problem.path,
                _("Problem and what to do"): _reason(problem),
                _("How serious"): _(SEVERITIES.get(problem.severity, problem.severity)),
                _("Kind"): _kind(problem.code),
                **({_("Set"): titles.get(name, name)} if several else {}),
            }
            for name, problem in shown[:SHOWN_PROBLEMS]
        ]
    )


def _reason(problem: Problem) -> str:
    """The path has a column of its own."""
    return translated(reason_alone(problem.message))


def _kind(code: str) -> str:
    return _(KINDS.get(code, code))
