"""Set what a scorer answered beside what the experts of a manifest said, utterance by utterance."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.transcriptions import word_hearings
from pipeline.metrics.agreement import leave_one_out
from pipeline.metrics.pronunciation import Judgement
from pipeline.phones import UNKNOWN
from pipeline.records import PhoneScore, Recording, ScoreResult, Target, Verdict

ASPECTS = ("accuracy", "fluency", "prosodic", "total", "completeness")
WORD_ASPECTS = ("accuracy", "stress", "total")
COMPLETENESS_SCALE = 10.0  # experts give 0-1, the released scores 0-10


def target_of_item(item: CorpusItem) -> Target:
    """With the corpus's canonical phones, where every word has them."""
    words = item.extra.get("words") or []
    phones = tuple(tuple(word["phones"]) for word in words)
    known = len(phones) == len(item.text.split()) and all(phones)
    return Target(item.text, item.language, item.rubric, phones if known else None)


def judgement(item: CorpusItem, result: ScoreResult) -> Judgement:
    """The released scores are the reference, else the experts' median."""
    words = item.extra.get("words") or []
    chosen = item.released or _scaled(item.median)
    hearings = [word_hearings(word) for word in words if _is_detailed(word)]
    detailed = bool(words) and len(hearings) == len(words)
    phones = [phone for word in result.words for phone in word.phones]
    same = detailed and [p.phone for p in phones] == [p for canonical, _, _ in hearings for p in canonical]
    return Judgement(
        speaker=item.speaker,
        reference={aspect: float(chosen[aspect]) for aspect in ASPECTS if aspect in chosen},
        predicted={aspect: float(v) for aspect, v in result.dimensions.items() if aspect in ASPECTS}
        or _total_only(result),
        words=tuple(item.text.lower().split()),
        word_reference={
            a: tuple(float(np.median(w[a])) for w in words) for a in WORD_ASPECTS if same and all(a in w for w in words)
        },
        word_predicted={
            a: tuple(w.dimensions[a] for w in result.words)
            for a in WORD_ASPECTS
            if same and all(a in w.dimensions for w in result.words)
        },
        phone_reference=tuple(float(v) for w in words for v in w["phones_accuracy"]) if same else (),
        phone_predicted=tuple(p.score / 50.0 for p in phones) if same else (),
        canonical=tuple(p.phone for p in phones) if same else (),
        heard=tuple(p for _, _, verdict in hearings for p in verdict.sequence()) if detailed else None,
        diagnosed=tuple(_said(phones)) if same else None,
        free_phones=result.heard_phones,
        free_words=None if result.heard_text is None else tuple(result.heard_text.lower().split()),
    )


def _said(phones: list[PhoneScore]) -> list[str]:
    """The phone sequence that the verdicts amount to."""
    said: list[str] = []
    for phone in phones:
        said += phone.before
        if phone.verdict is Verdict.WRONG:
            said.append(phone.heard or UNKNOWN)
        elif phone.verdict is not Verdict.MISSING:
            said.append(phone.phone)
    return said


def _total_only(result: ScoreResult) -> dict[str, float]:
    return {} if result.overall is None else {"total": result.overall / 10.0}


def _scaled(median: dict[str, float]) -> dict[str, float]:
    return {key: value * COMPLETENESS_SCALE if key == "completeness" else value for key, value in median.items()}


def _is_detailed(word: dict[str, Any]) -> bool:
    return bool(word.get("phones")) and len(word.get("phones_accuracy", ())) == len(word["phones"])


def item_of_recording(recording: Recording) -> CorpusItem:
    """An imported recording as the manifest had it."""
    extra = recording.extra
    return CorpusItem(
        key=recording.id,
        audio=recording.path,
        text=recording.text,
        speaker=recording.speaker,
        rubric=recording.rubric,
        language=recording.language,
        part=recording.part,
        median=extra.get("median") or {},
        released=extra.get("released") or {},
        extra=extra,
    )


def human_ceiling(items: Sequence[CorpusItem]) -> dict[str, float]:
    """For each sentence aspect, the PCC of one expert with the median of the others, averaged over the experts; empty
    unless every item has the same experts."""
    found: dict[str, float] = {}
    for aspect in ASPECTS:
        values = [item.experts.get(aspect, []) for item in items]
        if not values or len({len(row) for row in values}) != 1 or len(values[0]) < 2:
            continue
        alone = leave_one_out(np.asarray(values))
        if alone is not None and "pcc" in alone.mean:
            found[aspect] = alone.mean["pcc"]
    return found
