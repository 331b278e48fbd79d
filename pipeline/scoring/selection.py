"""Who answers: the one rule from a target to its scorer and model. docs/who-answers.md says it in words."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock

from pipeline.i18n import N_, Message
from pipeline.records import RubricName, ScoreResult, Target
from pipeline.registry import Registry
from pipeline.scoring.base import Scorer, ScorerFactory
from pipeline.settings import Settings
from pipeline.text.languages import LANGUAGE_NAMES, UNDETERMINED, language_code
from pipeline.text.turkish import has_turkish_letters

HEURISTIC, SPEECH, MODEL, LANGUAGE_MODEL = "heuristic", "speech", "model", "speechllm"
# What a text is taken for whose language nobody gave: words are the demo's.
DEFAULT_LANGUAGES = {RubricName.WORD: "tr", RubricName.SENTENCE: "en"}
RUBRICS = {RubricName.WORD: N_("words"), RubricName.SENTENCE: N_("sentences")}
MOST_LOADED = 8
NO_MODEL = N_("No model scores {rubric} in {language} here: scored by rule.")


@dataclass(frozen=True)
class Selection:
    """Who answers a target.

    `scorer` is a registered name and `model` the folder that it loads (None: it needs none). `target` has its language
    settled, and is what is to be scored; `notes` are what the answer has to tell about the choice.
    """

    scorer: str
    model: Path | None
    target: Target
    notes: tuple[str, ...] = ()

    def told(self, result: ScoreResult) -> ScoreResult:
        """The answer with the notes before its own warnings."""
        return replace(result, warnings=(*self.notes, *result.warnings)) if self.notes else result


def select(settings: Settings, target: Target, scorer: str | None = None, model: Path | None = None) -> Selection:
    """Decide who answers a target.

    | asked for | rubric | language | answers |
    |---|---|---|---|
    | a scorer by name | any | any | that scorer, with its deployed model, else its best released one |
    | a model folder | any | any | that model |
    | nothing | word | the word model's | the deployed word model, else the best released one of that language |
    | nothing | sentence | the deployed speech language model's | that speech language model |
    | nothing | sentence | the speech model's (English) | the speech model |
    | nothing | sentence | a sentence model's | the deployed sentence model, else the best released one |
    | nothing | any | any other | the heuristic, and the answer says so |

    A model of no stated language (`und`) knows all of them. The target's language is settled first (`settle`).

    Args:
        scorer: A name from SCORERS, to ask that one.
        model: A model folder to ask instead of the deployed model.

    Raises UnknownNameError for an unknown scorer or language, ModelError for a model that cannot be read.

    Example: `select(settings, Target("It is late.", "und", RubricName.SENTENCE))` has the scorer `speech` and the note
    "No language was given: scored as English."
    """
    settled, notes = settle(target)
    if scorer is not None:
        return Selection(scorer, _model_of(settings, scorer, settled.rubric, model), settled, notes)
    chosen = _by_rule(settings, settled) if model is None else (_scorer_of(model), model)
    if chosen is None:
        without_model = Message(
            NO_MODEL, rubric=Message(RUBRICS[settled.rubric]), language=_named(settled.language),
        )  # fmt: skip
        return Selection(HEURISTIC, None, settled, (*notes, without_model))
    return Selection(*chosen, settled, notes)


def settle(target: Target) -> tuple[Target, tuple[str, ...]]:
    """The target with a language, and what there is to tell about it.

    `und` is taken for English in sentences and for Turkish in words; whoever knows the text's set puts in the set's
    language before (`corpus.sets.target_of`). A language that was given stands, whatever letters the text has. Raises
    UnknownNameError for one that is none.
    """
    notes: list[Message] = []
    language = language_code(target.language)
    if language == UNDETERMINED:
        language = default_language(target.rubric, target.text)
        notes.append(Message(N_("No language was given: scored as {language}."), language=_named(language)))
    elif language == "en" and has_turkish_letters(target.text):
        notes.append(Message(N_("The text has Turkish letters and is scored as English. If it is Turkish, say so.")))
    return replace(target, language=language), tuple(notes)


def default_language(rubric: RubricName, text: str) -> str:
    """The language of a text that came without one."""
    return "tr" if has_turkish_letters(text) else DEFAULT_LANGUAGES[rubric]


def load(settings: Settings, selection: Selection) -> Scorer:
    """The selected scorer; loaded once, and again when another model lies in its folder. Raises ModelError."""
    rubric, model = selection.target.rubric, selection.model
    slot = _slot(settings, selection.scorer, rubric, model, _stamp(model))
    with slot.lock:
        if slot.scorer is None:
            slot.scorer = _scorers()[selection.scorer](settings, rubric, model)
        return slot.scorer


def load_scorer(settings: Settings, name: str | None, rubric: RubricName, *, model: Path | None = None) -> Scorer:
    """The scorer of that name or model folder; with neither, the one that answers in the rubric's default language.
    Raises UnknownNameError or ModelError."""
    return load(settings, select(settings, Target("", DEFAULT_LANGUAGES[rubric], rubric), name, model))


def scorer_names(settings: Settings, rubric: RubricName) -> list[str]:
    """The scorers that can score such recordings here: the heuristic, and those with a model."""
    from pipeline.scoring.feature_based.model_location import find_model
    from pipeline.scoring.speech.model_files import find_speech_model
    from pipeline.speechllm.deployed import find_speechllm_model

    others = [name for name in _scorers() if name not in (SPEECH, HEURISTIC, LANGUAGE_MODEL)]
    names = [HEURISTIC, *(name for name in others if find_model(settings, rubric, _extractor(name)) is not None)]
    if rubric is not RubricName.SENTENCE:
        return sorted(names)
    hearing = {SPEECH: find_speech_model(settings), LANGUAGE_MODEL: find_speechllm_model(settings)}
    return [*sorted(names), *(name for name, model in hearing.items() if model is not None)]


def default_scorer(settings: Settings, rubric: RubricName) -> str:
    """The name of the scorer that answers in the rubric's default language where none is asked for."""
    from pipeline.scoring.feature_based.model_files import load_info

    chosen = select(settings, Target("", DEFAULT_LANGUAGES[rubric], rubric))
    return chosen.scorer if chosen.scorer != MODEL or chosen.model is None else load_info(chosen.model).extractor


def _by_rule(settings: Settings, target: Target) -> tuple[str, Path] | None:
    """Scorer and model folder for a target of settled language; None where no model knows the language."""
    from pipeline.scoring.feature_based.model_location import find_model
    from pipeline.scoring.speech.model_files import find_speech_model, load_info
    from pipeline.speechllm.deployed import find_speechllm_model
    from pipeline.speechllm.model_files import load_info as load_language_model_info

    if target.rubric is RubricName.SENTENCE:
        language_model = find_speechllm_model(settings)
        if language_model is not None and load_language_model_info(language_model).language == target.language:
            return LANGUAGE_MODEL, language_model
        speech = find_speech_model(settings)
        if speech is not None and load_info(speech).language == target.language:
            return SPEECH, speech
    model = find_model(settings, target.rubric, language=target.language)
    return None if model is None else (MODEL, model)


def _model_of(settings: Settings, scorer: str, rubric: RubricName, given: Path | None) -> Path | None:
    """The folder that a scorer asked for by name loads. Raises UnknownNameError."""
    from pipeline.scoring.feature_based.model_location import find_model
    from pipeline.scoring.speech.model_files import find_speech_model
    from pipeline.speechllm.deployed import find_speechllm_model

    _scorers()[scorer]
    if scorer == HEURISTIC:
        return None
    if given is not None:
        return given
    if scorer == LANGUAGE_MODEL:
        return find_speechllm_model(settings)
    return find_speech_model(settings) if scorer == SPEECH else find_model(settings, rubric, _extractor(scorer))


def _extractor(scorer: str) -> str | None:
    """Scorers on features bear the name of their extractor; `model` takes whichever its model was trained on."""
    return None if scorer == MODEL else scorer


def _scorer_of(model: Path) -> str:
    """The scorer that loads what a folder holds."""
    from pipeline.scoring.speech.model_files import is_speech_folder
    from pipeline.speechllm.model_files import is_speechllm_folder

    return LANGUAGE_MODEL if is_speechllm_folder(model) else SPEECH if is_speech_folder(model) else MODEL


def _named(language: str) -> str:
    name = LANGUAGE_NAMES.get(language)
    return f"“{language}”" if name is None else Message(name)


def _scorers() -> Registry[ScorerFactory]:
    from pipeline.scoring import feature_based, heuristic, language_model  # noqa: F401  registers the scorers
    from pipeline.scoring.base import SCORERS
    from pipeline.scoring.speech import scorer  # noqa: F401

    return SCORERS


class _Slot:
    """Where one scorer is kept; whoever asks while it is being loaded waits for it, and for no other."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.scorer: Scorer | None = None


@lru_cache(maxsize=MOST_LOADED)
def _slot(_settings: Settings, _scorer: str, _rubric: RubricName, _model: Path | None, _stamp: str) -> _Slot:
    return _Slot()


def _stamp(model: Path | None) -> str:
    """Changes when another model is put in a folder's place; "" where there is none to see."""
    try:
        status = None if model is None else model.stat()
    except OSError:
        return ""
    return "" if status is None else f"{status.st_mtime_ns} {status.st_ino}"
