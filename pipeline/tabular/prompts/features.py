"""What is measured on a prompt: length, structure, wording and readability; parts of speech, named entities, sentence
roots and coherence where a spaCy model is installed (`PRONLAB_SPACY_MODEL`, a name or a folder; `en_core_web_sm` unless
told), each as far as the model has the component for it."""

import itertools
import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.i18n import N_, Message, joined
from pipeline.optional import is_there
from pipeline.text import lines_of

SPACY_MODEL = "en_core_web_sm"
TAGS = ("NOUN", "VERB", "ADJ", "ADV", "PRON", "PROPN", "NUM", "ADP")
CONTENT_TAGS = {"NOUN", "PROPN", "VERB", "ADJ", "NUM"}
# What needs which components of the spaCy model (any of the group), in the order of the features.
LINGUISTIC: dict[str, tuple[set[str], tuple[str, ...]]] = {
    N_("parts of speech"): (
        {"tagger", "morphologizer", "attribute_ruler"},
        tuple(f"share_{tag.lower()}" for tag in TAGS),
    ),
    N_("named entities"): ({"ner", "entity_ruler"}, ("entities", "entity_types")),
    N_("sentence roots"): ({"parser"}, ("verb_root_share", "imperative_root_share", "distinct_root_share")),
    N_("coherence"): ({"parser", "senter", "sentencizer"}, ("coherence",)),
}  # fmt: skip
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
    r"maximum|minimum|(?:in|of) (?:about )?\d+ (?:words?|sentences?|lines?|points?|paragraphs?|pages?|minutes?))\b",
    re.I,
)  # fmt: skip
FORMATS = re.compile(
    r"\b(table|json|list|bullet|bullets|csv|markdown|paragraphs?|headings?|steps?|words|lines)\b", re.I
)
ROLES = re.compile(r"\b(you are|act as|as an?|imagine you)\b", re.I)
EXAMPLES = re.compile(r"\b(for example|for instance|e\.g\.|such as|like this|example:)", re.I)
AUDIENCE = re.compile(
    r"\b(for (?:a|an|my|the) \w+|for (?:adults|children|learners|parents|people|teachers)|audience|beginners?|"
    r"readers?|students?|customers?)\b", re.I,
)  # fmt: skip
REASONS = re.compile(r"\b(because|so that|in order to|the goal|purpose|i need|we need|context|background)\b", re.I)

BASE_NAMES = (
    "n_characters", "n_words", "n_sentences", "n_lines", "n_paragraphs", "words_per_sentence", "letters_per_word",
    "long_word_share", "distinct_share", "question_marks", "numbers", "quotes", "list_items", "capital_share",
    "instruction_verbs", "begins_with_verb", "vague_share", "constraints", "formats", "roles", "examples", "audience",
    "reasons", "syllables_per_word", "flesch_reading_ease", "flesch_kincaid_grade",
)  # fmt: skip


def feature_names() -> tuple[str, ...]:
    groups = _measured_groups()
    return BASE_NAMES + tuple(name for group in groups for name in LINGUISTIC[group][1])


def unmeasured() -> str:
    """What is not measured here and why, for people; "" where everything is."""
    missing = [group for group in LINGUISTIC if group not in _measured_groups()]
    if not missing:
        return ""
    model = os.environ.get("PRONLAB_SPACY_MODEL") or SPACY_MODEL
    return Message(
        N_("Not measured, as the spaCy model {model} is not installed here or lacks the component: {groups}."),
        model=model, groups=joined([Message(group) for group in missing]),
    )  # fmt: skip


def text_features(text: str) -> NDArray[np.float32]:
    """[d], in the order of `feature_names`, finite for any text."""
    return np.asarray([*base_features(text), *_linguistic(text)], dtype=np.float32)


def base_features(text: str) -> list[float]:
    """In the order of BASE_NAMES: what needs no spaCy model."""
    words = [word.lower() for word in WORD.findall(text)]
    n_words = max(1, len(words))
    n_sentences = max(1, len([part for part in SENTENCE_END.split(text) if part.strip()]))
    syllables = sum(map(syllables_in, words)) / n_words
    per_sentence = len(words) / n_sentences
    lines = [line for line in lines_of(text) if line.strip()]
    letters = [letter for letter in text if letter.isalpha()]
    return [
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
    ]  # fmt: skip


def syllables_in(word: str) -> int:
    """By where the word may be hyphenated, or its groups of vowels, whichever finds more."""
    groups = len(re.findall(r"[aeiouy]+", word)) - (word.endswith("e") and not word.endswith("le") and len(word) > 3)
    return max(1, groups, len(_hyphenation().positions(word)) + 1)


def _measured_groups() -> list[str]:
    tagger = _tagger()
    components = set() if tagger is None else set(tagger.pipe_names)
    return [group for group, (needed, _names) in LINGUISTIC.items() if needed & components]


def _linguistic(text: str) -> list[float]:
    tagger, groups = _tagger(), _measured_groups()
    if tagger is None or not groups:
        return []
    doc = tagger(text)
    measure: dict[str, Callable[[Any], list[float]]] = {
        "parts of speech": _parts_of_speech, "named entities": _entities, "sentence roots": _roots,
        "coherence": lambda document: [coherence([_content_of(sentence) for sentence in document.sents])],
    }  # fmt: skip
    return [value for group in groups for value in measure[group](doc)]


def _parts_of_speech(doc: Any) -> list[float]:
    tags = [token.pos_ for token in doc if not token.is_space]
    return [tags.count(tag) / max(1, len(tags)) for tag in TAGS]


def _entities(doc: Any) -> list[float]:
    """Named entities per word, and how many types of them."""
    n_words = max(1, sum(token.is_alpha for token in doc))
    return [len(doc.ents) / n_words, len({entity.label_ for entity in doc.ents})]


def _roots(doc: Any) -> list[float]:
    """Of the sentences, the shares whose root is a verb, whose root is the first word and a verb, as an instruction's
    is, and the share of different roots."""
    roots = [(sentence.root, sentence) for sentence in doc.sents if sentence.text.strip()]
    verbs = [(root, sentence) for root, sentence in roots if root.pos_ in ("VERB", "AUX")]
    n = max(1, len(roots))
    first = sum(root.i == sentence.start for root, sentence in verbs)
    return [len(verbs) / n, first / n, len({_lemma(root) for root, _sentence in roots}) / n]


def _content_of(sentence: Any) -> set[str]:
    """The words of a sentence that carry its content, as lemmas where the model has them."""
    tagged = any(token.pos_ for token in sentence)
    return {
        _lemma(token) for token in sentence
        if token.is_alpha and not token.is_stop and (not tagged or token.pos_ in CONTENT_TAGS)
    }  # fmt: skip


def _lemma(token: Any) -> str:
    return str(token.lemma_ or token.text).lower()


def coherence(sentences: Sequence[set[str]]) -> float:
    """How much neighbouring sentences share: the mean Jaccard overlap (0-1) of their content words; 1 for a single
    sentence, which hangs together by itself."""
    filled = [words for words in sentences if words]
    overlaps = [len(a & b) / len(a | b) for a, b in itertools.pairwise(filled)]
    return sum(overlaps) / len(overlaps) if overlaps else 1.0


@cache
def _hyphenation() -> Any:
    import pyphen

    return pyphen.Pyphen(lang="en_US")


@cache
def _tagger() -> Any:
    """None where spaCy or its model is not installed; nothing is downloaded."""
    model = os.environ.get("PRONLAB_SPACY_MODEL") or SPACY_MODEL
    if not (
        Path(model).is_dir() or (model.isidentifier() and is_there(model))
    ):  # told before spaCy is loaded, which takes seconds
        return None
    try:
        import spacy

        return spacy.load(model)
    except (ImportError, OSError):
        return None
