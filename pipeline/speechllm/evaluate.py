"""Let the model answer about recordings, and set its answers beside the experts': Table 3 of arXiv 2509.02915.

An answer that cannot be read counts against the model. For the correlations it stands for a middling score (5): left
out, it would leave the figures of what remains better than the model is. For the error rates nothing was recognised.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline import jsonl
from pipeline.metrics.mdd import mdd, phone_match
from pipeline.metrics.transcription import error_rate
from pipeline.parallel import Progress
from pipeline.speechllm.answers import parse_apa, parse_mdd
from pipeline.speechllm.collator import Collator
from pipeline.speechllm.prompts import ASPECTS
from pipeline.speechllm.samples import Sample

UNREAD_SCORE = 5.0
MAX_NEW_TOKENS = 400  # the longest answer of speechocean762 takes half of it


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
    """`scores` by aspect; `wer`, `per` of the transcripts, not told the text; `phone_match` as in the paper's table,
    `mdd` the field's. `unread` answers of each task were no JSON that could be understood, of `n`."""

    scores: dict[str, Correlated]
    wer: float | None
    per: float | None
    phone_match: dict[str, float | None]
    mdd: dict[str, float | None]
    n: dict[str, int]
    unread: dict[str, int]


def answer_all(
    collator: Collator,
    samples: Sequence[Sample],
    *,
    batch: int,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
) -> list[Answered]:
    """Greedily, in batches of samples of like length; in the order of `samples`."""
    model, tokenizer = collator.phi4.model, collator.phi4.tokenizer
    lengths = collator.corpus.rows["n_samples"]
    order = sorted(range(len(samples)), key=lambda k: (samples[k].task, lengths[samples[k].row]))
    was_training, cache = model.training, model.config.use_cache
    model.eval()
    model.config.use_cache = True
    texts: dict[int, str] = {}
    try:
        for start in range(0, len(order), batch):
            if check_stop is not None:
                check_stop()
            chosen = order[start : start + batch]
            inputs = collator.for_generation([samples[k] for k in chosen])
            inputs = {name: value.to(collator.phi4.device) for name, value in inputs.items()}
            with torch.inference_mode():
                output = model.generate(
                    **inputs,
                    max_new_tokens=MAX_NEW_TOKENS,
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                    # An untrained model may say it, and would then be given the recording once more.
                    suppress_tokens=[model.config.audio_config.audio_token_id],
                )
            generated = output[:, inputs["input_ids"].shape[1] :]
            for k, text in zip(chosen, tokenizer.batch_decode(generated, skip_special_tokens=True), strict=True):
                texts[k] = text.strip()
            if progress is not None:
                progress(min(start + batch, len(order)), len(order), "Answers")
    finally:
        model.train(was_training)
        model.config.use_cache = cache
    ids = collator.corpus.rows["id"]
    return [
        Answered(
            ids[sample.row], sample.task, sample.answer, texts[k],
            (parse_apa(texts[k]) if sample.task == "apa" else parse_mdd(texts[k])) is not None,
        )
        for k, sample in enumerate(samples)
    ]  # fmt: skip


def figures(collator: Collator, samples: Sequence[Sample], answers: Sequence[Answered]) -> SpeechLlmFigures:
    """Against the experts' scores as they are, not as the targets round them."""
    table = collator.corpus.rows.remove_columns("samples")
    rows = [table[sample.row] for sample in samples]
    n = {task: sum(s.task == task for s in samples) for task in ("apa", "mdd")}
    unread = {task: sum(a.task == task and not a.read for a in answers) for task in ("apa", "mdd")}
    scored = [(row["scores"], parse_apa(a.answer)) for row, a in zip(rows, answers, strict=True) if a.task == "apa"]
    heard = [(row, parse_mdd(a.answer)) for row, a in zip(rows, answers, strict=True) if a.task == "mdd"]
    words = [() if answered is None else answered.words for _, answered in heard]
    phones = [() if answered is None else answered.phones for _, answered in heard]
    experts = [row["heard"] for row, _ in heard]
    match = phone_match(experts, phones) if heard else None
    detected = mdd([row["canonical"] for row, _ in heard], experts, phones) if heard else None
    rates = ("precision", "recall", "f1")
    return SpeechLlmFigures(
        scores={aspect: _correlated(aspect, scored) for aspect in ASPECTS} if scored else {},
        wer=error_rate([row["text"].lower().split() for row, _ in heard], words).rate if heard else None,
        per=error_rate(experts, phones).rate if heard else None,
        phone_match={name: getattr(match, name, None) for name in rates},
        mdd={name: getattr(detected, name, None) for name in rates},
        n=n,
        unread=unread,
    )


def write_answers(path: Path, answers: Sequence[Answered]) -> None:
    jsonl.write(path, answers)


def _correlated(aspect: str, scored: Sequence[tuple[dict[str, Any], dict[str, float] | None]]) -> Correlated:
    from scipy import stats

    truth = np.array([float(reference[aspect]) for reference, _ in scored])
    guess = np.array([UNREAD_SCORE if correlation is None else correlation[aspect] for _, correlation in scored])
    mae = float(np.abs(truth - guess).mean())
    if len(truth) < 3 or np.ptp(truth) == 0 or np.ptp(guess) == 0:
        return Correlated(None, None, mae, len(truth))
    correlation = stats.pearsonr(truth, guess)
    return Correlated(float(correlation.statistic), float(correlation.pvalue), mae, len(truth))
