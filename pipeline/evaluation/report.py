"""What an evaluation reports: metrics on every level, and the largest errors."""

from dataclasses import dataclass, field

from pipeline.evaluation.rejection import RejectionReport
from pipeline.evaluation.robustness import RobustnessReport
from pipeline.metrics.bands import BandAgreement
from pipeline.metrics.mdd import MddMetrics, PhoneMatch
from pipeline.metrics.pronunciation import Correlation


@dataclass(frozen=True)
class ScoredRecording:
    """One recording with both pairs, 0-100."""

    recording_id: str
    speaker: str
    text: str
    expert: float
    predicted: float


@dataclass(frozen=True)
class EvaluationReport:
    """Metrics of one scorer over `n` recordings that it scored and that have a reference score (0-100).

    `failed` recordings could not be scored; they are counted and left out, as are `n_not_held_out`, whose speakers
    the model was trained on without an out-of-fold prediction, and `n_by_rule`, which a learned scorer left to the
    heuristic. `states` counts the recordings by what became of them (scored, other text and the like).
    `human_ceiling` is one expert against the median of the others on the overall score, averaged over the experts;
    `human` is the PCC of the same for each aspect. `utterance` to `per_accuracy` are those of
    `metrics/pronunciation.py`; `unparsed` answers of a language model could not be read and count against it (None
    for other scorers), `answers` has how many of each task there were; a `stand_in` is a language model that is
    built here, not Phi-4; `real_time_factor` is seconds of scoring per second of audio.
    """

    scorer: str
    model_id: str
    source: str
    part: str
    reference: str
    n: int
    failed: int
    n_not_held_out: int
    n_by_rule: int
    mae: float | None
    rmse: float | None
    r2: float | None
    pcc: float | None
    spearman: float | None
    bias: float | None
    within_5: float | None
    within_10: float | None
    intervals: dict[str, tuple[float, float]]
    human_ceiling: dict[str, float] = field(default_factory=dict)
    utterance: dict[str, Correlation] = field(default_factory=dict)
    bands: BandAgreement | None = None
    word: dict[str, Correlation] = field(default_factory=dict)
    phone: Correlation | None = None
    mdd: dict[str, float | int | None] | None = None
    phone_match: PhoneMatch | None = None
    per: float | None = None
    per_told: float | None = None
    wer: float | None = None
    unparsed: int | None = None
    answers: dict[str, dict[str, int]] = field(default_factory=dict)
    stand_in: bool = False
    per_accuracy: dict[str, float | None] = field(default_factory=dict)
    human: dict[str, float] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    real_time_factor: float | None = None
    rejection: RejectionReport | None = None
    robustness: RobustnessReport | None = None
    worst: tuple[ScoredRecording, ...] = ()
    milliseconds_median: float | None = None
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def mdd_figures(counts: MddMetrics) -> dict[str, float | int | None]:
    """Counts and the rates that follow from them."""
    rates = ("precision", "recall", "f1", "false_rejection_rate", "false_acceptance_rate", "diagnosis_error_rate")
    return {**{name: getattr(counts, name) for name in rates}, **vars(counts)}
