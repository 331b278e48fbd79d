"""What the learner's path asks for: placement, weakest sounds, drills of minimal pairs and when they are due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dashboard.identity import asks
from dashboard.services.learner import acting_as, remember, remembered
from dashboard.services.practice import all_lessons, attempts, reference_voice
from dashboard.services.shared import loaded_audio, settings
from dashboard.zone import today, visitors_zone
from pipeline.people.access import Action
from pipeline.practice.contrasts import Contrast, contrast_of
from pipeline.practice.memory import Memory
from pipeline.records import RubricName, Target

if TYPE_CHECKING:
    from pipeline.corpus.reference_voice import ReferenceVoice
    from pipeline.practice.lessons import Lesson
    from pipeline.practice.pair_scoring import PairHeard
    from pipeline.practice.path import Placement, WeakSound


@dataclass(frozen=True)
class Path:
    """All that the path shows. `due` are drills to do again now, `coming` the next after them, with its day."""

    placement: Placement | None
    weakest: list[WeakSound]
    due: list[Contrast]
    coming: tuple[Contrast, datetime] | None
    n_today: int
    daily_goal: int
    lessons: list[Lesson]


@asks(Action.PRACTISE)
def path(learner: str, language: str) -> Path:
    from pipeline.practice.path import n_on, placement, weakest
    from pipeline.practice.review import reviews

    log = attempts(learner).attempts if learner else ()
    known = all_lessons()[0]
    memory = remembered(learner) if learner else Memory()
    planned = reviews(settings(), learner, acting_as(learner)) if learner else []
    now = datetime.now(UTC)
    drills = [(drill, review.due) for review in planned if (drill := contrast_of(review.drill)) is not None]
    of_language = [(drill, due) for drill, due in drills if drill.language == language]
    return Path(
        placement(log, known, language), weakest(log, language), [drill for drill, due in of_language if due <= now],
        next(((drill, due) for drill, due in of_language if due > now), None),
        n_on(log, today(), visitors_zone()), memory.daily_goal,
        [lesson for lesson in known if lesson.language == language],
    )  # fmt: skip


@asks(Action.PRACTISE)
def set_daily_goal(learner: str, goal: int) -> None:
    remember(learner, replace(remembered(learner), daily_goal=goal))


@asks(Action.PRACTISE)
def voices(drill: Contrast, pair: tuple[str, str]) -> tuple[ReferenceVoice, ReferenceVoice] | None:
    """How the two words sound; None where one has no voice here."""
    first, second = (reference_voice(Target(word, drill.language, RubricName.WORD)) for word in pair)
    return None if first is None or second is None else (first, second)


@asks(Action.PRACTISE)
def hear_pair(data: bytes, drill: Contrast, pair: tuple[str, str]) -> PairHeard:
    """Which of the two words a recording is. Raises AudioError where it cannot be read."""
    from pipeline.audio.load import load_audio
    from pipeline.practice import pair_scoring

    both = voices(drill, pair) if drill.language != "en" else None
    audios = None if both is None else (loaded_audio(both[0].path), loaded_audio(both[1].path))
    return pair_scoring.hear_pair(settings(), load_audio(data), drill.language, pair, audios)


@asks(Action.PRACTISE)
def finish_drill(learner: str, drill: Contrast, share_right: float) -> datetime | None:
    """Plan it anew; when it comes back, None where nothing may be kept."""
    from pipeline.practice.review import record

    if not learner:
        return None
    review = record(settings(), learner, drill.id, share_right, acting_as(learner))
    return None if review is None else review.due


@asks(Action.PRACTISE)
def may_keep(learner: str) -> bool:
    """Whether what the learner does is kept, and can be gone on with."""
    from pipeline.practice.consent import UNDER_THE_NAME, consent_of

    return bool(learner) and consent_of(settings(), learner, acting_as(learner)) in UNDER_THE_NAME
