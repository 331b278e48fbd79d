"""What a rate range and a search suggest, and using it by a click."""

from functools import partial

import streamlit as st

from dashboard.charts import detection_charts
from dashboard.components.job_panel import job_panel
from dashboard.components.run_list import stored
from dashboard.components.trials import draw_trials
from dashboard.markup import plain
from dashboard.sections.wakeword.setting_fields import use
from dashboard.services import jobs, runs, wakeword_training
from pipeline.i18n import _, significant
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.wakeword.data.clip_library import ClipLibrary
from pipeline.wakeword.file_names import RATE_RANGE, SEARCH

RATE = "train.rate"  # not shown


def draw(clips: ClipLibrary, preset: str) -> None:
    """The newest of each on the clips of this word, while it runs and once it is done."""
    for kind, title, show in (
        (RATE_RANGE, _("Learning rate"), _rate_range),
        (SEARCH, _("Search for settings"), _search),
    ):
        record = wakeword_training.last_tuning(kind, clips)
        if record is None:
            continue
        with st.expander(title, icon=":material/tune:", expanded=record.state.status != "stopped"):
            if record.state.status in (*ACTIVE, "failed", "lost"):
                job_panel(record.directory)
            with stored(_("The results of {run}").format(run=plain(record.directory.id))):
                show(record.directory, preset)


def _rate_range(run: RunDirectory, preset: str) -> None:
    rows = jobs.metrics_of(run).rows("rate")
    suggested = run.state.result.get("suggested")
    if not rows or not suggested:
        return
    figure = detection_charts.rate_range([row["rate"] for row in rows], [row["loss"] for row in rows], suggested)
    st.plotly_chart(figure, key="rate-range")
    with st.container(horizontal=True, vertical_alignment="center"):
        rounded = float(f"{suggested:.1e}")
        st.button(
            _("Use the rate {rate}").format(rate=significant(rounded)), icon=":material/check:", key="use-rate",
            on_click=partial(use, preset, {RATE: rounded}),
        )  # fmt: skip
        st.caption(_("A third of the rate at which the loss was lowest: there it still falls."))


def _search(run: RunDirectory, preset: str) -> None:
    searches = runs.searches_of(run)
    if not searches:
        return
    draw_trials(searches[0], "wakeword")
    best = {name: float(f"{value:.3g}") if isinstance(value, float) else value
            for name, value in searches[0].best.settings.items()}  # fmt: skip
    st.button(
        _("Use these settings"), icon=":material/check:", key="use-settings", on_click=partial(use, preset, best),
        help=_("Fills the fields above with the best trial's settings."),
    )  # fmt: skip
