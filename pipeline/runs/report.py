"""A report of runs to send to a colleague: one HTML file with its figures inside, which any browser shows and prints.

It holds what the Runs page shows of the chosen runs (what they are, what they learned from, metrics, means over seeds,
settings that differ, curves, predictions against experts, searches) and no recordings, texts or people's names.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import __version__
from pipeline.errors import JobError
from pipeline.i18n import N_, _, language, minute, number
from pipeline.optional import require
from pipeline.runs.comparison import Comparison, Curve, compare_runs, curves, section_of, setting_text
from pipeline.runs.directory import RunDirectory
from pipeline.runs.metrics import MetricsReader
from pipeline.runs.notes import read_notes
from pipeline.runs.trials import Search, importance, searches_of
from pipeline.runs.words import kind_name, metric_name, metric_text, over_seeds_text, reached_text
from pipeline.times import now_iso, utc_time

TEMPLATE = "report.html.j2"
PREDICTIONS = "predictions.csv"  # of word scorers and of tables, out of fold
MOST_CURVES = 8
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a8a")  # Okabe-Ito


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """`figures` are SVG images, `notes` are paragraphs below."""

    title: str
    table: Table | None = None
    figures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def html(runs: Sequence[RunDirectory], title: str) -> str:
    """The whole file, in the reader's language. Raises JobError where a package that draws it is missing."""
    require(N_("A report"), ("jinja2", "matplotlib"), JobError)
    from jinja2 import Environment, FileSystemLoader

    comparison = compare_runs(runs)
    sections = [_runs(runs), _metrics(comparison), *_seeds(comparison), *_differences(comparison), *_curves(runs),
                *_predictions(runs), *_searches(runs)]  # fmt: skip
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True)
    made = _("Made on {time} (UTC) with Pronlab {version}.").format(
        time=minute(utc_time(now_iso())), version=__version__
    )
    return environment.get_template(TEMPLATE).render(title=title, sections=sections, language=language(), made=made)


def _runs(runs: Sequence[RunDirectory]) -> Section:
    columns = (_("Run"), _("Trains"), _("Data"), _("Seed"), _("Started (UTC)"), _("Commit"), _("Note"))
    rows = []
    for run in runs:
        state, config, notes = run.state, run.config, read_notes(run.path)
        rows.append((
            run.id, kind_name(state.kind), data_of(state.kind, config), setting_text(config.get("seed")),
            minute(utc_time(state.created_at)), state.git_commit or "", " ".join([*notes.tags, notes.note]).strip(),
        ))  # fmt: skip
    return Section(_("Runs"), Table(columns, tuple(rows)))


def data_of(kind: str, config: dict[str, Any]) -> str:
    """The data that a run learns from: a set, a file, the collected prompts, a manifest's corpus, or the folder of a
    wake word's clips, with its part; "" where the configuration names none."""
    given = config.get("set") or config.get("csv") or config.get("source")
    if given:
        name = setting_text(given)
    elif kind == "prompts" or config.get("task") == "prompts":
        name = _("collected prompts")
    elif config.get("manifest"):
        name = Path(setting_text(config["manifest"])).parent.name
    else:
        folders = section_of(config, "data").get("positive")
        name = Path(setting_text(folders[0])).parent.name if isinstance(folders, list | tuple) and folders else ""
    return " ".join(filter(None, [name, setting_text(config.get("part"))]))


def _metrics(comparison: Comparison) -> Section:
    names = list(dict.fromkeys(name for row in comparison.runs for name in row.figures))
    rows = tuple(
        (metric_name(name), *(reached_text(row.figures.get(name)) for row in comparison.runs)) for name in names
    )
    note = _("The result, or the last value; in brackets the best value and its epoch, if it was another one.")
    return Section(_("Metrics"), Table((_("Metric"), *(row.id for row in comparison.runs)), rows), notes=(note,))


def _seeds(comparison: Comparison) -> list[Section]:
    if not comparison.groups:
        return []
    names = list(dict.fromkeys(name for group in comparison.groups for name in group.figures))
    titles = [
        _("{name}, seeds {seeds}").format(name=group.name, seeds=", ".join(map(str, group.seeds)))
        for group in comparison.groups
    ]
    rows = tuple(
        (metric_name(name), *(over_seeds_text(group.figures.get(name)) for group in comparison.groups))
        for name in names
    )
    note = _("Mean over runs that differ in their seed alone; in brackets its 95% interval by Student's t.")
    return [Section(_("Over seeds"), Table((_("Metric"), *titles), rows), notes=(note,))]


def _differences(comparison: Comparison) -> list[Section]:
    if not comparison.differences:
        return []
    ids = [row.id for row in comparison.runs]
    rows = tuple(
        (key, *(setting_text(values[run_id]) for run_id in ids)) for key, values in comparison.differences.items()
    )
    return [Section(_("Settings that differ"), Table((_("Setting"), *ids), rows))]


def _curves(runs: Sequence[RunDirectory]) -> list[Section]:
    """What was logged per epoch, each metric with all the runs that have it."""
    by_run = {run.id: curves(MetricsReader(run.path / "metrics.jsonl").refresh()) for run in runs}
    names = list(dict.fromkeys(
        name for logged in by_run.values() for name, (axis, _curve) in logged.items() if axis == "Epoch"
    ))[:MOST_CURVES]  # fmt: skip
    figures = [
        _drawn_curves({run_id: logged[name][1] for run_id, logged in by_run.items() if name in logged}, name)
        for name in names
    ]
    return [Section(_("Curves"), figures=tuple(figures))] if figures else []


def _drawn_curves(drawn: dict[str, Curve], name: str) -> str:
    figure, axes = _figure()
    for index, (run_id, (x, y)) in enumerate(drawn.items()):
        axes.plot(x, y, color=COLOURS[index % len(COLOURS)], marker="o" if len(x) < 30 else None, ms=3, label=run_id)
    axes.set_xlabel(_("Epoch"))
    axes.set_ylabel(metric_name(name))
    axes.legend(fontsize=7, frameon=False)
    return _svg(figure)


def _predictions(runs: Sequence[RunDirectory]) -> list[Section]:
    """Predicted against expert scores, of runs that kept what they predicted for people they had not learned from."""
    figures = []
    for run in runs:
        pairs = _pairs(run.path / PREDICTIONS)
        if not len(pairs):
            continue
        figure, axes = _figure()
        axes.plot([0, 100], [0, 100], color="#8a8a8a", lw=1, ls="--")
        axes.scatter(pairs[:, 0], pairs[:, 1], s=8, alpha=0.5, color=COLOURS[0])
        axes.set(xlim=(-2, 102), ylim=(-2, 102), aspect="equal")
        axes.set_xlabel(_("Expert"))
        axes.set_ylabel(_("Predicted"))
        axes.set_title(f"{run.id} (n = {number(len(pairs))})", fontsize=8)
        figures.append(_svg(figure))
    return [Section(_("Predicted against expert scores"), figures=tuple(figures))] if figures else []


def _pairs(file: Path) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """[n, 2]: expert and predicted; empty where there is no such file, or none that can be read."""
    import pandas as pd

    try:
        table = pd.read_csv(file)
        expert = table["expert" if "expert" in table else "label"]
        return np.column_stack([expert, table["predicted"]]).astype(np.float64)
    except (OSError, ValueError, KeyError):
        return np.zeros((0, 2))


def _searches(runs: Sequence[RunDirectory]) -> list[Section]:
    sections = []
    for run in runs:
        for search in searches_of(run)[:1]:  # that of the final model
            ranked = sorted(search.trials, key=lambda trial: trial.value)
            columns = (_("Trial"), *search.varied, _("Error"))
            rows = tuple(
                (number(trial.number + 1), *(setting_text(trial.settings.get(name)) for name in search.varied),
                 metric_text(trial.value)) for trial in ranked[:10]
            )  # fmt: skip
            title = _("Search for settings of {run}: the best trials").format(run=run.id)
            sections.append(Section(title, Table(columns, rows), figures=_importance(search)))
    return sections


def _importance(search: Search) -> tuple[str, ...]:
    try:
        shares = importance(search)
    except JobError:  # without Optuna the table stands alone
        return ()
    if not shares:
        return ()
    figure, axes = _figure()
    names = list(shares)[::-1]
    axes.barh(names, [shares[name] for name in names], color=COLOURS[0])
    axes.set_xlabel(_("Importance of the settings"))
    return (_svg(figure),)


def _figure() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.grid(color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:
    """Without the XML declaration, to stand inside a page."""
    file = io.StringIO()
    figure.savefig(file, format="svg")
    text = file.getvalue()
    return text[text.index("<svg") :]
