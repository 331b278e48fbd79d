"""Current ratings as tables for agreement: items x raters for each dimension, whoever the ratings came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.sets import RecordingSet
from pipeline.metrics.rater_agreement import Agreement, agreement
from pipeline.records import RubricName
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.library import RubricLibrary

if TYPE_CHECKING:
    import pandas as pd

OVERALL = "score"


@dataclass(frozen=True)
class RatingsTable:
    """`dimensions` maps a name to [items, raters], NaN where a rater did not rate; ids, speakers and texts name the
    items, `raters` the columns. `bands` has the lower bounds of a dimension's verbal bands."""

    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    raters: tuple[str, ...]
    dimensions: dict[str, NDArray[np.float64]]
    bands: dict[str, tuple[float, ...]]

    def agreement(self, dimension: str) -> Agreement:
        """With intervals over speakers, where there are enough of them to draw from."""
        clusters = self.speakers if len(set(self.speakers)) >= 10 else None
        return agreement(
            self.dimensions[dimension], self.raters, clusters=clusters, bands=self.bands.get(dimension, ())
        )


def of_items(items: Sequence[CorpusItem]) -> RatingsTable:
    """A corpus's own experts, as its manifest has them; utterances without experts are left out."""
    rated = [item for item in items if item.experts]
    n = max((len(values) for item in rated for values in item.experts.values()), default=0)
    names = list(dict.fromkeys(name for item in rated for name in item.experts))
    tables = {name: np.full((len(rated), n), np.nan) for name in names}
    for row, item in enumerate(rated):
        for name, values in item.experts.items():
            tables[name][row, : len(values)] = values
    return RatingsTable(
        tuple(item.key for item in rated),
        tuple(item.speaker for item in rated),
        tuple(item.text for item in rated),
        tuple(f"expert_{k + 1}" for k in range(n)),
        tables,
        bands_of(RUBRICS[RubricName.SENTENCE]),
    )


def rubrics_of(labels: "pd.DataFrame", library: RubricLibrary, set_: RecordingSet) -> list[Rubric]:
    """With which the ratings among `Index.labels` of a set were given: the one that the set names first, then the most
    used; never empty."""
    rated = labels[labels["action"] == "rate"]
    names = rated["rubric"].str.split("@").str[0].replace("", str(set_.rubric)).value_counts().index
    known = {rubric.name: rubric for rubric in library.all()}
    used = [known[name] for name in names if name in known] or [library.of_set(set_)]
    return sorted(used, key=lambda rubric: rubric.name != set_.rated_with)


def of_frame(labels: "pd.DataFrame", rubric: Rubric, library: RubricLibrary) -> RatingsTable:
    """Of `Index.labels`, the ratings that were given with this rubric, whichever its version; skips and flags do not
    count. Each dimension has a table; a rating that has only a score (from an older tool) counts where there is one."""
    rated = labels[labels["action"] == "rate"]
    rated = rated[rated["rubric"].str.split("@").str[0].replace("", str(rubric.unit)) == rubric.name]
    items = rated.drop_duplicates("recording_id")
    row_of = {key: row for row, key in enumerate(items["recording_id"])}
    raters = sorted(rated["evaluator"].unique())
    column_of = {name: column for column, name in enumerate(raters)}
    rows = rated["recording_id"].map(row_of).to_numpy(dtype=np.intp)
    columns = rated["evaluator"].map(column_of).to_numpy(dtype=np.intp)

    def table(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full((len(items), len(raters)), np.nan)
        found[rows, columns] = values
        return found

    dimensions: dict[str, NDArray[np.float64]] = {}
    if not rubric.is_score:
        given = [
            library.values_on(rubric, artifacts.loads(text), reference)
            for text, reference in zip(rated["dimensions"], rated["rubric"], strict=True)
        ]
        dimensions = {
            dimension.key: table(np.asarray([values.get(dimension.key, np.nan) for values in given]))
            for dimension in rubric.dimensions
            if any(dimension.key in values for values in given)
        }
    if not dimensions:
        dimensions = {OVERALL: table(rated["score"].to_numpy(dtype=np.float64))}
    return RatingsTable(
        tuple(items["recording_id"]), tuple(items["speaker"]), tuple(items["text"]), tuple(raters), dimensions,
        bands_of(rubric),
    )  # fmt: skip


def bands_of(rubric: Rubric) -> dict[str, tuple[float, ...]]:
    return {dimension.key: tuple(sorted(level.low for level in dimension.levels)) for dimension in rubric.dimensions}


def as_json(found: Mapping[str, Agreement]) -> dict[str, dict[str, object]]:
    """Plain figures a dimension, each with its interval, and the reason where it could not be had."""
    lines: dict[str, dict[str, object]] = {}
    for name, one in found.items():
        line: dict[str, object] = {"n": one.n, "n_rated": one.n_rated, "icc_over": one.icc_over}
        for key in ("alpha", "icc", "icc_k", "kappa", "leave_one_out"):
            estimate = getattr(one, key)
            line |= {key: estimate.value, f"{key}_interval": estimate.interval}
            if estimate.reason:
                line[f"{key}_reason"] = estimate.reason
        line["raters"] = [
            {
                "name": rater.name, "n": rater.n, "mean": rater.mean, "severity": rater.severity.value,
                "severity_interval": rater.severity.interval, "leave_one_out": rater.leave_one_out.value,
            }
            for rater in one.raters
        ]  # fmt: skip
        line["pairs"] = [
            {"a": p.a, "b": p.b, "n": p.n, "mae": p.mae.value, "bias": p.bias.value, "kappa": p.kappa.value}
            for p in one.pairs
        ]
        lines[name] = line
    return lines
