"""Our figures beside the paper's Table 3, as CSV, JSON and Markdown."""

from dataclasses import dataclass, fields
from pathlib import Path

from pipeline import artifacts, csvfile
from pipeline.evaluation.published import TABLE3, Table3Row
from pipeline.speechllm.evaluate import SpeechLlmFigures

FIGURES = tuple(field.name for field in fields(Table3Row) if field.name not in ("trained", "epoch"))
BEST_EPOCH = 3  # of the paper's LoRA rows, which its text reports
WITHIN = 0.05


@dataclass(frozen=True)
class Beside:
    """`difference` is ours less the paper's; `within_5_percent` of the paper's value."""

    ours: float | None
    paper: float
    difference: float | None
    within_5_percent: bool | None


def table3(figures: SpeechLlmFigures, trained: str = "LoRA", epoch: int = BEST_EPOCH) -> dict[str, Beside]:
    """Beside the paper's row for `trained` (LoRA or unfrozen) after `epoch`, or its last one before that."""
    rows = [row for row in TABLE3 if row.trained == trained and row.epoch <= epoch]
    paper = max(rows, key=lambda row: row.epoch) if rows else next(row for row in TABLE3 if row.trained == trained)
    ours: dict[str, float | None] = {f"{aspect}_pcc": score.pcc for aspect, score in figures.scores.items()}
    ours |= {"wer": figures.wer, "per": figures.per, **figures.phone_match}
    return {name: _beside(ours.get(name), float(getattr(paper, name))) for name in FIGURES}


def write_table3(folder: Path, table: dict[str, Beside], figures: SpeechLlmFigures) -> None:
    """`table3.json`, `table3.csv` and `table3.md`."""
    artifacts.write_json(folder / "table3.json", {"table3": table, "figures": figures})
    csvfile.write(
        folder / "table3.csv",
        ("figure", "ours", "paper", "difference", "within_5_percent"),
        ((name, row.ours, row.paper, row.difference, row.within_5_percent) for name, row in table.items()),
    )
    artifacts.write_text(folder / "table3.md", markdown(table, figures))


def markdown(table: dict[str, Beside], figures: SpeechLlmFigures) -> str:
    lines = ["| | ours | paper | difference | within 5 % |", "|---|---|---|---|---|"]
    for name, row in table.items():
        lines.append(
            f"| {name} | {_number(row.ours)} | {row.paper:.3f} | {_number(row.difference, sign=True)} | "
            f"{'-' if row.within_5_percent is None else 'yes' if row.within_5_percent else 'no'} |"
        )
    unread = ", ".join(f"{figures.unread[task]} of {figures.n[task]} {task.upper()}" for task in figures.n)
    lines += [
        "",
        f"Answers that could not be read, counted against the model: {unread}. F1, precision and recall match phones, "
        f"as in the paper; the field's mispronunciation F1 is {_number(figures.mdd.get('f1'))}.",
    ]
    return "\n".join(lines) + "\n"


def _beside(ours: float | None, paper: float) -> Beside:
    if ours is None:
        return Beside(None, paper, None, None)
    return Beside(ours, paper, ours - paper, abs(ours - paper) <= WITHIN * abs(paper))


def _number(value: float | None, *, sign: bool = False) -> str:
    return "-" if value is None else f"{value:+.3f}" if sign else f"{value:.3f}"
