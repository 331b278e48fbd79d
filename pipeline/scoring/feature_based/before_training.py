"""What is worth knowing before a training of words begins: features that do not know the word, and what others give."""

from contextlib import suppress
from dataclasses import dataclass

from pipeline.corpus.references import find_references
from pipeline.corpus.sets import get_set
from pipeline.errors import ModelError, PronlabError
from pipeline.features.catalogue import load_extractor
from pipeline.i18n import N_, NN_, Message
from pipeline.labels.index import Index
from pipeline.records import RubricName
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.scoring.feature_based.model_files import load_info
from pipeline.settings import Settings
from pipeline.text.words import text_key

REFERENCE = "reference"  # the extractor that knows the word
MEASURED = {"acoustic57": "word-demo", REFERENCE: "word-demo-reference"}  # released models on the same demo set
SENTENCES = {"acoustic57": "sentence-so762", "timing": "sentence-so762-timing"}  # on the same part of speechocean762


@dataclass(frozen=True)
class References:
    """How many of a set's different words have a reference recording."""

    n_words: int
    n_with: int


def references_of(settings: Settings, set_name: str) -> References:
    set_ = get_set(settings, set_name)
    known = find_references(settings, set_.language)
    index = Index(settings)
    index.ensure()
    words = {text_key(text, set_.language) for text in index.texts(set_.name)}
    return References(len(words), len(words & set(known)))


@dataclass(frozen=True)
class Recommendation:
    """The features that measured best of those that can be used on a set, and why."""

    extractor: str
    why: Message


def recommended(settings: Settings, set_name: str) -> Recommendation | None:
    """None where nothing better than the default is known to work: words of which some have no reference."""
    with suppress(PronlabError):
        if get_set(settings, set_name).rubric is RubricName.WORD:
            return _for_words(settings, set_name)
        return _for_sentences(settings)
    return None


def _for_words(settings: Settings, set_name: str) -> Recommendation | None:
    references = references_of(settings, set_name)
    if not references.n_words or references.n_with < references.n_words:
        return None
    why = Message(
        N_("`reference` is chosen: it compares each recording with a reference recording of its word, and all {total} "
           "words of this set have one. On the synthetic demo set its mean error was {other:.1f} points, that of "
           "acoustic57, which does not know the word, {mine:.1f}."),
        total=references.n_words, other=_mae(settings, MEASURED[REFERENCE]),
        mine=_mae(settings, MEASURED["acoustic57"]),
    )  # fmt: skip
    return Recommendation(REFERENCE, why)


def _for_sentences(settings: Settings) -> Recommendation:
    why = Message(
        N_("`timing` is chosen: on speakers of speechocean762 that were held out its mean error was {other:.1f} "
           "points, that of acoustic57 {mine:.1f}."),
        other=_mae(settings, SENTENCES["timing"]), mine=_mae(settings, SENTENCES["acoustic57"]),
    )  # fmt: skip
    return Recommendation("timing", why)


def _mae(settings: Settings, model: str) -> float:
    """On recordings that the released model had not heard. Raises ModelError where it is not there."""
    return float(load_info(settings.released_models / model).test["mae"])


def word_blindness(settings: Settings, config: TrainConfig) -> Message | None:
    """That the chosen features do not know which word was said, and what `reference` would give; None where they do,
    or where sentences are scored."""
    with suppress(PronlabError):  # an extractor or set that cannot be used is told when the training begins
        extractor = load_extractor(settings, config.extractor)
        set_ = get_set(settings, config.set) if config.set else None
        if extractor.knows_words or (set_ is not None and set_.rubric is not RubricName.WORD):
            return None
        blind = Message(
            N_("The {n} features of {extractor} do not know which word was said: another word, as well spoken, scores "
               "the same."),
            n=len(extractor.feature_names), extractor=config.extractor,
        )  # fmt: skip
        return Message("{blind} {instead}{figures}", blind=blind, instead=_instead(settings, config),
                       figures=_figures(settings, config.extractor))  # fmt: skip
    return None


def _instead(settings: Settings, config: TrainConfig) -> Message:
    if not config.set:
        return Message(N_("`reference` compares each recording with a reference recording of its word."))
    references = references_of(settings, config.set)
    return Message(
        NN_("`reference` compares each recording with a reference recording of its word; {n} of the {total} words of "
            "this set has one.",
            "`reference` compares each recording with a reference recording of its word; {n} of the {total} words of "
            "this set have one."),
        n=references.n_with, total=references.n_words,
    )  # fmt: skip


def _figures(settings: Settings, extractor: str) -> Message | str:
    """What both reached on the demo set; "" for features that were not measured beside it."""
    try:
        mine, other = (_mae(settings, MEASURED[name]) for name in (extractor, REFERENCE))
    except (KeyError, ModelError):
        return ""
    return Message(
        N_(" On the synthetic demo set {extractor} reaches a mean error of {mine:.1f} points, reference {other:.1f}."),
        extractor=extractor, mine=mine, other=other,
    )  # fmt: skip
