"""Pair a scorer's predictions with the experts' reference of a manifest, utterance by utterance."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.transcriptions import has_hearings, has_phone_scores, word_hearings
from pipeline.metrics.bands import experts_in_bands
from pipeline.metrics.human_ceiling import leave_one_out
from pipeline.metrics.pronunciation import UtterancePair
from pipeline.phones import PHONES, UNKNOWN, bare
from pipeline.records import PhoneScore, ScoreResult, State, Target, Verdict, WordScore
from pipeline.scoring.selection import LANGUAGE_MODEL
from pipeline.speechllm.answers import UNPARSED_SCORE
from pipeline.speechllm.prompts import ASPECTS as LANGUAGE_MODEL_ASPECTS
from pipeline.text.words import words_of

ASPECTS = ("accuracy", "fluency", "prosodic", "total", "completeness")
WORD_ASPECTS = ("accuracy", "stress", "total")
COMPLETENESS_SCALE = 10.0  # experts give 0-1, the released scores 0-10


def target_of_item(item: CorpusItem) -> Target:
    """With the corpus's canonical phones, where every word has them."""
    words = item.extra.get("words") or []
    phones = tuple(tuple(word["phones"]) for word in words)
    known = len(phones) == len(item.text.split()) and all(phones)
    return Target(item.text, item.language, item.rubric, phones if known else None)


def pair_of(item: CorpusItem, result: ScoreResult) -> UtterancePair:
    """The reference is the released scores, else the experts' median."""
    words = item.extra.get("words") or []
    chosen = item.released or _scaled(item.median)
    hearings = [word_hearings(word) for word in words if has_hearings(word)]
    detailed = bool(words) and len(hearings) == len(words)
    phones = [phone for word in result.words for phone in word.phones]
    canonical = tuple(phone for phones_of_word, _, _ in hearings for phone in phones_of_word)
    same = detailed and tuple(phone.phone for phone in phones) == canonical
    scored = same and all(has_phone_scores(word) for word in words)
    heard_phones, heard_words = _recognised(result)
    return UtterancePair(
        speaker=item.speaker,
        reference={aspect: float(chosen[aspect]) for aspect in ASPECTS if aspect in chosen},
        predicted=_predicted(result),
        words=tuple(words_of(item.text, result.target.language)),
        stress_of_long=_stress_of_long(words, result) if same else (),
        word_reference={
            a: tuple(float(np.median(w[a])) for w in words) for a in WORD_ASPECTS if same and all(a in w for w in words)
        },
        word_predicted={
            a: tuple(w.dimensions[a] for w in result.words)
            for a in WORD_ASPECTS
            if same and all(a in w.dimensions for w in result.words)
        },
        phone_reference=tuple(float(v) for w in words for v in w["phones_accuracy"]) if scored else (),
        phone_predicted=tuple(p.score / 50.0 for p in phones) if scored else (),
        canonical=canonical if same or (detailed and not result.words) else (),
        perceived=tuple(p for _, _, verdict in hearings for p in verdict.sequence()) if detailed else None,
        diagnosed=tuple(_spoken(phones)) if same else None,
        recognised_phones=heard_phones,
        recognised_words=heard_words,
    )


def _stress_of_long(words: Sequence[dict[str, Any]], result: ScoreResult) -> tuple[tuple[float, float], ...]:
    """The experts' mean and the prediction, of words of two syllables and more."""
    return tuple(
        (float(np.mean(word["stress"])), scored.dimensions["stress"])
        for word, scored in zip(words, result.words, strict=True)
        if "stress" in word and "stress" in scored.dimensions and _n_syllables(scored) > 1
    )


def _n_syllables(word: WordScore) -> int:
    return sum(PHONES[bare(phone.phone)].is_vowel for phone in word.phones if bare(phone.phone) in PHONES)


def _recognised(result: ScoreResult) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Phones and words that were heard without being told the text; None where the scorer does not listen that way,
    nothing where a language model's answer could not be read."""
    if result.scorer == LANGUAGE_MODEL and result.heard_phones is None:
        return (), ()
    text = result.heard_text
    return result.heard_phones, None if text is None else tuple(words_of(text, result.target.language))


def unparsed_answers(result: ScoreResult) -> dict[str, bool]:
    """By task of a speech language model: whether its answer could not be read."""
    return {"apa": result.state is State.UNPARSED, "mdd": result.heard_phones is None}


def _predicted(result: ScoreResult) -> dict[str, float]:
    """An answer that could not be read stands for a middling score: left out, it would leave the figures of what
    remains better than the model is."""
    if result.state is State.UNPARSED:
        return dict.fromkeys(LANGUAGE_MODEL_ASPECTS, UNPARSED_SCORE)
    named = {aspect: float(v) for aspect, v in result.dimensions.items() if aspect in ASPECTS}
    return named or _total_only(result)


def _spoken(phones: list[PhoneScore]) -> list[str]:
    """The phone sequence that the verdicts stand for."""
    spoken: list[str] = []
    for phone in phones:
        spoken += phone.before
        if phone.verdict is Verdict.WRONG:
            spoken.append(phone.heard or UNKNOWN)
        elif phone.verdict is not Verdict.MISSING:
            spoken.append(phone.phone)
    return spoken


def _total_only(result: ScoreResult) -> dict[str, float]:
    return {} if result.overall is None else {"total": result.overall / 10.0}


def _scaled(median: dict[str, float]) -> dict[str, float]:
    return {key: value * COMPLETENESS_SCALE if key == "completeness" else value for key, value in median.items()}


def experts_of(items: Sequence[CorpusItem]) -> tuple[float, ...]:
    """How far each expert agrees with the others on the bands of the total; nothing unless every item has the same
    experts."""
    scores = [item.experts.get("total", []) for item in items]
    if len({len(row) for row in scores}) != 1:
        return ()
    return experts_in_bands([[10.0 * score for score in row] for row in scores if not any(map(math.isnan, row))])


def human_ceiling(items: Sequence[CorpusItem]) -> dict[str, float]:
    """For each sentence aspect, the PCC of one expert with the median of the others, averaged over the experts; empty
    unless every item has the same experts."""
    ceiling: dict[str, float] = {}
    for aspect in ASPECTS:
        values = [item.experts.get(aspect, []) for item in items]
        if not values or len({len(row) for row in values}) != 1 or len(values[0]) < 2:
            continue
        values = [row for row in values if not any(map(math.isnan, row))]
        if not values:
            continue
        alone = leave_one_out(np.asarray(values))
        if alone is not None and "pcc" in alone.mean:
            ceiling[aspect] = alone.mean["pcc"]
    return ceiling
