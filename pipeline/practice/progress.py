"""How a learner comes along: by day, by sound, by lesson."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from pipeline.practice.attempts import Attempt
from pipeline.practice.lessons import Lesson

MASTERED = 80.0  # "good", of 100


@dataclass(frozen=True)
class Day:
    """`mean` and `best` of the tries that could be scored, None where none could."""

    day: date
    n: int
    mean: float | None
    best: float | None


@dataclass(frozen=True)
class Sound:
    """One phone over all tries: its mean score (0-100) in the earlier and in the later half of them."""

    phone: str
    n: int
    mean: float
    before: float | None
    after: float | None
    wrong_share: float


@dataclass(frozen=True)
class LessonProgress:
    lesson: Lesson
    tried: int
    mastered: int
    mean_best: float | None


@dataclass(frozen=True)
class Streak:
    """Days in a row with a try, up to today or yesterday; and the most there ever were."""

    now: int
    longest: int


def by_day(tries: Iterable[Attempt], zone: tzinfo | None = None) -> list[Day]:
    """Oldest first; days are of the machine's time zone unless another is given."""
    found: dict[date, list[float | None]] = defaultdict(list)
    for one in tries:
        found[_day(one, zone)].append(one.overall)
    days = []
    for day, scores in sorted(found.items()):
        known = [score for score in scores if score is not None]
        days.append(Day(day, len(scores), sum(known) / len(known) if known else None, max(known, default=None)))
    return days


def streak(tries: Iterable[Attempt], today: date, zone: tzinfo | None = None) -> Streak:
    days = sorted({_day(one, zone) for one in tries})
    longest = run = 0
    previous: date | None = None
    for day in days:
        run = run + 1 if previous is not None and day - previous == timedelta(days=1) else 1
        longest, previous = max(longest, run), day
    current = previous is not None and today - previous <= timedelta(days=1)
    return Streak(run if current else 0, longest)


def by_sound(tries: Sequence[Attempt], fewest: int = 3) -> list[Sound]:
    """The phones said at least `fewest` times, the weakest first."""
    scores: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for one in tries:
        for word in one.result.get("words") or ():
            for phone in word.get("phones") or ():
                wrong = phone.get("verdict") in ("wrong", "missing")
                scores[str(phone["phone"])].append((float(phone["score"]), wrong))
    found = []
    for phone, values in scores.items():
        if len(values) < fewest:
            continue
        numbers, middle = [score for score, _ in values], len(values) // 2
        halves = (numbers[:middle], numbers[middle:]) if len(values) >= 2 * fewest else ([], [])
        before, after = (sum(half) / len(half) if half else None for half in halves)
        share = sum(wrong for _, wrong in values) / len(values)
        found.append(Sound(phone, len(values), sum(numbers) / len(numbers), before, after, share))
    return sorted(found, key=lambda sound: sound.mean)


def by_lesson(tries: Iterable[Attempt], lessons: Iterable[Lesson]) -> list[LessonProgress]:
    """Of the lessons of which anything was tried; a text is mastered once a try at it was good."""
    best: dict[str, float] = {}
    for one in tries:
        best[one.text] = max(best.get(one.text, 0.0), one.overall or 0.0)
    found = []
    for lesson in lessons:
        own = [best[item.text] for item in lesson.items if item.text in best]
        if own:
            found.append(LessonProgress(lesson, len(own), sum(b >= MASTERED for b in own), sum(own) / len(own)))
    return found


def _day(one: Attempt, zone: tzinfo | None) -> date:
    return datetime.fromisoformat(one.at).astimezone(zone).date()
