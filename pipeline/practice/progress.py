"""A learner's progress by day, by sound and by lesson."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from pipeline.practice.attempts import Attempt
from pipeline.practice.coverage import coverage_of
from pipeline.practice.lessons import Lesson

MASTERED = 80.0  # "good", of 100


@dataclass(frozen=True)
class Day:
    """`mean` and `best` of the attempts that could be scored, None where none could."""

    day: date
    n: int
    mean: float | None
    best: float | None


@dataclass(frozen=True)
class Sound:
    """One phone over all attempts: its mean score (0-100) in the earlier and in the later half of them."""

    phone: str
    n: int
    mean: float
    before: float | None
    after: float | None
    wrong_share: float


@dataclass(frozen=True)
class LessonProgress:
    lesson: Lesson
    attempted: int
    mastered: int
    mean_best: float | None


@dataclass(frozen=True)
class Streak:
    """Days in a row with an attempt, up to today or yesterday; and the longest such row."""

    now: int
    longest: int


def by_day(attempts: Iterable[Attempt], zone: tzinfo | None = None) -> list[Day]:
    """Oldest first; days are of the machine's time zone unless another is given."""
    by_date: dict[date, list[float | None]] = defaultdict(list)
    for attempt in attempts:
        by_date[day_of(attempt, zone)].append(attempt.overall)
    days = []
    for day, scores in sorted(by_date.items()):
        known = [score for score in scores if score is not None]
        days.append(Day(day, len(scores), sum(known) / len(known) if known else None, max(known, default=None)))
    return days


def streak(attempts: Iterable[Attempt], today: date, zone: tzinfo | None = None) -> Streak:
    days = sorted({day_of(attempt, zone) for attempt in attempts})
    longest = run = 0
    previous: date | None = None
    for day in days:
        run = run + 1 if previous is not None and day - previous == timedelta(days=1) else 1
        longest, previous = max(longest, run), day
    current = previous is not None and today - previous <= timedelta(days=1)
    return Streak(run if current else 0, longest)


def by_sound(attempts: Sequence[Attempt], fewest: int = 3) -> list[Sound]:
    """The phones with at least `fewest` scores, the weakest first; experimental scores do not count."""
    scores: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for attempt in (attempt for attempt in attempts if attempt.counts):
        for word in attempt.result.get("words") or ():
            if word.get("experimental"):
                continue
            for phone in word.get("phones") or ():
                wrong = phone.get("verdict") in ("wrong", "missing")
                scores[str(phone["phone"])].append((float(phone["score"]), wrong))
    sounds = []
    for phone, values in scores.items():
        if len(values) < fewest:
            continue
        numbers, middle = [score for score, _wrong in values], len(values) // 2
        halves = (numbers[:middle], numbers[middle:]) if len(values) >= 2 * fewest else ([], [])
        before, after = (sum(half) / len(half) if half else None for half in halves)
        share = sum(wrong for _score, wrong in values) / len(values)
        sounds.append(Sound(phone, len(values), sum(numbers) / len(numbers), before, after, share))
    return sorted(sounds, key=lambda sound: sound.mean)


def by_lesson(attempts: Iterable[Attempt], lessons: Iterable[Lesson]) -> list[LessonProgress]:
    """Of the lessons with any attempt; a text is mastered once its sounds were judged and an attempt at it was good."""
    best: dict[str, float] = {}
    good: set[str] = set()
    for attempt in attempts:
        if attempt.overall is not None:
            best[attempt.text] = max(best.get(attempt.text, 0.0), attempt.overall)
            if attempt.overall >= MASTERED and coverage_of(attempt.result).judges_sounds:
                good.add(attempt.text)
    progress = []
    for lesson in lessons:
        scores = [best[item.text] for item in lesson.items if item.text in best]
        if scores:
            mastered = sum(item.text in good for item in lesson.items)
            progress.append(LessonProgress(lesson, len(scores), mastered, sum(scores) / len(scores)))
    return progress


def day_of(attempt: Attempt, zone: tzinfo | None) -> date:
    """In the machine's time zone unless another is given."""
    return datetime.fromisoformat(attempt.at).astimezone(zone).date()
