"""The sections of the Runs page: the list, notes and tags, and any number of runs compared."""

import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.charts import run_charts
from dashboard.components.choices import pick_several
from dashboard.components.csv_dialect import choose_dialect
from dashboard.components.curve_settings import curve_settings
from dashboard.components.kept_chart import kept_chart
from dashboard.components.page import errors_in_words
from dashboard.components.run_actions import offer_deletion
from dashboard.components.run_words import status_name
from dashboard.components.tables import data_table, without_empty
from dashboard.components.trials import draw_trials
from dashboard.components.widths import box_width
from dashboard.identity import held
from dashboard.markup import plain
from dashboard.services import runs as services
from pipeline import csvfile
from pipeline.i18n import _, minute, number
from pipeline.model_names import short_names
from pipeline.records import to_json
from pipeline.runs import RunDirectory, RunRecord
from pipeline.runs.comparison import Comparison, as_csv, as_markdown, section_of, setting_text
from pipeline.runs.metrics import is_number
from pipeline.runs.notes import Notes
from pipeline.runs.report import data_of
from pipeline.runs.trials import Search
from pipeline.runs.words import kind_name, metric_name, metric_text, over_seeds_text, reached_text, reason
from pipeline.times import utc_time

ROWS = 5  # of the list, at once
ROW_PX = 35  # as Streamlit draws it
LONG_NAME = 28  # characters: longer ones are cut, so that the columns after them can be seen


def list_of_runs(runs: Sequence[RunRecord], choices: DeltaGenerator) -> list[RunDirectory]:
    """The list with its filters, which are drawn in `choices`; returns the runs that it shows. Runs that are picked
    from it become the chosen ones."""
    rows = [(run, services.notes_of(run.directory)) for run in runs]
    shown = _filtered(rows, choices)
    if not shown:
        st.info(_("No run matches. Remove a filter."), icon=":material/filter_alt_off:")
        return []
    names = short_names(run.directory.id for run in runs)
    picked = data_table(
        without_empty([_line(run, notes, names) for run, notes in shown]),
        on_select="rerun",
        selection_mode="multi-row",
        key="runs-table",
        height=ROW_PX * (min(ROWS, len(shown)) + 1) + 3,
        column_config={
            _("Run"): st.column_config.TextColumn(pinned=True, width=_name_width(names.values())),
            _("Reason"): st.column_config.TextColumn(width="medium"),
            _("Note"): st.column_config.TextColumn(width="medium"),
        },
    )
    ids = [shown[index][0].directory.id for index in picked.selection.rows if index < len(shown)]
    if ids and ids != state.recall("runs-picked"):
        state.watch_all(state.RUNS, ids)
    state.remember("runs-picked", ids)
    return [run.directory for run, _notes in shown]


def _name_width(names: Iterable[str]) -> Literal["medium"] | None:
    return "medium" if any(len(name) > LONG_NAME for name in names) else None


def _filtered(rows: Sequence[tuple[RunRecord, Notes]], choices: DeltaGenerator) -> list[tuple[RunRecord, Notes]]:
    kinds = sorted({run.state.kind for run, _notes in rows})
    tags = sorted({tag for _run, notes in rows for tag in notes.tags})
    with choices:
        text = st.text_input(
            _("Find"), placeholder=_("Name, note or setting"), key="runs-find", label_visibility="collapsed",
            width=box_width([_("Name, note or setting")]),
        )  # fmt: skip
        with st.popover(_("Filter"), icon=":material/filter_alt:"):
            kind = st.multiselect(_("Trains"), kinds, format_func=kind_name, key="runs-kind", placeholder=_("all"))
            tag = st.multiselect(
                _("Tags"), tags, key="runs-tags", placeholder=_("all") if tags else _("none yet"), disabled=not tags
            )
    wanted = text.strip().lower()
    return [
        (run, notes)
        for run, notes in rows
        if (not kind or run.state.kind in kind)
        and set(tag) <= set(notes.tags)
        and (not wanted or wanted in f"{run.directory.id} {notes.note} {setting_text(run.config)}".lower())
    ]


def choose_runs(runs: Sequence[RunRecord]) -> tuple[list[RunDirectory], DeltaGenerator]:
    """The chosen runs (picked from the list, typed, or from the link), and the place beside them for the curve's
    choice."""
    left, right = st.columns([3, 2])
    by_id = {run.directory.id: run.directory for run in runs}
    chosen = pick_several(
        _("Chosen runs"),
        short_names(by_id),
        key=state.RUNS,
        placeholder=_("Select rows above, or type a name"),
        help_=_("One run to annotate it, several to compare them."),
        where=left,
    )
    return [by_id[run_id] for run_id in chosen], right


def curves(runs: Sequence[RunDirectory], choice: DeltaGenerator) -> None:
    """One metric of the runs over steps or epochs; which, is chosen in `choice`."""
    by_run = {run.id: services.curves_of(run) for run in runs}
    names = sorted(
        {name for logged in by_run.values() for name in logged},
        # What most of the runs have, and of that a loss, is looked at first.
        key=lambda name: (-sum(name in logged for logged in by_run.values()), "loss" not in name, name),
    )
    if not names:
        return
    with choice.container(horizontal=True):
        name = st.selectbox(_("Curve"), names, format_func=metric_name, key="runs-curve", label_visibility="collapsed")
        log, smoothing = curve_settings("runs")
    drawn = {run_id: logged[name] for run_id, logged in by_run.items() if name in logged}
    if not drawn:
        return
    short = short_names(by_run)
    axis = next(iter(drawn.values()))[0]
    figure = run_charts.overlay(
        {short[run_id]: curve for run_id, (_axis, curve) in drawn.items()}, axis, metric_name(name),
        smoothing=smoothing, log=log,
    )  # fmt: skip
    kept_chart(figure, key="runs-overlay", revision=f"{name} {log} {' '.join(drawn)}")
    if missing := [short[run_id] for run_id in by_run if run_id not in drawn]:
        st.caption(_("Not measured in {runs}.").format(runs=plain(", ".join(missing))))


def notes(run: RunDirectory) -> None:
    """What people write about the run, and the way to its page or out of the list."""
    run_state, written = run.state, services.notes_of(run)
    with st.form(f"notes-{run.id}", border=True):
        st.markdown(
            _("**{run}** · {status} · {size} MB on disk").format(
                run=plain(run.id), status=status_name(run_state.status), size=number(run.size_mb)
            )
        )
        note = st.text_area(_("Note"), written.note, placeholder=_("What is it for, what did it show?"), height=90)
        tags = st.text_input(
            _("Tags"),
            " ".join(written.tags),
            placeholder=_("baseline paper-r64"),
            help=_("Words, separated by spaces."),
        )
        saved = st.form_submit_button(_("Save note"), icon=":material/save:")
    if saved:
        with errors_in_words():
            services.write_notes(run, Notes(note.strip(), tuple(dict.fromkeys(tags.split()))))
            st.toast(_("Saved."))
            st.rerun()
    with st.container(horizontal=True):
        st.page_link(
            "views/train.py", label=_("Watch and deploy"), icon=":material/monitoring:",
            query_params={state.RUN: run.id},
        )  # fmt: skip
        _report([run])
        offer_deletion(run)


def searched(run: RunDirectory) -> None:
    """The trials of a search for settings: what was tried, how well it did, and which setting mattered."""
    searches = services.searches_of(run)
    if not searches:
        return
    st.header(_("Search for settings"))
    search = searches[0]
    if len(searches) > 1:
        place = st.selectbox(
            _("Search"), range(len(searches)), key="runs-search", label_visibility="collapsed",
            format_func=lambda index: _search_name(searches[index]), width=box_width(map(_search_name, searches)),
        )  # fmt: skip
        search = searches[place]
    draw_trials(search, "runs")


def _search_name(search: Search) -> str:
    return _("for the final model") if search.fold is None else _("within fold {n}").format(n=number(search.fold + 1))


def _report(runs: Sequence[RunDirectory]) -> None:
    """One file to send to a colleague."""
    title = ", ".join(short_names(run.id for run in runs).values())
    st.download_button(
        _("Report"), held(partial(services.report, runs, title)), "runs-report.html", "text/html",  # not shown
        icon=":material/summarize:", key="runs-report",
        help=_("One HTML file with tables and figures, which any browser shows and prints."),
    )  # fmt: skip


def compared(runs: Sequence[RunDirectory]) -> None:
    """The metrics that the runs reached, the settings that differ, and both as files."""
    comparison = services.comparison_of(runs)
    names = short_names(row.id for row in comparison.runs)
    columns = {
        run_id: st.column_config.TextColumn(short, help=run_id, width="medium") for run_id, short in names.items()
    }
    _reached(comparison, columns)
    _seeds(comparison)
    _differences(comparison, columns)
    _export(comparison, runs)


def _reached(comparison: Comparison, columns: dict[str, Any]) -> None:
    st.header(_("Metrics"))
    names = list(dict.fromkeys(name for row in comparison.runs for name in row.figures))
    if not names:
        st.caption(_("None of these runs has measured anything yet."))
        return
    data_table(
        [
            {
                _("Metric"): metric_name(name),
                **{row.id: reached_text(row.figures.get(name)) for row in comparison.runs},
            }
            for name in names
        ],
        column_config={_("Metric"): st.column_config.TextColumn(pinned=True), **columns},
    )
    st.caption(
        _(
            "The result on held-out speakers, or the last value; in brackets the best value and its epoch, if it was "
            "another one. Runs on different sets, parts or labels cannot be compared."
        )
    )


def _seeds(comparison: Comparison) -> None:
    """Runs that differ in their seed alone, as one: the mean of each metric with its interval."""
    if not comparison.groups:
        return
    st.header(_("Over seeds"))
    names = list(dict.fromkeys(name for group in comparison.groups for name in group.figures))
    titles = [
        _("{name}, seeds {seeds}").format(name=group.name, seeds=", ".join(map(str, group.seeds)))
        for group in comparison.groups
    ]
    data_table(
        [
            {
                _("Metric"): metric_name(name),
                **{
                    title: over_seeds_text(group.figures.get(name))
                    for title, group in zip(titles, comparison.groups, strict=True)
                },
            }
            for name in names
        ],
        column_config={_("Metric"): st.column_config.TextColumn(pinned=True)},
    )
    st.caption(_("Mean over runs that differ in their seed alone; in brackets its 95% interval by Student's t."))


def _differences(comparison: Comparison, columns: dict[str, Any]) -> None:
    st.header(_("Settings that differ"))
    if not comparison.differences:
        st.caption(_("These runs have the same settings."))
        return
    kinds = len({row.kind for row in comparison.runs})
    shared = comparison.shared if kinds > 1 else comparison.differences
    if shared:
        _settings_table(shared, columns)
    else:
        st.caption(_("These runs are of different kinds and have no setting in common that differs."))
    others = {key: values for key, values in comparison.differences.items() if key not in shared}
    if others:
        with st.expander(_("Settings that not all of these runs have")):
            _settings_table(others, columns)


def _settings_table(differences: dict[str, dict[str, Any]], columns: dict[str, Any]) -> None:
    data_table(
        [
            {_("Setting"): key, **{run_id: setting_text(value) for run_id, value in values.items()}}
            for key, values in differences.items()
        ],
        column_config={_("Setting"): st.column_config.TextColumn(pinned=True), **columns},
    )


def _export(comparison: Comparison, runs: Sequence[RunDirectory]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dialect = choose_dialect("runs-dialect")
        for label, content, name in (
            ("CSV", csvfile.download(as_csv(comparison, dialect)), "runs.csv"),
            ("Markdown", as_markdown(comparison), "runs.md"),  # not shown
            ("JSON", json.dumps(to_json(comparison), ensure_ascii=False, indent=2), "runs.json"),
        ):
            st.download_button(label, content, name, icon=":material/download:", key=f"runs-{name}")
        _report(runs)


def _line(run: RunRecord, notes: Notes, names: dict[str, str]) -> dict[str, str]:
    config, run_state = run.config, run.state
    metrics, table3 = section_of(run_state.result, "metrics"), section_of(run_state.result, "table3")
    pcc = metrics.get("pcc", metrics.get("total", section_of(table3, "total_pcc").get("ours")))
    per = metrics.get("per", section_of(table3, "per").get("ours"))
    return {
        _("Run"): names[run.directory.id],
        _("Status"): status_name(run_state.status),
        _("Trains"): kind_name(run_state.kind),
        "PCC": _text(pcc, 3),
        "MAE": _text(metrics.get("mae"), 2),
        "RMSE": _text(metrics.get("rmse"), 2),
        "R²": _text(metrics.get("r2"), 2),
        "PER": _text(per, 3),
        _("Reason"): reason(run_state),
        _("Labels"): _("mock") if config.get("labels") == "mock" else "",
        _("Set"): data_of(run_state.kind, config),
        _("Built on"): _origin(config),
        _("Started (UTC)"): minute(utc_time(run_state.created_at)),
        _("Tags"): " ".join(notes.tags),
        _("Note"): notes.note.split("\n")[0],
        _("Id"): run.directory.id,
    }


def _origin(config: dict[str, Any]) -> str:
    """What its model is made from: an extractor, or an encoder or model by name; a section has it in `name`."""
    given = config.get("extractor") or config.get("encoder") or config.get("model") or ""
    if isinstance(given, dict):
        return setting_text(given.get("name", given))
    return Path(setting_text(given)).name


def _text(value: object, digits: int) -> str:
    return metric_text(float(value), digits) if is_number(value) else ""
