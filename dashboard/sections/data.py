"""The sections of the Data page."""

from functools import partial

import streamlit as st

from dashboard import identity, state
from dashboard.charts import rater_charts, score_charts
from dashboard.components.confirm import confirm
from dashboard.components.csv_dialect import choose_dialect
from dashboard.components.filters import choose_set
from dashboard.components.job_panel import job_panel
from dashboard.components.page import empty_state
from dashboard.components.progress import progress_bar
from dashboard.markup import message, plain
from dashboard.sections import ratings_import
from dashboard.services import data, jobs, shared
from pipeline.corpus.sets import RecordingSet
from pipeline.i18n import N_, _, ngettext, number
from pipeline.people.access import Action
from pipeline.records import RatingSource

RUBRICS = {"word": N_("words"), "sentence": N_("sentences")}
SOURCES = {
    RatingSource.HUMAN: N_("raters"), RatingSource.CORPUS: N_("experts of the corpus"),
    RatingSource.SYNTHETIC: N_("synthetic"), RatingSource.MOCK: N_("mock"),
}  # fmt: skip
SEVERITIES = {"all": N_("All"), "error": N_("Error"), "warning": N_("Warning")}
KINDS = {
    "bad_annotation": N_("annotation that cannot be read"), "bad_label": N_("label that cannot be read"),
    "bad_row": N_("row that cannot be used"), "label_scale": N_("scale of scores unknown"),
    "no_rater": N_("no rater named"), "respelled": N_("name in several spellings"),
    "stray_label": N_("label without recording"),
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


def sets() -> None:
    for problem in data.damaged_sets():
        st.warning(message(problem.message), icon=":material/folder_off:")
    overview = data.overview()
    if not overview:
        empty_state(_("There are no recordings yet. Open **Import** above, or install the demo under **Maintain**."))
        return
    sees_ratings = identity.allowed(Action.SEE_SETS).may(Action.SEE_RATINGS)
    left, right = st.columns(2)
    with left:
        st.subheader(_("Label coverage"))
        names = [row.title for row in overview]
        st.plotly_chart(
            rater_charts.coverage(names, [row.n_labelled for row in overview], [row.n_recordings for row in overview])
        )
    with right:
        if sees_ratings:
            st.subheader(_("Ratings per rater"))
            counts = {row.title: row.ratings_by_evaluator for row in overview if row.ratings_by_evaluator}
            if counts:
                st.plotly_chart(rater_charts.ratings_by_evaluator(counts))
            else:
                empty_state(
                    _("There are no ratings yet."), page="label", page_label=_("Rate recordings on the Label page")
                )
    described = {set_.name: set_ for set_ in shared.sets()}
    st.dataframe(
        [
            {
                _("Set"): row.title,
                _("Recordings"): row.n_recordings,
                _("Speakers"): row.n_speakers,
                _("Duration"): _duration(row.hours),
                _("Labelled"): 100 * row.n_labelled / max(1, row.n_recordings),
                _("Problems"): row.n_problems,
                _("Labels"): _("synthetic") if row.synthetic else _("experts"),
                _("Rubric"): _(RUBRICS[set_.rubric]) if (set_ := described.get(row.name)) else None,
                _("Licence"): set_.licence if set_ else None,
                _("Folder"): str(set_.root) if set_ else _("cannot be read: the set was damaged or removed"),
            }
            for row in overview
        ],
        hide_index=True,
        column_config={
            _("Set"): st.column_config.TextColumn(pinned=True),
            _("Labelled"): st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
        },
    )
    if sees_ratings:
        _score_distribution()


def _duration(hours: float) -> str:
    """In the unit that fits."""
    seconds = 3600 * hours
    if seconds < 90:
        return _("{n} s").format(n=number(seconds))
    return _("{n} min").format(n=number(seconds / 60)) if hours < 1.5 else _("{n} h").format(n=number(hours, 1))


def _score_distribution() -> None:
    st.subheader(_("Distribution of scores"))
    chosen = choose_set()
    if chosen is None:
        return
    scores = shared.expert_scores(chosen.name, None)
    if scores.empty:
        empty_state(_("This set has no labels yet."), page="label", page_label=_("Rate recordings on the Label page"))
        return
    by_source = {
        _(SOURCES[RatingSource(str(source))]): rows["score"].tolist() for source, rows in scores.groupby("source")
    }
    st.plotly_chart(score_charts.score_histogram(by_source))
    if RatingSource.SYNTHETIC in set(scores["source"]):
        st.caption(
            _("Synthetic labels follow from the errors that were built into the demo's speech, not from a listener.")
        )


def problems() -> None:
    known = data.problems()
    if not known:
        st.success(_("There are no problems in the imported recordings."), icon=":material/check_circle:")
        return
    ratings_import.ask_scale_of_labels(known)
    codes = sorted({problem.code for problem in known})
    left, middle, right = st.columns(3)
    kinds = left.multiselect(_("Kind"), codes, placeholder=_("All kinds"), format_func=_kind)
    severity = middle.selectbox(_("Severity"), list(SEVERITIES), format_func=lambda code: _(SEVERITIES[code]))
    text = right.text_input(_("Search path or message"))
    shown = [
        problem
        for problem in known
        if (not kinds or problem.code in kinds)
        and severity in ("all", problem.severity)
        and text.casefold() in f"{problem.path or ''} {problem.message}".casefold()
    ]
    st.caption(
        _("{shown} of {n} problems; the table shows at most {most}.").format(
            shown=number(len(shown)), n=number(len(known)), most=number(SHOWN_PROBLEMS)
        )
    )
    st.dataframe(
        [
            {
                _("Path"): problem.path,
                _("Severity"): _(SEVERITIES.get(problem.severity, problem.severity)),
                _("Kind"): _kind(problem.code),
                _("Problem and what to do"): problem.message,
            }
            for problem in shown[:SHOWN_PROBLEMS]
        ],
        hide_index=True,
        column_config={
            _("Path"): st.column_config.TextColumn(pinned=True, width="medium"),
            _("Problem and what to do"): st.column_config.TextColumn(width="large"),
        },
    )


def _layout(name: str) -> str:
    return _("Detect the layout") if name == "auto" else _(data.layouts()[name])


def _kind(code: str) -> str:
    return _(KINDS.get(code, code))


def import_recordings() -> None:
    with st.form("import"):
        path = st.text_input(
            _("Path on this machine"),
            placeholder="/home/me/corpus",
            help=_("A folder or a manifest that this server can read: a corpus as it is published, or your own."),
        )
        left, right = st.columns(2)
        name = left.text_input(_("Name of the set"), placeholder=_("name of the folder"))
        format_ = right.selectbox(_("Layout"), ["auto", *data.layouts()], format_func=_layout)
        submitted = st.form_submit_button(_("Import"), type="primary", icon=":material/upload:")
    st.caption(_("The audio stays where it is. Importing the same path again adds what is new."))
    if submitted:
        run = data.launch_import(path, name.strip(), format_)
        state.watch(state.JOB, run.id)
    job = state.watched(state.JOB)
    if job:
        with st.container(border=True):
            job_panel(jobs.job(job))


EXPORTS: dict[data.ExportFormat, tuple[str, str, str, str]] = {
    "csv": (
        N_("CSV"), "csv", "text/csv",  # not shown
        N_("One row per rating, skip, flag and decision, with its project, purpose and seconds."),
    ),
    "consensus": (
        N_("CSV: consensus"), "csv", "text/csv", N_("One row per recording: consensus, decision or exclusion."),
    ),
    "xlsx": (
        N_("Excel"), "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        N_("Both tables as sheets of a workbook."),
    ),
    "jsonl": (
        N_("JSON lines"), "jsonl", "application/x-ndjson",  # not shown
        N_("A manifest with everything, which can be imported again."),
    ),
    "label-studio": (
        N_("Label Studio"), "zip", "application/zip",
        N_("Tasks with all ratings, and the labelling configuration that shows them."),
    ),
    "textgrid": (
        N_("Praat TextGrids"), "zip", "application/zip",
        N_("One file per recording, with its text, marks, ratings and decisions."),
    ),
}  # fmt: skip


FILES = {"consensus": "consensus", "label-studio": "label_studio", "textgrid": "textgrids"}  # not shown


def export_labels() -> None:
    left, right = st.columns(2)
    with left:
        chosen = choose_set()
    if chosen is None:
        return
    with right:
        dialect = choose_dialect("export-dialect")
    unreadable = data.unreadable_labels(chosen.name)
    if unreadable:
        n = len(unreadable)
        st.warning(
            ngettext(
                "{n} label file cannot be read and is left out of every export: see Problems.",
                "{n} label files cannot be read and are left out of every export: see Problems.",
                n,
            ).format(n=number(n)),
            icon=":material/warning:",
        )
    for format_, (label, suffix, mime, purpose) in EXPORTS.items():
        left, right = st.columns([1, 3], vertical_alignment="center")
        left.download_button(
            _(label),
            data=identity.held(partial(data.exported_labels, chosen.name, format_, dialect)),
            file_name=f"{chosen.name}_{FILES.get(format_, 'labels')}.{suffix}",  # not shown
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            key=f"export-{format_}",
            width="stretch",
        )
        right.caption(_(purpose))
    st.caption(
        _(
            "With the audio, as a Hugging Face dataset: `pronlab export --format dataset`. With time-aligned words and "
            "phones: `pronlab export --format textgrid --align`."
        )
    )


def maintain() -> None:
    st.subheader(_("Index"))
    st.caption(_("The index is made from the label files. Rebuilding it loses nothing."))
    if st.button(_("Rebuild the index"), icon=":material/refresh:"):
        with progress_bar(_("Rebuilding …")) as progress:
            report = data.rebuild_index(progress)
        counts = (
            ngettext("{n} set", "{n} sets", report.n_sets).format(n=number(report.n_sets)),
            ngettext("{n} recording", "{n} recordings", report.n_recordings).format(n=number(report.n_recordings)),
            ngettext("{n} rating", "{n} ratings", report.n_ratings).format(n=number(report.n_ratings)),
            ngettext("{n} label file", "{n} label files", report.n_label_files).format(n=number(report.n_label_files)),
        )
        st.success(_("The index holds {counts}.").format(counts=", ".join(counts)), icon=":material/check_circle:")
        if report.problems:
            n = len(report.problems)
            st.warning(
                ngettext(
                    "{n} label file could not be read: see Problems.",
                    "{n} label files could not be read: see Problems.",
                    n,
                ).format(n=number(n)),
                icon=":material/warning:",
            )
    st.subheader(_("Synthetic demo"))
    if confirm(
        _("Reset the demo"),
        _("This restores the synthetic demo: **ratings of its recordings will be permanently deleted.**"),
        answer=_("Yes, reset the demo"),
        key="reset-demo",
    ):
        with progress_bar(_("Copying …")) as progress:
            data.reset_demo(progress)
        st.success(_("The demo is reset."), icon=":material/check_circle:")
    st.subheader(_("Remove a set"))
    chosen = choose_set()
    if chosen is not None and confirm(
        _("Remove this set"),
        _consequences(chosen),
        answer=_("Yes, remove it"),
        key="remove-set",
    ):
        data.remove_set(chosen.name)
        st.rerun()


def _consequences(chosen: RecordingSet) -> str:
    """What removing it deletes, and what it leaves."""
    names = {"name": plain(chosen.name), "folder": plain(chosen.root)}
    if chosen.kind == "folder" and not chosen.root.is_relative_to(shared.settings().sets_root):
        text = _("**{name}** is removed from this dashboard. Audio and labels stay where they are, in {folder}.")
    elif chosen.kind == "manifest":
        text = _(
            "**{name}** is removed from this dashboard. Its audio stays in {folder}, but **its labels will be "
            "permanently deleted**. Export them first."
        )
    else:
        text = _(
            "**{name}** is removed from this dashboard. **Its copies of the audio and its labels will be permanently "
            "deleted**. Export them first."
        )
    return text.format(**names)
