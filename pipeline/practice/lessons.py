"""Lessons: lists of words or sentences, as YAML that anyone can write.

    title: Long and short i
    language: en            # en and tr are scored; others are only listened to
    kind: words             # or sentences
    about: ship or sheep?   # optional
    level: 1                # optional, 1 (first steps) to 5
    theme: Food             # optional, to be found by
    sounds: [IH, IY]        # optional, too: phones of CMU for English, letters for other languages
    items:
      - ship
      - text: sheep
        note: Spread the lips and hold the vowel.

`title`, `about`, `theme` and `note` may be in several languages, of which a learner reads their own, else English:

    title: {en: First words, tr: İlk kelimeler}

Those that come with Pronlab are in `shipped/`; an installation's own are `<data root>/lessons/*.yaml`, and one of the
same file name takes the place of a shipped one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import artifacts
from pipeline.errors import PronlabError, TableError, UnknownNameError, said_by
from pipeline.i18n import N_, Message, Multilingual, joined
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.phones import PHONES
from pipeline.records import Problem, RubricName, Target
from pipeline.settings import Settings
from pipeline.tablefile import decoded
from pipeline.text import is_showable
from pipeline.text.languages import is_language_code, language_code

SHIPPED = Path(__file__).parent / "shipped"
SUFFIX = ".yaml"
MAX_BYTES = 200_000
MAX_ITEMS = 500
MAX_TITLE, MAX_THEME, MAX_ABOUT, MAX_NOTE = 80, 40, 500, 300
MAX_LENGTH = {"words": 60, "sentences": 300}
MOST_REASONS, MAX_VALUE = 20, 60  # that are told, and characters of a value within one
LEVELS = range(1, 6)
KEYS = {"title", "language", "kind", "about", "level", "theme", "sounds", "items"}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
EXAMPLE = """title:
  en: Long and short i
  tr: Uzun ve kısa i
language: en
kind: words
items:
- ship
- text: sheep
  note: Spread the lips."""


class LessonError(PronlabError):
    """A lesson that cannot be read, with all that is wrong with it; or one that may not be deleted."""


@dataclass(frozen=True)
class Item:
    """A word or sentence to say, and what to watch for."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Lesson:
    """`id` is its file's name without the suffix; `own` says that the installation added it and may delete it. `title`,
    `about`, `theme` and notes are shown through `translated`."""

    id: str
    title: str
    language: str
    kind: str
    items: tuple[Item, ...]
    about: str = ""
    level: int = 1
    own: bool = False
    theme: str = ""
    sounds: tuple[str, ...] = ()

    def target(self, text: str) -> Target:
        """English is scored phone by phone whatever its length; words of other languages by the word scorer."""
        as_word = self.kind == "words" and self.language != "en"
        return Target(text, self.language, RubricName.WORD if as_word else RubricName.SENTENCE)

    def note(self, text: str) -> str:
        return next((item.note for item in self.items if item.text == text), "")


def list_lessons(settings: Settings) -> tuple[list[Lesson], list[Problem]]:
    """By language, level and title; and what is wrong with files that cannot be read."""
    lessons: dict[str, Lesson] = {}
    problems: list[Problem] = []
    for folder, own in ((SHIPPED, False), (_folder(settings), True)):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            if path.name.startswith(artifacts.TEMPORARY_PREFIX):
                continue
            try:
                lessons[path.stem] = parse(path.stem, path.read_bytes(), own=own)
            except (LessonError, OSError) as error:
                problems.append(Problem("lesson", said_by(error), "error", str(path)))
    return sorted(lessons.values(), key=lambda lesson: (lesson.language, lesson.level, lesson.title)), problems


def get_lesson(settings: Settings, lesson: str) -> Lesson:
    """Raises LessonError where there is none of that id."""
    lessons = {known.id: known for known in list_lessons(settings)[0]}
    if lesson not in lessons:
        raise LessonError(
            N_("There is no lesson {lesson!r}. There are: {lessons}."), lesson=lesson, lessons=", ".join(lessons)
        )
    return lessons[lesson]


def add_lesson(settings: Settings, name: str, content: bytes, by: Identity | None = None) -> Lesson:
    """Keep a lesson of the installation's own; of the same name, the newer one stays. Raises LessonError, and
    AccessError for who may not change lessons."""
    permit(settings, by, Action.MANAGE_LESSONS)
    if not NAME.fullmatch(name):
        raise LessonError(
            N_("A lesson's name has 1 to 60 of a-z, 0-9 and -, and no - first; got {name!r}."), name=name[:80]
        )
    lesson = parse(name, content, own=True)
    artifacts.write_bytes(_folder(settings) / f"{name}{SUFFIX}", content)
    return lesson


def remove_lesson(settings: Settings, lesson: str, by: Identity | None = None) -> None:
    """Delete one of the installation's own. Raises LessonError for any other, AccessError for who may not."""
    permit(settings, by, Action.MANAGE_LESSONS)
    if not get_lesson(settings, lesson).own:
        raise LessonError(
            N_("{lesson} comes with Pronlab. A lesson of your own of that name takes its place."), lesson=lesson
        )
    (_folder(settings) / f"{lesson}{SUFFIX}").unlink()


def as_yaml(title: str, language: str, kind: str, items: Sequence[Item]) -> bytes:
    """A lesson's file from a list of items. Raises LessonError for more than a lesson holds."""
    if len(items) > MAX_ITEMS:
        raise LessonError(
            N_("A lesson has at most {most} texts; this list has {n}. Split it."), most=MAX_ITEMS, n=len(items)
        )
    texts = [{"text": item.text, "note": item.note} if item.note else item.text for item in items]
    content = {"title": title, "language": language, "kind": kind, "items": texts}
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False).encode("utf-8")


def parse(name: str, content: bytes, *, own: bool = False) -> Lesson:
    """Raises LessonError with everything that is wrong, up to MOST_REASONS."""
    if len(content) > MAX_BYTES:
        raise LessonError(
            N_("{name}: a lesson has at most {limit} kB, this has {size}."),
            name=name,
            limit=MAX_BYTES // 1000,
            size=len(content) // 1000,
        )
    try:
        raw = artifacts.loads_yaml(decoded(content)[0])
    except (ValueError, TableError) as error:
        raise LessonError(N_("{name} is no YAML: {reason}"), name=name, reason=said_by(error)) from error
    if not isinstance(raw, dict):
        raise LessonError(
            N_("{name}: a lesson has {keys}; this has none of them."), name=name, keys=", ".join(sorted(KEYS))
        )
    wrong: list[str] = [
        Message(N_("there is no key {key!r} (known: {known})"), key=str(key)[:MAX_VALUE], known=", ".join(sorted(KEYS)))
        for key in raw
        if key not in KEYS
    ]
    kind = raw.get("kind", "words")
    if not isinstance(kind, str) or kind not in MAX_LENGTH:
        wrong.append(Message(N_("kind is words or sentences, got {value}"), value=repr(kind)[:MAX_VALUE]))
        kind = "sentences"
    language = raw.get("language", "")
    title, about = _text(raw.get("title", ""), MAX_TITLE), _text(raw.get("about", ""), MAX_ABOUT)
    if not title:
        wrong.append(
            Message(N_("title has 1 to {most} characters, or that in several languages by their codes"), most=MAX_TITLE)
        )
    try:
        language = language_code((language if isinstance(language, str) else repr(language))[:MAX_VALUE])
    except UnknownNameError:
        unknown = str(language)[:MAX_VALUE]
        wrong.append(Message(N_("language “{value}” is not known; write its code, such as en or tr"), value=unknown))
    if about is None:
        wrong.append(
            Message(
                N_("about has at most {most} characters, or that in several languages by their codes"), most=MAX_ABOUT
            )
        )
    wrong += [
        Message(N_("{key} has a character that cannot be shown"), key=key)
        for key, value in (("title", title), ("about", about))
        if value and not _is_showable(value)
    ]
    level = raw.get("level", 1)
    if type(level) is not int or level not in LEVELS:
        wrong.append(
            Message(
                N_("level is {first} to {last}, got {value}"),
                first=LEVELS[0],
                last=LEVELS[-1],
                value=repr(level)[:MAX_VALUE],
            )
        )
    theme = _text(raw.get("theme", ""), MAX_THEME)
    if theme is None or not _is_showable(theme):
        wrong.append(
            Message(
                N_("theme has at most {most} characters that can be shown, or that in several languages"),
                most=MAX_THEME,
            )
        )
    sounds = raw.get("sounds", [])
    if not isinstance(sounds, list) or not all(_is_sound(sound, language) for sound in sounds):
        wrong.append(Message(N_("sounds is a list of phones of CMU (IY) for English, of letters for other languages")))
        sounds = []
    items = _items(raw.get("items"), MAX_LENGTH[kind], wrong)
    if wrong:
        reasons = wrong[:MOST_REASONS]
        if len(wrong) > MOST_REASONS:
            reasons.append(Message(N_("and {n} more"), n=len(wrong) - MOST_REASONS))
        raise LessonError(N_("The lesson {name} cannot be used: {reasons}."), name=name, reasons=joined(reasons))
    return Lesson(name, title or "", language, kind, items, about or "", level, own, theme or "", tuple(sounds))


def _text(raw: Any, longest: int) -> str | None:
    """A text, or a `Multilingual` of a mapping by language; None for anything else and what is too long."""
    texts = list(raw.values()) if isinstance(raw, dict) else [raw]
    if not all(isinstance(text, str) and len(text.strip()) <= longest for text in texts):
        return None
    if not isinstance(raw, dict):
        return str(raw).strip()
    if not raw or not all(map(is_language_code, raw)) or not all(texts):
        return None
    return Multilingual({code: text.strip() for code, text in raw.items()})


def _is_sound(sound: Any, language: str) -> bool:
    return isinstance(sound, str) and (sound in PHONES if language == "en" else len(sound) == 1 and sound.isalpha())


def _is_showable(text: str) -> bool:
    return all(map(is_showable, text.texts.values() if isinstance(text, Multilingual) else [text]))


def _items(raw: Any, longest: int, wrong: list[str]) -> tuple[Item, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_ITEMS:
        wrong.append(Message(N_("items is a list of 1 to {most} texts"), most=MAX_ITEMS))
        return ()
    items: dict[str, Item] = {}
    for number, raw_item in enumerate(raw, start=1):
        entry = raw_item if isinstance(raw_item, dict) else {"text": raw_item}
        text, note = entry.get("text"), _text(entry.get("note", ""), MAX_NOTE)
        if not isinstance(text, str) or not 0 < len(" ".join(text.split())) <= longest:
            wrong.append(
                Message(
                    N_("item {number} has no text of 1 to {most} characters (in quotes, if YAML reads it as yes)"),
                    number=number, most=longest,
                )
            )  # fmt: skip
        elif note is None or set(entry) - {"text", "note"}:
            wrong.append(
                Message(
                    N_("item {number} has more than a text and a note of at most {most} characters"),
                    number=number, most=MAX_NOTE,
                )
            )  # fmt: skip
        elif not is_showable(text) or not _is_showable(note):
            wrong.append(Message(N_("item {number} has a character that cannot be shown"), number=number))
        else:
            cleaned = " ".join(text.split())
            items.setdefault(cleaned, Item(cleaned, note))
    return tuple(items.values())


def _folder(settings: Settings) -> Path:
    return settings.data_root / "lessons"
