"""The sections of the Agreement page."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from dashboard.charts import rater_charts
from dashboard.components.pair_raters import raters_table
from dashboard.components.tables import data_table, fitted, without_empty
from dashboard.markup import plain
from dashboard.services import pairs as pair_services
from pipeline.i18n import N_, _, interval, number, signed, translated
from pipeline.labels.ratings_table import RatingsTable, as_json
from pipeline.metrics.estimate import Estimate
from pipeline.metrics.rater_agreement import ALL_RATERS, Agreement, Pair, by_group

LABELS = {
    "score": N_("Score"), "accuracy": N_("Accuracy"), "fluency": N_("Fluency"), "prosodic": N_("Prosody"),
    "total": N_("Total"), "completeness": N_("Completeness"),
}  # fmt: skip
PAIRWISE = {"bias": N_("Bias"), "mae": N_("Mean difference"), "kappa": N_("Kappa")}
MAX_GROUPS = 500


def label_of(dimension: str) -> str:
    return _(LABELS[dimension]) if dimension in LABELS else dimension


def charts(ratings: RatingsTable, name: str, agreement: Agreement) -> None:
    """Who is strict, and how each rater uses the scale."""
    known = [rater for rater in agreement.raters if rater.severity.value is not None and rater.severity.interval]
    left, right = st.columns(2)
    with left:
        st.header(_("Severity"), anchor=False)
        if known:
            st.plotly_chart(
                rater_charts.severities(
                    [rater.name for rater in known],
                    [float(rater.severity.value or 0.0) for rater in known],
                    [rater.severity.interval or (0.0, 0.0) for rater in known],
                ),
                key="agreement-severity",
            )
        else:
            st.caption(_("Too few shared recordings to tell who is strict."))
    with right:
        st.header(_("Use of the scale"), anchor=False)
        table = ratings.dimensions[name]
        columns = {rater: table[np.isfinite(table[:, k]), k] for k, rater in enumerate(ratings.raters)}
        st.plotly_chart(
            rater_charts.rating_distributions(
                {rater: values.tolist() for rater, values in columns.items()}, label_of(name)
            ),
            key="agreement-distributions",
        )


def overview(agreements: Mapping[str, Agreement]) -> None:
    """Every dimension in one table."""
    rows = [
        {
            _("Dimension"): label_of(name),
            _("Items"): number(agreement.n),
            _("Krippendorff's α"): _estimate(agreement.alpha),
            _("ICC(2,1)"): _estimate(agreement.icc),
            _("ICC(2,k)"): _estimate(agreement.icc_k),
            _("κ on bands"): _estimate(agreement.kappa),
            _("One against the others"): _estimate(agreement.leave_one_out),
        }
        for name, agreement in agreements.items()
    ]
    fitted(rows, right=list(rows[0])[1:])


def raters(agreement: Agreement) -> None:
    rows = [
        {
            _("Rater"): rater.name,
            _("Ratings"): number(rater.n),
            _("Mean"): number(rater.mean, 2),
            _("SD"): number(rater.sd, 2),
            _("Severity"): _estimate(rater.severity, sign=True),
            _("Against the others"): _estimate(rater.leave_one_out),
        }
        for rater in agreement.raters
    ]
    fitted(rows, right=list(rows[0])[1:])


def pairs(ratings: RatingsTable, name: str, agreement: Agreement) -> None:
    if not agreement.pairs:
        st.caption(_("No two raters share a recording yet."))
        return
    st.header(_("Pairs"), anchor=False)
    left, right = st.columns(2)
    with left:
        figure = st.segmented_control(
            _("Figure"), list(PAIRWISE), default="bias", required=True, key="agreement-pairwise",
            format_func=lambda key: _(PAIRWISE[key]), wrap=True,
        ) or "bias"  # fmt: skip
        st.plotly_chart(
            rater_charts.pairwise(
                ratings.raters, _matrix(ratings.raters, agreement, figure), _(PAIRWISE[figure]),
                centred=figure == "bias",
            ),
            key="agreement-heat",
        )  # fmt: skip
        if figure == "bias":
            st.caption(_("The column's ratings less the row's: positive where the column's rater is more lenient."))
    with right:
        names = [_("{a} and {b}").format(a=pair.a, b=pair.b) for pair in agreement.pairs]
        chosen = st.selectbox(_("Pair"), names, key="agreement-pair")
        _pair(ratings, name, agreement.pairs[names.index(chosen)])


def _pair(ratings: RatingsTable, name: str, pair: Pair) -> None:
    a, b = ratings.raters.index(pair.a), ratings.raters.index(pair.b)
    table = ratings.dimensions[name]
    both = np.isfinite(table[:, a]) & np.isfinite(table[:, b])
    texts = [text for text, shared in zip(ratings.texts, both, strict=True) if shared]
    if both.sum() >= 2:
        st.plotly_chart(
            rater_charts.pair_differences(table[both, a], table[both, b], (pair.a, pair.b), texts), key="agreement-ba"
        )
    if pair.mae.value is None and pair.mae.reason == pair.bias.reason == pair.kappa.reason:
        st.caption(plain(f"n = {number(pair.n)}: {translated(pair.mae.reason)}."))  # not shown
        return
    st.caption(
        plain(
            _("n = {n}, mean difference {mae}, bias {bias}, κ {kappa}").format(
                n=number(pair.n), mae=_estimate(pair.mae), bias=_estimate(pair.bias, sign=True),
                kappa=_estimate(pair.kappa),
            )
        )
    )  # fmt: skip


def groups(ratings: RatingsTable, name: str) -> None:
    """By text and by speaker, the largest differences first."""
    st.header(_("Where they disagree"), anchor=False)
    tabs = st.tabs([_("By word or sentence"), _("By speaker")])
    for tab, label, members in ((tabs[0], _("Text"), ratings.texts), (tabs[1], _("Speaker"), ratings.speakers)):
        rows = by_group(ratings.dimensions[name], members)
        figures = {"mean": _("Mean"), "distance": _("Mean difference"), "range": _("Mean range"), "alpha": "α"}
        with tab:
            data_table(
                without_empty(
                    [
                        {
                            label: row["group"],
                            _("Items"): row["n"],
                            _("Shared"): row["shared"],
                            **{title: row[key] for key, title in figures.items()},
                        }
                        for row in rows[:MAX_GROUPS]
                    ]
                ),
                decimals=dict.fromkeys(figures.values(), 2),
                column_config={
                    label: st.column_config.Column(pinned=True),
                    _("Shared"): st.column_config.Column(help=_("Items that two or more people rated.")),
                },
            )
        if len(rows) > MAX_GROUPS:
            tab.caption(
                _("The {n} with the largest differences, of {total}.").format(
                    n=number(MAX_GROUPS), total=number(len(rows))
                )
            )


def explanation(agreements: Mapping[str, Agreement]) -> None:
    """What the figures mean, and all of them as a file."""
    over = next(iter(agreements.values())).icc_over
    st.caption(
        _(
            "Based on items with two or more ratings; in brackets 95% bootstrap intervals over speakers. α: "
            "Krippendorff's alpha, interval scale. ICC: absolute agreement of one rater (2,1) and of the mean of all "
            "(2,k). κ: Cohen's kappa with quadratic weights, mean over pairs. One against the others: correlation with "
            "the median of the other raters (the human ceiling). From about 0.8, single ratings are reliable; from "
            "0.67, with caution; below that, only the mean of several ratings."
        )
        + " "
        + (
            _("The ICC covers the items that all raters rated.")
            if over == ALL_RATERS
            else _("The ICC is the mean over pairs of raters.")
        )
    )
    st.download_button(
        _("Download figures (JSON)"), lambda: json.dumps(as_json(agreements), indent=2), "agreement.json",
        "application/json", icon=":material/download:",
    )  # fmt: skip


def pair_raters(set_name: str) -> None:
    """Consistency in the pair projects of the set; nothing where there are none, or nobody has compared."""
    for project in pair_services.pair_projects_of(set_name):
        raters = pair_services.results_of(project).raters()
        if raters:
            st.header(_("Pairs: {project}").format(project=plain(project.title or project.name)), anchor=False)
            raters_table(raters, key=f"agreement-pairs-{project.name}")


def _matrix(names: Sequence[str], agreement: Agreement, key: str) -> list[list[float | None]]:
    values: dict[tuple[str, str], float | None] = {}
    for pair in agreement.pairs:
        value = getattr(pair, key).value
        values[pair.a, pair.b] = value
        values[pair.b, pair.a] = -value if key == "bias" and value is not None else value
    return [[values.get((row, column)) for column in names] for row in names]


def _estimate(estimate: Estimate, *, sign: bool = False) -> str:
    """The figure with its interval, or why there is none."""
    if estimate.value is None:
        return translated(estimate.reason)
    written = signed if sign else number
    value = written(estimate.value, 2)
    if estimate.interval is None:
        return value
    low, high = estimate.interval
    return f"{value} {interval(written(low, 2), written(high, 2))}"
