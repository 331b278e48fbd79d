"""What the Results page asks for: evaluations, the table of results, and the figures and tables drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.people.access import Action

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.evaluation.results_table import ResultRow
    from pipeline.evaluation.saved import SavedEvaluation
    from pipeline.runs import DamagedRun, RunRecord

AGE_EDGES = (0, 8, 12, 16, 25, 40, 120)
AGE_GROUPS = ("0-8", "9-12", "13-16", "17-25", "26-40", "41+")

Utterances = Sequence[Mapping[str, Any]]  # rows of an evaluation, see `pipeline.evaluation.saved`


@asks(Action.SEE_RESULTS)
def evaluations() -> list[SavedEvaluation]:
    """Evaluations of speech scorers: those of this installation, newest first, and those of released models."""
    from pipeline.evaluation.saved import read_evaluations

    return read_evaluations(settings())


@asks(Action.SEE_RESULTS)
def result_rows(run_ids: list[str] | None) -> list[ResultRow]:
    """The rows of the results table, with these fine-tuning runs."""
    from pipeline.evaluation import results_table

    return results_table.result_rows(settings(), run_ids)


@asks(Action.SEE_RESULTS)
def finished_finetunings() -> list[RunRecord]:
    """Fine-tuning runs of the speech language model that left a Table 3."""
    from pipeline.evaluation.results_table import finished_runs

    return finished_runs(settings())


@asks(Action.SEE_RESULTS)
def damaged_runs() -> Sequence[DamagedRun]:
    """Run folders that cannot be read."""
    from pipeline.runs import scan_runs

    return scan_runs(settings().runs_root).damaged


def aspect_table(utterances: Utterances, aspect: str) -> pd.DataFrame:
    """One row per utterance, scores 0-100: expert, predicted, speaker, text, age, age_group, scorer, scoring_method."""
    import pandas as pd

    ages = [row.get("age") for row in utterances]
    groups = pd.cut(pd.Series(ages, dtype=float), list(AGE_EDGES), labels=list(AGE_GROUPS))
    return pd.DataFrame(
        {
            "expert": [10.0 * row["reference"][aspect] for row in utterances],
            "predicted": [10.0 * row["predicted"][aspect] for row in utterances],
            "speaker": [row["speaker"] for row in utterances],
            "text": [row["text"] for row in utterances],
            "age": ages,
            "age_group": groups.astype(object).where(groups.notna(), "?"),
            "scorer": "speech",
            "scoring_method": "ml_model",
        }
    )


def rater_table(utterances: Utterances, aspect: str) -> pd.DataFrame:
    """One row per utterance and expert, as `aspect_table`, with `rater`: the number of the expert."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "expert": 10.0 * value, "predicted": 10.0 * row["predicted"][aspect], "rater": str(number + 1),
                "scorer": "speech", "scoring_method": "ml_model", "speaker": row["speaker"], "text": row["text"],
            }
            for row in utterances
            for number, value in enumerate((row.get("experts") or {}).get(aspect, []))
        ]
    )  # fmt: skip
