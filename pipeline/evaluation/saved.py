"""Evaluations of this installation, stored so that pages can show them.

    <data root>/evaluations/<model>--<source>--<part>.json        the report
    <data root>/evaluations/<model>--<source>--<part>.rows.jsonl  one object an utterance: both pairs

A released model's figures lie in its own folder as `evaluation.json`, without rows: those belong to the corpus.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import artifacts, jsonl
from pipeline.corpus.readers.items import CorpusItem
from pipeline.i18n import _
from pipeline.metrics.pronunciation import UtterancePair, utterance_per
from pipeline.model_names import PRONLAB, label
from pipeline.records import to_json
from pipeline.settings import Settings

RELEASED_FILE = "evaluation.json"


@dataclass(frozen=True)
class SavedEvaluation:
    """A stored report as JSON, where its rows are (None: figures only), and whether it is of the speech model that
    comes with Pronlab."""

    report: dict[str, Any]
    rows_file: Path | None
    is_released: bool = False

    @property
    def name(self) -> str:
        return self.name_with(str(self.report["model_id"]))

    @property
    def model_label(self) -> str:
        return PRONLAB if self.is_released else label(str(self.report["model_id"]))

    @property
    def short_name(self) -> str:
        """What fits beside figures on a phone: without the set."""
        part = self.report.get("part")
        return f"{self.model_label}, {part}" if part else self.model_label

    @property
    def source(self) -> str:
        """The set or the corpus of the manifest."""
        return str(Path(self.report["source"]).parent.name or self.report["source"])

    def name_with(self, model: str) -> str:
        """The name with another name for the model."""
        source, part = self.source, self.report.get("part")
        name = _("{model} on {source}, part {part}") if part else _("{model} on {source}")
        return name.format(model=model, source=source, part=part)

    def rows(self) -> list[dict[str, Any]]:
        """One object per utterance; none where only figures were kept."""
        if self.rows_file is None or not self.rows_file.is_file():
            return []
        return list(jsonl.read(self.rows_file))


def save_evaluation(
    settings: Settings, report: Any, items: Sequence[CorpusItem], pairs: Sequence[UtterancePair]
) -> Path:
    """Keep a report with its utterances, in place of an earlier one of the same model, source and part."""
    raw = to_json(report)
    parts = (raw["model_id"], Path(raw["source"]).parent.name or raw["source"], raw["part"] or "all")
    stem = "--".join(re.sub(r"[^\w.-]+", "-", str(part)) for part in parts)
    rows = [_row(item, pair) for item, pair in zip(items, pairs, strict=True)]
    file = settings.evaluations_root / f"{stem}.json"
    jsonl.write(file.with_suffix(".rows.jsonl"), rows)
    artifacts.write_json(file, raw)
    return file


def read_evaluations(settings: Settings) -> list[SavedEvaluation]:
    """Those run here, newest first, then those of released models that were not run here. Damaged files are passed
    over."""
    here = sorted(settings.evaluations_root.glob("*.json"), key=lambda file: -file.stat().st_mtime)
    released = [report for _file, report in _readable(sorted(settings.released_models.glob(f"*/{RELEASED_FILE}")))]
    ids = {report["model_id"] for report in released}
    evaluations = [
        SavedEvaluation(report, file.with_suffix(".rows.jsonl"), report["model_id"] in ids)
        for file, report in _readable(here)
    ]
    known = {(e.report.get("model_id"), e.report.get("part")) for e in evaluations}
    for report in released:
        if (report.get("model_id"), report.get("part")) not in known:
            evaluations.append(SavedEvaluation(report, None, is_released=True))
    return evaluations


def _readable(files: Iterable[Path]) -> list[tuple[Path, dict[str, Any]]]:
    readable = []
    for file in files:
        try:
            report = artifacts.read_json(file)
        except (OSError, ValueError):
            continue
        if isinstance(report, dict) and {"model_id", "utterance", "source"} <= report.keys():
            readable.append((file, report))
    return readable


def _row(item: CorpusItem, pair: UtterancePair) -> dict[str, Any]:
    has_phones = pair.perceived is not None and pair.recognised_phones is not None
    return {
        "id": item.key,
        "speaker": pair.speaker,
        "text": item.text,
        "age": item.extra.get("age"),
        "gender": item.extra.get("gender"),
        "reference": pair.reference,
        "predicted": pair.predicted,
        "experts": item.experts,
        "per": utterance_per(pair.perceived or (), pair.recognised_phones or ()) if has_phones else None,
    }
