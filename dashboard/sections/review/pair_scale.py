"""The results of a pair project: its scale, the raters, what was skipped, and downloads."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.charts import pair_charts
from dashboard.charts.base import SCORE_RANGE
from dashboard.components.csv_dialect import choose_dialect
from dashboard.components.page import empty_state
from dashboard.components.pair_raters import raters_table
from dashboard.components.speakers import shown_speaker
from dashboard.components.tables import fitted
from dashboard.identity import held
from dashboard.services import label, pairs
from pipeline.errors import ProjectError
from pipeline.i18n import N_, _, interval, ngettext, number, signed, translated
from pipeline.metrics.anchored_scores import MAPS
from pipeline.people.access import Action, Identity
from pipeline.projects.pairs.results import PairResults, PairScale, Place
from pipeline.projects.project import Project

SHOWN = {"score": N_("Scores"), "value": N_("Logits")}
MAP_LABELS = {"linear": N_("Line through the anchors"), "monotone": N_("Steps between the anchors")}


def draw(project: Project, me: Identity) -> None:
    results = pairs.results_of(project)
    if not results.standing:
        empty_state(_("Nobody has compared a pair of this project yet. Experts do so on the Label page."))
        return
    choices = st.container(horizontal=True)
    method = MAPS[0]
    if project.gold:
        method = choices.segmented_control(
            _("Scores"), MAPS, default=MAPS[0], required=True, key="pairs-map",
            format_func=lambda key: _(MAP_LABELS[key]), label_visibility="collapsed", wrap=True,
        ) or MAPS[0]  # fmt: skip
    try:
        scale = results.scale(method=method)
    except ProjectError as problem:
        empty_state(problem.words)
    else:
        _scale(scale, choices)
        _downloads(project, me, results, scale, method)
    st.header(_("Raters"), anchor=False)
    raters_table(results.raters(), key="pairs-raters")
    _skipped(results)


def _scale(result: PairScale, choices: DeltaGenerator) -> None:
    st.caption(_summary(result))
    shown = "value"
    if result.why_no_scores:
        st.caption(translated(result.why_no_scores))
    else:
        shown = choices.segmented_control(
            _("Show"), list(SHOWN), default="score", required=True, key="pairs-shown", label_visibility="collapsed",
            format_func=lambda key: _(SHOWN[key]), wrap=True,
        ) or "score"  # fmt: skip
    in_scores = shown == "score"
    ends = [
        (place.score_low or 0.0, place.score_high or 0.0) if in_scores else (place.low, place.high)
        for place in result.places
    ]
    st.plotly_chart(
        pair_charts.scale_dots(
            [f"{place.text} · {shown_speaker(place.speaker)}" for place in result.places],
            [(place.score or 0.0) if in_scores else place.value for place in result.places],
            ends,
            [place.known is not None for place in result.places],
            _("Score, 0 to 100") if in_scores else _("Place on the scale (logits)"),
            SCORE_RANGE if in_scores else None,
        ),
        key="pairs-scale",
    )
    rows = [
        {
            _("Text"): place.text,
            _("Speaker"): shown_speaker(place.speaker),
            _("Place"): signed(place.value, 2),
            _("95% interval"): interval(signed(place.low, 2), signed(place.high, 2)),
            _("Comparisons"): number(place.n),
            **(
                {}
                if place.score is None
                else {
                    _("Score"): number(place.score, 1),
                    _("Interval of the score"): _interval(place),
                    _("Known score"): "" if place.known is None else number(place.known, 1),
                }
            ),
        }
        for place in result.places
    ]
    fitted(rows, right=[column for column in rows[0] if column not in (_("Text"), _("Speaker"))], key="pairs-places")


def _interval(place: Place) -> str:
    written = interval(number(place.score_low or 0.0), number(place.score_high or 0.0))
    return _("{interval}, beyond the anchors").format(interval=written) if place.outside else written


def _summary(result: PairScale) -> str:
    """How far the scale can be trusted, in one line."""
    scale, order = result.scale, result.scale.order
    answers = ngettext("{n} answer", "{n} answers", scale.n_comparisons).format(n=number(scale.n_comparisons))
    raters = ngettext("{n} rater", "{n} raters", result.n_raters).format(n=number(result.n_raters))
    parts = [answers, raters]
    if scale.reliability is not None:
        parts.append(_("reliability {value}").format(value=number(scale.reliability, 2)))
    if order.value is not None and order.interval is not None:
        low, high = order.interval
        parts.append(
            _("advantage of the left side {value} {interval} logits").format(
                value=signed(order.value, 2), interval=interval(signed(low, 2), signed(high, 2))
            )
        )
    if result.anchor_error is not None:
        n_anchors = ngettext("{n} anchor", "{n} anchors", result.n_anchors).format(n=number(result.n_anchors))
        parts.append(
            _("{anchors}, {points} points from their known scores on average").format(
                anchors=n_anchors, points=number(result.anchor_error, 1)
            )
        )
    return " · ".join(parts)


def _downloads(project: Project, me: Identity, results: PairResults, result: PairScale, method: str) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    if me.may(Action.EXPORT):
        with row:
            dialect = choose_dialect("pairs-dialect")
        row.download_button(
            _("Download scale"), held(lambda: pairs.scale_csv(project, method, dialect)), f"{project.name}-scale.csv",
            "text/csv", icon=":material/download:",
        )  # fmt: skip
        row.download_button(
            _("Download answers"), held(lambda: pairs.answers_csv(project, dialect)), f"{project.name}-answers.csv",
            "text/csv", icon=":material/download:",
        )  # fmt: skip
        row.download_button(
            _("Download figures (JSON)"), held(lambda: pairs.figures_json(project, method)), f"{project.name}.json",
            "application/json", icon=":material/download:",
        )  # fmt: skip
    if me.may(Action.IMPORT_DATA) and not result.why_no_scores:
        save = row.button(
            _("Save as ratings"), icon=":material/save:", key="pairs-save",
            help=_(
                "Adds the scores to the label files as ratings by “{name}”, for training and agreement."
            ).format(name=results.rater_name),
        )  # fmt: skip
        if save:
            n = pairs.save_as_ratings(project, method)
            st.toast(ngettext("{n} rating saved.", "{n} ratings saved.", n).format(n=number(n)))


def _skipped(results: PairResults) -> None:
    skipped = results.skipped()
    if not skipped:
        return
    with st.expander(_("Skipped pairs"), icon=":material/skip_next:"):
        fitted(
            [
                {
                    _("Rater"): judgement.evaluator,
                    _("Reason"): label.shown_reason(judgement.reason),
                    _("Left"): judgement.left,
                    _("Right"): judgement.right,
                }
                for judgement in skipped
            ],
            key="pairs-skipped",
        )
