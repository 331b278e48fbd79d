"""The table of results: evaluations, fine-tuning runs, published systems and people, one row each; stand-ins last."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.evaluation.saved import SavedEvaluation, read_evaluations
from pipeline.i18n import N_, _
from pipeline.metrics.published import HUMAN, PAPER, PUBLISHED, Making, SystemResult
from pipeline.model_names import label, unlike
from pipeline.runs import RunRecord, scan_runs
from pipeline.scoring.speech.model_files import FILES, INFO_FILE
from pipeline.settings import Settings
from pipeline.speechllm.model_files import is_stand_in

ASPECTS = ("accuracy", "fluency", "prosodic", "total")
LABELS = {
    "system": N_("System"), "accuracy": N_("Accuracy"), "fluency": N_("Fluency"), "prosodic": N_("Prosody"),
    "total": N_("Total"), "gap": N_("Total − paper"), "word": N_("Word"), "phone": N_("Phone"), "mdd_f1": "MDD F1",
    "phone_match_f1": N_("Phone match F1"), "per": "PER", "wer": "WER", "told": N_("Told the text"), "n": "n",
    "source": N_("Source"),
}  # fmt: skip
OURS = N_("this installation")
RATES = ("per", "wer")
STAND_IN = "stand_in"


@dataclass(frozen=True)
class ResultRow(SystemResult):
    """`kind` is here (an evaluation), run, published, human or stand_in (an evaluation or run of a model that is built
    here in Phi-4's place); `gap` is the total less the paper's (arXiv 2509.02915, Table 3, its best row)."""

    kind: str = "here"

    @property
    def gap(self) -> float | None:
        return self.gaps.get("total")

    @property
    def gaps(self) -> dict[str, float]:
        """PCC less the paper's, of each aspect that was measured; none of a stand-in, which reproduces nothing."""
        if self.kind == STAND_IN:
            return {}
        measured = {name: getattr(self, name) for name in ASPECTS}
        return {name: value - getattr(PAPER, name) for name, value in measured.items() if value is not None}

    def values(self) -> dict[str, Any]:
        """By the names of `LABELS`, in their order."""
        return {name: getattr(self, name) for name in LABELS}


def result_rows(settings: Settings, run_ids: Collection[str] | None = None) -> list[ResultRow]:
    """Evaluations first, then finished fine-tuning runs (those of `run_ids`; by default all), one expert against the
    others, then published systems from best to worst total; stand-ins stand apart from all of them, at the end."""
    chosen = [run for run in finished_runs(settings) if run_ids is None or run.directory.id in run_ids]
    made = _makings(settings)
    rows = [
        *(of_evaluation(evaluation, made) for evaluation in read_evaluations(settings)),
        *(row for run in chosen if (row := of_run(run)) is not None),
    ]
    names = unlike(row.short_name for row in rows)
    ours = [replace(row, short_name=name) for row, name in zip(rows, names, strict=True)]
    return [
        *(row for row in ours if row.kind != STAND_IN),
        of_published(HUMAN),
        *(of_published(system) for system in sorted(PUBLISHED, key=lambda system: -(system.total or 0.0))),
        *(row for row in ours if row.kind == STAND_IN),
    ]


def of_evaluation(evaluation: SavedEvaluation, made: Mapping[str, Making]) -> ResultRow:
    """`made` is what is known of the models that are at hand, by their ids."""
    report = evaluation.report
    levels = report["utterance"]
    utterance: dict[str, Any] = {aspect: (levels.get(aspect) or {}).get("pcc") for aspect in ASPECTS}
    return ResultRow(
        evaluation.name,
        OURS,
        **utterance,
        word=((report.get("word") or {}).get("accuracy") or {}).get("pcc"),
        phone=(report.get("phone") or {}).get("pcc"),
        mdd_f1=(report.get("mdd") or {}).get("f1"),
        phone_match_f1=(report.get("phone_match") or {}).get("f1"),
        per=report.get("per"),
        wer=report.get("wer"),
        told=False,
        n=int(report["n"]),
        short_name=evaluation.short_name,
        kind=STAND_IN if report.get("stand_in") else "here",
        making=made.get(str(report["model_id"]), Making()),
    )


def _makings(settings: Settings) -> dict[str, Making]:
    """Of the deployed and the released speech models. Damaged folders are passed over."""
    made = {}
    for root in (settings.released_models, settings.deployed_root):
        for file in sorted(root.glob(f"*/{INFO_FILE}")):
            try:
                info = artifacts.read_json(file)
                size_mb = sum(path.stat().st_size for path in map(file.with_name, FILES) if path.is_file()) / 1e6
                made[str(info["model_id"])] = Making(
                    str(info.get("encoder") or ""), f"{size_mb:.0f} MB", size_mb,
                    selected=N_("training speakers that were held out"), public=N_("code, weights"),
                )  # fmt: skip
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue
    return made


def finished_runs(settings: Settings) -> list[RunRecord]:
    """The fine-tuning runs that left a Table 3, newest first."""
    return [
        run
        for run in scan_runs(settings.runs_root).records
        if (run.directory.path / "table3.json").is_file() and run.state.status == "finished"
    ]


def of_run(run: RunRecord) -> ResultRow | None:
    """From its Table 3; None where its files were damaged."""
    try:
        content = artifacts.read_json(run.directory.path / "table3.json")
        table, figures = content["table3"], content["figures"]
        part = figures.get("part")  # as it was found, where the settings leave it open
        source = run.config.get("set") or Path(str(run.config.get("manifest"))).parent.name
        utterance: dict[str, Any] = {aspect: _figure(table[f"{aspect}_pcc"]["ours"]) for aspect in ASPECTS}
        name = _("run {run} on {source}, part {part}") if part else _("run {run} on {source}, held-out speakers")
        return ResultRow(
            name.format(run=run.directory.id, source=source, part=part),
            OURS,
            **utterance,
            mdd_f1=_figure(figures["mdd"].get("f1")),
            phone_match_f1=_figure(table["f1"]["ours"]),
            per=_figure(table["per"]["ours"]),
            wer=_figure(table["wer"]["ours"]),
            told=False,
            n=int(figures["n"]["apa"]),
            short_name=label(run.directory.id),
            kind=STAND_IN if is_stand_in(str(run.config.get("model"))) else "run",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _figure(value: Any) -> float | None:
    return None if value is None else float(value)


def of_published(system: SystemResult) -> ResultRow:
    return ResultRow(**vars(system), kind="human" if system is HUMAN else "published")
