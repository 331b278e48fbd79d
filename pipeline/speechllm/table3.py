"""Our figures beside the paper's Table 3, as CSV, JSON and Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from pipeline import artifacts, csvfile
from pipeline.metrics.published import N_TEST, PAPER_PER_ACCURACY, TABLE3, Table3Row
from pipeline.speechllm.evaluate import SpeechLlmFigures

FIGURES = tuple(field.name for field in fields(Table3Row) if field.name not in ("trained", "epoch"))
BEST_EPOCH = 3  # of the paper's LoRA rows, which its text reports
WITHIN = 0.05
STAND_IN = (
    "This run trained a stand-in that is built here, not Phi-4: the figures show whether the way from prompt to answer "
    "works, and reproduce nothing. The paper's are of another model."
)


@dataclass(frozen=True)
class Beside:
    """`difference` is ours less the paper's; `within_5_percent` of the paper's value. Of a stand-in both are None: it
    is no reproduction that could be near or far."""

    ours: float | None
    paper: float
    difference: float | None
    within_5_percent: bool | None


def table3(
    figures: SpeechLlmFigures, trained: str = "LoRA", epoch: int = BEST_EPOCH, *, stand_in: bool = False
) -> dict[str, Beside]:
    """Beside the paper's row for `trained` (LoRA, unfrozen or none) after `epoch`, or its last one before that."""
    rows = [row for row in TABLE3 if row.trained == trained and row.epoch <= epoch]
    paper = max(rows, key=lambda row: row.epoch) if rows else next(row for row in TABLE3 if row.trained == trained)
    ours: dict[str, float | None] = {f"{aspect}_pcc": score.pcc for aspect, score in figures.utterance.items()}
    ours |= {"wer": figures.wer, "per": figures.per, **figures.phone_match}
    return {name: _beside(ours.get(name), float(getattr(paper, name)), stand_in) for name in FIGURES}


def write_table3(folder: Path, table: dict[str, Beside], figures: SpeechLlmFigures, *, stand_in: bool = False) -> None:
    """`table3.json`, `table3.csv` and `table3.md`."""
    artifacts.write_json(folder / "table3.json", {"table3": table, "figures": figures, "stand_in": stand_in})
    csvfile.write(
        folder / "table3.csv",
        ("figure", "ours", "paper", "difference", "within_5_percent"),
        ((name, row.ours, row.paper, row.difference, row.within_5_percent) for name, row in table.items()),
    )
    artifacts.write_text(folder / "table3.md", markdown(table, figures, stand_in=stand_in))


def markdown(table: dict[str, Beside], figures: SpeechLlmFigures, *, stand_in: bool = False) -> str:
    lines = [STAND_IN, ""] if stand_in else []
    lines += ["| | ours | paper | difference | within 5 % |", "|---|---|---|---|---|"]
    for name, row in table.items():
        lines.append(
            f"| {name} | {_number(row.ours)} | {row.paper:.3f} | {_number(row.difference, sign=True)} | "
            f"{'-' if row.within_5_percent is None else 'yes' if row.within_5_percent else 'no'} |"
        )
    unparsed = ", ".join(f"{figures.unparsed[task]} of {figures.n[task]} {task.upper()}" for task in figures.n)
    measured = f"part {figures.part}" if figures.part else "held-out speakers"
    lines += [
        "",
        f"Ours on {measured}, n {figures.n.get('apa', 0)}; the paper's on the part test, n {N_TEST}. Answers that "
        f"could not be read, counted against the model: {unparsed}. F1, precision and recall match phones, as in the "
        f"paper; the field's mispronunciation F1 is {_number(figures.mdd.get('f1'))}.",
        "",
        "PER against accuracy: "
        + "; ".join(
            f"{label} r {_number(figures.per_accuracy.get(name))} (paper {PAPER_PER_ACCURACY[name]:.3f})"
            for name, label in (("reference", "the experts'"), ("predicted", "the predicted one"))
        )
        + ".",
    ]
    return "\n".join(lines) + "\n"


def side_by_side(tables: Mapping[str, Mapping[str, Beside]]) -> str:
    """Several runs in one Markdown table, each beside the paper's row for it."""
    columns = [column for name in tables for column in (name, "paper")]
    lines = [f"| | {' | '.join(columns)} |", f"|---{'|---' * len(columns)}|"]
    for figure in FIGURES:
        values = [v for table in tables.values() for v in (_number(table[figure].ours), f"{table[figure].paper:.3f}")]
        lines.append(f"| {figure} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n"


def _beside(ours: float | None, paper: float, stand_in: bool) -> Beside:
    if ours is None or stand_in:
        return Beside(ours, paper, None, None)
    return Beside(ours, paper, ours - paper, abs(ours - paper) <= WITHIN * abs(paper))


def _number(value: float | None, *, sign: bool = False) -> str:
    return "-" if value is None else f"{value:+.3f}" if sign else f"{value:.3f}"
