"""Step 4: misses and false alarms per hour on a long stream, and robustness."""

import re
from collections.abc import Mapping, Sequence
from math import isclose
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.charts import detection_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.report_files import download_json, download_table
from dashboard.components.run_list import stored
from dashboard.components.tables import data_table, fitted
from dashboard.markup import plain
from dashboard.sections.wakeword import folder, trial
from dashboard.sections.wakeword.preset_field import preset_field
from dashboard.sections.wakeword.steps import EXPORT, offer_step
from dashboard.services import wakeword_clips, wakeword_detectors, wakeword_training
from pipeline.i18n import N_, _, duration, ngettext, number, percent, significant, translated
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.runs.comparison import section_of
from pipeline.wakeword.file_names import EVALUATION, ROBUSTNESS

CLIP_FIGURES = {
    "accuracy": N_("Accuracy"), "precision": N_("Precision"), "recall": N_("Recall"), "f1": N_("F1"),
    "fpr": N_("False positive rate"), "fnr": N_("False negative rate"), "roc_auc": N_("ROC AUC"),
    "eer": N_("Equal error rate"), "partial_auc_10": N_("Partial AUC to 0.1"),
    "partial_auc_05": N_("Partial AUC to 0.05"), "ece_before": N_("Calibration error"),
    "ece_after": N_("Calibration error, rescaled"),
}  # fmt: skip
FOLDERS = ("positive", "background", "noise")  # of an evaluation
ALIKE = 0.005  # logits: thresholds that are written alike
KINDS = {
    "none": N_("none"), "noise": N_("noise"), "reverberation": N_("reverberation"), "distance": N_("distance"),
    "gain": N_("level"), "codec": N_("codec"),
}  # fmt: skip


def draw(run: RunDirectory) -> None:
    if run.state.status != "finished":
        st.info(_("The training of this detector is not finished: see 3 Training."), icon=":material/arrow_back:")
        return
    word = _word(run)
    stream, clips, robustness, trials = st.tabs([_("Hours of sound"), _("A folder"), _("Robustness"), _("Try it")])
    with stream, errors_in_words():
        _work("evaluate", run)
        report = None
        with stored(_("The evaluation of {run}").format(run=run.id)):
            report = wakeword_detectors.finished_run(run).report_of(EVALUATION, word)
            if report:
                if report.get("judged"):  # reports of the first version lack it
                    _with_judge(report)
                _headline(report)
                offer_step(EXPORT)
        with st.expander(_("New evaluation"), icon=":material/timer:", expanded=not report):
            _start(run, word)
        if report:
            with stored(_("The evaluation of {run}").format(run=run.id)):
                _evaluation(report, wakeword_detectors.finished_run(run).info.of_word(word).threshold)
                download_json(report, f"evaluation-{run.id}")
    with clips, errors_in_words():
        folder.draw(run, word)
        _work("detect", run)
        folder.results(run, word)
    with robustness, errors_in_words():
        _robustness(run, word)
    with trials, errors_in_words():
        trial.draw(run, word)


def _word(run: RunDirectory) -> str:
    """Which word of a detector of several; "" for one."""
    names = wakeword_detectors.finished_run(run).info.names
    if not names:
        return ""
    return st.segmented_control(
        _("Word"), names, default=names[0], required=True, key=f"evaluated-word-{run.id}", wrap=True
    )


def _material(run: RunDirectory, chosen_word: str) -> list[str] | None:
    """The options that name what to evaluate on; None where something is missing, which is then shown."""
    known = wakeword_clips.words()
    trained_on = section_of(run.config, "data")
    own = [word for word in wakeword_training.words_of(run.config) if not chosen_word or word == chosen_word]
    left, right = st.columns(2)
    word = (
        left.selectbox(
            _("Word"),
            known,
            index=known.index(own[0]) if own else None,
            placeholder=_("Choose a word"),
            key=f"evaluate-word-{run.id}",
        )
        if known
        else None
    )
    clips = wakeword_clips.library(word) if word else None
    sets = wakeword_clips.speech_folders()
    negative = {str(folder) for folder in trained_on.get("negative") or ()}
    others = right.multiselect(
        _("More other speech"), [name for name in sets if str(sets[name]) not in negative],
        placeholder=_("Choose recording sets"), key="evaluate-sets",
        help=_("Sets that the detector was trained on are not offered."),
    )  # fmt: skip
    if known and word is None:
        st.info(_("Choose the word to measure the detector on."), icon=":material/arrow_upward:")
        return None
    if clips is None or not clips.files("evaluation/positive"):
        text = (
            _("Set clips of the word aside under 1 Data first.")
            if clips is None or clips.files("positive")
            else _(
                "Record or add clips of the word under 1 Data first, and set some aside: what a detector misses is "
                "known only from recordings of people."
            )
        )
        st.info(text, icon=":material/arrow_back:")
        return None
    background = [str(clips.folder("evaluation/background"))] if clips.files("evaluation/background") else []
    background += [str(sets[name]) for name in others]
    if not background:
        st.info(
            _("Choose a set of other speech above, or add other speech for evaluation under 1 Data."),
            icon=":material/arrow_back:",
        )
        return None
    positive = str(clips.folder("evaluation/positive"))
    options = ["--positive", f"{chosen_word}={positive}" if chosen_word else positive]
    for path in background:
        options += ["--background", path]
    for name in ("noise", "near"):
        if clips.files(f"evaluation/{name}"):
            options += [f"--{name}", str(clips.folder(f"evaluation/{name}"))]
    return options


def _start(run: RunDirectory, word: str) -> None:
    options = _material(run, word)
    columns = st.columns(4, vertical_alignment="bottom")
    hours = columns[0].number_input(_("Hours"), 0.1, 100.0, 2.0, 0.5, key="evaluate-hours")
    snr_db = columns[1].number_input(_("Speech to noise (dB)"), -10.0, 60.0, 10.0, 5.0, key="evaluate-snr")
    preset = preset_field(columns[2], key="evaluate-preset")
    target = columns[3].number_input(
        _("False alarms per hour"), 0.0, 100.0, None, 0.1, key="evaluate-target",
        placeholder=detection_charts.rate_text(wakeword_detectors.target_rate(run, preset)),
        help=_(
            "The rate that figures of single clips are at, and that a threshold is chosen for, besides the misses at "
            "0.1, 0.5 and 1 per hour."
        ),
    )  # fmt: skip
    keep = st.checkbox(_("Use the threshold of this evaluation from now on"), key="evaluate-keep")
    averaged = st.checkbox(_("With test-time augmentation too (takes six times as long)"), key="evaluate-tta")
    clicked = st.button(
        _("Start"), type="primary", icon=":material/play_arrow:", disabled=options is None, key="evaluate-start"
    )
    if not clicked or options is None:
        return
    if keep:
        wakeword_detectors.check_kept(run, word, preset, target)
    options += ["--hours", str(hours), "--snr", str(snr_db)]
    options += ["--preset", preset] if preset is not None else []
    options += ["--target-fah", str(target)] if target is not None else []
    options += ["--keep-threshold"] if keep else []
    options += ["--tta"] if averaged else []
    wakeword_detectors.start_work("evaluate", run, *options)
    st.rerun()


def _work(kind: str, run: RunDirectory) -> None:
    """The newest work of a kind, while it runs or where it failed."""
    job = wakeword_detectors.last_work(kind, run)
    if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
        job_panel(job.directory)


def _headline(report: dict[str, Any]) -> None:
    stream = report["stream"]
    columns = st.columns(4)
    _missed(columns, stream)
    speed, spent = _("Real-time factor"), number(report["real_time_factor"], 4)
    if len(stream["at_fah"]) < len(columns):
        columns[-1].metric(speed, spent, help=_("Time taken per second of sound."))
    else:  # another target has its place
        st.caption(f"{speed}: {spent}")
    st.plotly_chart(detection_charts.misses_by_alarms(stream["curve"], stream["at_fah"]), key="evaluation-curve")


def _missed(columns: Sequence[DeltaGenerator], stream: Mapping[str, Any]) -> None:
    """The misses of a stream at each rate of false alarms, one in a column."""
    for column, (target, point) in zip(columns, stream["at_fah"].items(), strict=False):
        column.metric(
            _("Missed at ≤ {target} per hour").format(target=detection_charts.rate_text(target)),
            percent(point["miss_rate"], 1),
            help=_("Share of words missed at no more than this many false alarms per hour."),
        )
        column.caption(_("95%: {interval}").format(interval=_interval(point["miss_interval"])))


def _with_judge(report: Mapping[str, Any]) -> None:
    """First, as this is what `detect` and the bundle do: the judge of phones confirms what the detector takes for the
    word."""
    stream = report["judged"]["stream"]
    st.markdown(_("**With the judge of phones** of “{word}”").format(word=plain(report["task"]["phones"])))
    _missed(st.columns(4), stream)
    own = stream["as_set"]
    st.caption(
        _(
            "At the judge's own limit: {missed} missed, {alarms} false alarms per hour. It was asked {n} times per "
            "hour. What follows is of the detector alone."
        ).format(
            missed=percent(own["miss_rate"], 1), alarms=number(own["fah"], 2), n=number(stream["questions_per_hour"])
        )
    )


def _interval(interval: list[float]) -> str:
    low, high = interval
    return _("{low} to {high}").format(low=percent(low, 1), high=percent(high, 1))


def _evaluation(report: dict[str, Any], threshold: float) -> None:
    """`threshold` is the detector's now, which may have been set again since it was measured."""
    stream, clips = report["stream"], report["clips"]
    _notes(report, stream, threshold)
    left, right = st.columns(2)
    left.plotly_chart(detection_charts.receiver(clips["roc"], clips["roc_auc"]), key="evaluation-roc")
    right.plotly_chart(detection_charts.detection_error(clips["roc"]), key="evaluation-det")
    left.plotly_chart(detection_charts.confusion(clips["counts"]), key="evaluation-confusion")
    right.plotly_chart(
        detection_charts.reliability_bars(clips["reliability_before"], clips["reliability_after"]),
        key="evaluation-sure",
    )
    fitted(
        [
            {_("Single clips"): _(label), _("Value"): "" if clips[key] is None else number(clips[key], 4)}
            for key, label in CLIP_FIGURES.items()
        ],
        right=(_("Value"),),
    )
    judged = {near["phrase"]: near for near in (report.get("judged") or {}).get("near", ())}
    near_rows = [
        {
            _("Similar phrase"): _(phrase), _("Accepted"): _accepted(near), _("Share"): percent(near["share"], 1),
            _("95% interval"): _interval(near["interval"]),
            **({_("With the judge"): _accepted(judged[phrase])} if judged else {}),
        }
        for phrase, near in ((near["phrase"], near) for near in report["near"])
    ]  # fmt: skip
    if near_rows:
        fitted(near_rows)
    if stream["alarms"]:
        fitted(
            [
                {_("False alarm in"): name, _("At"): _("{n} min").format(n=number(seconds / 60, 1))}
                for name, seconds in stream["alarms"]
            ]
        )


def _accepted(near: Mapping[str, Any]) -> str:
    return _("{k} of {n}").format(k=number(near["accepted"]), n=number(near["n"]))


def _notes(report: dict[str, Any], stream: dict[str, Any], threshold: float) -> None:
    as_set = report.get("as_set")  # reports of the first version lack it
    if as_set is not None:
        text = (
            _("At the detector's threshold ({threshold}): **{missed}** missed, **{alarms}** false alarms per hour.")
            if isclose(as_set["threshold"], threshold, abs_tol=ALIKE)
            else _(
                "At the threshold that the detector had then ({threshold}): **{missed}** missed, **{alarms}** false "
                "alarms per hour. It was set again since: the threshold is {now} now."
            )
        )
        st.markdown(
            text.format(
                threshold=number(as_set["threshold"], 2), missed=percent(as_set["miss_rate"], 1),
                alarms=number(as_set["fah"], 2), now=number(threshold, 2),
            )
        )  # fmt: skip
    notes = [
        ngettext(
            "{n} word in {duration} of sound, {speech} of it speech, with noise at {snr} dB by the loudest "
            "frame.",
            "{n} words in {duration} of sound, {speech} of it speech, with noise at {snr} dB by the loudest "
            "frame.",
            stream["n_keywords"],
        ).format(
            n=number(stream["n_keywords"]), duration=translated(duration(stream["hours"])),
            speech=translated(duration(stream["speech_hours"])), snr=number(report["snr_db"]),
        ),
        _("No false alarm in T hours only bounds the rate by 3 / T per hour."),
    ]  # fmt: skip
    if stream["latency_s"]:
        notes.append(
            _("Detected {median} s after the end of the word (median; 95%: {p95} s).").format(
                median=number(stream["latency_s"][0], 2), p95=number(stream["latency_s"][1], 2)
            )
        )
    if report.get("stream_tta"):
        points: Mapping[str, Mapping[str, float]] = report["stream_tta"]["at_fah"]
        shares = ", ".join(
            _("{missed} at ≤ {target} per hour").format(
                missed=percent(point["miss_rate"], 1), target=detection_charts.rate_text(target)
            )
            for target, point in points.items()
        )
        notes.append(_("With test-time augmentation, missed: {shares}.").format(shares=shares))
    st.caption(" ".join(notes))


def _robustness(run: RunDirectory, word: str) -> None:
    options = _robust_material(run, word)
    if options is None:
        st.info(_("Evaluate on hours of sound first: the same clips are used here."), icon=":material/arrow_back:")
    rooms = _rooms(options or [])
    if rooms and not st.checkbox(
        _("With the measured rooms of the word"), True, key="robustness-rooms",
        help=_("Each room impulse response under 1 Data is a condition of its own."),
    ):  # fmt: skip
        rooms = []
    st.caption(_("The same clips with noise, reverberation, distance, levels and codecs, at one threshold."))
    if (
        st.button(_("Test all conditions"), icon=":material/science:", disabled=options is None)
        and options
    ):  # fmt: skip
        wakeword_detectors.start_work("robustness", run, *options, *rooms, *(["--word", word] if word else []))
        st.rerun()
    _work("robustness", run)
    with stored(_("The robustness of {run}").format(run=run.id)):
        rows = wakeword_detectors.finished_run(run).report_of(ROBUSTNESS, word)
        _conditions(rows)
        if rows:
            with st.container(horizontal=True):
                download_table(list(rows[0]), [list(row.values()) for row in rows], f"robustness-{run.id}")
                download_json(rows, f"robustness-{run.id}")


def _rooms(options: list[str]) -> list[str]:
    """The options for measured rooms of the word that was evaluated on; none where there are none."""
    for word in wakeword_clips.words():
        clips = wakeword_clips.library(word)
        if str(clips.folder("evaluation/positive")) in options and clips.files("rir"):
            return ["--rir", str(clips.folder("rir"))]
    return []


def _conditions(rows: list[dict[str, Any]] | None) -> None:
    if not rows:
        return
    rows = [{**row, "condition": condition_text(row["condition"])} for row in rows]
    st.plotly_chart(detection_charts.robustness_bars(rows), key="robustness")
    data_table(
        [
            {
                _("Condition"): row["condition"], _("Kind"): _(KINDS.get(row["kind"], row["kind"])),
                _("Words detected"): _share(row["recall"], row["n_words"]),
                _("Other clips accepted"): _share(row["false_share"], row["n_other"]),
            }
            for row in rows
        ],
        column_config={_("Condition"): st.column_config.TextColumn(pinned=True)},
    )  # fmt: skip


def condition_text(text: str) -> str:
    """A condition of a report in the reader's language."""
    parts = ", ".join(_(part) for part in text.split(", "))
    return re.sub(r"\d+\.\d+", lambda match: significant(float(match[0])), parts)  # 0.5 m


def _share(share: float, n: int) -> str:
    return _("{share} of {n}").format(share=percent(share, 1), n=number(n))


def _robust_material(run: RunDirectory, word: str) -> list[str] | None:
    """The options that name the clips of the last evaluation, on the page or by the command; None where there was none,
    or they are not there any more."""
    task = (wakeword_detectors.finished_run(run).report_of(EVALUATION, word) or {}).get("task", {})
    folders = [(name, path) for name in FOLDERS for path in task.get(name, ()) if Path(path).exists()]
    if not {"positive", "background"} <= {name for name, _path in folders}:
        return None
    return [text for name, path in folders for text in (f"--{name}", str(path))]
