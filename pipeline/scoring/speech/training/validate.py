"""Judge a model on utterances: answers in the corpus's units, and the figures that choose an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.metrics.correlation import pearson
from pipeline.metrics.transcription import error_rate
from pipeline.scoring.speech.labels import BEST_PHONE, UTTERANCE_ASPECTS, WORD_CENTRE, WORD_SPREAD, decode
from pipeline.scoring.speech.training.batches import SpeechModel, evidence_of, groups_of, listen, prepare, score
from pipeline.scoring.speech.training.config import SpeechTrainConfig
from pipeline.scoring.speech.training.data import Utterance
from pipeline.scoring.speech.training.head import Scores
from pipeline.scoring.speech.training.losses import Scale

WRONG_BELOW = 0.5


@dataclass(frozen=True)
class Answer:
    """What the model says of one utterance, in the corpus's units, with what it is compared with."""

    utterance: Utterance
    phone: NDArray[np.float64]
    wrong: NDArray[np.float64]
    word: NDArray[np.float64]
    sentence: NDArray[np.float64]
    free: tuple[int, ...]


def answers_of(
    model: SpeechModel, utterances: Sequence[Utterance], config: SpeechTrainConfig, scale: Scale, device: str
) -> list[Answer]:
    """Score utterances as they are, without variation."""
    model.eval()
    found: list[Answer] = []
    with torch.inference_mode():
        for group in groups_of(utterances, config.batch_s):
            batch = prepare(group, model.listener.encoder.front_end)
            heard = listen(model, batch, config, device)
            evidence = evidence_of(heard, batch)
            scores, rows = score(model, heard, batch, evidence)
            for place, row in enumerate(rows):
                kept = evidence[row]
                free = () if kept is None else kept.free
                found.append(answer_of(batch.utterances[row], free, scores, place, scale))
    model.train()
    return found


def figures(answers: Sequence[Answer]) -> dict[str, float]:
    """Correlations with the references, and the phone error rate of free decoding."""
    sentence = np.stack([a.sentence for a in answers])
    reference = np.stack([a.utterance.reference for a in answers])
    found = {
        f"utterance_{aspect}": pearson(reference[:, k], sentence[:, k]) for k, aspect in enumerate(UTTERANCE_ASPECTS)
    }
    phone = np.concatenate([a.phone for a in answers])
    accuracy = np.concatenate([a.utterance.phone_accuracy for a in answers])
    found["phone"] = pearson(accuracy, phone)
    found["word_accuracy"] = pearson(
        np.concatenate([a.utterance.word_accuracy for a in answers]), np.concatenate([a.word[:, 0] for a in answers])
    )
    found["mdd_f1"] = best_f1(accuracy < 0.5, np.concatenate([a.wrong for a in answers]))[0]
    errors = error_rate([decode(a.utterance.verdict) for a in answers], [decode(a.free) for a in answers])
    found["greedy_per"] = (errors.substitutions + errors.deletions + errors.insertions) / max(1, errors.n_reference)
    return {key: float("nan") if value is None else float(value) for key, value in found.items()}


def best_f1(wrong: NDArray[np.bool_], probability: NDArray[np.float64]) -> tuple[float, float]:
    """The best F1 of calling a phone wrong from some probability on, and that probability."""
    if not wrong.any():
        return 0.0, 1.0
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(wrong[order])
    f1 = 2.0 * hits / (np.arange(1, len(order) + 1) + wrong.sum())
    best = int(f1.argmax())
    return float(f1[best]), float(probability[order[best]])


def selection_value(found: dict[str, float]) -> float:
    """What the kept epoch maximises: the mean of the sentence, word and phone correlations, MDD F1 and 1 - PER."""
    sentence = float(np.mean([found[f"utterance_{aspect}"] for aspect in UTTERANCE_ASPECTS]))
    parts = [sentence, found["word_accuracy"], found["phone"], found["mdd_f1"], 1.0 - found["greedy_per"]]
    return float(np.nan_to_num(np.mean(parts), nan=-1.0))


def answer_of(utterance: Utterance, free: tuple[int, ...], scores: Scores, row: int, scale: Scale) -> Answer:
    """Row `row` of a batch's scores, with what free decoding heard."""
    n, n_words = len(utterance.spoken.labels), utterance.spoken.n_words
    raw = {name: getattr(scores, name)[row].double().cpu().numpy() for name in ("phone", "wrong", "word", "utterance")}
    return Answer(
        utterance=utterance,
        phone=raw["phone"][:n] + BEST_PHONE,
        wrong=1.0 / (1.0 + np.exp(-raw["wrong"][:n])),
        word=raw["word"][:n_words] * WORD_SPREAD + WORD_CENTRE,
        sentence=raw["utterance"] * np.array(scale.spread) + np.array(scale.mean),
        free=free,
    )
