"""The table of results as CSV (plain numbers), Markdown, LaTeX (booktabs) and PNG."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline import csvfile
from pipeline.evaluation.results_table import LABELS, RATES, ResultRow
from pipeline.i18n import _, number, percent
from pipeline.markdown import literal
from pipeline.records import to_json

if TYPE_CHECKING:
    import pandas as pd

PNG_DPI = 200
TEXTS = ("system", "source", "told")  # columns of words, which stand on the left
SHADES = {"here": "#d9ecf7", "run": "#e3f4ee", "human": "#f0f0f0"}


def to_csv(rows: Sequence[ResultRow], dialect: csvfile.Dialect = csvfile.COMMA) -> bytes:
    records = [to_json(row.values()) for row in rows]
    return csvfile.download(csvfile.of_records(records[0] if records else (), records, dialect))


def to_markdown(rows: Sequence[ResultRow]) -> bytes:
    right = ["left" if name in TEXTS else "right" for name in LABELS]
    table = shown(rows)
    for name in ("system", "source"):
        table[_(LABELS[name])] = table[_(LABELS[name])].map(literal)
    text: str = table.to_markdown(index=False, colalign=right, disable_numparse=True)
    return (text + "\n").encode()


def to_latex(rows: Sequence[ResultRow]) -> bytes:
    """A tabular for the booktabs package."""
    columns = "".join("l" if name in TEXTS else "r" for name in LABELS)
    style = shown(rows).style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis=1)
    text: str = style.to_latex(column_format=columns, hrules=True)
    return text.encode()


def to_png(rows: Sequence[ResultRow]) -> bytes:
    """As a picture: ours shaded, people in grey."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    table = shown(rows)
    widths = [max(len(str(v)) for v in [name, *table[name]]) + 2.0 for name in table.columns]
    figure = Figure(figsize=(0.085 * sum(widths), 0.3 * (len(rows) + 1)), dpi=PNG_DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.axis("off")
    drawn = axes.table(
        cellText=table.to_numpy().tolist(), colLabels=list(table.columns), bbox=Bbox.unit(),
        colWidths=[width / sum(widths) for width in widths],
    )  # fmt: skip
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(8)
    for (line, column), cell in drawn.get_celld().items():
        cell.set_edgecolor("#cccccc")
        cell.get_text().set_horizontalalignment("left" if list(LABELS)[column] in TEXTS else "right")
        cell.PAD = 0.4 / widths[column]
        if line == 0:
            cell.get_text().set_fontweight("bold")
        elif shade := SHADES.get(rows[line - 1].kind):
            cell.set_facecolor(shade)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


FORMATS = {
    "csv": (to_csv, "text/csv"),
    "markdown": (to_markdown, "text/markdown"),
    "latex": (to_latex, "text/x-tex"),
    "png": (to_png, "image/png"),
}
SUFFIXES = {"csv": "csv", "markdown": "md", "latex": "tex", "png": "png"}


def shown(rows: Sequence[ResultRow]) -> "pd.DataFrame":
    """For people, in their language: three digits, rates in per cent, a dash where there is no figure."""
    import pandas as pd

    lines = [{_(LABELS[name]): _text(name, value) for name, value in row.values().items()} for row in rows]
    return pd.DataFrame(lines, columns=[_(label) for label in LABELS.values()])


def _text(name: str, value: Any) -> str:
    if name == "told":
        return {True: _("yes"), False: _("no"), None: ""}[value]
    if name in ("system", "source"):
        return _(str(value))
    if value is None:
        return "-"
    if name in RATES:
        return percent(value, 1)
    if isinstance(value, float):
        return f"{'+' if name == 'gap' and value >= 0 else ''}{number(value, 3)}"
    return number(value) if isinstance(value, int) else str(value)
