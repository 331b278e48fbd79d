"""Which scorers an installation has, and whether another model has come into use since."""

from functools import lru_cache
from pathlib import Path

from pipeline.records import RubricName, Target
from pipeline.scoring.base import SCORERS, Scorer
from pipeline.settings import Settings


def load_scorer(settings: Settings, name: str | None, rubric: RubricName, *, model: Path | None = None) -> Scorer:
    """The scorer `name`; None takes the speech model for a sentence, the deployed model for a word, or the heuristic
    where there is none.

    `model` is a model folder to use instead of the deployed one. Raises UnknownNameError or ModelError.
    """
    from pipeline.scoring import feature_based as acoustic  # noqa: F401  registers the scorers
    from pipeline.scoring import heuristic  # noqa: F401  registers the scorers
    from pipeline.scoring.speech import scorer  # noqa: F401
    from pipeline.scoring.speech.model_files import find_speech_model, is_speech_folder

    if name is None and rubric is RubricName.SENTENCE and (model is None or is_speech_folder(model)):
        name = "speech" if find_speech_model(settings, model) else None
    if name is None:
        from pipeline.scoring.feature_based.model_location import find_model

        found = model or find_model(settings, rubric)
        name = "heuristic" if found is None else "model"
        model = found
    return SCORERS[name](settings, rubric, model)


def scorer_names(settings: Settings, rubric: RubricName) -> list[str]:
    """Those that can score such recordings here: the heuristic, and those with a model."""
    from pipeline.scoring import feature_based as acoustic  # noqa: F401  registers the scorers
    from pipeline.scoring import heuristic  # noqa: F401  registers the scorers
    from pipeline.scoring.base import SCORERS
    from pipeline.scoring.feature_based.model_location import find_model
    from pipeline.scoring.speech import scorer as speech
    from pipeline.scoring.speech.model_files import find_speech_model

    found = [name for name in SCORERS if name == "heuristic" or find_model(settings, rubric, name) is not None]
    hears = rubric is RubricName.SENTENCE and find_speech_model(settings) is not None
    return [*found, speech.NAME] if hears else found


def scorer_for(target: Target) -> str | None:
    """The scorer to ask by name where the one in use cannot judge such a text: sentences in other languages than
    English are left to the rule; None elsewhere."""
    other = target.rubric is RubricName.SENTENCE and target.language not in ("en", "und")
    return "heuristic" if other else None


def deployment(settings: Settings, rubric: RubricName) -> str:
    """Changes whenever another model comes into use."""
    from pipeline.scoring.feature_based.model_location import find_model
    from pipeline.scoring.speech.model_files import find_speech_model

    folder = find_speech_model(settings) if rubric is RubricName.SENTENCE else None
    folder = folder or find_model(settings, rubric)
    return "" if folder is None else f"{folder} {folder.stat().st_mtime_ns} {folder.stat().st_ino}"


def default_scorer(settings: Settings, rubric: RubricName) -> str:
    """The name of the scorer that answers where none is asked for."""
    return _default_scorer(settings, rubric, deployment(settings, rubric))


@lru_cache(maxsize=8)
def _default_scorer(settings: Settings, rubric: RubricName, _deployment: str) -> str:
    from pipeline.scoring.selection import load_scorer

    return load_scorer(settings, None, rubric).name
