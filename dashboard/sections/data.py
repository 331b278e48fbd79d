"""The sections of the Data page."""

import streamlit as st

from dashboard import identity, state
from dashboard.charts import rater_charts, score_charts
from dashboard.components.confirm import confirm
from dashboard.components.filters import choose_set
from dashboard.components.job_panel import job_panel
from dashboard.components.page import empty_state
from dashboard.markup import message, plain
from dashboard.services import jobs
from dashboard.services import shared as services
from pipeline.corpus.sets import RecordingSet
from pipeline.people.access import Action
from pipeline.records import RatingSource

FORMATS = {
    "auto": "Find out by itself",
    "folder": "Folders of words: participant_*/kelimeler/01_araba.wav",
    "manifest": "A JSONL manifest: one object a line with audio, text, speaker",
    "speechocean762": "speechocean762: its manifest or its published layout",
}
SHOWN_PROBLEMS = 500


def sets() -> None:
    for problem in services.damaged_sets():
        st.warning(message(problem.message), icon=":material/folder_off:")
    overview = services.overview()
    if not overview:
        empty_state("Nothing is imported yet. Open **Import** above, or install the demo under **Maintain**.")
        return
    described = {set_.name: set_ for set_ in services.sets()}
    st.dataframe(
        [
            {
                "Set": row.title,
                "Labels": "synthetic" if row.synthetic else "experts",
                "Rubric": str(set_.rubric) if (set_ := described.get(row.name)) else None,
                "Recordings": row.n_recordings,
                "Speakers": row.n_speakers,
                "Audio": _duration(row.hours),
                "Labelled": 100 * row.n_labelled / max(1, row.n_recordings),
                "Problems": row.n_problems,
                "Licence": set_.licence if set_ else None,
                "Folder": str(set_.root) if set_ else "cannot be read: the set was damaged or removed",
            }
            for row in overview
        ],
        hide_index=True,
        column_config={
            "Labelled": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
        },
    )
    left, right = st.columns(2)
    with left:
        st.subheader("Label coverage")
        names = [row.title for row in overview]
        st.plotly_chart(
            rater_charts.coverage(names, [row.n_labelled for row in overview], [row.n_recordings for row in overview])
        )
    if not identity.allowed(Action.SEE_SETS).may(Action.SEE_RATINGS):
        return
    with right:
        st.subheader("Ratings by evaluator")
        counts = {row.title: row.ratings_by_evaluator for row in overview if row.ratings_by_evaluator}
        if counts:
            st.plotly_chart(rater_charts.ratings_by_evaluator(counts))
        else:
            empty_state("Nobody has rated yet.", page="label", page_label="Rate recordings on the Label page")
    _score_distribution()


def _duration(hours: float) -> str:
    """In the unit that fits."""
    seconds = 3600 * hours
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 1.5 else f"{hours:.1f} h"


def _score_distribution() -> None:
    st.subheader("Distribution of scores")
    chosen = choose_set()
    if chosen is None:
        return
    scores = services.expert_scores(chosen.name, None)
    if scores.empty:
        empty_state("This set has no labels yet.", page="label", page_label="Rate recordings on the Label page")
        return
    by_source = {str(source): rows["score"].tolist() for source, rows in scores.groupby("source")}
    st.plotly_chart(score_charts.score_histogram(by_source))
    if RatingSource.SYNTHETIC in by_source:
        st.caption("Synthetic labels come from the faults that were put into the demo's speech, not from a listener.")


def problems() -> None:
    found = services.problems()
    if not found:
        st.success("No problems found in the recordings that are imported.", icon=":material/check_circle:")
        return
    codes = sorted({problem.code for problem in found})
    left, middle, right = st.columns(3)
    kinds = left.multiselect("Kind", codes, placeholder="All kinds")
    severity = middle.selectbox("Severity", ["all", "error", "warning"])
    text = right.text_input("Search path or message")
    shown = [
        problem
        for problem in found
        if (not kinds or problem.code in kinds)
        and severity in ("all", problem.severity)
        and text.casefold() in f"{problem.path or ''} {problem.message}".casefold()
    ]
    st.caption(f"{len(shown):,} of {len(found):,} problems; the table shows at most {SHOWN_PROBLEMS}.")
    st.dataframe(
        [
            {"Severity": p.severity, "Kind": p.code, "What and what to do": p.message, "Path": p.path}
            for p in shown[:SHOWN_PROBLEMS]
        ],
        hide_index=True,
        column_config={"What and what to do": st.column_config.TextColumn(width="large")},
    )


def import_recordings() -> None:
    with st.form("import"):
        path = st.text_input(
            "Path on this machine",
            placeholder="/home/me/corpus",
            help="A folder or a manifest that this server can read.",
        )
        left, right = st.columns(2)
        name = left.text_input("Name of the set", placeholder="taken from the folder")
        format_ = right.selectbox("Layout", list(FORMATS), format_func=FORMATS.__getitem__)
        submitted = st.form_submit_button("Import", type="primary", icon=":material/upload:")
    st.caption("The audio stays where it is. A second import of the same path adds what is new.")
    if submitted:
        run = services.launch_import(path, name.strip(), format_)
        state.watch(state.JOB, run.id)
    job = state.watched(state.JOB)
    if job:
        with st.container(border=True):
            job_panel(jobs.job(job))


EXPORTS = {
    "csv": ("CSV", "csv", "text/csv", "A row an evaluator and recording, for spreadsheets."),
    "jsonl": ("JSON lines", "jsonl", "application/x-ndjson", "The same, for programs."),
    "label-studio": ("Label Studio", "json", "application/json", "A task a recording, an annotation a person."),
    "textgrid": ("Praat TextGrids", "zip", "application/zip", "A file a recording, with text, marks and ratings."),
}


def export_labels() -> None:
    chosen = choose_set()
    if chosen is None:
        return
    for format_, (label, suffix, mime, what) in EXPORTS.items():
        left, right = st.columns([1, 3], vertical_alignment="center")
        left.download_button(
            label,
            data=identity.held(lambda format_=format_: services.exported_labels(chosen.name, format_)),
            file_name=f"{chosen.name}_labels.{suffix}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
        )
        right.caption(what)
    st.caption(
        "With the audio, as a Hugging Face dataset: `pronlab export --format dataset`. With words and phones in time: "
        "`pronlab export --format textgrid --align`."
    )


def import_ratings() -> None:
    """Ratings that were given elsewhere, for recordings that are here."""
    st.subheader("Ratings from elsewhere")
    chosen = choose_set()
    if chosen is None:
        return
    file = st.file_uploader(
        "A table (CSV) or an export of Label Studio (JSON)", ["csv", "json"], key="ratings-file", max_upload_size=50,
        help="A table needs the columns recording_id (or the audio's path), evaluator, and the values.",
    )  # fmt: skip
    if file is None:
        return
    incoming = services.checked_ratings(chosen.name, file.name, file.getvalue())
    if incoming.problems:
        st.warning(
            f"{len(incoming.problems)} ratings cannot be used. Mend the file, or take over the rest.",
            icon=":material/warning:",
        )
        st.dataframe([{"What is wrong": problem} for problem in incoming.problems], hide_index=True)
    if incoming.respelled:
        st.info(plain("; ".join(incoming.respelled)), icon=":material/spellcheck:")
    if not incoming.n:
        st.info("There is nothing in it that could be taken over.", icon=":material/info:")
        return
    st.markdown(
        f"{incoming.n} ratings of {len(incoming.ratings)} recordings can be taken over. Nothing is overwritten."
    )
    if st.button("Take them over", type="primary", icon=":material/input:"):
        changed = services.import_ratings(chosen.name, incoming)
        st.success(f"{changed} recordings have something new.", icon=":material/check_circle:")


def maintain() -> None:
    st.subheader("Index")
    st.caption("The index is made from the label files and can be rebuilt at any time; nothing is lost by it.")
    if st.button("Rebuild the index", icon=":material/refresh:"):
        bar = st.progress(0.0, text="Rebuilding …")
        report = services.rebuild_index(
            lambda done, total, message="": bar.progress(done / max(1, total), plain(message))
        )
        bar.empty()
        st.success(plain(report), icon=":material/check_circle:")
    st.subheader("Synthetic demo")
    if confirm(
        "Reset the demo",
        "This puts the synthetic demo back as it came: **ratings made on the demo are lost.**",
        answer="Yes, reset the demo",
        key="reset-demo",
    ):
        bar = st.progress(0.0, text="Copying …")
        services.reset_demo(lambda done, total, message="": bar.progress(done / max(1, total), plain(message)))
        bar.empty()
        st.success("The demo is as it came.", icon=":material/check_circle:")
    st.subheader("Remove a set")
    chosen = choose_set()
    if chosen is not None and confirm(
        "Remove this set",
        _what_goes(chosen),
        answer="Yes, remove it",
        key="remove-set",
    ):
        services.remove_set(chosen.name)
        st.rerun()


def _what_goes(chosen: RecordingSet) -> str:
    if chosen.kind == "folder" and not chosen.root.is_relative_to(services.settings().sets_root):
        return f"**{chosen.name}** leaves this dashboard. Audio and labels stay where they are, in {chosen.root}."
    kept = f"its audio stays in {chosen.root}, but " if chosen.kind == "manifest" else "its copies of the audio and "
    return f"**{chosen.name}** leaves this dashboard: {kept}**its labels are deleted**. Export them first."
