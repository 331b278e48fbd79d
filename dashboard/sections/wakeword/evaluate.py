"""Step 4: misses and false alarms an hour on a long stream, robustness, and trying it out."""

from typing import Any

import streamlit as st

from dashboard.charts import detection_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.recorder import recorder
from dashboard.components.run_list import stored
from dashboard.markup import plain
from dashboard.sections.wakeword.live import live_microphone
from dashboard.services import wakeword as wakewords
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.runs.comparison import section_of
from pipeline.wakeword.finished_run import EVALUATION, ROBUSTNESS
from pipeline.wakeword.runtime.detector import PRESETS

OWN = "as trained"


def draw(run: RunDirectory) -> None:
    if run.state.status != "finished":
        st.info("This detector is not trained to the end yet; see 3 Training.", icon=":material/arrow_back:")
        return
    measured, robust, tried = st.tabs(["Hours of sound", "Robustness", "Try it"])
    with measured, errors_in_words():
        _start(run)
        _work("evaluate", run)
        with stored(f"The evaluation of {run.id}"):
            report = wakewords.trained(run).report(EVALUATION)
            if report:
                _evaluation(report)
    with robust, errors_in_words():
        _robustness(run)
    with tried, errors_in_words():
        _try(run)


def _material(run: RunDirectory) -> list[str] | None:
    """The options that name what to evaluate on; None where something is missing, which is said."""
    known = wakewords.words()
    learnt = section_of(run.config, "data")
    folders = [str(folder) for folder in learnt.get("positive") or ()]
    trained_on = next((w for w in known if folders and f"/{w}/" in folders[0]), None)
    left, right = st.columns(2)
    word = (
        left.selectbox("Words of", known, index=known.index(trained_on) if trained_on else 0, key="evaluate-word")
        if known
        else None
    )
    words = wakewords.collection(word) if word else None
    sets = wakewords.speech_folders()
    negative = {str(folder) for folder in learnt.get("negative") or ()}
    others = right.multiselect(
        "Other speech, besides the word's own folder", [name for name in sets if str(sets[name]) not in negative],
        key="evaluate-sets", help="Sets that the detector learnt from are not offered.",
    )  # fmt: skip
    if words is None or not words.files("evaluation/positive"):
        st.info("Set clips of the word aside for evaluation under 1 Data first.", icon=":material/arrow_back:")
        return None
    background = [str(words.folder("evaluation/background"))] if words.files("evaluation/background") else []
    background += [str(sets[name]) for name in others]
    if not background:
        st.info(
            "Choose a set of other speech above, or add speech to evaluate on under 1 Data.",
            icon=":material/arrow_back:",
        )
        return None
    options = ["--positive", str(words.folder("evaluation/positive"))]
    for folder in background:
        options += ["--background", folder]
    if words.files("evaluation/noise"):
        options += ["--noise", str(words.folder("evaluation/noise"))]
    if words.files("evaluation/near"):
        options += ["--near", str(words.folder("evaluation/near"))]
    return options


def _start(run: RunDirectory) -> None:
    with st.expander("Measure", icon=":material/timer:", expanded=wakewords.trained(run).report(EVALUATION) is None):
        options = _material(run)
        columns = st.columns(4, vertical_alignment="bottom")
        hours = columns[0].number_input("Hours", 0.1, 100.0, 2.0, 0.5, key="evaluate-hours")
        snr_db = columns[1].number_input("Speech to noise (dB)", -10.0, 60.0, 10.0, 5.0, key="evaluate-snr")
        preset = columns[2].selectbox("Detector", [OWN, *PRESETS], key="evaluate-preset")
        keep = st.checkbox("Make the threshold that this finds the detector's", key="evaluate-keep")
        averaged = st.checkbox("With test-time augmentation too (six times as long)", key="evaluate-tta")
        if (
            columns[3].button("Start", type="primary", icon=":material/play_arrow:", disabled=options is None)
            and options
        ):
            options += ["--hours", str(hours), "--snr", str(snr_db)]
            options += ["--preset", preset] if preset != OWN else []
            options += ["--keep-threshold"] if keep else []
            options += ["--tta"] if averaged else []
            wakewords.start_work("evaluate", run, *options)
            st.rerun()


def _work(kind: str, run: RunDirectory) -> None:
    """The newest work of a kind, while it runs or where it failed."""
    job = wakewords.last_work(kind, run)
    if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
        job_panel(job.directory)


def _evaluation(report: dict[str, Any]) -> None:
    stream, clips = report["stream"], report["clips"]
    columns = st.columns(4)
    for column, (target, point) in zip(columns, stream["at_fah"].items(), strict=False):
        low, high = point["miss_interval"]
        column.metric(f"Missed, ≤ {target} an hour", f"{point['miss_rate']:.1%}")
        column.caption(f"95 %: {low:.1%} to {high:.1%}")
    columns[3].metric("Real-time factor", f"{report['real_time_factor']:.4f}")
    latency = stream["latency_s"]
    st.caption(
        "Words missed at no more false alarms an hour than that. "
        f"{stream['n_keywords']} words in {stream['hours']:.2f} h, of which {stream['speech_hours']:.2f} h speech; "
        f"noise at {report['snr_db']:g} dB by the loudest frame. None in T hours bounds the rate only by 3 / T an hour."
        + (f" Found {latency[0]:.2f} s after the word's end (median; 95 %: {latency[1]:.2f} s)." if latency else "")
    )
    own = report.get("as_set")  # reports of the first version lack it
    if own is not None:
        st.markdown(
            f"As it is set (threshold {own['threshold']:.2f}): **{own['miss_rate']:.1%}** missed, "
            f"**{own['fah']:.2f}** false alarms an hour."
        )
    st.plotly_chart(detection_charts.misses_by_alarms(stream["curve"], stream["at_fah"]), key="evaluation-curve")
    left, right = st.columns(2)
    left.plotly_chart(detection_charts.receiver(clips["roc"], clips["roc_auc"]), key="evaluation-roc")
    right.plotly_chart(detection_charts.detection_error(clips["roc"]), key="evaluation-det")
    left.plotly_chart(detection_charts.confusion(clips["counts"]), key="evaluation-confusion")
    right.plotly_chart(
        detection_charts.reliability_bars(clips["reliability_before"], clips["reliability_after"]),
        key="evaluation-sure",
    )
    names = {
        "accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1", "fpr": "False positive rate",
        "fnr": "False negative rate", "roc_auc": "ROC-AUC", "eer": "Equal error rate",
        "partial_auc_10": "Partial AUC to .1", "partial_auc_05": "Partial AUC to .05",
        "ece_before": "Calibration error, before", "ece_after": "Calibration error, after temperature",
    }  # fmt: skip
    left.dataframe(
        [
            {"Single clips": label, "": "" if clips[key] is None else f"{clips[key]:.4f}"}
            for key, label in names.items()
        ],
        hide_index=True,
    )
    right.dataframe(
        [{"Near the word": n["phrase"], "Taken for it": f"{n['accepted']} of {n['n']}", "Share": f"{n['share']:.1%}",
          "95 %": f"{n['interval'][0]:.1%} to {n['interval'][1]:.1%}"} for n in report["near"]],
        hide_index=True,
    )  # fmt: skip
    if stream["alarms"]:
        right.dataframe(
            [{"False alarm in": name, "at": f"{t / 60:.1f} min"} for name, t in stream["alarms"]], hide_index=True
        )
    if report.get("stream_tta"):
        better = report["stream_tta"]["at_fah"]
        st.caption(
            "With test-time augmentation: "
            + ", ".join(f"{p['miss_rate']:.1%} at ≤ {target} an hour" for target, p in better.items())
        )


def _robustness(run: RunDirectory) -> None:
    st.caption(
        "The same words and other clips under noise, reverberation, distance, gain and codecs; at the threshold kept."
    )
    options = _robust_material(run)
    if st.button("Try all conditions", icon=":material/science:", disabled=options is None) and options:
        wakewords.start_work("robustness", run, *options)
        st.rerun()
    _work("robustness", run)
    with stored(f"The robustness of {run.id}"):
        _conditions(wakewords.trained(run).report(ROBUSTNESS))


def _conditions(rows: list[dict[str, Any]] | None) -> None:
    if not rows:
        return
    st.plotly_chart(detection_charts.robustness_bars(rows), key="robustness")
    st.dataframe(
        [{"Kind": r["kind"], "Condition": r["condition"], "Words found": f"{r['recall']:.1%} of {r['n_words']}",
          "Other clips taken for it": f"{r['false_share']:.1%} of {r['n_other']}"} for r in rows],
        hide_index=True,
    )  # fmt: skip


def _robust_material(run: RunDirectory) -> list[str] | None:
    done = wakewords.last_work("evaluate", run)
    if done is None:
        st.info("Measure it on hours of sound first: the same clips are used here.", icon=":material/arrow_back:")
        return None
    given = [str(option) for option in done.config.get("options") or ()]
    found: list[str] = []
    for name, value in zip(given[::2], given[1::2], strict=False):
        if name in ("--positive", "--background", "--noise"):
            found += [name, value]
    return found


def _try(run: RunDirectory) -> None:
    left, right = st.columns(2)
    preset = left.selectbox("Detector", [OWN, *PRESETS], key="try-preset")
    threshold = right.number_input(
        "Threshold (logit)",
        -50.0,
        50.0,
        None,
        0.5,
        placeholder=f"{wakewords.trained(run).info.threshold:.2f}",
        key="try-threshold",
    )
    chosen = None if preset == OWN else preset
    way = st.segmented_control(
        "Listen to", ["Recording or file", "Live microphone"], default="Recording or file", required=True, key="try-way"
    )
    if way == "Live microphone":
        live_microphone(run, chosen, threshold)
        return
    audio = recorder(f"wakeword-{run.id}")
    if audio is None:
        st.caption("Say the word among other words, or upload a recording.")
        return
    with st.spinner("Listening …"):
        found = wakewords.detect(run, audio, chosen, threshold)
    times = [d.at_s for d in found.detections]
    if times:
        st.success(f"Detected at {', '.join(f'{t:.1f} s' for t in times)}.", icon=":material/hearing:")
    else:
        best = max((w.vote for w in found.windows), default=float("-inf"))
        st.info(plain(f"Not detected. The highest score was {best:.1f}, the threshold is {found.threshold:.1f}."))
    st.plotly_chart(
        detection_charts.score_trace(
            [w.end_s for w in found.windows], [w.score for w in found.windows], times, found.threshold
        ),
        key="try-trace",
    )
