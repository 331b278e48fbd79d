"""Which of a word's pronunciations fits it in its sentence: what is accepted, and which comes first, as the model.

English words that are written alike and said differently (*an intimate friend*, *to intimate*) are told apart by the
words before them in their phrase, where those settle it: then only the fitting pronunciation is accepted. Else all that
the dictionary has are: to call a right reading wrong is worse than to let a wrong one pass. Function words are weak
inside a sentence and strong at its end; both are accepted everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pipeline.phones import bare, stress_of

Phones = tuple[str, ...]
Use = Literal["verb", "noun or adjective"]

# Noun or adjective with the first syllable stressed, verb with another.
BY_STRESS = frozenset((
    "record", "present", "object", "project", "subject", "produce", "permit", "conduct", "contract", "contrast",
    "desert", "refuse", "rebel", "import", "increase", "decrease", "insult", "protest", "progress", "suspect",
    "convert", "conflict", "perfect",
))  # fmt: skip
# Noun or adjective in AH T, verb in EY T.
BY_ATE = frozenset((
    "separate", "estimate", "graduate", "intimate", "moderate", "duplicate", "alternate", "deliberate", "elaborate",
    "associate", "delegate", "advocate", "appropriate", "approximate",
))  # fmt: skip
BY_VOICE = frozenset(("use", "close", "abuse", "excuse"))  # noun or adjective in S, verb in Z
# Where nothing settles it, what is meant most of the time; the dictionary's first is another.
USUAL: Mapping[str, Phones] = {
    "live": ("L", "IH1", "V"), "lead": ("L", "IY1", "D"), "read": ("R", "IY1", "D"), "tear": ("T", "IH1", "R"),
    "wind": ("W", "IH1", "N", "D"), "wound": ("W", "UW1", "N", "D"),
}  # fmt: skip
BEFORE_VERB = frozenset((
    "to", "will", "would", "can", "could", "should", "shall", "may", "might", "must", "do", "does", "did", "don't",
    "doesn't", "didn't", "won't", "can't", "couldn't", "shouldn't", "wouldn't", "i", "you", "we", "they", "let's",
    "please", "who",
))  # fmt: skip
BEFORE_NOUN = frozenset((
    "a", "an", "the", "this", "my", "your", "his", "its", "our", "their", "no", "every", "very", "quite", "is",
    "are", "was", "were", "be", "been", "am", "of", "in", "on", "at", "for", "with", "from", "by",
))  # fmt: skip
BEFORE_PAST = frozenset(("have", "has", "had", "having", "i've", "you've", "we've", "they've", "he's", "she's"))
BEFORE_ADJECTIVE = frozenset(("a", "an", "the", "this"))
PRONOUNS = frozenset(("i", "you", "we", "they"))
BE = frozenset(("am", "is", "are", "was", "were", "be", "been"))
BEFORE_PRESENT = BEFORE_VERB - PRONOUNS - {"who"}  # of *read*, whose past is written alike
# How function words are said in running speech; the dictionary lacks most of these forms.
WEAK_FORMS: Mapping[str, tuple[str, ...]] = {
    "a": ("AH0",), "an": ("AH0 N",), "and": ("AH0 N D", "AH0 N"), "as": ("AH0 Z",), "at": ("AH0 T",),
    "can": ("K AH0 N",), "for": ("F ER0",), "from": ("F R AH0 M",), "had": ("HH AH0 D",), "has": ("HH AH0 Z",),
    "have": ("HH AH0 V",), "must": ("M AH0 S T",), "of": ("AH0 V",), "some": ("S AH0 M",), "than": ("DH AH0 N",),
    "that": ("DH AH0 T",), "the": ("DH AH0",), "them": ("DH AH0 M",), "to": ("T AH0",), "was": ("W AH0 Z",),
    "were": ("W ER0",), "you": ("Y AH0",), "your": ("Y ER0",),
}  # fmt: skip
# Of which the first weak form is the model inside a sentence.
USUALLY_WEAK = frozenset(("a", "an", "and", "as", "at", "for", "from", "of", "than", "the", "to"))
BEFORE_VOWEL: Mapping[str, Phones] = {"the": ("DH", "IY0"), "to": ("T", "UW1")}


def fitting(word: str, before: Sequence[str], variants: Sequence[Phones], following: Phones | None) -> list[Phones]:
    """The accepted pronunciations of a word, the model first; `before` are the words before it in its phrase,
    `following` the phones of the next word, None at the end."""
    wanted = _meant(word, before)
    accepted = [phones for phones in variants if wanted is None or wanted(phones)] or list(variants)
    model = _model(word, following)
    return sorted(accepted, key=lambda phones: phones != model)


def weak_forms(word: str) -> list[Phones]:
    return [tuple(form.split()) for form in WEAK_FORMS.get(word, ())]


def _model(word: str, following: Phones | None) -> Phones | None:
    """The pronunciation that a teacher would give, where the dictionary's first is another."""
    if word in USUALLY_WEAK and following is not None:
        starts_with_vowel = bare(following[0])[0] in "AEIOU"
        return BEFORE_VOWEL[word] if starts_with_vowel and word in BEFORE_VOWEL else weak_forms(word)[0]
    return USUAL.get(word)


def _meant(word: str, before: Sequence[str]) -> Callable[[Phones], bool] | None:
    """Whether a pronunciation is that of the word in this place; None where the place does not say."""
    last = before[-1] if before else ""
    if word == "read":
        past = last in BEFORE_PAST or last in BE
        return (lambda phones: (phones[1] == "EH1") == past) if past or last in BEFORE_PRESENT else None
    use = _use(before)
    if use is None:
        return None
    verb = use == "verb"
    if word in BY_STRESS:
        return lambda phones: _first_is_stressed(phones) != verb
    if word in BY_ATE:
        return lambda phones: (bare(phones[-2]) == "EY") == verb
    if word in BY_VOICE:
        return lambda phones: (phones[-1] == "Z") == verb
    if word == "live" and (verb or last in BEFORE_ADJECTIVE):
        return lambda phones: (phones[1] == "IH1") == verb
    return None


def _use(before: Sequence[str]) -> Use | None:
    """In questions a subject stands between: *are you close*, *does this conflict*."""
    last, second = before[-1] if before else "", before[-2] if len(before) > 1 else ""
    if (last in PRONOUNS and second in BE) or (last == "this" and second in BEFORE_PRESENT):
        return None
    if last in BEFORE_VERB:
        return "verb"
    return "noun or adjective" if last in BEFORE_NOUN else None


def _first_is_stressed(phones: Phones) -> bool:
    return stress_of(next(phone for phone in phones if bare(phone)[0] in "AEIOU")) == 1
