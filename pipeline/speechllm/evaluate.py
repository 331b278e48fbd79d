"""Let the model answer about recordings, and set its answers beside the experts': Table 3 of arXiv 2509.02915.

An answer that cannot be read counts against the model. For the correlations it stands for a middling score (5): left
out, it would leave the figures of what remains better than the model is. For the error rates nothing was recognised.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import jsonl
from pipeline.metrics.correlation import pearson
from pipeline.metrics.mdd import mdd, phone_match
from pipeline.metrics.pronunciation import utterance_per
from pipeline.metrics.transcription import error_rate
from pipeline.parallel import Progress
from pipeline.speechllm.answers import UNPARSED_SCORE, parse_apa, parse_mdd
from pipeline.speechllm.collator import Collator
from pipeline.speechllm.generation import generate_halving
from pipeline.speechllm.prompts import ASPECTS
from pipeline.speechllm.samples import Sample
from pipeline.text.words import words_of


@dataclass(frozen=True)
class Answered:
    """One sample with the model's words; `read` says whether they could be understood."""

    id: str
    task: str
    expected: str
    answer: str
    read: bool


@dataclass(frozen=True)
class Correlated:
    """PCC with its two-sided p-value, and the mean absolute error."""

    pcc: float | None
    p_value: float | None
    mae: float | None
    n: int


@dataclass(frozen=True)
class SpeechLlmFigures:
    """`utterance` is by aspect; `wer`, `per` are of the transcripts, not told the text; `phone_match` is as in the
    paper's table, `mdd` the field's. `per_accuracy` are correlations of a recording's PER with the experts' accuracy
    and with the predicted one (the paper's Figure 5). `unparsed` answers of each task could not be read as JSON, of
    `n`; `part` is what was measured on."""

    utterance: dict[str, Correlated]
    wer: float | None
    per: float | None
    phone_match: dict[str, float | None]
    mdd: dict[str, float | None]
    n: dict[str, int]
    unparsed: dict[str, int]
    per_accuracy: dict[str, float | None] = field(default_factory=dict)
    part: str = ""


def answer_all(
    collator: Collator,
    samples: Sequence[Sample],
    *,
    batch: int,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> list[Answered]:
    """Greedily, in batches of samples of like length, halved where the memory does not suffice; in the order of
    `samples`."""
    model = collator.phi4.model
    lengths = collator.corpus.rows["n_samples"]
    order = sorted(range(len(samples)), key=lambda k: (samples[k].task, lengths[samples[k].row]))
    was_training, cache = model.training, model.config.use_cache
    model.eval()
    model.config.use_cache = True
    try:
        written = generate_halving(
            collator.phi4, order, lambda part: collator.for_generation([samples[k] for k in part]), batch, progress,
            check_stop,
        )  # fmt: skip
    finally:
        model.train(was_training)
        model.config.use_cache = cache
    texts = dict(zip(order, written, strict=True))
    ids = collator.corpus.rows["id"]
    return [
        Answered(
            ids[sample.row], sample.task, sample.answer, texts[k],
            (parse_apa(texts[k]) if sample.task == "apa" else parse_mdd(texts[k])) is not None,
        )
        for k, sample in enumerate(samples)
    ]  # fmt: skip


def figures(
    collator: Collator, samples: Sequence[Sample], answers: Sequence[Answered], part: str = ""
) -> SpeechLlmFigures:
    """Against the experts' scores as they are, not as the targets round them."""
    table = collator.corpus.rows.remove_columns("samples")
    rows = [table[sample.row] for sample in samples]
    n = {task: sum(s.task == task for s in samples) for task in ("apa", "mdd")}
    unparsed = {task: sum(a.task == task and not a.read for a in answers) for task in ("apa", "mdd")}
    scored = [(row["scores"], parse_apa(a.answer)) for row, a in zip(rows, answers, strict=True) if a.task == "apa"]
    heard = [(row, parse_mdd(a.answer)) for row, a in zip(rows, answers, strict=True) if a.task == "mdd"]
    words = [() if answered is None else answered.words for _, answered in heard]
    phones = [() if answered is None else answered.phones for _, answered in heard]
    experts = [row["heard"] for row, _ in heard]
    match = phone_match(experts, phones) if heard else None
    detected = mdd([row["canonical"] for row, _ in heard], experts, phones) if heard else None
    rates = ("precision", "recall", "f1")
    return SpeechLlmFigures(
        utterance={aspect: _correlated(aspect, scored) for aspect in ASPECTS} if scored else {},
        wer=error_rate([words_of(row["text"], "en") for row, _ in heard], words).rate if heard else None,
        per=error_rate(experts, phones).rate if heard else None,
        phone_match={name: getattr(match, name, None) for name in rates},
        mdd={name: getattr(detected, name, None) for name in rates},
        n=n,
        unparsed=unparsed,
        per_accuracy=_per_accuracy(samples, answers, rows) if heard else {},
        part=part,
    )


def _per_accuracy(
    samples: Sequence[Sample], answers: Sequence[Answered], rows: Sequence[dict[str, Any]]
) -> dict[str, float | None]:
    """Over recordings with both tasks."""
    predicted = {s.row: parse_apa(a.answer) for s, a in zip(samples, answers, strict=True) if s.task == "apa"}
    rates, reference, guessed = [], [], []
    for sample, answered, row in zip(samples, answers, rows, strict=True):
        if sample.task == "apa" or sample.row not in predicted:
            continue
        heard, scores = parse_mdd(answered.answer), predicted[sample.row]
        rates.append(utterance_per(row["heard"], () if heard is None else heard.phones))
        reference.append(float(row["scores"]["accuracy"]))
        guessed.append(UNPARSED_SCORE if scores is None else scores["accuracy"])
    return {"reference": pearson(rates, reference), "predicted": pearson(rates, guessed)} if rates else {}


def write_answers(path: Path, answers: Sequence[Answered]) -> None:
    jsonl.write(path, answers)


def _correlated(aspect: str, scored: Sequence[tuple[dict[str, Any], dict[str, float] | None]]) -> Correlated:
    from scipy import stats

    truth = np.array([float(reference[aspect]) for reference, _ in scored])
    guess = np.array([UNPARSED_SCORE if correlation is None else correlation[aspect] for _, correlation in scored])
    mae = float(np.abs(truth - guess).mean())
    if len(truth) < 3 or np.ptp(truth) == 0 or np.ptp(guess) == 0:
        return Correlated(None, None, mae, len(truth))
    correlation = stats.pearsonr(truth, guess)
    return Correlated(float(correlation.statistic), float(correlation.pvalue), mae, len(truth))
