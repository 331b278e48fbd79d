"""The sections of the Results page."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.charts import score_charts
from dashboard.components.run_list import say_damaged
from dashboard.markup import plain
from dashboard.services import shared as services
from pipeline.evaluation import results_export as export
from pipeline.evaluation.results_table import ResultRow
from pipeline.evaluation.saved import Evaluation

ASPECTS = {"accuracy": "Accuracy", "fluency": "Fluency", "prosodic": "Prosody", "total": "Total"}


def table(found: Sequence[Evaluation]) -> None:
    """Ours first, then published systems from best to worst total, then people; and the files to take away."""
    say_damaged(services.damaged_runs())
    runs = services.finished_finetunings()
    ids: list[str] | None = None
    if runs:
        default = [run.directory.id for run in runs if run.config.get("model") != "tiny"]
        ids = st.multiselect(
            "Fine-tuning runs on the table", [run.directory.id for run in runs], default, key="results-runs",
            placeholder="None: those of the tiny random model are left out unless chosen",
        )  # fmt: skip
    rows = services.results(ids)
    st.dataframe(
        export.shown(rows),
        hide_index=True,
        height=35 * (len(rows) + 1) + 4,
        column_config={
            "Total - paper": st.column_config.TextColumn(help="PCC of the total less the paper's, arXiv 2509.02915"),
        },
    )
    gap = _gap(rows) if found or ids else "nothing was measured yet."
    st.caption(
        "PCC with the reference scores unless the column says otherwise. Published figures are over all 2,500 test "
        "utterances; ours are over the part that is named, with n. PER: “told” systems know the text and mostly repeat "
        f"it; compare those that do not. Gap to the paper: {gap}"
    )
    with st.container(horizontal=True):
        for name, (write, mime) in export.FORMATS.items():
            # Made when it is asked for: a picture takes a second.
            st.download_button(
                {"csv": "CSV", "markdown": "Markdown", "latex": "LaTeX", "png": "PNG"}[name],
                lambda write=write: write(rows),
                f"results.{export.SUFFIXES[name]}",
                mime,
                icon=":material/download:",
                key=f"results-{name}",
            )


def choose_evaluation(found: Sequence[Evaluation]) -> Evaluation:
    names = [evaluation.name for evaluation in found]
    chosen = st.selectbox("Look at an evaluation", names) if len(found) > 1 else names[0]
    return found[names.index(chosen or names[0])]


def figures(chosen: Evaluation) -> None:
    """Every level with its interval, beside people on the same recordings."""
    report = chosen.report
    st.subheader(plain(chosen.name))
    rows = [_level(ASPECTS.get(name, name.capitalize()), value, report) for name, value in report["utterance"].items()]
    rows += [_level(f"Word {name}", value, None) for name, value in report.get("word", {}).items()]
    if report.get("phone"):
        rows.append(_level("Phone", report["phone"], None))
    left, right = st.columns([3, 2])
    with left:
        st.dataframe(rows, hide_index=True)
        st.caption("95 % bootstrap intervals over speakers. People: one expert against the median of the others, here.")
    with right:
        mdd = report.get("mdd") or {}
        st.markdown("**Mispronunciations** (field definition)")
        st.markdown(
            f"F1 **{_number(mdd.get('f1'))}** · precision {_number(mdd.get('precision'))} · recall "
            f"{_number(mdd.get('recall'))}  \nfalse rejections {_percent(mdd.get('false_rejection_rate'))} · false "
            f"acceptances {_percent(mdd.get('false_acceptance_rate'))} · wrong diagnoses "
            f"{_percent(mdd.get('diagnosis_error_rate'))}"
        )
        st.caption("The experts seldom wrote which phone they heard, so that few diagnoses can be confirmed.")
        st.markdown("**Without being told the text**")
        match = report.get("phone_match") or {}
        st.markdown(
            f"phone error rate **{_percent(report.get('per'))}** · word error rate {_percent(report.get('wer'))}  \n"
            f"phone match F1 {_number(match.get('f1'))} (the paper's F1; not mispronunciation detection)"
        )
        st.caption(
            f"n {report['n']}, {report['failed']} could not be scored, real-time factor "
            f"{_number(report.get('real_time_factor'))}; against the {plain(report['reference'])} scores."
        )


def choose_aspect(rows: Sequence[dict[str, Any]]) -> str:
    known = [aspect for aspect in ASPECTS if aspect in rows[0]["predicted"] and aspect in rows[0]["reference"]]
    chosen = st.segmented_control(
        "Aspect", known, default=known[-1], required=True, format_func=ASPECTS.__getitem__, key="results-aspect"
    )
    return str(chosen)


def plots(rows: Sequence[dict[str, Any]], aspect: str) -> None:
    table = _frame(rows, aspect)
    left, right = st.columns(2)
    with left:
        st.subheader("Predicted against expert")
        st.plotly_chart(score_charts.predicted_against_expert(table), key="results-scatter")
    with right:
        st.subheader("Calibration")
        st.plotly_chart(score_charts.calibration(table), key="results-calibration")
        st.caption("Mean expert score of the recordings in each tenth of the predictions, with the standard error.")
    st.subheader("Residuals (predicted - expert)")
    tabs = st.tabs(["By speaker", "By age", "By rater"])
    with tabs[0]:
        st.plotly_chart(score_charts.residuals_by(table, "speaker", "Speaker"), key="results-speaker")
    with tabs[1]:
        st.plotly_chart(score_charts.residuals_by(_by_age(table), "age group", "Age"), key="results-age")
    with tabs[2]:
        st.plotly_chart(score_charts.residuals_by(_by_rater(rows, aspect), "rater", "Rater"), key="results-rater")
        st.caption("Against each expert alone: who stands above zero is stricter than the model.")


def per_and_accuracy(rows: Sequence[dict[str, Any]], chosen: Evaluation) -> None:
    """The paper's Figure 5: how the phone error rate of an utterance goes with its accuracy."""
    known = [row for row in rows if row.get("per") is not None and "accuracy" in row["predicted"]]
    if not known:
        return
    relation = chosen.report.get("per_accuracy") or {}
    st.subheader("Phone error rate and accuracy")
    st.plotly_chart(score_charts.error_rate_against_accuracy(known), key="results-per")
    st.caption(
        f"PCC of an utterance's text-free PER with the experts' accuracy {_number(relation.get('reference'))} (paper: "
        f"-.446), with the predicted accuracy {_number(relation.get('predicted'))} (paper: -.354)."
    )


def _frame(rows: Sequence[dict[str, Any]], aspect: str) -> Any:
    import pandas as pd

    return pd.DataFrame(
        {
            "expert": [10.0 * row["reference"][aspect] for row in rows],
            "predicted": [10.0 * row["predicted"][aspect] for row in rows],
            "speaker": [row["speaker"] for row in rows],
            "text": [row["text"] for row in rows],
            "age": [row.get("age") for row in rows],
            "scorer": "speech",
            "scoring_method": "ml_model",
        }
    )


def _by_age(table: Any) -> Any:
    import pandas as pd

    groups = pd.cut(table["age"], [0, 8, 12, 16, 25, 40, 120], labels=["-8", "9-12", "13-16", "17-25", "26-40", "41-"])
    return table.assign(**{"age group": groups.astype(str)})


def _by_rater(rows: Sequence[dict[str, Any]], aspect: str) -> Any:
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "expert": 10.0 * value, "predicted": 10.0 * row["predicted"][aspect], "rater": f"expert {number + 1}",
                "scorer": "speech", "scoring_method": "ml_model", "speaker": row["speaker"], "text": row["text"],
            }
            for row in rows
            for number, value in enumerate((row.get("experts") or {}).get(aspect, []))
        ]
    )  # fmt: skip


def _gap(rows: Sequence[ResultRow]) -> str:
    """Of the first of ours."""
    gaps = ", ".join(f"{ASPECTS[name].lower()} {value:+.3f}" for name, value in rows[0].gaps.items())
    return f"{rows[0].system}: {gaps}." if gaps else "none could be measured."


def _level(name: str, value: dict[str, Any], report: dict[str, Any] | None) -> dict[str, Any]:
    spread = value.get("interval")
    people = {} if report is None else report.get("human") or {}
    return {
        "Level": name,
        "PCC": _number(value.get("pcc")),
        "95 %": "" if not spread else f"{spread[0]:.3f} to {spread[1]:.3f}",
        "People": _number(people.get({"Prosody": "prosodic"}.get(name, name.lower()))),
        "MSE": _number(value.get("mse")),
        "n": value.get("n"),
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
