"""What a model of features is: `model_info.json` as a record."""

from dataclasses import dataclass, field
from typing import Any

from pipeline.regressors.confidence import ConfidenceBin


@dataclass(frozen=True)
class ModelInfo:
    """Everything but the numbers. `test` holds the out-of-fold figures, or those the maker states; `split` is what the
    folds kept together (see `split`). A model `from_elsewhere` came with a description in another form."""

    model_id: str
    kind: str
    feature_names: tuple[str, ...]
    extractor: str = "acoustic57"
    extractor_version: str = ""
    architecture: tuple[int, ...] = ()
    rubric: str = "word"
    language: str = "und"
    labels: str = "real"
    label_sources: tuple[str, ...] = ()
    trained_on: str = ""
    part: str = ""
    n_recordings: int = 0
    n_speakers: int = 0
    split: str = "speaker"
    seed: int = 0
    created_at: str = ""
    git_commit: str | None = None
    data_hash: str = ""
    from_elsewhere: bool = False
    test: dict[str, Any] = field(default_factory=dict)
    confidence: tuple[ConfidenceBin, ...] = ()
