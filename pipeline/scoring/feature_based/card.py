"""The model card that goes with the three files: what it is for, on what it was trained, how well it does."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import artifacts
from pipeline.markdown import code_span, literal
from pipeline.metrics.regression import TARGETS, RegressionMetrics
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.model_files import CARD_FILE
from pipeline.scoring.feature_based.model_info import ModelInfo
from pipeline.scoring.feature_based.split import HELD_OUT

if TYPE_CHECKING:
    from pipeline.evaluation.report import EvaluationReport
    from pipeline.scoring.feature_based.train import TrainingReport

N_IMPORTANT = 8


def write_card(folder: Path, info: ModelInfo, report: "TrainingReport", config: TrainConfig) -> None:
    kind = (
        f"network {' -> '.join(map(str, info.architecture))}"
        if info.architecture
        else f"{config.model} of {config.trees} trees"
    )
    rows = [_row(f"**this model** ({info.kind})", report.metrics)]
    rows += [_row(name, figures) for name, figures in report.baselines.items()]
    important = [f"`{name}` ({rise:.2f})" for name, rise in list(report.importance.items())[:N_IMPORTANT] if rise > 0]
    part = f", part {code_span(info.part)}" if info.part else ""
    sources = ", ".join(info.label_sources)
    labels = "mock labels" if info.labels == "mock" else f"{sources} ratings"
    reached = ", ".join(f"{t.label}: {t.reached(getattr(report.metrics, t.metric))}" for t in TARGETS)
    text = f"""# {literal(info.model_id, begins=False)}

Scores a recording 0-100 from {len(info.feature_names)} `{info.extractor}` features ({info.rubric} rubric); {kind}.

- For: {_use(info)}
- Not for: {_limits(info)}
- Trained on {code_span(info.trained_on)}{part}: {info.n_recordings} recordings of {info.n_speakers} speakers; {labels}.
  Seed {info.seed}, data hash `{info.data_hash}`, commit `{info.git_commit}`, {info.created_at[:10]}.
- The figures are out-of-fold over {len(report.fold_mae)} folds, on {HELD_OUT[info.split]}. In brackets the 95 %
  bootstrap interval over {info.split}s.
- The weights are under this project's licence (MIT); the recordings keep their own.

| | MAE | RMSE | R² | PCC | within 5 | within 10 |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Targets of the word scorer: {reached}. MAE of the folds: {", ".join(f"{mae:.1f}" for mae in report.fold_mae)}.

Features that matter most (rise of MAE in points when shuffled): {", ".join(important) or "not measured"}.

{_warning_lines(report)}
Made by {code_span(_command(config))}.
"""
    artifacts.write_text(folder / CARD_FILE, text)


def write_evaluation(folder: Path, report: "EvaluationReport") -> None:
    """Put what was measured on other recordings at the end of the card, in place of an earlier one of the same."""
    card = folder / CARD_FILE
    title = f"On {Path(report.source).parent.name or report.source}{f', part {report.part}' if report.part else ''}"
    title = literal(f"{title} ({report.reference} scores)", begins=False)
    before = card.read_text(encoding="utf-8") if card.is_file() else f"# {literal(report.model_id, begins=False)}\n"
    kept = [section for section in before.split("\n## ") if not section.startswith(title + "\n")]
    text = f"""{title}

{report.n} recordings against the {report.reference} scores; {report.failed} could not be scored. In brackets the 95 %
bootstrap interval over speakers.

| | MAE | RMSE | R² | PCC | within 5 | within 10 |
|---|---|---|---|---|---|---|
{_row("**this model**", report)}
{_ceiling_row(report.human_ceiling)}
"""
    artifacts.write_text(card, "\n## ".join([*(section.rstrip() + "\n" for section in kept), text]))


def _ceiling_row(human: dict[str, float]) -> str:
    cells = [
        f"{human[key]:.{n}f}" if key in human else "-" for key, n in (("mae", 2), ("rmse", 2), ("r2", 3), ("pcc", 3))
    ]
    cells += [f"{100 * human[key]:.0f} %" if key in human else "-" for key in ("within_5", "within_10")]
    return f"| one expert against the median of the others | {' | '.join(cells)} |"


def _row(name: str, figures: "RegressionMetrics | EvaluationReport") -> str:
    cells = [_figure(figures, key, digits) for key, digits in (("mae", 2), ("rmse", 2), ("r2", 3), ("pcc", 3))]
    cells += [_share(figures, "within_5"), _share(figures, "within_10")]
    return f"| {name} | " + " | ".join(cells) + " |"


def _figure(figures: "RegressionMetrics | EvaluationReport", key: str, digits: int) -> str:
    value = getattr(figures, key)
    if value is None:
        return "-"
    low_high = figures.intervals.get(key)
    bracket = f" [{low_high[0]:.{digits}f}, {low_high[1]:.{digits}f}]" if low_high else ""
    return f"{value:.{digits}f}{bracket}"


def _share(figures: "RegressionMetrics | EvaluationReport", key: str) -> str:
    value = getattr(figures, key)
    return "-" if value is None else f"{100 * value:.0f} %"


def _warning_lines(report: "TrainingReport") -> str:
    return "".join(f"> {warning}\n" for warning in report.warnings[:5]) + ("\n" if report.warnings else "")


def _use(info: ModelInfo) -> str:
    texts = "single words" if info.rubric == "word" else "read sentences"
    if info.label_sources == ("synthetic",):
        return (
            f"trying the dashboard with {texts} ({info.language}); its labels are a speech synthesiser's known faults."
        )
    return f"{texts} ({info.language}) of speakers like those it was trained on, beside an expert."


def _limits(info: ModelInfo) -> str:
    limits = "grades, examinations or any decision about a person"
    blind = info.extractor in ("acoustic57", "timing", "encoder")
    return f"{limits}; {'telling which words were said' if blind else 'words without a reference recording'}."


def _command(config: TrainConfig) -> str:
    """The command line that makes the same model from the same data."""
    options = ["pronlab train word"]
    default = TrainConfig(set="x")
    for field in fields(TrainConfig):
        value = getattr(config, field.name)
        if value != getattr(default, field.name) and not isinstance(value, tuple):
            shown = Path(value).name if field.name == "csv" else value
            options.append(f"--{field.name.replace('_', '-')}{'' if value is True else f' {shown}'}")
    return " ".join(options)
