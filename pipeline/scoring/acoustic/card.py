"""The model card that goes with the three files."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import artifacts
from pipeline.metrics.regression import TARGETS, RegressionMetrics
from pipeline.scoring.acoustic.config import TrainConfig
from pipeline.scoring.acoustic.model_files import CARD_FILE, ModelInfo

if TYPE_CHECKING:
    from pipeline.scoring.acoustic.train import TrainingReport

N_IMPORTANT = 8


def write_card(folder: Path, info: ModelInfo, report: "TrainingReport", config: TrainConfig) -> None:
    kind = (
        f"network {' -> '.join(map(str, info.architecture))}"
        if info.architecture
        else f"forest of {config.trees} trees"
    )
    rows = [_row(f"**this model** ({info.kind})", report.metrics)]
    rows += [_row(name, figures) for name, figures in report.baselines.items()]
    important = [f"`{name}` ({rise:.2f})" for name, rise in list(report.importance.items())[:N_IMPORTANT] if rise > 0]
    part = f", part `{info.part}`" if info.part else ""
    reached = ", ".join(f"{t.label}: {t.reached(getattr(report.metrics, t.metric))}" for t in TARGETS)
    text = f"""# {info.model_id}

Scores a recording 0-100 from {len(info.feature_names)} `{info.extractor}` features ({info.rubric} rubric); {kind}.

- Trained on `{info.trained_on}`{part}: {info.n_recordings} recordings of {info.n_speakers} speakers;
  labels: {info.labels} ({", ".join(info.label_sources)}). Seed {info.seed}, data hash `{info.data_hash}`,
  commit `{info.git_commit}`, {info.created_at[:10]}.
- The figures are out-of-fold over {config.folds} speaker-disjoint folds: nobody is judged by a model that has heard
  their voice. In brackets the 95 % bootstrap interval over speakers.

| | MAE | RMSE | R² | PCC | within 5 | within 10 |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Targets of the word scorer: {reached}. MAE of the folds: {", ".join(f"{mae:.1f}" for mae in report.fold_mae)}.

Features that matter most (rise of MAE in points when shuffled): {", ".join(important) or "not measured"}.

{_warning_lines(report)}
Made by `pronlab train word {_source(config)} --model {config.model} --extractor {config.extractor} --labels \
{config.labels} --seed {config.seed} --folds {config.folds}`.
"""
    artifacts.write_text(folder / CARD_FILE, text)


def _row(name: str, figures: RegressionMetrics) -> str:
    cells = [_figure(figures, key, digits) for key, digits in (("mae", 2), ("rmse", 2), ("r2", 3), ("pcc", 3))]
    cells += [_share(figures, "within_5"), _share(figures, "within_10")]
    return f"| {name} | " + " | ".join(cells) + " |"


def _figure(figures: RegressionMetrics, key: str, digits: int) -> str:
    value = getattr(figures, key)
    if value is None:
        return "-"
    low_high = figures.intervals.get(key)
    bracket = f" [{low_high[0]:.{digits}f}, {low_high[1]:.{digits}f}]" if low_high else ""
    return f"{value:.{digits}f}{bracket}"


def _share(figures: RegressionMetrics, key: str) -> str:
    value = getattr(figures, key)
    return "-" if value is None else f"{100 * value:.0f} %"


def _warning_lines(report: "TrainingReport") -> str:
    return "".join(f"> {warning}\n" for warning in report.warnings[:5]) + ("\n" if report.warnings else "")


def _source(config: TrainConfig) -> str:
    source = f"--set {config.set}" if config.set else f"--csv {Path(config.csv).name}"
    return f"{source} --part {config.part}" if config.part else source
