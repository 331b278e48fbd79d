"""The sections of the Agreement page."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from dashboard.charts import rater_charts
from pipeline.labels.ratings_table import RatingsTable, as_json
from pipeline.metrics.raters import Agreement, Estimate, by_group

LABELS = {
    "score": "Score", "accuracy": "Accuracy", "fluency": "Fluency", "prosodic": "Prosody", "total": "Total",
    "completeness": "Completeness",
}  # fmt: skip
PAIRWISE = {"Bias": ("bias", True), "Mean distance": ("mae", False), "Kappa": ("kappa", False)}


def overview(found: dict[str, Agreement]) -> None:
    """Every dimension on one table."""
    st.dataframe(
        [
            {
                "Dimension": LABELS.get(name, name),
                "Items": one.n,
                "Krippendorff's α": _words(one.alpha),
                "ICC(2,1)": _words(one.icc),
                "ICC(2,k)": _words(one.icc_k),
                "κ on bands": _words(one.kappa),
                "One against the others": _words(one.leave_one_out),
            }
            for name, one in found.items()
        ],
        hide_index=True,
    )
    over = next(iter(found.values())).icc_over
    st.caption(
        "Items with two or more ratings; in brackets 95 % bootstrap intervals over speakers. α: interval scale. ICC: "
        f"absolute agreement of one rater and of the mean of all, over {over}. κ: quadratic weights, mean over pairs. "
        "One against the others: correlation with the median of the rest, the ceiling that charts draw. From "
        "about .8 on, ratings can be relied on one by one; from .67 on, with care; below that, the mean of several can."
    )
    st.download_button(
        "All figures as JSON", lambda: _json(found), "agreement.json", "application/json", icon=":material/download:"
    )


def raters(ratings: RatingsTable, name: str, found: Agreement) -> None:
    known = [rater for rater in found.raters if rater.severity.value is not None and rater.severity.interval]
    left, right = st.columns(2)
    with left:
        st.subheader("Severity")
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
            st.caption("Not enough overlap to say who is strict.")
    with right:
        st.subheader("How each uses the scale")
        table = ratings.dimensions[name]
        columns = {rater: table[np.isfinite(table[:, k]), k] for k, rater in enumerate(ratings.raters)}
        st.plotly_chart(
            rater_charts.rating_distributions(
                {rater: values.tolist() for rater, values in columns.items()}, LABELS.get(name, name)
            ),
            key="agreement-distributions",
        )
    st.dataframe(
        [
            {
                "Rater": rater.name, "Ratings": rater.n, "Mean": f"{rater.mean:.2f}", "SD": f"{rater.sd:.2f}",
                "Severity": _words(rater.severity, sign=True), "Against the others": _words(rater.leave_one_out),
            }
            for rater in found.raters
        ],
        hide_index=True,
    )  # fmt: skip


def pairs(ratings: RatingsTable, name: str, found: Agreement) -> None:
    if not found.pairs:
        st.caption("No two raters share a recording yet.")
        return
    st.subheader("Pairs")
    left, right = st.columns(2)
    with left:
        what = st.segmented_control(
            "Figure", list(PAIRWISE), default="Bias", required=True, key="agreement-pairwise",
        )  # fmt: skip
        key, centred = PAIRWISE[what or "Bias"]
        st.plotly_chart(
            rater_charts.pairwise(ratings.raters, _matrix(ratings.raters, found, key), what or "Bias", centred=centred),
            key="agreement-heat",
        )
        if key == "bias":
            st.caption("The column's ratings less the row's: positive means that the column's rater is more lenient.")
    with right:
        names = [f"{pair.a} and {pair.b}" for pair in found.pairs]
        chosen = st.selectbox("A pair", names, key="agreement-pair")
        pair = found.pairs[names.index(chosen)]
        a, b = ratings.raters.index(pair.a), ratings.raters.index(pair.b)
        table = ratings.dimensions[name]
        both = np.isfinite(table[:, a]) & np.isfinite(table[:, b])
        texts = [text for text, keep in zip(ratings.texts, both, strict=True) if keep]
        if both.sum() >= 2:
            st.plotly_chart(
                rater_charts.pair_differences(table[both, a], table[both, b], (pair.a, pair.b), texts),
                key="agreement-ba",
            )
        st.caption(
            f"n {pair.n}, mean distance {_words(pair.mae)}, bias {_words(pair.bias, sign=True)}, κ {_words(pair.kappa)}"
        )


def groups(ratings: RatingsTable, name: str) -> None:
    """By word and by participant, the widest apart first."""
    st.subheader("Where they disagree")
    tabs = st.tabs(["By word or sentence", "By participant"])
    for tab, label, members in ((tabs[0], "Text", ratings.texts), (tabs[1], "Participant", ratings.speakers)):
        rows = by_group(ratings.dimensions[name], members)
        tab.dataframe(
            [
                {
                    label: row["group"], "Items": row["n"], "Shared": row["shared"], "Mean": row["mean"],
                    "Mean distance of two": row["distance"], "Mean range": row["range"], "α": row["alpha"],
                }
                for row in rows[:500]
            ],
            hide_index=True,
            column_config={
                key: st.column_config.NumberColumn(format="%.2f")
                for key in ("Mean", "Mean distance of two", "Mean range", "α")
            },
        )  # fmt: skip
        if len(rows) > 500:
            tab.caption(f"The widest 500 of {len(rows)}.")


def _matrix(names: Sequence[str], found: Agreement, key: str) -> list[list[float | None]]:
    values: dict[tuple[str, str], float | None] = {}
    for pair in found.pairs:
        value = getattr(pair, key).value
        values[pair.a, pair.b] = value
        values[pair.b, pair.a] = -value if key == "bias" and value is not None else value
    return [[values.get((row, column)) for column in names] for row in names]


def _words(estimate: Estimate, *, sign: bool = False) -> str:
    if estimate.value is None:
        return estimate.reason
    value = f"{estimate.value:+.2f}" if sign else f"{estimate.value:.2f}"
    if estimate.interval is None:
        return value
    low, high = estimate.interval
    return f"{value} [{low:+.2f}, {high:+.2f}]" if sign else f"{value} [{low:.2f}, {high:.2f}]"


def _json(found: dict[str, Agreement]) -> str:
    import json

    return json.dumps(as_json(found), indent=2)
