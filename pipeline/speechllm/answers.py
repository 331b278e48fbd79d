"""Read the model's answers, which are JSON when all is well.

A fine-tuned model seldom errs, an untrained one nearly always does: single quotes, a sentence around the JSON, an
answer that is cut off. What can be understood without guessing is; the rest is a failure, which the caller counts
against the model.
"""

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

from pipeline.corpus.transcriptions import folded
from pipeline.speechllm.prompts import ASPECTS
from pipeline.text.words import words_of

# Of 10: what an answer that cannot be read counts for. Left out, it would leave the figures of what remains better than
# the model is.
UNPARSED_SCORE = 5.0
_OBJECT = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Transcript:
    """`phones` are CMU phones without stress or `<unk>`, folded as the corpus's own transcriptions are: `AX` is AH,
    `TS` is T and S; what the model wrote that is neither became `<unk>`."""

    words: tuple[str, ...]
    phones: tuple[str, ...]


def parse_apa(answer: str) -> dict[str, float] | None:
    """The four scores, 0-10; None unless all are there and in range."""
    answered = _object(answer)
    if answered is None:
        return None
    scores: dict[str, float] = {}
    for aspect in ASPECTS:
        try:
            scores[aspect] = float(answered[aspect])
        except (KeyError, TypeError, ValueError):
            return None
        if not 0.0 <= scores[aspect] <= 10.0:
            return None
    return scores


def parse_mdd(answer: str) -> Transcript | None:
    """Both transcripts; None unless both are there."""
    answered = _object(answer)
    if answered is None:
        return None
    words, phones = answered.get("word_transcript"), answered.get("phoneme_transcript")
    if not isinstance(words, str) or not isinstance(phones, str):
        return None
    return Transcript(tuple(words_of(words, "en")), tuple(p for symbol in phones.split() for p in folded(symbol)))


def _object(answer: str) -> dict[str, Any] | None:
    """The first JSON object, or Python dictionary, in the text."""
    for match in _OBJECT.finditer(answer):
        for read in (json.loads, ast.literal_eval):
            try:
                value = read(match.group())
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if isinstance(value, dict) and value:
                return value
    return None
