"""The figures of one evaluation."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.charts import score_charts
from dashboard.components.data_behind import HELD_OUT_SPEAKERS, DataBehind
from dashboard.components.tables import fitted
from dashboard.markup import plain
from dashboard.services import results
from dashboard.services.results import Utterances
from pipeline.evaluation.saved import SavedEvaluation
from pipeline.i18n import N_, _, interval, ngettext, number, percent
from pipeline.metrics.pronunciation import LONG_STRESS
from pipeline.metrics.published import N_TEST, PAPER_PER_ACCURACY
from pipeline.model_names import unlike

ASPECTS = {
    "accuracy": N_("Accuracy"),
    "fluency": N_("Fluency"),
    "prosodic": N_("Prosody"),
    "completeness": N_("Completeness"),
    "total": N_("Total"),
}
PLOTTED = ("total", "accuracy", "fluency", "prosodic")
WORD_ASPECTS = {
    "accuracy": N_("Word accuracy"), "stress": N_("Word stress"), "total": N_("Word total"),
    LONG_STRESS: N_("Word stress, two syllables or more"),
}  # fmt: skip


def choose_evaluation(evaluations: Sequence[SavedEvaluation]) -> SavedEvaluation:
    """By its place in the list: two evaluations may share a name. Drawn as a heading where there is only one."""
    names = unlike(evaluation.name_with(evaluation.model_label) for evaluation in evaluations)
    index = 0
    if len(evaluations) > 1:
        index = st.selectbox(
            _("Evaluation"), range(len(names)), format_func=names.__getitem__, key="results-evaluation"
        )
    st.header(plain(names[index]), help=plain(evaluations[index].name), anchor=False)
    st.caption(_data(evaluations[index]).text())
    return evaluations[index]


def _data(evaluation: SavedEvaluation) -> DataBehind:
    report = evaluation.report
    utterances = evaluation.rows()
    n_speakers = len({row["speaker"] for row in utterances}) if utterances else None
    n, heard = int(report["n"]), int(report.get("n_not_held_out") or 0)
    held_out = HELD_OUT_SPEAKERS
    if heard:
        held_out = ngettext(
            "recordings of which {heard} is by a speaker that the model was trained on",
            "recordings of which {heard} are by speakers that the model was trained on", heard,
        ).format(heard=number(heard))  # fmt: skip
    return DataBehind(
        evaluation.source, str(report.get("part") or ""), n, n_speakers, str(report["reference"]), held_out
    )


def plots(utterances: Utterances) -> None:
    known = [a for a in PLOTTED if a in utterances[0]["predicted"] and a in utterances[0]["reference"]]
    if not known:
        return
    aspect = st.segmented_control(
        _("Aspect"), known, default=known[0], required=True, format_func=lambda aspect: _(ASPECTS[aspect]),
        key="results-aspect", label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    aspect = str(aspect or known[0])
    rows = results.aspect_table(utterances, aspect)
    left, right = st.columns(2)
    with left:
        st.markdown("**" + _("Predicted against expert") + "**")
        st.plotly_chart(score_charts.predicted_against_expert(rows), key="results-scatter")
    with right:
        st.markdown("**" + _("Calibration") + "**")
        st.plotly_chart(score_charts.calibration(rows), key="results-calibration")
        st.caption(_("Mean expert score in each tenth of the predictions, with its standard error."))
    st.markdown("**" + _("Residuals") + "**")
    by_speaker, by_age, by_rater = st.tabs([_("By speaker"), _("By age"), _("By rater")])
    with by_speaker:
        st.plotly_chart(score_charts.residuals_by(rows, "speaker", _("Speaker")), key="results-speaker")
    with by_age:
        st.plotly_chart(score_charts.residuals_by(rows, "age_group", _("Age (years)")), key="results-age")
    with by_rater:
        raters = results.rater_table(utterances, aspect)
        if raters.empty:
            st.caption(_("This evaluation has no scores of single raters."))
        else:
            st.plotly_chart(score_charts.residuals_by(raters, "rater", _("Expert")), key="results-rater")
            st.caption(_("Against each expert alone: above zero the expert is stricter than the model."))


def levels(chosen: SavedEvaluation) -> None:
    """Correlation on every level with its interval, next to people on the same recordings; detection beside it."""
    report = chosen.report
    human = report.get("human") or {}
    rows = [_level(_(ASPECTS.get(name, name)), value, human.get(name)) for name, value in report["utterance"].items()]
    rows += [_level(_(WORD_ASPECTS.get(name, name)), value) for name, value in report.get("word", {}).items()]
    if report.get("phone"):
        rows.append(_level(_("Phone"), report["phone"]))
    left, right = st.columns([2, 1])
    with left:
        fitted(rows, right=["PCC", "MSE", "n", _("Human ceiling")])
        st.caption(
            _(
                "95 % bootstrap intervals over speakers. Human ceiling: one expert against the median of the others, "
                "on the recordings of this evaluation. “One expert” in the table at the top is the same over all {n} "
                "test utterances of speechocean762, so its figures differ."
            ).format(n=number(N_TEST))
        )
    with right:
        _detection(report)


def _detection(report: dict[str, Any]) -> None:
    mdd = report.get("mdd") or {}
    match = report.get("phone_match") or {}
    st.markdown("**" + _("Mispronunciation detection") + "**")
    st.markdown(
        _(
            "F1 **{f1}** · precision {precision} · recall {recall}  \n"
            "false rejections {rejections} · false acceptances {acceptances} · wrong diagnoses {diagnoses}"
        ).format(
            f1=_figure(mdd.get("f1")),
            precision=_figure(mdd.get("precision")),
            recall=_figure(mdd.get("recall")),
            rejections=_rate(mdd.get("false_rejection_rate")),
            acceptances=_rate(mdd.get("false_acceptance_rate")),
            diagnoses=_rate(mdd.get("diagnosis_error_rate")),
        )
    )
    st.caption(_("The experts seldom wrote down which phone they heard, so few diagnoses can be confirmed."))
    st.markdown("**" + _("Recognition without the text") + "**")
    st.markdown(
        _(
            "phone error rate **{per}** · word error rate {wer}  \n"
            "phone match F1 {f1} (the F1 of the paper; not mispronunciation detection)"
        ).format(per=_rate(report.get("per")), wer=_rate(report.get("wer")), f1=_figure(match.get("f1")))
    )
    st.caption(
        ngettext(
            "{n} recording could not be scored; real-time factor {factor}.",
            "{n} recordings could not be scored; real-time factor {factor}.",
            report["failed"],
        ).format(n=number(report["failed"]), factor=_figure(report.get("real_time_factor")))
    )


def error_rate(utterances: Utterances, chosen: SavedEvaluation) -> None:
    """The paper's Figure 5: how the phone error rate of an utterance goes with its accuracy."""
    known = [row for row in utterances if row.get("per") is not None and "accuracy" in row["predicted"]]
    if not known:
        return
    relation = chosen.report.get("per_accuracy") or {}
    st.header(_("Phone error rate and accuracy"), anchor=False)
    st.plotly_chart(score_charts.error_rate_against_accuracy(known), key="results-per")
    st.caption(
        _(
            "PCC of an utterance's phone error rate (without the text) with the experts' accuracy {experts} (paper: "
            "{paper_experts}), with the predicted accuracy {predicted} (paper: {paper_predicted})."
        ).format(
            experts=_figure(relation.get("reference")),
            paper_experts=number(PAPER_PER_ACCURACY["reference"], 3),
            predicted=_figure(relation.get("predicted")),
            paper_predicted=number(PAPER_PER_ACCURACY["predicted"], 3),
        )
    )


def _level(name: str, value: dict[str, Any], human: float | None = None) -> dict[str, Any]:
    bounds = value.get("interval")
    return {
        _("Level"): name,
        "PCC": _figure(value.get("pcc")),
        _("95% interval"): "" if not bounds else interval(number(bounds[0], 3), number(bounds[1], 3)),
        _("Human ceiling"): _figure(human),
        "MSE": _figure(value.get("mse")),
        "n": "" if value.get("n") is None else number(value["n"]),
    }


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value, 3)


def _rate(value: float | None) -> str:
    return "–" if value is None else percent(value, 1)
