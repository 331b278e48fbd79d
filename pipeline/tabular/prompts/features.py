"""What is measured on a prompt: length, structure, wording, readability, and parts of speech where a spaCy model is
installed (`PRONLAB_SPACY_MODEL`, a name or a folder; `en_core_web_sm` unless told)."""

import os
import re
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.text import lines_of

SPACY_MODEL = "en_core_web_sm"
TAGS = ("NOUN", "VERB", "ADJ", "ADV", "PRON", "PROPN", "NUM", "ADP")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)|\n+")
VERBS = {
    "write", "explain", "list", "summarise", "summarize", "compare", "describe", "translate", "generate", "create",
    "give", "find", "rewrite", "classify", "extract", "analyse", "analyze", "suggest", "plan", "design", "answer",
    "correct", "review", "draft", "outline", "convert", "show",
}  # fmt: skip
VAGUE = {
    "thing", "things", "stuff", "something", "anything", "good", "nice", "better", "some", "etc", "somehow", "maybe",
    "whatever", "cool",
}  # fmt: skip
CONSTRAINTS = re.compile(
    r"\b(at most|at least|no more than|under|within|exactly|only|must|do not|don't|avoid|without|between|limit|"
    r"maximum|minimum)\b", re.I,
)  # fmt: skip
FORMATS = re.compile(
    r"\b(table|json|list|bullet|bullets|csv|markdown|paragraphs?|headings?|steps?|words|lines)\b", re.I
)
ROLES = re.compile(r"\b(you are|act as|as an?|imagine you)\b", re.I)
EXAMPLES = re.compile(r"\b(for example|for instance|e\.g\.|such as|like this|example:)", re.I)
AUDIENCE = re.compile(r"\b(for (?:a|an|my|the) \w+|audience|beginners?|readers?|students?|customers?)\b", re.I)
REASONS = re.compile(r"\b(because|so that|in order to|the goal|purpose|i need|we need|context|background)\b", re.I)

BASE_NAMES = (
    "n_characters", "n_words", "n_sentences", "n_lines", "n_paragraphs", "words_per_sentence", "letters_per_word",
    "long_word_share", "distinct_share", "question_marks", "numbers", "quotes", "list_items", "capital_share",
    "instruction_verbs", "begins_with_verb", "vague_share", "constraints", "formats", "roles", "examples", "audience",
    "reasons", "syllables_per_word", "flesch_reading_ease", "flesch_kincaid_grade",
)  # fmt: skip


def feature_names() -> tuple[str, ...]:
    return BASE_NAMES + (tuple(f"share_{tag.lower()}" for tag in TAGS) if _tagger() is not None else ())


def text_features(text: str) -> NDArray[np.float32]:
    """[d], finite for any text."""
    words = [word.lower() for word in WORD.findall(text)]
    n_words = max(1, len(words))
    n_sentences = max(1, len([part for part in SENTENCE_END.split(text) if part.strip()]))
    syllables = sum(map(syllables_in, words)) / n_words
    per_sentence = len(words) / n_sentences
    lines = [line for line in lines_of(text) if line.strip()]
    letters = [letter for letter in text if letter.isalpha()]
    values = [
        len(text), len(words), n_sentences, len(lines), len([p for p in re.split(r"\n\s*\n", text) if p.strip()]),
        per_sentence, sum(map(len, words)) / n_words, sum(len(word) > 6 for word in words) / n_words,
        len(set(words)) / n_words, text.count("?"), len(re.findall(r"\d+", text)), len(re.findall(r"[\"“”«»]", text)),
        len([line for line in lines if re.match(r"\s*(?:[-*•]|\d+[.)])\s", line)]),
        sum(letter.isupper() for letter in letters) / max(1, len(letters)),
        sum(word in VERBS for word in words), float(bool(words) and words[0] in VERBS),
        sum(word in VAGUE for word in words) / n_words,
        *(len(pattern.findall(text)) for pattern in (CONSTRAINTS, FORMATS, ROLES, EXAMPLES, AUDIENCE, REASONS)),
        syllables,
        206.835 - 1.015 * per_sentence - 84.6 * syllables,  # Flesch (1948)
        0.39 * per_sentence + 11.8 * syllables - 15.59,  # Kincaid et al. (1975)
        *_parts_of_speech(text),
    ]  # fmt: skip
    return np.asarray(values, dtype=np.float32)


def syllables_in(word: str) -> int:
    """By where the word may be hyphenated, or its groups of vowels, whichever finds more."""
    groups = len(re.findall(r"[aeiouy]+", word)) - (word.endswith("e") and not word.endswith("le") and len(word) > 3)
    return max(1, groups, len(_hyphenation().positions(word)) + 1)


def _parts_of_speech(text: str) -> list[float]:
    tagger = _tagger()
    if tagger is None:
        return []
    tags = [token.pos_ for token in tagger(text) if not token.is_space]
    return [tags.count(tag) / max(1, len(tags)) for tag in TAGS]


@cache
def _hyphenation() -> Any:
    import pyphen

    return pyphen.Pyphen(lang="en_US")


@cache
def _tagger() -> Any:
    """None where spaCy or its model is not installed; nothing is downloaded."""
    try:
        import spacy

        return spacy.load(os.environ.get("PRONLAB_SPACY_MODEL") or SPACY_MODEL, disable=["ner", "parser", "lemmatizer"])
    except (ImportError, OSError):
        return None
