"""What to practise next: the placement, the sounds that are weakest with their drills, and the lessons that suit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from pipeline.practice.attempts import Attempt
from pipeline.practice.contrasts import Contrast, contrasts_with
from pipeline.practice.coverage import coverage_of
from pipeline.practice.lessons import LEVELS, Lesson
from pipeline.practice.progress import MASTERED, by_sound, day_of
from pipeline.text.turkish import sounds_of

PLACEMENTS = {"en": "en-sentences", "tr": "tr-placement"}  # ten items that hold every sound of the language
MOST_SOUNDS = 3
FEWEST_WORDS = 3  # that a letter was in, before anything is said of it
# Of all attempts, on average, at least: the level of the lessons that suit.
LEVEL_FROM = ((90.0, 5), (80.0, 4), (70.0, 3), (60.0, 2))


@dataclass(frozen=True)
class Placement:
    """The lesson, which of its texts are still to be read, and where they are done the level that suits: of the lessons
    that there are, by the texts whose sounds were judged; None where none was."""

    lesson: Lesson
    left: tuple[str, ...]
    level: int | None

    @property
    def n_done(self) -> int:
        return len(self.lesson.items) - len(self.left)


@dataclass(frozen=True)
class WeakSound:
    """`sound` is a phone of CMU or a letter, `mean` its score (0-100): of the sound itself in English, of the words
    that it was in in Turkish."""

    sound: str
    mean: float
    n: int
    drills: tuple[Contrast, ...]


def placement(attempts: Iterable[Attempt], lessons: Iterable[Lesson], language: str) -> Placement | None:
    """None for a language without one, or where its lesson was taken away."""
    of_language = [lesson for lesson in lessons if lesson.language == language]
    lesson = next((lesson for lesson in of_language if lesson.id == PLACEMENTS.get(language)), None)
    if lesson is None:
        return None
    read: set[str] = set()
    best: dict[str, float] = {}
    for attempt in attempts:
        if attempt.overall is not None:
            read.add(attempt.text)
            if coverage_of(attempt.result).judges_sounds:
                best[attempt.text] = max(best.get(attempt.text, 0.0), attempt.overall)
    left = tuple(item.text for item in lesson.items if item.text not in read)
    scores = [best[item.text] for item in lesson.items if item.text in best]
    if left or not scores:
        return Placement(lesson, left, None)
    highest = max(lesson.level for lesson in of_language)
    return Placement(lesson, left, min(highest, level_of(sum(scores) / len(scores))))


def level_of(mean: float) -> int:
    return next((level for least, level in LEVEL_FROM if mean >= least), LEVELS[0])


def weakest(attempts: Sequence[Attempt], language: str) -> list[WeakSound]:
    """At most three that are not good yet, the weakest first."""
    of_language = [attempt for attempt in attempts if _language_of(attempt) == language]
    if language == "tr":
        means = _by_letter(of_language)
    else:
        means = [(sound.phone, sound.mean, sound.n) for sound in by_sound(of_language)]
    weak = [(sound, mean, n) for sound, mean, n in means if mean < MASTERED]
    return [WeakSound(sound, mean, n, tuple(contrasts_with(language, sound))) for sound, mean, n in weak[:MOST_SOUNDS]]


def n_on(attempts: Iterable[Attempt], day: date, zone: tzinfo | None = None) -> int:
    """Attempts of that day that count."""
    return sum(attempt.counts and day_of(attempt, zone) == day for attempt in attempts)


def _by_letter(attempts: Iterable[Attempt]) -> list[tuple[str, float, int]]:
    """Of Turkish letters in words whose sounds were scored: (letter, mean score of the words, words), the lowest first.
    Only letters that have drills: of the others nothing would follow."""
    scores: dict[str, list[float]] = defaultdict(list)
    for attempt in attempts:
        if attempt.overall is not None and attempt.result.get("scoring_method") == "ml_model":
            for letter in set(sounds_of(attempt.text)):
                scores[letter].append(attempt.overall)
    means = [(letter, sum(values) / len(values), len(values)) for letter, values in scores.items()]
    useful = [row for row in means if row[2] >= FEWEST_WORDS and contrasts_with("tr", row[0])]
    return sorted(useful, key=lambda row: row[1])


def _language_of(attempt: Attempt) -> str:
    target = attempt.result.get("target")
    return str(target.get("language", "")) if isinstance(target, dict) else ""
